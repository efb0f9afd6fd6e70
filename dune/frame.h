// SPDX-License-Identifier: Apache-2.0
// The frame in which a handler of the program's runs, as Linux lays it out on x86-64.
#pragma once

#include "base/types.h"

#include <signal.h>

struct action;
struct thread;

// What the program's context says of an exception.
struct frame_trap {
    u32 vector, error;
    u64 address;
};

// Writes the frame and makes the thread go on in the handler. 0, or -EFAULT when the stack cannot
// take it, with the thread as it was.
int frame_push(struct thread *t, const siginfo_t *info, const struct action *a,
               const struct frame_trap *trap);
// Takes the thread back to what the frame at its stack pointer says, and its mask. 0 or -EFAULT.
int frame_pop(struct thread *t);
