// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/types.h"
#include "dune/arch/x86_64/regs.h"

#include <signal.h>

struct vcpu_why;

struct native {
    struct uregs regs;
    u64 kept[8]; // of the monitor, while the program runs: see native_leave
    u8 selector; // 1: system calls are dispatched
    struct vcpu_why *why;
    u64 mask;
    void *alt_stack;
    u64 alt_size;
    u32 xsave_size; // 0: the program begins with the state of the ABI
    u8 xsave[4096] __attribute__((aligned(64)));
};

// Takes registers in the layout of XSAVE; the kernel's marks on the area stay.
void native_set_xsave(struct native *n, const void *area);
