// SPDX-License-Identifier: Apache-2.0
// The architectural TLB: an 8-way set-associative STLB of one page size and a fully associative
// MTLB of any page size. Section 5.4 of the Reference Manual. The instructions on it are in
// tlb_insn.c.
//
// Whenever an entry changes, what the processor cached from it is forgotten: software that
// overwrites an entry sees the new one at once. Second-stage entries are different: their addresses
// are not those that are cached, so all of the guest is forgotten, and only where software can tell
// (see mmu.c).
#include "cpu/loongarch64/tlb.h"
#include "cpu/loongarch64/tlb_store.h"

#include <string.h>

#define VA_BITS BITS(47, 0)

struct la_tlb_view la_tlb_own(struct la_cpu *c)
{
    bool guest = la_in_guest(c);
    return (struct la_tlb_view){
        .tlb = &c->tlb[guest ? LA_TLB_STAGE1 : LA_TLB_ROOT],
        .context = c->context,
        .gid = guest ? (u8)la_guest_gid(c) : 0,
        .has_asid = true,
    };
}

struct la_tlb_view la_tlb_stage2(struct la_cpu *c)
{
    return (struct la_tlb_view){
        .tlb = &c->tlb[LA_TLB_STAGE2],
        .context = &c->root,
        .gid = (u8)la_second_stage_gid(c),
        .has_asid = c->lvz.stage2_asid,
    };
}

unsigned la_stlb_page_size(const struct la_tlb_view *v)
{
    return v->context->csr[CSR_STLBPS] & 0x3f;
}

bool la_is_page_size(const struct la_cpu *c, unsigned ps)
{
    return ps < 48 && c->root.csr[CSR_PRCFG2] >> ps & 1;
}

u64 la_pair_of(u64 va, unsigned ps)
{
    return va & VA_BITS & ~((2ULL << ps) - 1);
}

bool la_tlb_covers(const struct la_tlb_entry *t, u64 va)
{
    return t->exists && t->vppn == la_pair_of(va, t->ps);
}

static bool is_of_space(const struct la_tlb_view *v, const struct la_tlb_entry *t, unsigned asid)
{
    return t->gid == v->gid && (!v->has_asid || t->global || t->asid == asid);
}

unsigned la_stlb_set(const struct la_tlb_view *v, u64 va)
{
    return va >> la_stlb_page_size(v) >> 1 & (LA_STLB_SETS - 1);
}

static bool is_for(const struct la_tlb_view *v, const struct la_tlb_entry *t, u64 va, unsigned asid)
{
    return la_tlb_covers(t, va) && is_of_space(v, t, asid);
}

// Of large pages the one that was found last for an address like this.
static u8 *last_large(struct la_tlb *tlb, u64 va)
{
    return &tlb->last_large[va >> 21 & (ARRAY_LEN(tlb->last_large) - 1)];
}

// What was found last is tried first, unless entries overlap: of these the first one counts.
static struct la_tlb_entry *find_last(const struct la_tlb_view *v, u64 va, unsigned asid)
{
    unsigned set = la_stlb_set(v, va);
    struct la_tlb_entry *t = &v->tlb->entries[v->tlb->last_way[set] * LA_STLB_SETS + set];
    if (v->tlb->overlaps)
        return NULL;
    if (is_for(v, t, va, asid))
        return t;
    t = &v->tlb->entries[LA_STLB_ENTRIES + *last_large(v->tlb, va)];
    return is_for(v, t, va, asid) ? t : NULL;
}

static struct la_tlb_entry *find_stlb(const struct la_tlb_view *v, u64 va, unsigned asid)
{
    unsigned set = la_stlb_set(v, va);
    struct la_tlb_entry *t = &v->tlb->entries[set];
    for (unsigned way = 0; way < LA_STLB_WAYS; way++, t += LA_STLB_SETS)
        if (is_for(v, t, va, asid)) {
            v->tlb->last_way[set] = (u8)way;
            return t;
        }
    return NULL;
}

static struct la_tlb_entry *find_mtlb(const struct la_tlb_view *v, u64 va, unsigned asid)
{
    for (u64 left = v->tlb->mtlb_used; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        struct la_tlb_entry *t = &v->tlb->entries[LA_STLB_ENTRIES + i];
        if (is_for(v, t, va, asid)) {
            *last_large(v->tlb, va) = (u8)i;
            return t;
        }
    }
    return NULL;
}

struct la_tlb_entry *la_tlb_find(struct la_cpu *c, const struct la_tlb_view *v, u64 va)
{
    unsigned asid = v->context->csr[CSR_ASID] & 0x3ff;
    struct la_tlb_entry *t = NULL;
    if (la_is_page_size(c, la_stlb_page_size(v)))
        t = find_last(v, va, asid);
    if (!t && la_is_page_size(c, la_stlb_page_size(v)))
        t = find_stlb(v, va, asid);
    if (!t)
        t = find_mtlb(v, va, asid);
    return t ? t : la_tlb_store_find(v->tlb, va, v->gid, v->has_asid, asid);
}

void la_tlb_forget(struct la_tlb *tlb, struct la_tlb_entry *t)
{
    if (la_tlb_store_has(tlb, t)) {
        la_tlb_store_forget(tlb, t);
        return;
    }
    size_t i = (size_t)(t - tlb->entries);
    t->exists = false;
    if (i >= LA_STLB_ENTRIES)
        tlb->mtlb_used &= ~BIT(i - LA_STLB_ENTRIES);
}

// Of the others nothing can have been cached.
static unsigned valid_halves(const struct la_tlb_entry *t)
{
    return (t->elo[0] & 1) | (t->elo[1] & 1) << 1;
}

static void flush_cached(struct la_cpu *c, const struct la_tlb *tlb, const struct la_tlb_entry *t)
{
    if (tlb->kind == LA_TLB_STAGE2)
        la_mmu_flush_gid(c, t->gid);
    else
        la_mmu_flush_entry(c, tlb->kind == LA_TLB_STAGE1, t, valid_halves(t));
}

void la_tlb_drop(struct la_cpu *c, struct la_tlb *tlb, struct la_tlb_entry *t)
{
    if (!t->exists)
        return;
    flush_cached(c, tlb, t);
    la_tlb_forget(tlb, t);
}

static bool is_same_pair(const struct la_tlb_entry *a, const struct la_tlb_entry *b)
{
    return a->exists && b->exists && a->vppn == b->vppn && a->ps == b->ps && a->asid == b->asid &&
           a->gid == b->gid && a->global == b->global;
}

// Drops an entry for which another one comes. Software that makes a page valid writes the entry of
// the pair anew: what is known of the other page stays.
static void drop_for(struct la_cpu *c, struct la_tlb *tlb, struct la_tlb_entry *old,
                     const struct la_tlb_entry *t)
{
    if (!is_same_pair(old, t)) {
        la_tlb_drop(c, tlb, old);
        return;
    }
    unsigned changed = (old->elo[0] != t->elo[0]) | (old->elo[1] != t->elo[1]) << 1;
    la_mmu_flush_entry(c, tlb->kind == LA_TLB_STAGE1, old, changed & valid_halves(old));
    la_tlb_forget(tlb, old);
}

static bool overlap(const struct la_tlb_entry *a, const struct la_tlb_entry *b)
{
    unsigned ps = a->ps > b->ps ? a->ps : b->ps;
    return la_pair_of(a->vppn, ps) == la_pair_of(b->vppn, ps);
}

static void drop_if_overlapping(struct la_cpu *c, struct la_tlb *tlb, struct la_tlb_entry *old,
                                const struct la_tlb_entry *t)
{
    if (old->exists && old->gid == t->gid && overlap(old, t))
        la_tlb_drop(c, tlb, old);
}

// Of entries that could both match, the newest stays: hypervisors refill a guest page whose
// attributes changed without removing the old entry. The root's and a guest's own entries are left
// to software, as the manual has it.
static void drop_overlapping(struct la_cpu *c, struct la_tlb *tlb, const struct la_tlb_entry *t)
{
    // Of the STLB, whose entries have one page size, a page no larger than that meets one set.
    const struct la_tlb_view v = la_tlb_stage2(c);
    bool is_large = t->ps > la_stlb_page_size(&v);
    unsigned first = is_large ? 0 : la_stlb_set(&v, t->vppn), step = is_large ? 1 : LA_STLB_SETS;
    for (unsigned i = first; i < LA_STLB_ENTRIES; i += step)
        drop_if_overlapping(c, tlb, &tlb->entries[i], t);
    for (unsigned i = LA_STLB_ENTRIES; i < LA_TLB_ENTRIES; i++)
        drop_if_overlapping(c, tlb, &tlb->entries[i], t);
    u32 at = 0;
    for (struct la_tlb_entry *x; (x = la_tlb_store_next(tlb, &at));)
        drop_if_overlapping(c, tlb, x, t);
}

static void log_entry(struct la_cpu *c, const struct la_tlb *tlb, unsigned i)
{
    static const char *const names[] = {"root", "stage 1", "stage 2"};
    const struct la_tlb_entry *t = &tlb->entries[i];
    log_at(c->cpu.bus->log, LOG_MMU,
           "cpu %u: %s tlb[%u] := gid %u va 0x%llx ps %u asid %u%s elo 0x%llx 0x%llx", c->cpu.index,
           names[tlb->kind], i, t->gid, (unsigned long long)t->vppn, t->ps, t->asid,
           t->global ? " global" : "", (unsigned long long)t->elo[0],
           (unsigned long long)t->elo[1]);
}

static bool could_both_match(const struct la_tlb_entry *x, const struct la_tlb_entry *t)
{
    bool in_one_space = x->global || t->global || x->asid == t->asid;
    return x->exists && x->gid == t->gid && in_one_space && overlap(x, t);
}

// Whether there is an entry for some of the same addresses, where one of the size of the STLB's
// pages would be looked for or in the MTLB.
static bool meets_another(const struct la_tlb_view *v, const struct la_tlb_entry *t)
{
    const struct la_tlb_entry *x = &v->tlb->entries[la_stlb_set(v, t->vppn)];
    for (unsigned way = 0; way < LA_STLB_WAYS; way++, x += LA_STLB_SETS)
        if (could_both_match(x, t))
            return true;
    for (u64 left = v->tlb->mtlb_used; left; left &= left - 1)
        if (could_both_match(&v->tlb->entries[LA_STLB_ENTRIES + __builtin_ctzll(left)], t))
            return true;
    return false;
}

static bool exists_elsewhere(const struct la_cpu *c, const struct la_tlb *tlb, unsigned i)
{
    bool found = false;
    for (unsigned kind = 0; c->lvz.tlb_shared && kind < LA_N_TLBS; kind++)
        found |= kind != tlb->kind && c->tlb[kind].entries[i].exists;
    return found;
}

// As if all three kinds were in one array.
static void drop_elsewhere(struct la_cpu *c, const struct la_tlb *tlb, unsigned i)
{
    for (unsigned kind = 0; kind < LA_N_TLBS; kind++)
        if (kind != tlb->kind)
            la_tlb_drop(c, &c->tlb[kind], &c->tlb[kind].entries[i]);
}

// Room made by replacing a second-stage entry is no invalidation.
void la_tlb_put(struct la_cpu *c, const struct la_tlb_view *v, unsigned i,
                const struct la_tlb_entry *t)
{
    struct la_tlb *tlb = v->tlb;
    bool is_stage2 = tlb->kind == LA_TLB_STAGE2;
    if (c->lvz.tlb_shared)
        drop_elsewhere(c, tlb, i);
    if (is_stage2 && t->exists)
        drop_overlapping(c, tlb, t);
    if (is_stage2)
        la_tlb_forget(tlb, &tlb->entries[i]);
    else
        drop_for(c, tlb, &tlb->entries[i], t);
    bool meets = t->exists && meets_another(v, t);
    // Otherwise nothing is cached of its addresses: it could only be of entries that exist.
    bool is_seen = meets || t->global || t->ps != la_stlb_page_size(v);
    if (meets && !tlb->overlaps) // global pages were cached for all spaces
        la_mmu_flush(c);
    tlb->overlaps |= meets;
    tlb->entries[i] = *t;
    if (!t->exists)
        return;
    if (i >= LA_STLB_ENTRIES)
        tlb->mtlb_used |= BIT(i - LA_STLB_ENTRIES);
    if (is_seen && !is_stage2)
        la_mmu_flush_entry(c, tlb->kind == LA_TLB_STAGE1, t, 3);
    log_entry(c, tlb, i);
}

// Whether one of the pages may be executed: NX is bit 62.
static bool has_code(const struct la_tlb_entry *t)
{
    return (t->elo[0] & 1 && !(t->elo[0] >> 62 & 1)) || (t->elo[1] & 1 && !(t->elo[1] >> 62 & 1));
}

// What it costs that the entry goes: least if it is of another address space, many of which have
// ended and left the TLB full; most if code is in it, with which all that is known of jumps goes.
static unsigned cost_of(const struct la_tlb_view *v, const struct la_tlb_entry *t)
{
    unsigned asid = v->context->csr[CSR_ASID] & 0x3ff;
    return !is_of_space(v, t, asid) ? 0 : has_code(t) ? 2 : 1;
}

// The way to replace in a full set: the cheapest, or now and then any, as a set may hold nothing
// else. The choice may not depend on what runs the processor.
static unsigned choose_victim(struct la_cpu *c, const struct la_tlb_view *v, unsigned set)
{
    const unsigned lot = la_tlb_random(c), first = lot % LA_STLB_WAYS;
    unsigned best = first * LA_STLB_SETS + set, cost = ~0u;
    if (lot / LA_STLB_WAYS % 64 == 0)
        return best;
    for (unsigned n = 0; n < LA_STLB_WAYS; n++) {
        unsigned i = (first + n) % LA_STLB_WAYS * LA_STLB_SETS + set;
        unsigned x = cost_of(v, &v->tlb->entries[i]);
        if (x < cost) {
            best = i;
            cost = x;
        }
    }
    return best;
}

// A way of the set that is free, else one to replace.
static unsigned choose_stlb(struct la_cpu *c, const struct la_tlb_view *v, u64 va)
{
    unsigned set = la_stlb_set(v, va);
    for (unsigned way = 0, i = set; way < LA_STLB_WAYS; way++, i += LA_STLB_SETS)
        if (!v->tlb->entries[i].exists && !exists_elsewhere(c, v->tlb, i))
            return i;
    return choose_victim(c, v, set);
}

unsigned la_mtlb_size(const struct la_cpu *c, const struct la_tlb *tlb)
{
    bool is_limited = c->lvz.gmtlb_counts && tlb->kind == LA_TLB_STAGE1;
    return is_limited ? (unsigned)(c->root.csr[CSR_GTLBC] & 0x3f) + 1 : LA_MTLB_ENTRIES;
}

static unsigned choose_mtlb(struct la_cpu *c, const struct la_tlb *tlb)
{
    unsigned n = la_mtlb_size(c, tlb);
    u64 free = ~tlb->mtlb_used & BITS(n - 1, 0);
    for (u64 left = free; c->lvz.tlb_shared && left; left &= left - 1)
        if (exists_elsewhere(c, tlb, LA_STLB_ENTRIES + (unsigned)__builtin_ctzll(left)))
            free &= ~(left & -left);
    unsigned i = free ? (unsigned)__builtin_ctzll(free) : la_tlb_random(c) % n;
    return LA_STLB_ENTRIES + i;
}

void la_tlb_limit_guests(struct la_cpu *c)
{
    struct la_tlb *tlb = &c->tlb[LA_TLB_STAGE1];
    for (unsigned i = la_mtlb_size(c, tlb); i < LA_MTLB_ENTRIES; i++)
        la_tlb_drop(c, tlb, &tlb->entries[LA_STLB_ENTRIES + i]);
}

// The tagged entry, at an index that it is given.
static unsigned place(struct la_cpu *c, const struct la_tlb_view *v, const struct la_tlb_entry *t)
{
    bool in_stlb = t->ps == la_stlb_page_size(v);
    unsigned i = in_stlb ? choose_stlb(c, v, t->vppn) : choose_mtlb(c, v->tlb);
    la_tlb_make_room(c, v->tlb, i);
    la_tlb_put(c, v, i, t);
    return i;
}

unsigned la_tlb_index(struct la_cpu *c, const struct la_tlb_view *v, struct la_tlb_entry *t)
{
    if (!la_tlb_store_has(v->tlb, t))
        return (unsigned)(t - v->tlb->entries);
    struct la_tlb_entry copy = *t;
    la_tlb_store_forget(v->tlb, t);
    return place(c, v, &copy);
}

struct la_tlb_entry *la_tlb_insert(struct la_cpu *c, const struct la_tlb_view *v,
                                   const struct la_tlb_entry *t)
{
    struct la_tlb_entry tagged = *t;
    tagged.gid = v->gid;
    c->lvz_counts.n_walks[v->tlb->kind]++;
    unsigned i = place(c, v, &tagged);
    la_tlb_filled(c, v->tlb, i);
    return &v->tlb->entries[i];
}

void la_tlb_clear(struct la_cpu *c)
{
    for (unsigned kind = 0; kind < LA_N_TLBS; kind++) {
        struct la_tlb_store *store = c->tlb[kind].store;
        memset(&c->tlb[kind], 0, sizeof(c->tlb[kind]));
        c->tlb[kind].kind = kind;
        c->tlb[kind].store = store;
        la_tlb_store_clear(&c->tlb[kind]);
    }
    la_mmu_flush(c);
}

static void flush_parts(struct la_cpu *c, struct la_tlb *tlb, bool stlb, bool mtlb)
{
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
        if (tlb->entries[i].exists && (i < LA_STLB_ENTRIES ? stlb : mtlb))
            la_tlb_forget(tlb, &tlb->entries[i]);
    if (stlb || mtlb) {
        la_tlb_store_clear(tlb);
        la_mmu_flush(c);
    }
}

void la_tlb_flush_parts(struct la_cpu *c, bool stlb, bool mtlb)
{
    flush_parts(c, &c->tlb[LA_TLB_ROOT], stlb, mtlb);
}

// The set of an entry depends on the page size: the old entries could not be found any more.
void la_tlb_stlb_page_size_changed(struct la_cpu *c, struct la_context *x)
{
    if (x == &c->guest) {
        flush_parts(c, &c->tlb[LA_TLB_STAGE1], true, false);
        return;
    }
    flush_parts(c, &c->tlb[LA_TLB_ROOT], true, false);
    flush_parts(c, &c->tlb[LA_TLB_STAGE2], true, false);
}
