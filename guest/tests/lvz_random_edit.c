// SPDX-License-Identifier: Apache-2.0
// Changes of the TLBs, in the machine and in the model alike: entries by index and where the
// hardware likes, and every form of invalidation.
#include "guest/tests/lvz_random.h"
#include "guest/lib/report.h"

static bool overlap(const struct tlb_entry *a, const struct tlb_entry *b)
{
    return a->ps > b->ps ? lvz_covers(a, b->va) : lvz_covers(b, a->va);
}

static void guest_instruction(unsigned gid, u32 word, u64 a, u64 b)
{
    v.gid = gid;
    if (lvz_word(&v, CRMD_DA, word, a, b) != EXC_NONE)
        report_bail_out("step %lu: the guest's instruction 0x%x", (unsigned long)step, word);
}

// The guest's own tlbfill or tlbwr, now and then.
static void fill_by_guest(unsigned gid, const struct tlb_entry *e)
{
    gcsr_write(CSR_TLBIDX, (u64)e->ps << 24);
    gcsr_write(CSR_TLBEHI, e->va);
    gcsr_write(CSR_TLBELO0, e->elo[0]);
    gcsr_write(CSR_TLBELO1, e->elo[1]);
    gcsr_exchange(CSR_ASID, e->asid, BITS(9, 0));
    guest_instruction(gid, WORD("tlbfill"), 0, 0);
}

static void fill(enum lvz_tlb kind, unsigned gid, const struct tlb_entry *e)
{
    if (kind == LVZ_STAGE1 && chance(2))
        fill_by_guest(gid, e);
    else
        lvz_tlb_fill(kind, gid, e);
}

void edit_map_payload(unsigned gid)
{
    unsigned slot = PAYLOAD_SLOT + gid;
    model_forget_index(LVZ_STAGE2, TLB_STLB_ENTRIES + slot);
    lvz_stage2_map(gid, slot, 0, 0, 24, PAGE_ALL);
}

// Entries that could both match: of the second stage the newest stays, the others are software's
// affair.
static void make_room(enum lvz_tlb kind, unsigned gid, const struct tlb_entry *e)
{
    for (unsigned n = tlbs[kind].n; n-- > 0;) {
        struct live *l = &tlbs[kind].list[n];
        bool same_space =
            kind == LVZ_STAGE2 || lvz_is_global(e) || lvz_is_global(&l->e) || l->e.asid == e->asid;
        if (l->gid != gid || !same_space || !overlap(&l->e, e))
            continue;
        if (kind != LVZ_STAGE2)
            lvz_tlb_remove(kind, gid, l->index);
        model_drop(kind, n);
    }
}

void edit_invalidate_all(void)
{
    lvz_invalidate(0, 0, 0);
    for (unsigned kind = 0; kind < LVZ_N_TLBS; kind++)
        tlbs[kind].n = 0;
    n_replaced = 0;
}

void edit_write(enum lvz_tlb kind)
{
    bool stlb = chance(2);
    unsigned gid = random_gid(kind), index;
    struct tlb_entry e = random_entry(kind, gid, stlb ? STLB_PS : random_ps());
    index = stlb ? (unsigned)random_below(&rng, TLB_STLB_WAYS) * TLB_STLB_SETS +
                       lvz_stlb_set(e.va, STLB_PS)
                 : TLB_STLB_ENTRIES + (unsigned)random_below(&rng, PAYLOAD_SLOT);
    make_room(kind, gid, &e);
    model_forget_index(kind, index);
    lvz_tlb_write(kind, gid, index, &e);
    model_add(kind, &e, gid, index);
    count.n_edits++;
}

static bool is_allowed_place(int index, const struct tlb_entry *e)
{
    if (e->ps != STLB_PS)
        return index >= TLB_STLB_ENTRIES;
    return index >= 0 && index < TLB_STLB_ENTRIES &&
           (unsigned)index % TLB_STLB_SETS == lvz_stlb_set(e->va, STLB_PS);
}

void edit_fill(enum lvz_tlb kind)
{
    unsigned gid = random_gid(kind);
    struct tlb_entry e = random_entry(kind, gid, chance(2) ? STLB_PS : random_ps());
    // Crowd some sets, so that the hardware must replace.
    if (kind == LVZ_STAGE2 && e.ps == STLB_PS && !chance(4))
        e.va = BIT(32) + random_below(&rng, 16) * BIT(23);
    make_room(kind, gid, &e);
    fill(kind, gid, &e);
    int index = lvz_tlb_search(kind, gid, e.asid, e.va);
    count.n_fills++;
    if (!is_allowed_place(index, &e)) {
        count.place++;
        return;
    }
    struct live *old = model_at_index(kind, (unsigned)index);
    if (old && kind == LVZ_STAGE2)
        replaced[n_replaced++] = *old, count.n_replaced++;
    model_forget_index(kind, (unsigned)index);
    model_add(kind, &e, gid, (unsigned)index);
}

// Invalidations.

// What must be gone is; of the rest, what went beside is noted.
static void settle(const struct lvz_invalidation *o, enum lvz_tlb kind)
{
    for (unsigned n = tlbs[kind].n; n-- > 0;) {
        struct live *l = &tlbs[kind].list[n];
        bool gone = !model_is_there(kind, l);
        if (lvz_invalidation_names(o, kind, l->gid, &l->e)) {
            count.left += !gone;
            model_drop(kind, n);
        } else if (gone) {
            if (kind == LVZ_STAGE2 && n_replaced < MAX_REPLACED)
                replaced[n_replaced++] = *l;
            model_drop(kind, n);
        }
    }
}

static void settle_all(const struct lvz_invalidation *o)
{
    for (unsigned n = n_replaced; n-- > 0;)
        if (lvz_invalidation_names(o, LVZ_STAGE2, replaced[n].gid, &replaced[n].e))
            replaced[n] = replaced[--n_replaced];
    for (unsigned kind = 0; kind < LVZ_N_TLBS; kind++)
        settle(o, (enum lvz_tlb)kind);
}

static unsigned random_op(void)
{
    static const u8 ops[] = {0,   1,   2,   3,    4,    5,    6,    9,    0xa,  0xb,
                             0xc, 0xd, 0xe, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16};
    static const u8 by_address[] = {5, 6, 0xd, 0xe, 0x16};
    if (chance(12))
        return ops[random_below(&rng, sizeof(ops))];
    return by_address[random_below(&rng, sizeof(by_address))];
}

void edit_invalidate(void)
{
    struct lvz_invalidation o = {
        .op = random_op(),
        .gid = random_gid(LVZ_STAGE2),
        .asid = (unsigned)random_below(&rng, N_ASIDS),
    };
    o.va = address_to_edit(chance(2) ? LVZ_STAGE2 : LVZ_STAGE1, &o.gid);
    u64 rj = GSTAT_GID(o.gid) | o.asid;
    if (o.op >= 0x10 && o.op <= 0x12)
        rj = 0;
    o.by_guest = o.op <= 6 && chance(2);
    o.target = o.op <= 6 && chance(2) ? random_gid(LVZ_STAGE2) : 0;
    if (o.by_guest) {
        guest_instruction(o.gid, WORD_INVTLB(o.op, 4, 5), o.asid, o.va);
    } else {
        lvz_set_target(o.target);
        lvz_invalidate(o.op, rj, o.va);
        lvz_set_target(0);
    }
    settle_all(&o);
    count.n_invalidations++;
}

// tlbflush and tlbclr, gtlbflush and gtlbclr: a set of the STLB or the whole MTLB.
void edit_flush(void)
{
    enum lvz_tlb kind = chance(2) ? LVZ_STAGE1 : LVZ_STAGE2;
    unsigned gid = random_gid(kind), asid = (unsigned)random_below(&rng, N_ASIDS);
    bool clear = chance(2), mtlb = chance(4);
    u64 va = interesting_address(kind);
    unsigned index = mtlb ? TLB_STLB_ENTRIES + 5 : lvz_stlb_set(va, STLB_PS);
    if (kind == LVZ_STAGE1) {
        gcsr_write(CSR_TLBIDX, index);
        gcsr_exchange(CSR_ASID, asid, BITS(9, 0));
    } else {
        csr_write(CSR_TLBIDX, index);
    }
    lvz_set_target(gid);
    if (kind == LVZ_STAGE1 && clear)
        __asm__ volatile(".word %0" ::"i"(WORD_GTLBCLR) : "memory");
    else if (kind == LVZ_STAGE1)
        __asm__ volatile(".word %0" ::"i"(WORD_GTLBFLUSH) : "memory");
    else if (clear)
        __asm__ volatile("tlbclr" ::: "memory");
    else
        __asm__ volatile("tlbflush" ::: "memory");
    lvz_set_target(0);
    for (unsigned n = tlbs[kind].n; n-- > 0;) {
        struct live *l = &tlbs[kind].list[n];
        bool in_part = mtlb ? l->index >= TLB_STLB_ENTRIES
                            : l->index % TLB_STLB_SETS == index && l->index < TLB_STLB_ENTRIES;
        bool kept = clear && kind == LVZ_STAGE1 && (lvz_is_global(&l->e) || l->e.asid != asid);
        if (l->gid != gid || !in_part || kept)
            continue;
        count.left += model_is_there(kind, l);
        model_drop(kind, n);
    }
    count.n_invalidations++;
}
