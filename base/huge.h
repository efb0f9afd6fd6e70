// SPDX-License-Identifier: Apache-2.0
// Large pieces of memory: the host gives them in huge pages where it can, which makes their first
// touch several times cheaper.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

// Memory of `size` bytes at `p` that nothing was written to yet. What does not help is let be.
static inline void huge_advise(void *p, size_t size)
{
    uintptr_t first = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)p + size) & ~(HUGE_PAGE - 1);
    if (end > first)
        (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
}
