// SPDX-License-Identifier: Apache-2.0
// Entries that had to make room in a TLB and match all the same, with -cpu tlb=never-evict: what
// hardware with a larger TLB would still have. Software that forgets to invalidate is found out.
//
// They have no index: tlbsrch puts the one that it finds back into the TLB. The owning thread's.
#pragma once

#include "cpu/loongarch64/state.h"

#define LA_TLB_STORE_MAX 65536 // entries; more displace the oldest, which is told once

// `t` leaves the TLB to make room. Older entries that would match the same addresses go.
void la_tlb_store_put(struct la_cpu *c, struct la_tlb *tlb, const struct la_tlb_entry *t);
// The entry of this space for `va`, or NULL. An entry is of a space if `gid` and either `has_asid` is
// not set, or it is global, or of this ASID.
struct la_tlb_entry *la_tlb_store_find(const struct la_tlb *tlb, u64 va, unsigned gid, bool has_asid,
                                       unsigned asid);
// The entries one after the other; *i is 0 at first. NULL: there are no more. The one that came last
// may be forgotten.
struct la_tlb_entry *la_tlb_store_next(const struct la_tlb *tlb, u32 *i);
bool la_tlb_store_has(const struct la_tlb *tlb, const struct la_tlb_entry *t); // t points into it
void la_tlb_store_forget(struct la_tlb *tlb, struct la_tlb_entry *t);
void la_tlb_store_clear(struct la_tlb *tlb);
void la_tlb_store_free(struct la_tlb *tlb);
