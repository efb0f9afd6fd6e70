// SPDX-License-Identifier: Apache-2.0
// A thread of the guest, which is a thread of the host. While it is in the monitor it runs on a
// stack of the monitor's, at whose lowest address this structure lies: that is how code that
// interrupts the monitor finds it.
#pragma once

#include "base/types.h"
#include "dune/vcpu.h"
#include "dune/lib.h"
#include "dune/process.h"

#include <signal.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

enum { THREAD_STACK = 256 << 10 };

struct thread {
    _Atomic u32 is_used; // 0: the memory may serve another thread
    struct process *process;
    struct vcpu_state vcpu;
    struct uregs *regs;   // of the program; KVM's copy of them
    u64 mask;             // signals that the program blocks
    _Atomic int taken;    // a signal that came and waits to be delivered, or 0
    siginfo_t info;       // of that signal
    u64 alt_sp, alt_size; // the alternate stack
    u32 alt_flags;
    int tid;
    bool borrows;         // the vCPU is that of a parent that waits
    bool resets_signals;  // begins with default actions
    void *scratch, *plan; // what exec uses; freed by the parent when a child of vfork is gone
    u64 scratch_size, plan_size;
    struct lib_thread lib;   // of a process that entered by itself
    u64 tls;                 // of a thread that has not begun
    u64 bus_exits, bus_tries; // when the host could not reach something last, and how often
    struct native native;    // used where there is no vCPU
    struct thread *next;     // of all stacks that were ever made
};

// Memory for a thread, used again when one has ended; NULL when there is none.
struct thread *thread_new(struct process *p);
// What has not run yet, or has stopped running, is given back.
void thread_free(struct thread *t);
// Makes it one that runs on the host's processor.
bool thread_be_native(struct thread *t);
void *thread_stack_top(struct thread *t);

// The thread whose monitor stack this code runs on.
static inline struct thread *thread_self(void)
{
    return (struct thread *)((u64)__builtin_frame_address(0) & ~(u64)(THREAD_STACK - 1));
}

// Runs the program until the thread ends.
_Noreturn void thread_run(struct thread *t);
// Ends the calling thread alone, or all of the process.
_Noreturn void thread_exit(struct thread *t, int status);
_Noreturn void thread_exit_process(struct thread *t, int status);

// Memory of the guest from the monitor: whole or not at all, 0 or -EFAULT.
int guest_read(void *to, u64 from, u64 size);
int guest_write(u64 to, const void *from, u64 size);
// A stack that the kernel lets grow does so when a thread touches it, as which neither a guest's
// access counts nor the monitor's. True when there is memory now at an address that had none.
bool guest_grow_stack(u64 at);
// A text with its zero, at most `size` bytes; its length or -EFAULT, -ENAMETOOLONG.
long guest_text(char *to, u64 from, u64 size);
