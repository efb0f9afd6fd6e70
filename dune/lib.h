// SPDX-License-Identifier: Apache-2.0
// The library's side of the monitor: what a process that entered guest mode by itself asks of it,
// by system calls with numbers that Linux does not have.
#pragma once

#include "base/types.h"
#include "dune/pagetable.h"

struct process;
struct settings;
struct thread;
struct vcpu_why;

enum { LIB_SPACES = 16, LIB_PRIVILEGED = LIB_SPACES, LIB_CALLS = 512 };

enum lib_call {
    LIB_FIRST = 0x4c480000,
    LIB_ACTIVE = LIB_FIRST,
    LIB_LEAVE,
    LIB_PROTECT,
    LIB_ON_FAULT,
    LIB_ON_CALL,
    LIB_RESUME,
    LIB_DIRTY_BEGIN,
    LIB_DIRTY_COLLECT,
    LIB_DIRTY_END,
    LIB_SPACE_NEW,
    LIB_SPACE_PROTECT,
    LIB_SPACE_FREE,
    LIB_SPACE_CALL,
    LIB_SPACE_RETURN,
    LIB_FAULT,
    LIB_FAULT_SAVED,
    LIB_ON_TRAP,
    LIB_END_HANDLER,
    LIB_EXITS,
    LIB_PRIVILEGED_CALL,
    LIB_END
};

// A handler in the program, and the code of the library that calls it.
struct lib_handler {
    u64 function, opaque, trampoline;
};

struct lib {
    struct lib_handler on_fault, on_trap;
    struct lib_handler on_call[LIB_CALLS];
    u64 dirty_at, dirty_size; // size 0: no log
    u64 *written;             // one bit per page: what the kernel wrote for the program
    struct pagetable spaces[LIB_SPACES];
    bool has_space[LIB_SPACES];
};

// Of one thread.
struct lib_thread {
    bool in_handler;
    int space; // in whose compartment it runs, or LIB_PRIVILEGED, or 0
    struct uregs caller;
    u64 result_at;
};

// Serves a call of a process of the library's: its own, or the program's.
void lib_serve(struct thread *t);
// A page fault; false when a signal has to follow.
bool lib_fault(struct thread *t, const struct vcpu_why *why);
// Whether a signal has to wait: the thread is on its way to a handler, or has privileges.
bool lib_defers_signal(struct thread *t);
// Another exception; false when a signal has to follow.
bool lib_trap(struct thread *t, const struct vcpu_why *why);
// The thread did something that ends a compartment; false when it is in none.
bool lib_end_compartment(struct thread *t);

// lib_dirty.c
long lib_dirty_begin(struct thread *t, u64 at, u64 size);
long lib_dirty_collect(struct thread *t, u64 bitmap);
long lib_dirty_end(struct thread *t);
// A call was made: what the kernel wrote by it counts as written.
void lib_dirty_note(struct thread *t, u64 number, const u64 a[6], long result);

// lib_space.c
long lib_space_new(struct thread *t);
long lib_space_protect(struct thread *t, u64 space, u64 at, u64 size, u64 rights);
long lib_space_free(struct thread *t, u64 space);
long lib_space_call(struct thread *t, const u64 a[6]);
// A function of the program with the privileges of the guest's kernel.
long lib_privileged_call(struct thread *t, const u64 a[6]);
long lib_space_return(struct thread *t, u64 value, long status);
// A page fault in a compartment: whether it was memory that nothing had touched yet.
bool lib_space_fault(struct thread *t, u64 address);
// Rights of [at, at + size) in some tables, and whatever was derived from them is dropped.
long lib_set_rights(struct thread *t, struct pagetable *pt, u64 at, u64 size, u64 rights);
