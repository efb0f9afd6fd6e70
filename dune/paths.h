// SPDX-License-Identifier: Apache-2.0
// Files by name: /proc/self/exe is the program, and under a policy every name is judged by what it
// leads to.
#pragma once

#include "base/types.h"

struct thread;
struct paths_how {
    u64 flags, mode, resolve;
};

// Whether the text at that address names the program's own file as the kernel would know it.
bool paths_is_own_file(struct thread *t, u64 path);

// openat with its arguments; openat2 with what its structure says.
long paths_open(struct thread *t, const u64 a[6]);
long paths_open2(struct thread *t, const u64 a[6], const struct paths_how *how);
// Any other call: which arguments are descriptors of directories (-1: the working directory) and
// which are paths (-1: none), two of each.
long paths_call(struct thread *t, u64 number, const u64 a[6], const int fds[2], const int paths[2]);
// Whether the policy lets that file, which is open, be changed: 0 or -errno.
long paths_judge_fd(struct thread *t, u64 fd);
// Under a policy: a descriptor of the monitor's for a file that may be executed, or -errno.
int paths_open_exec(struct thread *t, const char *path);
// Whether the policy lets that file be executed: 0 or -errno.
long paths_judge_exec(struct thread *t, const char *path);
