// SPDX-License-Identifier: Apache-2.0
// Vector floating-point arithmetic, classification and comparison: the scalar operations in each
// lane.
#include "cpu/loongarch64/interp_vec_fp.h"

#define UNARY(name, op)                             \
    VFP_LANES(name##_s, w, fp32_##op(j->w[n], env)) \
    VFP_LANES(name##_d, d, fp64_##op(j->d[n], env))
#define BINARY(name, op)                                     \
    VFP_LANES(name##_s, w, fp32_##op(j->w[n], k->w[n], env)) \
    VFP_LANES(name##_d, d, fp64_##op(j->d[n], k->d[n], env))
#define FUSED(name, negate)                                                    \
    VFP_LANES(name##_s, w, fp32_fma(j->w[n], k->w[n], a->w[n], (negate), env)) \
    VFP_LANES(name##_d, d, fp64_fma(j->d[n], k->d[n], a->d[n], (negate), env))

BINARY(fadd, add)
BINARY(fsub, sub)
BINARY(fmul, mul)
BINARY(fdiv, div)
BINARY(fmax, max)
BINARY(fmin, min)
BINARY(fmaxa, maxa)
BINARY(fmina, mina)
UNARY(fsqrt, sqrt)
UNARY(frecip, recip)
UNARY(frsqrt, rsqrt)
UNARY(frecipe, recipe)
UNARY(frsqrte, rsqrte)
UNARY(flogb, logb)
FUSED(fmadd, 0)
FUSED(fmsub, FP_NEG_ADDEND)
FUSED(fnmadd, FP_NEG_RESULT)
FUSED(fnmsub, FP_NEG_ADDEND | FP_NEG_RESULT)

// These leave FCSR alone.
VEC_X(fclass_s, u64, w, fp32_class((u32)x))
VEC_X(fclass_d, u64, d, fp64_class(x))

// Sets of enum fp_relation.
enum {
    LT = 1 << FP_LESS,
    EQ = 1 << FP_EQUAL,
    GT = 1 << FP_GREATER,
    UN = 1 << FP_UNORDERED,
};

// Ones in the lane if one of `relations` holds: quiet and signalling, single and double.
#define HOLDS(relations, r) ((relations) >> (r)&1 ? ~0ULL : 0)
#define COMPARE(condition, relations)                                       \
    VFP_LANES(fcmp_c##condition##_s, w,                                     \
              HOLDS(relations, fp32_compare(j->w[n], k->w[n], false, env))) \
    VFP_LANES(fcmp_c##condition##_d, d,                                     \
              HOLDS(relations, fp64_compare(j->d[n], k->d[n], false, env))) \
    VFP_LANES(fcmp_s##condition##_s, w,                                     \
              HOLDS(relations, fp32_compare(j->w[n], k->w[n], true, env)))  \
    VFP_LANES(fcmp_s##condition##_d, d, HOLDS(relations, fp64_compare(j->d[n], k->d[n], true, env)))

COMPARE(af, 0)
COMPARE(un, UN)
COMPARE(eq, EQ)
COMPARE(ueq, UN | EQ)
COMPARE(lt, LT)
COMPARE(ult, UN | LT)
COMPARE(le, LT | EQ)
COMPARE(ule, UN | LT | EQ)
COMPARE(ne, GT | LT)
COMPARE(or, GT | LT | EQ)
COMPARE(une, UN | GT | LT)
