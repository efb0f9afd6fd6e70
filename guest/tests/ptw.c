// SPDX-License-Identifier: Apache-2.0
// The hardware page-table walker: accessed and dirty bits in memory, faults without refills, stale
// entries. In its page tables P and W are the permissions; V means accessed and D dirty.
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
#define VA          0x12340000ULL // even page of a pair, whatever the shape
#define PAGE        (PTE_P | PTE_W | PAGE_PLV(3) | PAGE_CC)

static struct page_table table;

static void begin(const struct page_table_shape *shape)
{
    page_table_init(&table, shape, TABLES, TABLES_SIZE);
    page_table_use(&table, false);
    csr_set(CSR_PWCH, BIT(24));
}

static u64 frame(unsigned n)
{
    return BOARD_HIGH_RAM + (u64)n * 0x10000;
}

static volatile u64 *entry(u64 va)
{
    return page_table_entry(&table, 0, va);
}

static void set(u64 va, u64 pte)
{
    *entry(va) = pte;
    tlb_invalidate(0, 0, 0);
}

static void test_accessed_and_dirty(u64 va)
{
    u64 pte = frame(1) | PAGE;
    *(volatile u64 *)memory_at(frame(1) + 8) = 0x1111;
    set(va, pte);
    struct trap t = trap_call(3, access_load64, va + 8, 0, 0);
    report_trap(&t, EXC_NONE, "load from a page not accessed yet");
    report_eq(t.value, 0x1111, "reads it");
    report_eq(*entry(va), pte | PAGE_V, "marks it accessed");
    t = trap_call(3, access_store64, va + 8, 0x2222, 0);
    report_trap(&t, EXC_NONE, "store to the page, not dirty yet");
    report_eq(*(volatile u64 *)memory_at(frame(1) + 8), 0x2222, "writes it");
    report_eq(*entry(va), pte | PAGE_V | PAGE_D, "marks it dirty");
    set(va, pte);
    t = trap_call(3, access_store64, va + 8, 0x3333, 0);
    report_trap(&t, EXC_NONE, "store to a page not accessed yet");
    report_eq(*entry(va), pte | PAGE_V | PAGE_D, "marks both");
    *(volatile u32 *)memory_at(frame(1)) = INSN_RET;
    set(va, pte);
    t = trap_call_at(3, va, 7, 0, 0);
    report_trap(&t, EXC_NONE, "fetch from a page not accessed yet");
    report_eq(*entry(va), pte | PAGE_V, "marks it accessed, not dirty");
}

static void check_fault(const char *name, u64 pte, trap_function f, unsigned plv, unsigned code)
{
    set(VA, pte);
    struct trap t = f ? trap_call(plv, f, VA + 16, 0, 0) : trap_call_at(plv, VA + 16, 0, 0, 0);
    report_trap(&t, code, "%s", name);
    report_eq(t.badv, VA + 16, "%s: BADV", name);
    report_eq(*entry(VA), pte, "%s: the entry is not touched", name);
}

static void test_faults(void)
{
    const u64 pte = frame(2) | PAGE;
    check_fault("load, not present", pte & ~PTE_P, access_load64, 3, EXC_PIL);
    check_fault("store, not present", pte & ~PTE_P, access_store64, 3, EXC_PIS);
    check_fault("fetch, not present", pte & ~PTE_P, NULL, 3, EXC_PIF);
    check_fault("V does not stand for P", (pte & ~PTE_P) | PAGE_V | PAGE_D, access_load64, 3,
                EXC_PIL);
    check_fault("store, not writable", pte & ~PTE_W, access_store64, 3, EXC_PME);
    check_fault("D does not stand for W", (pte & ~PTE_W) | PAGE_V | PAGE_D, access_store64, 3,
                EXC_PME);
    check_fault("load with NR", pte | PAGE_NR, access_load64, 3, EXC_PNR);
    check_fault("fetch with NX", pte | PAGE_NX, NULL, 3, EXC_PNX);
    check_fault("page of level 0", pte & ~PAGE_PLV(3), access_load64, 3, EXC_PPI);
    check_fault("page of level 3 alone", pte | PAGE_RPLV, access_store64, 0, EXC_PPI);
}

// The TLB may hold what the tables no longer say; what it holds is never a reason to fault.
static void test_stale_entries(void)
{
    u64 odd = VA + BIT(table.shape->base[0]);
    *(volatile u64 *)memory_at(frame(4)) = 0x4444;
    *entry(odd) = 0;
    set(VA, frame(3) | PAGE);
    trap_call(3, access_load64, VA, 0, 0);
    struct trap t = trap_call(3, access_load64, odd, 0, 0);
    report_trap(&t, EXC_PIL, "the buddy is not there");
    *entry(odd) = frame(4) | PAGE;
    t = trap_call(3, access_load64, odd, 0, 0);
    report_trap(&t, EXC_NONE, "the buddy appears, without invtlb");
    report_eq(t.value, 0x4444, "and is read");
    report_eq(*entry(odd), frame(4) | PAGE | PAGE_V, "and marked");
    set(VA, frame(3) | (PAGE & ~PTE_W));
    trap_call(3, access_load64, VA, 0, 0);
    *entry(VA) |= PTE_W;
    t = trap_call(3, access_store64, VA, 5, 0);
    report_trap(&t, EXC_NONE, "the page becomes writable, without invtlb");
    report_eq(*entry(VA), frame(3) | PAGE | PAGE_V | PAGE_D, "and is marked dirty");
    t = trap_call(3, access_load64, VA + BIT(40), 0, 0);
    report(t.code == EXC_PIL, "an address without tables: PIL, no refill");
}

static void test_huge(unsigned level, unsigned ps)
{
    u64 va = 0x40000000, pa = BOARD_HIGH_RAM + 0x2000000;
    volatile u64 *directory = page_table_entry(&table, level, va);
    u64 pte = pa | PAGE | PTE_HUGE;
    for (unsigned half = 0; half < 2; half++) {
        u64 offset = half * BIT(ps) + 0x1238;
        *(volatile u64 *)memory_at(pa + offset) = offset;
        *directory = pte;
        tlb_clear();
        struct trap t = trap_call(3, access_load64, va + offset, 0, 0);
        report_trap(&t, EXC_NONE, "load from half %u", half);
        report_eq(t.value, offset, "load from half %u: data", half);
        report_eq(*directory, pte | PAGE_V, "half %u: accessed", half);
        t = trap_call(3, access_store64, va + offset, 9, 0);
        report_trap(&t, EXC_NONE, "store to half %u", half);
        report_eq(*directory, pte | PAGE_V | PAGE_D, "half %u: dirty", half);
    }
    *directory = pte & ~PTE_W;
    tlb_clear();
    struct trap t = trap_call(3, access_store64, va, 9, 0);
    report_trap(&t, EXC_PME, "store, not writable");
    *directory = 0;
}

// Pages here and there, with whatever the TLB still holds.
static void test_random(void)
{
    struct random r = {0x99};
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < 1000; i++) {
        u64 value = random_next(&r), va = (value & 1 ? HIGH : 0) | (value & BITS(29, 3));
        u64 mask = BIT(table.shape->base[0]) - 1;
        u64 pa = BOARD_HIGH_RAM + (random_next(&r) & BITS(25, 0) & ~mask);
        bool writable = value >> 40 & 1, store = value >> 41 & 1;
        *entry(va) = pa | (writable ? PAGE : PAGE & ~PTE_W);
        tlb_invalidate(6, 0, va);
        *(volatile u64 *)memory_at(pa | (va & mask)) = value;
        struct trap t = trap_call(3, store ? access_store64 : access_load64, va, ~value, 0);
        n_wrong += t.code != (store && !writable ? EXC_PME : EXC_NONE);
        n_wrong += !store && t.value != value;
        n_wrong +=
            store && *(volatile u64 *)memory_at(pa | (va & mask)) != (writable ? ~value : value);
    }
    report_eq(n_wrong, 0, "1000 pages");
}

static void test_shape(const struct page_table_shape *shape)
{
    begin(shape);
    test_accessed_and_dirty(VA);
    test_accessed_and_dirty(HIGH | VA);
    test_faults();
    test_stale_entries();
    test_huge(1, shape->base[1] - 1);
    test_random();
    page_table_end();
}

int main(void)
{
    if (!(cpucfg(2) & BIT(24))) {
        report_skip("this model has no walker", "hardware walker");
        return 0;
    }
    report_prefix_push("16 KiB");
    test_shape(&page_table_16k);
    report_prefix_pop();
    report_prefix_push("4 KiB");
    test_shape(&page_table_4k);
    report_prefix_pop();
    return 0;
}
