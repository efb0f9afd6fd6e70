// SPDX-License-Identifier: Apache-2.0
// The program on the host's own processor: system calls come back by syscall user dispatch, and
// everything else that interrupts it by signals. The same loop serves it as a guest of KVM. There
// is no wall here: the program can reach the monitor's memory.
#pragma once

#include "base/types.h"
#include "dune/arch/x86_64/regs.h"

#include <signal.h>
#include <ucontext.h>

struct vcpu_why;

struct native {
    struct uregs regs;
    u64 kept[8]; // of the monitor, while the program runs: see native_leave
    u8 selector; // 1: system calls are dispatched, which is so while the program runs
    struct vcpu_why *why;
    u64 mask;
    void *alt_stack;
    u64 alt_size;
    u32 xsave_size; // 0: the program begins with the state of the ABI
    u8 xsave[4096] __attribute__((aligned(64)));
};

// Whether this kernel can do it: 0 or -errno.
int native_check(void);
// For the calling thread, which keeps it until it ends. 0 or -errno.
int native_begin(struct native *n);
void native_run(struct native *n, struct vcpu_why *why);
// From a handler of a signal: takes the program's state and goes back to where native_run was
// called.
_Noreturn void native_interrupt(struct native *n, int signal, const siginfo_t *info,
                                ucontext_t *uc);
// Takes registers in the layout of XSAVE; the kernel's marks on the area stay.
void native_set_xsave(struct native *n, const void *area);
