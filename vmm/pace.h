// SPDX-License-Identifier: Apache-2.0
// Whether the machine runs: the user can stop it, and whoever looks into it can hold it for a
// moment. While it is stopped the guest's time stands still; while it is only held it does not.
//
// The thread of the event loop calls these, without the device lock.
#pragma once

#include "mem/space.h"
#include "vmm/accel.h"
#include "vmm/host_clock.h"

struct pace {
    // Borrowed.
    struct accel *accel; // NULL: nobody runs but the loop's thread, which asks pace_runs
    struct host_clock *clock;
    struct mem_space *mem;

    unsigned n_holds;
    bool is_stopped;
};

// Begins with the processors paused, held once.
void pace_init(struct pace *p, struct accel *a, struct host_clock *clock, struct mem_space *mem);
// No processor runs until as many releases. They nest.
void pace_hold(struct pace *p);
void pace_release(struct pace *p);
bool pace_runs(const struct pace *p);
void pace_stop(struct pace *p);
void pace_continue(struct pace *p);
