// SPDX-License-Identifier: Apache-2.0
#include "vmm/pace.h"
#include "base/bug.h"

bool pace_runs(const struct pace *p)
{
    return !p->n_holds && !p->is_stopped;
}

// Processors that take turns on this thread do not run while it is here.
static void pause(struct pace *p)
{
    if (pace_runs(p) && p->accel)
        accel_pause(p->accel);
}

static void resume(struct pace *p)
{
    if (pace_runs(p) && p->accel)
        accel_resume(p->accel);
}

static void set_clock(struct pace *p, void (*set)(struct host_clock *))
{
    if (!p->clock)
        return;
    mem_lock(p->mem);
    set(p->clock);
    mem_unlock(p->mem);
}

void pace_init(struct pace *p, struct accel *a, struct host_clock *clock, struct mem_space *mem)
{
    *p = (struct pace){.accel = a, .clock = clock, .mem = mem, .n_holds = 1};
}

void pace_hold(struct pace *p)
{
    pause(p);
    p->n_holds++;
}

void pace_release(struct pace *p)
{
    BUG_ON(!p->n_holds);
    p->n_holds--;
    resume(p);
}

void pace_stop(struct pace *p)
{
    pause(p);
    p->is_stopped = true;
    set_clock(p, host_clock_stop);
}

void pace_continue(struct pace *p)
{
    if (!p->is_stopped)
        return;
    set_clock(p, host_clock_continue);
    p->is_stopped = false;
    resume(p);
}
