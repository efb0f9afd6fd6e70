// SPDX-License-Identifier: Apache-2.0
// Which guest-physical addresses a VM gives to the process's memory. Memory is made known to KVM
// in chunks, when something in a chunk is first mapped, and never taken back: adding a slot costs
// microseconds, and on hosts with shadow page tables the kernel pays ten bytes for each page of
// one. Chunks get guest-physical addresses one after the other, so that processors with few
// address bits will do.
#pragma once

#include "base/types.h"
#include "dune/arch.h"

enum { SLOTS_MAX = 4096 };
// Below it nothing is, which makes doors; and processors have registers of their own below 4 GiB.
#define SLOTS_FIRST_GPA 0x100000000ULL

struct slot {
    u64 hva, size, gpa;
};

struct slots {
    u64 chunk_size; // a power of two
    u64 next_gpa;
    u32 n;
    // Tells KVM of a slot; 0 or -errno. NULL in tests.
    int (*add)(void *opaque, u32 index, const struct slot *s);
    void *opaque;
    struct slot list[SLOTS_MAX];
};

void slots_init(struct slots *s, u64 chunk_size, int (*add)(void *, u32, const struct slot *),
                void *opaque);

// The guest-physical address of a host address, adding the slot of its chunk if need be; 0 when
// there can be no more.
u64 slots_gpa(struct slots *s, u64 hva);
// Adds a slot for exactly this range, which no chunk may touch. 0 or -errno.
int slots_add(struct slots *s, u64 hva, u64 size);
// The slot that holds the address, or NULL.
const struct slot *slots_find(const struct slots *s, u64 hva);
// Makes all slots known again, to another VM. 0 or -errno.
int slots_replay(struct slots *s);
