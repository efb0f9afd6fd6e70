// SPDX-License-Identifier: Apache-2.0
// Processors that take turns on one thread, so that a machine does the same in every run.
//
// A turn is a fixed number of instructions; it ends early when the processor idles. The timers of
// the machine's clock and those of the processors fire between two instructions that depend on
// nothing but what the guest did. When all processors idle, time goes on to the next timer at
// once: nothing waits for the host's clock.
//
// All functions are called by the thread that owns the machine, without the device lock, unless it
// says otherwise. Requests to the processors come from what they do themselves, and between turns
// from the event loop.
#pragma once

#include "vmm/insn_clock.h"

#include <pthread.h>

struct turns;

// For cpus[0 .. n-1], which are borrowed, as are the clock (it is bound to them) and the lock.
// Never NULL.
struct turns *turns_new(struct cpu *const *cpus, unsigned n, struct insn_clock *clock,
                        pthread_mutex_t *device_lock);
// The processors are forgotten, and the clock stands still. Accepts NULL.
void turns_free(struct turns *t);

enum turns_end {
    TURNS_GO_ON,  // it is time to look at the event loop
    TURNS_ASLEEP, // every processor idles, and no timer is set
    TURNS_FAILED, // a processor cannot go on: turns_failed
};

// Lets the processors run for a while: some hundred thousand instructions.
enum turns_end turns_run(struct turns *t);
// Ends `turns_run` after the instruction that is being executed; it goes on from there the next
// time. The device lock may be held.
void turns_stop(struct turns *t);
// After the machine was reset.
void turns_reset(struct turns *t);
struct cpu *turns_failed(const struct turns *t); // NULL: none
