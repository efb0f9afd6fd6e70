// SPDX-License-Identifier: Apache-2.0
// Quotient, reciprocal and the estimates made of them.
#include "fp/parts.h"

// A zero, an infinity or a NaN takes part.
static u64 div_special(const struct fp_format *f, struct fp_parts a, struct fp_parts b,
                       struct fp_env *env)
{
    bool sign = a.sign ^ b.sign;
    if (a.kind == FP_NAN || b.kind == FP_NAN)
        return fp_nan2(f, a, b, env);
    if (a.kind == b.kind)
        return fp_invalid(f, env);
    if (a.kind == FP_INF)
        return fp_inf(f, sign);
    if (b.kind != FP_ZERO)
        return fp_zero(f, sign);
    env->flags |= FP_DIVZERO;
    return fp_inf(f, sign);
}

// The quotient as a significand, its leading one in bit 63 and the remainder stuck to bit 0.
// half_a is a, halved if that is needed to be below b. 32 bits are enough for binary32; for
// binary64 the compiler's library divides (__udivti3, one instruction on x86-64).
FP_INLINE u64 quotient(const struct fp_format *f, u64 half_a, u64 b)
{
    if (f->frac_bits < 31) {
        u64 divisor = b >> 32;
        u64 q = half_a / divisor;
        return q << 32 | (q * divisor != half_a);
    }
    u128 dividend = (u128)half_a << 64;
    u64 q = (u64)(dividend / b);
    return q | ((u128)q * b != dividend);
}

FP_INLINE u64 div(const struct fp_format *f, u64 a_bits, u64 b_bits, struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, a_bits), b = fp_unpack(f, b_bits);
    if (unlikely(a.kind != FP_FINITE || b.kind != FP_FINITE))
        return div_special(f, a, b, env);
    unsigned halved = a.sig >= b.sig;
    struct fp_parts q = {
        .sig = quotient(f, a.sig >> halved, b.sig),
        .exp = a.exp - b.exp - 1 + (s32)halved,
        .sign = a.sign ^ b.sign,
        .kind = FP_FINITE,
    };
    return fp_pack(f, q, env);
}

static const u32 one32 = 0x3f800000;
static const u64 one64 = 0x3ff0000000000000;

u32 fp32_div(u32 a, u32 b, struct fp_env *env)
{
    return (u32)div(&fp_binary32, a, b, env);
}

u64 fp64_div(u64 a, u64 b, struct fp_env *env)
{
    return div(&fp_binary64, a, b, env);
}

u32 fp32_recip(u32 a, struct fp_env *env)
{
    return fp32_div(one32, a, env);
}

u64 fp64_recip(u64 a, struct fp_env *env)
{
    return fp64_div(one64, a, env);
}

// Two roundings, as QEMU's model of LoongArch has it; 1 / sqrt(a) rounded once may differ in the
// last place.
u32 fp32_rsqrt(u32 a, struct fp_env *env)
{
    return fp32_div(one32, fp32_sqrt(a, env), env);
}

u64 fp64_rsqrt(u64 a, struct fp_env *env)
{
    return fp64_div(one64, fp64_sqrt(a, env), env);
}

u32 fp32_recipe(u32 a, struct fp_env *env)
{
    return fp32_recip(a, env);
}

u64 fp64_recipe(u64 a, struct fp_env *env)
{
    return fp64_recip(a, env);
}

u32 fp32_rsqrte(u32 a, struct fp_env *env)
{
    return fp32_rsqrt(a, env);
}

u64 fp64_rsqrte(u64 a, struct fp_env *env)
{
    return fp64_rsqrt(a, env);
}
