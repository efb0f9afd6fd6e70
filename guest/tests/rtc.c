// SPDX-License-Identifier: Apache-2.0
// The real-time clock: what reads 0 when, setting and reading, ends of minutes, months and years,
// the counter and the matches. 7A1000 manual, chapter on the RTC.
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/rtc.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

#define ALL_ON (RTCCTRL_EO | RTCCTRL_TOYEN | RTCCTRL_RTCEN)

struct date {
    unsigned year, month, day, hour, minute, second, tenth;
};

static void set(const struct date *d)
{
    rtc_write(TOYWRITE0, d->month << 26 | d->day << 21 | d->hour << 16 | d->minute << 10 |
                             d->second << 4 | d->tenth);
    rtc_write(TOYWRITE1, d->year - 1900);
}

static struct date get(void)
{
    u32 years, low;
    do {
        years = rtc_read(TOYREAD1);
        low = rtc_read(TOYREAD0);
    } while (years != rtc_read(TOYREAD1));
    return (struct date){years + 1900,     low >> 26,       low >> 21 & 0x1f, low >> 16 & 0x1f,
                         low >> 10 & 0x3f, low >> 4 & 0x3f, low & 0xf};
}

static bool is_same_second(const struct date *a, const struct date *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second;
}

static void test_switches(void)
{
    struct date d = {2020, 5, 6, 7, 8, 9, 0};
    rtc_write(RTCCTRL, ALL_ON);
    set(&d);
    report(rtc_read(TOYREAD0) && rtc_read(TOYREAD1), "calendar on");
    rtc_write(RTCCTRL, RTCCTRL_EO | RTCCTRL_RTCEN);
    report(!rtc_read(TOYREAD0) && !rtc_read(TOYREAD1), "calendar off: reads 0");
    rtc_write(RTCCTRL, RTCCTRL_EO | RTCCTRL_TOYEN);
    report_eq(rtc_read(RTCREAD0), 0, "counter off: reads 0");
    rtc_write(RTCCTRL, RTCCTRL_TOYEN | RTCCTRL_RTCEN);
    report(!rtc_read(TOYREAD0) && !rtc_read(RTCREAD0), "oscillator off: all reads 0");
    rtc_write(RTCCTRL, ALL_ON);
    report_eq(rtc_read(TOYREAD1), 120, "on again: the date is still there");
    report_eq(rtc_read(TOYWRITE0), 0, "TOYWRITE cannot be read");
}

static void test_set_and_read(void)
{
    static const struct date dates[] = {
        {1970, 1, 1, 0, 0, 0, 0},   {1999, 12, 30, 23, 59, 30, 5}, {2024, 2, 29, 12, 0, 0, 0},
        {2038, 1, 19, 3, 14, 0, 9}, {2100, 2, 28, 1, 2, 3, 4},
    };
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(dates); i++) {
        set(&dates[i]);
        struct date d = get();
        // A busy host may let a few seconds pass in between, which these dates have room for.
        n_wrong += d.year != dates[i].year || d.month != dates[i].month || d.day != dates[i].day ||
                   d.hour != dates[i].hour || d.minute != dates[i].minute;
    }
    report_eq(n_wrong, 0, "dates are set and read");
}

// From a tenth before the end of `from` on.
static void test_end(const struct date *from, const struct date *to, const char *name)
{
    struct date d = *from;
    u64 deadline = time_after_ms(20000);
    set(from);
    while (!is_same_second(&d, to) && !time_is_past(deadline)) {
        d = get();
        if (d.second != from->second && !is_same_second(&d, to))
            break; // a second too late, or wrong
    }
    bool late =
        d.minute == to->minute && d.hour == to->hour && d.day == to->day && d.month == to->month;
    report(is_same_second(&d, to) || late, "end of a %s: %u-%02u-%02u %02u:%02u:%02u", name, d.year,
           d.month, d.day, d.hour, d.minute, d.second);
}

static void test_ends(void)
{
    static const struct {
        struct date from, to;
        const char *name;
    } ends[] = {
        {{2021, 3, 4, 5, 6, 59, 9}, {2021, 3, 4, 5, 7, 0, 0}, "minute"},
        {{2021, 4, 30, 23, 59, 59, 9}, {2021, 5, 1, 0, 0, 0, 0}, "month"},
        {{2021, 12, 31, 23, 59, 59, 9}, {2022, 1, 1, 0, 0, 0, 0}, "year"},
        {{2024, 2, 28, 23, 59, 59, 9}, {2024, 2, 29, 0, 0, 0, 0}, "28 February, leap year"},
        {{2023, 2, 28, 23, 59, 59, 9}, {2023, 3, 1, 0, 0, 0, 0}, "28 February, other year"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(ends); i++)
        test_end(&ends[i].from, &ends[i].to, ends[i].name);
}

static void test_counter(void)
{
    rtc_write(RTCWRITE0, 0xffffff00);
    u32 first = rtc_read(RTCREAD0);
    report(first >= 0xffffff00 || first < 0x100000, "the counter is set");
    u64 deadline = time_after_ms(20000);
    while (rtc_read(RTCREAD0) >= 0xffffff00 && !time_is_past(deadline))
        ;
    report(rtc_read(RTCREAD0) < 0x10000000, "counts, and wraps");
    u32 last = rtc_read(RTCREAD0);
    unsigned n_backwards = 0;
    for (unsigned i = 0; i < 1000; i++) {
        u32 now = rtc_read(RTCREAD0);
        n_backwards += (s32)(now - last) < 0;
        last = now;
    }
    report_eq(n_backwards, 0, "never backwards");
    u32 before = rtc_read(RTCREAD0);
    u64 start = rdtime();
    while (rtc_read(RTCREAD0) - before < 330 && !time_is_past(deadline))
        ;
    report(rdtime() - start >= 9 * time_ticks_per_ms(), "330 ticks take 10 ms at least");
}

static void test_match_registers(void)
{
    unsigned n_wrong = 0;
    rtc_write(RTCCTRL, 0); // so that nothing matches
    for (unsigned i = 0; i < 3; i++) {
        rtc_write(TOYMATCH0 + 4 * i, 0x12345678 + i);
        rtc_write(RTCMATCH0 + 4 * i, 0x87654321 + i);
    }
    for (unsigned i = 0; i < 3; i++) {
        n_wrong += rtc_read(TOYMATCH0 + 4 * i) != 0x12345678 + i;
        n_wrong += rtc_read(RTCMATCH0 + 4 * i) != 0x87654321 + i;
        rtc_write(TOYMATCH0 + 4 * i, 0);
        rtc_write(RTCMATCH0 + 4 * i, 0);
    }
    report_eq(n_wrong, 0, "six match registers");
}

int main(void)
{
    test_switches();
    test_set_and_read();
    test_ends();
    test_counter();
    test_match_registers();
    return 0;
}
