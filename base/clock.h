// SPDX-License-Identifier: Apache-2.0
// Virtual time of one machine, and timers on it.
//
// Time is in nanoseconds since the machine was made and never runs backwards. Where it comes from
// is injected: the host's monotonic clock, a test's variable, or retired instructions.
// `clock_now` may be called by any thread. Timers belong to devices: arm, cancel and fire all
// happen under the machine's device lock (mem/space.h).
#pragma once

#include "base/types.h"

#define NS_PER_SEC  1000000000ULL
#define CLOCK_NEVER (~0ULL)

struct timer {
    void (*fire)(void *opaque); // called once per arming, with the device lock held
    void *opaque;
    u64 deadline; // CLOCK_NEVER while not armed
    struct timer *next;
};

struct clock {
    u64 (*now)(void *opaque);
    void (*rearm)(void *opaque); // told that the earliest deadline moved; may be NULL
    // Wall-clock time in ns since 1970 (UTC) that belongs to now == 0, for real-time clocks.
    u64 epoch_ns;
    // Time is counted in instructions, and the machine does the same in every run: whoever takes
    // time or numbers from the host takes them from here, or always the same ones.
    bool is_counted;
    void *opaque;
    bool is_stopped;     // `now` stands still: waiting brings no deadline nearer. Device lock.
    struct timer *first; // armed timers, earliest first
};

static inline u64 clock_now(const struct clock *c)
{
    return c->now(c->opaque);
}

void timer_init(struct timer *t, void (*fire)(void *), void *opaque);

// Arms or re-arms. A deadline in the past fires at the next `clock_fire_due`.
void timer_arm(struct clock *c, struct timer *t, u64 deadline_ns);
void timer_cancel(struct clock *c, struct timer *t);

// The earliest deadline, or CLOCK_NEVER.
u64 clock_next_deadline(const struct clock *c);

// Fires every timer that is due, each at most once per arming; a timer may arm itself again.
void clock_fire_due(struct clock *c);
