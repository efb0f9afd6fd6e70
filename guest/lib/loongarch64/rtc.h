// SPDX-License-Identifier: Apache-2.0
// The real-time clock of the LS7A bridge: a calendar (TOY) and a counter of 32768 Hz (RTC).
#pragma once

#include "guest/lib/loongarch64/board.h"

enum {
    TOYWRITE0 = 0x24,
    TOYWRITE1 = 0x28,
    TOYREAD0 = 0x2c,  // 31:26 month, 25:21 day, 20:16 hour, 15:10 minute, 9:4 second, 3:0 tenths
    TOYREAD1 = 0x30,  // years since 1900
    TOYMATCH0 = 0x34, // 31:26 year, 25:22 month, 21:17 day, 16:12 hour, 11:6 minute, 5:0 second
    RTCCTRL = 0x40,
    RTCWRITE0 = 0x64,
    RTCREAD0 = 0x68,
    RTCMATCH0 = 0x6c,
};
enum { RTCCTRL_EO = 1 << 8, RTCCTRL_TOYEN = 1 << 11, RTCCTRL_RTCEN = 1 << 13 };

static inline u32 rtc_read(unsigned reg)
{
    return device_read32(BOARD_RTC + reg);
}

static inline void rtc_write(unsigned reg, u32 value)
{
    device_write32(BOARD_RTC + reg, value);
}
