// SPDX-License-Identifier: Apache-2.0
// Product.
#include "fp/parts.h"

static u64 mul_special(const struct fp_format *f, struct fp_parts a, struct fp_parts b,
                       struct fp_env *env)
{
    bool sign = a.sign ^ b.sign;
    if (a.kind == FP_NAN || b.kind == FP_NAN)
        return fp_nan2(f, a, b, env);
    bool has_zero = a.kind == FP_ZERO || b.kind == FP_ZERO;
    if (a.kind != FP_INF && b.kind != FP_INF)
        return fp_zero(f, sign);
    return has_zero ? fp_invalid(f, env) : fp_inf(f, sign);
}

FP_INLINE u64 mul(const struct fp_format *f, u64 a_bits, u64 b_bits, struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, a_bits), b = fp_unpack(f, b_bits);
    if (unlikely(a.kind != FP_FINITE || b.kind != FP_FINITE))
        return mul_special(f, a, b, env);
    u128 product = (u128)a.sig * b.sig;
    u64 sig = (u64)(product >> 64) | ((u64)product != 0);
    return fp_pack_any(f, a.sign ^ b.sign, a.exp + b.exp + 1, sig, env);
}

u32 fp32_mul(u32 a, u32 b, struct fp_env *env)
{
    return (u32)mul(&fp_binary32, a, b, env);
}

u64 fp64_mul(u64 a, u64 b, struct fp_env *env)
{
    return mul(&fp_binary64, a, b, env);
}
