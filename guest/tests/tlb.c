// SPDX-License-Identifier: Apache-2.0
// The TLB instructions one by one, sets and ways, page sizes. What the entries mean for accesses in
// bulk is tlb_random.c's. Reference Manual, volume 1, 4.2.4 and 5.4.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define HIGH 0xffff800000000000ULL

static void check_entry(const char *name, unsigned index, const struct tlb_entry *expected)
{
    struct tlb_entry e;
    bool exists = tlb_read(index, &e);
    report(exists, "%s: there is an entry", name);
    report_eq(e.va, expected->va, "%s: VPPN", name);
    report_eq(e.ps, expected->ps, "%s: PS", name);
    report_eq(e.asid, expected->asid, "%s: ASID", name);
    report_eq(e.elo[0], expected->elo[0], "%s: even page", name);
    report_eq(e.elo[1], expected->elo[1], "%s: odd page", name);
}

static void test_write_and_read(void)
{
    struct tlb_entry low = {0x12344000, 13, 0x155, {0x5000 | PAGE_ALL, 0x7ffffffff000 | PAGE_V}};
    struct tlb_entry high = {HIGH | 0x40000000,
                             21,
                             0x2aa,
                             {PAGE_NR | PAGE_NX | PAGE_RPLV | PAGE_V, PAGE_D | PAGE_PLV(2)}};
    tlb_clear();
    tlb_write(TLB_STLB_ENTRIES, &low);
    tlb_write(TLB_ENTRIES - 1, &high);
    check_entry("first of the MTLB", TLB_STLB_ENTRIES, &low);
    check_entry("last of the MTLB", TLB_ENTRIES - 1, &high);
    tlb_set_stlb_ps(12);
    struct tlb_entry first = {0, 12, 1, {PAGE_ALL, PAGE_ALL | 0x1000}};
    struct tlb_entry last = {0xff << 13, 12, 2, {PAGE_ALL | 0x8000, PAGE_ALL | 0x9000}};
    tlb_write(0, &first);
    tlb_write(TLB_STLB_ENTRIES - 1, &last);
    check_entry("first of the STLB", 0, &first);
    check_entry("last of the STLB", TLB_STLB_ENTRIES - 1, &last);
}

static void test_no_entry(void)
{
    struct tlb_entry e;
    tlb_clear();
    report(!tlb_read(7, &e), "an empty place reads as no entry");
    report(!e.va && !e.ps && !e.elo[0] && !e.elo[1], "and all fields as 0");
    tlb_map(3, 0x100000, 0, 12, PAGE_ALL);
    report(tlb_read(TLB_STLB_ENTRIES + 3, &e), "written");
    tlb_remove(TLB_STLB_ENTRIES + 3);
    report(!tlb_read(TLB_STLB_ENTRIES + 3, &e), "tlbwr with NE takes it away");
    struct trap t = trap_call(0, access_load8, 0x100000, 0, 0);
    report_trap(&t, EXC_TLBR, "and from translation");
}

// G counts if both halves have it.
static void test_global(void)
{
    for (unsigned g = 0; g < 4; g++) {
        struct tlb_entry e = {0x200000, 14, 5, {PAGE_ALL, PAGE_ALL | 0x4000}}, read;
        bool global = g == 3;
        e.elo[0] |= g & 1 ? PAGE_G : 0;
        e.elo[1] |= g & 2 ? PAGE_G : 0;
        tlb_clear();
        tlb_write(TLB_STLB_ENTRIES + 1, &e);
        tlb_read(TLB_STLB_ENTRIES + 1, &read);
        report_eq(read.elo[0] & read.elo[1] & PAGE_G, global ? PAGE_G : 0, "G %u reads back", g);
        report_eq((read.elo[0] | read.elo[1]) & PAGE_G, global ? PAGE_G : 0, "G %u in both", g);
        tlb_set_asid(6);
        struct trap t = trap_call(3, access_load8, 0x200000, 0, 0);
        report_trap(&t, global ? EXC_NONE : EXC_TLBR, "G %u in another address space", g);
        tlb_set_asid(5);
        t = trap_call(3, access_load8, 0x200000, 0, 0);
        report_trap(&t, EXC_NONE, "G %u in its own", g);
        tlb_set_asid(0);
    }
}

static void test_search(void)
{
    tlb_set_stlb_ps(14);
    struct tlb_entry stlb = {0x12348000, 14, 9, {PAGE_ALL, PAGE_ALL}};
    struct tlb_entry mtlb = {0x40000000, 21, 9, {PAGE_ALL, PAGE_ALL}};
    unsigned index = 5 * TLB_STLB_SETS + (0x12348000 >> 15 & 0xff);
    tlb_write(index, &stlb);
    tlb_write(TLB_STLB_ENTRIES + 40, &mtlb);
    report_eq((u64)tlb_search(0x12348000, 9), index, "tlbsrch finds in the STLB");
    report_eq((u64)tlb_search(0x1234e000, 9), index, "by any address of the pair");
    report_eq((u64)tlb_search(0x403fe000, 9), TLB_STLB_ENTRIES + 40, "and in the MTLB");
    report_eq((u64)tlb_search(0x12350000, 9), (u64)-1, "nothing behind the pair");
    report_eq((u64)tlb_search(0x12346000, 9), (u64)-1, "nor before it");
    report_eq((u64)tlb_search(0x12348000, 8), (u64)-1, "nor in another address space");
    csr_write(CSR_TLBIDX, (u64)21 << 24);
    csr_write(CSR_TLBEHI, 0x12348000);
    tlb_set_asid(9);
    __asm__ volatile("tlbsrch");
    report_eq(csr_read(CSR_TLBIDX), (u64)21 << 24 | index, "PS is not touched by tlbsrch");
    tlb_set_asid(0);
}

// While IsTLBR is set the instructions use the registers of the refill, and NE does not count.
static void test_refill_registers(void)
{
    struct tlb_entry e;
    tlb_set_stlb_ps(14);
    csr_write(CSR_TLBIDX, BIT(31) | (u64)12 << 24 | (TLB_STLB_ENTRIES + 9));
    csr_write(CSR_TLBEHI, 0x1110000);
    csr_write(CSR_TLBREHI, 0x2220000 | 16);
    csr_write(CSR_TLBRELO0, 0x40000 | PAGE_ALL);
    csr_write(CSR_TLBRELO1, 0x50000 | PAGE_ALL);
    csr_write(CSR_TLBRERA, TLBRERA_IS_TLBR);
    __asm__ volatile("tlbwr");
    csr_write(CSR_TLBREHI, 0x22a0000);
    csr_write(CSR_TLBIDX, 0);
    __asm__ volatile("tlbsrch");
    u64 missed = csr_read(CSR_TLBIDX);
    csr_write(CSR_TLBREHI, 0x223e000);
    __asm__ volatile("tlbsrch");
    u64 found = csr_read(CSR_TLBIDX);
    csr_write(CSR_TLBRERA, 0);
    report(tlb_read(TLB_STLB_ENTRIES + 9, &e), "tlbwr in a refill ignores NE");
    report_eq(e.va, 0x2220000, "takes VPPN from TLBREHI");
    report_eq(e.ps, 16, "and PS");
    report_eq(e.elo[0], 0x40000 | PAGE_ALL, "and the even page from TLBRELO0");
    report_eq(e.elo[1], 0x50000 | PAGE_ALL, "and the odd one from TLBRELO1");
    report_eq(missed >> 31 & 1, 1, "tlbsrch in a refill misses by TLBREHI");
    report_eq(found & BITS(31, 0), TLB_STLB_ENTRIES + 9, "and finds by it");
}

// The nth of entries that share an STLB set.
static struct tlb_entry conflicting(unsigned n, unsigned ps)
{
    u64 va = (u64)n << (ps + 1 + 8) | 0x55ULL << (ps + 1);
    return (struct tlb_entry){
        va, ps, 3, {(u64)n << 20 | PAGE_ALL, (u64)n << 20 | 1 << 14 | PAGE_ALL}};
}

// Nine entries for eight ways, filled one after the other: the last one is there, eight in all,
// each whole.
static void test_ways(unsigned ps)
{
    unsigned n_found = 0, n_wrong = 0, n_elsewhere = 0;
    tlb_set_stlb_ps(ps);
    for (unsigned n = 0; n < 9; n++) {
        struct tlb_entry e = conflicting(n, ps);
        tlb_fill(&e);
        report(tlb_search(e.va, 3) >= 0, "entry %u is there when it was filled", n);
    }
    for (unsigned n = 0; n < 9; n++) {
        struct tlb_entry e = conflicting(n, ps), read;
        int index = tlb_search(e.va, 3);
        if (index < 0)
            continue;
        n_found++;
        n_elsewhere += index >= TLB_STLB_ENTRIES || index % TLB_STLB_SETS != 0x55;
        n_wrong += !tlb_read((unsigned)index, &read) || read.va != e.va || read.elo[1] != e.elo[1];
    }
    report_eq(n_found, 8, "eight of nine stay");
    report_eq(n_elsewhere, 0, "in their set");
    report_eq(n_wrong, 0, "unchanged");
}

// Entries of other sizes go to the MTLB, which takes 64 of any mix.
static void test_mtlb_fill(void)
{
    static const u8 sizes[] = {12, 13, 15, 16, 18, 20, 21, 25};
    unsigned n_there = 0, n_stlb = 0, n_loads = 0;
    tlb_set_stlb_ps(14);
    for (unsigned n = 0; n < 64; n++) {
        unsigned ps = sizes[n % 8];
        struct tlb_entry e = {
            (u64)n << 27, ps, 0, {BOARD_HIGH_RAM | PAGE_ALL, BOARD_HIGH_RAM | PAGE_ALL}};
        tlb_fill(&e);
    }
    *(volatile u64 *)memory_at(BOARD_HIGH_RAM + 0x18) = 0x77;
    for (unsigned n = 0; n < 64; n++) {
        int index = tlb_search((u64)n << 27, 0);
        n_there += index >= 0;
        n_stlb += index >= 0 && index < TLB_STLB_ENTRIES;
        struct trap t =
            trap_call(3, access_load64, ((u64)n << 27) + BIT(sizes[n % 8]) + 0x18, 0, 0);
        n_loads += t.code == EXC_NONE && t.value == 0x77;
    }
    report(n_there >= 32, "the MTLB holds most of 64 fills (%u)", n_there);
    report_eq(n_stlb, 0, "none went to the STLB");
    report_eq(n_loads, n_there, "each translates its odd page");
}

// Whatever happens to the entries of another size, no access may see a wrong page.
static void test_stlb_page_size(void)
{
    volatile u64 *even = memory_at(SCRATCH_BASE), *odd = memory_at(SCRATCH_BASE + 0x1000);
    *even = 0xe, *odd = 0x0;
    tlb_set_stlb_ps(12);
    struct tlb_entry small = {
        0x8000, 12, 0, {SCRATCH_BASE | PAGE_ALL, (SCRATCH_BASE + 0x1000) | PAGE_ALL}};
    tlb_fill(&small);
    struct trap t = trap_call(0, access_load64, 0x8000, 0, 0);
    report_eq(t.value, 0xe, "an entry of 4 KiB pages");
    csr_write(CSR_STLBPS, 14);
    t = trap_call(0, access_load64, 0x8000, 0, 0);
    report(t.code == EXC_TLBR || t.value == 0xe, "STLBPS 14: the old entry is gone or right");
    t = trap_call(0, access_load64, 0xa000, 0, 0);
    report_trap(&t, EXC_TLBR, "STLBPS 14: the old entry has not grown");
    tlb_clear();
    struct tlb_entry large = {
        0x8000, 14, 0, {SCRATCH_BASE | PAGE_ALL, (SCRATCH_BASE + 0x4000) | PAGE_ALL}};
    tlb_fill(&large);
    report(tlb_search(0x8000, 0) < TLB_STLB_ENTRIES, "STLBPS 14: pages of 16 KiB go to the STLB");
    t = trap_call(0, access_load64, 0x9000, 0, 0);
    report_eq(t.value, 0x0, "STLBPS 14: and translate");
    report_trap(&t, EXC_NONE, "STLBPS 14: the new size");
}

static void fill_for_clear(void)
{
    tlb_set_stlb_ps(12);
    struct tlb_entry e = {0x10000, 12, 4, {PAGE_ALL, PAGE_ALL}}; // set 8
    tlb_write(8, &e);
    e.asid = 5;
    tlb_write(256 + 8, &e);
    e.va = 0x210000, e.elo[0] |= PAGE_G, e.elo[1] |= PAGE_G;
    tlb_write(512 + 8, &e);
    struct tlb_entry other = {0x12000, 12, 4, {PAGE_ALL, PAGE_ALL}};
    tlb_write(9, &other);
    other.va = 0x400000, other.ps = 13;
    tlb_write(TLB_STLB_ENTRIES + 1, &other);
    other.va = 0x600000, other.elo[0] |= PAGE_G, other.elo[1] |= PAGE_G;
    tlb_write(TLB_STLB_ENTRIES + 2, &other);
}

// One bit for each place that fill_for_clear filled.
static unsigned places(void)
{
    static const u16 index[] = {8, 264, 520, 9, TLB_STLB_ENTRIES + 1, TLB_STLB_ENTRIES + 2};
    struct tlb_entry e;
    unsigned found = 0;
    for (unsigned i = 0; i < ARRAY_LEN(index); i++)
        found |= (unsigned)tlb_read(index[i], &e) << i;
    return found;
}

static void clear_at(unsigned index, bool flush)
{
    fill_for_clear();
    tlb_set_asid(4);
    csr_write(CSR_TLBIDX, index);
    if (flush)
        __asm__ volatile("tlbflush" ::: "memory");
    else
        __asm__ volatile("tlbclr" ::: "memory");
    tlb_set_asid(0);
}

static void test_clear_and_flush(void)
{
    clear_at(8 + 1024, false);
    report_eq(places(), 0x3e, "tlbclr in the STLB: own entries of the set");
    clear_at(TLB_STLB_ENTRIES + 60, false);
    report_eq(places(), 0x2f, "tlbclr in the MTLB: own entries");
    clear_at(8, true);
    report_eq(places(), 0x38, "tlbflush in the STLB: the set");
    clear_at(TLB_STLB_ENTRIES, true);
    report_eq(places(), 0x0f, "tlbflush in the MTLB: all of it");
}

static u64 invtlb_7(u64 a, u64 b, u64 c)
{
    __asm__ volatile("invtlb 7, $zero, $zero");
    return 0;
}

static u64 invtlb_31(u64 a, u64 b, u64 c)
{
    __asm__ volatile(".word 0x0649801f");
    return 0;
}

static void test_unknown_operations(void)
{
    struct trap t = trap_call(0, invtlb_7, 0, 0, 0);
    report_trap(&t, EXC_INE, "invtlb 7");
    t = trap_call(0, invtlb_31, 0, 0, 0);
    report_trap(&t, EXC_INE, "invtlb 31");
}

int main(void)
{
    test_write_and_read();
    test_no_entry();
    test_global();
    test_search();
    test_refill_registers();
    report_prefix_push("4 KiB");
    test_ways(12);
    report_prefix_pop();
    report_prefix_push("16 KiB");
    test_ways(14);
    report_prefix_pop();
    test_mtlb_fill();
    test_stlb_page_size();
    test_clear_and_flush();
    test_unknown_operations();
    return 0;
}
