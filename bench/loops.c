// SPDX-License-Identifier: Apache-2.0
// Makes the programs of loops.def:
//
//     loops                     lists them, a name and what it is on each line
//     loops NAME ROUNDS FILE    writes one that does its rounds and powers off
//
// A program is one segment at 0x200000 and depends on nothing but RAM and the power-off register of
// the board virt, so that the reference emulator runs it, too.
#include "base/bits.h"
#include "base/err.h"
#include "isa/loongarch64.h"
#include "mach/kernel_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE      0x200000u
#define DATA      0x1000000u
#define MAX_WORDS 256

struct loop {
    const char *name, *doc, *before, *round;
};

static const struct loop loops[] = {
#define LOOP(name, doc, before, round) {#name, doc, before, round},
#include "bench/loops.def"
#undef LOOP
};

struct program {
    u32 words[MAX_WORDS];
    unsigned n;
};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "loops: %s: %s\n", what, why);
    exit(1);
}

static void emit(struct program *p, const char *line)
{
    struct err e = {0};
    if (p->n == MAX_WORDS)
        fail(line, "the program is too long");
    if (!la_assemble(line, BASE + 4 * p->n, &p->words[p->n], &e))
        fail(line, e.text);
    p->n++;
}

// Instructions separated by semicolons.
static void emit_all(struct program *p, const char *text)
{
    while (*text) {
        char line[128];
        text += strspn(text, " ");
        size_t n = strcspn(text, ";");
        snprintf(line, sizeof(line), "%.*s", (int)n, text);
        emit(p, line);
        text += n + (text[n] == ';');
    }
}

static void emit_load(struct program *p, const char *reg, u32 value)
{
    char line[64];
    snprintf(line, sizeof(line), "lu12i.w %s, %d", reg, (s32)value >> 12);
    emit(p, line);
    snprintf(line, sizeof(line), "ori %s, %s, %u", reg, reg, value & 0xfff);
    emit(p, line);
}

static void emit_program(struct program *p, const struct loop *l, u32 n_rounds)
{
    char line[64];
    emit_load(p, "$s0", n_rounds);
    emit_load(p, "$s1", DATA);
    emit_load(p, "$s2", 0x7ff8);
    emit_load(p, "$s3", 0x2545f491);
    emit_load(p, "$sp", DATA + 0x4000);
    emit_all(p, "ori $t0, $zero, 7; csrwr $t0, 2; or $t0, $zero, $zero"); // EUEN
    emit_all(p, l->before);
    unsigned first = p->n;
    emit_all(p, l->round);
    emit(p, "addi.d $s0, $s0, -1");
    snprintf(line, sizeof(line), "bnez $s0, %d", 4 * ((int)first - (int)p->n));
    emit(p, line);
    emit_load(p, "$t0", 0x100e001c);
    emit_all(p, "ori $t1, $zero, 0x34; st.b $t1, $t0, 0; idle 0; b -4");
}

static void write_elf(const struct program *p, const char *path)
{
    struct sample_segment s = {
        .vaddr = BASE, .paddr = BASE, .file_size = 4 * p->n, .memory_size = 4 * p->n};
    size_t size;
    u8 *file = sample_elf(BASE, &s, 1, &size);
    for (unsigned i = 0; i < p->n; i++)
        store_le(file + size - s.file_size + 4 * i, p->words[i], 4);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(file, size, 1, f) != 1 || fclose(f))
        fail(path, "cannot write");
    free(file);
}

int main(int argc, char **argv)
{
    struct program p = {.n = 0};
    for (size_t i = 0; i < ARRAY_LEN(loops); i++)
        if (argc == 1) {
            printf("%s %s\n", loops[i].name, loops[i].doc);
        } else if (argc == 4 && !strcmp(argv[1], loops[i].name)) {
            emit_program(&p, &loops[i], (u32)strtoul(argv[2], NULL, 0));
            write_elf(&p, argv[3]);
        }
    if (argc != 1 && !p.n)
        fail(argc > 1 ? argv[1] : "", "no such loop; usage: loops [NAME ROUNDS FILE]");
    return 0;
}
