// SPDX-License-Identifier: Apache-2.0
// Where a thread sleeps that has nothing to do until another one, or a signal, gives it a reason.
//
// Who gives a reason stores it (seq_cst) and then wakes. The sleeper says that it sleeps before it
// looks for reasons, so that one of the two sees the other.
//
// Going to sleep and being woken costs both sides some 10 us each on a host that is a virtual
// machine itself. A thread that was woken soon the last time looks for reasons for a while before
// it sleeps, and stops at once where somebody else wants the host's processor.
#pragma once

#include "base/types.h"

#include <stdatomic.h>

#define SLEEPER_LOOKS_MAX_NS 100000

struct sleeper {
    _Atomic u32 sleeps; // the futex
    // Of the owning thread: how long it looks before it sleeps, and how many short sleeps it does
    // without, because somebody else wanted the processor.
    u32 looks_ns, n_rests;
};

// Any thread, and signal handlers; does nothing to who does not sleep.
void sleeper_wake(struct sleeper *s);

// The owning thread. Returns once `has_reason`, which is asked again after `left_ns`, too: the
// nanoseconds until there may be a reason that nobody wakes for, or ~0.
void sleeper_sleep(struct sleeper *s, bool (*has_reason)(void *opaque),
                   u64 (*left_ns)(void *opaque), void *opaque);

// After a sleep of so many nanoseconds; for tests.
void sleeper_learn(struct sleeper *s, u64 slept_ns);
