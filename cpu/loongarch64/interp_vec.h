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
// lane of vj, y that of vk or the immediate, z that of the old vd, all as `type`: s64 or u64, so
// that nothing is lost before the result is cut to the lane. u64 also where a sum may overflow.
#define VEC_X(name, type, field, value)                      \
    VEC(name)                                                \
    {                                                        \
        for (unsigned n = 0; n < ARRAY_LEN(d->field); n++) { \
            const type x = (type)j->field[n];                \
            d->field[n] = (__typeof__(d->field[0]))(value);  \
        }                                                    \
    }
#define VEC_XY(name, type, field, value)                             \
    VEC(name)                                                        \
    {                                                                \
        for (unsigned n = 0; n < ARRAY_LEN(d->field); n++) {         \
            const type x = (type)j->field[n], y = (type)k->field[n]; \
            d->field[n] = (__typeof__(d->field[0]))(value);          \
        }                                                            \
    }
#define VEC_XI(name, type, field, value)                     \
    VEC(name)                                                \
    {                                                        \
        const type y = (type)(s64)i->imm;                    \
        for (unsigned n = 0; n < ARRAY_LEN(d->field); n++) { \
            const type x = (type)j->field[n];                \
            d->field[n] = (__typeof__(d->field[0]))(value);  \
        }                                                    \
    }
#define VEC_XYZ(name, type, field, value)                            \
    VEC(name)                                                        \
    {                                                                \
        for (unsigned n = 0; n < ARRAY_LEN(d->field); n++) {         \
            const type x = (type)j->field[n], y = (type)k->field[n]; \
            const type z = (type)d->field[n];                        \
            d->field[n] = (__typeof__(d->field[0]))(value);          \
        }                                                            \
    }

// The four widths: signed lanes; unsigned lanes under the plain suffix, for what is the same for
// both; unsigned lanes under the unsigned suffix.
#define VEC_S(form, name, value)                                                                 \
    form(name##_b, s64, sb, value) form(name##_h, s64, sh, value) form(name##_w, s64, sw, value) \
        form(name##_d, s64, sd, value)
#define VEC_N(form, name, value)                                                              \
    form(name##_b, u64, b, value) form(name##_h, u64, h, value) form(name##_w, u64, w, value) \
        form(name##_d, u64, d, value)
#define VEC_U(form, name, value)                                                                 \
    form(name##_bu, u64, b, value) form(name##_hu, u64, h, value) form(name##_wu, u64, w, value) \
        form(name##_du, u64, d, value)
