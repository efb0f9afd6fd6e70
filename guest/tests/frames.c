// SPDX-License-Identifier: Apache-2.0
// Accesses through one register that lie across the end of a page together, each of them in one
// page, over and over: what a function does whose frame lies so.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define N_WORDS  6
#define N_ROUNDS 400

// Where a pair begins, with pages of 4 and of 16 KiB. The border of 1 TiB differs from its
// neighbour in so many bits that a hash of addresses may not tell them apart.
static const u64 borders[] = {0x20008000, BIT(40)};
static u64 border;

// The page before the border and the one behind it do not follow each other in memory.
static u64 frame_of(unsigned ps, bool is_behind)
{
    return SCRATCH_BASE + ((is_behind ? 2ULL : 5ULL) << ps);
}

static volatile u64 *place(unsigned ps, u64 va)
{
    bool is_behind = va >= border;
    return memory_at(frame_of(ps, is_behind) + (is_behind ? va - border : va - border + BIT(ps)));
}

static void map(unsigned ps, u64 behind)
{
    tlb_clear();
    tlb_map_page(0, border - BIT(ps), frame_of(ps, false), ps, PAGE_ALL);
    tlb_map_page(1, border, frame_of(ps, true), ps, behind);
}

// Stores first, first + 1, ... and returns the loads' sum.
static u64 six_words(u64 va, u64 first, u64 c)
{
    u64 sum = 0;
    __asm__ volatile("st.d %2, %1, 0\n"
                     "addi.d %2, %2, 1\n"
                     "st.d %2, %1, 8\n"
                     "addi.d %2, %2, 1\n"
                     "st.d %2, %1, 16\n"
                     "addi.d %2, %2, 1\n"
                     "st.d %2, %1, 24\n"
                     "addi.d %2, %2, 1\n"
                     "st.d %2, %1, 32\n"
                     "addi.d %2, %2, 1\n"
                     "st.d %2, %1, 40\n"
                     "b 1f\n"
                     "1: ld.d $t0, %1, 0\n"
                     "ld.d $t1, %1, 8\n"
                     "ld.d $t2, %1, 16\n"
                     "ld.d $t3, %1, 24\n"
                     "ld.d $t4, %1, 32\n"
                     "ld.d $t5, %1, 40\n"
                     "add.d %0, $t0, $t1\n"
                     "add.d %0, %0, $t2\n"
                     "add.d %0, %0, $t3\n"
                     "add.d %0, %0, $t4\n"
                     "add.d %0, %0, $t5"
                     : "+r"(sum), "+r"(va), "+r"(first)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "memory");
    return sum;
}

static unsigned n_wrong_words(unsigned ps, u64 va, u64 first, unsigned n)
{
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < n; i++)
        n_wrong += *place(ps, va + 8 * i) != first + i;
    return n_wrong;
}

static void test_words(unsigned ps, unsigned plv)
{
    unsigned n_wrong = 0;
    map(ps, PAGE_ALL);
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        u64 va = border - 8 * (round % (N_WORDS + 1)), first = 100 * round + ps;
        struct trap t = trap_call(plv, six_words, va, first, 0);
        n_wrong += t.code != EXC_NONE || t.value != N_WORDS * first + 15;
        n_wrong += n_wrong_words(ps, va, first, N_WORDS);
    }
    report_eq(n_wrong, 0, "border 0x%lx, pages of %u KiB, level %u: words", border, 1u << (ps - 10),
              plv);
}

// The first store behind the border faults, after all before it were done.
static void test_faults(unsigned ps)
{
    unsigned n_wrong = 0;
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        unsigned n_before = 1 + round % (N_WORDS - 1);
        u64 va = border - 8 * n_before, first = 1000 * round + ps;
        *place(ps, border) = 7;
        map(ps, PAGE_ALL & ~PAGE_D);
        struct trap t = trap_call(3, six_words, va, first, 0);
        n_wrong += t.code != EXC_PME || t.badv != border || *place(ps, border) != 7;
        n_wrong += n_wrong_words(ps, va, first, n_before);
    }
    report_eq(n_wrong, 0, "border 0x%lx, pages of %u KiB: the store that faults is the one across",
              border, 1u << (ps - 10));
}

int main(void)
{
    for (unsigned n = 0; n < ARRAY_LEN(borders); n++)
        for (unsigned ps = 12; ps <= 14; ps += 2) {
            border = borders[n];
            test_words(ps, 0);
            test_words(ps, 3);
            test_faults(ps);
        }
    return 0;
}
