// SPDX-License-Identifier: Apache-2.0
// Vector shifts within lanes, and the narrowing ones. A shift by a register looks at as many low
// bits of its lane as the lane's width needs.
#include "cpu/loongarch64/interp_vec.h"

#include <string.h>

#define AMOUNT(y) ((unsigned)(y) & (LANE_BITS - 1))

// Shifts to the right, exact and rounded to nearest (halves up). `x` is signed or unsigned.
#define SHIFT(x, s) ((x) >> (s))
#define ROUND(x, s) ((s) ? ((x) >> (s)) + ((x) >> ((s)-1) & 1) : (x))

VEC_N(VEC_XY, sll, x << AMOUNT(y))
VEC_N(VEC_XY, srl, SHIFT(x, AMOUNT(y)))
VEC_S(VEC_XY, sra, SHIFT(x, AMOUNT(y)))
VEC_N(VEC_XY, rotr, x >> AMOUNT(y) | x << AMOUNT(0 - y))
VEC_N(VEC_XY, srlr, ROUND(x, AMOUNT(y)))
VEC_S(VEC_XY, srar, ROUND(x, AMOUNT(y)))
VEC_N(VEC_XI, slli, x << y)
VEC_N(VEC_XI, srli, SHIFT(x, y))
VEC_S(VEC_XI, srai, SHIFT(x, y))
VEC_N(VEC_XI, rotri, x >> y | x << AMOUNT(0 - y))
VEC_N(VEC_XI, srlri, ROUND(x, y))
VEC_S(VEC_XI, srari, ROUND(x, y))

// Narrowing by a register: the lanes of vj, shifted by those of vk, make the lower half of vd; the
// upper half is zero. `value` is an expression of the lane x and the shift s.
#define NARROW_FORM(name, type, dst, src, value)                               \
    VEC(name)                                                                  \
    {                                                                          \
        enum { LANE_BITS = 8 * sizeof(j->src[0]), BITS_LEFT = LANE_BITS / 2 }; \
        memset(d, 0, sizeof(*d));                                              \
        for (unsigned n = 0; n < ARRAY_LEN(j->src); n++) {                     \
            const type x = (type)j->src[n];                                    \
            const unsigned s = AMOUNT(k->src[n]);                              \
            d->dst[n] = (__typeof__(d->dst[0]))(value);                        \
        }                                                                      \
    }
// Narrowing by an immediate: vj makes the lower half, the old vd the upper.
#define NARROW_I_FORM(name, type, dst, src, value)                         \
    VEC(name)                                                              \
    {                                                                      \
        enum { N = ARRAY_LEN(j->src), BITS_LEFT = 4 * sizeof(j->src[0]) }; \
        const union vhalf old = *d;                                        \
        const unsigned s = (unsigned)i->imm;                               \
        for (unsigned n = 0; n < 2 * N; n++) {                             \
            const type x = (type)(n < N ? j->src[n] : old.src[n - N]);     \
            d->dst[n] = (__typeof__(d->dst[0]))(value);                    \
        }                                                                  \
    }

// Lanes shifted as unsigned or as signed numbers; results under the plain or the unsigned suffix.
#define NARROW_U(name, value)                 \
    NARROW_FORM(name##_b_h, u64, b, h, value) \
    NARROW_FORM(name##_h_w, u64, h, w, value) \
    NARROW_FORM(name##_w_d, u64, w, d, value)
#define NARROW_S(name, value)                  \
    NARROW_FORM(name##_b_h, s64, b, sh, value) \
    NARROW_FORM(name##_h_w, s64, h, sw, value) \
    NARROW_FORM(name##_w_d, s64, w, sd, value)
#define NARROW_U_TO_U(name, value)             \
    NARROW_FORM(name##_bu_h, u64, b, h, value) \
    NARROW_FORM(name##_hu_w, u64, h, w, value) \
    NARROW_FORM(name##_wu_d, u64, w, d, value)
#define NARROW_S_TO_U(name, value)              \
    NARROW_FORM(name##_bu_h, s64, b, sh, value) \
    NARROW_FORM(name##_hu_w, s64, h, sw, value) \
    NARROW_FORM(name##_wu_d, s64, w, sd, value)
#define NARROW_I_U(name, value)                 \
    NARROW_I_FORM(name##_b_h, u64, b, h, value) \
    NARROW_I_FORM(name##_h_w, u64, h, w, value) \
    NARROW_I_FORM(name##_w_d, u64, w, d, value) \
    NARROW_I_FORM(name##_d_q, u128, d, q, value)
#define NARROW_I_S(name, value)                  \
    NARROW_I_FORM(name##_b_h, s64, b, sh, value) \
    NARROW_I_FORM(name##_h_w, s64, h, sw, value) \
    NARROW_I_FORM(name##_w_d, s64, w, sd, value) \
    NARROW_I_FORM(name##_d_q, s128, d, sq, value)
#define NARROW_I_U_TO_U(name, value)             \
    NARROW_I_FORM(name##_bu_h, u64, b, h, value) \
    NARROW_I_FORM(name##_hu_w, u64, h, w, value) \
    NARROW_I_FORM(name##_wu_d, u64, w, d, value) \
    NARROW_I_FORM(name##_du_q, u128, d, q, value)
#define NARROW_I_S_TO_U(name, value)              \
    NARROW_I_FORM(name##_bu_h, s64, b, sh, value) \
    NARROW_I_FORM(name##_hu_w, s64, h, sw, value) \
    NARROW_I_FORM(name##_wu_d, s64, w, sd, value) \
    NARROW_I_FORM(name##_du_q, s128, d, sq, value)

NARROW_U(srln, SHIFT(x, s))
NARROW_S(sran, SHIFT(x, s))
NARROW_U(srlrn, ROUND(x, s))
NARROW_S(srarn, ROUND(x, s))
NARROW_I_U(srlni, SHIFT(x, s))
NARROW_I_S(srani, SHIFT(x, s))
NARROW_I_U(srlrni, ROUND(x, s))
NARROW_I_S(srarni, ROUND(x, s))

// With saturation: a logical shift leaves an unsigned number, an arithmetic one a signed number.
NARROW_U(ssrln, clamp_u_to_s(SHIFT(x, s), BITS_LEFT))
NARROW_S(ssran, clamp_s(SHIFT(x, s), BITS_LEFT))
NARROW_U(ssrlrn, clamp_u_to_s(ROUND(x, s), BITS_LEFT))
NARROW_S(ssrarn, clamp_s(ROUND(x, s), BITS_LEFT))
NARROW_U_TO_U(ssrln, clamp_u(SHIFT(x, s), BITS_LEFT))
NARROW_S_TO_U(ssran, clamp_s_to_u(SHIFT(x, s), BITS_LEFT))
NARROW_U_TO_U(ssrlrn, clamp_u(ROUND(x, s), BITS_LEFT))
NARROW_S_TO_U(ssrarn, clamp_s_to_u(ROUND(x, s), BITS_LEFT))
NARROW_I_U(ssrlni, clamp_u_to_s(SHIFT(x, s), BITS_LEFT))
NARROW_I_S(ssrani, clamp_s(SHIFT(x, s), BITS_LEFT))
NARROW_I_U(ssrlrni, clamp_u_to_s(ROUND(x, s), BITS_LEFT))
NARROW_I_S(ssrarni, clamp_s(ROUND(x, s), BITS_LEFT))
NARROW_I_U_TO_U(ssrlni, clamp_u(SHIFT(x, s), BITS_LEFT))
NARROW_I_S_TO_U(ssrani, clamp_s_to_u(SHIFT(x, s), BITS_LEFT))
NARROW_I_U_TO_U(ssrlrni, clamp_u(ROUND(x, s), BITS_LEFT))
NARROW_I_S_TO_U(ssrarni, clamp_s_to_u(ROUND(x, s), BITS_LEFT))
