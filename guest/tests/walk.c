// SPDX-License-Identifier: Apache-2.0
// Walks of page tables by software: lddir and ldpte by themselves, and refill handlers made of them
// with three and four levels, with huge pages. Reference Manual, volume 1, 4.2.5 and 5.4.5.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/page_table.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

#define TABLES      SCRATCH_BASE
#define TABLES_SIZE 0x2000000
#define HIGH        0xffff800000000000ULL

static u64 lddir1(u64 table)
{
    u64 result;
    __asm__ volatile("lddir %0, %1, 1" : "=r"(result) : "r"(table) : "memory");
    return result;
}

static u64 lddir3(u64 table)
{
    u64 result;
    __asm__ volatile("lddir %0, %1, 3" : "=r"(result) : "r"(table) : "memory");
    return result;
}

static void ldpte_both(u64 table)
{
    csr_write(CSR_TLBRELO0, 0);
    csr_write(CSR_TLBRELO1, 0);
    csr_write(CSR_TLBREHI, 0);
    __asm__ volatile("ldpte %0, 0; ldpte %0, 1" ::"r"(table) : "memory");
}

static void test_lddir(void)
{
    static u64 directory[2048] __attribute__((aligned(16384)));
    struct page_table t;
    page_table_init(&t, &page_table_16k, TABLES, TABLES_SIZE);
    page_table_use(&t, false);
    csr_write(CSR_TLBRBADV, (u64)0x123 << 36 | (u64)0x456 << 25);
    directory[0x123] = 0x900000000abc0000;
    directory[0x456] = 0x8000000012340000;
    u64 pa = physical_of(directory);
    report_eq(lddir3(pa), 0xabc0000, "lddir 3 indexes by Dir3 and drops the bits above PALEN");
    report_eq(lddir1(pa), 0x12340000, "lddir 1 indexes by Dir1");
    report_eq(lddir1((u64)directory), 0x12340000, "the table may be given by any alias");
    directory[0x456] = 0x6000000012000000 | PTE_HUGE | PAGE_V;
    report_eq(lddir1(pa), 0x6000000012000000 | PTE_HUGE | PAGE_V, "a huge page is loaded whole");
    u64 huge = 0x6000000012000000 | PTE_HUGE | PAGE_V;
    report_eq(lddir1(huge), huge | 1 << 13, "lddir 1 of a huge page tells its level");
    report_eq(lddir3(huge), huge | 3 << 13, "so does lddir 3");
    report_eq(lddir1(huge | 3 << 13), huge | 3 << 13, "the first level told stays");
}

static void check_ldpte(const char *name, u64 even, u64 odd, unsigned ps)
{
    report_eq(csr_read(CSR_TLBRELO0), even, "%s: even page", name);
    report_eq(csr_read(CSR_TLBRELO1), odd, "%s: odd page", name);
    report_eq(csr_read(CSR_TLBREHI) & 0x3f, ps, "%s: page size", name);
}

static void test_ldpte(void)
{
    static u64 table[2048] __attribute__((aligned(16384)));
    struct page_table t;
    page_table_init(&t, &page_table_16k, TABLES, TABLES_SIZE);
    page_table_use(&t, false);
    table[0x300] = 0x111c000 | PAGE_ALL | PAGE_NX, table[0x301] = 0x2228000 | PAGE_V;
    csr_write(CSR_TLBRBADV, (u64)0x301 << 14 | 0x123);
    ldpte_both(physical_of(table));
    check_ldpte("ldpte", table[0x300], table[0x301], 14);
    u64 huge = 0x6000000044000000 | PAGE_ALL | PTE_HUGE;
    u64 elo = huge & ~PTE_HUGE;
    ldpte_both(huge);
    check_ldpte("huge in Dir1", elo, elo + BIT(24), 24);
    ldpte_both(huge | 1 << 13);
    check_ldpte("huge above Dir1", elo, elo + BIT(35), 35);
    ldpte_both(huge | PTE_HUGE_GLOBAL);
    check_ldpte("huge and global", elo | PAGE_G, (elo + BIT(24)) | PAGE_G, 24);
}

// Maps, accesses and compares: pages at random places of both halves, each twice with the TLB
// cleared in between.
static void test_pages(const struct page_table_shape *shape, struct random *r)
{
    struct page_table t;
    unsigned n_wrong = 0, ps = shape->base[0];
    page_table_init(&t, shape, TABLES, TABLES_SIZE);
    page_table_use(&t, true);
    for (unsigned i = 0; i < 300; i++) {
        u64 value = random_next(r), half = value & 1 ? HIGH : 0;
        u64 va = (half | (random_next(r) & BITS(46, 0))) & ~7ULL;
        if (shape == &page_table_4k || i % 2)
            va = half | (va & BITS(29, 3)); // else every page needs tables of its own
        u64 pa = BOARD_HIGH_RAM + (random_next(r) & BITS(27, 0) & ~(BIT(ps) - 1));
        *page_table_entry(&t, 0, va) = pa | PAGE_ALL;
        u64 word = pa | (va & (BIT(ps) - 1));
        *(volatile u64 *)memory_at(word) = value;
        tlb_invalidate(0, 0, 0);
        struct trap got = trap_call(3, access_load64, va, 0, 0);
        n_wrong += got.code != EXC_NONE || got.value != value;
        got = trap_call(3, access_store64, va, ~value, 0);
        n_wrong += got.code != EXC_NONE || *(volatile u64 *)memory_at(word) != ~value;
        n_wrong += page_table_refills() != 1;
    }
    page_table_end();
    report_eq(n_wrong, 0, "300 pages, each by one refill");
}

static void test_faults(const struct page_table_shape *shape)
{
    struct page_table t;
    u64 ps = shape->base[0], va = 0x12340000;
    page_table_init(&t, shape, TABLES, TABLES_SIZE);
    page_table_use(&t, true);
    *page_table_entry(&t, 0, va) = SCRATCH_BASE + TABLES_SIZE;
    struct trap got = trap_call(3, access_load8, va, 0, 0);
    report_trap(&got, EXC_PIL, "an invalid page");
    report_eq(got.badv, va, "an invalid page: BADV");
    report_eq(page_table_refills(), 1, "an invalid page: refilled first");
    *page_table_entry(&t, 0, va) = (SCRATCH_BASE + TABLES_SIZE) | (PAGE_ALL & ~PAGE_D);
    tlb_invalidate(5, 0, va);
    got = trap_call(3, access_store8, va, 1, 0);
    report_trap(&got, EXC_PME, "a clean page");
    got = trap_call(3, access_load8, va + BIT(ps), 0, 0);
    report_trap(&got, EXC_PIL, "its buddy, which is not there");
    report_eq(page_table_refills(), 1, "comes with it");
    page_table_end();
}

static void check_huge(struct page_table *t, unsigned level, u64 va, u64 pa, unsigned ps)
{
    struct tlb_entry e;
    *page_table_entry(t, level, va) = pa | PAGE_ALL | PTE_HUGE | PTE_HUGE_GLOBAL;
    const u64 offsets[] = {0x100, BIT(ps) - 8, BIT(ps) + 0x100};
    for (unsigned i = 0; i < ARRAY_LEN(offsets); i++) {
        u64 offset = offsets[i];
        *(volatile u64 *)memory_at(pa + offset) = offset ^ 0x5a5a;
        tlb_clear();
        struct trap got = trap_call(3, access_load64, va + offset, 0, 0);
        report_trap(&got, EXC_NONE, "level %u, offset 0x%lx", level, offset);
        report_eq(got.value, offset ^ 0x5a5a, "level %u, offset 0x%lx: data", level, offset);
    }
    int index = tlb_search(va, 77);
    report(index >= TLB_STLB_ENTRIES, "level %u: global, in the MTLB", level);
    if (index >= 0 && tlb_read((unsigned)index, &e))
        report_eq(e.ps, ps, "level %u: page size", level);
    report_eq(page_table_refills(), 3, "level %u: one refill each", level);
}

static void test_huge(void)
{
    struct page_table t;
    page_table_init(&t, &page_table_16k, TABLES, TABLES_SIZE);
    page_table_use(&t, true);
    report_prefix_push("16 KiB tables");
    check_huge(&t, 1, 0x1230000000 & ~(BIT(25) - 1), BOARD_HIGH_RAM + 0x2000000, 24);
    report_prefix_pop();
    page_table_end();
    page_table_init(&t, &page_table_4k, TABLES, TABLES_SIZE);
    page_table_use(&t, true);
    report_prefix_push("4 KiB tables");
    check_huge(&t, 1, HIGH | 0x7fe00000, BOARD_HIGH_RAM + 0x200000, 20);
    check_huge(&t, 2, 0x5540000000, BOARD_HIGH_RAM, 29);
    report_prefix_pop();
    page_table_end();
}

int main(void)
{
    struct random r = {0x77};
    test_lddir();
    test_ldpte();
    report_prefix_push("three levels of 16 KiB");
    test_pages(&page_table_16k, &r);
    test_faults(&page_table_16k);
    report_prefix_pop();
    report_prefix_push("four levels of 4 KiB");
    test_pages(&page_table_4k, &r);
    test_faults(&page_table_4k);
    report_prefix_pop();
    test_huge();
    return 0;
}
