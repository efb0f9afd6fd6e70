// SPDX-License-Identifier: Apache-2.0
// What this host offers to programs in guest mode, found out by doing it.
#pragma once

#include "base/types.h"

enum { CHECK_DOORS = 3 };

struct check_door {
    const char *name;
    u64 exit_ns;
};

struct check {
    int kvm_error;      // 0: /dev/kvm works; else errno of what failed
    const char *what;   // what failed
    bool enters_kernel; // system calls of a guest enter its kernel, and leave it from there
    const char *way;    // the same, for people
    u64 chunk_size;     // of memory slots
    u64 run_ns;         // of entering a guest and doing nothing
    u64 exit_ns;        // of a system call of a program, an exit, and back
    struct check_door doors[CHECK_DOORS]; // ways out of a guest that work, where one can choose
    int n_doors;
    int sud_error; // 0: syscall user dispatch works
    u64 sud_ns;    // of a dispatched call and back
};

void check_host(struct check *c);
