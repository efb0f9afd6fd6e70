// SPDX-License-Identifier: Apache-2.0
// The TLB instructions: section 4.2.4 of the Reference Manual, with what the virtualization
// extension adds. In the root they are about the root's own entries or, by GTLBC.TGID, about
// second-stage entries of a guest; in a guest about its own; gtlb* are the guest's, from the root.
#include "cpu/loongarch64/tlb.h"
#include "cpu/loongarch64/tlb_store.h"

static struct la_tlb_view view_of(struct la_cpu *c, enum la_tlb_target target)
{
    struct la_tlb_view v = la_tlb_own(c);
    unsigned gid = la_has_lvz(c) ? la_effective_gid(c) : 0;
    if (target == LA_TLB_GUEST) {
        v.tlb = &c->tlb[LA_TLB_STAGE1];
        v.context = &c->guest;
        v.gid = (u8)gid;
    } else if (!la_in_guest(c) && gid) {
        v = la_tlb_stage2(c);
        v.gid = (u8)gid;
    }
    return v;
}

static bool is_refill(const struct la_tlb_view *v)
{
    return v->context->csr[CSR_TLBRERA] & 1;
}

// The entry that TLBEHI/TLBELO, or in a refill TLBREHI/TLBRELO, describe.
static struct la_tlb_entry from_registers(struct la_cpu *c, const struct la_tlb_view *v)
{
    const u64 *r = v->context->csr;
    bool refill = is_refill(v);
    u64 ehi = r[refill ? CSR_TLBREHI : CSR_TLBEHI];
    u64 elo0 = r[refill ? CSR_TLBRELO0 : CSR_TLBELO0];
    u64 elo1 = r[refill ? CSR_TLBRELO1 : CSR_TLBELO1];
    unsigned ps = (unsigned)(refill ? ehi & 0x3f : bits_get(r[CSR_TLBIDX], 29, 24));
    bool wanted = refill || !(r[CSR_TLBIDX] & BIT(31));
    if (wanted && !la_is_page_size(c, ps))
        log_guest(c->cpu.bus->log, "cpu %u: TLB entry with page size 2^%u ignored", c->cpu.index,
                  ps);
    struct la_tlb_entry t = {
        .ps = (u8)ps,
        .exists = wanted && la_is_page_size(c, ps),
        .asid = r[CSR_ASID] & 0x3ff,
        .global = elo0 & elo1 & BIT(6),
        .gid = v->gid,
        .elo = {elo0 & ~BIT(6), elo1 & ~BIT(6)},
    };
    t.vppn = t.exists ? la_pair_of(ehi, ps) : 0;
    return t;
}

void la_tlbsrch(struct la_cpu *c, enum la_tlb_target target)
{
    struct la_tlb_view v = view_of(c, target);
    u64 ehi = v.context->csr[is_refill(&v) ? CSR_TLBREHI : CSR_TLBEHI];
    struct la_tlb_entry *t = la_tlb_find(c, &v, ehi & BITS(47, 13));
    u64 *idx = &v.context->csr[CSR_TLBIDX];
    if (t)
        *idx = bits_set(*idx & ~BIT(31), 11, 0, la_tlb_index(c, &v, t));
    else
        *idx |= BIT(31);
}

static unsigned register_index(const struct la_cpu *c, const struct la_tlb_view *v)
{
    unsigned i = (v->context->csr[CSR_TLBIDX] & 0xfff) % LA_TLB_ENTRIES;
    if (i < LA_STLB_ENTRIES)
        return i;
    return LA_STLB_ENTRIES + (i - LA_STLB_ENTRIES) % la_mtlb_size(c, v->tlb);
}

static void write_entry_registers(u64 *r, const struct la_tlb_entry *t)
{
    u64 g = t->global ? BIT(6) : 0;
    r[CSR_TLBIDX] = bits_set(r[CSR_TLBIDX] & ~BIT(31), 29, 24, t->ps);
    r[CSR_TLBEHI] = t->vppn;
    r[CSR_TLBELO0] = t->elo[0] | g;
    r[CSR_TLBELO1] = t->elo[1] | g;
    r[CSR_ASID] = bits_set(r[CSR_ASID], 9, 0, t->asid);
}

static void write_no_entry(u64 *r)
{
    r[CSR_TLBIDX] = bits_set(r[CSR_TLBIDX], 29, 24, 0) | BIT(31);
    r[CSR_TLBEHI] = r[CSR_TLBELO0] = r[CSR_TLBELO1] = 0;
    r[CSR_ASID] &= ~0x3ffULL;
}

// Where all kinds share one array, the root reads whatever is there.
static const struct la_tlb_entry *entry_at(const struct la_cpu *c, const struct la_tlb_view *v,
                                           unsigned i)
{
    const struct la_tlb_entry *t = &v->tlb->entries[i];
    bool sees_all = c->lvz.tlb_shared && v->context == &c->root;
    for (unsigned kind = 0; sees_all && !t->exists && kind < LA_N_TLBS; kind++)
        t = &c->tlb[kind].entries[i];
    return t;
}

void la_tlbrd(struct la_cpu *c, enum la_tlb_target target)
{
    struct la_tlb_view v = view_of(c, target);
    const struct la_tlb_entry *t = entry_at(c, &v, register_index(c, &v));
    // A guest sees no other guest's entries.
    bool is_visible = t->exists && (v.tlb->kind != LA_TLB_STAGE1 || t->gid == v.gid);
    if (is_visible)
        write_entry_registers(v.context->csr, t);
    else
        write_no_entry(v.context->csr);
    if (v.context == &c->root && la_has_lvz(c) && c->lvz.trgp)
        c->root.csr[CSR_TRGP] = is_visible && t->gid ? 1 | (u64)t->gid << 16 : 0;
    la_mmu_mode_changed(c);
}

// All entries of the STLB have its one page size, whatever TLBIDX.PS says. Of a size that there is
// not it has none.
void la_tlbwr(struct la_cpu *c, enum la_tlb_target target)
{
    struct la_tlb_view v = view_of(c, target);
    unsigned i = register_index(c, &v);
    struct la_tlb_entry t = from_registers(c, &v);
    if (i < LA_STLB_ENTRIES && !la_is_page_size(c, la_stlb_page_size(&v)))
        t.exists = false;
    if (i < LA_STLB_ENTRIES && t.exists) {
        t.ps = (u8)la_stlb_page_size(&v);
        t.vppn = la_pair_of(v.context->csr[is_refill(&v) ? CSR_TLBREHI : CSR_TLBEHI], t.ps);
    }
    // Software says which entry goes, so nothing of that one may be left.
    if (v.tlb->kind == LA_TLB_STAGE2)
        la_tlb_drop(c, v.tlb, &v.tlb->entries[i]);
    la_tlb_put(c, &v, i, &t);
}

void la_tlbfill(struct la_cpu *c, enum la_tlb_target target)
{
    struct la_tlb_view v = view_of(c, target);
    struct la_tlb_entry t = from_registers(c, &v);
    if (v.tlb->kind == LA_TLB_STAGE2)
        la_lvz_check_root_fill(c, v.gid);
    la_tlb_insert(c, &v, &t);
}

static bool is_cleared(const struct la_tlb_view *v, const struct la_tlb_entry *t, bool keep_global)
{
    unsigned asid = v->context->csr[CSR_ASID] & 0x3ff;
    bool is_kept = keep_global && v->has_asid && (t->global || t->asid != asid);
    return t->gid == v->gid && !is_kept;
}

// Those that would be among them if there were room.
static void clear_stored(struct la_cpu *c, const struct la_tlb_view *v, unsigned index,
                         bool keep_global)
{
    u32 at = 0;
    for (struct la_tlb_entry *t; (t = la_tlb_store_next(v->tlb, &at));) {
        bool in_stlb = t->ps == la_stlb_page_size(v);
        bool is_meant = index < LA_STLB_ENTRIES
                            ? in_stlb && la_stlb_set(v, t->vppn) == index % LA_STLB_SETS
                            : !in_stlb;
        if (is_meant && is_cleared(v, t, keep_global))
            la_tlb_drop(c, v->tlb, t);
    }
}

// With an index in the STLB its set is meant, with one in the MTLB the whole MTLB.
static void clear_indexed(struct la_cpu *c, const struct la_tlb_view *v, bool keep_global)
{
    unsigned i = register_index(c, v);
    bool stlb = i < LA_STLB_ENTRIES;
    unsigned first = stlb ? i % LA_STLB_SETS : LA_STLB_ENTRIES;
    unsigned step = stlb ? LA_STLB_SETS : 1;
    unsigned end = stlb ? LA_STLB_ENTRIES : LA_TLB_ENTRIES;
    for (unsigned n = first; n < end; n += step) {
        struct la_tlb_entry *t = &v->tlb->entries[n];
        if (is_cleared(v, t, keep_global))
            la_tlb_drop(c, v->tlb, t);
    }
    clear_stored(c, v, i, keep_global);
    // What is cached of second-stage entries that were replaced since goes as well.
    if (v->tlb->kind == LA_TLB_STAGE2)
        la_mmu_flush_gid(c, v->gid);
}

void la_tlbclr(struct la_cpu *c, enum la_tlb_target target)
{
    struct la_tlb_view v = view_of(c, target);
    clear_indexed(c, &v, true);
}

void la_tlbflush(struct la_cpu *c, enum la_tlb_target target)
{
    struct la_tlb_view v = view_of(c, target);
    clear_indexed(c, &v, false);
}
