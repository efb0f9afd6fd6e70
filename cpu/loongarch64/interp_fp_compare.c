// SPDX-License-Identifier: Apache-2.0
// Scalar floating-point comparisons, into a condition flag. Reference Manual, volume 1, 3.2.2.
#include "cpu/loongarch64/interp_fp.h"

// Sets of enum fp_relation.
enum {
    LT = 1 << FP_LESS,
    EQ = 1 << FP_EQUAL,
    GT = 1 << FP_GREATER,
    UN = 1 << FP_UNORDERED,
};

#define COMPARE_FORM(name, bits, relations, signaling)                                     \
    INSN(name)                                                                             \
    {                                                                                      \
        la_need_fp(c);                                                                     \
        struct fp_env env = fp_begin(c);                                                   \
        enum fp_relation r =                                                               \
            fp##bits##_compare(fpr##bits(c, i->rj), fpr##bits(c, i->rk), signaling, &env); \
        fp_end(c, &env);                                                                   \
        c->fcc[i->rd] = (relations) >> r & 1;                                              \
    }
// Quiet and signalling, single and double: the flag is set if one of `relations` holds.
#define COMPARE(condition, relations)                         \
    COMPARE_FORM(fcmp_c##condition##_s, 32, relations, false) \
    COMPARE_FORM(fcmp_c##condition##_d, 64, relations, false) \
    COMPARE_FORM(fcmp_s##condition##_s, 32, relations, true)  \
    COMPARE_FORM(fcmp_s##condition##_d, 64, relations, true)

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
