// SPDX-License-Identifier: Apache-2.0
// The event loop of the thread that serves back ends: file descriptors, events from other threads,
// and the machine's timers.
//
// One thread runs the loop (`loop_run`, again and again). Every callback runs on that thread with
// the machine's device lock held, so a back end may call into its device, and it must not block.
// Except for `loop_wake` and `loop_event_signal`, which any thread and any signal handler may call,
// the functions are called with the device lock held or before there is a machine.
#pragma once

#include "base/types.h"
#include "base/clock.h"
#include "base/err.h"

#include <pthread.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

// A watched descriptor; the storage and the descriptor belong to the caller.
struct loop_fd {
    int fd;
    // `events` holds those of the wanted events that are ready. After a hang-up or an error on the
    // descriptor all wanted events are: the next read or write tells.
    void (*ready)(void *opaque, unsigned events);
    void *opaque;

    // The loop's own.
    unsigned wanted;
    unsigned slot;
    bool is_added, is_polled;
};

// Something that other threads report. Signals that come before `fire` ran are one.
struct loop_event {
    void (*fire)(void *opaque);
    void *opaque;

    // The loop's own.
    struct loop *loop;
    struct loop_event *next;
    _Atomic bool is_pending;
};

struct loop_slot;

struct loop {
    int epoll_fd, wake_fd;
    pthread_mutex_t *lock; // borrowed; NULL until loop_bind
    struct clock *clock;   // borrowed; NULL: no timers
    struct loop_slot *slots;
    unsigned n_slots;
    unsigned n_unpolled; // wanted descriptors that are always ready (files, /dev/null)
    struct loop_event *events, *next_event;
    u64 sleeps_until; // clock time at which epoll ends by itself; 0 while the loop is awake
};

bool loop_init(struct loop *l, struct err *e);
// Descriptors and events may still be added; they are forgotten, not closed.
void loop_free(struct loop *l);

// From now on callbacks run with `lock` held, and `clock`'s timers fire here (NULL: somebody else
// fires them). Not while loop_run runs.
void loop_bind(struct loop *l, pthread_mutex_t *lock, struct clock *clock);

// Waits until something happens, a timer of the clock is due, or max_ns have passed, and handles
// all that is ready. Returns early on a signal and on loop_wake. The lock is not held.
void loop_run(struct loop *l, u64 max_ns);
void loop_wake(struct loop *l);

// To be called by `clock.rearm`: wakes the loop if it would sleep past the earliest deadline.
void loop_rearm(struct loop *l);

// 0 or a negative errno. `f->fd`, `ready` and `opaque` are set. Descriptors that cannot be polled
// are always ready. `wanted` may be 0.
int loop_add(struct loop *l, struct loop_fd *f, unsigned wanted);
void loop_want(struct loop *l, struct loop_fd *f, unsigned wanted);
// `ready` is not called any more, not even for what is ready already. Accepts what is not added.
void loop_remove(struct loop *l, struct loop_fd *f);

void loop_event_add(struct loop *l, struct loop_event *ev, void (*fire)(void *), void *opaque);
void loop_event_remove(
    struct loop_event *ev); // accepts zeroed events; no signals may come any more
void loop_event_signal(struct loop_event *ev);
