// SPDX-License-Identifier: Apache-2.0
// LoongArch's choices, as literal vectors: which NaN comes out, which exceptions rise, the signs of
// zeros, tininess, saturation. The expected values are what QEMU 11.1's model of the processor
// answers, not what this folder computes.
#include "base/test.h"
#include "fp/fp.h"

// Operands and results by name, in both formats: 0, 1 and 2 with their signs, quiet and signalling
// NaNs with payloads, these signalling ones made quiet, and the default NaN.
// clang-format off
enum name {
    P0, N0, P1, N1, P2, N2, PINF, NINF, QA, QB, QC, SA, SB, SC, QSA, QSB, QSC, DN,
};

static const u64 value64[] = {
    [P0] = 0x0000000000000000, [N0] = 0x8000000000000000, [P1] = 0x3ff0000000000000,
    [N1] = 0xbff0000000000000, [P2] = 0x4000000000000000, [N2] = 0xc000000000000000,
    [PINF] = 0x7ff0000000000000, [NINF] = 0xfff0000000000000, [QA] = 0x7ff8000020000000,
    [QB] = 0xfff8000040000000, [QC] = 0x7ff8000060000000, [SA] = 0xfff00000a0000000,
    [SB] = 0x7ff00000c0000000, [SC] = 0xfff00000e0000000, [QSA] = 0xfff80000a0000000,
    [QSB] = 0x7ff80000c0000000, [QSC] = 0xfff80000e0000000, [DN] = 0x7ff8000000000000,
};

static const u32 value32[] = {
    [P0] = 0x00000000, [N0] = 0x80000000, [P1] = 0x3f800000, [N1] = 0xbf800000,
    [P2] = 0x40000000, [N2] = 0xc0000000, [PINF] = 0x7f800000, [NINF] = 0xff800000,
    [QA] = 0x7fc00001, [QB] = 0xffc00002, [QC] = 0x7fc00003, [SA] = 0xff800005,
    [SB] = 0x7f800006, [SC] = 0xff800007, [QSA] = 0xffc00005, [QSB] = 0x7fc00006,
    [QSC] = 0xffc00007, [DN] = 0x7fc00000,
};

// A result is a name and, above it, the exceptions raised.
#define V(name) ((name) | FP_INVALID << 8)
#define Z(name) ((name) | FP_DIVZERO << 8)

// Sum, difference, product and quotient alike.
static const struct {
    u16 a, b, result;
} two_nans[] = {
    {QA, QB, QA}, {QA, SB, V(QSB)}, {QA, N1, QA}, {QA, NINF, QA},
    {QA, N0, QA}, {SA, QB, V(QSA)}, {SA, SB, V(QSA)}, {SA, N1, V(QSA)},
    {SA, NINF, V(QSA)}, {SA, N0, V(QSA)}, {P1, QB, QB}, {P1, SB, V(QSB)},
    {PINF, QB, QB}, {PINF, SB, V(QSB)}, {P0, QB, QB}, {P0, SB, V(QSB)},
};

// All four fused operations alike. The results are for c = QC, SC, P1, PINF, NINF, P0; where a
// times b is a number, only the first two are.
static const struct {
    u16 a, b, result[6];
} fused_nans[] = {
    {QA,   QB,   {QC, V(QSC), QA, QA, QA, QA}},
    {QA,   SB,   {V(QSB), V(QSC), V(QSB), V(QSB), V(QSB), V(QSB)}},
    {QA,   P1,   {QC, V(QSC), QA, QA, QA, QA}},
    {QA,   PINF, {QC, V(QSC), QA, QA, QA, QA}},
    {QA,   P0,   {QC, V(QSC), QA, QA, QA, QA}},
    {SA,   QB,   {V(QSA), V(QSC), V(QSA), V(QSA), V(QSA), V(QSA)}},
    {SA,   SB,   {V(QSA), V(QSC), V(QSA), V(QSA), V(QSA), V(QSA)}},
    {SA,   P1,   {V(QSA), V(QSC), V(QSA), V(QSA), V(QSA), V(QSA)}},
    {SA,   PINF, {V(QSA), V(QSC), V(QSA), V(QSA), V(QSA), V(QSA)}},
    {SA,   P0,   {V(QSA), V(QSC), V(QSA), V(QSA), V(QSA), V(QSA)}},
    {P1,   QB,   {QC, V(QSC), QB, QB, QB, QB}},
    {P1,   SB,   {V(QSB), V(QSC), V(QSB), V(QSB), V(QSB), V(QSB)}},
    {P1,   P1,   {QC, V(QSC)}},
    {P1,   PINF, {QC, V(QSC)}},
    {P1,   P0,   {QC, V(QSC)}},
    {PINF, QB,   {QC, V(QSC), QB, QB, QB, QB}},
    {PINF, SB,   {V(QSB), V(QSC), V(QSB), V(QSB), V(QSB), V(QSB)}},
    {PINF, P1,   {QC, V(QSC)}},
    {PINF, PINF, {QC, V(QSC)}},
    {PINF, P0,   {V(QC), V(QSC), V(DN), V(DN), V(DN), V(DN)}},
    {P0,   QB,   {QC, V(QSC), QB, QB, QB, QB}},
    {P0,   SB,   {V(QSB), V(QSC), V(QSB), V(QSB), V(QSB), V(QSB)}},
    {P0,   P1,   {QC, V(QSC)}},
    {P0,   PINF, {V(QC), V(QSC), V(DN), V(DN), V(DN), V(DN)}},
    {P0,   P0,   {QC, V(QSC)}},
};

// Zeros and infinities; the results in the order of the rounding modes.
static const struct {
    u32 (*f32)(u32, u32, struct fp_env *);
    u64 (*f64)(u64, u64, struct fp_env *);
    u16 a, b, result[4];
} two_specials[] = {
    {fp32_add, fp64_add, PINF, NINF, {V(DN), V(DN), V(DN), V(DN)}},
    {fp32_add, fp64_add, PINF, P1,   {PINF, PINF, PINF, PINF}},
    {fp32_sub, fp64_sub, PINF, PINF, {V(DN), V(DN), V(DN), V(DN)}},
    {fp32_sub, fp64_sub, NINF, NINF, {V(DN), V(DN), V(DN), V(DN)}},
    {fp32_mul, fp64_mul, P0,   PINF, {V(DN), V(DN), V(DN), V(DN)}},
    {fp32_mul, fp64_mul, NINF, N0,   {V(DN), V(DN), V(DN), V(DN)}},
    {fp32_mul, fp64_mul, NINF, P2,   {NINF, NINF, NINF, NINF}},
    {fp32_div, fp64_div, P0,   N0,   {V(DN), V(DN), V(DN), V(DN)}},
    {fp32_div, fp64_div, PINF, NINF, {V(DN), V(DN), V(DN), V(DN)}},
    {fp32_div, fp64_div, P1,   N0,   {Z(NINF), Z(NINF), Z(NINF), Z(NINF)}},
    {fp32_div, fp64_div, N1,   N0,   {Z(PINF), Z(PINF), Z(PINF), Z(PINF)}},
    {fp32_div, fp64_div, PINF, N0,   {NINF, NINF, NINF, NINF}},
    {fp32_div, fp64_div, P1,   NINF, {N0, N0, N0, N0}},
    {fp32_add, fp64_add, P0,   N0,   {P0, P0, P0, N0}},
    {fp32_add, fp64_add, P1,   N1,   {P0, P0, P0, N0}},
    {fp32_sub, fp64_sub, P0,   P0,   {P0, P0, P0, N0}},
    {fp32_sub, fp64_sub, P2,   P2,   {P0, P0, P0, N0}},
    {fp32_add, fp64_add, N0,   N0,   {N0, N0, N0, N0}},
    {fp32_sub, fp64_sub, N0,   P0,   {N0, N0, N0, N0}},
};

static const struct {
    u8 negate;
    u16 a, b, c, result[4];
} fused_specials[] = {
    {0, PINF, P1, NINF, {V(DN), V(DN), V(DN), V(DN)}},
    {0, PINF, N1, NINF, {NINF, NINF, NINF, NINF}},
    {0, P1, P2, PINF, {PINF, PINF, PINF, PINF}},
    {0, P0, P1, P0, {P0, P0, P0, P0}},
    {0, P0, P1, N0, {P0, P0, P0, N0}},
    {0, N0, P1, P0, {P0, P0, P0, N0}},
    {0, P1, P1, P1, {P2, P2, P2, P2}},
    {0, P1, P1, N1, {P0, P0, P0, N0}},
    {0, P0, P0, P1, {P1, P1, P1, P1}},
    {FP_NEG_ADDEND, PINF, P1, NINF, {PINF, PINF, PINF, PINF}},
    {FP_NEG_ADDEND, PINF, N1, NINF, {V(DN), V(DN), V(DN), V(DN)}},
    {FP_NEG_ADDEND, P1, P2, PINF, {NINF, NINF, NINF, NINF}},
    {FP_NEG_ADDEND, P0, P1, P0, {P0, P0, P0, N0}},
    {FP_NEG_ADDEND, P0, P1, N0, {P0, P0, P0, P0}},
    {FP_NEG_ADDEND, N0, P1, P0, {N0, N0, N0, N0}},
    {FP_NEG_ADDEND, P1, P1, P1, {P0, P0, P0, N0}},
    {FP_NEG_ADDEND, P1, P1, N1, {P2, P2, P2, P2}},
    {FP_NEG_ADDEND, P0, P0, P1, {N1, N1, N1, N1}},
    {FP_NEG_RESULT, PINF, P1, NINF, {V(DN), V(DN), V(DN), V(DN)}},
    {FP_NEG_RESULT, PINF, N1, NINF, {PINF, PINF, PINF, PINF}},
    {FP_NEG_RESULT, P1, P2, PINF, {NINF, NINF, NINF, NINF}},
    {FP_NEG_RESULT, P0, P1, P0, {N0, N0, N0, N0}},
    {FP_NEG_RESULT, P0, P1, N0, {N0, N0, N0, P0}},
    {FP_NEG_RESULT, N0, P1, P0, {N0, N0, N0, P0}},
    {FP_NEG_RESULT, P1, P1, P1, {N2, N2, N2, N2}},
    {FP_NEG_RESULT, P1, P1, N1, {N0, N0, N0, P0}},
    {FP_NEG_RESULT, P0, P0, P1, {N1, N1, N1, N1}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, PINF, P1, NINF, {NINF, NINF, NINF, NINF}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, PINF, N1, NINF, {V(DN), V(DN), V(DN), V(DN)}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, P1, P2, PINF, {PINF, PINF, PINF, PINF}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, P0, P1, P0, {N0, N0, N0, P0}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, P0, P1, N0, {N0, N0, N0, N0}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, N0, P1, P0, {P0, P0, P0, P0}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, P1, P1, P1, {N0, N0, N0, P0}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, P1, P1, N1, {N2, N2, N2, N2}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, P0, P0, P1, {P1, P1, P1, P1}},
};

// Results of max, min, maxa, mina.
static const struct {
    u16 a, b, result[4];
} extremes[] = {
    {QA, QB, {QA, QA, QA, QA}}, {QA, SB, {V(QSB), V(QSB), V(QSB), V(QSB)}},
    {QA, P0, {P0, P0, P0, P0}}, {QA, N0, {N0, N0, N0, N0}},
    {QA, N1, {N1, N1, N1, N1}}, {QA, P2, {P2, P2, P2, P2}},
    {QA, PINF, {PINF, PINF, PINF, PINF}}, {QA, NINF, {NINF, NINF, NINF, NINF}},
    {SA, QB, {V(QSA), V(QSA), V(QSA), V(QSA)}}, {SA, SB, {V(QSA), V(QSA), V(QSA), V(QSA)}},
    {SA, P0, {V(QSA), V(QSA), V(QSA), V(QSA)}}, {SA, N0, {V(QSA), V(QSA), V(QSA), V(QSA)}},
    {SA, N1, {V(QSA), V(QSA), V(QSA), V(QSA)}}, {SA, P2, {V(QSA), V(QSA), V(QSA), V(QSA)}},
    {SA, PINF, {V(QSA), V(QSA), V(QSA), V(QSA)}}, {SA, NINF, {V(QSA), V(QSA), V(QSA), V(QSA)}},
    {P0, QB, {P0, P0, P0, P0}}, {P0, SB, {V(QSB), V(QSB), V(QSB), V(QSB)}},
    {P0, P0, {P0, P0, P0, P0}}, {P0, N0, {P0, N0, P0, N0}},
    {P0, N1, {P0, N1, N1, P0}}, {P0, P2, {P2, P0, P2, P0}},
    {P0, PINF, {PINF, P0, PINF, P0}}, {P0, NINF, {P0, NINF, NINF, P0}},
    {N0, QB, {N0, N0, N0, N0}}, {N0, SB, {V(QSB), V(QSB), V(QSB), V(QSB)}},
    {N0, P0, {P0, N0, P0, N0}}, {N0, N0, {N0, N0, N0, N0}},
    {N0, N1, {N0, N1, N1, N0}}, {N0, P2, {P2, N0, P2, N0}},
    {N0, PINF, {PINF, N0, PINF, N0}}, {N0, NINF, {N0, NINF, NINF, N0}},
    {P1, QB, {P1, P1, P1, P1}}, {P1, SB, {V(QSB), V(QSB), V(QSB), V(QSB)}},
    {P1, P0, {P1, P0, P1, P0}}, {P1, N0, {P1, N0, P1, N0}},
    {P1, N1, {P1, N1, P1, N1}}, {P1, P2, {P2, P1, P2, P1}},
    {P1, PINF, {PINF, P1, PINF, P1}}, {P1, NINF, {P1, NINF, NINF, P1}},
    {N2, QB, {N2, N2, N2, N2}}, {N2, SB, {V(QSB), V(QSB), V(QSB), V(QSB)}},
    {N2, P0, {P0, N2, N2, P0}}, {N2, N0, {N0, N2, N2, N0}},
    {N2, N1, {N1, N2, N2, N1}}, {N2, P2, {P2, N2, P2, N2}},
    {N2, PINF, {PINF, N2, PINF, N2}}, {N2, NINF, {N2, NINF, NINF, N2}},
    {PINF, QB, {PINF, PINF, PINF, PINF}}, {PINF, SB, {V(QSB), V(QSB), V(QSB), V(QSB)}},
    {PINF, P0, {PINF, P0, PINF, P0}}, {PINF, N0, {PINF, N0, PINF, N0}},
    {PINF, N1, {PINF, N1, PINF, N1}}, {PINF, P2, {PINF, P2, PINF, P2}},
    {PINF, PINF, {PINF, PINF, PINF, PINF}}, {PINF, NINF, {PINF, NINF, PINF, NINF}},
    {NINF, QB, {NINF, NINF, NINF, NINF}}, {NINF, SB, {V(QSB), V(QSB), V(QSB), V(QSB)}},
    {NINF, P0, {P0, NINF, NINF, P0}}, {NINF, N0, {N0, NINF, NINF, N0}},
    {NINF, N1, {N1, NINF, NINF, N1}}, {NINF, P2, {P2, NINF, NINF, P2}},
    {NINF, PINF, {PINF, NINF, PINF, NINF}}, {NINF, NINF, {NINF, NINF, NINF, NINF}},
};

// Results for a = QA, SA, P0, N0, P1, N1, PINF, NINF.
static const struct {
    u32 (*f32)(u32, struct fp_env *);
    u64 (*f64)(u64, struct fp_env *);
    u16 result[8];
} one_operand[] = {
    {fp32_sqrt, fp64_sqrt, {QA, V(QSA), P0, N0, P1, V(DN), PINF, V(DN)}},
    {fp32_recip, fp64_recip, {QA, V(QSA), Z(PINF), Z(NINF), P1, N1, P0, N0}},
    {fp32_rsqrt, fp64_rsqrt, {QA, V(QSA), Z(PINF), Z(NINF), P1, V(DN), P0, V(DN)}},
    {fp32_recipe, fp64_recipe, {QA, V(QSA), Z(PINF), Z(NINF), P1, N1, P0, N0}},
    {fp32_rsqrte, fp64_rsqrte, {QA, V(QSA), Z(PINF), Z(NINF), P1, V(DN), P0, V(DN)}},
    {fp32_logb, fp64_logb, {QA, V(QSA), Z(NINF), Z(NINF), P0, V(DN), PINF, V(DN)}},
};

// Results of scaleb by 7, of rint, and of the conversion to the other format.
static const struct {
    u16 a, scaled, integral, reformatted;
} passed_on[] = {
    {QA, QA, QA, QA},
    {QB, QB, QB, QB},
    {SA, V(QSA), V(QSA), V(QSA)},
    {SB, V(QSB), V(QSB), V(QSB)},
    {P0, P0, P0, P0},
    {N0, N0, N0, N0},
    {PINF, PINF, PINF, PINF},
    {NINF, NINF, NINF, NINF},
};

// Toward zero.
static const struct {
    u64 a; // binary64
    u32 to_s32;
    u64 to_s64;
    u64 to_u64;
    u8 flags[3];
} to_integers[] = {
    {0x7ff8000020000000, 0x00000000, 0x0000000000000000, 0x0000000000000000, {16, 16, 16}},
    {0xfff00000a0000000, 0x00000000, 0x0000000000000000, 0x0000000000000000, {16, 16, 16}},
    {0x7ff0000000000000, 0x7fffffff, 0x7fffffffffffffff, 0xffffffffffffffff, {16, 16, 16}},
    {0xfff0000000000000, 0x80000000, 0x8000000000000000, 0x0000000000000000, {16, 16, 16}},
    {0x8000000000000000, 0x00000000, 0x0000000000000000, 0x0000000000000000, {0, 0, 0}},
    {0xbfe0000000000000, 0x00000000, 0x0000000000000000, 0x0000000000000000, {1, 1, 1}},
    {0xbff0000000000000, 0xffffffff, 0xffffffffffffffff, 0x0000000000000000, {0, 0, 16}},
    {0x3ff8000000000000, 0x00000001, 0x0000000000000001, 0x0000000000000001, {1, 1, 1}},
    {0x41dfffffffe00000, 0x7fffffff, 0x000000007fffffff, 0x000000007fffffff, {1, 1, 1}},
    {0x41e0000000000000, 0x7fffffff, 0x0000000080000000, 0x0000000080000000, {16, 0, 0}},
    {0xc1e0000000100000, 0x80000000, 0xffffffff80000000, 0x0000000000000000, {1, 1, 16}},
    {0xc1e0000000200000, 0x80000000, 0xffffffff7fffffff, 0x0000000000000000, {16, 0, 16}},
    {0x41effffffff00000, 0x7fffffff, 0x00000000ffffffff, 0x00000000ffffffff, {16, 1, 1}},
    {0x41f0000000000000, 0x7fffffff, 0x0000000100000000, 0x0000000100000000, {16, 0, 0}},
    {0x43e0000000000000, 0x7fffffff, 0x7fffffffffffffff, 0x8000000000000000, {16, 16, 0}},
    {0xc3e0000000000000, 0x80000000, 0x8000000000000000, 0x0000000000000000, {16, 0, 16}},
    {0xc3e0000000000001, 0x80000000, 0x8000000000000000, 0x0000000000000000, {16, 16, 16}},
    {0x43efffffffffffff, 0x7fffffff, 0x7fffffffffffffff, 0xfffffffffffff800, {16, 16, 0}},
    {0x43f0000000000000, 0x7fffffff, 0x7fffffffffffffff, 0xffffffffffffffff, {16, 16, 16}},
};

// binary32 to u32, toward zero.
static const struct {
    u32 a, to_u32;
    u8 flags;
} to_u32s[] = {
    {0xffc00002, 0x00000000, 16}, {0x7f800006, 0x00000000, 16}, {0x7f800000, 0xffffffff, 16},
    {0xff800000, 0x00000000, 16}, {0xbf000000, 0x00000000, 1}, {0xbf800000, 0x00000000, 16},
    {0x3fc00000, 0x00000001, 1}, {0x4f7fffff, 0xffffff00, 0}, {0x4f800000, 0xffffffff, 16},
};

// With the exceptions of the quiet and of the signalling comparison.
static const struct {
    u16 a, b;
    u8 relation, quiet, signalling;
} relations[] = {
    {P0, N0, FP_EQUAL, 0, 0}, {N0, P0, FP_EQUAL, 0, 0},
    {N1, P0, FP_LESS, 0, 0}, {P1, N2, FP_GREATER, 0, 0},
    {N1, N2, FP_GREATER, 0, 0}, {P1, P1, FP_EQUAL, 0, 0},
    {PINF, P2, FP_GREATER, 0, 0}, {NINF, N2, FP_LESS, 0, 0},
    {PINF, PINF, FP_EQUAL, 0, 0}, {QA, P1, FP_UNORDERED, 0, FP_INVALID},
    {P1, QB, FP_UNORDERED, 0, FP_INVALID}, {QA, QA, FP_UNORDERED, 0, FP_INVALID},
    {SA, P1, FP_UNORDERED, FP_INVALID, FP_INVALID}, {P1, SB, FP_UNORDERED, FP_INVALID, FP_INVALID},
    {QA, SB, FP_UNORDERED, FP_INVALID, FP_INVALID},
};

// binary64 bits in each mode: negation after rounding, tininess after rounding.
static const struct {
    u8 negate;
    u64 a, b, c, result[4];
    u8 flags[4];
} rounded[] = {
    {0, 0x3ff0000000000001, 0x3ff0000000000001, 0x3ca0000000000000,
     {0x3ff0000000000003, 0x3ff0000000000002, 0x3ff0000000000003, 0x3ff0000000000002}, {1, 1, 1, 1}},
    {FP_NEG_RESULT, 0x3ff0000000000001, 0x3ff0000000000001, 0x3ca0000000000000,
     {0xbff0000000000003, 0xbff0000000000002, 0xbff0000000000003, 0xbff0000000000002}, {1, 1, 1, 1}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, 0x3ff0000000000001, 0x3ff0000000000001, 0x3ca0000000000000,
     {0xbff0000000000002, 0xbff0000000000001, 0xbff0000000000002, 0xbff0000000000001}, {1, 1, 1, 1}},
    {FP_NEG_RESULT, 0x7fe0000000000000, 0x4010000000000000, 0x3ff0000000000000,
     {0xfff0000000000000, 0xffefffffffffffff, 0xfff0000000000000, 0xffefffffffffffff}, {5, 5, 5, 5}},
    {0, 0x3fefffffffffffff, 0x0010000000000000, 0x0000000000000000,
     {0x0010000000000000, 0x000fffffffffffff, 0x0010000000000000, 0x000fffffffffffff}, {3, 3, 3, 3}},
    {0, 0x3ff0000000000001, 0x000fffffffffffff, 0x0000000000000000,
     {0x0010000000000000, 0x000fffffffffffff, 0x0010000000000000, 0x000fffffffffffff}, {1, 3, 1, 3}},
    {0, 0xbfe0000000000000, 0x001fffffffffffff, 0x0000000000000000,
     {0x8010000000000000, 0x800fffffffffffff, 0x800fffffffffffff, 0x8010000000000000}, {3, 3, 3, 3}},
    {FP_NEG_RESULT, 0x0000000000000001, 0x3fe0000000000000, 0x0000000000000000,
     {0x8000000000000000, 0x8000000000000000, 0x8000000000000001, 0x8000000000000000}, {3, 3, 3, 3}},
    {FP_NEG_ADDEND | FP_NEG_RESULT, 0x0000000000000001, 0x3fe8000000000000, 0x8000000000000000,
     {0x8000000000000001, 0x8000000000000000, 0x8000000000000001, 0x8000000000000000}, {3, 3, 3, 3}},
};
// clang-format on

static u8 flags_of(u16 result)
{
    return (u8)(result >> 8);
}

static struct fp_env env_of(unsigned round)
{
    return (struct fp_env){&fp_rules_loongarch, (u8)round, 0};
}

// Checks and clears the exceptions of the operation just performed.
static void check32(u32 got, u16 want, struct fp_env *env)
{
    CHECK_EQ(got, value32[want & 0xff]);
    CHECK_EQ(env->flags, flags_of(want));
    env->flags = 0;
}

static void check64(u64 got, u16 want, struct fp_env *env)
{
    CHECK_EQ(got, value64[want & 0xff]);
    CHECK_EQ(env->flags, flags_of(want));
    env->flags = 0;
}

TEST(nan_of_two_operands)
{
    struct fp_env env = env_of(FP_RNE);
    for (unsigned i = 0; i < ARRAY_LEN(two_nans); i++) {
        u32 a = value32[two_nans[i].a], b = value32[two_nans[i].b];
        check32(fp32_add(a, b, &env), two_nans[i].result, &env);
        check32(fp32_sub(a, b, &env), two_nans[i].result, &env);
        check32(fp32_mul(a, b, &env), two_nans[i].result, &env);
        check32(fp32_div(a, b, &env), two_nans[i].result, &env);
        u64 c = value64[two_nans[i].a], d = value64[two_nans[i].b];
        check64(fp64_add(c, d, &env), two_nans[i].result, &env);
        check64(fp64_sub(c, d, &env), two_nans[i].result, &env);
        check64(fp64_mul(c, d, &env), two_nans[i].result, &env);
        check64(fp64_div(c, d, &env), two_nans[i].result, &env);
    }
}

static void check_fused(unsigned negate, const u16 *abc, u16 want, unsigned round)
{
    struct fp_env env = env_of(round);
    check32(fp32_fma(value32[abc[0]], value32[abc[1]], value32[abc[2]], negate, &env), want, &env);
    check64(fp64_fma(value64[abc[0]], value64[abc[1]], value64[abc[2]], negate, &env), want, &env);
}

TEST(nan_of_fused)
{
    static const u16 c[] = {QC, SC, P1, PINF, NINF, P0};
    for (unsigned i = 0; i < ARRAY_LEN(fused_nans); i++) {
        // P0 is no NaN, so a zero third result tells a row of two.
        unsigned n = fused_nans[i].result[2] ? ARRAY_LEN(c) : 2;
        for (unsigned j = 0; j < n; j++)
            for (unsigned negate = 0; negate < 4; negate++) {
                const u16 abc[] = {fused_nans[i].a, fused_nans[i].b, c[j]};
                check_fused(negate, abc, fused_nans[i].result[j], FP_RNE);
            }
    }
}

TEST(zeros_and_infinities)
{
    for (unsigned i = 0; i < ARRAY_LEN(two_specials); i++)
        for (unsigned round = 0; round < 4; round++) {
            struct fp_env env = env_of(round);
            u16 a = two_specials[i].a, b = two_specials[i].b, want = two_specials[i].result[round];
            check32(two_specials[i].f32(value32[a], value32[b], &env), want, &env);
            check64(two_specials[i].f64(value64[a], value64[b], &env), want, &env);
        }
}

TEST(zeros_and_infinities_fused)
{
    for (unsigned i = 0; i < ARRAY_LEN(fused_specials); i++)
        for (unsigned round = 0; round < 4; round++) {
            const u16 abc[] = {fused_specials[i].a, fused_specials[i].b, fused_specials[i].c};
            check_fused(fused_specials[i].negate, abc, fused_specials[i].result[round], round);
        }
}

TEST(extremes)
{
    static u32 (*const f32[])(u32, u32, struct fp_env *) = {fp32_max, fp32_min, fp32_maxa,
                                                            fp32_mina};
    static u64 (*const f64[])(u64, u64, struct fp_env *) = {fp64_max, fp64_min, fp64_maxa,
                                                            fp64_mina};
    struct fp_env env = env_of(FP_RNE);
    for (unsigned i = 0; i < ARRAY_LEN(extremes); i++)
        for (unsigned j = 0; j < 4; j++) {
            u16 a = extremes[i].a, b = extremes[i].b, want = extremes[i].result[j];
            check32(f32[j](value32[a], value32[b], &env), want, &env);
            check64(f64[j](value64[a], value64[b], &env), want, &env);
        }
}

TEST(one_operand)
{
    static const u16 a[] = {QA, SA, P0, N0, P1, N1, PINF, NINF};
    struct fp_env env = env_of(FP_RNE);
    for (unsigned i = 0; i < ARRAY_LEN(one_operand); i++)
        for (unsigned j = 0; j < ARRAY_LEN(a); j++) {
            check32(one_operand[i].f32(value32[a[j]], &env), one_operand[i].result[j], &env);
            check64(one_operand[i].f64(value64[a[j]], &env), one_operand[i].result[j], &env);
        }
}

TEST(passed_on)
{
    struct fp_env env = env_of(FP_RNE);
    for (unsigned i = 0; i < ARRAY_LEN(passed_on); i++) {
        u32 a = value32[passed_on[i].a];
        u64 b = value64[passed_on[i].a];
        check32(fp32_scaleb(a, 7, &env), passed_on[i].scaled, &env);
        check64(fp64_scaleb(b, 7, &env), passed_on[i].scaled, &env);
        check32(fp32_rint(a, FP_RNE, &env), passed_on[i].integral, &env);
        check64(fp64_rint(b, FP_RNE, &env), passed_on[i].integral, &env);
        check32(fp64_to_fp32(b, &env), passed_on[i].reformatted, &env);
        check64(fp32_to_fp64(a, &env), passed_on[i].reformatted, &env);
    }
}

// With any mode in the environment: the conversions do not look at it.
TEST(to_integers)
{
    for (unsigned i = 0; i < ARRAY_LEN(to_integers); i++) {
        u64 a = to_integers[i].a;
        struct fp_env env = env_of(i % 4);
        CHECK_EQ((u32)fp64_to_s32(a, FP_RZ, &env), to_integers[i].to_s32);
        CHECK_EQ(env.flags, to_integers[i].flags[0]);
        env.flags = 0;
        CHECK_EQ(fp64_to_s64(a, FP_RZ, &env), to_integers[i].to_s64);
        CHECK_EQ(env.flags, to_integers[i].flags[1]);
        env.flags = 0;
        CHECK_EQ(fp64_to_u64(a, FP_RZ, &env), to_integers[i].to_u64);
        CHECK_EQ(env.flags, to_integers[i].flags[2]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(to_u32s); i++) {
        struct fp_env env = env_of(i % 4);
        CHECK_EQ(fp32_to_u32(to_u32s[i].a, FP_RZ, &env), to_u32s[i].to_u32);
        CHECK_EQ(env.flags, to_u32s[i].flags);
    }
}

TEST(relations)
{
    for (unsigned i = 0; i < ARRAY_LEN(relations); i++) {
        u16 a = relations[i].a, b = relations[i].b;
        struct fp_env quiet = env_of(FP_RNE), signalling = quiet;
        CHECK_EQ(fp32_compare(value32[a], value32[b], false, &quiet), relations[i].relation);
        CHECK_EQ(fp32_compare(value32[a], value32[b], true, &signalling), relations[i].relation);
        CHECK_EQ(quiet.flags, relations[i].quiet);
        CHECK_EQ(signalling.flags, relations[i].signalling);
        quiet.flags = signalling.flags = 0;
        CHECK_EQ(fp64_compare(value64[a], value64[b], false, &quiet), relations[i].relation);
        CHECK_EQ(fp64_compare(value64[a], value64[b], true, &signalling), relations[i].relation);
        CHECK_EQ(quiet.flags, relations[i].quiet);
        CHECK_EQ(signalling.flags, relations[i].signalling);
    }
}

TEST(rounded)
{
    for (unsigned i = 0; i < ARRAY_LEN(rounded); i++)
        for (unsigned round = 0; round < 4; round++) {
            struct fp_env env = env_of(round);
            u64 got = fp64_fma(rounded[i].a, rounded[i].b, rounded[i].c, rounded[i].negate, &env);
            CHECK_EQ(got, rounded[i].result[round]);
            CHECK_EQ(env.flags, rounded[i].flags[round]);
        }
}

TEST(tiny_before_rounding_is_a_rule)
{
    struct fp_rules rules = fp_rules_loongarch;
    rules.tiny_before_rounding = true;
    struct fp_env env = {&rules, FP_RNE, 0};
    CHECK_EQ(fp64_mul(0x3ff0000000000001, 0x000fffffffffffff, &env), 0x0010000000000000);
    CHECK_EQ(env.flags, FP_UNDERFLOW | FP_INEXACT);
}

TEST(nan_of_inf_times_zero_is_a_rule)
{
    struct fp_rules rules = fp_rules_loongarch;
    rules.inf_zero_nan_default = true;
    rules.inf_zero_qnan_invalid = false;
    struct fp_env env = {&rules, FP_RNE, 0};
    check64(fp64_fma(value64[PINF], value64[P0], value64[QC], 0, &env), DN, &env);
    check64(fp64_fma(value64[PINF], value64[P0], value64[SC], 0, &env), V(DN), &env);
}

TEST(classes)
{
    static const struct {
        u32 a;
        u64 b;
        unsigned class;
    } rows[] = {
        {0x7f800001, 0x7ff0000000000001, FP_CLASS_SNAN},
        {0xffbfffff, 0xfff7ffffffffffff, FP_CLASS_SNAN},
        {0x7fc00000, 0x7ff8000000000000, FP_CLASS_QNAN},
        {0xffffffff, 0xffffffffffffffff, FP_CLASS_QNAN},
        {0xff800000, 0xfff0000000000000, FP_CLASS_NEG_INF},
        {0xff7fffff, 0xffefffffffffffff, FP_CLASS_NEG_NORMAL},
        {0x80800000, 0x8010000000000000, FP_CLASS_NEG_NORMAL},
        {0x807fffff, 0x800fffffffffffff, FP_CLASS_NEG_SUBNORMAL},
        {0x80000001, 0x8000000000000001, FP_CLASS_NEG_SUBNORMAL},
        {0x80000000, 0x8000000000000000, FP_CLASS_NEG_ZERO},
        {0x7f800000, 0x7ff0000000000000, FP_CLASS_POS_INF},
        {0x00800000, 0x0010000000000000, FP_CLASS_POS_NORMAL},
        {0x00000001, 0x000fffffffffffff, FP_CLASS_POS_SUBNORMAL},
        {0x00000000, 0x0000000000000000, FP_CLASS_POS_ZERO},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_EQ(fp32_class(rows[i].a), rows[i].class);
        CHECK_EQ(fp64_class(rows[i].b), rows[i].class);
    }
}
