// SPDX-License-Identifier: Apache-2.0
// invtlb: which entries each operation removes. Section 4.2.4.9 of the Reference Manual for
// operations 0 to 6, which are about the current context's own entries; the others belong to the
// virtualization extension.
//
// Removing more than asked is always allowed, so what is cached for a guest goes as a whole
// whenever an operation names it, found or not.
#include "cpu/loongarch64/tlb.h"
#include "cpu/loongarch64/tlb_store.h"

// The entries that an operation is about.
struct selection {
    bool own, stage1, stage2; // TLBs; own is the current context's, or by TGID the second stage
    bool all_gids;
    enum { ANY, GLOBAL, NOT_GLOBAL, ASID, ASID_VA, SPACE_VA, VA_ONLY } match;
};

static const struct selection operations[32] = {
    [0x0] = {.own = true, .stage1 = true, .stage2 = true, .all_gids = true, .match = ANY},
    [0x1] = {.own = true, .match = ANY},
    [0x2] = {.own = true, .match = GLOBAL},
    [0x3] = {.own = true, .match = NOT_GLOBAL},
    [0x4] = {.own = true, .match = ASID},
    [0x5] = {.own = true, .match = ASID_VA},
    [0x6] = {.own = true, .match = SPACE_VA},
    [0x9] = {.stage1 = true, .match = ANY},
    [0xa] = {.stage1 = true, .match = GLOBAL},
    [0xb] = {.stage1 = true, .match = NOT_GLOBAL},
    [0xc] = {.stage1 = true, .match = ASID},
    [0xd] = {.stage1 = true, .match = ASID_VA},
    [0xe] = {.stage1 = true, .match = SPACE_VA},
    [0x10] = {.stage1 = true, .all_gids = true, .match = ANY},
    [0x11] = {.stage2 = true, .all_gids = true, .match = ANY},
    [0x12] = {.stage1 = true, .stage2 = true, .all_gids = true, .match = ANY},
    [0x13] = {.stage1 = true, .match = ANY},
    [0x14] = {.stage2 = true, .match = ANY},
    [0x15] = {.stage1 = true, .stage2 = true, .match = ANY},
    [0x16] = {.stage2 = true, .match = VA_ONLY},
};

struct operands {
    const struct selection *s;
    unsigned asid, gid;
    u64 va;
};

static bool matches(const struct operands *o, const struct la_tlb_entry *t)
{
    bool in_asid = t->asid == o->asid;
    switch (o->s->match) {
    case ANY: return true;
    case GLOBAL: return t->global;
    case NOT_GLOBAL: return !t->global;
    case ASID: return !t->global && in_asid;
    case ASID_VA: return !t->global && in_asid && la_tlb_covers(t, o->va);
    case SPACE_VA: return (t->global || in_asid) && la_tlb_covers(t, o->va);
    case VA_ONLY: return la_tlb_covers(t, o->va);
    }
    return true;
}

static void forget_if_matching(const struct operands *o, struct la_tlb *tlb, struct la_tlb_entry *t)
{
    if (t->exists && (o->s->all_gids || t->gid == o->gid) && matches(o, t))
        la_tlb_forget(tlb, t);
}

static void forget_matching(const struct operands *o, struct la_tlb *tlb)
{
    u32 at = 0;
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
        forget_if_matching(o, tlb, &tlb->entries[i]);
    for (struct la_tlb_entry *t; (t = la_tlb_store_next(tlb, &at));)
        forget_if_matching(o, tlb, t);
}

static void drop_if_matching(struct la_cpu *c, const struct operands *o, struct la_tlb *tlb,
                             struct la_tlb_entry *t)
{
    if (t->exists && t->gid == o->gid && matches(o, t))
        la_tlb_drop(c, tlb, t);
}

// Of one address: only its STLB set, the MTLB and the store can hold it.
static void drop_address(struct la_cpu *c, const struct operands *o, const struct la_tlb_view *v)
{
    unsigned set = la_stlb_set(v, o->va);
    for (unsigned way = 0; way < LA_STLB_WAYS; way++)
        drop_if_matching(c, o, v->tlb, &v->tlb->entries[way * LA_STLB_SETS + set]);
    for (u64 left = v->tlb->mtlb_used; left; left &= left - 1)
        drop_if_matching(c, o, v->tlb, &v->tlb->entries[LA_STLB_ENTRIES + __builtin_ctzll(left)]);
    u32 at = 0;
    for (struct la_tlb_entry *t; (t = la_tlb_store_next(v->tlb, &at));)
        drop_if_matching(c, o, v->tlb, t);
}

static bool has_address(const struct selection *s)
{
    return s->match == ASID_VA || s->match == SPACE_VA;
}

static void invalidate_own(struct la_cpu *c, struct operands *o)
{
    struct la_tlb_view v = la_tlb_own(c);
    o->gid = v.gid;
    if (has_address(o->s)) {
        drop_address(c, o, &v);
    } else {
        forget_matching(o, v.tlb);
        if (o->s->match == ASID)
            la_mmu_flush_asid(c, o->gid, o->asid);
        else
            la_mmu_flush(c);
    }
}

// Second-stage entries have neither ASID nor G: of operations 1 to 6 only the address counts. What
// is cached of entries that were replaced since goes as well.
static void invalidate_stage2(struct la_cpu *c, const struct operands *o)
{
    static const struct selection all = {.match = ANY}, of_address = {.match = VA_ONLY};
    const struct operands of_gid = {
        .s = has_address(o->s) ? &of_address : &all,
        .gid = la_effective_gid(c),
        .va = o->va,
    };
    forget_matching(&of_gid, &c->tlb[LA_TLB_STAGE2]);
    la_mmu_flush_gid(c, of_gid.gid);
}

static void invalidate_guests(struct la_cpu *c, const struct operands *o)
{
    if (o->s->stage1)
        forget_matching(o, &c->tlb[LA_TLB_STAGE1]);
    if (o->s->stage2)
        forget_matching(o, &c->tlb[LA_TLB_STAGE2]);
    if (o->s->all_gids)
        la_mmu_flush(c);
    else
        la_mmu_flush_gid(c, o->gid);
}

bool la_invtlb_exists(const struct la_cpu *c, unsigned op)
{
    const struct selection *s = &operations[op & 31];
    return (s->own || s->stage1 || s->stage2) && (op <= 6 || la_has_lvz(c));
}

// Operation 0x16 as hardware may have it that compares addresses of pairs and cuts nothing off.
static bool misses_pair(const struct la_cpu *c, unsigned op, u64 va)
{
    u64 pair = 2ULL << (c->root.csr[CSR_STLBPS] & 0x3f);
    return c->lvz.invtlb_aligned && op == 0x16 && va & (pair - 1);
}

void la_invtlb(struct la_cpu *c, unsigned op, u64 rj, u64 va)
{
    const struct selection *s = &operations[op & 31];
    struct operands o = {.s = s, .asid = rj & 0x3ff, .gid = la_gid_of(c, rj), .va = va};
    log_at(c->cpu.bus->log, LOG_MMU, "cpu %u: invtlb 0x%x asid %u gid %u va 0x%llx", c->cpu.index,
           op, o.asid, o.gid, (unsigned long long)va);
    if (!la_invtlb_exists(c, op))
        la_raise(c, EXC_INE);
    if (op > 6)
        la_refuse_guest(c);
    if (misses_pair(c, op, va))
        return;
    // A guest's operation 0 must not reach others.
    bool is_wide = op == 0 && !la_in_guest(c);
    if (s->own && op && !la_in_guest(c) && la_has_lvz(c) && la_effective_gid(c))
        invalidate_stage2(c, &o);
    else if (s->own)
        invalidate_own(c, &(struct operands){.s = is_wide ? s : &operations[op ? op : 1],
                                             .asid = o.asid,
                                             .va = va});
    if (is_wide || op > 6)
        invalidate_guests(c, &o);
    if (s->stage2)
        la_lvz_note_invalidated(c, s->all_gids, o.gid);
}
