// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/lvz_tlb.h"

#define TLBIDX_NE BIT(31)

#define GUEST_TLB(gid, word)                                 \
    do {                                                     \
        lvz_set_target(gid);                                 \
        __asm__ volatile(".word %0" ::"i"(word) : "memory"); \
        lvz_set_target(0);                                   \
    } while (0)

void lvz_tlb_write(enum lvz_tlb kind, unsigned gid, unsigned index, const struct tlb_entry *e)
{
    switch (kind) {
    case LVZ_ROOT: tlb_write(index, e); break;
    case LVZ_STAGE1: lvz_stage1_write(gid, index, e); break;
    default: lvz_stage2_write(gid, index, e); break;
    }
}

void lvz_tlb_remove(enum lvz_tlb kind, unsigned gid, unsigned index)
{
    if (kind == LVZ_ROOT) {
        tlb_remove(index);
        return;
    }
    gcsr_write(CSR_TLBIDX, TLBIDX_NE | index);
    GUEST_TLB(gid, WORD_GTLBWR);
}

void lvz_tlb_fill(enum lvz_tlb kind, unsigned gid, const struct tlb_entry *e)
{
    switch (kind) {
    case LVZ_ROOT: tlb_fill(e); break;
    case LVZ_STAGE1: lvz_stage1_fill(gid, e); break;
    default: lvz_stage2_fill(gid, e); break;
    }
}

static bool read_stage1(unsigned gid, unsigned index, struct tlb_entry *e)
{
    gcsr_write(CSR_TLBIDX, index);
    GUEST_TLB(gid, WORD_GTLBRD);
    u64 idx = gcsr_read(CSR_TLBIDX);
    *e = (struct tlb_entry){
        .va = gcsr_read(CSR_TLBEHI),
        .ps = (unsigned)bits_get(idx, 29, 24),
        .asid = (unsigned)(gcsr_read(CSR_ASID) & BITS(9, 0)),
        .elo = {gcsr_read(CSR_TLBELO0), gcsr_read(CSR_TLBELO1)},
    };
    return !(idx & TLBIDX_NE);
}

bool lvz_tlb_read(enum lvz_tlb kind, unsigned gid, unsigned index, struct tlb_entry *e)
{
    if (kind == LVZ_STAGE1)
        return read_stage1(gid, index, e);
    lvz_set_target(kind == LVZ_STAGE2 ? gid : 0);
    bool found = tlb_read(index, e);
    lvz_set_target(0);
    return found && csr_read(CSR_TRGP) == (kind == LVZ_STAGE2 ? 1 | GSTAT_GID(gid) : 0);
}

int lvz_tlb_search(enum lvz_tlb kind, unsigned gid, unsigned asid, u64 va)
{
    if (kind == LVZ_ROOT)
        return tlb_search(va, asid);
    if (kind == LVZ_STAGE2)
        return lvz_stage2_search(gid, va);
    gcsr_write(CSR_TLBEHI, va);
    gcsr_exchange(CSR_ASID, asid, BITS(9, 0));
    gcsr_write(CSR_TLBIDX, 0);
    GUEST_TLB(gid, WORD_GTLBSRCH);
    u64 idx = gcsr_read(CSR_TLBIDX);
    return idx & TLBIDX_NE ? -1 : (int)bits_get(idx, 11, 0);
}

// Operations 1 to 6 within what they are about.
static bool is_selected(unsigned op, const struct lvz_invalidation *o, enum lvz_tlb kind,
                        const struct tlb_entry *e)
{
    bool g = lvz_is_global(e), asid = e->asid == o->asid, va = lvz_covers(e, o->va);
    if (kind == LVZ_STAGE2) // neither ASID nor G
        return op == 1 || op == 3 || op == 4 || ((op == 5 || op == 6) && va);
    switch (op) {
    case 2: return g;
    case 3: return !g;
    case 4: return !g && asid;
    case 5: return !g && asid && va;
    case 6: return (g || asid) && va;
    default: return true;
    }
}

bool lvz_invalidation_names(const struct lvz_invalidation *o, enum lvz_tlb kind, unsigned gid,
                            const struct tlb_entry *e)
{
    bool stage1 = kind == LVZ_STAGE1, stage2 = kind == LVZ_STAGE2, own = gid == o->gid;
    if (o->by_guest)
        return stage1 && own && is_selected(o->op, o, kind, e);
    if (o->op == 0)
        return true;
    if (o->op <= 6 && o->target)
        return stage2 && gid == o->target && is_selected(o->op, o, kind, e);
    if (o->op <= 6)
        return kind == LVZ_ROOT && is_selected(o->op, o, kind, e);
    if (o->op <= 0xe) // 1 to 6 for a guest's first stage
        return stage1 && own && is_selected(o->op - 8, o, kind, e);
    switch (o->op) {
    case 0x10: return stage1;
    case 0x11: return stage2;
    case 0x12: return kind != LVZ_ROOT;
    case 0x13: return stage1 && own;
    case 0x14: return stage2 && own;
    case 0x15: return kind != LVZ_ROOT && own;
    default: return stage2 && own && lvz_covers(e, o->va);
    }
}
