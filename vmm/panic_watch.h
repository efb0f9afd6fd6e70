// SPDX-License-Identifier: Apache-2.0
// Notices that a Linux guest panicked, by what it prints on a serial port. Every Linux prints
// "Kernel panic - not syncing" then, whatever its architecture and drivers, and afterwards resets
// the machine or stays where it is, for ever.
//
// Several ports may share one watch; each has its own place in the message. `note` is called with
// the device lock held, the rest by any thread. Times are nanoseconds of any one clock.
#pragma once

#include "base/types.h"

struct panic_watch {
    _Atomic bool has_panicked;
    _Atomic u64 panicked_at, last_output_at; // since has_panicked
};

// Where a port is in the message; starts zeroed.
struct panic_place {
    u8 n_matched;
};

void panic_watch_note(struct panic_watch *w, struct panic_place *p, const void *bytes, size_t n,
                      u64 now);

// The guest told it in another way, by a device.
void panic_watch_tell(struct panic_watch *w, u64 now);

// A guest that does not reset after a panic does nothing any more: true when the rest of its output
// is out, because a second passed without any or because there is no end to it.
bool panic_watch_is_over(const struct panic_watch *w, u64 now);
