// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

void timer_init(struct timer *t, void (*fire)(void *), void *opaque)
{
    *t = (struct timer){.fire = fire, .opaque = opaque, .deadline = CLOCK_NEVER};
}

static void unlink_timer(struct clock *c, struct timer *t)
{
    for (struct timer **p = &c->first; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    t->next = NULL;
    t->deadline = CLOCK_NEVER;
}

static void tell_if_moved(struct clock *c, u64 before)
{
    if (c->rearm && clock_next_deadline(c) != before)
        c->rearm(c->opaque);
}

void timer_arm(struct clock *c, struct timer *t, u64 deadline_ns)
{
    u64 before = clock_next_deadline(c);
    unlink_timer(c, t);
    struct timer **p = &c->first;
    while (*p && (*p)->deadline <= deadline_ns)
        p = &(*p)->next;
    t->deadline = deadline_ns;
    t->next = *p;
    *p = t;
    tell_if_moved(c, before);
}

void timer_cancel(struct clock *c, struct timer *t)
{
    u64 before = clock_next_deadline(c);
    unlink_timer(c, t);
    tell_if_moved(c, before);
}

u64 clock_next_deadline(const struct clock *c)
{
    return c->first ? c->first->deadline : CLOCK_NEVER;
}

void clock_fire_due(struct clock *c)
{
    u64 now = clock_now(c);
    while (c->first && c->first->deadline <= now) {
        struct timer *t = c->first;
        unlink_timer(c, t);
        t->fire(t->opaque);
        // A timer that arms itself in the past must not hold this thread for ever.
        if (c->first == t && t->deadline <= now)
            break;
    }
}
