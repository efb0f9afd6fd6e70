// SPDX-License-Identifier: Apache-2.0
// Translation in two stages: misses and faults of each, page sizes, guest ids, the TLB instructions
// of both sides.
//
// Command line: badi_on_pif=1 stage2_asid=1 tell how the processor was configured.
#include "guest/lib/args.h"
#include "guest/lib/report.h"
#include "guest/tests/lvz_stages.h"

static const struct access {
    const char *name;
    u32 word;
    unsigned invalid;
} * accesses(void)
{
    static struct access table[9];
    table[0] = (struct access){"ld.d", WORD("ld.d $t0, $a0, 0"), EXC_PIL};
    table[1] = (struct access){"st.d", WORD("st.d $a1, $a0, 0"), EXC_PIS};
    table[2] = (struct access){"ld.bu", WORD("ld.bu $t0, $a0, 0"), EXC_PIL};
    table[3] = (struct access){"st.b", WORD("st.b $a1, $a0, 0"), EXC_PIS};
    table[4] = (struct access){"ll.d", WORD("ll.d $t0, $a0, 0"), EXC_PIL};
    table[5] = (struct access){"amadd.d", WORD("amadd.d $t0, $a1, $a0"), EXC_PIS};
    table[6] = (struct access){"ldx.w", WORD("ldx.w $t0, $a0, $zero"), EXC_PIL};
    table[7] = (struct access){"stptr.w", WORD("stptr.w $a1, $a0, 0"), EXC_PIS};
    return table;
}

static void check_refill(u64 gpa, const char *name)
{
    report(v.is_refill && v.tlbrbadv == gpa, "%s: refill of the root with the GPA", name);
    report_eq(v.tlbrehi & BITS(47, 13), gpa & BITS(47, 13), "%s: VPPN is the GPA's", name);
    report_eq(v.tlbrprmd, CRMD_IE | TLBRPRMD_PGM, "%s: TLBRPRMD", name);
    report_eq(v.crmd & 0x1f, CRMD_DA, "%s: CRMD", name);
}

static void test_misses(void)
{
    start();
    lvz_stage1_map(1, 0, GVA, GPA, 14, PAGE_ALL);
    csr_write(CSR_ERA, 0);
    for (const struct access *a = accesses(); a->name; a++) {
        lvz_word(&v, CRMD_DA, a->word, GPA + OFFSET, 0);
        check_refill(GPA + OFFSET, a->name);
        report_eq(v.tlbrera, (u64)lvz_word_address() | 1, "%s: TLBRERA", a->name);
        lvz_word(&v, MAPPED3, a->word, GVA + 0x4000 + OFFSET, 0);
        report(v.is_refill && v.tlbrbadv == GPA + 0x4000 + OFFSET, "%s: through the first stage",
               a->name);
        v.refill = on_refill;
        report_outcome(&v, lvz_word(&v, MAPPED3, a->word, GVA + OFFSET, 0), EXC_NONE,
                       "%s: done after the refill", a->name);
        v.refill = NULL;
        lvz_invalidate(0x16, GSTAT_GID(1), GPA);
    }
    fetch(CRMD_DA, GPA + 0x40);
    check_refill(GPA + 0x40, "fetch");
    report_eq(v.tlbrera, (GPA + 0x40) | 1, "fetch: TLBRERA");
    *(volatile u32 *)hpa(HPA + 0x40) = LVZ_WORD_RETURN;
    v.refill = on_refill;
    report_outcome(&v, fetch(MAPPED, GVA + 0x40), EXC_NONE, "fetch: done after the refill");
    v.refill = NULL;
    lvz_invalidate(0x16, GSTAT_GID(1), GPA);
    report_outcome(&v, lvz_word(&v, CRMD_DA, WORD("preld 0, $a0, 0"), GPA, 0), EXC_NONE,
                   "preld never faults");
}

static void check_fault(const struct access *a, u64 flags, unsigned code)
{
    lvz_stage2_map(1, 0, GPA, HPA, 14, flags);
    unsigned found = lvz_word(&v, CRMD_DA, a->word, GPA + OFFSET, 0);
    bool saved = code == EXC_NONE ||
                 (v.badv == GPA + OFFSET && v.badi == a->word &&
                  v.tlbehi == ((GPA + OFFSET) & BITS(47, 13)) && v.era == (u64)lvz_word_address());
    bool passed =
        report_outcome(&v, found, code, "%s with flags 0x%lx", a->name, (unsigned long)flags);
    if (passed && !saved)
        report(false, "%s with flags 0x%lx: BADV, BADI, TLBEHI", a->name, (unsigned long)flags);
}

static void test_faults(void)
{
    start();
    for (const struct access *a = accesses(); a->name; a++) {
        bool is_store = a->invalid == EXC_PIS;
        check_fault(a, 0, a->invalid);
        check_fault(a, PAGE_D, a->invalid);
        check_fault(a, PAGE_V, is_store ? EXC_PME : EXC_NONE);
        check_fault(a, PAGE_V | PAGE_D, EXC_NONE);
        // An atomic access reads as well.
        bool reads = !is_store || a->word == accesses()[5].word;
        check_fault(a, PAGE_V | PAGE_D | PAGE_NR, reads ? EXC_PNR : EXC_NONE);
        check_fault(a, PAGE_V | PAGE_D | PAGE_NX, EXC_NONE);
        check_fault(a, PAGE_V | PAGE_D | PAGE_RPLV, EXC_NONE);
        check_fault(a, PAGE_V | PAGE_D | PAGE_RPLV | PAGE_PLV(3), EXC_PPI);
    }
    // The level that counts is the root's.
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_V | PAGE_D);
    report_outcome(&v, load(CRMD_DA | 3, GPA), EXC_NONE, "level 3 of the guest, page of level 0");
    v.entry_prmd = CRMD_IE | 3;
    report_outcome(&v, load(CRMD_DA, GPA), EXC_PPI, "level 3 of the root, page of level 0");
    v.entry_prmd = CRMD_IE;
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_V | PAGE_NX);
    u64 badi = csr_read(CSR_BADI);
    report_outcome(&v, fetch(CRMD_DA, GPA), EXC_PNX, "fetch from a page with NX");
    report_eq(v.badv, GPA, "fetch from a page with NX: BADV");
    lvz_stage2_map(1, 0, GPA, HPA, 14, 0);
    badi = csr_read(CSR_BADI);
    report_outcome(&v, fetch(CRMD_DA, GPA + 0x44), EXC_PIF, "fetch from an invalid page");
    report(v.badv == GPA + 0x44 && v.era == GPA + 0x44, "fetch from an invalid page: BADV, ERA");
    report_eq(v.badi, args_number("badi_on_pif", 0) ? badi : 0, "fetch from an invalid page: BADI");
}

// What the first stage refuses stays inside.
static void test_first_stage(void)
{
    static const struct {
        const char *name;
        u64 flags;
        unsigned plv;
        char access;
        unsigned code;
    } cases[] = {
        {"load, V = 0", 0, 0, 'l', EXC_PIL},
        {"store, V = 0", PAGE_D, 3, 's', EXC_PIS},
        {"fetch, V = 0", 0, 0, 'f', EXC_PIF},
        {"store, D = 0", PAGE_V | PAGE_PLV(3), 3, 's', EXC_PME},
        {"load at level 3, page of 0", PAGE_V, 3, 'l', EXC_PPI},
        {"load at level 1, page of 3", PAGE_V | PAGE_PLV(3), 1, 'l', EXC_NONE},
        {"load at level 0, RPLV 3", PAGE_V | PAGE_PLV(3) | PAGE_RPLV, 0, 'l', EXC_PPI},
        {"load, NR", PAGE_ALL | PAGE_NR, 3, 'l', EXC_PNR},
        {"store, NR", PAGE_ALL | PAGE_NR, 3, 's', EXC_NONE},
        {"fetch, NX", PAGE_ALL | PAGE_NX, 0, 'f', EXC_PNX},
        {"fetch at level 3, page of 0", PAGE_V, 3, 'f', EXC_PPI},
    };
    start();
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_V | PAGE_D);
    csr_write(CSR_BADV, 0x1111);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        u64 crmd = CRMD_PG | cases[i].plv, va = GVA + 0x4000 + 0x120;
        lvz_stage1_map(1, 0, GVA, GPA, 14, cases[i].flags);
        gcsr_write(CSR_BADV, 0);
        unsigned found = cases[i].access == 'l'   ? load(crmd, va)
                         : cases[i].access == 's' ? store(crmd, va, 0)
                                                  : fetch(crmd, va);
        unsigned code = cases[i].code;
        report_outcome(&v, found, code == EXC_NONE ? EXC_NONE : GUEST(code), "%s", cases[i].name);
        if (code != EXC_NONE)
            report(gcsr_read(CSR_BADV) == va && v.badv == 0x1111 &&
                       gcsr_read(CSR_TLBEHI) == (va & BITS(47, 13)),
                   "%s: BADV and TLBEHI of the guest", cases[i].name);
    }
    report_outcome(&v, load(MAPPED3, GVA + 0x10008), GUEST(EXC_TLBR), "a miss");
    report_eq(gcsr_read(CSR_TLBRBADV), GVA + 0x10008, "a miss: the guest's TLBRBADV");
    report_eq(gcsr_read(CSR_TLBRERA), (u64)lvz_word_address() | 1, "a miss: the guest's TLBRERA");
    report_eq(gcsr_read(CSR_TLBRPRMD), 3, "a miss: the guest's TLBRPRMD");
    gcsr_write(CSR_TLBRERA, 0);
}

static void test_page_sizes(void)
{
    static const u8 sizes[] = {12, 13, 14, 16, 21, 25};
    const u64 base = BOARD_HIGH_RAM; // 256 MiB there
    unsigned n_wrong = 0, n_stores = 0;
    u64 gpa = 0x40000000;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        for (unsigned j = 0; j < ARRAY_LEN(sizes); j++) {
            unsigned ps1 = sizes[i], ps2 = sizes[j];
            u64 small = BIT(ps1 < ps2 ? ps1 : ps2);
            start();
            lvz_stage1_map(1, 0, GVA, gpa, ps1, PAGE_ALL);
            lvz_stage2_map(1, 0, gpa, base, ps2, PAGE_ALL);
            for (u64 at = 8; at < 2 * small; at += small / 2) {
                *hpa(base + at) = at + i;
                n_wrong += load(MAPPED3, GVA + at) != EXC_NONE || lvz_result(&v) != at + i;
                n_stores += store(MAPPED, GVA + at, ~at) != EXC_NONE || *hpa(base + at) != ~at;
            }
            // What the smaller page does not cover does not come from it.
            if (ps1 < ps2)
                n_wrong += load(MAPPED3, GVA + 2 * small) != GUEST(EXC_TLBR);
            if (ps2 < ps1)
                n_wrong += load(MAPPED3, GVA + 2 * small) != EXC_TLBR;
            gcsr_write(CSR_TLBRERA, 0);
        }
    report_eq(n_wrong, 0, "loads with each pair of page sizes");
    report_eq(n_stores, 0, "stores with each pair of page sizes");
}

static void test_guest_ids(void)
{
    start();
    *hpa(HPA) = 0x1111;
    *hpa(HPA + 0x100000) = 0x2222;
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    lvz_stage2_map(2, 1, GPA, HPA + 0x100000, 14, PAGE_ALL);
    lvz_stage2_map(2, 62, 0, 0, 24, PAGE_ALL);
    // The same GVA to the same GPA, but of the second only the data differs.
    lvz_stage1_map(1, 0, GVA, GPA, 14, PAGE_ALL);
    lvz_stage1_map(2, 1, GVA, GPA, 14, PAGE_ALL);
    unsigned n_wrong = 0;
    for (unsigned n = 0; n < 200; n++) {
        v.gid = 1 + n % 2;
        u64 expected = n % 2 ? 0x2222 : 0x1111;
        n_wrong += load(n & 2 ? MAPPED : CRMD_DA, n & 2 ? GVA : GPA) != EXC_NONE;
        n_wrong += lvz_result(&v) != expected;
    }
    report_eq(n_wrong, 0, "two guests with the same addresses, switched without a flush");
    v.gid = 3;
    load(CRMD_DA, GPA);
    report(v.is_refill && v.tlbrbadv == physical_of(lvz_word_address()),
           "a third has nothing of theirs");
    v.gid = 1;
    lvz_stage1_map(2, 2, GVA + 0x10000, GPA, 14, PAGE_ALL);
    report_outcome(&v, load(MAPPED, GVA + 0x10000), GUEST(EXC_TLBR),
                   "nor the first a first-stage entry of the second");
    gcsr_write(CSR_TLBRERA, 0);
}

// A newer entry for the same guest page replaces the older, of any size, wherever it is.
static void test_newest_wins(void)
{
    start();
    struct tlb_entry clean = pages(GPA, HPA, 14, PAGE_V), dirty = pages(GPA, HPA, 14, PAGE_ALL);
    lvz_stage2_fill(1, &clean);
    report_outcome(&v, store(CRMD_DA, GPA, 1), EXC_PME, "a store to a clean page");
    lvz_stage2_fill(1, &dirty);
    report_outcome(&v, store(CRMD_DA, GPA, 1), EXC_NONE, "after a second tlbfill");
    lvz_stage2_fill(1, &clean);
    report_outcome(&v, store(CRMD_DA, GPA, 1), EXC_PME, "and clean again");
    struct tlb_entry large = pages(align_down(GPA, BIT(22)), HPA, 21, PAGE_ALL);
    *hpa(HPA + (GPA & BITS(20, 0)) + 8) = 0x77;
    lvz_stage2_fill(1, &large);
    report_outcome(&v, store(CRMD_DA, GPA, 1), EXC_NONE, "a larger page replaces a smaller");
    lvz_stage2_map(1, 5, GPA, HPA + 0x100000, 12, PAGE_V);
    report_outcome(&v, store(CRMD_DA, GPA, 1), EXC_PME, "a smaller page a larger");
    load(CRMD_DA, GPA + 0x4000);
    report(v.is_refill, "of which nothing is left");
    struct tlb_entry invalid = pages(GPA, 0, 14, 0);
    lvz_stage2_fill(1, &invalid);
    report_outcome(&v, load(CRMD_DA, GPA), EXC_PIL, "an invalid entry");
    lvz_stage2_fill(1, &dirty);
    report_outcome(&v, load(CRMD_DA, GPA), EXC_NONE, "replaced by a valid one");
}

static void test_stage2_instructions(void)
{
    struct tlb_entry e;
    start();
    lvz_stage2_map(1, 7, GPA, HPA, 14, PAGE_ALL);
    report_eq((u64)lvz_stage2_search(1, GPA + 0x4008), TLB_STLB_ENTRIES + 7,
              "tlbsrch finds the entry under TGID");
    report_eq((u64)(s64)lvz_stage2_search(2, GPA), (u64)-1LL, "not under another");
    report_eq((u64)(s64)tlb_search(GPA, 0), (u64)-1LL, "nor among the root's own");
    lvz_set_target(1);
    bool found = tlb_read(TLB_STLB_ENTRIES + 7, &e);
    report(found && e.va == GPA && e.ps == 14 && e.elo[0] == (HPA | PAGE_ALL) &&
               e.elo[1] == ((HPA + 0x4000) | PAGE_ALL),
           "tlbrd reads it");
    report_eq(csr_read(CSR_TRGP), 1 | 1 << 16, "TRGP tells whose it is");
    lvz_set_target(0);
    tlb_read(0, &e);
    report_eq(csr_read(CSR_TRGP), 0, "and is 0 for the root's own");
    lvz_set_target(1);
    tlb_remove(TLB_STLB_ENTRIES + 7);
    lvz_set_target(0);
    load(CRMD_DA, GPA);
    report(v.is_refill, "tlbwr with NE removes it");
    // The root's entries and the guest's do not meet.
    tlb_map(7, GPA, HPA, 14, PAGE_ALL);
    load(CRMD_DA, GPA);
    report(v.is_refill, "an entry of the root is none of the guest's");
    tlb_clear();
    csr_clear(CSR_GTLBC, GTLBC_USETGID);
    csr_write(CSR_GSTAT, GSTAT_GID(2) | GSTAT_PGM);
    tlb_map(9, GPA, HPA, 14, PAGE_ALL);
    csr_write(CSR_GSTAT, GSTAT_GID(2));
    csr_set(CSR_GTLBC, GTLBC_USETGID);
    report_eq((u64)lvz_stage2_search(2, GPA), TLB_STLB_ENTRIES + 9,
              "without USETGID, under PGM, the GID of GSTAT is meant");
}

static bool guest_search(u64 va)
{
    gcsr_write(CSR_TLBEHI, va);
    gcsr_write(CSR_TLBIDX, 0);
    lvz_set_target(1);
    __asm__ volatile(".word %0" ::"i"(WORD_GTLBSRCH) : "memory");
    lvz_set_target(0);
    return !(gcsr_read(CSR_TLBIDX) & BIT(31));
}

#define GUEST_TLB(word)                                      \
    do {                                                     \
        lvz_set_target(1);                                   \
        __asm__ volatile(".word %0" ::"i"(word) : "memory"); \
        lvz_set_target(0);                                   \
    } while (0)

static void test_guest_tlb_from_root(void)
{
    start();
    lvz_stage1_map(1, 3, GVA, GPA, 14, PAGE_ALL);
    report(guest_search(GVA + 0x4000), "gtlbsrch finds a first-stage entry");
    report_eq(gcsr_read(CSR_TLBIDX) & 0xfff, TLB_STLB_ENTRIES + 3, "gtlbsrch: its index");
    gcsr_write(CSR_TLBEHI, 0);
    GUEST_TLB(WORD_GTLBRD);
    report(gcsr_read(CSR_TLBEHI) == GVA && gcsr_read(CSR_TLBELO0) == (GPA | PAGE_ALL) &&
               bits_get(gcsr_read(CSR_TLBIDX), 29, 24) == 14,
           "gtlbrd reads it");
    unsigned found = lvz_word(&v, CRMD_DA, WORD("tlbsrch"), 0, 0);
    gcsr_write(CSR_TLBEHI, GVA);
    found |= lvz_word(&v, CRMD_DA, WORD("tlbsrch"), 0, 0);
    report(found == EXC_NONE && (gcsr_read(CSR_TLBIDX) & 0xfff) == TLB_STLB_ENTRIES + 3,
           "tlbsrch of the guest finds the same");
    // An entry of another guest is not there for this one.
    lvz_stage1_map(2, 4, GVA + 0x100000, GPA, 14, PAGE_ALL);
    gcsr_write(CSR_TLBIDX, TLB_STLB_ENTRIES + 4);
    lvz_word(&v, CRMD_DA, WORD("tlbrd"), 0, 0);
    report(gcsr_read(CSR_TLBIDX) & BIT(31), "tlbrd of another guest's entry: NE");
    // The guest fills, the root looks and flushes.
    gcsr_write(CSR_TLBIDX, 14 << 24);
    gcsr_write(CSR_TLBEHI, GVA + 0x200000);
    gcsr_write(CSR_TLBELO0, GPA | PAGE_ALL);
    gcsr_write(CSR_TLBELO1, (GPA + 0x4000) | PAGE_ALL);
    lvz_word(&v, CRMD_DA, WORD("tlbfill"), 0, 0);
    report(guest_search(GVA + 0x200000), "what the guest fills, the root finds");
    GUEST_TLB(WORD_GTLBFLUSH);
    report(!guest_search(GVA + 0x200000), "gtlbflush empties its set of the STLB");
    report(guest_search(GVA), "and leaves the MTLB");
    gcsr_write(CSR_TLBIDX, TLB_STLB_ENTRIES);
    GUEST_TLB(WORD_GTLBFLUSH);
    report(!guest_search(GVA), "gtlbflush with an index of the MTLB empties that");
    lvz_stage1_map(1, 3, GVA, GPA, 14, PAGE_ALL);
    lvz_stage1_map(1, 4, GVA + 0x100000, GPA, 14, PAGE_ALL | PAGE_G);
    gcsr_write(CSR_TLBIDX, TLB_STLB_ENTRIES);
    GUEST_TLB(WORD_GTLBCLR);
    report(!guest_search(GVA) && guest_search(GVA + 0x100000), "gtlbclr leaves global entries");
}

static void test_addresses(void)
{
    start();
    const u64 high = 0x0000800000000040;
    report_outcome(&v, load(CRMD_DA, high), EXC_PIL, "a GPA that no table holds: load");
    report_eq(v.badv, high, "a GPA that no table holds: BADV");
    report_outcome(&v, store(CRMD_DA, high, 0), EXC_PIS, "a GPA that no table holds: store");
    report_outcome(&v, fetch(CRMD_DA, high), EXC_PIF, "a GPA that no table holds: fetch");
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    *hpa(HPA + 0x10) = 0x55aa;
    report_outcome(&v, load(CRMD_DA, 0xabcd000000000000 | (GPA + 0x10)), EXC_NONE,
                   "high bits do not count in direct mode");
    report_eq(lvz_result(&v), 0x55aa, "high bits do not count: the data");
    load(MAPPED, WINDOW_MEMORY | 0x123400007008);
    report(v.is_refill && v.tlbrbadv == 0x123400007008, "of a window's address the GPA is masked");
    // Across pages: the first byte that is missing, and nothing stored.
    *hpa(HPA + 0x7ff8) = 0x1122334455667788;
    store(CRMD_DA, GPA + 0x7ffc, ~0ULL);
    report(v.is_refill && v.tlbrbadv == GPA + 0x8000, "across pages: GPA of the missing part");
    report_eq(*hpa(HPA + 0x7ff8), 0x1122334455667788, "across pages: no part is stored");
    lvz_stage1_map(1, 0, GVA, GPA, 14, PAGE_ALL);
    store(MAPPED, GVA + 0x7ffc, ~0ULL);
    report_eq(gcsr_read(CSR_TLBRBADV), GVA + 0x8000, "across pages of the first stage");
    report_eq(*hpa(HPA + 0x7ff8), 0x1122334455667788, "across pages: no part is stored");
    gcsr_write(CSR_TLBRERA, 0);
}

// Whether the root's ASID has a say.
static void test_asid(void)
{
    bool counts = args_number("stage2_asid", 0);
    start();
    tlb_set_asid(5);
    lvz_map_payload(&v);
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    report_outcome(&v, load(CRMD_DA, GPA), EXC_NONE, "under the root's ASID that filled");
    tlb_set_asid(6);
    unsigned found = load(CRMD_DA, GPA);
    report_outcome(&v, found, counts ? EXC_TLBR : EXC_NONE, "under another ASID of the root");
    tlb_set_asid(5);
    lvz_invalidate(0x16, GSTAT_GID(1), GPA);
    report_outcome(&v, load(CRMD_DA, GPA), EXC_TLBR, "invtlb 0x16 has no ASID");
    tlb_set_asid(0);
}

// More pages than a set of the STLB has ways.
static bool on_many(struct vcpu *u, u64 gpa)
{
    u64 at = align_down(gpa, 0x8000);
    struct tlb_entry e = pages(at, HPA + (at - GPA) / 0x800000 * 0x8000, 14, PAGE_ALL);
    lvz_stage2_fill(u->gid, &e);
    return true;
}

static void test_evictions(void)
{
    unsigned n_wrong = 0;
    start();
    for (u64 i = 0; i < 30; i++)
        *hpa(HPA + i * 0x8000) = i + 1;
    v.refill = on_many;
    for (u64 n = 0; n < 600; n++) {
        u64 i = n * 7 % 30;
        n_wrong += load(CRMD_DA, GPA + i * 0x800000) != EXC_NONE || lvz_result(&v) != i + 1;
    }
    report_eq(n_wrong, 0, "30 pages of one set of the STLB");
    report(v.n_refills >= 30, "%u refills", v.n_refills);
}

int main(void)
{
    if (args_number("stage2_asid", 0)) {
        test_asid();
        return 0;
    }
    report_prefix_push("miss");
    test_misses();
    report_prefix_pop();
    report_prefix_push("second stage");
    test_faults();
    report_prefix_pop();
    report_prefix_push("first stage");
    test_first_stage();
    report_prefix_pop();
    test_page_sizes();
    test_guest_ids();
    test_newest_wins();
    test_stage2_instructions();
    test_guest_tlb_from_root();
    test_addresses();
    test_asid();
    test_evictions();
    return 0;
}
