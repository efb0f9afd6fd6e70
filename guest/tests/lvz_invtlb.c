// SPDX-License-Identifier: Apache-2.0
// Every invalidation with a TLB that holds entries of the root and of both stages of two guests:
// what it names must be gone, for the instructions that look at the TLB and for accesses. That it
// removes more is allowed; how much more is told in a note.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/lvz_tlb.h"
#include "guest/lib/report.h"

#define GUEST(code) (LVZ_GUEST | (code))

struct entry {
    enum lvz_tlb kind;
    unsigned gid, asid;
    bool is_global;
    u64 va;
    unsigned ps, slot; // in the MTLB; those of 16 KiB are filled
};

#define N_ENTRIES 30
#define GPA_BASE  0x1800000ULL // within the payload's pages
#define HPA_BASE  0x6000000ULL

static struct vcpu v;
static struct entry entries[N_ENTRIES];

static void make_entries(void)
{
    static const struct {
        unsigned asid;
        bool is_global;
    } spaces[] = {{3, false}, {4, false}, {3, true}};
    unsigned n = 0;
    for (unsigned who = 0; who < 5; who++) // root; stage 1 of both; stage 2 of both
        for (unsigned i = 0; i < 6; i++, n++) {
            struct entry *e = &entries[n];
            e->kind = who == 0 ? LVZ_ROOT : who < 3 ? LVZ_STAGE1 : LVZ_STAGE2;
            e->gid = who == 0 ? 0 : 1 + (who - 1) % 2;
            e->asid = spaces[i % 3].asid;
            e->is_global = spaces[i % 3].is_global && e->kind != LVZ_STAGE2;
            e->ps = i < 3 ? 14 : 16;
            e->slot = n;
            // The same addresses in every space, so that only the space tells them apart.
            e->va = 0x40000000 + i * 0x100000;
        }
}

static struct tlb_entry as_written(const struct entry *e)
{
    u64 pa =
        e->kind == LVZ_STAGE1 ? GPA_BASE + e->slot * 0x20000ULL : HPA_BASE + e->slot * 0x20000ULL;
    u64 flags = PAGE_ALL | (e->is_global ? PAGE_G : 0);
    return (struct tlb_entry){e->va, e->ps, e->asid, {pa | flags, (pa + BIT(e->ps)) | flags}};
}

static void put(const struct entry *e)
{
    struct tlb_entry t = as_written(e);
    if (e->ps == 14)
        lvz_tlb_fill(e->kind, e->gid, &t);
    else
        lvz_tlb_write(e->kind, e->gid, TLB_STLB_ENTRIES + e->slot, &t);
}

static bool is_found(const struct entry *e)
{
    return lvz_tlb_search(e->kind, e->gid, e->asid, e->va) >= 0;
}

static void map_payload(unsigned gid)
{
    v.gid = gid;
    lvz_stage2_map(gid, 60 + gid, 0, 0, 24, PAGE_ALL);
}

// Whether an access goes through this entry.
static bool serves(const struct entry *e)
{
    if (e->kind == LVZ_ROOT) {
        tlb_set_asid(e->asid);
        struct trap t = trap_call(0, access_load64, e->va + 8, 0, 0);
        tlb_set_asid(0);
        return t.code == EXC_NONE;
    }
    map_payload(e->gid);
    gcsr_write(CSR_ASID, e->asid);
    u64 crmd = e->kind == LVZ_STAGE1 ? CRMD_PG : CRMD_DA;
    unsigned found = lvz_word(&v, crmd, WORD("ld.d $a0, $a0, 0"), e->va + 8, 0);
    gcsr_write(CSR_TLBRERA, 0);
    return found == EXC_NONE;
}

static void populate(void)
{
    lvz_invalidate(0, 0, 0);
    for (unsigned i = 0; i < N_ENTRIES; i++)
        put(&entries[i]);
}

static void execute(const struct lvz_invalidation *o)
{
    u64 rj = (u64)o->gid << 16 | o->asid;
    if (!o->by_guest) {
        if (o->target)
            lvz_set_target(o->target);
        lvz_invalidate(o->op, rj, o->va);
        lvz_set_target(0);
        return;
    }
    map_payload(o->gid);
    lvz_word(&v, CRMD_DA, WORD_INVTLB(o->op, 4, 5), o->asid, o->va);
}

static unsigned n_extra, n_notes;

static unsigned survivors(const struct lvz_invalidation *o)
{
    unsigned n_wrong = 0;
    bool served[N_ENTRIES];
    populate();
    for (unsigned i = 0; i < N_ENTRIES; i++)
        served[i] = serves(&entries[i]);
    execute(o);
    for (unsigned i = 0; i < N_ENTRIES; i++) {
        const struct entry *e = &entries[i];
        struct tlb_entry t = as_written(e);
        bool gone = lvz_invalidation_names(o, e->kind, e->gid, &t), found = is_found(e),
             serving = serves(e);
        if (!served[i] || found != serving || (gone && found)) {
            if (n_wrong++ || n_notes++ > 8)
                continue;
            report_note("op 0x%x gid %u asid %u va 0x%lx target %u guest %u: kind %u gid %u "
                        "asid %u global %u va 0x%lx: served %u found %u serves %u",
                        o->op, o->gid, o->asid, (unsigned long)o->va, o->target, o->by_guest,
                        e->kind, e->gid, e->asid, e->is_global, (unsigned long)e->va, served[i],
                        found, serving);
        }
        n_extra += !gone && !found;
    }
    return n_wrong;
}

static unsigned check_operation(unsigned op, unsigned target, bool by_guest)
{
    unsigned n_wrong = 0;
    for (unsigned gid = 1; gid <= 2; gid++)
        for (unsigned asid = 3; asid <= 4; asid++)
            for (unsigned i = 0; i < 6; i += 1) {
                u64 va = entries[i].va + BIT(entries[i].ps) + 0x123;
                struct lvz_invalidation o = {op, gid, asid, target, va, by_guest};
                n_wrong += survivors(&o);
            }
    return n_wrong;
}

static void test_operations(void)
{
    for (unsigned op = 0; op < 0x17; op++)
        if (lvz_invalidation_exists(op))
            report_eq(check_operation(op, 0, false), 0, "invtlb 0x%x", op);
    for (unsigned op = 1; op <= 6; op++)
        report_eq(check_operation(op, 1, false), 0, "invtlb 0x%x under TGID", op);
    for (unsigned op = 0; op <= 6; op++)
        report_eq(check_operation(op, 0, true), 0, "invtlb 0x%x by the guest", op);
    report_note("%u entries went that need not", n_extra);
}

// After the ids of guests have been used up.
static void test_all_guests(void)
{
    struct lvz_invalidation o = {0x12, 0, 0, 0, 0, false};
    unsigned n_left = 0;
    survivors(&o);
    for (unsigned i = 0; i < N_ENTRIES; i++)
        n_left += entries[i].kind != LVZ_ROOT && is_found(&entries[i]);
    report_eq(n_left, 0, "invtlb 0x12 with both registers 0: nothing of any guest is left");
}

// More pages than a set of the STLB, or the MTLB, can hold: some entries have been replaced
// when their pages are changed and invalidated. No copy of them may be left anywhere.
#define N_PAGES  90
#define PAGE_GPA 0x50000000ULL
static unsigned generation, page_ps;

// Multiples of 8 MiB have the same set of the STLB.
static u64 page_stride(void)
{
    return page_ps == 14 ? 0x800000 : 0x820000;
}

static u64 page_gpa(unsigned i)
{
    return PAGE_GPA + i * page_stride();
}

// Where a page is accessed: at places as different as may be.
static u64 offset_in(unsigned i)
{
    return (i % 8) << 12;
}

static u64 page_hpa(unsigned i)
{
    return BOARD_HIGH_RAM + generation * BIT(26) + i * 0x20000;
}

static bool on_refill(struct vcpu *u, u64 gpa)
{
    u64 hpa = page_hpa((unsigned)((gpa - PAGE_GPA) / page_stride()));
    struct tlb_entry e = {align_down(gpa, 2ULL << page_ps), page_ps, 0, {0, 0}};
    e.elo[0] = hpa | PAGE_ALL;
    e.elo[1] = (hpa + BIT(page_ps)) | PAGE_ALL;
    if (gpa < PAGE_GPA)
        lvz_map_payload(u);
    else
        lvz_stage2_fill(u->gid, &e);
    return true;
}

// Whether a load finds what this generation has in the page.
static bool is_fresh(unsigned i)
{
    u64 value = generation * 1000 + i;
    *(volatile u64 *)memory_at(page_hpa(i) + offset_in(i)) = value;
    unsigned found = lvz_word(&v, CRMD_DA, WORD("ld.d $a0, $a0, 0"), page_gpa(i) + offset_in(i), 0);
    return found == EXC_NONE && lvz_result(&v) == value;
}

enum way { BY_OP, BY_OP_UNDER_TGID, BY_TLBFLUSH, BY_TLBCLR };

static void invalidate_page(enum way way, unsigned op, unsigned i)
{
    bool stlb = page_ps == 14;
    if (way == BY_OP || way == BY_OP_UNDER_TGID) {
        lvz_set_target(way == BY_OP ? 0 : 1);
        lvz_invalidate(op, GSTAT_GID(1), page_gpa(i));
        lvz_set_target(0);
        return;
    }
    lvz_set_target(1);
    csr_write(CSR_TLBIDX, stlb ? page_gpa(i) >> 15 & (TLB_STLB_SETS - 1) : TLB_STLB_ENTRIES);
    if (way == BY_TLBFLUSH)
        __asm__ volatile("tlbflush" ::: "memory");
    else
        __asm__ volatile("tlbclr" ::: "memory");
    lvz_set_target(0);
}

static unsigned stale_after(enum way way, unsigned op)
{
    unsigned n_stale = 0;
    lvz_init(&v, 1);
    v.refill = on_refill;
    for (generation = 0; generation < 2; generation++) {
        for (unsigned i = 0; generation && i < N_PAGES; i++)
            invalidate_page(way, op, i);
        // Backwards: the last ones are those of which something may be cached.
        for (unsigned i = N_PAGES; i-- > 0;)
            n_stale += !is_fresh(generation ? i : N_PAGES - 1 - i);
    }
    return n_stale;
}

static void test_replaced_entries(void)
{
    static const u8 ops[] = {0, 0x11, 0x12, 0x14, 0x15, 0x16};
    for (page_ps = 14; page_ps <= 16; page_ps += 2) {
        const char *where = page_ps == 14 ? "STLB" : "MTLB";
        for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
            report_eq(stale_after(BY_OP, ops[i]), 0, "%s: replaced entries and invtlb 0x%x", where,
                      ops[i]);
        for (unsigned op = 1; op <= 6; op++)
            if (op != 2)
                report_eq(stale_after(BY_OP_UNDER_TGID, op), 0,
                          "%s: replaced entries and invtlb 0x%x under TGID", where, op);
        report_eq(stale_after(BY_TLBFLUSH, 0), 0, "%s: replaced entries and tlbflush", where);
        report_eq(stale_after(BY_TLBCLR, 0), 0, "%s: replaced entries and tlbclr", where);
    }
}

// Only the pages that the hardware has replaced are changed and invalidated, one by one.
static unsigned stale_of_replaced(enum way way, unsigned op, unsigned *n_replaced)
{
    bool replaced[N_PAGES];
    unsigned n_stale = 0;
    lvz_init(&v, 1);
    v.refill = on_refill;
    generation = 0;
    for (unsigned i = 0; i < N_PAGES; i++)
        is_fresh(i);
    for (unsigned i = 0; i < N_PAGES; i++)
        replaced[i] = lvz_stage2_search(1, page_gpa(i)) < 0;
    generation = 1;
    for (unsigned i = N_PAGES; i-- > 0;)
        if (replaced[i]) {
            invalidate_page(way, op, i);
            n_stale += !is_fresh(i);
            ++*n_replaced;
        }
    return n_stale;
}

static void test_replaced_alone(void)
{
    unsigned n = 0;
    for (page_ps = 14; page_ps <= 16; page_ps += 2) {
        const char *where = page_ps == 14 ? "STLB" : "MTLB";
        report_eq(stale_of_replaced(BY_OP, 0x16, &n), 0, "%s: replaced, invtlb 0x16", where);
        report_eq(stale_of_replaced(BY_OP_UNDER_TGID, 5, &n), 0, "%s: replaced, invtlb 5", where);
        report_eq(stale_of_replaced(BY_OP_UNDER_TGID, 6, &n), 0, "%s: replaced, invtlb 6", where);
    }
    report(n > 60, "%u replaced entries", n);
}

// tlbwr says which entry goes.
static void test_overwritten(void)
{
    lvz_init(&v, 1);
    page_ps = 16;
    generation = 0;
    struct tlb_entry a = {page_gpa(0), 16, 0, {BOARD_HIGH_RAM | PAGE_ALL, 0}};
    struct tlb_entry b = {page_gpa(1), 16, 0, {BOARD_HIGH_RAM | PAGE_ALL, 0}};
    const u32 ld = WORD("ld.d $a0, $a0, 0");
    lvz_stage2_write(1, TLB_STLB_ENTRIES + 3, &a);
    report_outcome(&v, lvz_word(&v, CRMD_DA, ld, page_gpa(0), 0), EXC_NONE, "an entry by tlbwr");
    lvz_stage2_write(1, TLB_STLB_ENTRIES + 3, &b);
    report_outcome(&v, lvz_word(&v, CRMD_DA, ld, page_gpa(0), 0), EXC_TLBR, "another in its place");
    report_outcome(&v, lvz_word(&v, CRMD_DA, ld, page_gpa(1), 0), EXC_NONE, "which serves");
    lvz_set_target(1);
    tlb_remove(TLB_STLB_ENTRIES + 3);
    lvz_set_target(0);
    report_outcome(&v, lvz_word(&v, CRMD_DA, ld, page_gpa(1), 0), EXC_TLBR, "removed by tlbwr");
}

int main(void)
{
    lvz_init(&v, 1);
    lvz_open_window();
    make_entries();
    test_operations();
    test_all_guests();
    test_replaced_entries();
    test_replaced_alone();
    test_overwritten();
    return 0;
}
