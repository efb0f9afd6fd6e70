// SPDX-License-Identifier: Apache-2.0
// Page faults of a process that entered by itself, which its handler is called for without leaving
// the guest: a gate of ring 0 returns at once to lib_upcall in ring 3, with the processor's frame
// in the vCPU's page, which this process may see.
//
// An architecture that does not do so has the same functions: upcall_enable and upcall_take give
// -ENOSYS, no signal waits, and a handler runs when the monitor called it (lib.in_handler).
//
// What cannot be decided there is handed to the monitor by LIB_FAULT: faults that a handler is not
// for, and those that happen between the gate and the program's stack.
#pragma once

#include "base/types.h"

struct thread;

// From now on the thread's vCPU does so. 0, -ENOSYS, -ENOMEM or -EIO.
int upcall_enable(struct thread *t);
// LIB_FAULT: the registers are in the vCPU's page, or still the vCPU's. CALL_DONE or -ENOSYS.
long upcall_take(struct thread *t, bool is_saved);
// Whether a handler runs that was called in this way, or by the monitor, which says so.
bool upcall_in_handler(const struct thread *t);
void upcall_set_in_handler(struct thread *t, bool on);
// Between the gate and the program's stack there is no room for a frame: a signal has to wait, and
// the guest asks for it when it is through.
bool upcall_defers_signal(struct thread *t);
