// SPDX-License-Identifier: Apache-2.0
// Sum and difference.
#include "fp/parts.h"

// A zero or an infinity or a NaN takes part. The sign of b already holds the subtraction.
static u64 add_special(const struct fp_format *f, u64 a_bits, u64 b_bits, struct fp_parts a,
                       struct fp_parts b, struct fp_env *env)
{
    if (a.kind == FP_INF && b.kind == FP_INF && a.sign != b.sign)
        return fp_invalid(f, env);
    if (a.kind == FP_ZERO && b.kind == FP_ZERO && a.sign != b.sign)
        return fp_zero(f, env->round == FP_RM);
    return a.kind == FP_INF || b.kind == FP_ZERO ? a_bits : b_bits;
}

// a.exp >= b.exp. Both are halved first, which loses nothing and leaves room for the carry.
FP_INLINE u64 add_magnitudes(const struct fp_format *f, struct fp_parts a, struct fp_parts b,
                             struct fp_env *env)
{
    u64 sum = (a.sig >> 1) + fp_shift_jam(b.sig >> 1, (u32)(a.exp - b.exp));
    return fp_pack_any(f, a.sign, a.exp + 1, sum, env);
}

// a.exp >= b.exp. When they are two or more apart, at most one bit cancels and the sticky bit
// stays below the rounded ones; when they are closer, no bit is lost.
FP_INLINE u64 sub_magnitudes(const struct fp_format *f, struct fp_parts a, struct fp_parts b,
                             struct fp_env *env)
{
    u64 aligned = fp_shift_jam(b.sig, (u32)(a.exp - b.exp));
    if (a.sig == aligned)
        return fp_zero(f, env->round == FP_RM);
    if (a.sig > aligned)
        return fp_pack_any(f, a.sign, a.exp, a.sig - aligned, env);
    return fp_pack_any(f, !a.sign, a.exp, aligned - a.sig, env);
}

// a + b, or a - b with `negate_b`: a sign bit, or 0. NaNs keep their sign.
FP_INLINE u64 add(const struct fp_format *f, u64 a_bits, u64 b_bits, u64 negate_b,
                  struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, a_bits), b = fp_unpack(f, b_bits);
    if (unlikely(a.kind == FP_NAN || b.kind == FP_NAN))
        return fp_nan2(f, a, b, env);
    b.sign ^= negate_b != 0;
    if (unlikely(a.kind != FP_FINITE || b.kind != FP_FINITE))
        return add_special(f, a_bits, b_bits ^ negate_b, a, b, env);
    bool is_sum = a.sign == b.sign;
    if (a.exp < b.exp) {
        struct fp_parts t = a;
        a = b;
        b = t;
    }
    return is_sum ? add_magnitudes(f, a, b, env) : sub_magnitudes(f, a, b, env);
}

u32 fp32_add(u32 a, u32 b, struct fp_env *env)
{
    return (u32)add(&fp_binary32, a, b, 0, env);
}

u64 fp64_add(u64 a, u64 b, struct fp_env *env)
{
    return add(&fp_binary64, a, b, 0, env);
}

u32 fp32_sub(u32 a, u32 b, struct fp_env *env)
{
    return (u32)add(&fp_binary32, a, b, fp_sign_bit(&fp_binary32), env);
}

u64 fp64_sub(u64 a, u64 b, struct fp_env *env)
{
    return add(&fp_binary64, a, b, fp_sign_bit(&fp_binary64), env);
}
