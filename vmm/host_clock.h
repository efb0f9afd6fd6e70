// SPDX-License-Identifier: Apache-2.0
// Virtual time from the host's monotonic clock. It stands still while the user has the machine
// stopped.
#pragma once

#include "base/clock.h"

struct host_clock {
    struct clock clock;
    u64 start_ns;           // host time that is virtual time 0
    _Atomic u64 stopped_at; // virtual time while stopped, CLOCK_NEVER while running
};

// Running, at virtual time 0, which is now in wall-clock time. `rearm` as in struct clock.
void host_clock_init(struct host_clock *h);
// Each does nothing the second time. Device lock held, or before there is a machine; no processor
// runs.
void host_clock_stop(struct host_clock *h);
void host_clock_continue(struct host_clock *h);
