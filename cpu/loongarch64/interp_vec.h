// SPDX-License-Identifier: Apache-2.0
// What vector instructions share.
//
// LSX instructions work on 128 bits. LASX has the same ones, prefixed by x, and nearly all of those
// do the same to each half of 256 bits. So one body, written for a half, makes both functions. LSX
// leaves the upper half of its destination as it was (the manual: undefined).
#pragma once

#include "cpu/loongarch64/interp.h"

union vhalf {
    u8 b[16];
    s8 sb[16];
    u16 h[8];
    s16 sh[8];
    u32 w[4];
    s32 sw[4];
    u64 d[2];
    s64 sd[2];
    u128 q[1];
    s128 sq[1];
};

static inline union vhalf *vhalf_of(struct la_cpu *c, unsigned reg, unsigned half)
{
    return (union vhalf *)(void *)&c->vr[reg].q[half];
}

// The body of a half: `d` is the destination with its old value, `j`, `k` and `a` are copies of the
// sources; registers that the instruction has not are some register's.
typedef void (*vhalf_fn)(const struct la_insn *i, union vhalf *d, const union vhalf *j,
                         const union vhalf *k, const union vhalf *a);

static inline __attribute__((always_inline)) void vec_run(struct la_cpu *c, const struct la_insn *i,
                                                          unsigned n_halves, vhalf_fn body)
{
    for (unsigned h = 0; h < n_halves; h++) {
        union vhalf d = *vhalf_of(c, i->rd, h);
        const union vhalf j = *vhalf_of(c, i->rj, h);
        const union vhalf k = *vhalf_of(c, i->rk, h);
        const union vhalf a = *vhalf_of(c, i->ra, h);
        body(i, &d, &j, &k, &a);
        *vhalf_of(c, i->rd, h) = d;
    }
}

// Defines interp_v<name> and interp_xv<name>; the body follows as a block.
#define VEC(name)                                                                                 \
    static void name##_half(const struct la_insn *i, union vhalf *d, const union vhalf *j,        \
                            const union vhalf *k, const union vhalf *a);                          \
    INSN(v##name)                                                                                 \
    {                                                                                             \
        la_need_lsx(c);                                                                           \
        vec_run(c, i, 1, name##_half);                                                            \
    }                                                                                             \
    INSN(xv##name)                                                                                \
    {                                                                                             \
        la_need_lasx(c);                                                                          \
        vec_run(c, i, 2, name##_half);                                                            \
    }                                                                                             \
    static inline void name##_half(const struct la_insn *i, union vhalf *d, const union vhalf *j, \
                                   const union vhalf *k, const union vhalf *a)

// Lane by lane: `field` of union vhalf is written, and an expression says what with. In it x is the
// lane of vj, y that of vk or the immediate, z that of the old vd, all as `type`: s64 or u64 (s128
// or u128 for whole halves), so that nothing is lost before the result is cut to the lane. u64 also
// where a signed sum could overflow. LANE_BITS is the lane's width.
#define VEC_LANES(field, ...)                                \
    {                                                        \
        enum { LANE_BITS = 8 * sizeof(d->field[0]) };        \
        for (unsigned n = 0; n < ARRAY_LEN(d->field); n++) { \
            __VA_ARGS__                                      \
        }                                                    \
    }
#define VEC_SET(field, value) d->field[n] = (__typeof__(d->field[0]))(value);

#define VEC_X(name, type, field, value) \
    VEC(name)                           \
    VEC_LANES(field, const type x = (type)j->field[n]; VEC_SET(field, value))
#define VEC_XY(name, type, field, value)                                                 \
    VEC(name)                                                                            \
    VEC_LANES(field, const type x = (type)j->field[n]; const type y = (type)k->field[n]; \
              VEC_SET(field, value))
#define VEC_XI(name, type, field, value)                                                 \
    VEC(name)                                                                            \
    VEC_LANES(field, const type x = (type)j->field[n]; const type y = (type)(s64)i->imm; \
              VEC_SET(field, value))
#define VEC_XYZ(name, type, field, value)                                                \
    VEC(name)                                                                            \
    VEC_LANES(field, const type x = (type)j->field[n]; const type y = (type)k->field[n]; \
              const type z = (type)d->field[n]; VEC_SET(field, value))

// The four widths: signed lanes; lanes whose sign does not matter; unsigned lanes, which show in
// the suffix.
// clang-format off
#define VEC_S(form, name, value)   \
    form(name##_b, s64, sb, value) \
    form(name##_h, s64, sh, value) \
    form(name##_w, s64, sw, value) \
    form(name##_d, s64, sd, value)
#define VEC_N(form, name, value)  \
    form(name##_b, u64, b, value) \
    form(name##_h, u64, h, value) \
    form(name##_w, u64, w, value) \
    form(name##_d, u64, d, value)
#define VEC_U(form, name, value)   \
    form(name##_bu, u64, b, value) \
    form(name##_hu, u64, h, value) \
    form(name##_wu, u64, w, value) \
    form(name##_du, u64, d, value)
// clang-format on

// The bounds of numbers of 1 to 64 bits: signed and unsigned values cut to signed and unsigned
// ones.
static inline s64 clamp_s(s128 v, unsigned bits)
{
    const s128 max = ((s128)1 << (bits - 1)) - 1;
    return (s64)(v > max ? max : v < -max - 1 ? -max - 1 : v);
}

static inline u64 clamp_s_to_u(s128 v, unsigned bits)
{
    const s128 max = ((s128)1 << bits) - 1;
    return (u64)(v > max ? max : v < 0 ? 0 : v);
}

static inline u64 clamp_u(u128 v, unsigned bits)
{
    const u128 max = ((u128)1 << bits) - 1;
    return (u64)(v > max ? max : v);
}

static inline u64 clamp_u_to_s(u128 v, unsigned bits)
{
    return clamp_u(v, bits - 1);
}
