// SPDX-License-Identifier: Apache-2.0
// Data and code in one page: what may be stored to without notice shrinks as code comes from more
// of it. Code is changed by the very stores that wrote data there before. Volume 1, 2.2.8.2.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/insn.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/report.h"

#define A0      4
#define ALIAS   0x30000000ULL // where the TLB maps a page too
#define LINE    64
#define N_LINES (0x4000 / LINE)
#define N_PAGES 40
// In one page. A translator may do something else with pages whose code changes more often.
#define N_CHANGES 6

typedef u64 (*function)(void);

// One instruction stores all that is stored here, whatever it is.
static __attribute__((noinline)) void put(u64 va, u64 value)
{
    __asm__ volatile("st.d %1, %0, 0" ::"r"(va), "r"(value) : "memory");
}

static __attribute__((noinline)) u64 get(u64 va)
{
    u64 value;
    __asm__ volatile("ld.d %0, %1, 0" : "=r"(value) : "r"(va) : "memory");
    return value;
}

static u64 returns(unsigned value)
{
    return insn_load(A0, value) | (u64)INSN_RETURN << 32;
}

static u64 call(u64 va)
{
    return ((function)va)();
}

static u64 page_at(unsigned n)
{
    return SCRATCH_BASE + 0x10000 + n * 0x8000ULL;
}

// Where the code of change n is.
static u64 line_at(unsigned n)
{
    return n * 41 % N_LINES * LINE;
}

static void fill_with_data(u64 page)
{
    for (u64 at = 0; at < N_LINES * LINE; at += 8)
        put(page + at, at);
}

static bool is_code(u64 at, unsigned n_changes)
{
    for (unsigned i = 0; i < n_changes; i++)
        if (at - line_at(i) < 8)
            return true;
    return false;
}

static unsigned n_data_wrong(u64 page, unsigned n_changes)
{
    unsigned n = 0;
    for (u64 at = 0; at < N_LINES * LINE; at += 8)
        n += !is_code(at, n_changes) && get(page + at) != at;
    return n;
}

// Line after line becomes code, and is changed at once.
static struct {
    unsigned first, second, lost;
} n_wrong;

static void change_lines(u64 page)
{
    fill_with_data(page);
    for (unsigned i = 0; i < N_CHANGES; i++) {
        u64 at = page + line_at(i);
        put(at, returns(i));
        insn_barrier();
        n_wrong.first += call(at) != i;
        for (u64 beside = 8; beside < LINE; beside += 8)
            put(at + beside, line_at(i) + beside);
        put(at + 2 * LINE, get(at + 2 * LINE));
        put(at, returns(i + 1000));
        insn_barrier();
        n_wrong.second += call(at) != i + 1000;
        n_wrong.lost += n_data_wrong(page, i + 1);
    }
}

// Through pages of size 2^ps; 0: through the window.
static void test_lines(unsigned ps, const char *what)
{
    n_wrong.first = n_wrong.second = n_wrong.lost = 0;
    for (unsigned n = 0; n < N_PAGES; n++) {
        if (ps)
            tlb_clear();
        for (unsigned i = 0; ps && i << (ps + 1) < 0x4000; i++)
            tlb_map(i, ALIAS + ((u64)i << (ps + 1)), page_at(n) + ((u64)i << (ps + 1)), ps,
                    PAGE_ALL);
        change_lines(ps ? ALIAS : WINDOW_MEMORY | page_at(n));
    }
    tlb_clear();
    report_eq(n_wrong.first, 0, "%s: data that became code", what);
    report_eq(n_wrong.second, 0, "%s: code that is changed by who stored data there", what);
    report_eq(n_wrong.lost, 0, "%s: data beside it", what);
}

// A store that begins in a line of data and ends in one of code.
static void test_crossing_store(void)
{
    unsigned n_missed = 0;
    for (unsigned n = 0; n < N_PAGES; n++) {
        const u64 page = WINDOW_MEMORY | page_at(n), code = page + 8 * LINE;
        fill_with_data(page);
        put(code, returns(0));
        insn_barrier();
        call(code);
        for (unsigned i = 1; i < N_CHANGES; i++) {
            put(code - 8, i);
            put(code - 4, (u64)insn_load(A0, i) << 32);
            insn_barrier();
            n_missed += call(code) != i;
        }
    }
    report_eq(n_missed, 0, "a store from data into code");
}

// Another processor stores data all the time; in each round it then changes what has just become
// code.
static struct {
    u32 told, done;
} cross;

static void wait_for(u32 *word, u32 value)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < value)
        ;
}

#define CROSS_ROUNDS (N_PAGES * N_CHANGES)

static u64 page_of_round(u32 round)
{
    return WINDOW_MEMORY | page_at(round / N_CHANGES);
}

static u64 code_of_round(u32 round)
{
    return page_of_round(round) + line_at(round % N_CHANGES);
}

static void store_as_told(void *argument)
{
    for (u32 round = 0; round < CROSS_ROUNDS; round++) {
        u64 at = code_of_round(round);
        put(at, returns(round));
        __atomic_store_n(&cross.done, 2 * round + 1, __ATOMIC_RELEASE);
        for (u64 i = 8; __atomic_load_n(&cross.told, __ATOMIC_ACQUIRE) != round + 1; i = i % 56 + 8)
            put(at + i, round);
        put(at, returns(round + 5));
        __atomic_store_n(&cross.done, 2 * round + 2, __ATOMIC_RELEASE);
    }
}

static void test_other_processor(void)
{
    unsigned n_first = 0, n_second = 0;
    for (unsigned n = 0; n < N_PAGES; n++)
        fill_with_data(WINDOW_MEMORY | page_at(n));
    smp_begin(1, store_as_told, NULL);
    for (u32 round = 0; round < CROSS_ROUNDS; round++) {
        wait_for(&cross.done, 2 * round + 1);
        insn_barrier();
        n_first += call(code_of_round(round)) != round;
        __atomic_store_n(&cross.told, round + 1, __ATOMIC_RELEASE);
        wait_for(&cross.done, 2 * round + 2);
        insn_barrier();
        n_second += call(code_of_round(round)) != round + 5;
    }
    smp_finish(1);
    report_eq(n_first, 0, "another processor's data became code");
    report_eq(n_second, 0, "and was changed by it while it stored data beside");
}

int main(void)
{
    test_lines(0, "window");
    test_lines(14, "pages of 16 KiB");
    test_lines(12, "pages of 4 KiB");
    test_crossing_store();
    if (smp_n_cpus() < 2 || !smp_start_all())
        return 0;
    test_other_processor();
    return 0;
}
