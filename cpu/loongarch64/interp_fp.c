// SPDX-License-Identifier: Apache-2.0
// Scalar floating-point arithmetic, classification, and the operations on signs. Reference Manual,
// volume 1, 3.2.1.
#include "cpu/loongarch64/interp_fp.h"

// Both precisions of an operation of fp/ on fj, or on fj and fk.
#define FP_UNARY_FORM(name, bits, op)                           \
    INSN(name)                                                  \
    {                                                           \
        la_need_fp(c);                                          \
        struct fp_env env = fp_begin(c);                        \
        u##bits r = fp##bits##_##op(fpr##bits(c, i->rj), &env); \
        fp_end(c, &env);                                        \
        set_fpr##bits(c, i->rd, r);                             \
    }
#define FP_UNARY(name, op)          \
    FP_UNARY_FORM(name##_s, 32, op) \
    FP_UNARY_FORM(name##_d, 64, op)

#define FP_BINARY_FORM(name, bits, op)                                               \
    INSN(name)                                                                       \
    {                                                                                \
        la_need_fp(c);                                                               \
        struct fp_env env = fp_begin(c);                                             \
        u##bits r = fp##bits##_##op(fpr##bits(c, i->rj), fpr##bits(c, i->rk), &env); \
        fp_end(c, &env);                                                             \
        set_fpr##bits(c, i->rd, r);                                                  \
    }
#define FP_BINARY(name, op)          \
    FP_BINARY_FORM(name##_s, 32, op) \
    FP_BINARY_FORM(name##_d, 64, op)

FP_BINARY(fadd, add)
FP_BINARY(fsub, sub)
FP_BINARY(fmul, mul)
FP_BINARY(fdiv, div)
FP_BINARY(fmax, max)
FP_BINARY(fmin, min)
FP_BINARY(fmaxa, maxa)
FP_BINARY(fmina, mina)
FP_UNARY(fsqrt, sqrt)
FP_UNARY(frecip, recip)
FP_UNARY(frsqrt, rsqrt)
FP_UNARY(frecipe, recipe)
FP_UNARY(frsqrte, rsqrte)
FP_UNARY(flogb, logb)

// fk holds a signed integer of the operand's width.
#define FP_SCALEB(name, bits)                                                                   \
    INSN(name)                                                                                  \
    {                                                                                           \
        la_need_fp(c);                                                                          \
        struct fp_env env = fp_begin(c);                                                        \
        u##bits r = fp##bits##_scaleb(fpr##bits(c, i->rj), (s##bits)fpr##bits(c, i->rk), &env); \
        fp_end(c, &env);                                                                        \
        set_fpr##bits(c, i->rd, r);                                                             \
    }

FP_SCALEB(fscaleb_s, 32)
FP_SCALEB(fscaleb_d, 64)

// fj * fk + fa with one rounding.
#define FP_FUSED_FORM(name, bits, negate)                                                         \
    INSN(name)                                                                                    \
    {                                                                                             \
        la_need_fp(c);                                                                            \
        struct fp_env env = fp_begin(c);                                                          \
        u##bits r = fp##bits##_fma(fpr##bits(c, i->rj), fpr##bits(c, i->rk), fpr##bits(c, i->ra), \
                                   (negate), &env);                                               \
        fp_end(c, &env);                                                                          \
        set_fpr##bits(c, i->rd, r);                                                               \
    }
#define FP_FUSED(name, negate)          \
    FP_FUSED_FORM(name##_s, 32, negate) \
    FP_FUSED_FORM(name##_d, 64, negate)

FP_FUSED(fmadd, 0)
FP_FUSED(fmsub, FP_NEG_ADDEND)
FP_FUSED(fnmadd, FP_NEG_RESULT)
FP_FUSED(fnmsub, FP_NEG_ADDEND | FP_NEG_RESULT)

// The rest is arithmetic on bit patterns: no exceptions, no NaN rules, FCSR stays.
INSN(fabs_s)
{
    la_need_fp(c);
    set_fpr32(c, i->rd, fpr32(c, i->rj) & ~BIT(31));
}

INSN(fabs_d)
{
    la_need_fp(c);
    set_fpr64(c, i->rd, fpr64(c, i->rj) & ~BIT(63));
}

INSN(fneg_s)
{
    la_need_fp(c);
    set_fpr32(c, i->rd, fpr32(c, i->rj) ^ BIT(31));
}

INSN(fneg_d)
{
    la_need_fp(c);
    set_fpr64(c, i->rd, fpr64(c, i->rj) ^ BIT(63));
}

// Everything but the magnitude comes from fk, the bits above a single included.
INSN(fcopysign_s)
{
    la_need_fp(c);
    set_fpr64(c, i->rd, bits_set(fpr64(c, i->rk), 30, 0, fpr64(c, i->rj)));
}

INSN(fcopysign_d)
{
    la_need_fp(c);
    set_fpr64(c, i->rd, bits_set(fpr64(c, i->rk), 62, 0, fpr64(c, i->rj)));
}

INSN(fclass_s)
{
    la_need_fp(c);
    set_fpr64(c, i->rd, fp32_class(fpr32(c, i->rj)));
}

INSN(fclass_d)
{
    la_need_fp(c);
    set_fpr64(c, i->rd, fp64_class(fpr64(c, i->rj)));
}
