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

// Of the architecture. In native_entry.S: the first keeps the monitor's registers in `kept` and
// returns from a signal to what the frame says; the second goes back to where the first was called.
// Between the labels calls are not dispatched.
void native_enter(u64 *kept, void *frame);
_Noreturn void native_leave(const u64 *kept);
extern const char native_allowed[], native_allowed_end[];
// The program's registers, of a handler's context.
void native_take(struct native *n, const ucontext_t *uc);
// getppid with a selector that a handler finds, and what that does: the call gives 0.
void native_call(volatile u8 *selector);
volatile u8 *native_answer(ucontext_t *uc);
