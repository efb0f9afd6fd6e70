// SPDX-License-Identifier: Apache-2.0
// What needs no rounding: order, maximum and minimum, class.
#include "fp/parts.h"

FP_INLINE u64 magnitude(const struct fp_format *f, u64 bits)
{
    return bits & (fp_sign_bit(f) - 1);
}

FP_INLINE bool is_nan(const struct fp_format *f, u64 bits)
{
    return magnitude(f, bits) > fp_inf(f, false);
}

FP_INLINE bool is_snan(const struct fp_format *f, u64 bits)
{
    return is_nan(f, bits) && !(bits >> (f->frac_bits - 1) & 1);
}

// Integers in the order of the numbers, -0 right below +0.
FP_INLINE s64 order_key(const struct fp_format *f, u64 bits)
{
    s64 m = (s64)magnitude(f, bits);
    return bits & fp_sign_bit(f) ? -1 - m : m;
}

FP_INLINE enum fp_relation compare(const struct fp_format *f, u64 a, u64 b, bool signaling,
                                   struct fp_env *env)
{
    if (is_nan(f, a) || is_nan(f, b)) {
        if (signaling || is_snan(f, a) || is_snan(f, b))
            env->flags |= FP_INVALID;
        return FP_UNORDERED;
    }
    if (a == b || !(magnitude(f, a) | magnitude(f, b)))
        return FP_EQUAL;
    return order_key(f, a) < order_key(f, b) ? FP_LESS : FP_GREATER;
}

enum fp_relation fp32_compare(u32 a, u32 b, bool signaling, struct fp_env *env)
{
    return compare(&fp_binary32, a, b, signaling, env);
}

enum fp_relation fp64_compare(u64 a, u64 b, bool signaling, struct fp_env *env)
{
    return compare(&fp_binary64, a, b, signaling, env);
}

enum extreme { MAX, MIN, MAXA, MINA };

FP_INLINE bool first_is_extreme(const struct fp_format *f, u64 a, u64 b, enum extreme which)
{
    bool by_magnitude = which == MAXA || which == MINA;
    s64 difference = 0;
    if (by_magnitude)
        difference = (s64)(magnitude(f, a) - magnitude(f, b));
    if (!difference)
        return (order_key(f, a) > order_key(f, b)) == (which == MAX || which == MAXA);
    return (difference > 0) == (which == MAXA);
}

FP_INLINE u64 extreme(const struct fp_format *f, u64 a, u64 b, enum extreme which,
                      struct fp_env *env)
{
    if (likely(!is_nan(f, a) && !is_nan(f, b)))
        return first_is_extreme(f, a, b, which) ? a : b;
    if (!is_snan(f, a) && !is_nan(f, b))
        return b;
    if (!is_snan(f, b) && !is_nan(f, a))
        return a;
    return fp_nan2(f, fp_unpack(f, a), fp_unpack(f, b), env);
}

u32 fp32_max(u32 a, u32 b, struct fp_env *env)
{
    return (u32)extreme(&fp_binary32, a, b, MAX, env);
}

u64 fp64_max(u64 a, u64 b, struct fp_env *env)
{
    return extreme(&fp_binary64, a, b, MAX, env);
}

u32 fp32_min(u32 a, u32 b, struct fp_env *env)
{
    return (u32)extreme(&fp_binary32, a, b, MIN, env);
}

u64 fp64_min(u64 a, u64 b, struct fp_env *env)
{
    return extreme(&fp_binary64, a, b, MIN, env);
}

u32 fp32_maxa(u32 a, u32 b, struct fp_env *env)
{
    return (u32)extreme(&fp_binary32, a, b, MAXA, env);
}

u64 fp64_maxa(u64 a, u64 b, struct fp_env *env)
{
    return extreme(&fp_binary64, a, b, MAXA, env);
}

u32 fp32_mina(u32 a, u32 b, struct fp_env *env)
{
    return (u32)extreme(&fp_binary32, a, b, MINA, env);
}

u64 fp64_mina(u64 a, u64 b, struct fp_env *env)
{
    return extreme(&fp_binary64, a, b, MINA, env);
}

// The classes of each sign lie in the same order, from infinity to zero.
FP_INLINE unsigned class_of(const struct fp_format *f, u64 bits)
{
    if (is_nan(f, bits))
        return is_snan(f, bits) ? FP_CLASS_SNAN : FP_CLASS_QNAN;
    u64 m = magnitude(f, bits);
    unsigned n = bits & fp_sign_bit(f) ? FP_CLASS_NEG_INF : FP_CLASS_POS_INF;
    if (m == fp_inf(f, false))
        return n;
    if (m >> f->frac_bits)
        return n << 1;
    return m ? n << 2 : n << 3;
}

unsigned fp32_class(u32 a)
{
    return class_of(&fp_binary32, a);
}

unsigned fp64_class(u64 a)
{
    return class_of(&fp_binary64, a);
}
