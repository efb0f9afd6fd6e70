// SPDX-License-Identifier: Apache-2.0
// Two cells with shared memory: one says a number and rings, the other says it back and rings.
// Words that one writes the other reads only. With role=1 it is the one that answers.
// bulk=N: then N MiB go each way, whose every word is checked. linux=N: the other is a Linux, which has
// no driver for the doorbell; it is given N messages and answers with what their words come to.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

#define SHARED   0x80000000ULL
#define DOORBELL 0x1fe10000ULL
#define VECTOR   40
#define PATIENCE 60000 // ms
#define HWI1     BIT(LINE_HWI0 + 1)
#define MESSAGE  (SHARED + 0x2000) // for Linux
#define WORDS    16
#define BULK     (SHARED + BIT(20)) // a piece, which is one side's at a time
#define PIECE    BIT(18)
#define SUM      (BULK + PIECE)

static u64 *word(unsigned role)
{
    return memory_at(SHARED + role * 0x1000);
}

static u64 n_rings;

// Sleeps until the doorbell rings or a moment has passed: a ring before the other listened is lost.
static void wait(void)
{
    csr_write(CSR_TCFG, (2 * time_ticks_per_ms() & ~3ULL) | TCFG_EN);
    __asm__ volatile("idle 0" ::: "memory");
    csr_write(CSR_TICLR, 1);
    if (extioi_is_set(EXTIOI_CORE_ISR, VECTOR)) {
        extioi_clear(EXTIOI_CORE_ISR, VECTOR);
        n_rings++;
    }
}

// Or a later number: the other may have gone on.
static bool wait_for(unsigned role, u64 value)
{
    u64 deadline = time_after_ms(PATIENCE);
    while (__atomic_load_n(word(role), __ATOMIC_ACQUIRE) < value) {
        if (time_is_past(deadline))
            return false;
        wait();
    }
    return true;
}

static void say(unsigned role, u64 value)
{
    __atomic_store_n(word(role), value, __ATOMIC_RELEASE);
    device_write32(DOORBELL, 1);
}

static u64 mix(u64 sum, u64 word)
{
    return (sum ^ word) * 0x9e3779b97f4a7c15ULL;
}

static void write_piece(struct random *r)
{
    u64 *at = memory_at(BULK), sum = 0;
    for (unsigned i = 0; i < PIECE / 8; i++) {
        at[i] = random_next(r);
        sum = mix(sum, at[i]);
    }
    *(volatile u64 *)memory_at(SUM) = sum;
}

// Its words have the sum that is beside them, and are those that the other made.
static bool check_piece(struct random *r)
{
    const volatile u64 *at = memory_at(BULK);
    u64 sum = 0, n_wrong = 0;
    for (unsigned i = 0; i < PIECE / 8; i++) {
        u64 found = at[i];
        n_wrong += found != random_next(r);
        sum = mix(sum, found);
    }
    return !n_wrong && sum == *(volatile u64 *)memory_at(SUM);
}

// Numbers go on where the rounds ended.
static u64 send(unsigned role, u64 number, u64 n, struct random *r)
{
    u64 n_answered = 0;
    for (u64 i = 1; i <= n; i++) {
        write_piece(r);
        say(role, number + i);
        n_answered += wait_for(!role, number + i);
    }
    return n_answered;
}

static u64 receive(unsigned role, u64 number, u64 n, struct random *r)
{
    u64 n_good = 0;
    for (u64 i = 1; i <= n; i++) {
        n_good += wait_for(!role, number + i) && check_piece(r);
        say(role, number + i);
    }
    return n_good;
}

static void test_bulk(unsigned role, u64 number, u64 mib)
{
    struct random r = {0x1234567};
    u64 n = mib * BIT(20) / PIECE, began = rdtime();
    u64 first = role ? receive(role, number, n, &r) : send(role, number, n, &r);
    u64 then = role ? send(role, number + n, n, &r) : receive(role, number + n, n, &r);
    u64 us = (rdtime() - began) * 1000 / time_ticks_per_ms();
    report_eq(first + then, 2 * n, "%lu MiB each way, and every word is right", mib);
    report_note("%lu KiB in %lu us", 2 * mib * 1024, us);
}

static void test_linux(u64 n)
{
    struct random r = {42};
    u64 n_right = 0;
    for (u64 i = 1; i <= n; i++) {
        u64 sum = 0;
        for (unsigned k = 0; k < WORDS; k++) {
            u64 value = random_next(&r) >> 1; // a shell's numbers are signed
            ((volatile u64 *)memory_at(MESSAGE))[k] = value;
            sum ^= value;
        }
        __atomic_store_n(word(0), i, __ATOMIC_RELEASE);
        n_right += wait_for(1, i) && word(1)[1] == sum;
    }
    report_eq(n_right, n, "Linux answers rightly");
}

int main(void)
{
    unsigned role = (unsigned)args_number("role", 0);
    u64 rounds = args_number("rounds", 200), n = 0;
    extioi_init();
    csr_write(CSR_ECFG, HWI1 | BIT(LINE_TI));
    if (args_number("linux", 0)) {
        test_linux(args_number("linux", 0));
        return 0;
    }
    u64 deadline = time_after_ms(PATIENCE);
    while (__builtin_popcount(device_read32(DOORBELL + 4)) < 2 && !time_is_past(deadline))
        wait();
    for (u64 i = 1; i <= rounds; i++) {
        if (role)
            n += wait_for(0, i), say(1, i);
        else
            say(0, i), n += wait_for(1, i);
    }
    report_eq(n, rounds, "every number came");
    if (args_number("bulk", 0))
        test_bulk(role, rounds, args_number("bulk", 0));
    report(n_rings > 0, "the doorbell rang, %lu times", n_rings);
    return 0;
}
