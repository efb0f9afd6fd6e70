// SPDX-License-Identifier: Apache-2.0
// What floating-point vector instructions share: a body for a half, as in interp_vec.h, with the
// environment of fp/ for both halves. Cause becomes what any lane met, and nothing is written if
// one of these is enabled.
#pragma once

#include "cpu/loongarch64/interp_fp.h"
#include "cpu/loongarch64/interp_vec.h"

typedef void (*vfp_fn)(union vhalf *d, const union vhalf *j, const union vhalf *k,
                       const union vhalf *a, enum fp_round rm, struct fp_env *env);

static inline __attribute__((always_inline)) void vfp_run(struct la_cpu *c, const struct la_insn *i,
                                                          unsigned n_halves, vfp_fn body)
{
    struct fp_env env = fp_begin(c);
    union vhalf d[2];
    for (unsigned h = 0; h < n_halves; h++) {
        d[h] = *vhalf_of(c, i->rd, h);
        body(&d[h], vhalf_of(c, i->rj, h), vhalf_of(c, i->rk, h), vhalf_of(c, i->ra, h),
             fp_rounding(c), &env);
    }
    fp_end_as(c, &env, EXC_VFPE);
    for (unsigned h = 0; h < n_halves; h++)
        *vhalf_of(c, i->rd, h) = d[h];
}

// Defines interp_v<name> and interp_xv<name>; the body follows. `rm` is the mode of FCSR.
#define VFP(name)                                                                              \
    static void name##_half(union vhalf *d, const union vhalf *j, const union vhalf *k,        \
                            const union vhalf *a, enum fp_round rm, struct fp_env *env);       \
    INSN(v##name)                                                                              \
    {                                                                                          \
        la_need_lsx(c);                                                                        \
        vfp_run(c, i, 1, name##_half);                                                         \
    }                                                                                          \
    INSN(xv##name)                                                                             \
    {                                                                                          \
        la_need_lasx(c);                                                                       \
        vfp_run(c, i, 2, name##_half);                                                         \
    }                                                                                          \
    static inline void name##_half(union vhalf *d, const union vhalf *j, const union vhalf *k, \
                                   const union vhalf *a, enum fp_round rm, struct fp_env *env)

// Lane n of field `dst` is an expression of n.
#define VFP_LANES(name, dst, value)                      \
    VFP(name)                                            \
    {                                                    \
        for (unsigned n = 0; n < ARRAY_LEN(d->dst); n++) \
            d->dst[n] = (__typeof__(d->dst[0]))(value);  \
    }
