// SPDX-License-Identifier: Apache-2.0
// A process of the guest: what its threads share besides memory. A child of vfork has its own
// while it shares the space.
#pragma once

#include "base/types.h"
#include "dune/arch.h"
#include "dune/hidden.h"
#include "dune/raw.h"

struct lib;
struct space;
struct policy;
struct thread;

enum { N_SIGNALS = 64 };

// Counted over all processes that come from one `lh enter`.
struct stats {
    _Atomic u64 exits, calls, faults, signals, threads, forks, execs, refused;
    _Atomic u64 of_call[512];
};

// What the user chose; survives the execution of another program.
struct settings {
    struct hidden hidden;
    int kvm_fd, self_fd;         // hidden; self_fd is this program
    int trace_fd;                // hidden, or -1
    int stats_fd;                // hidden, or -1
    int policy_fd;               // hidden, or -1
    int root_pid;                // the process that the user started
    int door;                    // the way out of the guest that was chosen, or 0
    bool is_native;              // the program runs on the host's processor, without KVM
    bool is_again;               // this is a program that another one executed
    struct stats *stats;         // NULL: nobody asked
    const struct policy *policy; // NULL: everything that can be forwarded is
    char exe[4096];              // what the program sees as its own file
};

struct process {
    struct settings *settings; // borrowed
    struct space *space;       // borrowed
    struct lib *lib;           // of a process that entered by itself, or NULL
    struct lock lock;          // of the actions
    struct action actions[N_SIGNALS + 1];
    _Atomic(struct thread *) threads; // memory of threads, free or not
    _Atomic u32 n_threads;
    int pid;
    int virtual_timer,
        virtual_timer_pid; // where ITIMER_VIRTUAL is not the kernel's; of that process
};

#define COUNT(settings, what)                                                         \
    do {                                                                              \
        if ((settings)->stats)                                                        \
            __atomic_fetch_add((u64 *)&(settings)->stats->what, 1, __ATOMIC_RELAXED); \
    } while (0)
