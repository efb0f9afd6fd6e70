// SPDX-License-Identifier: Apache-2.0
// raw(number, argument...) is a system call with up to six arguments; it gives the result or
// -errno. `lock_` is a mutex on a futex for threads that have no C library under them.
#pragma once

#include "base/types.h"

#include "dune/arch.h"

#include <sys/syscall.h>

#define RAW_PICK(nr, a, b, c, d, e, f, ...) \
    raw_six((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define raw(...)        RAW_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define raw_failed(ret) ((unsigned long)(ret) > -4096UL)

struct lock {
    _Atomic u32 state; // 0 free, 1 taken, 2 taken and somebody waits
};

// Not recursive. A child of fork inherits the state: whoever forks holds the lock meanwhile.
void lock_take(struct lock *l);
void lock_drop(struct lock *l);

// Whole pages, zeroed, above everything that a guest may name; NULL when there are none.
void *raw_pages(u64 size);
void raw_pages_free(void *pages, u64 size);
