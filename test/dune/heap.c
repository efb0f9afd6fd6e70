// SPDX-License-Identifier: Apache-2.0
#include "test/dune/heap.h"

#include <string.h>

_Atomic int n_faults;
u8 *heap;

u8 *heap_map(u64 size)
{
    u8 *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void heap_give(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    frame->rights = PROT_READ | PROT_WRITE;
}

bool heap_begin(dune_fault_fn *handler)
{
    heap = heap_map(HEAP);
    memset(heap, 1, HEAP);
    n_faults = 0;
    int ret = dune_enter();
    if (ret) {
        printf("# dune_enter: %d\n", ret);
        return false;
    }
    dune_on_fault(handler, NULL);
    dune_protect(heap, HEAP, PROT_READ | PROT_WRITE); // rights are an address's: others had these
    dune_protect(heap, PAGE, PROT_READ);
    heap[0] = 2;
    return true;
}

void heap_end(void)
{
    dune_on_fault(NULL, NULL);
    dune_leave();
    munmap(heap, HEAP);
}

u64 heap_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}
