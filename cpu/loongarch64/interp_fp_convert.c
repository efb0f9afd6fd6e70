// SPDX-License-Identifier: Apache-2.0
// Scalar conversions between floating-point formats and integers, and rounding to integers.
// Reference Manual, volume 1, 3.2.3. Integers are in floating-point registers too.
#include "cpu/loongarch64/interp_fp.h"

// Bits 63:32 of a register that takes a word or a single are any value. Which one is QEMU's choice,
// so that results can be compared: a word is sign-extended, but not by all.
static void set_fpr_word(struct la_cpu *c, unsigned n, u64 value)
{
    set_fpr64(c, n, word(value));
}

static void set_fpr_zero_extended(struct la_cpu *c, unsigned n, u64 value)
{
    set_fpr64(c, n, (u32)value);
}

// `operation` is an expression of fj, `set` the way into fd.
#define CONVERT(name, set, operation)    \
    INSN(name)                           \
    {                                    \
        la_need_fp(c);                   \
        struct fp_env env = fp_begin(c); \
        const u64 fj = fpr64(c, i->rj);  \
        const u64 r = (u64)(operation);  \
        fp_end(c, &env);                 \
        set(c, i->rd, r);                \
    }

CONVERT(fcvt_s_d, set_fpr32, fp64_to_fp32(fj, &env))
CONVERT(fcvt_d_s, set_fpr64, fp32_to_fp64((u32)fj, &env))
CONVERT(ffint_s_w, set_fpr32, fp32_from_s32((s32)fj, &env))
CONVERT(ffint_s_l, set_fpr32, fp32_from_s64((s64)fj, &env))
CONVERT(ffint_d_w, set_fpr64, fp64_from_s32((s32)fj, &env))
CONVERT(ffint_d_l, set_fpr64, fp64_from_s64((s64)fj, &env))
CONVERT(frint_s, set_fpr_zero_extended, fp32_rint((u32)fj, fp_rounding(c), &env))
CONVERT(frint_d, set_fpr64, fp64_rint(fj, fp_rounding(c), &env))

// To word and to doubleword, from single and from double, in one rounding mode; `set_w_s` takes the
// word of a single.
#define TO_INTEGER(name, round, set_w_s)                                \
    CONVERT(name##_w_s, set_w_s, fp32_to_s32((u32)fj, (round), &env))   \
    CONVERT(name##_w_d, set_fpr_word, fp64_to_s32(fj, (round), &env))   \
    CONVERT(name##_l_s, set_fpr64, fp32_to_s64((u32)fj, (round), &env)) \
    CONVERT(name##_l_d, set_fpr64, fp64_to_s64(fj, (round), &env))

TO_INTEGER(ftint, fp_rounding(c), set_fpr_word)
TO_INTEGER(ftintrne, FP_RNE, set_fpr_zero_extended)
TO_INTEGER(ftintrz, FP_RZ, set_fpr_zero_extended)
TO_INTEGER(ftintrp, FP_RP, set_fpr_word)
TO_INTEGER(ftintrm, FP_RM, set_fpr_word)
