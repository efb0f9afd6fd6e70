// SPDX-License-Identifier: Apache-2.0
// The real-time clock of the LS7A bridge (7A1000 manual, chapter on the RTC): a calendar with
// tenths of a second (TOY, "time of year") and a 32-bit counter of 32768 Hz (RTC), each with three
// match registers.
#pragma once

#include "dev/device.h"
#include "dev/irq.h"

enum {
    LS7A_TOYTRIM = 0x20,
    LS7A_TOYWRITE0 = 0x24, // write only
    LS7A_TOYWRITE1 = 0x28,
    LS7A_TOYREAD0 =
        0x2c, // 31:26 month, 25:21 day, 20:16 hour, 15:10 minute, 9:4 second, 3:0 tenths
    LS7A_TOYREAD1 = 0x30, // years since 1900
    // 31:26 year mod 64, 25:22 month, 21:17 day, 16:12 hour, 11:6 minute, 5:0 second
    LS7A_TOYMATCH0 = 0x34,
    LS7A_RTCCTRL = 0x40,
    LS7A_RTCTRIM = 0x60,
    LS7A_RTCWRITE = 0x64,
    LS7A_RTCREAD = 0x68,
    LS7A_RTCMATCH0 = 0x6c,
    LS7A_RTC_SIZE = 0x100,

    LS7A_RTC_N_MATCHES = 3,
    LS7A_RTC_HZ = 32768,

    RTCCTRL_EO = 1 << 8, // the oscillator is on
    RTCCTRL_TOYEN = 1 << 11,
    RTCCTRL_RTCEN = 1 << 13,
};

struct ls7a_rtc_match {
    struct ls7a_rtc *rtc;
    u32 value;       // 0: never matches
    bool is_latched; // matched; until the register is written
    u64 due_ns; // what the timer is armed for
    struct timer timer;
};

struct ls7a_rtc {
    struct device d;
    struct mem_region region; // the board sets its base and adds it
    // All matches on one wire (the `virt` board), or each on its own (the bridge's pins 44-46 and
    // 52-54). The board connects what it has.
    struct irq irq, toy_irq[LS7A_RTC_N_MATCHES], rtc_irq[LS7A_RTC_N_MATCHES];

    u32 ctrl, toy_trim, rtc_trim;
    struct ls7a_rtc_match toy[LS7A_RTC_N_MATCHES], rtc[LS7A_RTC_N_MATCHES];
    // Calendar time (UTC, since 1970) and counter at clock time 0. They survive reset, as with a
    // battery.
    s64 toy_s;
    u32 toy_ns;
    u32 rtc_ticks;
    u32 toywrite0; // as written, and when
    u64 toywrite0_at;
};

extern const struct device_type ls7a_rtc_type;

static inline struct ls7a_rtc *ls7a_rtc_of(struct device *d)
{
    return container_of(d, struct ls7a_rtc, d);
}
