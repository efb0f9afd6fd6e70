// SPDX-License-Identifier: Apache-2.0
// IEEE 754 arithmetic in integers: exact results and exact flags, on every host the same.
//
// Values travel as their bit patterns: u16 for binary16, u32 for binary32, u64 for binary64. Every
// function is pure but for `env->flags`, into which it ORs the exceptions it meets; the caller
// clears them when it wants those of one operation. Nothing traps, allocates or keeps state, so
// any thread may call with its own environment. Freestanding: the slow path of the translator, the
// whole of the interpreter's floating point, and the oracle of both.
//
// Subnormals are computed with, never flushed. Where IEEE 754 leaves a choice (NaNs, tininess) the
// architecture's `struct fp_rules` makes it.
#pragma once

#include "base/types.h"

// FCSR.RM of LoongArch counts in this order; other architectures map theirs.
enum fp_round {
    FP_RNE, // to nearest, ties to even
    FP_RZ,  // toward zero
    FP_RP,  // toward plus infinity
    FP_RM,  // toward minus infinity
};

// Exceptions, in the order of the I, U, O, Z, V bits of FCSR0.
enum {
    FP_INEXACT = 1,
    FP_UNDERFLOW = 2, // the result is tiny and inexact
    FP_OVERFLOW = 4,
    FP_DIVZERO = 8,
    FP_INVALID = 16,
};

// What an architecture chooses where the standard does not. A NaN is quiet when the top bit of its
// fraction is set. A NaN result that comes from an operand is that operand, quieted; when the
// format changes, the upper bits of its payload stay.
struct fp_rules {
    bool default_nan_negative;  // sign of the NaN that an invalid operation makes
    bool signalling_first;      // a signalling operand wins over a quiet one before it
    bool tiny_before_rounding;  // tininess is seen on the exact value, not on the rounded one
    bool inf_zero_nan_default;  // fma(inf, 0, NaN) is the default NaN, not the addend
    bool inf_zero_qnan_invalid; // fma(inf, 0, quiet NaN) raises FP_INVALID
    u8 fma_nan_order[3];        // operands 0, 1, 2 = a, b, c: the first that is a NaN wins
};

// LoongArch: positive default NaN; signalling first, then a before b, and c before a before b;
// tininess after rounding; fma(inf, 0, NaN) is the addend and always invalid.
extern const struct fp_rules fp_rules_loongarch;

struct fp_env {
    const struct fp_rules *rules; // borrowed
    u8 round;                     // enum fp_round
    u8 flags;                     // FP_* bits, sticky
};

// Arithmetic, rounded as env->round says.
u32 fp32_add(u32 a, u32 b, struct fp_env *env);
u64 fp64_add(u64 a, u64 b, struct fp_env *env);
u32 fp32_sub(u32 a, u32 b, struct fp_env *env);
u64 fp64_sub(u64 a, u64 b, struct fp_env *env);
u32 fp32_mul(u32 a, u32 b, struct fp_env *env);
u64 fp64_mul(u64 a, u64 b, struct fp_env *env);
u32 fp32_div(u32 a, u32 b, struct fp_env *env);
u64 fp64_div(u64 a, u64 b, struct fp_env *env);
u32 fp32_sqrt(u32 a, struct fp_env *env);
u64 fp64_sqrt(u64 a, struct fp_env *env);

// Fused: a * b + c with one rounding. FP_NEG_ADDEND takes -c; FP_NEG_RESULT flips the
// sign of the rounded result, of a zero too (so the directed modes round the unnegated sum, which
// is how the manual's formula reads and what QEMU 11.1 does). Neither touches a NaN.
//   fmadd 0    fmsub FP_NEG_ADDEND    fnmadd FP_NEG_RESULT    fnmsub both
enum { FP_NEG_ADDEND = 1, FP_NEG_RESULT = 2 };
u32 fp32_fma(u32 a, u32 b, u32 c, unsigned negate, struct fp_env *env);
u64 fp64_fma(u64 a, u64 b, u64 c, unsigned negate, struct fp_env *env);

// maxNum and minNum of IEEE 754-2008: a quiet NaN loses against a number, a signalling one makes
// the result a NaN. +0 is greater than -0. maxa and mina compare magnitudes first and, when these
// are equal, values.
u32 fp32_max(u32 a, u32 b, struct fp_env *env);
u64 fp64_max(u64 a, u64 b, struct fp_env *env);
u32 fp32_min(u32 a, u32 b, struct fp_env *env);
u64 fp64_min(u64 a, u64 b, struct fp_env *env);
u32 fp32_maxa(u32 a, u32 b, struct fp_env *env);
u64 fp64_maxa(u64 a, u64 b, struct fp_env *env);
u32 fp32_mina(u32 a, u32 b, struct fp_env *env);
u64 fp64_mina(u64 a, u64 b, struct fp_env *env);

// 1 / a, rounded once; 1 / sqrt(a), rounded after the root and again after the division.
u32 fp32_recip(u32 a, struct fp_env *env);
u64 fp64_recip(u64 a, struct fp_env *env);
u32 fp32_rsqrt(u32 a, struct fp_env *env);
u64 fp64_rsqrt(u64 a, struct fp_env *env);

// Estimates (FRECIPE, FRSQRTE). The manual bounds their error; these are recip and rsqrt.
u32 fp32_recipe(u32 a, struct fp_env *env);
u64 fp64_recipe(u64 a, struct fp_env *env);
u32 fp32_rsqrte(u32 a, struct fp_env *env);
u64 fp64_rsqrte(u64 a, struct fp_env *env);

// The exponent of a as a number: floor(log2(a)). Zero gives -inf and FP_DIVZERO, a negative number
// the default NaN and FP_INVALID.
u32 fp32_logb(u32 a, struct fp_env *env);
u64 fp64_logb(u64 a, struct fp_env *env);

// a * 2^exp, any exp, rounded once.
u32 fp32_scaleb(u32 a, s32 exp, struct fp_env *env);
u64 fp64_scaleb(u64 a, s64 exp, struct fp_env *env);

// a rounded to an integer in its own format, in the given mode (env->round is not looked at).
u32 fp32_rint(u32 a, enum fp_round round, struct fp_env *env);
u64 fp64_rint(u64 a, enum fp_round round, struct fp_env *env);

// Exactly one bit, as FCLASS writes it. Raises nothing.
enum {
    FP_CLASS_SNAN = 1 << 0,
    FP_CLASS_QNAN = 1 << 1,
    FP_CLASS_NEG_INF = 1 << 2,
    FP_CLASS_NEG_NORMAL = 1 << 3,
    FP_CLASS_NEG_SUBNORMAL = 1 << 4,
    FP_CLASS_NEG_ZERO = 1 << 5,
    FP_CLASS_POS_INF = 1 << 6,
    FP_CLASS_POS_NORMAL = 1 << 7,
    FP_CLASS_POS_SUBNORMAL = 1 << 8,
    FP_CLASS_POS_ZERO = 1 << 9,
};
unsigned fp32_class(u32 a);
unsigned fp64_class(u64 a);

// A signalling comparison is invalid for any NaN, a quiet one only for a signalling NaN.
enum fp_relation { FP_LESS, FP_EQUAL, FP_GREATER, FP_UNORDERED };
enum fp_relation fp32_compare(u32 a, u32 b, bool signaling, struct fp_env *env);
enum fp_relation fp64_compare(u64 a, u64 b, bool signaling, struct fp_env *env);

// Between formats. Widening is exact; narrowing rounds as env->round says. binary16 is the
// interchange format of IEEE 754 (it has infinities and NaNs).
u64 fp32_to_fp64(u32 a, struct fp_env *env);
u32 fp64_to_fp32(u64 a, struct fp_env *env);
u32 fp16_to_fp32(u16 a, struct fp_env *env);
u16 fp32_to_fp16(u32 a, struct fp_env *env);

// To integers in the given mode (env->round is not looked at). A value out of range gives the
// nearest bound, a NaN gives 0; both raise FP_INVALID and not FP_INEXACT.
s32 fp32_to_s32(u32 a, enum fp_round round, struct fp_env *env);
s64 fp32_to_s64(u32 a, enum fp_round round, struct fp_env *env);
u32 fp32_to_u32(u32 a, enum fp_round round, struct fp_env *env);
u64 fp32_to_u64(u32 a, enum fp_round round, struct fp_env *env);
s32 fp64_to_s32(u64 a, enum fp_round round, struct fp_env *env);
s64 fp64_to_s64(u64 a, enum fp_round round, struct fp_env *env);
u32 fp64_to_u32(u64 a, enum fp_round round, struct fp_env *env);
u64 fp64_to_u64(u64 a, enum fp_round round, struct fp_env *env);

// From integers, rounded as env->round says. Zero gives +0.
u32 fp32_from_s32(s32 a, struct fp_env *env);
u32 fp32_from_s64(s64 a, struct fp_env *env);
u32 fp32_from_u32(u32 a, struct fp_env *env);
u32 fp32_from_u64(u64 a, struct fp_env *env);
u64 fp64_from_s32(s32 a, struct fp_env *env);
u64 fp64_from_s64(s64 a, struct fp_env *env);
u64 fp64_from_u32(u32 a, struct fp_env *env);
u64 fp64_from_u64(u64 a, struct fp_env *env);
