// SPDX-License-Identifier: Apache-2.0
// Which entries of a TLB stay: -cpu tlb= and tlb-keep=. Software may not know, so each choice is
// one that hardware could make; with the unusual ones what relies on luck fails.
#include "cpu/loongarch64/tlb.h"
#include "cpu/loongarch64/tlb_store.h"

#define N_NEWEST 8 // an instruction and its operands need no more, through both stages

u32 la_tlb_random(struct la_cpu *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 17;
    c->random ^= c->random << 5;
    return c->random;
}

// How many of the entries filled last do not go; 0: nobody counts.
static u32 n_kept(const struct la_cpu *c)
{
    bool goes = c->lvz.tlb == LA_EVICT_ALWAYS || c->lvz.tlb == LA_EVICT_RANDOM;
    return c->lvz.tlb_keep ? c->lvz.tlb_keep : goes ? N_NEWEST : 0;
}

static bool is_newest(const struct la_tlb *tlb, u32 n, unsigned i)
{
    for (u32 k = 0; k < n; k++)
        if (tlb->filled[k] == i)
            return true;
    return false;
}

static void drop_all_but_newest(struct la_cpu *c, struct la_tlb *tlb, u32 n)
{
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
        if (tlb->entries[i].exists && !is_newest(tlb, n, i))
            la_tlb_drop(c, tlb, &tlb->entries[i]);
}

// Most often nothing goes, sometimes one entry, now and then nearly all.
static void drop_some(struct la_cpu *c, struct la_tlb *tlb, u32 n)
{
    u32 lot = la_tlb_random(c) % 1024;
    unsigned i = la_tlb_random(c) % LA_TLB_ENTRIES;
    if (!lot)
        drop_all_but_newest(c, tlb, n);
    else if (lot < 256 && !is_newest(tlb, n, i))
        la_tlb_drop(c, tlb, &tlb->entries[i]);
}

void la_tlb_filled(struct la_cpu *c, struct la_tlb *tlb, unsigned i)
{
    u32 n = n_kept(c);
    if (likely(!n))
        return;
    u16 *slot = &tlb->filled[tlb->n_filled++ % n], old = *slot;
    *slot = (u16)i;
    if (c->lvz.tlb == LA_EVICT_RANDOM)
        drop_some(c, tlb, n);
    else if (!is_newest(tlb, n, old))
        la_tlb_drop(c, tlb, &tlb->entries[old]);
}

void la_tlb_make_room(struct la_cpu *c, struct la_tlb *tlb, unsigned i)
{
    if (unlikely(c->lvz.tlb == LA_EVICT_NEVER) && tlb->entries[i].exists)
        la_tlb_store_put(c, tlb, &tlb->entries[i]);
}

// A refill is no occasion: an instruction may need several before it can be executed.
void la_tlb_guest_left(struct la_cpu *c, bool by_refill)
{
    if (likely(c->lvz.tlb != LA_EVICT_ALWAYS && c->lvz.tlb != LA_EVICT_RANDOM) || by_refill)
        return;
    if (c->lvz.tlb == LA_EVICT_RANDOM && la_tlb_random(c) % 4)
        return;
    for (unsigned kind = LA_TLB_STAGE1; kind < LA_N_TLBS; kind++)
        for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
            if (c->tlb[kind].entries[i].exists)
                la_tlb_forget(&c->tlb[kind], &c->tlb[kind].entries[i]);
    la_mmu_flush(c);
}
