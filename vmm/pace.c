// SPDX-License-Identifier: Apache-2.0
#include "vmm/pace.h"
#include "base/bug.h"

bool pace_runs(const struct pace *p)
{
    return !p->n_holds && !p->is_stopped;
}

void pace_init(struct pace *p, struct accel *a, struct host_clock *clock, struct mem_space *mem)
{
    *p = (struct pace){.accel = a, .clock = clock, .mem = mem, .n_holds = 1};
}

void pace_hold(struct pace *p)
{
    if (pace_runs(p) && p->accel)
        accel_pause(p->accel);
    p->n_holds++;
}

void pace_release(struct pace *p)
{
    BUG_ON(!p->n_holds);
    p->n_holds--;
    if (pace_runs(p) && p->accel)
        accel_resume(p->accel);
}

void pace_stop(struct pace *p)
{
    if (pace_runs(p) && p->accel)
        accel_pause(p->accel);
    p->is_stopped = true;
    mem_lock(p->mem);
    host_clock_stop(p->clock);
    mem_unlock(p->mem);
}

void pace_continue(struct pace *p)
{
    if (!p->is_stopped)
        return;
    mem_lock(p->mem);
    host_clock_continue(p->clock);
    mem_unlock(p->mem);
    p->is_stopped = false;
    if (pace_runs(p) && p->accel)
        accel_resume(p->accel);
}
