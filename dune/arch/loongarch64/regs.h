// SPDX-License-Identifier: Apache-2.0
// The registers of a program between two instructions, as KVM_GET_REGS has them, and what a system
// call takes from them and leaves in them.
#pragma once

#include "base/types.h"

#include <ucontext.h>

enum { REG_RA = 1, REG_TP = 2, REG_SP = 3, REG_A0 = 4, REG_A7 = 11, REG_T0 = 12 };

struct uregs {
    u64 gpr[32], pc;
};

// What a program finds when it begins.
static inline struct uregs regs_first(u64 pc, u64 sp)
{
    return (struct uregs){.gpr[REG_SP] = sp, .pc = pc};
}

static inline u64 regs_number(const struct uregs *r)
{
    return r->gpr[REG_A7];
}

static inline void regs_set_number(struct uregs *r, u64 number)
{
    r->gpr[REG_A7] = number;
}

static inline void regs_arguments(const struct uregs *r, u64 a[6])
{
    for (int i = 0; i < 6; i++)
        a[i] = r->gpr[REG_A0 + i];
}

static inline void regs_set_result(struct uregs *r, u64 value)
{
    r->gpr[REG_A0] = value;
}

// Back to the instruction that made the call; no result was put over its first argument yet.
static inline void regs_rewind(struct uregs *r, u64 number)
{
    r->pc -= 4;
    r->gpr[REG_A7] = number;
}

static inline u64 regs_pc(const struct uregs *r)
{
    return r->pc;
}

static inline u64 regs_sp(const struct uregs *r)
{
    return r->gpr[REG_SP];
}

static inline void regs_set_sp(struct uregs *r, u64 sp)
{
    r->gpr[REG_SP] = sp;
}

// The place on a stack that nothing of the program's is below.
static inline u64 regs_free_stack(const struct uregs *r)
{
    return r->gpr[REG_SP];
}

// Goes on in a function with three arguments. `sp` is a multiple of 16.
static inline void regs_enter(struct uregs *r, u64 pc, u64 sp, u64 a, u64 b, u64 c)
{
    r->pc = pc;
    r->gpr[REG_SP] = sp;
    r->gpr[REG_A0] = a;
    r->gpr[REG_A0 + 1] = b;
    r->gpr[REG_A0 + 2] = c;
}

// Registers that a program chose: it may choose all of them.
static inline void regs_make_harmless(struct uregs *r)
{
    r->gpr[0] = 0;
}

static inline u64 context_pc(const ucontext_t *context)
{
    return context->uc_mcontext.__pc;
}

static inline void context_set_pc(ucontext_t *context, u64 pc)
{
    context->uc_mcontext.__pc = pc;
}

// What rt_sigaction takes. Handlers return by the kernel's vDSO.
struct action {
    u64 handler, flags, mask;
};

static inline void action_return(struct action *a)
{
}
