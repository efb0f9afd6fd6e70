// SPDX-License-Identifier: Apache-2.0
// What the tests of this folder share: an operation as a function of three bit patterns, operands
// for it, and a comparison that reports the first few mismatches.
#pragma once

#include "base/test.h"
#include "fp/fp.h"
#include "fp/fp_pool.h"

// Results and operands narrower than 64 bits are zero-extended.
typedef u64 fp_operation(u64 a, u64 b, u64 c, struct fp_env *env);

enum { FP_MAX_REPORTS = 5 };

struct fp_case {
    const char *name;
    u64 a, b, c;
    u8 round;
};

struct fp_outcome {
    u64 bits;
    u8 flags;
};

static inline struct fp_outcome fp_perform(fp_operation *operation, const struct fp_rules *rules,
                                           const struct fp_case *x)
{
    struct fp_env env = {rules, x->round, 0};
    u64 bits = operation(x->a, x->b, x->c, &env);
    return (struct fp_outcome){bits, env.flags};
}

static inline void fp_expect(const struct fp_case *x, struct fp_outcome got, struct fp_outcome want)
{
    static const char modes[][4] = {"RNE", "RZ", "RP", "RM"};
    if (got.bits == want.bits && got.flags == want.flags)
        return;
    if (test_state.n_failed_checks++ < FP_MAX_REPORTS)
        printf("# %s %s %" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64 " flags %x, wanted %" PRIx64
               " flags %x\n",
               x->name, modes[x->round], x->a, x->b, x->c, got.bits, got.flags, want.bits,
               want.flags);
}

static inline u64 fp_random_operand(struct fp_random *r, unsigned width)
{
    u64 bits = fp_random_bits(r);
    switch (width) {
    case 16: return bits & 3 ? bits >> 48 : fp_pool16[(bits >> 8) % ARRAY_LEN(fp_pool16)];
    case 32: return fp_random32(r);
    default: return fp_random64(r);
    }
}

static inline unsigned fp_pool_length(unsigned width)
{
    return width == 16   ? ARRAY_LEN(fp_pool16)
           : width == 32 ? ARRAY_LEN(fp_pool32)
                         : ARRAY_LEN(fp_pool64);
}

static inline u64 fp_pool_operand(unsigned width, unsigned i)
{
    return width == 16 ? fp_pool16[i] : width == 32 ? fp_pool32[i] : fp_pool64[i];
}

// Every combination of the pool's values, in every mode.
static inline void fp_for_pool(struct fp_case x, unsigned width, unsigned n_operands,
                               void (*visit)(const struct fp_case *, const void *),
                               const void *context)
{
    unsigned n = fp_pool_length(width);
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < (n_operands > 1 ? n : 1); j++)
            for (unsigned k = 0; k < (n_operands > 2 ? n : 1); k++)
                for (x.round = 0; x.round < 4; x.round++) {
                    x.a = fp_pool_operand(width, i);
                    x.b = fp_pool_operand(width, j);
                    x.c = fp_pool_operand(width, k);
                    visit(&x, context);
                }
}

// Operands that nearly cancel: b close to a or -a, and c close to the product with either sign.
// fp/ itself makes the product; what is compared is what it then does with it.
static inline void fp_relate(struct fp_case *x, unsigned width, struct fp_random *r)
{
    u64 bits = fp_random_bits(r), sign = (bits & 1) << (width - 1);
    struct fp_env env = {&fp_rules_loongarch, bits >> 1 & 3, 0};
    u64 distance = bits & 8 ? bits >> 4 & 7 : 0;
    if (bits & 0x100)
        x->b = x->a ^ sign ^ distance;
    if (width == 32)
        x->c = fp32_mul((u32)x->a, (u32)x->b, &env) ^ sign ^ distance;
    if (width == 64)
        x->c = fp64_mul(x->a, x->b, &env) ^ sign ^ distance;
}

static inline void fp_for_random(struct fp_case x, unsigned width, unsigned n,
                                 void (*visit)(const struct fp_case *, const void *),
                                 const void *context)
{
    struct fp_random r = {n};
    while (n--) {
        x.a = fp_random_operand(&r, width);
        x.b = fp_random_operand(&r, width);
        x.c = fp_random_operand(&r, width);
        if (n % 4 == 0)
            fp_relate(&x, width, &r);
        for (x.round = 0; x.round < 4; x.round++)
            visit(&x, context);
    }
}
