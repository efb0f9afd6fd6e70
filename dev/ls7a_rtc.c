// SPDX-License-Identifier: Apache-2.0
// Nothing ticks here: both counters are computed from the machine's clock when they are read, and a
// timer stands at the next match. Choices where the manual is silent:
//
// - The counters go on while they are disabled (they only read as 0), so that the wall clock is
//   right whenever software turns it on.
// - Impossible dates are carried over, 31 April is 1 May.
// - Years are kept modulo 16384.
// - A match register holds its interrupt until it is written, whatever the value.
#include "dev/ls7a_rtc.h"
#include "base/bits.h"

#include <time.h>

#define MAX_YEARS    16384
#define NS_PER_TENTH (NS_PER_SEC / 10)

// A point in calendar time.
struct instant {
    s64 s; // since 1970
    u32 ns;
};

static bool toy_is_on(const struct ls7a_rtc *r)
{
    return r->ctrl & RTCCTRL_EO && r->ctrl & RTCCTRL_TOYEN;
}

static bool rtc_is_on(const struct ls7a_rtc *r)
{
    return r->ctrl & RTCCTRL_EO && r->ctrl & RTCCTRL_RTCEN;
}

static u64 now_ns(const struct ls7a_rtc *r)
{
    return clock_now(r->d.env->clock);
}

static struct instant toy_now(const struct ls7a_rtc *r)
{
    u64 ns = now_ns(r) + r->toy_ns;
    return (struct instant){r->toy_s + (s64)(ns / NS_PER_SEC), (u32)(ns % NS_PER_SEC)};
}

// Makes the calendar show `t` at clock time `now`.
static void toy_set(struct ls7a_rtc *r, struct instant t, u64 now)
{
    s64 ns = (s64)t.ns - (s64)(now % NS_PER_SEC);
    r->toy_s = t.s - (s64)(now / NS_PER_SEC) - (ns < 0);
    r->toy_ns = (u32)(ns < 0 ? ns + (s64)NS_PER_SEC : ns);
}

static struct tm calendar(struct instant t)
{
    time_t s = (time_t)t.s;
    struct tm tm;
    gmtime_r(&s, &tm);
    return tm;
}

static u32 toyread0(struct instant t)
{
    struct tm tm = calendar(t);
    return (u32)(tm.tm_mon + 1) << 26 | (u32)tm.tm_mday << 21 | (u32)tm.tm_hour << 16 |
           (u32)tm.tm_min << 10 | (u32)tm.tm_sec << 4 | t.ns / NS_PER_TENTH;
}

// The time that TOYWRITE0 and TOYWRITE1 say together.
static struct instant toy_from_fields(u32 word0, int years)
{
    struct tm tm = {.tm_mon = (int)bits_get(word0, 31, 26) - 1,
                    .tm_mday = (int)bits_get(word0, 25, 21),
                    .tm_hour = (int)bits_get(word0, 20, 16),
                    .tm_min = (int)bits_get(word0, 15, 10),
                    .tm_sec = (int)bits_get(word0, 9, 4),
                    .tm_year = years};
    u32 tenths = (u32)bits_get(word0, 3, 0);
    return (struct instant){timegm(&tm) + tenths / 10, tenths % 10 * (u32)NS_PER_TENTH};
}

static u64 rtc_total_ticks(const struct ls7a_rtc *r)
{
    return (u64)((u128)now_ns(r) * LS7A_RTC_HZ / NS_PER_SEC);
}

static u32 rtc_now(const struct ls7a_rtc *r)
{
    return r->rtc_ticks + (u32)rtc_total_ticks(r);
}

static void update_irq(struct ls7a_rtc *r)
{
    bool any = false;
    for (unsigned i = 0; i < LS7A_RTC_N_MATCHES; i++) {
        any |= r->toy[i].is_latched | r->rtc[i].is_latched;
        irq_set(&r->toy_irq[i], r->toy[i].is_latched);
        irq_set(&r->rtc_irq[i], r->rtc[i].is_latched);
    }
    irq_set(&r->irq, any);
}

// The second in which a TOYMATCH value next matches, now included; -1 if it never does.
static s64 next_match(u32 value, struct instant now)
{
    struct tm today = calendar(now);
    int years = today.tm_year - (int)((unsigned)today.tm_year % 64) + (int)bits_get(value, 31, 26);
    for (int cycle = 0; cycle < 2; cycle++, years += 64) {
        struct tm tm = {.tm_year = years,
                        .tm_mon = (int)bits_get(value, 25, 22) - 1,
                        .tm_mday = (int)bits_get(value, 21, 17),
                        .tm_hour = (int)bits_get(value, 16, 12),
                        .tm_min = (int)bits_get(value, 11, 6),
                        .tm_sec = (int)bits_get(value, 5, 0)};
        struct tm wanted = tm;
        s64 s = timegm(&tm);
        bool is_date = tm.tm_mon == wanted.tm_mon && tm.tm_mday == wanted.tm_mday &&
                       tm.tm_hour == wanted.tm_hour && tm.tm_min == wanted.tm_min &&
                       tm.tm_sec == wanted.tm_sec;
        if (is_date && s >= now.s)
            return s;
    }
    return -1;
}

static void latch(struct ls7a_rtc_match *m)
{
    m->is_latched = true;
    update_irq(m->rtc);
}

static void watch(struct ls7a_rtc_match *m, u64 due_ns)
{
    m->due_ns = due_ns;
    timer_arm(m->rtc->d.env->clock, &m->timer, due_ns);
}

static void toy_watch(struct ls7a_rtc_match *m)
{
    struct ls7a_rtc *r = m->rtc;
    struct clock *clock = r->d.env->clock;
    struct instant now = toy_now(r);
    s64 s = toy_is_on(r) && m->value && !m->is_latched ? next_match(m->value, now) : -1;
    if (s == now.s)
        latch(m);
    else if (s > now.s)
        watch(m, clock_now(clock) + (u64)(s - now.s) * NS_PER_SEC - now.ns);
    else
        timer_cancel(clock, &m->timer);
}

// Ticks are rounded up to the nanosecond in which the counter has arrived.
static void rtc_watch(struct ls7a_rtc_match *m)
{
    struct ls7a_rtc *r = m->rtc;
    struct clock *clock = r->d.env->clock;
    u32 left = m->value - rtc_now(r);
    u64 target = rtc_total_ticks(r) + left;
    timer_cancel(clock, &m->timer);
    if (!rtc_is_on(r) || !m->value || m->is_latched)
        return;
    if (!left)
        latch(m);
    else
        watch(m, (u64)(((u128)target * NS_PER_SEC + LS7A_RTC_HZ - 1) / LS7A_RTC_HZ));
}

// Often later than the match by some ticks of the counter, or seconds on a host that was suspended:
// the time itself no longer matches, but it has.
static void on_match(void *opaque)
{
    struct ls7a_rtc_match *m = opaque;
    if (clock_now(m->rtc->d.env->clock) >= m->due_ns)
        latch(m);
    else
        timer_arm(m->rtc->d.env->clock, &m->timer, m->due_ns);
}

static void watch_all(struct ls7a_rtc *r)
{
    for (unsigned i = 0; i < LS7A_RTC_N_MATCHES; i++) {
        toy_watch(&r->toy[i]);
        rtc_watch(&r->rtc[i]);
    }
}

static void write_match(struct ls7a_rtc_match *m, u32 value)
{
    m->value = value;
    m->is_latched = false;
    update_irq(m->rtc);
    watch_all(m->rtc);
}

static void write_toywrite0(struct ls7a_rtc *r, u32 value)
{
    struct tm tm = calendar(toy_now(r));
    r->toywrite0 = value;
    r->toywrite0_at = now_ns(r);
    toy_set(r, toy_from_fields(value, tm.tm_year), r->toywrite0_at);
    watch_all(r);
}

// Software sets a date by TOYWRITE0 first. 29 February must survive until the leap year is written,
// so a year that follows at once goes with the fields as they were written.
static void write_toywrite1(struct ls7a_rtc *r, u32 value)
{
    int years = (int)(value % MAX_YEARS);
    u64 now = now_ns(r);
    bool is_pair = r->toywrite0 && now - r->toywrite0_at < NS_PER_SEC;
    u64 at = is_pair ? r->toywrite0_at : now;
    u32 word0 = is_pair ? r->toywrite0 : toyread0(toy_now(r));
    toy_set(r, toy_from_fields(word0, years), at);
    r->toywrite0 = 0;
    watch_all(r);
}

static u32 read_reg(struct ls7a_rtc *r, u64 offset)
{
    switch (offset) {
    case LS7A_TOYTRIM: return r->toy_trim;
    case LS7A_TOYREAD0: return toy_is_on(r) ? toyread0(toy_now(r)) : 0;
    case LS7A_TOYREAD1: return toy_is_on(r) ? (u32)calendar(toy_now(r)).tm_year : 0;
    case LS7A_TOYMATCH0:
    case LS7A_TOYMATCH0 + 4:
    case LS7A_TOYMATCH0 + 8: return r->toy[(offset - LS7A_TOYMATCH0) / 4].value;
    case LS7A_RTCCTRL: return r->ctrl;
    case LS7A_RTCTRIM: return r->rtc_trim;
    case LS7A_RTCREAD: return rtc_is_on(r) ? rtc_now(r) : 0;
    case LS7A_RTCMATCH0:
    case LS7A_RTCMATCH0 + 4:
    case LS7A_RTCMATCH0 + 8: return r->rtc[(offset - LS7A_RTCMATCH0) / 4].value;
    case LS7A_TOYWRITE0:
    case LS7A_TOYWRITE1:
    case LS7A_RTCWRITE: return 0;
    default:
        log_unimp(r->d.env->log, "ls7a-rtc: register 0x%02llx read", (unsigned long long)offset);
        return 0;
    }
}

static void write_reg(struct ls7a_rtc *r, u64 offset, u32 value)
{
    switch (offset) {
    case LS7A_TOYTRIM: r->toy_trim = value; break;
    case LS7A_TOYWRITE0: write_toywrite0(r, value); break;
    case LS7A_TOYWRITE1: write_toywrite1(r, value); break;
    case LS7A_TOYMATCH0:
    case LS7A_TOYMATCH0 + 4:
    case LS7A_TOYMATCH0 + 8: write_match(&r->toy[(offset - LS7A_TOYMATCH0) / 4], value); break;
    case LS7A_RTCCTRL:
        r->ctrl = value & (RTCCTRL_EO | RTCCTRL_TOYEN | RTCCTRL_RTCEN);
        watch_all(r);
        break;
    case LS7A_RTCTRIM: r->rtc_trim = value; break;
    case LS7A_RTCWRITE:
        r->rtc_ticks = value - (u32)rtc_total_ticks(r);
        watch_all(r);
        break;
    case LS7A_RTCMATCH0:
    case LS7A_RTCMATCH0 + 4:
    case LS7A_RTCMATCH0 + 8: write_match(&r->rtc[(offset - LS7A_RTCMATCH0) / 4], value); break;
    case LS7A_TOYREAD0:
    case LS7A_TOYREAD1:
    case LS7A_RTCREAD: break;
    default:
        log_unimp(r->d.env->log, "ls7a-rtc: register 0x%02llx written with 0x%x",
                  (unsigned long long)offset, value);
    }
}

static u64 region_read(void *opaque, u64 offset, unsigned size)
{
    return read_reg(opaque, offset & ~3ULL) >> (8 * (offset & 3));
}

// Parts of a register cannot be written.
static void region_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct ls7a_rtc *r = opaque;
    if (size == 4)
        write_reg(r, offset, (u32)value);
    else
        log_guest(r->d.env->log, "ls7a-rtc: %u bytes written at 0x%02llx", size,
                  (unsigned long long)offset);
}

static const struct mem_io_ops ls7a_rtc_ops = {
    .read = region_read, .write = region_write, .max_size = 4};

static bool ls7a_rtc_realize(struct device *d, struct err *e)
{
    struct ls7a_rtc *r = ls7a_rtc_of(d);
    r->region.size = LS7A_RTC_SIZE;
    r->region.ops = &ls7a_rtc_ops;
    r->region.opaque = r;
    r->region.name = "ls7a-rtc";
    for (unsigned i = 0; i < LS7A_RTC_N_MATCHES; i++) {
        r->toy[i].rtc = r->rtc[i].rtc = r;
        timer_init(&r->toy[i].timer, on_match, &r->toy[i]);
        timer_init(&r->rtc[i].timer, on_match, &r->rtc[i]);
    }
    r->toy_s = (s64)(d->env->clock->epoch_ns / NS_PER_SEC);
    r->toy_ns = (u32)(d->env->clock->epoch_ns % NS_PER_SEC);
    return true;
}

static void reset_match(struct ls7a_rtc_match *m)
{
    m->value = 0;
    m->is_latched = false;
    timer_cancel(m->rtc->d.env->clock, &m->timer);
}

static void ls7a_rtc_reset(struct device *d)
{
    struct ls7a_rtc *r = ls7a_rtc_of(d);
    r->ctrl = r->toywrite0 = 0;
    for (unsigned i = 0; i < LS7A_RTC_N_MATCHES; i++) {
        reset_match(&r->toy[i]);
        reset_match(&r->rtc[i]);
    }
    update_irq(r);
}

static void ls7a_rtc_free(struct device *d)
{
    struct ls7a_rtc *r = ls7a_rtc_of(d);
    for (unsigned i = 0; i < LS7A_RTC_N_MATCHES; i++) {
        timer_cancel(d->env->clock, &r->toy[i].timer);
        timer_cancel(d->env->clock, &r->rtc[i].timer);
    }
}

const struct device_type ls7a_rtc_type = {
    .name = "ls7a-rtc",
    .doc = "The real-time clock of the LS7A bridge.",
    .size = sizeof(struct ls7a_rtc),
    .realize = ls7a_rtc_realize,
    .reset = ls7a_rtc_reset,
    .free = ls7a_rtc_free,
};
