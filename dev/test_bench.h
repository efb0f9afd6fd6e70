// SPDX-License-Identifier: Apache-2.0
// What a device's test puts around it: an address space with some RAM, a clock that stands still
// until told otherwise, and one wire whose level is kept. Only for tests.
#pragma once

#include "dev/device.h"
#include "dev/irq.h"
#include "base/bug.h"
#include "base/test.h"

#include <stdlib.h>

#define BENCH_RAM_SIZE 0x100000

struct bench {
    struct mem_space mem;
    struct clock clock;
    struct log log;
    struct device_env env;
    u64 now;
    bool level[4]; // of the wires bench_irq gave out
    unsigned n_rises[4];
    unsigned n_logged;
    int shutdown; // reason, or -1
};

static inline u64 bench_now(void *opaque)
{
    return ((struct bench *)opaque)->now;
}

static inline void bench_log(void *opaque, const char *line)
{
    ((struct bench *)opaque)->n_logged++;
}

static inline void bench_shutdown(void *opaque, enum shutdown_reason reason)
{
    ((struct bench *)opaque)->shutdown = reason;
}

static inline void bench_set(void *opaque, unsigned pin, bool level)
{
    struct bench *b = opaque;
    b->n_rises[pin] += level && !b->level[pin];
    b->level[pin] = level;
}

// RAM is at 0.
static inline struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct err e = {0};
    b->log =
        (struct log){.enabled = 1u << LOG_GUEST | 1u << LOG_UNIMP, .sink = bench_log, .opaque = b};
    b->clock = (struct clock){.now = bench_now, .opaque = b};
    b->shutdown = -1;
    mem_space_init(&b->mem, &b->log);
    BUG_ON(!mem_add_ram(&b->mem, 0, BENCH_RAM_SIZE, "ram", &e));
    b->env = (struct device_env){.mem = &b->mem,
                                 .clock = &b->clock,
                                 .log = &b->log,
                                 .shutdown = bench_shutdown,
                                 .opaque = b};
    return b;
}

static inline void bench_free(struct bench *b)
{
    mem_space_free(&b->mem);
    free(b);
}

static inline struct irq bench_irq(struct bench *b, unsigned pin)
{
    return (struct irq){.set = bench_set, .opaque = b, .pin = pin};
}

static inline void bench_advance(struct bench *b, u64 ns)
{
    mem_lock(&b->mem);
    u64 end = b->now + ns, next;
    while ((next = clock_next_deadline(&b->clock)) <= end) {
        b->now = next > b->now ? next : b->now;
        clock_fire_due(&b->clock);
    }
    b->now = end;
    mem_unlock(&b->mem);
}
