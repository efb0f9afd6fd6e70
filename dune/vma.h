// SPDX-License-Identifier: Apache-2.0
// What is mapped where in the guest's part of the address space: the monitor's own account of
// ranges and protections, from which page tables are filled and gaps are chosen. It is kept in
// step with the kernel by whoever forwards a call that changes mappings. Pure bookkeeping.
#pragma once

#include "base/types.h"

struct vma {
    u64 start, end; // multiples of the page size, start < end
    u32 prot;       // PROT_READ | PROT_WRITE | PROT_EXEC
};

// Sorted, without overlaps; neighbours with equal protection are one range.
struct vma_map {
    struct vma *list;
    u64 n, capacity;
};

void vma_free(struct vma_map *m);

// Each changes what is known of [start, end) and gives false when memory runs out, with the map as
// it was.
bool vma_set(struct vma_map *m, u64 start, u64 end, u32 prot);
bool vma_clear(struct vma_map *m, u64 start, u64 end);
// Ranges of [from, from + size) appear at `to` with their protections; what was at `to` is gone.
// The old place stays as it is. The two must not overlap.
bool vma_copy(struct vma_map *m, u64 from, u64 size, u64 to);

// The range that holds `at`, or the next one above it, or NULL.
const struct vma *vma_at_or_above(const struct vma_map *m, u64 at);
// The range that holds `at`, or NULL.
const struct vma *vma_find(const struct vma_map *m, u64 at);
// Whether every page of [start, end) is mapped, or none.
bool vma_covers(const struct vma_map *m, u64 start, u64 end);
bool vma_is_free(const struct vma_map *m, u64 start, u64 end);

// The highest free range of that size that lies within [low, high), at a multiple of `align` (a
// power of two), or 0.
u64 vma_gap_below(const struct vma_map *m, u64 low, u64 high, u64 size, u64 align);
