// SPDX-License-Identifier: Apache-2.0
// Vector operations whose results are twice as wide as their sources, or more.
#include "cpu/loongarch64/interp_vec.h"

// Lane n of the result is made of lane 2n + jo of vj and lane 2n + ko of vk: x and y, extended as
// their fields say. All is computed modulo 2^64 or 2^128, which is no narrower than the result.
// `assign` is = or +=.
#define PAIRS(name, type, dst, jsrc, jo, ksrc, ko, assign, value) \
    VEC(name)                                                     \
    {                                                             \
        for (unsigned n = 0; n < ARRAY_LEN(d->dst); n++) {        \
            const type x = (type)j->jsrc[2 * n + (jo)];           \
            const type y = (type)k->ksrc[2 * n + (ko)];           \
            d->dst[n] assign(__typeof__(d->dst[0]))(value);       \
        }                                                         \
    }

// Both sources signed, both unsigned, vj unsigned and vk signed.
#define PAIRS_S(name, jo, ko, assign, value)                 \
    PAIRS(name##_h_b, u64, h, sb, jo, sb, ko, assign, value) \
    PAIRS(name##_w_h, u64, w, sh, jo, sh, ko, assign, value) \
    PAIRS(name##_d_w, u64, d, sw, jo, sw, ko, assign, value) \
    PAIRS(name##_q_d, u128, q, sd, jo, sd, ko, assign, value)
#define PAIRS_U(name, jo, ko, assign, value)                \
    PAIRS(name##_h_bu, u64, h, b, jo, b, ko, assign, value) \
    PAIRS(name##_w_hu, u64, w, h, jo, h, ko, assign, value) \
    PAIRS(name##_d_wu, u64, d, w, jo, w, ko, assign, value) \
    PAIRS(name##_q_du, u128, q, d, jo, d, ko, assign, value)
#define PAIRS_US(name, jo, ko, assign, value)                  \
    PAIRS(name##_h_bu_b, u64, h, b, jo, sb, ko, assign, value) \
    PAIRS(name##_w_hu_h, u64, w, h, jo, sh, ko, assign, value) \
    PAIRS(name##_d_wu_w, u64, d, w, jo, sw, ko, assign, value) \
    PAIRS(name##_q_du_d, u128, q, d, jo, sd, ko, assign, value)
// The even lanes of both, and the odd lanes of both.
// clang-format off
#define EVEN_ODD(form, name, assign, value) \
    form(name##ev, 0, 0, assign, value)     \
    form(name##od, 1, 1, assign, value)
// clang-format on

EVEN_ODD(PAIRS_S, addw, =, x + y)
EVEN_ODD(PAIRS_U, addw, =, x + y)
EVEN_ODD(PAIRS_US, addw, =, x + y)
EVEN_ODD(PAIRS_S, subw, =, x - y)
EVEN_ODD(PAIRS_U, subw, =, x - y)
EVEN_ODD(PAIRS_S, mulw, =, (x * y))
EVEN_ODD(PAIRS_U, mulw, =, (x * y))
EVEN_ODD(PAIRS_US, mulw, =, (x * y))
EVEN_ODD(PAIRS_S, maddw, +=, (x * y))
EVEN_ODD(PAIRS_U, maddw, +=, (x * y))
EVEN_ODD(PAIRS_US, maddw, +=, (x * y))

// The odd lanes of vj with the even lanes of vk. The unsigned ones name the result unsigned too.
#define ACROSS_U(name, value)                         \
    PAIRS(name##_hu_bu, u64, h, b, 1, b, 0, =, value) \
    PAIRS(name##_wu_hu, u64, w, h, 1, h, 0, =, value) \
    PAIRS(name##_du_wu, u64, d, w, 1, w, 0, =, value) \
    PAIRS(name##_qu_du, u128, q, d, 1, d, 0, =, value)

PAIRS_S(haddw, 1, 0, =, x + y)
PAIRS_S(hsubw, 1, 0, =, x - y)
ACROSS_U(haddw, x + y)
ACROSS_U(hsubw, x - y)

// The lower (first = 0) or upper lanes of vj, extended and shifted.
#define EXTEND(name, dst, src, first, shift)                                           \
    VEC(name)                                                                          \
    {                                                                                  \
        for (unsigned n = 0; n < ARRAY_LEN(d->dst); n++)                               \
            d->dst[n] = (__typeof__(d->dst[0]))((u128)j->src[n + (first)] << (shift)); \
    }

EXTEND(exth_h_b, h, sb, 8, 0)
EXTEND(exth_w_h, w, sh, 4, 0)
EXTEND(exth_d_w, d, sw, 2, 0)
EXTEND(exth_q_d, q, sd, 1, 0)
EXTEND(exth_hu_bu, h, b, 8, 0)
EXTEND(exth_wu_hu, w, h, 4, 0)
EXTEND(exth_du_wu, d, w, 2, 0)
EXTEND(exth_qu_du, q, d, 1, 0)
EXTEND(sllwil_h_b, h, sb, 0, i->imm)
EXTEND(sllwil_w_h, w, sh, 0, i->imm)
EXTEND(sllwil_d_w, d, sw, 0, i->imm)
EXTEND(sllwil_hu_bu, h, b, 0, i->imm)
EXTEND(sllwil_wu_hu, w, h, 0, i->imm)
EXTEND(sllwil_du_wu, d, w, 0, i->imm)
EXTEND(extl_q_d, q, sd, 0, 0)
EXTEND(extl_qu_du, q, d, 0, 0)

// The lowest lanes of the whole xj, extended to fill xd: not half by half.
#define EXTEND_ACROSS(name, dst, src)                    \
    INSN(vext2xv_##name)                                 \
    {                                                    \
        la_need_lasx(c);                                 \
        const union la_vreg x = c->vr[i->rj];            \
        union la_vreg *d = &c->vr[i->rd];                \
        for (unsigned n = 0; n < ARRAY_LEN(d->dst); n++) \
            d->dst[n] = (__typeof__(d->dst[0]))x.src[n]; \
    }

EXTEND_ACROSS(h_b, h, sb)
EXTEND_ACROSS(w_b, w, sb)
EXTEND_ACROSS(d_b, d, sb)
EXTEND_ACROSS(w_h, w, sh)
EXTEND_ACROSS(d_h, d, sh)
EXTEND_ACROSS(d_w, d, sw)
EXTEND_ACROSS(hu_bu, h, b)
EXTEND_ACROSS(wu_bu, w, b)
EXTEND_ACROSS(du_bu, d, b)
EXTEND_ACROSS(wu_hu, w, h)
EXTEND_ACROSS(du_hu, d, h)
EXTEND_ACROSS(du_wu, d, w)
