// SPDX-License-Identifier: Apache-2.0
// What this host offers to programs in guest mode, found out by doing it.
#pragma once

#include "base/types.h"

struct check {
    int kvm_error;     // 0: /dev/kvm works; else errno of what failed
    const char *what;  // what failed
    bool enters_ring0; // `syscall` of a guest enters ring 0; otherwise it stays in ring 3
    bool has_smep;
    u64 chunk_size; // of memory slots
    u64 run_ns;     // of entering a guest and doing nothing
    u64 exit_ns;    // of `syscall` in ring 3, an exit, and back
    int sud_error;  // 0: syscall user dispatch works
    u64 sud_ns;     // of a dispatched call and back
};

void check_host(struct check *c);
