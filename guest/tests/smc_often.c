// SPDX-License-Identifier: Apache-2.0
// Code that is changed all the time, and data among code: what a translator of programs makes, and
// what must be right whether such pages are watched or not.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/insn.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/report.h"

#define A0   4
#define A1   5
#define CODE (SCRATCH_BASE + 0x20000)

typedef u64 (*function)(u64 a, u64 b);

static volatile u32 *code_at(u64 pa)
{
    return memory_at(pa);
}

static u64 call(u64 pa, u64 a, u64 b)
{
    return ((function)(WINDOW_MEMORY | pa))(a, b);
}

static void put_constant(u64 pa, unsigned value)
{
    code_at(pa)[0] = insn_load(A0, value);
    code_at(pa)[1] = INSN_RETURN;
}

static void test_patched(void)
{
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < 30000; i++) {
        put_constant(CODE, i & 0x7ff);
        insn_barrier();
        n_wrong += call(CODE, 99, 0) != (i & 0x7ff);
        n_wrong += call(CODE, 98, 0) != (i & 0x7ff);
    }
    report_eq(n_wrong, 0, "a function changed 30000 times");
}

// Only the last of many instructions is changed, and only one half of what is compared at a time.
static void test_long(void)
{
    enum { N = 40 };
    volatile u32 *code = code_at(CODE);
    unsigned n_wrong = 0;
    code[0] = insn_load(A0, 0);
    for (unsigned n = 1; n < N; n++)
        code[n] = insn_add(A0, A0, 1);
    code[N] = INSN_RETURN;
    for (unsigned i = 0; i < 4000; i++) {
        unsigned changed = 1 + i % (N - 1);
        code[changed] = insn_add(A0, A0, 100);
        insn_barrier();
        n_wrong += call(CODE, 0, 0) != N - 2 + 100;
        code[changed] = insn_add(A0, A0, 1);
        insn_barrier();
        n_wrong += call(CODE, 0, 0) != N - 1;
    }
    report_eq(n_wrong, 0, "one of 40 instructions changed, another one each time");
}

// The counter is in the same line of memory as the loop that counts.
static void test_data_in_line(void)
{
    volatile u32 *code = code_at(CODE + 0x100);
    code[0] = insn_read(6, A0); // $a2
    code[1] = insn_add(6, 6, 1);
    code[2] = insn_store(6, A0);
    code[3] = insn_add(A1, A1, -1);
    code[4] = 0x44000000u | ((u32)-4 & 0xffff) << 10 | A1 << 5 | 0x1f; // bnez $a1, code[0]
    code[5] = INSN_RETURN;
    code[7] = 0;
    insn_barrier();
    call(CODE + 0x100, (u64)&code[7], 50000);
    report_eq(code[7], 50000, "a counter beside its loop");
}

// Both are in one page and one calls the other by a jump that stays in the page.
static void test_jump_within(void)
{
    unsigned n_wrong = 0;
    volatile u32 *from = code_at(CODE + 0x200), *to = code_at(CODE + 0x300);
    from[0] = insn_add(A1, A1, 1);
    from[1] = insn_branch(0x100 - 4);
    to[0] = insn_add(A0, A1, 0);
    to[1] = insn_add(A0, A0, 0);
    to[2] = INSN_RETURN;
    for (unsigned i = 0; i < 5000; i++) {
        to[1] = insn_add(A0, A0, (int)(i & 0x3ff));
        insn_barrier();
        n_wrong += call(CODE + 0x200, 0, 7) != 8 + (i & 0x3ff);
        if (i % 7 == 0) {
            from[0] = insn_add(A1, A1, 2);
            insn_barrier();
            n_wrong += call(CODE + 0x200, 0, 7) != 9 + (i & 0x3ff);
            from[0] = insn_add(A1, A1, 1);
        }
    }
    report_eq(n_wrong, 0, "a jump to code that changes, in its page");
}

static struct {
    u64 turn; // odd: the other processor's
    unsigned n_wrong;
} other;

#define N_TURNS 300

static void wait_for_turn(u64 turn)
{
    while (__atomic_load_n(&other.turn, __ATOMIC_ACQUIRE) != turn)
        ;
}

static void run_what_is_written(void *argument)
{
    for (u64 i = 0; i < N_TURNS; i++) {
        wait_for_turn(2 * i + 1);
        insn_barrier();
        other.n_wrong += call(CODE + 0x400, 0, 0) != (i & 0x7ff);
        __atomic_store_n(&other.turn, 2 * i + 2, __ATOMIC_RELEASE);
    }
}

// Each runs what the other one wrote; both write to the page all the time.
static void test_other_processor(void)
{
    unsigned n_wrong = 0;
    other.turn = 0;
    smp_begin(1, run_what_is_written, NULL);
    for (u64 i = 0; i < N_TURNS; i++) {
        wait_for_turn(2 * i);
        put_constant(CODE + 0x400, i & 0x7ff);
        put_constant(CODE + 0x500, ~i & 0x7ff);
        insn_barrier();
        __atomic_store_n(&other.turn, 2 * i + 1, __ATOMIC_RELEASE);
        n_wrong += call(CODE + 0x500, 0, 0) != (~i & 0x7ff);
    }
    wait_for_turn(2 * N_TURNS);
    smp_finish(1);
    report_eq(n_wrong + other.n_wrong, 0, "two processors with code that changes in one page");
}

// Each page for the first time: it is not watched yet when the other processor runs it.
static void test_fresh_pages(void)
{
    enum { N = 48 };
    unsigned n_wrong = 0;
    for (unsigned page = 0; page < N; page++) {
        u64 pa = SCRATCH_BASE + 0x100000 + 0x4000 * page;
        for (unsigned i = 0; i < 8; i++) {
            put_constant(pa, i);
            insn_barrier();
            n_wrong += call(pa, 0, 0) != i;
        }
    }
    report_eq(n_wrong, 0, "pages that are changed eight times");
}

int main(void)
{
    test_patched();
    test_long();
    test_data_in_line();
    test_jump_within();
    test_fresh_pages();
    if (smp_n_cpus() > 1 && smp_start_all())
        test_other_processor();
    return 0;
}
