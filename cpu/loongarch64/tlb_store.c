// SPDX-License-Identifier: Apache-2.0
// A hash table by page size and number of the pair of pages, in chains of indices.
#include "cpu/loongarch64/tlb_store.h"
#include "base/bug.h"
#include "cpu/loongarch64/tlb.h"

#include <stdlib.h>
#include <string.h>

#define N_CHAINS 8192
#define NONE     (~0u)

struct la_tlb_store {
    struct la_tlb_entry entry[LA_TLB_STORE_MAX];
    u32 next[LA_TLB_STORE_MAX];
    u32 chain[N_CHAINS];
    u32 n_used; // entries up to here were in use
    u32 n_put;  // all that ever came, where the oldest is
    u64 sizes;  // bit per page size that was ever there
    bool has_told;
};

static unsigned chain_of(u64 va, unsigned ps)
{
    u64 key = (va & BITS(47, 0)) >> (ps + 1);
    return (unsigned)((key ^ key >> 13 ^ ps * 37) % N_CHAINS);
}

void la_tlb_store_clear(struct la_tlb *tlb)
{
    struct la_tlb_store *s = tlb->store;
    if (!s)
        return;
    memset(s->chain, 0xff, sizeof(s->chain));
    s->n_used = s->n_put = 0;
    s->sizes = 0;
}

void la_tlb_store_free(struct la_tlb *tlb)
{
    free(tlb->store);
    tlb->store = NULL;
}

bool la_tlb_store_has(const struct la_tlb *tlb, const struct la_tlb_entry *t)
{
    const struct la_tlb_store *s = tlb->store;
    return s && t >= s->entry && t < s->entry + LA_TLB_STORE_MAX;
}

void la_tlb_store_forget(struct la_tlb *tlb, struct la_tlb_entry *t)
{
    struct la_tlb_store *s = tlb->store;
    u32 i = (u32)(t - s->entry), *link = &s->chain[chain_of(t->vppn, t->ps)];
    while (*link != i)
        link = &s->next[*link];
    *link = s->next[i];
    t->exists = false;
}

struct la_tlb_entry *la_tlb_store_next(const struct la_tlb *tlb, u32 *i)
{
    struct la_tlb_store *s = tlb->store;
    while (s && *i < s->n_used) {
        struct la_tlb_entry *t = &s->entry[(*i)++];
        if (t->exists)
            return t;
    }
    return NULL;
}

struct la_tlb_entry *la_tlb_store_find(const struct la_tlb *tlb, u64 va, unsigned gid,
                                       bool has_asid, unsigned asid)
{
    struct la_tlb_store *s = tlb->store;
    for (u64 sizes = s ? s->sizes : 0; sizes; sizes &= sizes - 1) {
        unsigned ps = (unsigned)__builtin_ctzll(sizes);
        for (u32 i = s->chain[chain_of(va, ps)]; i != NONE; i = s->next[i]) {
            struct la_tlb_entry *t = &s->entry[i];
            if (t->ps == ps && t->gid == gid && la_tlb_covers(t, va) &&
                (!has_asid || t->global || t->asid == asid))
                return t;
        }
    }
    return NULL;
}

static void make(struct la_tlb *tlb)
{
    tlb->store = malloc(sizeof(*tlb->store));
    BUG_ON(!tlb->store);
    tlb->store->has_told = false;
    la_tlb_store_clear(tlb);
}

// The place for one more, empty.
static u32 choose(struct la_cpu *c, struct la_tlb *tlb)
{
    struct la_tlb_store *s = tlb->store;
    u32 i = s->n_put++ % LA_TLB_STORE_MAX;
    if (i == s->n_used) {
        s->n_used++;
        return i;
    }
    if (s->entry[i].exists) {
        if (!s->has_told)
            log_guest(c->cpu.bus->log, "cpu %u: tlb=never-evict: the oldest of %u entries go",
                      c->cpu.index, LA_TLB_STORE_MAX);
        s->has_told = true;
        la_tlb_store_forget(tlb, &s->entry[i]);
    }
    return i;
}

// Of the same size only: those are what is left behind when software writes a page anew.
static void forget_older(struct la_tlb *tlb, const struct la_tlb_entry *t)
{
    struct la_tlb_store *s = tlb->store;
    for (u32 i = s->chain[chain_of(t->vppn, t->ps)], next; i != NONE; i = next) {
        struct la_tlb_entry *old = &s->entry[i];
        next = s->next[i];
        if (old->ps == t->ps && old->vppn == t->vppn && old->gid == t->gid &&
            (t->global || old->asid == t->asid))
            la_tlb_store_forget(tlb, old);
    }
}

void la_tlb_store_put(struct la_cpu *c, struct la_tlb *tlb, const struct la_tlb_entry *t)
{
    if (!tlb->store)
        make(tlb);
    forget_older(tlb, t);
    struct la_tlb_store *s = tlb->store;
    u32 i = choose(c, tlb), *first = &s->chain[chain_of(t->vppn, t->ps)];
    s->entry[i] = *t;
    s->next[i] = *first;
    *first = i;
    s->sizes |= BIT(t->ps);
}
