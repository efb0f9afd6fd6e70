// SPDX-License-Identifier: Apache-2.0
// What each processor has for itself. $tp points to it.
#pragma once

#include "guest/lib/loongarch64/stack.h"
#include "guest/lib/loongarch64/trap.h"

// Registers that a function keeps for its caller; trap_entry.S knows the offsets.
struct trap_recovery {
    u64 sp, ra, fp, tp, r21;
    u64 s[9];
};

struct percpu {
    unsigned index;

    // trap.c
    struct trap_recovery recovery;
    u64 recovery_prmd;
    bool is_catching;
    struct trap caught;
    trap_handler handlers[128]; // by exception

    // smp.c: work handed to this processor; `work` is cleared when it is done.
    bool is_online;
    void (*work)(void *argument);
    void *argument;
};

static inline struct percpu *this_cpu(void)
{
    struct percpu *p;
    __asm__("move %0, $tp" : "=r"(p));
    return p;
}

struct percpu *percpu_of(unsigned index);
