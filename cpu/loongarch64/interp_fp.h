// SPDX-License-Identifier: Apache-2.0
// What floating-point instructions share, scalar and vector: registers, FCSR, the environment for
// fp/.
#pragma once

#include "cpu/loongarch64/interp.h"
#include "fp/fp.h"

// FCSR0. Each of the fields with exceptions has them in the order of FP_INEXACT to FP_INVALID.
enum {
    FCSR_ENABLES = 0x1f,
    FCSR_RM = 0x3 << 8,
    FCSR_FLAGS = 0x1f << 16,
    FCSR_CAUSE = 0x1f << 24,
    FCSR_RM_SHIFT = 8,
    FCSR_FLAGS_SHIFT = 16,
    FCSR_CAUSE_SHIFT = 24,
};

static inline u32 fpr32(const struct la_cpu *c, unsigned n)
{
    return c->vr[n].w[0];
}

static inline u64 fpr64(const struct la_cpu *c, unsigned n)
{
    return c->vr[n].d[0];
}

// A single-precision result leaves ones above it in its 64 bits (the manual: any value). Scalar
// writes keep the vector bits above 64.
static inline void set_fpr32(struct la_cpu *c, unsigned n, u64 value)
{
    c->vr[n].d[0] = 0xffffffff00000000 | (u32)value;
}

static inline void set_fpr64(struct la_cpu *c, unsigned n, u64 value)
{
    c->vr[n].d[0] = value;
}

static inline enum fp_round fp_rounding(const struct la_cpu *c)
{
    return (enum fp_round)(c->fcsr >> FCSR_RM_SHIFT & 3);
}

static inline struct fp_env fp_begin(const struct la_cpu *c)
{
    return (struct fp_env){.rules = &fp_rules_loongarch, .round = (u8)fp_rounding(c)};
}

// Cause becomes the exceptions of this instruction. If one of them is enabled, raises `e`: the
// destination must not have been written yet, and Flags stays. Else they accumulate in Flags.
//
// The manual has a tiny but exact result trap too while underflow is enabled (3.1.4.4): as in QEMU,
// only one that is also inexact does.
static inline void fp_end_as(struct la_cpu *c, const struct fp_env *env, enum la_exception e)
{
    u32 cause = env->flags;
    c->fcsr = (c->fcsr & ~(u32)FCSR_CAUSE) | cause << FCSR_CAUSE_SHIFT;
    if (unlikely(cause & c->fcsr & FCSR_ENABLES))
        la_raise(c, e);
    c->fcsr |= cause << FCSR_FLAGS_SHIFT;
}

static inline void fp_end(struct la_cpu *c, const struct fp_env *env)
{
    fp_end_as(c, env, EXC_FPE);
}
