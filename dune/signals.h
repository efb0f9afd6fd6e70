// SPDX-License-Identifier: Apache-2.0
// Signals of the guest.
//
// The kernel keeps the program's mask and, for what the program has no handler for, its default
// or ignoring action: pending signals, stopping, ending and what a parent is told are the
// kernel's. For each signal with a handler of the program's, a handler of ours is installed. It
// notes the signal in the thread, blocks everything and leaves the guest or the call that is being
// forwarded; the monitor then builds the frame in which the program's handler runs, and opens the
// mask again. So there is never more than one signal noted.
#pragma once

#include "base/types.h"

struct action;
struct process;
struct thread;

// Reads what this process was started with. Signals are blocked when it returns; `*mask` was the
// mask before.
void signals_init(struct process *p, u64 *mask);

// For a process that enters guest mode while it runs: the kernel's actions become the program's,
// and back. Other threads' signals go to the program's handlers as ever.
void signals_take_over(struct process *p, u64 *mask);
void signals_give_back(struct process *p);

// Delivers what was noted; returns with the program's mask in force and nothing noted.
void signals_deliver(struct thread *t);
// A signal that the program itself caused: delivered whether blocked or not.
void signals_force(struct thread *t, int signal, int code, u64 address);
// Ends the process as that signal does.
_Noreturn void signals_die(int signal);

void signals_block_all(void);
void signals_use_mask(const struct thread *t);
// What the child of a process begins with when it asked for default actions.
void signals_reset(struct process *p);

// System calls.
long signals_action(struct thread *t, int signal, u64 action, u64 old, u64 size);
long signals_change_mask(struct thread *t, int how, u64 set, u64 old, u64 size);
long signals_alt_stack(struct thread *t, u64 stack, u64 old);
long signals_return(struct thread *t);
