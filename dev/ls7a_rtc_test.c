// SPDX-License-Identifier: Apache-2.0
#include "dev/ls7a_rtc.h"
#include "dev/test_bench.h"

#define BASE  0x100d0100
#define EPOCH 1700000000ULL // 2023-11-14 22:13:20 UTC

static struct ls7a_rtc *make(struct bench *b)
{
    struct err e = {0};
    b->clock.epoch_ns = EPOCH * NS_PER_SEC + 300000000;
    struct ls7a_rtc *r = ls7a_rtc_of(device_new(&ls7a_rtc_type, &b->env));
    r->irq = bench_irq(b, 0);
    r->toy_irq[1] = bench_irq(b, 1);
    r->rtc_irq[2] = bench_irq(b, 2);
    CHECK(device_realize(&r->d, &e));
    r->region.base = BASE;
    mem_add_region(&b->mem, &r->region);
    device_reset(&r->d);
    return r;
}

static void done(struct bench *b, struct ls7a_rtc *r)
{
    device_free(&r->d);
    bench_free(b);
}

static u32 rd(struct bench *b, unsigned reg)
{
    return (u32)mem_read(&b->mem, BASE + reg, 4);
}

static void wr(struct bench *b, unsigned reg, u32 value)
{
    mem_write(&b->mem, BASE + reg, value, 4);
}

static u32 toy0(unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second,
                unsigned tenths)
{
    return month << 26 | day << 21 | hour << 16 | minute << 10 | second << 4 | tenths;
}

static u32 match(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                 unsigned second)
{
    return (year - 1900) % 64 << 26 | month << 22 | day << 17 | hour << 12 | minute << 6 | second;
}

static void set_time(struct bench *b, unsigned year, u32 word0)
{
    wr(b, LS7A_TOYWRITE0, word0);
    wr(b, LS7A_TOYWRITE1, year - 1900);
}

static void expect_time(struct bench *b, unsigned year, u32 word0)
{
    CHECK_EQ(rd(b, LS7A_TOYREAD0), word0);
    CHECK_EQ(rd(b, LS7A_TOYREAD1), year - 1900);
}

static void enable(struct bench *b)
{
    wr(b, LS7A_RTCCTRL, RTCCTRL_EO | RTCCTRL_TOYEN | RTCCTRL_RTCEN);
}

TEST(time_is_utc_and_reads_0_until_enabled)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    static const u32 off[] = {0, RTCCTRL_EO, RTCCTRL_TOYEN | RTCCTRL_RTCEN};
    bench_advance(b, NS_PER_SEC);
    for (unsigned i = 0; i < ARRAY_LEN(off); i++) {
        wr(b, LS7A_RTCCTRL, off[i]);
        CHECK_EQ(rd(b, LS7A_TOYREAD0) | rd(b, LS7A_TOYREAD1) | rd(b, LS7A_RTCREAD), 0);
    }
    wr(b, LS7A_RTCCTRL, RTCCTRL_EO | RTCCTRL_TOYEN);
    expect_time(b, 2023, toy0(11, 14, 22, 13, 21, 3));
    CHECK_EQ(rd(b, LS7A_RTCREAD), 0);
    wr(b, LS7A_RTCCTRL, 0xffffffff);
    CHECK_EQ(rd(b, LS7A_RTCCTRL), 0x2900);
    CHECK_EQ(rd(b, LS7A_RTCREAD), 32768);
    bench_advance(b, 700000000);
    expect_time(b, 2023, toy0(11, 14, 22, 13, 22, 0));
    bench_advance(b, 1);
    CHECK_EQ(rd(b, LS7A_TOYREAD0), toy0(11, 14, 22, 13, 22, 0));
    done(b, r);
}

TEST(set_and_wrap_at_the_ends_of_months_and_years)
{
    static const struct {
        unsigned year, month, day, year2, month2, day2;
    } cases[] = {
        {2026, 1, 31, 2026, 2, 1},  {2026, 2, 28, 2026, 3, 1},   {2024, 2, 28, 2024, 2, 29},
        {2024, 2, 29, 2024, 3, 1},  {2100, 2, 28, 2100, 3, 1},   {2000, 2, 28, 2000, 2, 29},
        {2026, 4, 30, 2026, 5, 1},  {2025, 12, 31, 2026, 1, 1},  {1999, 12, 31, 2000, 1, 1},
        {2038, 1, 19, 2038, 1, 20}, {9999, 12, 31, 10000, 1, 1},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench *b = bench_new();
        struct ls7a_rtc *r = make(b);
        enable(b);
        bench_advance(b, 12345678901);
        set_time(b, cases[i].year, toy0(cases[i].month, cases[i].day, 23, 59, 59, 9));
        expect_time(b, cases[i].year, toy0(cases[i].month, cases[i].day, 23, 59, 59, 9));
        bench_advance(b, 99999999);
        expect_time(b, cases[i].year, toy0(cases[i].month, cases[i].day, 23, 59, 59, 9));
        bench_advance(b, 1);
        expect_time(b, cases[i].year2, toy0(cases[i].month2, cases[i].day2, 0, 0, 0, 0));
        done(b, r);
    }
}

TEST(each_half_can_be_written_alone)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    enable(b);
    wr(b, LS7A_TOYWRITE0, toy0(5, 6, 7, 8, 9, 1));
    expect_time(b, 2023, toy0(5, 6, 7, 8, 9, 1));
    bench_advance(b, 100 * NS_PER_SEC);
    wr(b, LS7A_TOYWRITE1, 130);
    expect_time(b, 2030, toy0(5, 6, 7, 9, 49, 1));
    // 29 February is no day of 2030, but becomes one with the year that follows at once.
    wr(b, LS7A_TOYWRITE0, toy0(2, 29, 0, 0, 0, 0));
    bench_advance(b, 1000000);
    wr(b, LS7A_TOYWRITE1, 132);
    expect_time(b, 2032, toy0(2, 29, 0, 0, 0, 0));
    CHECK_EQ(rd(b, LS7A_TOYWRITE0) | rd(b, LS7A_TOYWRITE1), 0);
    done(b, r);
}

TEST(impossible_dates_are_carried_over)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    enable(b);
    set_time(b, 2026, toy0(4, 31, 0, 0, 0, 0));
    expect_time(b, 2026, toy0(5, 1, 0, 0, 0, 0));
    set_time(b, 2026, toy0(12, 31, 23, 59, 60, 0));
    expect_time(b, 2027, toy0(1, 1, 0, 0, 0, 0));
    wr(b, LS7A_TOYWRITE0, 0xffffffff);
    wr(b, LS7A_TOYWRITE1, 0xffffffff);
    wr(b, LS7A_TOYMATCH0, 0xffffffff);
    CHECK_EQ(rd(b, LS7A_TOYREAD1), 16383 + 5);
    done(b, r);
}

TEST(time_of_year_match_raises_the_wire_until_written)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    enable(b);
    wr(b, LS7A_TOYMATCH0 + 4, match(2023, 11, 14, 22, 13, 25));
    CHECK_EQ(rd(b, LS7A_TOYMATCH0 + 4), match(2023, 11, 14, 22, 13, 25));
    bench_advance(b, 5 * NS_PER_SEC - 300000001);
    CHECK(!b->level[0]);
    bench_advance(b, 1);
    CHECK(b->level[0]);
    CHECK(b->level[1]);
    CHECK(!b->level[2]);
    bench_advance(b, 10 * NS_PER_SEC);
    CHECK(b->level[0]);
    wr(b, LS7A_TOYMATCH0 + 4, 0);
    CHECK(!b->level[0]);
    CHECK(!b->level[1]);
    done(b, r);
}

TEST(a_match_follows_when_the_time_is_set)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    enable(b);
    wr(b, LS7A_TOYMATCH0, match(2030, 1, 1, 0, 0, 0));
    set_time(b, 2029, toy0(12, 31, 23, 59, 58, 0));
    bench_advance(b, 2 * NS_PER_SEC - 1);
    CHECK(!b->level[0]);
    bench_advance(b, 1);
    CHECK(b->level[0]);
    wr(b, LS7A_TOYMATCH0, match(2030, 1, 1, 0, 0, 0)); // still this second
    CHECK(b->level[0]);
    bench_advance(b, NS_PER_SEC);
    wr(b, LS7A_TOYMATCH0, match(2030, 1, 1, 0, 0, 0)); // passed: in 64 years
    CHECK(!b->level[0]);
    CHECK(r->toy[0].timer.deadline > b->now + 63 * 365 * 86400 * NS_PER_SEC);
    wr(b, LS7A_TOYMATCH0, match(2031, 2, 29, 0, 0, 0)); // never
    CHECK_EQ(r->toy[0].timer.deadline, CLOCK_NEVER);
    done(b, r);
}

TEST(counter_match)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    enable(b);
    wr(b, LS7A_RTCWRITE, 0xfffffff0);
    CHECK_EQ(rd(b, LS7A_RTCREAD), 0xfffffff0);
    wr(b, LS7A_RTCMATCH0 + 8, 0x10);
    CHECK_EQ(rd(b, LS7A_RTCMATCH0 + 8), 0x10);
    bench_advance(b, 976562); // 32 ticks are 976562.5 ns
    CHECK_EQ(rd(b, LS7A_RTCREAD), 0xf);
    CHECK(!b->level[0]);
    bench_advance(b, 1);
    CHECK_EQ(rd(b, LS7A_RTCREAD), 0x10);
    CHECK(b->level[0]);
    CHECK(b->level[2]);
    CHECK_EQ(b->n_rises[0], 1);
    wr(b, LS7A_RTCMATCH0 + 8, 0);
    CHECK(!b->level[0]);
    done(b, r);
}

TEST(a_match_counts_when_the_host_is_late)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    enable(b);
    wr(b, LS7A_RTCMATCH0 + 8, rd(b, LS7A_RTCREAD) + 10);
    wr(b, LS7A_TOYMATCH0 + 4, match(2023, 11, 14, 22, 13, 25));
    b->now += 9 * NS_PER_SEC; // nobody looks meanwhile
    bench_advance(b, 0);
    CHECK(b->level[2]);
    CHECK(b->level[1]);
    done(b, r);
}

TEST(nothing_matches_while_disabled)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    wr(b, LS7A_TOYMATCH0, match(2023, 11, 14, 22, 13, 25));
    wr(b, LS7A_RTCMATCH0, 32768);
    bench_advance(b, 4 * NS_PER_SEC);
    CHECK(!b->level[0]);
    CHECK_EQ(clock_next_deadline(&b->clock), CLOCK_NEVER);
    enable(b);
    CHECK(!b->level[0]);
    bench_advance(b, NS_PER_SEC);
    CHECK(b->level[0]);
    wr(b, LS7A_RTCCTRL, 0);
    CHECK(b->level[0]);
    done(b, r);
}

TEST(reset_keeps_the_time_and_drops_the_rest)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    enable(b);
    set_time(b, 2040, toy0(1, 2, 3, 4, 5, 6));
    wr(b, LS7A_RTCWRITE, 1000);
    wr(b, LS7A_TOYMATCH0, match(2040, 1, 2, 3, 4, 5));
    wr(b, LS7A_RTCMATCH0, 2000);
    CHECK(b->level[0]);
    device_reset(&r->d);
    CHECK(!b->level[0]);
    CHECK_EQ(clock_next_deadline(&b->clock), CLOCK_NEVER);
    CHECK_EQ(rd(b, LS7A_TOYREAD0), 0);
    CHECK_EQ(rd(b, LS7A_TOYMATCH0) | rd(b, LS7A_RTCMATCH0), 0);
    enable(b);
    expect_time(b, 2040, toy0(1, 2, 3, 4, 5, 6));
    CHECK_EQ(rd(b, LS7A_RTCREAD), 1000);
    done(b, r);
}

TEST(registers_are_words)
{
    struct bench *b = bench_new();
    struct ls7a_rtc *r = make(b);
    wr(b, LS7A_TOYTRIM, 0x11223344);
    wr(b, LS7A_RTCTRIM, 0x55667788);
    CHECK_EQ(mem_read(&b->mem, BASE + LS7A_TOYTRIM + 1, 1), 0x33);
    CHECK_EQ(mem_read(&b->mem, BASE + LS7A_RTCTRIM + 2, 2), 0x5566);
    CHECK_EQ(b->n_logged, 0);
    mem_write(&b->mem, BASE + LS7A_TOYTRIM, 0, 2);
    CHECK_EQ(rd(b, LS7A_TOYTRIM), 0x11223344);
    CHECK_EQ(b->n_logged, 1);
    CHECK_EQ(rd(b, 0xfc), 0);
    wr(b, 0xfc, 1);
    CHECK_EQ(b->n_logged, 3);
    done(b, r);
}
