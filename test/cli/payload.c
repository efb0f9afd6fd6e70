// SPDX-License-Identifier: Apache-2.0
// Makes small bare-metal programs for the tests of the command line:
//
//     payload FILE STEP [ARGUMENT] ...
//
//     print TEXT    to the first serial port; \n, \r, \e and \\ are what they are in C
//     echo CHAR     print what comes in until that character came
//     delay MS      wait that long
//     boots N       at the Nth start since power-on, power off here
//     poke ADDRESS  write a byte 1
//     button        wait until somebody presses the power button
//     guest         enter guest mode (LVZ), exit by three hypercalls and stay there for ever
//     poweroff, reset
//     spin, idle    for ever
//
// A program is one segment at 0x200000, entered in direct address mode, made by the project's own
// assembler.
#include "base/err.h"
#include "isa/loongarch64.h"

#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE      0x200000u
#define COUNTER   0x800000u // of starts: RAM that nothing is loaded to
#define UART      0x1fe001e0u
#define GED_EVENT 0x100e0000u
#define GED_SLEEP 0x100e001cu
#define GED_RESET 0x100e001eu
#define TABLES    0x700000u // of the second stage
#define HANDLER   0x2000u   // of exits, from BASE on
#define MAX_WORDS 4096
#define TEXT_AT   (MAX_WORDS * 4) // where texts begin in the segment
#define MAX_SIZE  65536

static struct {
    union {
        u32 words[MAX_SIZE / 4];
        char bytes[MAX_SIZE];
    };
    unsigned n_words, size;
} program = {.size = TEXT_AT};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "payload: %s: %s\n", what, why);
    exit(1);
}

// One instruction; a branch has its offset in bytes.
static void emit(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void emit(const char *format, ...)
{
    char line[128];
    struct err e = {0};
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    if (program.n_words == MAX_WORDS)
        fail(line, "the program is too long");
    if (!la_assemble(line, BASE + 4 * program.n_words, &program.words[program.n_words], &e))
        fail(line, e.text);
    program.n_words++;
}

static void emit_load(const char *reg, u32 value)
{
    emit("lu12i.w %s, %d", reg, (s32)value >> 12);
    emit("ori %s, %s, %u", reg, reg, value & 0xfff);
}

static void store_byte(u32 address, unsigned value)
{
    emit_load("$t0", address);
    emit("ori $t1, $zero, %u", value);
    emit("st.b $t1, $t0, 0");
}

static char unescaped(char c)
{
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'e' ? '\033' : c;
}

static u32 add_text(const char *text)
{
    u32 address = BASE + program.size;
    for (; *text; text++) {
        if (program.size + 2 > MAX_SIZE)
            fail(text, "the text is too long");
        program.bytes[program.size++] = *text == '\\' && text[1] ? unescaped(*++text) : *text;
    }
    program.bytes[program.size++] = 0;
    return address;
}

static void print(const char *text)
{
    emit_load("$t0", UART);
    emit_load("$a0", add_text(text));
    emit("ld.bu $t1, $a0, 0");
    emit("beqz $t1, 28");
    emit("ld.bu $t2, $t0, 5"); // LSR.THRE
    emit("andi $t2, $t2, 32");
    emit("beqz $t2, -8");
    emit("st.b $t1, $t0, 0");
    emit("addi.d $a0, $a0, 1");
    emit("b -28");
}

static void echo(const char *last)
{
    emit_load("$t0", UART);
    emit("ld.bu $t2, $t0, 5"); // LSR.DR
    emit("andi $t2, $t2, 1");
    emit("beqz $t2, -8");
    emit("ld.bu $t1, $t0, 0");
    emit("st.b $t1, $t0, 0");
    emit("ori $t3, $zero, %u", (u8)last[0]);
    emit("bne $t1, $t3, -24");
}

// The counter runs at 100 MHz.
static void delay(const char *ms)
{
    emit_load("$t0", (u32)strtoul(ms, NULL, 0) * 100000);
    emit("rdtime.d $t1, $zero");
    emit("rdtime.d $t2, $zero");
    emit("sub.d $t2, $t2, $t1");
    emit("blt $t2, $t0, -8");
}

static void spin(const char *unused)
{
    emit("b 0");
}

static void power_off(const char *unused)
{
    store_byte(GED_SLEEP, 0x34);
    spin(NULL);
}

static void boots(const char *n)
{
    emit_load("$t0", COUNTER);
    emit("ld.w $t1, $t0, 0");
    emit("addi.d $t1, $t1, 1");
    emit("st.w $t1, $t0, 0");
    emit("ori $t2, $zero, %lu", strtoul(n, NULL, 0));
    emit("blt $t1, $t2, 24"); // over power_off
    power_off(NULL);
}

static void reset(const char *unused)
{
    store_byte(GED_RESET, 0x42);
    spin(NULL);
}

static void idle(const char *unused)
{
    emit("idle 0");
    emit("b -4");
}

static void poke(const char *address)
{
    store_byte((u32)strtoul(address, NULL, 0), 1);
}

static void button(const char *unused)
{
    emit_load("$t0", GED_EVENT);
    emit("ld.w $t1, $t0, 0");
    emit("beqz $t1, -4");
}

static void write_csr(const char *insn, unsigned number, u32 value)
{
    emit_load("$t0", value);
    emit("%s $t0, 0x%x", insn, number);
}

static void store_double(u32 address, u32 value)
{
    emit_load("$t0", address);
    emit_load("$t1", value);
    emit("st.d $t1, $t0, 0");
}

// Goes on behind the instruction that exited.
static void emit_handler(void)
{
    unsigned here = program.n_words;
    if (here > HANDLER / 4)
        fail("guest", "the program is too long");
    program.n_words = HANDLER / 4;
    emit("csrrd $t0, 0x6");
    emit("addi.d $t0, $t0, 4");
    emit("csrwr $t0, 0x6");
    emit("ertn");
    program.n_words = here;
}

// Guest 5, in direct mode. A second-stage entry maps its first 4 MiB to the same addresses; the
// second-stage tables, with 16 KiB pages in three levels, also have a page at GPA 0x10000000.
static void guest(const char *unused)
{
    store_double(TABLES, TABLES + 0x4000);
    store_double(TABLES + 0x4000 + 8 * (0x10000000 >> 25), TABLES + 0x8000);
    store_double(TABLES + 0x8000, 0x900013);
    write_csr("csrwr", 0x19, TABLES);                             // PGDL
    write_csr("csrwr", 0x1c, 14 | 11 << 5 | 25 << 10 | 11 << 15); // PWCL
    write_csr("csrwr", 0x1d, 36 | 11 << 6);                       // PWCH
    write_csr("csrwr", 0xc, BASE + HANDLER);                      // EENTRY
    write_csr("csrwr", 0x15, 1 << 12 | 5 << 16);                  // GTLBC: USETGID, TGID
    write_csr("csrwr", 0x10, 21 << 24 | 2048);                    // TLBIDX
    write_csr("csrwr", 0x11, 0);                                  // TLBEHI
    write_csr("csrwr", 0x12, 0x13);                               // TLBELO0: V, D, MAT 1
    write_csr("csrwr", 0x13, 0x200013);                           // TLBELO1
    emit("tlbwr");
    write_csr("csrwr", 0x15, 0);
    write_csr("csrwr", 0x50, 5 << 16 | 2);                     // GSTAT: GID, PGM
    write_csr("csrwr", 0x1, 0);                                // PRMD
    write_csr("csrwr", 0x6, BASE + 4 * (program.n_words + 4)); // ERA
    emit("ertn");
    for (unsigned i = 0; i < 3; i++)
        emit("hvcl 0");
    emit("b 0");
    emit_handler();
}

static const struct step {
    const char *name;
    bool has_argument;
    void (*emit)(const char *argument);
} steps[] = {
    {"print", true, print},    {"echo", true, echo},    {"delay", true, delay},
    {"boots", true, boots},    {"poke", true, poke},    {"poweroff", false, power_off},
    {"reset", false, reset},   {"spin", false, spin},   {"idle", false, idle},
    {"button", false, button}, {"guest", false, guest},
};

static const struct step *find_step(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (!strcmp(steps[i].name, name))
            return &steps[i];
    fail(name, "no such step");
}

static void write_elf(const char *path)
{
    struct {
        Elf64_Ehdr file;
        Elf64_Phdr segment;
    } h = {.file = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                                EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = 258, // LoongArch
                    .e_version = EV_CURRENT,
                    .e_entry = BASE,
                    .e_phoff = sizeof(h.file),
                    .e_ehsize = sizeof(h.file),
                    .e_phentsize = sizeof(h.segment),
                    .e_phnum = 1},
           .segment = {.p_type = PT_LOAD,
                       .p_flags = PF_R | PF_W | PF_X,
                       .p_offset = sizeof(h),
                       .p_vaddr = BASE,
                       .p_paddr = BASE,
                       .p_filesz = program.size,
                       .p_memsz = program.size,
                       .p_align = 8}};
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(&h, sizeof(h), 1, f) != 1 || fwrite(program.bytes, program.size, 1, f) != 1 ||
        fclose(f))
        fail(path, "cannot be written");
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        const struct step *s = find_step(argv[i]);
        if (s->has_argument && i + 1 == argc)
            fail(s->name, "needs an argument");
        s->emit(s->has_argument ? argv[++i] : NULL);
    }
    if (argc < 3)
        fail("usage", "payload FILE STEP [ARGUMENT] ...");
    write_elf(argv[1]);
    return 0;
}
