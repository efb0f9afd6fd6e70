// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/types.h"
#include "dune/arch/loongarch64/regs.h"

#include <signal.h>

struct vcpu_why;

// As KVM_GET_FPU has it: four words of each register, of which FP uses one and LSX two.
struct vcpu_extra {
    u32 fcsr;
    u64 fcc;
    u64 regs[32][4];
};

struct native {
    struct uregs regs;
    struct vcpu_extra extra;
    u64 kept[12]; // of the monitor, while the program runs: see native_leave
    u8 selector;  // 1: system calls are dispatched
    struct vcpu_why *why;
    u64 mask;
    void *alt_stack;
    u64 alt_size;
};

// Bits of EUEN that may be on.
u32 native_units(void);
// What handlers return to, where the program runs on the host's processor.
extern const char native_sigreturn[];
