// SPDX-License-Identifier: Apache-2.0
// Whether a call's arguments stay within what is the program's. The kernel acts for the monitor,
// which may touch its own memory and use its own descriptors: what the program must not reach has
// to be refused here, whoever the kernel thinks is asking.
#pragma once

#include "base/types.h"

struct hidden;

// By the kinds of the table; see calls_*.def. 0, -EFAULT or -EBADF.
long arguments_check(const struct hidden *h, const char *kinds, const u64 a[6]);

// The kind of the next argument and, for memory, the argument that says how much there is; 0 at
// the end of the list.
char arguments_next(const char **kinds, u32 *size_at);
