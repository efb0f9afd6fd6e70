// SPDX-License-Identifier: Apache-2.0
// The architectural TLB: an 8-way set-associative STLB of one page size and a fully associative
// MTLB of any page size, and the instructions on it. Section 5.4 of the Reference Manual.
//
// Whenever an entry changes, what the processor cached from it is forgotten: software that
// overwrites an entry sees the new one at once.
#include "cpu/loongarch64/state.h"

#include <string.h>

#define VA_BITS BITS(47, 0)

static unsigned stlb_page_size(const struct la_cpu *c)
{
    return c->csr[CSR_STLBPS] & 0x3f;
}

static bool is_page_size(const struct la_cpu *c, unsigned ps)
{
    return ps < 48 && c->csr[CSR_PRCFG2] >> ps & 1;
}

static u64 pair_of(u64 va, unsigned ps)
{
    return va & VA_BITS & ~((2ULL << ps) - 1);
}

static bool covers(const struct la_tlb_entry *t, u64 va)
{
    return t->exists && t->vppn == pair_of(va, t->ps);
}

static bool is_of_space(const struct la_tlb_entry *t, unsigned asid)
{
    return t->global || t->asid == asid;
}

static unsigned stlb_set(const struct la_cpu *c, u64 va)
{
    return va >> (stlb_page_size(c) + 1) & (LA_STLB_SETS - 1);
}

static struct la_tlb_entry *find_stlb(struct la_cpu *c, u64 va, unsigned asid)
{
    if (!is_page_size(c, stlb_page_size(c)))
        return NULL;
    unsigned set = stlb_set(c, va);
    for (unsigned way = 0; way < LA_STLB_WAYS; way++) {
        struct la_tlb_entry *t = &c->tlb[way * LA_STLB_SETS + set];
        if (covers(t, va) && is_of_space(t, asid))
            return t;
    }
    return NULL;
}

static struct la_tlb_entry *find_mtlb(struct la_cpu *c, u64 va, unsigned asid)
{
    for (u64 left = c->mtlb_used; left; left &= left - 1) {
        struct la_tlb_entry *t = &c->tlb[LA_STLB_ENTRIES + __builtin_ctzll(left)];
        if (covers(t, va) && is_of_space(t, asid))
            return t;
    }
    return NULL;
}

static struct la_tlb_entry *find(struct la_cpu *c, u64 va, unsigned asid)
{
    struct la_tlb_entry *t = find_stlb(c, va, asid);
    return t ? t : find_mtlb(c, va, asid);
}

struct la_tlb_entry *la_tlb_find(struct la_cpu *c, u64 va)
{
    return find(c, va, c->csr[CSR_ASID] & 0x3ff);
}

void la_tlb_drop(struct la_cpu *c, struct la_tlb_entry *t)
{
    if (!t->exists)
        return;
    la_mmu_flush_pair(c, t->vppn, t->ps);
    t->exists = false;
    size_t i = (size_t)(t - c->tlb);
    if (i >= LA_STLB_ENTRIES)
        c->mtlb_used &= ~BIT(i - LA_STLB_ENTRIES);
}

static void replace(struct la_cpu *c, unsigned index, const struct la_tlb_entry *t)
{
    la_tlb_drop(c, &c->tlb[index]);
    c->tlb[index] = *t;
    if (!t->exists)
        return;
    if (index >= LA_STLB_ENTRIES)
        c->mtlb_used |= BIT(index - LA_STLB_ENTRIES);
    la_mmu_flush_pair(c, t->vppn, t->ps);
    log_at(c->cpu.bus->log, LOG_MMU,
           "cpu %u: tlb[%u] := va 0x%llx ps %u asid %u%s elo 0x%llx 0x%llx", c->cpu.index, index,
           (unsigned long long)t->vppn, t->ps, t->asid, t->global ? " global" : "",
           (unsigned long long)t->elo[0], (unsigned long long)t->elo[1]);
}

void la_tlb_clear(struct la_cpu *c)
{
    memset(c->tlb, 0, sizeof(c->tlb));
    c->mtlb_used = 0;
    la_mmu_flush(c);
}

void la_tlb_flush_parts(struct la_cpu *c, bool stlb, bool mtlb)
{
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
        if (i < LA_STLB_ENTRIES ? stlb : mtlb)
            la_tlb_drop(c, &c->tlb[i]);
}

// The set of an entry depends on the page size: the old entries could not be found any more.
void la_tlb_stlb_page_size_changed(struct la_cpu *c)
{
    la_tlb_flush_parts(c, true, false);
}

static u32 next_random(struct la_cpu *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 17;
    c->random ^= c->random << 5;
    return c->random;
}

// A way of the set that is free, else any.
static unsigned choose_stlb(struct la_cpu *c, u64 va)
{
    unsigned set = stlb_set(c, va);
    for (unsigned way = 0; way < LA_STLB_WAYS; way++)
        if (!c->tlb[way * LA_STLB_SETS + set].exists)
            return way * LA_STLB_SETS + set;
    return next_random(c) % LA_STLB_WAYS * LA_STLB_SETS + set;
}

static unsigned choose_mtlb(struct la_cpu *c)
{
    u64 free = ~c->mtlb_used;
    unsigned i = free ? (unsigned)__builtin_ctzll(free) : next_random(c) % LA_MTLB_ENTRIES;
    return LA_STLB_ENTRIES + i;
}

static unsigned choose(struct la_cpu *c, const struct la_tlb_entry *t)
{
    return t->ps == stlb_page_size(c) ? choose_stlb(c, t->vppn) : choose_mtlb(c);
}

struct la_tlb_entry *la_tlb_insert(struct la_cpu *c, const struct la_tlb_entry *t)
{
    unsigned i = choose(c, t);
    replace(c, i, t);
    return &c->tlb[i];
}

// The entry that TLBEHI/TLBELO, or in a refill TLBREHI/TLBRELO, describe.
static struct la_tlb_entry from_registers(struct la_cpu *c)
{
    bool refill = c->csr[CSR_TLBRERA] & 1;
    u64 ehi = c->csr[refill ? CSR_TLBREHI : CSR_TLBEHI];
    u64 elo0 = c->csr[refill ? CSR_TLBRELO0 : CSR_TLBELO0];
    u64 elo1 = c->csr[refill ? CSR_TLBRELO1 : CSR_TLBELO1];
    unsigned ps = refill ? ehi & 0x3f : bits_get(c->csr[CSR_TLBIDX], 29, 24);
    struct la_tlb_entry t = {
        .ps = (u8)ps,
        .exists = (refill || !(c->csr[CSR_TLBIDX] & BIT(31))) && is_page_size(c, ps),
        .asid = c->csr[CSR_ASID] & 0x3ff,
        .global = elo0 & elo1 & BIT(6),
        .elo = {elo0 & ~BIT(6), elo1 & ~BIT(6)},
    };
    t.vppn = t.exists ? pair_of(ehi, ps) : 0;
    if (!is_page_size(c, ps) && (refill || !(c->csr[CSR_TLBIDX] & BIT(31))))
        log_guest(c->cpu.bus->log, "cpu %u: TLB entry with page size 2^%u ignored", c->cpu.index,
                  ps);
    return t;
}

void la_tlbsrch(struct la_cpu *c)
{
    u64 ehi = c->csr[c->csr[CSR_TLBRERA] & 1 ? CSR_TLBREHI : CSR_TLBEHI];
    struct la_tlb_entry *t = la_tlb_find(c, ehi & BITS(47, 13));
    u64 *idx = &c->csr[CSR_TLBIDX];
    if (t)
        *idx = bits_set(*idx & ~BIT(31), 11, 0, (u64)(t - c->tlb));
    else
        *idx |= BIT(31);
}

static unsigned register_index(const struct la_cpu *c)
{
    return (c->csr[CSR_TLBIDX] & 0xfff) % LA_TLB_ENTRIES;
}

void la_tlbrd(struct la_cpu *c)
{
    const struct la_tlb_entry *t = &c->tlb[register_index(c)];
    u64 *r = c->csr;
    u64 g = t->global ? BIT(6) : 0;
    r[CSR_TLBIDX] = bits_set(r[CSR_TLBIDX] & ~BIT(31), 29, 24, t->exists ? t->ps : 0);
    if (!t->exists)
        r[CSR_TLBIDX] |= BIT(31);
    r[CSR_TLBEHI] = t->exists ? t->vppn : 0;
    r[CSR_TLBELO0] = t->exists ? t->elo[0] | g : 0;
    r[CSR_TLBELO1] = t->exists ? t->elo[1] | g : 0;
    r[CSR_ASID] = bits_set(r[CSR_ASID], 9, 0, t->exists ? t->asid : 0);
    la_mmu_mode_changed(c);
}

// All entries of the STLB have its one page size, whatever TLBIDX.PS says.
void la_tlbwr(struct la_cpu *c)
{
    unsigned i = register_index(c);
    struct la_tlb_entry t = from_registers(c);
    if (i < LA_STLB_ENTRIES && t.exists) {
        t.ps = (u8)stlb_page_size(c);
        t.vppn = pair_of(c->csr[c->csr[CSR_TLBRERA] & 1 ? CSR_TLBREHI : CSR_TLBEHI], t.ps);
    }
    replace(c, i, &t);
}

void la_tlbfill(struct la_cpu *c)
{
    struct la_tlb_entry t = from_registers(c);
    replace(c, choose(c, &t), &t);
}

// With an index in the STLB its set is meant, with one in the MTLB the whole MTLB.
static void clear_indexed(struct la_cpu *c, bool keep_global)
{
    unsigned i = register_index(c), asid = c->csr[CSR_ASID] & 0x3ff;
    bool stlb = i < LA_STLB_ENTRIES;
    unsigned first = stlb ? i % LA_STLB_SETS : LA_STLB_ENTRIES;
    unsigned step = stlb ? LA_STLB_SETS : 1;
    unsigned end = stlb ? LA_STLB_ENTRIES : LA_TLB_ENTRIES;
    for (unsigned n = first; n < end; n += step)
        if (!keep_global || (!c->tlb[n].global && c->tlb[n].asid == asid))
            la_tlb_drop(c, &c->tlb[n]);
}

void la_tlbclr(struct la_cpu *c)
{
    clear_indexed(c, true);
}

void la_tlbflush(struct la_cpu *c)
{
    clear_indexed(c, false);
}

// What an INVTLB operation removes (table in section 4.2.4.9).
static bool is_hit_by(const struct la_tlb_entry *t, unsigned op, unsigned asid, u64 va)
{
    switch (op) {
    case 0:
    case 1: return true;
    case 2: return t->global;
    case 3: return !t->global;
    case 4: return !t->global && t->asid == asid;
    case 5: return !t->global && t->asid == asid && covers(t, va);
    default: return is_of_space(t, asid) && covers(t, va);
    }
}

static void invalidate_set(struct la_cpu *c, unsigned op, unsigned asid, u64 va)
{
    unsigned set = stlb_set(c, va);
    for (unsigned way = 0; way < LA_STLB_WAYS; way++)
        if (is_hit_by(&c->tlb[way * LA_STLB_SETS + set], op, asid, va))
            la_tlb_drop(c, &c->tlb[way * LA_STLB_SETS + set]);
    for (unsigned i = LA_STLB_ENTRIES; i < LA_TLB_ENTRIES; i++)
        if (is_hit_by(&c->tlb[i], op, asid, va))
            la_tlb_drop(c, &c->tlb[i]);
}

// One flush of the whole cache is cheaper than one for each of many entries.
static void invalidate_all(struct la_cpu *c, unsigned op, unsigned asid)
{
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++) {
        struct la_tlb_entry *t = &c->tlb[i];
        if (!is_hit_by(t, op, asid, 0))
            continue;
        t->exists = false;
        if (i >= LA_STLB_ENTRIES)
            c->mtlb_used &= ~BIT(i - LA_STLB_ENTRIES);
    }
    if (op == 4)
        la_mmu_flush_asid(c, asid);
    else
        la_mmu_flush(c);
}

void la_invtlb(struct la_cpu *c, unsigned op, u64 rj, u64 va)
{
    unsigned asid = rj & 0x3ff;
    log_at(c->cpu.bus->log, LOG_MMU, "cpu %u: invtlb %u asid %u va 0x%llx", c->cpu.index, op, asid,
           (unsigned long long)va);
    if (op > 6)
        la_raise(c, EXC_INE);
    if (op >= 5)
        invalidate_set(c, op, asid, va);
    else
        invalidate_all(c, op, asid);
}
