// SPDX-License-Identifier: Apache-2.0
// The stable counter as a clock. Hosts are shared: use it for "gives up after", not to measure.
#pragma once

#include "guest/lib/loongarch64/csr.h"

static inline u64 time_ticks_per_ms(void)
{
    u64 scale = cpucfg(5), divisor = scale >> 16 & 0xffff;
    return cpucfg(4) * (scale & 0xffff) / (divisor ? divisor : 1) / 1000;
}

static inline u64 time_after_ms(u64 ms)
{
    return rdtime() + ms * time_ticks_per_ms();
}

static inline bool time_is_past(u64 deadline)
{
    return (s64)(rdtime() - deadline) >= 0;
}
