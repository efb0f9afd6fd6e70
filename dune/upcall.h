// SPDX-License-Identifier: Apache-2.0
// What a handler of a process that entered by itself is called for without leaving the guest.
//
// On x86-64 page faults: a gate of ring 0 returns at once to lib_upcall in ring 3, with the
// processor's frame in the vCPU's page, which this process may see. On LoongArch64 page faults,
// traps and system calls: PLV0 puts the registers there itself.
//
// What cannot be decided there is handed to the monitor by LIB_FAULT: what a handler is not for,
// and what happens between the gate and the program's stack.
#pragma once

#include "base/types.h"

struct thread;

// A handler's frame and what is around it, which is put below a program's stack pointer, is less.
enum { UPCALL_FRAME = 1024 };

// From now on the thread's vCPU does so. 0, -ENOMEM or -EIO.
int upcall_enable(struct thread *t);
// The same for what is not a page fault, where that does not go by way of the monitor.
int upcall_enable_for_all(struct thread *t);
// A handler was set or taken back. 0 or -ENOMEM.
int upcall_handlers_changed(struct thread *t);
// LIB_FAULT: the registers are in the vCPU's page, or still the vCPU's. CALL_DONE or -ENOSYS.
long upcall_take(struct thread *t, bool is_saved);
// Whether a handler runs that was called in this way, or by the monitor, which says so.
bool upcall_in_handler(const struct thread *t);
void upcall_set_in_handler(struct thread *t, bool on);
// Between the gate and the program's stack there is no room for a frame: a signal has to wait, and
// the guest asks for it when it is through.
bool upcall_defers_signal(struct thread *t);
// LIB_RESUME: true when the registers are those of the vCPU's page, and the thread has them now.
bool upcall_resume(struct thread *t);
// Something other than memory that nothing had touched yet stopped the thread between the gate and
// the handler. It goes on if its stack could grow. Else the handler cannot be called, and what it
// was to be called for is a signal. False when the thread was not there.
bool upcall_breaks(struct thread *t);
