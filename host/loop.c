// SPDX-License-Identifier: Apache-2.0
// An epoll loop. A ready descriptor is named by its slot and the slot's generation, not by a
// pointer: between epoll_wait and the lock another thread may have removed it, and a callback may
// remove any other descriptor of the same batch.
#include "host/loop.h"
#include "base/bug.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop_slot {
    struct loop_fd *f; // NULL: free
    u32 generation;
};

#define MAX_BATCH 32
#define WAKE_TAG  (~0ULL)

static void lock(struct loop *l)
{
    if (l->lock)
        BUG_ON(pthread_mutex_lock(l->lock));
}

static void unlock(struct loop *l)
{
    if (l->lock)
        BUG_ON(pthread_mutex_unlock(l->lock));
}

bool loop_init(struct loop *l, struct err *e)
{
    *l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                       .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = WAKE_TAG};
    if (l->epoll_fd < 0 || l->wake_fd < 0 ||
        epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &ev) < 0)
        return err_set(e, "event loop: %s", strerror(errno));
    return true;
}

void loop_free(struct loop *l)
{
    for (unsigned i = 0; i < l->n_slots; i++)
        if (l->slots[i].f)
            l->slots[i].f->is_added = false;
    free(l->slots);
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    *l = (struct loop){.epoll_fd = -1, .wake_fd = -1};
}

void loop_bind(struct loop *l, pthread_mutex_t *device_lock, struct clock *clock)
{
    l->lock = device_lock;
    l->clock = clock;
}

void loop_wake(struct loop *l)
{
    u64 one = 1;
    int saved = errno;
    // A full counter (EAGAIN) wakes as well.
    (void)!write(l->wake_fd, &one, sizeof(one));
    errno = saved;
}

void loop_rearm(struct loop *l)
{
    if (l->clock && clock_next_deadline(l->clock) < l->sleeps_until)
        loop_wake(l);
}

static u64 tag_of(const struct loop *l, unsigned slot)
{
    return (u64)l->slots[slot].generation << 32 | slot;
}

static unsigned take_slot(struct loop *l, struct loop_fd *f)
{
    unsigned i = 0;
    while (i < l->n_slots && l->slots[i].f)
        i++;
    if (i == l->n_slots) {
        l->n_slots = l->n_slots ? 2 * l->n_slots : 8;
        l->slots = realloc(l->slots, l->n_slots * sizeof(*l->slots));
        BUG_ON(!l->slots);
        memset(&l->slots[i], 0, (l->n_slots - i) * sizeof(*l->slots));
    }
    l->slots[i].f = f;
    return i;
}

static void give_slot(struct loop *l, struct loop_fd *f)
{
    l->slots[f->slot].f = NULL;
    l->slots[f->slot].generation++;
    f->is_added = false;
}

static int control(struct loop *l, const struct loop_fd *f, int op, unsigned wanted)
{
    struct epoll_event ev = {.events = (wanted & LOOP_READ ? EPOLLIN : 0) |
                                       (wanted & LOOP_WRITE ? EPOLLOUT : 0),
                             .data.u64 = tag_of(l, f->slot)};
    return epoll_ctl(l->epoll_fd, op, f->fd, &ev) < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct loop_fd *f, unsigned wanted)
{
    BUG_ON(f->is_added);
    f->wanted = 0;
    f->is_added = true;
    f->is_polled = true;
    f->slot = take_slot(l, f);
    // Adding and deleting tells right here whether the descriptor can be polled at all. While
    // nothing is wanted it stays out of the set, because epoll reports hang-ups unasked.
    int error = control(l, f, EPOLL_CTL_ADD, 0);
    if (!error)
        error = control(l, f, EPOLL_CTL_DEL, 0);
    else if (error == -EPERM)
        f->is_polled = false;
    if (error && error != -EPERM) {
        give_slot(l, f);
        return error;
    }
    loop_want(l, f, wanted);
    return 0;
}

void loop_want(struct loop *l, struct loop_fd *f, unsigned wanted)
{
    BUG_ON(!f->is_added);
    if (wanted == f->wanted)
        return;
    unsigned before = f->wanted;
    f->wanted = wanted;
    if (f->is_polled) {
        int op = !wanted ? EPOLL_CTL_DEL : before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        BUG_ON(control(l, f, op, wanted));
    } else if (!wanted != !before) {
        l->n_unpolled += wanted ? 1 : -1u;
        // A loop that sleeps already does not know of it.
        if (wanted)
            loop_wake(l);
    }
}

void loop_remove(struct loop *l, struct loop_fd *f)
{
    if (!f->is_added)
        return;
    loop_want(l, f, 0);
    give_slot(l, f);
}

void loop_event_add(struct loop *l, struct loop_event *ev, void (*fire)(void *), void *opaque)
{
    ev->fire = fire;
    ev->opaque = opaque;
    ev->is_pending = false;
    ev->loop = l;
    ev->next = l->events;
    l->events = ev;
}

void loop_event_remove(struct loop_event *ev)
{
    if (!ev->loop)
        return;
    if (ev->loop->next_event == ev)
        ev->loop->next_event = ev->next;
    for (struct loop_event **p = &ev->loop->events; *p; p = &(*p)->next) {
        if (*p == ev) {
            *p = ev->next;
            break;
        }
    }
    ev->loop = NULL;
}

void loop_event_signal(struct loop_event *ev)
{
    if (!atomic_exchange_explicit(&ev->is_pending, true, memory_order_acq_rel))
        loop_wake(ev->loop);
}

// The cursor is in the loop, so that a callback may remove any event.
static void fire_events(struct loop *l)
{
    u64 count;
    (void)!read(l->wake_fd, &count, sizeof(count));
    for (struct loop_event *ev = l->events; ev; ev = l->next_event) {
        l->next_event = ev->next;
        if (atomic_exchange_explicit(&ev->is_pending, false, memory_order_acq_rel))
            ev->fire(ev->opaque);
    }
}

static unsigned wanted_events(u32 polled, unsigned wanted)
{
    unsigned events = (polled & EPOLLIN ? LOOP_READ : 0) | (polled & EPOLLOUT ? LOOP_WRITE : 0);
    if (polled & (EPOLLHUP | EPOLLERR))
        events = wanted;
    return events & wanted;
}

static void dispatch(struct loop *l, const struct epoll_event *ev)
{
    if (ev->data.u64 == WAKE_TAG) {
        fire_events(l);
        return;
    }
    u32 slot = (u32)ev->data.u64;
    if (ev->data.u64 != tag_of(l, slot) || !l->slots[slot].f)
        return;
    struct loop_fd *f = l->slots[slot].f;
    unsigned events = wanted_events(ev->events, f->wanted);
    if (events)
        f->ready(f->opaque, events);
}

static void dispatch_unpolled(struct loop *l)
{
    for (unsigned i = 0; l->n_unpolled && i < l->n_slots; i++) {
        struct loop_fd *f = l->slots[i].f;
        if (f && !f->is_polled && f->wanted)
            f->ready(f->opaque, f->wanted);
    }
}

// How long to sleep; tells loop_rearm until when. Lock held.
static u64 plan_sleep(struct loop *l, u64 max_ns)
{
    if (l->n_unpolled)
        return 0;
    bool has_time = l->clock && !l->clock->is_stopped;
    u64 deadline = has_time ? clock_next_deadline(l->clock) : CLOCK_NEVER;
    l->sleeps_until = deadline;
    if (deadline == CLOCK_NEVER)
        return max_ns;
    u64 now = clock_now(l->clock);
    u64 left = deadline > now ? deadline - now : 0;
    return left < max_ns ? left : max_ns;
}

// Rounds up to what epoll_wait can, where the kernel lacks the finer call.
static int wait_for(struct loop *l, struct epoll_event *batch, u64 ns)
{
    const u64 ns_max = 3600 * NS_PER_SEC;
    ns = ns < ns_max ? ns : ns_max;
    struct timespec ts = {.tv_sec = (time_t)(ns / NS_PER_SEC), .tv_nsec = (long)(ns % NS_PER_SEC)};
    int n = epoll_pwait2(l->epoll_fd, batch, MAX_BATCH, &ts, NULL);
    if (n < 0 && errno == ENOSYS)
        n = epoll_wait(l->epoll_fd, batch, MAX_BATCH, (int)((ns + 999999) / 1000000));
    BUG_ON(n < 0 && errno != EINTR);
    return n;
}

void loop_run(struct loop *l, u64 max_ns)
{
    lock(l);
    u64 ns = plan_sleep(l, max_ns);
    unlock(l);
    struct epoll_event batch[MAX_BATCH];
    int n = wait_for(l, batch, ns);
    lock(l);
    l->sleeps_until = 0;
    for (int i = 0; i < n; i++)
        dispatch(l, &batch[i]);
    dispatch_unpolled(l);
    if (l->clock)
        clock_fire_due(l->clock);
    unlock(l);
}
