// SPDX-License-Identifier: Apache-2.0
// The monitor's own file descriptors. They have numbers that the program cannot name: programs
// close all descriptors that they can think of, and duplicate onto numbers that they like.
#pragma once

#include "base/types.h"

enum { HIDDEN_MAX = 1040 };

struct hidden {
    int first, end; // the numbers that are ours
};

// Chooses the numbers, raising the limit of open files if need be. 0 or -errno.
int hidden_init(struct hidden *h);
// Moves a descriptor among them, closed when a program is executed. Its number or -errno, in which
// case it is closed.
int hidden_move(const struct hidden *h, int fd);

// The program may have lowered the limit, which is not meant for us: raises it for a moment.
bool hidden_raise_limit(const struct hidden *h, u64 saved[2]);
void hidden_restore_limit(const u64 saved[2]);

static inline bool hidden_has(const struct hidden *h, u64 fd)
{
    return (int)fd >= h->first && (int)fd < h->end;
}
