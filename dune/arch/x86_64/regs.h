// SPDX-License-Identifier: Apache-2.0
// The registers of a program between two instructions, in the order in which KVM shares them, and
// what a system call takes from them and leaves in them.
#pragma once

#include "base/types.h"

#include <asm/kvm.h>

struct uregs {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags;
};
_Static_assert(sizeof(struct uregs) == sizeof(struct kvm_regs), "KVM shares these");

static inline u64 regs_number(const struct uregs *r)
{
    return r->rax;
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
