// SPDX-License-Identifier: Apache-2.0
// The model in plain C of what is in each place of each TLB, and what an access does by it.
#include "guest/tests/lvz_random.h"
#include "guest/lib/report.h"

struct model_tlb tlbs[LVZ_N_TLBS];
struct live replaced[MAX_REPLACED];
unsigned n_replaced;

void model_drop(enum lvz_tlb kind, unsigned n)
{
    tlbs[kind].list[n] = tlbs[kind].list[--tlbs[kind].n];
}

struct live *model_at_index(enum lvz_tlb kind, unsigned index)
{
    for (unsigned n = 0; n < tlbs[kind].n; n++)
        if (tlbs[kind].list[n].index == index)
            return &tlbs[kind].list[n];
    return NULL;
}

void model_forget_index(enum lvz_tlb kind, unsigned index)
{
    struct live *l = model_at_index(kind, index);
    if (l)
        model_drop(kind, (unsigned)(l - tlbs[kind].list));
}

void model_add(enum lvz_tlb kind, const struct tlb_entry *e, unsigned gid, unsigned index)
{
    tlbs[kind].list[tlbs[kind].n++] = (struct live){*e, gid, index};
}

struct live *model_find(enum lvz_tlb kind, unsigned gid, unsigned asid, u64 va)
{
    for (unsigned n = 0; n < tlbs[kind].n; n++) {
        struct live *l = &tlbs[kind].list[n];
        bool in_space = kind == LVZ_STAGE2 || lvz_is_global(&l->e) || l->e.asid == asid;
        if (l->gid == gid && in_space && lvz_covers(&l->e, va))
            return l;
    }
    return NULL;
}

bool model_is_there(enum lvz_tlb kind, const struct live *l)
{
    struct tlb_entry e;
    if (!lvz_tlb_read(kind, l->gid, l->index, &e))
        return false;
    return e.va == l->e.va && e.ps == l->e.ps && (kind == LVZ_STAGE2 || e.asid == l->e.asid) &&
           !(((e.elo[0] ^ l->e.elo[0]) | (e.elo[1] ^ l->e.elo[1])) & ~PAGE_G) &&
           lvz_is_global(&e) == lvz_is_global(&l->e);
}

static void expect_place(struct expectation *x, u64 pa)
{
    for (unsigned n = 0; n < x->n_places; n++)
        if (x->places[n] == pa)
            return;
    if (x->n_places < ARRAY_LEN(x->places))
        x->places[x->n_places++] = pa;
    else
        report_bail_out("more replaced entries for one address than provided for");
}

static void expect_stage2(struct expectation *x, unsigned gid, u64 gpa, enum page_access access)
{
    const struct live *l = model_find(LVZ_STAGE2, gid, 0, gpa);
    x->bad_address = gpa;
    x->code = l ? page_fault_expected(elo_of(&l->e, gpa), access, 0, 0) : EXC_TLBR;
    if (x->code == EXC_NONE)
        expect_place(x, physical(&l->e, gpa));
    for (unsigned n = 0; n < n_replaced; n++) {
        const struct tlb_entry *e = &replaced[n].e;
        if (replaced[n].gid == gid && lvz_covers(e, gpa) &&
            page_fault_expected(elo_of(e, gpa), access, 0, 0) == EXC_NONE)
            expect_place(x, physical(e, gpa));
    }
}

struct expectation model_expect(unsigned gid, unsigned asid, unsigned plv, bool mapped, u64 va,
                                enum page_access access)
{
    struct expectation x = {.bad_address = va};
    if (!mapped) {
        expect_stage2(&x, gid, va, access);
        return x;
    }
    const struct live *l = model_find(LVZ_STAGE1, gid, asid, va);
    unsigned fault = l ? page_fault_expected(elo_of(&l->e, va), access, plv, 0) : EXC_TLBR;
    if (fault == EXC_NONE)
        expect_stage2(&x, gid, physical(&l->e, va), access);
    else
        x.code = GUEST(fault);
    return x;
}
