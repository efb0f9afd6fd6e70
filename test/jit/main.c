// SPDX-License-Identifier: Apache-2.0
// Translated code against the interpreter, in one process: random programs of integer, memory and
// branch instructions, every other time of vector instructions too, run from the same states.
//
//     jit_random [-n COUNT] [-s SEED] [-i] [-v]
//
// COUNT is of instructions in programs that were generated; all the ways to translate take turns.
// Some programs are run again with each page of data taken away, so that each first access to a
// page faults once. With -i the translated runs are interrupted all the time, and have to end the
// same. Exits with 1 after the first difference, which is printed with the program and its seed; -v
// prints each seed.
#include "test/jit/generate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct jit_options options;
} ways[] = {
    {"plain", {0}},
    {"slots=off", {.no_slots = true}},
    {"chain=off", {.no_chain = true}},
    {"ras=off", {.no_ras = true}},
    {"one-insn=on", {.one_insn = true}},
    {"flush-every=7", {.flush_every = 7}},
    {"access-form=1", {.access_form = 1}},
    {"access-form=2", {.access_form = 2}},
    {"access-form=3", {.access_form = 3}},
    {"check=on", {.check = true}},
    {"evex=off", {.no_evex = true}},
    {"avx=off", {.no_avx = true}},
};

#define N_PROGRAMS 400 // one after the other in one bed
#define N_STATES   4   // of each program

#define N_FAULTING    8 // of so many programs one is run with each page taken away
#define INTERRUPTS_US 30

struct tally {
    u64 n_insns, n_programs, n_runs, n_raised, n_interrupts;
};

// Where the signal of the timer finds the processor; NULL: nobody is to be interrupted.
static struct bed *volatile interrupted;

static void on_timer(int number)
{
    if (interrupted)
        bed_interrupt(interrupted);
}

static void interrupt_all_the_time(void)
{
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
    struct itimerval every = {{0, INTERRUPTS_US}, {0, INTERRUPTS_US}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

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
    for (unsigned n = 0; n < 32 * 4; n++) {
        char name[60];
        snprintf(name, sizeof(name), "xr%u[%u], was %llx", n / 4, n % 4,
                 (unsigned long long)s->vr[n / 4].d[n % 4]);
        print_word(name, want->vr[n / 4].d[n % 4], got->vr[n / 4].d[n % 4]);
    }
    for (unsigned n = 0; n < 8; n++)
        print_word("fcc", want->fcc[n], got->fcc[n]);
#define PRINT(field) print_word(#field, want->field, got->field)
    PRINT(fcsr);
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
                    bool interrupts, struct tally *t)
{
    static struct bed_outcome want, got;
    bed_interpret(b, s, &want);
    interrupted = interrupts ? b : NULL;
    bed_translate(b, s, &got);
    interrupted = NULL;
    t->n_runs++;
    t->n_raised += want.pc < BED_CODE_VA;
    if (!memcmp(&want, &got, sizeof(want)))
        return true;
    print_program(p);
    print_outcomes(s, &want, &got);
    return false;
}

static bool is_same_without_pages(struct bed *b, const struct program *p, const struct bed_state *s,
                                  bool interrupts, struct tally *t)
{
    bool ok = true;
    for (unsigned page = 0; ok && page < BED_N_PAGES; page++) {
        bed_take_away(b, page);
        ok = is_same(b, p, s, interrupts, t);
        bed_give_back(b, page);
    }
    return ok;
}

// Programs that come one after the other to the same pages, which are mapped anew now and then.
static bool run_series(unsigned way, u64 seed, const struct repertoire *x, bool interrupts,
                       struct tally *t)
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
            s.crmd |= interrupts ? CRMD_IE : 0;
            ok = is_same(&b, &p, &s, interrupts, t);
        }
        if (ok && n % N_FAULTING == N_FAULTING - 1)
            ok = is_same_without_pages(&b, &p, &s, interrupts, t);
        if (!ok)
            printf("# with %s, seed %llu, program %u\n", ways[way].name, (unsigned long long)seed,
                   n);
    }
    t->n_interrupts += b.n_interrupts;
    bed_free(&b);
    return ok;
}

int main(int argc, char **argv)
{
    u64 count = 1000000, seed = 1;
    bool is_verbose = false, interrupts = false;
    struct tally t = {0};
    static struct repertoire x[2];
    struct err e = {0};
    for (int c; (c = getopt(argc, argv, "n:s:iv")) != -1;) {
        if (c == 'n')
            count = strtoull(optarg, NULL, 0);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 0);
        else if (c == 'i')
            interrupts = true;
        else if (c == 'v')
            is_verbose = true;
        else
            return 2;
    }
    if (!jit_is_possible(&e)) {
        printf("1..0 # SKIP %s\n", e.text);
        return 0;
    }
    const unsigned links = interrupts ? 0 : GENERATE_LINKS;
    generate_repertoire(&x[0], links);
    generate_repertoire(&x[1], links | GENERATE_VECTORS);
    if (interrupts)
        interrupt_all_the_time();
    printf("1..1\n# of %u kinds, and %u of vectors\n", x[0].n_plain + x[0].n_memory + x[0].n_branch,
           x[1].n_vector);
    bool ok = true;
    for (; ok && t.n_insns < count; seed++) {
        if (is_verbose)
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        ok = run_series((unsigned)(seed % ARRAY_LEN(ways)), seed, &x[seed / ARRAY_LEN(ways) & 1],
                        interrupts, &t);
    }
    printf("# %llu instructions in %llu programs, %llu runs, %llu ended by an exception\n",
           (unsigned long long)t.n_insns, (unsigned long long)t.n_programs,
           (unsigned long long)t.n_runs, (unsigned long long)t.n_raised);
    if (interrupts)
        printf("# %llu interrupts\n", (unsigned long long)t.n_interrupts);
    ok &= !interrupts || t.n_interrupts;
    printf("%sok 1 - translated programs do what interpreted ones do\n", ok ? "" : "not ");
    return !ok;
}
