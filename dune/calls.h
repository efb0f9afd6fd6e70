// SPDX-License-Identifier: Apache-2.0
// System calls of the program. Each is found in the table of its architecture, held against the
// policy, its arguments are checked, and then it is handed to the kernel or served here.
#pragma once

#include "base/types.h"

struct thread;

// Results that are none: the registers are already as they should be, or the call is made again
// after the signal that came.
#define CALL_DONE (-100000L)

enum call_group {
    CALL_basic,
    CALL_io,
    CALL_open,
    CALL_read,
    CALL_write,
    CALL_proc,
    CALL_net,
    CALL_ipc,
    CALL_admin,
    CALL_escape,
    CALL_N_GROUPS
};

struct call {
    const char *name;
    const char *arguments; // as the table says
    enum call_group group;
    long (*serve)(struct thread *t, u64 number, u64 a[6]);
};

enum { CALLS_MAX = 512 };

// NULL for a number without a call.
const struct call *calls_find(u64 number);
// The number of a call, or -1.
int calls_number(const char *name);
const char *calls_group_name(enum call_group group);

// Serves the call that the thread's registers hold and puts its result there.
void calls_serve(struct thread *t);

// Hands a call to the kernel; RESTART_CALL when a signal came before.
long calls_forward(struct thread *t, u64 number, const u64 a[6]);
