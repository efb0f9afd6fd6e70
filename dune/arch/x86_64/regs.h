// SPDX-License-Identifier: Apache-2.0
// The registers of a program between two instructions, in the order in which KVM shares them, and
// what a system call takes from them and leaves in them.
#pragma once

#include "base/types.h"

#include <asm/kvm.h>
#include <ucontext.h>

struct uregs {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags;
};
_Static_assert(sizeof(struct uregs) == sizeof(struct kvm_regs), "KVM shares these");

// What a program finds when it begins.
static inline struct uregs regs_first(u64 pc, u64 sp)
{
    return (struct uregs){.rip = pc, .rsp = sp, .rflags = 0x202};
}

static inline u64 regs_number(const struct uregs *r)
{
    return r->rax;
}

static inline void regs_set_number(struct uregs *r, u64 number)
{
    r->rax = number;
}

static inline void regs_arguments(const struct uregs *r, u64 a[6])
{
    a[0] = r->rdi, a[1] = r->rsi, a[2] = r->rdx, a[3] = r->r10, a[4] = r->r8, a[5] = r->r9;
}

static inline void regs_set_result(struct uregs *r, u64 value)
{
    r->rax = value;
}

// Back to the instruction that made the call, which is two bytes long.
static inline void regs_rewind(struct uregs *r, u64 number)
{
    r->rip -= 2;
    r->rax = number;
}

static inline u64 regs_pc(const struct uregs *r)
{
    return r->rip;
}

static inline u64 regs_sp(const struct uregs *r)
{
    return r->rsp;
}

static inline void regs_set_sp(struct uregs *r, u64 sp)
{
    r->rsp = sp;
}

// The place on a stack that nothing of the program's is below.
static inline u64 regs_free_stack(const struct uregs *r)
{
    return r->rsp - 128; // the red zone
}

// Goes on in a function with three arguments. `sp` is a multiple of 16.
static inline void regs_enter(struct uregs *r, u64 pc, u64 sp, u64 a, u64 b, u64 c)
{
    r->rip = pc;
    r->rsp = sp;
    r->rdi = a;
    r->rsi = b;
    r->rdx = c;
}

// Registers that a program chose: flags that it may not set are as they were.
static inline void regs_make_harmless(struct uregs *r)
{
    r->rflags = (r->rflags & 0x244dd5) | 0x202;
}

static inline u64 context_pc(const ucontext_t *context)
{
    return (u64)context->uc_mcontext.gregs[REG_RIP];
}

static inline void context_set_pc(ucontext_t *context, u64 pc)
{
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
}

// What rt_sigaction takes.
struct action {
    u64 handler, flags, restorer, mask;
};

// A handler of the monitor's returns as its C library's would.
void entry_restorer(void);
static inline void action_return(struct action *a)
{
    enum { KERNEL_RESTORER = 0x04000000 };
    a->flags |= KERNEL_RESTORER;
    a->restorer = (u64)entry_restorer;
}
