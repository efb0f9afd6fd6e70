// SPDX-License-Identifier: Apache-2.0
// The TLB as instructions see it: entries of two pages, an STLB of one page size and an MTLB of
// any. Reference Manual, volume 1, 5.4.
#pragma once

#include "base/bits.h"

#define TLB_STLB_SETS    256
#define TLB_STLB_WAYS    8
#define TLB_STLB_ENTRIES (TLB_STLB_SETS * TLB_STLB_WAYS) // index = way * sets + set
#define TLB_MTLB_ENTRIES 64
#define TLB_ENTRIES      (TLB_STLB_ENTRIES + TLB_MTLB_ENTRIES)
#define TLB_ASIDS        1024

// Half an entry: TLBELO.
#define PAGE_V      BIT(0)
#define PAGE_D      BIT(1)
#define PAGE_PLV(n) ((u64)(n) << 2)
#define PAGE_SUC    (0ULL << 4)
#define PAGE_CC     (1ULL << 4)
#define PAGE_G      BIT(6)
#define PAGE_NR     BIT(61)
#define PAGE_NX     BIT(62)
#define PAGE_RPLV   BIT(63)
// What most pages have: present, writable, for every level, cached.
#define PAGE_ALL (PAGE_V | PAGE_D | PAGE_PLV(3) | PAGE_CC)

struct tlb_entry {
    u64 va; // of the even page
    unsigned ps, asid;
    u64 elo[2]; // G counts if both have it
};

// By index. Reading tells whether there is an entry; ASID is not changed by it.
void tlb_write(unsigned index, const struct tlb_entry *e);
bool tlb_read(unsigned index, struct tlb_entry *e);
void tlb_remove(unsigned index);
// Where the hardware likes.
void tlb_fill(const struct tlb_entry *e);
// The index of the entry for `va` in the address space `asid`; -1 if there is none.
int tlb_search(u64 va, unsigned asid);

// invtlb with the operation 0 to 6.
void tlb_invalidate(unsigned op, unsigned asid, u64 va);
static inline void tlb_clear(void)
{
    tlb_invalidate(0, 0, 0);
}

unsigned tlb_stlb_ps(void);
void tlb_set_stlb_ps(unsigned ps); // empties the TLB
void tlb_set_asid(unsigned asid);
unsigned tlb_asid(void);

// A pair of pages at `va` in MTLB entry `slot` (0 to 63), mapped to consecutive pages at `pa`.
void tlb_map(unsigned slot, u64 va, u64 pa, unsigned ps, u64 flags);
// One page at `va` in MTLB entry `slot`; the other of its pair is not valid.
void tlb_map_page(unsigned slot, u64 va, u64 pa, unsigned ps, u64 flags);
