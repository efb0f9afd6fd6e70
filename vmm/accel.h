// SPDX-License-Identifier: Apache-2.0
// The threads that run a machine's processors: one each.
//
// Made paused. One thread, the owner of the machine, calls these functions, without the device
// lock.
#pragma once

#include "cpu/cpu.h"

struct accel;

// Threads for cpus[0 .. n-1], which are borrowed. Never NULL.
// `failed` is told, by the processor's thread, that cpus[i] cannot go on (CPU_EXIT_FAILED); the
// thread then waits to be paused. NULL: nobody is told.
struct accel *accel_new(struct cpu *const *cpus, unsigned n,
                        void (*failed)(void *opaque, struct cpu *c), void *opaque);
// Lets all processors run. They must not run yet.
void accel_resume(struct accel *a);
// Returns when no processor runs any more.
void accel_pause(struct accel *a);
// Pauses and ends the threads. Accepts NULL.
void accel_free(struct accel *a);
