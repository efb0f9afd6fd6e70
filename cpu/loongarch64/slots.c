// SPDX-License-Identifier: Apache-2.0
// What translated code remembers: regions of memory by base register, translated code by address.
//
// Both are forgotten together with the cache that they were filled from (mmu.c): slots of a mode
// when its address space is another one, slots and targets of a range when an entry of the TLB
// changes. Targets carry the context number, like the cache.
#include "cpu/loongarch64/state.h"

#include <string.h>

#define LOW48           BITS(47, 0)
#define CODE_PAGE_SHIFT 14
// A longer range is not looked at page by page.
#define N_RANGE_PAGES 64

static void forget_set(struct la_slots *s)
{
    if (s->is_used)
        memset(s->limit, 0, sizeof(s->limit));
    s->is_used = false;
}

void la_slots_forget(struct la_cpu *c)
{
    for (unsigned i = 0; i < LA_N_MODES; i++)
        forget_set(&c->code.slots[i]);
    c->code.slots[c->code.mode].is_used = true; // from now on, by code that does not tell
}

void la_slots_forget_stores(struct la_cpu *c)
{
    for (unsigned i = 0; i < LA_N_MODES; i++)
        memset(c->code.slots[i].limit + 32, 0, 32 * sizeof(u64));
}

static bool overlaps(const struct la_slots *s, unsigned i, u64 va, u64 size)
{
    u64 base = s->base[i] & LOW48, length = s->limit[i] + LA_SLOT_SPAN - 1;
    return s->limit[i] && base < va + size && va < base + length;
}

static bool was_executed(const struct la_cpu *c, u64 page)
{
    return c->code.executed[page >> 6 & 63] >> (page & 63) & 1;
}

static void forget_targets(struct la_cpu *c, u64 va, u64 size)
{
    u64 first = va >> CODE_PAGE_SHIFT, last = (va + size - 1) >> CODE_PAGE_SHIFT;
    bool hit = last - first >= N_RANGE_PAGES;
    for (u64 page = first; page <= last && !hit; page++)
        hit = was_executed(c, page);
    if (hit)
        la_targets_forget(c);
}

void la_slots_forget_range(struct la_cpu *c, u64 va, u64 size)
{
    if (!c->code.vcpu)
        return;
    va &= LOW48;
    for (unsigned mode = 0; mode < LA_N_MODES; mode++) {
        struct la_slots *s = &c->code.slots[mode];
        for (unsigned i = 0; s->is_used && i < 64; i++)
            if (overlaps(s, i, va, size))
                s->limit[i] = 0;
    }
    forget_targets(c, va, size);
}

static unsigned mode_of(const struct la_cpu *c)
{
    unsigned level = c->csr[CSR_CRMD] & CRMD_DA ? 4 : la_plv(c);
    return level + (la_in_guest(c) ? 5 : 0);
}

void la_slots_mode_changed(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    x->mode = mode_of(c);
    x->context = c->mmu_context;
    struct la_slots *s = &x->slots[x->mode];
    if (s->context != c->mmu_context)
        forget_set(s);
    s->context = c->mmu_context;
    s->is_used = true;
}

void la_targets_forget(struct la_cpu *c)
{
    if (!c->code.vcpu)
        return;
    for (unsigned i = 0; i < LA_N_TARGETS; i++)
        c->code.targets[i].va = ~0ULL;
    memset(c->code.executed, 0, sizeof(c->code.executed));
}

static unsigned target_index(u64 va)
{
    return va >> 2 & (LA_N_TARGETS - 1);
}

struct la_target *la_target_find(struct la_cpu *c, u64 va)
{
    struct la_target *t = &c->code.targets[target_index(va)];
    return t->va == va && t->context == c->mmu_context ? t : NULL;
}

void la_target_put(struct la_cpu *c, u64 va, void *host, u64 pc_base)
{
    u64 page = (va & LOW48) >> CODE_PAGE_SHIFT;
    c->code.executed[page >> 6 & 63] |= BIT(page & 63);
    c->code.targets[target_index(va)] = (struct la_target){
        .va = va, .context = c->mmu_context, .host = host, .pc_base = pc_base};
}
