// SPDX-License-Identifier: Apache-2.0
// The three kinds of TLB entries alike: the root's own, and a guest's of the first and the second
// stage. And in plain C what each invalidation is about, for tests to compare with.
#pragma once

#include "guest/lib/loongarch64/lvz.h"

enum lvz_tlb { LVZ_ROOT, LVZ_STAGE1, LVZ_STAGE2, LVZ_N_TLBS };

// All from the root; `gid` counts for the guests' two. Reading tells whether there is an entry, for
// the second stage one of that guest; searching gives -1 for none. GCSR.ASID and TLBIDX change.
void lvz_tlb_write(enum lvz_tlb kind, unsigned gid, unsigned index, const struct tlb_entry *e);
void lvz_tlb_remove(enum lvz_tlb kind, unsigned gid, unsigned index); // not of the second stage
void lvz_tlb_fill(enum lvz_tlb kind, unsigned gid, const struct tlb_entry *e);
bool lvz_tlb_read(enum lvz_tlb kind, unsigned gid, unsigned index, struct tlb_entry *e);
int lvz_tlb_search(enum lvz_tlb kind, unsigned gid, unsigned asid, u64 va);

static inline bool lvz_is_global(const struct tlb_entry *e)
{
    return e->elo[0] & e->elo[1] & PAGE_G;
}

static inline bool lvz_covers(const struct tlb_entry *e, u64 va)
{
    return ((e->va ^ va) & BITS(47, 0)) >> (e->ps + 1) == 0;
}

static inline unsigned lvz_stlb_set(u64 va, unsigned ps)
{
    return (unsigned)(va >> (ps + 1) & (TLB_STLB_SETS - 1));
}

// An invtlb: by the guest `gid`, or by the root, then with GTLBC.TGID = target.
struct lvz_invalidation {
    unsigned op, gid, asid, target;
    u64 va;
    bool by_guest;
};

// Whether the operation names the entry, so that it must be gone afterwards.
bool lvz_invalidation_names(const struct lvz_invalidation *o, enum lvz_tlb kind, unsigned gid,
                            const struct tlb_entry *e);
static inline bool lvz_invalidation_exists(unsigned op)
{
    return op <= 6 || (op >= 9 && op <= 0xe) || (op >= 0x10 && op <= 0x16);
}
