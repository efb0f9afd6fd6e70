// SPDX-License-Identifier: Apache-2.0
// The exponent by itself: reading it and changing it.
#include "fp/parts.h"

FP_INLINE u64 exponent(const struct fp_format *f, u64 a_bits, struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, a_bits);
    if (a.kind == FP_NAN)
        return fp_nan1(f, a, env);
    if (a.kind == FP_ZERO) {
        env->flags |= FP_DIVZERO;
        return fp_inf(f, true);
    }
    if (a.sign)
        return fp_invalid(f, env);
    if (a.kind == FP_INF)
        return a_bits;
    if (!a.exp)
        return fp_zero(f, false);
    u64 n = (u64)(a.exp < 0 ? -a.exp : a.exp);
    return fp_pack_any(f, a.exp < 0, 63, n, env);
}

u32 fp32_logb(u32 a, struct fp_env *env)
{
    return (u32)exponent(&fp_binary32, a, env);
}

u64 fp64_logb(u64 a, struct fp_env *env)
{
    return exponent(&fp_binary64, a, env);
}

// Far beyond the exponents of binary64, and far from the end of s32.
#define FAR (1 << 16)

FP_INLINE u64 scaled(const struct fp_format *f, u64 a_bits, s64 exp, struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, a_bits);
    if (a.kind == FP_NAN)
        return fp_nan1(f, a, env);
    if (a.kind != FP_FINITE)
        return a_bits;
    a.exp += exp > FAR ? FAR : exp < -FAR ? -FAR : (s32)exp;
    return fp_pack(f, a, env);
}

u32 fp32_scaleb(u32 a, s32 exp, struct fp_env *env)
{
    return (u32)scaled(&fp_binary32, a, exp, env);
}

u64 fp64_scaleb(u64 a, s64 exp, struct fp_env *env)
{
    return scaled(&fp_binary64, a, exp, env);
}
