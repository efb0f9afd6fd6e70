// SPDX-License-Identifier: Apache-2.0
// The lock and the pages that monitor threads use in place of the C library's.
#include "dune/raw.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>

void lock_take(struct lock *l)
{
    u32 expected = 0;
    if (atomic_compare_exchange_strong_explicit(&l->state, &expected, 1, memory_order_acquire,
                                                memory_order_relaxed))
        return;
    while (atomic_exchange_explicit(&l->state, 2, memory_order_acquire))
        raw(SYS_futex, &l->state, FUTEX_WAIT, 2, 0);
}

void lock_drop(struct lock *l)
{
    if (atomic_exchange_explicit(&l->state, 0, memory_order_release) == 2)
        raw(SYS_futex, &l->state, FUTEX_WAKE, 1);
}

void *raw_pages(u64 size)
{
    long at = raw(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return raw_failed(at) ? NULL : (void *)at;
}

void raw_pages_free(void *pages, u64 size)
{
    if (pages)
        raw(SYS_munmap, pages, size);
}
