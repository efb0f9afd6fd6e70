// SPDX-License-Identifier: Apache-2.0
// Product and sum with one rounding. The product of two significands fits 128 bits whole, so the
// sum is done there.
#include "fp/parts.h"

// A term of the fused sum: sig / 2^127 * 2^exp, bit 127 of sig set.
struct wide {
    u128 sig;
    s32 exp;
    bool sign;
};

FP_INLINE struct wide wide_product(const struct fp_parts *a, const struct fp_parts *b)
{
    u128 sig = (u128)a->sig * b->sig;
    unsigned shift = !(sig >> 127);
    return (struct wide){sig << shift, a->exp + b->exp + 1 - (s32)shift, a->sign ^ b->sign};
}

FP_INLINE u64 pack_wide(const struct fp_format *f, struct wide w, struct fp_env *env)
{
    u64 high = (u64)(w.sig >> 64);
    unsigned shift =
        high ? (unsigned)__builtin_clzll(high) : 64 + (unsigned)__builtin_clzll((u64)w.sig);
    w.sig <<= shift;
    struct fp_parts p = {
        .sig = (u64)(w.sig >> 64) | ((u64)w.sig != 0),
        .exp = w.exp - (s32)shift,
        .sign = w.sign,
        .kind = FP_FINITE,
    };
    return fp_pack(f, p, env);
}

// The argument of add.c holds here too: both terms end in at least 22 zero bits, so halving is
// exact, and once the exponents are two apart only one bit can cancel.
FP_INLINE u64 wide_add(const struct fp_format *f, struct wide a, struct wide b, struct fp_env *env)
{
    if (a.exp < b.exp) {
        struct wide t = a;
        a = b;
        b = t;
    }
    struct wide sum = {.exp = a.exp + 1, .sign = a.sign};
    a.sig >>= 1;
    b.sig = fp_shift_jam128(b.sig >> 1, (u32)(a.exp - b.exp));
    if (a.sign == b.sign) {
        sum.sig = a.sig + b.sig;
    } else if (a.sig == b.sig) {
        return fp_zero(f, env->round == FP_RM);
    } else if (a.sig > b.sig) {
        sum.sig = a.sig - b.sig;
    } else {
        sum.sig = b.sig - a.sig;
        sum.sign ^= 1;
    }
    return pack_wide(f, sum, env);
}

// Some operand is no finite nonzero number, and none is a NaN.
static u64 fma_special(const struct fp_format *f, const struct fp_parts abc[3], struct fp_env *env)
{
    const struct fp_parts *a = &abc[0], *b = &abc[1], *c = &abc[2];
    bool sign = a->sign ^ b->sign;
    bool has_inf = a->kind == FP_INF || b->kind == FP_INF;
    bool has_zero = a->kind == FP_ZERO || b->kind == FP_ZERO;
    if (has_inf && (has_zero || (c->kind == FP_INF && c->sign != sign)))
        return fp_invalid(f, env);
    if (has_inf)
        return fp_inf(f, sign);
    if (c->kind == FP_INF)
        return fp_inf(f, c->sign);
    if (c->kind == FP_FINITE)
        return fp_pack(f, *c, env);
    if (has_zero)
        return fp_zero(f, c->sign == sign ? sign : env->round == FP_RM);
    return pack_wide(f, wide_product(a, b), env);
}

// The signs are flipped where the operation says so, but never that of a NaN.
FP_INLINE u64 fused(const struct fp_format *f, u64 a, u64 b, u64 c, unsigned negate,
                    struct fp_env *env)
{
    struct fp_parts abc[3] = {fp_unpack(f, a), fp_unpack(f, b), fp_unpack(f, c)};
    if (unlikely(abc[0].kind == FP_NAN || abc[1].kind == FP_NAN || abc[2].kind == FP_NAN))
        return fp_nan_fma(f, abc, env);
    abc[2].sign ^= negate & FP_NEG_ADDEND;
    u64 result;
    if (unlikely(abc[0].kind != FP_FINITE || abc[1].kind != FP_FINITE ||
                 abc[2].kind != FP_FINITE)) {
        result = fma_special(f, abc, env);
    } else {
        struct wide addend = {(u128)abc[2].sig << 64, abc[2].exp, abc[2].sign};
        result = wide_add(f, wide_product(&abc[0], &abc[1]), addend, env);
    }
    bool is_nan = (result & (fp_sign_bit(f) - 1)) > fp_inf(f, false);
    return negate & FP_NEG_RESULT && !is_nan ? result ^ fp_sign_bit(f) : result;
}

u32 fp32_fma(u32 a, u32 b, u32 c, unsigned negate, struct fp_env *env)
{
    return (u32)fused(&fp_binary32, a, b, c, negate, env);
}

u64 fp64_fma(u64 a, u64 b, u64 c, unsigned negate, struct fp_env *env)
{
    return fused(&fp_binary64, a, b, c, negate, env);
}
