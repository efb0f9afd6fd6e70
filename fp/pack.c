// SPDX-License-Identifier: Apache-2.0
// Rounding to a format: the one place where a significand loses bits.
#include "fp/parts.h"

// Tiny: below the smallest normal number, either exactly or (the usual rule) still after rounding
// to the format's precision as if the exponent had no bound. Only called for exponent fields <= 0;
// with field 0 the carry out of the significand is what would reach the smallest normal.
static inline bool is_tiny(const struct fp_parts *p, s32 biased, u64 lsb, const struct fp_env *env)
{
    if (biased < 0 || env->rules->tiny_before_rounding)
        return true;
    return p->sig + fp_round_increment(lsb >> 1, p->sig & lsb, p->sign, env->round) >= p->sig;
}

// Modes that do not round this sign away from zero stop at the largest finite number.
static inline u64 overflow(const struct fp_format *f, bool sign, bool to_inf, struct fp_env *env)
{
    env->flags |= FP_OVERFLOW | FP_INEXACT;
    return fp_inf(f, sign) - !to_inf;
}

FP_INLINE u64 round_pack(const struct fp_format *f, const struct fp_parts *p, struct fp_env *env)
{
    u64 lsb = fp_lsb(f), sig = p->sig;
    s32 biased = p->exp + fp_bias(f);
    bool tiny = false;
    if (unlikely(biased <= 0)) {
        tiny = is_tiny(p, biased, lsb, env);
        sig = fp_shift_jam(sig, (u32)(1 - biased));
        biased = 1;
    }
    u64 increment = fp_round_increment(lsb >> 1, sig & lsb, p->sign, env->round);
    if (unlikely(biased >= (s32)fp_exp_mask(f)))
        return overflow(f, p->sign, increment, env);
    // The leading one, in its place or carried one higher, counts into the exponent field, and a
    // subnormal that has none is left with field 0.
    u64 rounded = sig + increment;
    u64 magnitude = ((u64)(biased - 1) << f->frac_bits) + (rounded >> (63 - f->frac_bits)) +
                    ((u64)(rounded < sig) << (f->frac_bits + 1));
    if (unlikely(magnitude >= fp_inf(f, false)))
        return overflow(f, p->sign, true, env);
    if (sig & (lsb - 1))
        env->flags |= tiny ? FP_UNDERFLOW | FP_INEXACT : FP_INEXACT;
    return fp_signed(f, p->sign, magnitude);
}

u64 fp_pack16(struct fp_parts p, struct fp_env *env)
{
    return round_pack(&fp_binary16, &p, env);
}

u64 fp_pack32(struct fp_parts p, struct fp_env *env)
{
    return round_pack(&fp_binary32, &p, env);
}

u64 fp_pack64(struct fp_parts p, struct fp_env *env)
{
    return round_pack(&fp_binary64, &p, env);
}
