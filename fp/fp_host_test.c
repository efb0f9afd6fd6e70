// SPDX-License-Identifier: Apache-2.0
// Against the floating-point unit of an x86-64 host: results and flags, bit for bit. With x86's NaN
// rules in place of LoongArch's nothing needs to be excused.
#include "fp/fp_check.h"

#ifdef __x86_64__

static const struct fp_rules rules_x86 = {
    .default_nan_negative = true,
    .signalling_first = false,
    .tiny_before_rounding = false,
    .inf_zero_nan_default = false,
    .inf_zero_qnan_invalid = false,
    .fma_nan_order = {0, 1, 2},
};

static u32 mxcsr_of(u8 round)
{
    static const u8 rc[] = {[FP_RNE] = 0, [FP_RM] = 1, [FP_RP] = 2, [FP_RZ] = 3};
    return 0x1f80 | (u32)rc[round] << 13;
}

static u8 flags_of(u32 mxcsr)
{
    static const struct {
        u8 host, flag;
    } map[] = {{0x01, FP_INVALID},
               {0x04, FP_DIVZERO},
               {0x08, FP_OVERFLOW},
               {0x10, FP_UNDERFLOW},
               {0x20, FP_INEXACT}};
    u8 flags = 0;
    for (unsigned i = 0; i < ARRAY_LEN(map); i++)
        if (mxcsr & map[i].host)
            flags |= map[i].flag;
    return flags;
}

// One instruction (or two) on xmm0..xmm2 = a, b, c; the result is what it leaves in rax or, with
// TO_RAX at its end, in xmm0. rax enters as a.
#define TO_RAX "\n\tmovq %%xmm0, %%rax"
#define HOST(id, instruction)                                                            \
    static u64 host_##id(u64 a, u64 b, u64 c, struct fp_env *env)                        \
    {                                                                                    \
        u32 mxcsr = mxcsr_of(env->round), usual = 0x1f80;                                \
        __asm__ volatile("ldmxcsr %[csr]\n\tmovq %%rax, %%xmm0\n\tmovq %[b], %%xmm1\n\t" \
                         "movq %[c], %%xmm2\n\t" instruction                             \
                         "\n\tstmxcsr %[csr]\n\tldmxcsr %[usual]"                        \
                         : [csr] "+m"(mxcsr), "+a"(a)                                    \
                         : [b] "r"(b), [c] "r"(c), [usual] "m"(usual)                    \
                         : "xmm0", "xmm1", "xmm2");                                      \
        env->flags |= flags_of(mxcsr);                                                   \
        return a;                                                                        \
    }
#define OURS(id, expression)                                      \
    static u64 ours_##id(u64 a, u64 b, u64 c, struct fp_env *env) \
    {                                                             \
        return (u64)(expression);                                 \
    }

static u64 eflags_of(enum fp_relation r)
{
    static const u8 zf_pf_cf[] = {
        [FP_LESS] = 1, [FP_EQUAL] = 0x40, [FP_GREATER] = 0, [FP_UNORDERED] = 0x45};
    return zf_pf_cf[r];
}

// x86 has one "integer indefinite" for everything that does not fit.
static u64 or_indefinite(u64 integer, u64 indefinite, const struct fp_env *env)
{
    return env->flags & FP_INVALID ? indefinite : integer;
}

#define S32_INDEFINITE 0x80000000u
#define S64_INDEFINITE (1ULL << 63)
#define EFLAGS         "\n\tpushfq\n\tpopq %%rax\n\tandl $0x45, %%eax"

#define SUBJECT(id, width, n_operands, feature, instruction, expression) \
    HOST(id, instruction)                                                \
    OURS(id, expression)
#include "fp/fp_host_test.def"
#undef SUBJECT

struct subject {
    const char *name;
    fp_operation *ours, *host;
    u8 width, n_operands;
    bool is_available;
};

static void compare_one(const struct fp_case *x, const void *context)
{
    const struct subject *s = context;
    fp_expect(x, fp_perform(s->ours, &rules_x86, x), fp_perform(s->host, &rules_x86, x));
}

static void compare_all(struct subject s)
{
    enum { N_RANDOM = 100000 };
    if (!s.is_available)
        SKIP("the host lacks the instruction");
    struct fp_case x = {.name = s.name};
    fp_for_pool(x, s.width, s.n_operands, compare_one, &s);
    fp_for_random(x, s.width, N_RANDOM, compare_one, &s);
}

#define SUBJECT(id, width, n_operands, feature, instruction, expression)           \
    TEST(host_##id)                                                                \
    {                                                                              \
        compare_all((struct subject){#id, ours_##id, host_##id, width, n_operands, \
                                     __builtin_cpu_supports(feature)});            \
    }
#include "fp/fp_host_test.def"
#undef SUBJECT

#else

TEST(host)
{
    SKIP("the host is no x86-64");
}

#endif
