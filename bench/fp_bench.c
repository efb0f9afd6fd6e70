// SPDX-License-Identifier: Apache-2.0
// Nanoseconds per operation of fp/, over operands of ordinary size and over border cases.
#include "fp/fp.h"
#include "fp/fp_pool.h"

#include <stdio.h>
#include <time.h>

enum { N_OPERANDS = 1024, N_ROUNDS = 2000 };

struct operands {
    u64 a[N_OPERANDS], b[N_OPERANDS], c[N_OPERANDS];
};

struct subject {
    const char *name;
    u64 (*run)(u64 a, u64 b, u64 c, struct fp_env *env);
    bool is_narrow;
};

#define SUBJECT(id, expression)                                  \
    static u64 run_##id(u64 a, u64 b, u64 c, struct fp_env *env) \
    {                                                            \
        return (u64)(expression);                                \
    }
#include "bench/fp_bench.def"
#undef SUBJECT

static const struct subject subjects[] = {
#define SUBJECT(id, expression) {#id, run_##id, #id[2] == '3'},
#include "bench/fp_bench.def"
#undef SUBJECT
};

static u64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

// Positive numbers between 2^-16 and 2^16.
static u64 ordinary(struct fp_random *r, bool is_narrow)
{
    u64 bits = fp_random_bits(r);
    u64 exponent = (is_narrow ? 127 : 1023) - 16 + (bits >> 59);
    return is_narrow ? exponent << 23 | (bits & 0x7fffff) : exponent << 52 | bits << 12 >> 12;
}

static u64 border(struct fp_random *r, bool is_narrow)
{
    return is_narrow ? fp_random32(r) : fp_random64(r);
}

static void fill(struct operands *o, bool is_narrow, u64 (*next)(struct fp_random *, bool))
{
    struct fp_random r = {1};
    for (unsigned i = 0; i < N_OPERANDS; i++) {
        o->a[i] = next(&r, is_narrow);
        o->b[i] = next(&r, is_narrow);
        o->c[i] = next(&r, is_narrow);
    }
}

static double measure(const struct subject *s, const struct operands *o)
{
    struct fp_env env = {&fp_rules_loongarch, FP_RNE, 0};
    volatile u64 sink;
    u64 sum = 0, start = now_ns();
    for (unsigned round = 0; round < N_ROUNDS; round++)
        for (unsigned i = 0; i < N_OPERANDS; i++)
            sum += s->run(o->a[i], o->b[i], o->c[i], &env);
    u64 spent = now_ns() - start;
    sink = sum;
    (void)sink;
    return (double)spent / N_ROUNDS / N_OPERANDS;
}

int main(void)
{
    static struct operands o;
    printf("%-14s %9s %9s  ns per operation\n", "", "ordinary", "border");
    for (unsigned i = 0; i < ARRAY_LEN(subjects); i++) {
        const struct subject *s = &subjects[i];
        fill(&o, s->is_narrow, ordinary);
        double typical = measure(s, &o);
        fill(&o, s->is_narrow, border);
        printf("%-14s %9.1f %9.1f\n", s->name, typical, measure(s, &o));
    }
    return 0;
}
