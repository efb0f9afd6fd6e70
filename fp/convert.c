// SPDX-License-Identifier: Apache-2.0
// Between formats, to and from integers, and to integral values in the same format.
#include "fp/parts.h"

FP_INLINE u64 reformat(const struct fp_format *from, const struct fp_format *to, u64 a,
                       struct fp_env *env)
{
    struct fp_parts p = fp_unpack(from, a);
    switch (p.kind) {
    case FP_ZERO: return fp_zero(to, p.sign);
    case FP_INF: return fp_inf(to, p.sign);
    case FP_NAN: return fp_nan1(to, p, env);
    default: return fp_pack(to, p, env);
    }
}

u64 fp32_to_fp64(u32 a, struct fp_env *env)
{
    return reformat(&fp_binary32, &fp_binary64, a, env);
}

u32 fp64_to_fp32(u64 a, struct fp_env *env)
{
    return (u32)reformat(&fp_binary64, &fp_binary32, a, env);
}

u32 fp16_to_fp32(u16 a, struct fp_env *env)
{
    return (u32)reformat(&fp_binary16, &fp_binary32, a, env);
}

u16 fp32_to_fp16(u32 a, struct fp_env *env)
{
    return (u16)reformat(&fp_binary32, &fp_binary16, a, env);
}

// The magnitude of a finite number below 2^64 as an integer.
FP_INLINE u64 to_integer(const struct fp_parts *p, enum fp_round round, bool *is_inexact)
{
    u128 fixed = fp_shift_jam128((u128)p->sig << 64, (u32)(63 - p->exp));
    u64 integer = (u64)(fixed >> 64), fraction = (u64)fixed;
    u64 increment = fp_round_increment(BIT(63), integer & 1, p->sign, round);
    *is_inexact = fraction != 0;
    return integer + (fraction + increment < fraction);
}

FP_INLINE u64 to_integral(const struct fp_format *f, u64 a_bits, enum fp_round round,
                          struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, a_bits);
    if (a.kind == FP_NAN)
        return fp_nan1(f, a, env);
    if (a.kind != FP_FINITE || a.exp >= f->frac_bits)
        return a_bits;
    bool is_inexact;
    u64 integer = to_integer(&a, round, &is_inexact);
    if (is_inexact)
        env->flags |= FP_INEXACT;
    return integer ? fp_pack_any(f, a.sign, 63, integer, env) : fp_zero(f, a.sign);
}

u32 fp32_rint(u32 a, enum fp_round round, struct fp_env *env)
{
    return (u32)to_integral(&fp_binary32, a, round, env);
}

u64 fp64_rint(u64 a, enum fp_round round, struct fp_env *env)
{
    return to_integral(&fp_binary64, a, round, env);
}

// What an integer type holds: the greatest magnitudes of its positive and negative values.
struct range {
    u64 positive, negative;
};

static const struct range range_s32 = {INT32_MAX, BIT(31)};
static const struct range range_s64 = {INT64_MAX, BIT(63)};
static const struct range range_u32 = {UINT32_MAX, 0};
static const struct range range_u64 = {UINT64_MAX, 0};

// Two's complement. A value that rounds into the range is in it: -0.3 is an inexact unsigned 0.
FP_INLINE u64 saturate(const struct fp_format *f, u64 bits, enum fp_round round,
                       const struct range *r, struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, bits);
    u64 limit = a.sign ? r->negative : r->positive;
    if (a.kind == FP_ZERO)
        return 0;
    if (a.kind == FP_NAN) {
        env->flags |= FP_INVALID;
        return 0;
    }
    bool is_inexact = false, fits = a.kind == FP_FINITE && a.exp <= 63;
    u64 integer = fits ? to_integer(&a, round, &is_inexact) : 0;
    if (!fits || integer > limit) {
        env->flags |= FP_INVALID;
        integer = limit;
    } else if (is_inexact) {
        env->flags |= FP_INEXACT;
    }
    return a.sign ? -integer : integer;
}

s32 fp32_to_s32(u32 a, enum fp_round round, struct fp_env *env)
{
    return (s32)saturate(&fp_binary32, a, round, &range_s32, env);
}

s32 fp64_to_s32(u64 a, enum fp_round round, struct fp_env *env)
{
    return (s32)saturate(&fp_binary64, a, round, &range_s32, env);
}

s64 fp32_to_s64(u32 a, enum fp_round round, struct fp_env *env)
{
    return (s64)saturate(&fp_binary32, a, round, &range_s64, env);
}

s64 fp64_to_s64(u64 a, enum fp_round round, struct fp_env *env)
{
    return (s64)saturate(&fp_binary64, a, round, &range_s64, env);
}

u32 fp32_to_u32(u32 a, enum fp_round round, struct fp_env *env)
{
    return (u32)saturate(&fp_binary32, a, round, &range_u32, env);
}

u32 fp64_to_u32(u64 a, enum fp_round round, struct fp_env *env)
{
    return (u32)saturate(&fp_binary64, a, round, &range_u32, env);
}

u64 fp32_to_u64(u32 a, enum fp_round round, struct fp_env *env)
{
    return (u64)saturate(&fp_binary32, a, round, &range_u64, env);
}

u64 fp64_to_u64(u64 a, enum fp_round round, struct fp_env *env)
{
    return (u64)saturate(&fp_binary64, a, round, &range_u64, env);
}

FP_INLINE u64 from_magnitude(const struct fp_format *f, bool sign, u64 n, struct fp_env *env)
{
    return n ? fp_pack_any(f, sign, 63, n, env) : fp_zero(f, false);
}

FP_INLINE u64 from_signed(const struct fp_format *f, s64 n, struct fp_env *env)
{
    return from_magnitude(f, n < 0, n < 0 ? -(u64)n : (u64)n, env);
}

u32 fp32_from_s32(s32 a, struct fp_env *env)
{
    return (u32)from_signed(&fp_binary32, a, env);
}

u64 fp64_from_s32(s32 a, struct fp_env *env)
{
    return from_signed(&fp_binary64, a, env);
}

u32 fp32_from_s64(s64 a, struct fp_env *env)
{
    return (u32)from_signed(&fp_binary32, a, env);
}

u64 fp64_from_s64(s64 a, struct fp_env *env)
{
    return from_signed(&fp_binary64, a, env);
}

u32 fp32_from_u32(u32 a, struct fp_env *env)
{
    return (u32)from_magnitude(&fp_binary32, false, a, env);
}

u64 fp64_from_u32(u32 a, struct fp_env *env)
{
    return from_magnitude(&fp_binary64, false, a, env);
}

u32 fp32_from_u64(u64 a, struct fp_env *env)
{
    return (u32)from_magnitude(&fp_binary32, false, a, env);
}

u64 fp64_from_u64(u64 a, struct fp_env *env)
{
    return from_magnitude(&fp_binary64, false, a, env);
}
