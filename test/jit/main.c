// SPDX-License-Identifier: Apache-2.0
// Translated code against the interpreter, in one process: random programs of integer, memory and
// branch instructions, run from the same states.
//
//     jit_random [-n COUNT] [-s SEED] [-v]
//
// COUNT is of instructions in programs that were generated; all the ways to translate take turns.
// Exits with 1 after the first difference, which is printed with the program and its seed; -v
// prints each seed.
#include "test/jit/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct jit_options options;
} ways[] = {
    {"plain", {0}},
    {"slots=off", {.no_slots = true}},
    {"chain=off", {.no_chain = true}},
    {"ras=on", {.ras = true}},
    {"one-insn=on", {.one_insn = true}},
    {"flush-every=7", {.flush_every = 7}},
    {"access-form=1", {.access_form = 1}},
    {"access-form=2", {.access_form = 2}},
    {"check=on", {.check = true}},
};

#define N_PROGRAMS 400 // one after the other in one bed
#define N_STATES   4   // of each program

struct tally {
    u64 n_insns, n_programs, n_runs, n_raised;
};

static void print_program(const struct program *p)
{
    for (unsigned n = 0; n < p->n; n++) {
        char text[96];
        u64 pc = BED_CODE_VA + p->offset + 4 * n;
        la_disassemble(p->words[n], pc, text, sizeof(text));
        printf("# %llx: %08x %s\n", (unsigned long long)pc, p->words[n], text);
    }
}

static void print_word(const char *name, u64 want, u64 got)
{
    if (want != got)
        printf("# %s: want %llx got %llx\n", name, (unsigned long long)want,
               (unsigned long long)got);
}

static void print_outcomes(const struct bed_state *s, const struct bed_outcome *want,
                           const struct bed_outcome *got)
{
    for (unsigned n = 0; n < 32; n++) {
        char name[40];
        snprintf(name, sizeof(name), "r%u, was %llx", n, (unsigned long long)s->gpr[n]);
        print_word(name, want->gpr[n], got->gpr[n]);
    }
#define PRINT(field) print_word(#field, want->field, got->field)
    PRINT(pc);
    PRINT(crmd);
    PRINT(prmd);
    PRINT(estat);
    PRINT(era);
    PRINT(badv);
    PRINT(badi);
    PRINT(tlbrera);
    PRINT(tlbrbadv);
    PRINT(tlbrprmd);
    PRINT(has_link);
    PRINT(link);
    printf("# want: era %llx, estat %llx\n", (unsigned long long)want->era,
           (unsigned long long)want->estat);
    for (unsigned n = 0; n < BED_SIZE; n++)
        if (want->data[n] != got->data[n])
            printf("# data %x: was %02x want %02x got %02x\n", n, s->data[n], want->data[n],
                   got->data[n]);
}

static bool is_same(struct bed *b, const struct program *p, const struct bed_state *s,
                    struct tally *t)
{
    static struct bed_outcome want, got;
    bed_interpret(b, s, &want);
    bed_translate(b, s, &got);
    t->n_runs++;
    t->n_raised += want.pc < BED_CODE_VA;
    if (!memcmp(&want, &got, sizeof(want)))
        return true;
    print_program(p);
    print_outcomes(s, &want, &got);
    return false;
}

// Programs that come one after the other to the same pages, which are mapped anew now and then.
static bool run_series(unsigned way, u64 seed, const struct repertoire *x, struct tally *t)
{
    static struct bed_state s;
    struct bed b;
    struct program p;
    struct diff_random r = {.state = seed};
    bed_init(&b, &ways[way].options);
    bool ok = true;
    for (unsigned n = 0; ok && n < N_PROGRAMS; n++) {
        if (n % 8 == 0)
            bed_shuffle(&b, &r);
        generate_program(&p, x, &r);
        for (unsigned k = 0; k < p.n; k++)
            bed_write(&b, p.offset + 4 * k, p.words[k], n & 1);
        t->n_insns += p.n;
        t->n_programs++;
        for (unsigned k = 0; ok && k < N_STATES; k++) {
            generate_state(&s, &p, &r);
            ok = is_same(&b, &p, &s, t);
        }
        if (!ok)
            printf("# with %s, seed %llu, program %u\n", ways[way].name, (unsigned long long)seed,
                   n);
    }
    bed_free(&b);
    return ok;
}

int main(int argc, char **argv)
{
    u64 count = 1000000, seed = 1;
    bool is_verbose = false;
    struct tally t = {0};
    struct repertoire x;
    struct err e = {0};
    for (int c; (c = getopt(argc, argv, "n:s:v")) != -1;) {
        if (c == 'n')
            count = strtoull(optarg, NULL, 0);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 0);
        else if (c == 'v')
            is_verbose = true;
        else
            return 2;
    }
    if (!jit_is_possible(&e)) {
        printf("1..0 # SKIP %s\n", e.text);
        return 0;
    }
    generate_repertoire(&x);
    printf("1..1\n");
    bool ok = true;
    for (; ok && t.n_insns < count; seed++) {
        if (is_verbose)
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        ok = run_series((unsigned)(seed % ARRAY_LEN(ways)), seed, &x, &t);
    }
    printf("# %llu instructions in %llu programs, %llu runs, %llu ended by an exception\n",
           (unsigned long long)t.n_insns, (unsigned long long)t.n_programs,
           (unsigned long long)t.n_runs, (unsigned long long)t.n_raised);
    printf("%sok 1 - translated programs do what interpreted ones do\n", ok ? "" : "not ");
    return !ok;
}
