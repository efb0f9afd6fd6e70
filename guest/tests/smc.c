// SPDX-License-Identifier: Apache-2.0
// Code that is changed: by itself, by another processor, through another address, by a change of
// the mapping. Volume 1, 2.2.8.2: what was stored is fetched behind an ibar.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/insn.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define A0    4
#define A1    5
#define T0    12
#define ALIAS 0x30000000ULL // where the TLB maps CODE too
#define CODE  (SCRATCH_BASE + 0x10000)
#define OTHER (SCRATCH_BASE + 0x40000)

typedef u64 (*function)(u64 a, u64 b);

static volatile u32 *code_at(u64 pa)
{
    return memory_at(pa);
}

static u64 call(u64 va, u64 a, u64 b)
{
    return ((function)va)(a, b);
}

static u64 window(u64 pa)
{
    return WINDOW_MEMORY | pa;
}

static void put_constant(u64 pa, unsigned value)
{
    code_at(pa)[0] = insn_load(A0, value);
    code_at(pa)[1] = INSN_RETURN;
}

static void test_changed_between_calls(void)
{
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < 2000; i++) {
        put_constant(CODE, i);
        insn_barrier();
        n_wrong += call(window(CODE), 99, 0) != i;
    }
    report_eq(n_wrong, 0, "a function changed before each of 2000 calls");
}

// Hot, then changed: the first loop is long enough for a translator to take it seriously.
static void test_changed_when_hot(void)
{
    unsigned n_wrong = 0;
    for (unsigned round = 0; round < 5; round++) {
        put_constant(CODE, 100 + round);
        insn_barrier();
        for (unsigned i = 0; i < 3000; i++)
            n_wrong += call(window(CODE), 0, 0) != 100 + round;
    }
    report_eq(n_wrong, 0, "a hot function changed between hot phases");
}

// The store changes the instruction that comes next, or one a few further on, of the same function.
static void test_changed_ahead(void)
{
    for (unsigned distance = 0; distance < 40; distance += 13) {
        volatile u32 *code = code_at(CODE);
        unsigned n = 0, n_wrong = 0;
        code[n++] = insn_store(A1, A0); // changes code[target] to what $a1 holds
        code[n++] = INSN_IBAR;
        for (unsigned i = 0; i < distance; i++)
            code[n++] = INSN_NOP;
        unsigned target = n;
        code[n++] = insn_load(A0, 1);
        code[n++] = INSN_RETURN;
        insn_barrier();
        for (unsigned i = 2; i < 300; i++)
            n_wrong += call(window(CODE), (u64)&code[target], insn_load(A0, i)) != i;
        report_eq(n_wrong, 0, "code changes the instruction %u behind it", distance);
    }
}

// Without an ibar the old instruction may run or the new one, and nothing else.
static void test_changed_without_barrier(void)
{
    volatile u32 *code = code_at(CODE);
    unsigned n_wrong = 0;
    for (unsigned i = 2; i < 100; i++) {
        code[0] = insn_store(A1, A0); // to code[1]
        code[1] = insn_load(A0, 1);
        code[2] = INSN_RETURN;
        insn_barrier();
        u64 got = call(window(CODE), (u64)&code[1], insn_load(A0, i));
        n_wrong += got != 1 && got != i;
    }
    report_eq(n_wrong, 0, "code changes the next instruction, and does not wait for it");
}

// A loop that changes its own body: returns the sum of what its middle instruction added.
static void test_changed_loop(void)
{
    volatile u32 *code = code_at(CODE);
    code[0] = insn_load(T0, 0);
    code[1] = insn_add(T0, T0, 1); // the first time 1, then as $a1 says
    code[2] = insn_store(A1, A0);  // to code[1]
    code[3] = INSN_IBAR;
    code[4] = insn_add(6, 6, -1);                                     // $a2 counts
    code[5] = 0x44000000u | ((u32)-4 & 0xffff) << 10 | 6 << 5 | 0x1f; // bnez $a2, code[1]
    code[6] = insn_add(A0, T0, 0);
    code[7] = INSN_RETURN;
    insn_barrier();
    u64 (*f)(u64, u64, u64) = (void *)window(CODE);
    report_eq(f((u64)&code[1], insn_add(T0, T0, 10), 5), 41, "a loop changes its own body");
}

static void test_aliases(void)
{
    unsigned n_by_tlb = 0, n_by_window = 0, n_stored_by_tlb = 0;
    tlb_clear();
    tlb_map(0, ALIAS, CODE, 13, PAGE_ALL);
    for (unsigned i = 0; i < 500; i++) {
        put_constant(CODE, i);
        insn_barrier();
        n_by_tlb += call(ALIAS, 0, 0) != i;
        *(volatile u32 *)ALIAS = insn_load(A0, i + 1000);
        insn_barrier();
        n_by_window += call(window(CODE), 0, 0) != i + 1000;
        n_stored_by_tlb += call(ALIAS, 0, 0) != i + 1000;
    }
    report_eq(n_by_tlb, 0, "stored through the window, run through the TLB");
    report_eq(n_by_window, 0, "stored through the TLB, run through the window");
    report_eq(n_stored_by_tlb, 0, "stored and run through the TLB");
}

// The same address, another page: no code is written.
static void test_remapped(void)
{
    unsigned n_wrong = 0;
    put_constant(CODE, 1);
    put_constant(OTHER, 2);
    insn_barrier();
    for (unsigned i = 0; i < 500; i++) {
        tlb_clear();
        tlb_map(0, ALIAS, i & 1 ? OTHER : CODE, 13, PAGE_ALL);
        n_wrong += call(ALIAS, 0, 0) != 1 + (i & 1);
    }
    report_eq(n_wrong, 0, "another page at the same address");
    n_wrong = 0;
    tlb_clear();
    for (unsigned asid = 1; asid < 3; asid++) {
        struct tlb_entry e = {ALIAS, 13, asid, {PAGE_ALL, PAGE_ALL}};
        e.elo[0] |= asid == 1 ? CODE : OTHER;
        tlb_write(TLB_STLB_ENTRIES + asid, &e);
    }
    for (unsigned i = 0; i < 500; i++) {
        tlb_set_asid(1 + (i & 1));
        n_wrong += call(ALIAS, 0, 0) != 1 + (i & 1);
    }
    tlb_set_asid(0);
    report_eq(n_wrong, 0, "two address spaces with other code at the same address");
}

// A function across a page border, whose second page is changed or exchanged.
static void test_across_pages(void)
{
    unsigned n_wrong = 0, n_exchanged = 0;
    u64 border = 0x2000, start = ALIAS + border - 4;
    tlb_clear();
    tlb_map(0, ALIAS, CODE, 12, PAGE_ALL);
    struct tlb_entry second = {ALIAS + border, 12, 0, {(CODE + 0x2000) | PAGE_ALL, PAGE_ALL}};
    tlb_write(TLB_STLB_ENTRIES + 1, &second);
    code_at(CODE + border - 4)[0] = insn_load(T0, 7);
    code_at(CODE + border)[1] = code_at(OTHER)[1] = INSN_RETURN;
    for (int i = 0; i < 500; i++) {
        code_at(CODE + border)[0] = insn_add(A0, T0, i);
        insn_barrier();
        n_wrong += call(start, 0, 0) != 7 + (u64)i;
    }
    code_at(OTHER)[0] = insn_add(A0, T0, 1000);
    code_at(CODE + border)[0] = insn_add(A0, T0, 2000);
    insn_barrier();
    for (unsigned i = 0; i < 500; i++) {
        second.elo[0] = (i & 1 ? OTHER : CODE + 0x2000) | PAGE_ALL;
        tlb_write(TLB_STLB_ENTRIES + 1, &second);
        n_exchanged += call(start, 0, 0) != (i & 1 ? 1007u : 2007u);
    }
    report_eq(n_wrong, 0, "code across pages, the second one changed");
    report_eq(n_exchanged, 0, "code across pages, the second one exchanged");
}

// Data beside code: stores to the page must not disturb it.
static void test_data_beside(void)
{
    volatile u32 *page = code_at(CODE);
    unsigned n_wrong = 0;
    page[0] = insn_read(T0, A0);
    page[1] = insn_add(T0, T0, 1);
    page[2] = insn_store(T0, A0);
    page[3] = insn_add(A0, T0, 0);
    page[4] = INSN_RETURN;
    page[64] = 0;
    insn_barrier();
    for (unsigned i = 1; i < 3000; i++)
        n_wrong += call(window(CODE), (u64)&page[64], 0) != i;
    report_eq(n_wrong, 0, "code that stores to its own page, elsewhere");
}

// The handler puts right what it was called for.
static bool on_undefined(struct trap_frame *f, unsigned code)
{
    *(volatile u32 *)f->era = insn_load(A0, (unsigned)f->gpr[A1]);
    insn_barrier();
    return true;
}

static void test_repaired(void)
{
    unsigned n_wrong = 0;
    trap_set_handler(EXC_INE, on_undefined);
    for (unsigned i = 0; i < 200; i++) {
        code_at(CODE)[0] = 0xffffffff;
        code_at(CODE)[1] = INSN_RETURN;
        insn_barrier();
        struct trap t = trap_call(3, (trap_function)window(CODE), 0, i, 0);
        n_wrong += t.code != EXC_NONE || t.value != i;
    }
    trap_set_handler(EXC_INE, NULL);
    report_eq(n_wrong, 0, "an exception handler repairs the instruction");
}

static void test_levels(void)
{
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < 400; i++) {
        put_constant(CODE, i);
        insn_barrier();
        struct trap t = trap_call(i & 3, (trap_function)window(CODE), 0, 0, 0);
        n_wrong += t.code != EXC_NONE || t.value != i;
    }
    report_eq(n_wrong, 0, "run at one level after the other");
}

// One processor runs what another one writes. `ready` and `done` are rounds.
static struct {
    u32 ready, done, n_wrong;
} cross;

static void run_as_told(void *argument)
{
    unsigned n_rounds = (unsigned)(u64)argument;
    for (u32 i = 1; i <= n_rounds; i++) {
        while (__atomic_load_n(&cross.ready, __ATOMIC_ACQUIRE) != i)
            ;
        insn_barrier();
        for (unsigned n = 0; n < 10; n++)
            cross.n_wrong += call(window(CODE), 0, 0) != i;
        __atomic_store_n(&cross.done, i, __ATOMIC_RELEASE);
    }
}

static void test_other_processor(void)
{
    const u64 n_rounds = 200;
    smp_begin(1, run_as_told, (void *)n_rounds);
    for (u32 i = 1; i <= n_rounds; i++) {
        put_constant(CODE, i);
        __asm__ volatile("dbar 0" ::: "memory");
        __atomic_store_n(&cross.ready, i, __ATOMIC_RELEASE);
        while (__atomic_load_n(&cross.done, __ATOMIC_ACQUIRE) != i)
            ;
    }
    smp_finish(1);
    report_eq(cross.n_wrong, 0, "another processor runs what this one wrote");
}

static void run_endless(void *argument)
{
    __atomic_store_n(&cross.ready, 1, __ATOMIC_RELEASE);
    call(window(CODE), 0, 0);
    __atomic_store_n(&cross.done, 1, __ATOMIC_RELEASE);
}

// It does nothing but loop, with an ibar in it.
static void test_endless_loop(void)
{
    volatile u32 *code = code_at(CODE);
    code[0] = INSN_IBAR;
    code[1] = insn_branch(-4);
    code[2] = INSN_RETURN;
    insn_barrier();
    cross.ready = cross.done = 0;
    smp_begin(1, run_endless, NULL);
    while (!__atomic_load_n(&cross.ready, __ATOMIC_ACQUIRE))
        ;
    u64 a_while = rdtime() + 2 * time_ticks_per_ms();
    while (!time_is_past(a_while))
        ;
    report_eq(__atomic_load_n(&cross.done, __ATOMIC_ACQUIRE), 0, "a processor in an endless loop");
    code[1] = INSN_NOP;
    u64 deadline = time_after_ms(20000);
    while (!__atomic_load_n(&cross.done, __ATOMIC_ACQUIRE) && !time_is_past(deadline))
        ;
    report_eq(__atomic_load_n(&cross.done, __ATOMIC_ACQUIRE), 1, "is freed by another one's store");
}

// A store that begins in front of the code, in other memory that was just stored to.
static void test_store_into_it(void)
{
    const u64 code = SCRATCH_BASE + 0x20000; // a multiple of all that a translator may look at at once
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < 300; i++) {
        put_constant(code, 1000 + i);
        insn_barrier();
        n_wrong += call(window(code), 0, 0) != 1000 + i;
        u64 places[] = {code - 4096, code - 4}, value = (u64)insn_load(A0, i) << 32;
        for (unsigned n = 0; n < 2; n++)
            __asm__ volatile("st.d %0, %1, 0" : : "r"(value), "r"(window(places[n])) : "memory");
        insn_barrier();
        n_wrong += call(window(code), 0, 0) != i;
    }
    report_eq(n_wrong, 0, "a store of which the second half is code");
}

int main(void)
{
    test_changed_between_calls();
    test_changed_when_hot();
    test_changed_ahead();
    test_changed_without_barrier();
    test_changed_loop();
    test_aliases();
    test_remapped();
    test_across_pages();
    test_data_beside();
    test_repaired();
    test_levels();
    test_store_into_it();
    if (smp_n_cpus() < 2 || !smp_start_all())
        return 0;
    test_other_processor();
    test_endless_loop();
    return 0;
}
