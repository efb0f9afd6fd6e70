// SPDX-License-Identifier: Apache-2.0
#include "vmm/host_clock.h"

#include <time.h>

static u64 read_host(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

static u64 now(void *opaque)
{
    const struct host_clock *h = opaque;
    u64 stopped_at = h->stopped_at;
    return stopped_at != CLOCK_NEVER ? stopped_at : read_host(CLOCK_MONOTONIC) - h->start_ns;
}

void host_clock_init(struct host_clock *h)
{
    *h = (struct host_clock){
        .clock = {.now = now, .opaque = h, .epoch_ns = read_host(CLOCK_REALTIME)},
        .start_ns = read_host(CLOCK_MONOTONIC),
        .stopped_at = CLOCK_NEVER,
    };
}

void host_clock_stop(struct host_clock *h)
{
    if (h->stopped_at == CLOCK_NEVER)
        h->stopped_at = now(h);
    h->clock.is_stopped = true;
}

void host_clock_continue(struct host_clock *h)
{
    if (h->stopped_at == CLOCK_NEVER)
        return;
    h->start_ns = read_host(CLOCK_MONOTONIC) - h->stopped_at;
    h->stopped_at = CLOCK_NEVER;
    h->clock.is_stopped = false;
}
