// SPDX-License-Identifier: Apache-2.0
// How this folder sees a number: sign, exponent and a significand with its leading one in bit 63.
// Private to fp/.
//
// Each operation unpacks its operands, computes exactly on the significands, folds whatever falls
// off the low end into a sticky bit 0, and packs: fp_pack() is the only place that rounds to a
// format. 64 bits hold the 53 of binary64, ten bits between them and the sticky bit, and so room
// for the one-bit normalizations after an addition or a product.
//
// A format is a descriptor. The functions that take one are inlined where it is a constant, so
// that all its shifts and masks fold.
#pragma once

#include "base/bits.h"
#include "fp/fp.h"

#define FP_INLINE static inline __attribute__((always_inline))

struct fp_format {
    u8 exp_bits;
    u8 frac_bits;
};

static const struct fp_format fp_binary16 = {.exp_bits = 5, .frac_bits = 10};
static const struct fp_format fp_binary32 = {.exp_bits = 8, .frac_bits = 23};
static const struct fp_format fp_binary64 = {.exp_bits = 11, .frac_bits = 52};

enum fp_kind { FP_ZERO, FP_FINITE, FP_INF, FP_NAN };

// FP_FINITE: the value is sig / 2^63 * 2^exp, bit 63 of sig set. FP_NAN: the fraction field lies in
// sig right below bit 63, so that bit 62 is the quiet bit in every format.
struct fp_parts {
    u64 sig;
    s32 exp;
    bool sign;
    u8 kind; // enum fp_kind
};

#define FP_QUIET_BIT BIT(62)

FP_INLINE unsigned fp_exp_mask(const struct fp_format *f)
{
    return (1u << f->exp_bits) - 1;
}

FP_INLINE s32 fp_bias(const struct fp_format *f)
{
    return (1 << (f->exp_bits - 1)) - 1;
}

// Weight of the last fraction bit within a significand.
FP_INLINE u64 fp_lsb(const struct fp_format *f)
{
    return 1ULL << (63 - f->frac_bits);
}

FP_INLINE u64 fp_sign_bit(const struct fp_format *f)
{
    return 1ULL << (f->exp_bits + f->frac_bits);
}

FP_INLINE u64 fp_signed(const struct fp_format *f, bool sign, u64 magnitude)
{
    return (u64)sign << (f->exp_bits + f->frac_bits) | magnitude;
}

FP_INLINE u64 fp_zero(const struct fp_format *f, bool sign)
{
    return fp_signed(f, sign, 0);
}

FP_INLINE u64 fp_inf(const struct fp_format *f, bool sign)
{
    return fp_signed(f, sign, (u64)fp_exp_mask(f) << f->frac_bits);
}

FP_INLINE bool fp_is_snan(const struct fp_parts *p)
{
    return p->kind == FP_NAN && !(p->sig & FP_QUIET_BIT);
}

// value / 2^n with every lost bit ORed into bit 0.
FP_INLINE u64 fp_shift_jam(u64 value, u32 n)
{
    if (n > 63)
        return value != 0;
    return value >> n | ((value & ((1ULL << n) - 1)) != 0);
}

FP_INLINE u128 fp_shift_jam128(u128 value, u32 n)
{
    if (n > 127)
        return value != 0;
    return value >> n | ((value & (((u128)1 << n) - 1)) != 0);
}

// What to add to a significand before cutting it off: `half` is the weight of the first bit lost,
// `is_odd` the value of the last bit kept.
FP_INLINE u64 fp_round_increment(u64 half, bool is_odd, bool sign, unsigned round)
{
    switch (round) {
    case FP_RNE: return half - 1 + is_odd;
    case FP_RP: return sign ? 0 : half * 2 - 1;
    case FP_RM: return sign ? half * 2 - 1 : 0;
    default: return 0;
    }
}

FP_INLINE struct fp_parts fp_unpack(const struct fp_format *f, u64 bits)
{
    unsigned biased = bits >> f->frac_bits & fp_exp_mask(f);
    u64 sig = bits << (64 - f->frac_bits) >> 1;
    struct fp_parts p = {
        .sig = sig | BIT(63),
        .exp = (s32)biased - fp_bias(f),
        .sign = bits >> (f->exp_bits + f->frac_bits) & 1,
        .kind = FP_FINITE,
    };
    if (likely(biased - 1 < fp_exp_mask(f) - 1))
        return p;
    p.sig = sig;
    if (biased) {
        p.kind = sig ? FP_NAN : FP_INF;
    } else if (sig) {
        unsigned shift = (unsigned)__builtin_clzll(sig);
        p.sig = sig << shift;
        p.exp = 1 - fp_bias(f) - (s32)shift;
    } else {
        p.kind = FP_ZERO;
    }
    return p;
}

// A finite number rounded as env->round says, with FP_INEXACT, FP_UNDERFLOW and FP_OVERFLOW raised
// as due. Any exponent within +-2^30.
u64 fp_pack16(struct fp_parts p, struct fp_env *env);
u64 fp_pack32(struct fp_parts p, struct fp_env *env);
u64 fp_pack64(struct fp_parts p, struct fp_env *env);

FP_INLINE u64 fp_pack(const struct fp_format *f, struct fp_parts p, struct fp_env *env)
{
    return f->frac_bits == 52   ? fp_pack64(p, env)
           : f->frac_bits == 23 ? fp_pack32(p, env)
                                : fp_pack16(p, env);
}

// The same for a nonzero significand whose leading one is anywhere.
FP_INLINE u64 fp_pack_any(const struct fp_format *f, bool sign, s32 exp, u64 sig,
                          struct fp_env *env)
{
    unsigned shift = (unsigned)__builtin_clzll(sig);
    struct fp_parts p = {
        .sig = sig << shift, .exp = exp - (s32)shift, .sign = sign, .kind = FP_FINITE};
    return fp_pack(f, p, env);
}

// NaN results (nan.c). All raise FP_INVALID when an operand is signalling; fp_invalid always.
u64 fp_invalid(const struct fp_format *f, struct fp_env *env);
u64 fp_nan1(const struct fp_format *f, struct fp_parts a, struct fp_env *env);
// At least one operand is a NaN.
u64 fp_nan2(const struct fp_format *f, struct fp_parts a, struct fp_parts b, struct fp_env *env);
u64 fp_nan_fma(const struct fp_format *f, const struct fp_parts abc[3], struct fp_env *env);
