// SPDX-License-Identifier: Apache-2.0
// The program on the host's own processor: system calls come back by syscall user dispatch, and
// everything else that interrupts it by signals. The same loop serves it as a guest of KVM. There
// is no wall here: the program can reach the monitor's memory.
//
// `struct native` is the architecture's; `alt_stack` and `alt_size` are to be set, `selector` is 1
// while the program runs, and `mask` is what it blocks.
#pragma once

#include "base/types.h"
#include "dune/arch.h"

struct vcpu_why;

// Whether it can be done here: 0 or -errno.
int native_check(void);
// For the calling thread, which keeps it until it ends. 0 or -errno.
int native_begin(struct native *n);
void native_run(struct native *n, struct vcpu_why *why);
// From a handler of a signal: takes the program's state and goes back to where native_run was
// called.
_Noreturn void native_interrupt(struct native *n, int signal, const siginfo_t *info,
                                ucontext_t *uc);
// What one call takes on the way to a handler and back, in nanoseconds; 0 where that cannot be.
u64 native_time(int rounds);
