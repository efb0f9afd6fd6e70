// SPDX-License-Identifier: Apache-2.0
// The monitor's own file descriptors. They have numbers that the program cannot name: programs
// close all descriptors that they can think of, and duplicate onto numbers that they like.
//
// They are above the program's limit of open files, so that the kernel gives it none of these
// numbers; whatever needs one has the limit raised for a moment. The hard limit has to stay above
// them and is the monitor's; the program's is an account.
#pragma once

#include "base/types.h"
#include "dune/raw.h"

enum { HIDDEN_MAX = 1040 };

struct hidden {
    int first, end;   // the numbers that are ours
    u64 hard;         // what the program is told that its hard limit is
    struct lock lock; // held while the limit is raised; whoever forks or executes holds it
};

// Chooses the numbers. 0 or -errno.
int hidden_init(struct hidden *h);
// Lowers the limit of open files to what leaves the numbers alone. 0 or -errno.
int hidden_begin(const struct hidden *h);
// Moves a descriptor among them, closed when a program is executed. Its number or -errno, in which
// case it is closed.
int hidden_move(struct hidden *h, int fd);
// A duplicate among them: its number or -errno.
long hidden_copy(struct hidden *h, int fd, bool closes_on_exec);

// Raises the limit, and takes the lock until it is restored; false, without the lock, when it
// cannot be raised.
bool hidden_raise_limit(struct hidden *h, u64 saved[2]);
void hidden_restore_limit(struct hidden *h, const u64 saved[2]);
// The program sets its limits, soft and hard: 0 or -errno.
long hidden_change_limit(struct hidden *h, const u64 wanted[2]);

static inline bool hidden_has(const struct hidden *h, u64 fd)
{
    return (int)fd >= h->first && (int)fd < h->end;
}
