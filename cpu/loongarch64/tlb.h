// SPDX-License-Identifier: Apache-2.0
// Between the files tlb*.c only.
#pragma once

#include "cpu/loongarch64/state.h"

bool la_is_page_size(const struct la_cpu *c, unsigned ps);
unsigned la_stlb_page_size(const struct la_tlb_view *v);
unsigned la_stlb_set(const struct la_tlb_view *v, u64 va);
u64 la_pair_of(u64 va, unsigned ps); // the address of the pair of pages that holds va
bool la_tlb_covers(const struct la_tlb_entry *t, u64 va);

unsigned la_mtlb_size(const struct la_cpu *c, const struct la_tlb *tlb); // of entries in use

// Replaces entry i.
void la_tlb_put(struct la_cpu *c, const struct la_tlb_view *v, unsigned i,
                const struct la_tlb_entry *t);
// Which entries stay (tlb_evict.c). Before entry i is replaced by one that is filled in; after entry i
// was filled; after a guest was left.
void la_tlb_make_room(struct la_cpu *c, struct la_tlb *tlb, unsigned i);
void la_tlb_filled(struct la_cpu *c, struct la_tlb *tlb, unsigned i);
u32 la_tlb_random(struct la_cpu *c);
// The index of an entry that was found, which comes back from the store for that.
unsigned la_tlb_index(struct la_cpu *c, const struct la_tlb_view *v, struct la_tlb_entry *t);
// Removes an entry; what is cached from it stays, the caller sees to that.
void la_tlb_forget(struct la_tlb *tlb, struct la_tlb_entry *t);
