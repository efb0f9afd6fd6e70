// SPDX-License-Identifier: Apache-2.0
#include "test/fuzz/mmio.h"
#include "dev/irq.h"
#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

#define MMIO_TARGET(name) extern const struct mmio_target name;
#include "test/fuzz/mmio_targets.def"
#undef MMIO_TARGET

static const struct mmio_target *const targets[] = {
#define MMIO_TARGET(name) &name,
#include "test/fuzz/mmio_targets.def"
#undef MMIO_TARGET
    NULL,
};

// More timer events than this within one step are a storm that a guest could start.
#define MAX_TIMER_EVENTS 1000000

const struct mmio_target *mmio_target_at(size_t index)
{
    return index < ARRAY_LEN(targets) ? targets[index] : NULL;
}

const struct mmio_target *mmio_target_find(const char *name)
{
    for (size_t i = 0; targets[i]; i++)
        if (!strcmp(targets[i]->name, name))
            return targets[i];
    return NULL;
}

static u64 bench_now(void *opaque)
{
    return ((struct mmio_bench *)opaque)->now;
}

// Lines are made and thrown away, so that their making is tested too.
static void drop_line(void *opaque, const char *line)
{
    ((struct mmio_bench *)opaque)->digest += !line;
}

static void ignore_shutdown(void *opaque, enum shutdown_reason reason)
{
}

struct device *mmio_add_device(struct mmio_bench *b, const struct device_type *type)
{
    BUG_ON(b->n_devices == MMIO_MAX_DEVICES);
    return b->devices[b->n_devices++] = device_new(type, &b->env);
}

void mmio_realize(struct mmio_bench *b, struct device *d)
{
    struct err e = {0};
    BUG_ON(!device_realize(d, &e));
}

void mmio_add_window(struct mmio_bench *b, gpa_t base, u64 size)
{
    BUG_ON(b->n_windows == MMIO_MAX_WINDOWS);
    b->windows[b->n_windows++] = (struct mmio_window){base, size, false};
}

void mmio_add_other_door(struct mmio_bench *b, u32 base, u64 size)
{
    mmio_add_window(b, base, size);
    b->windows[b->n_windows - 1].is_other_door = true;
}

void mmio_add_region(struct mmio_bench *b, struct mem_region *r, gpa_t base)
{
    r->base = base;
    mem_add_region(&b->mem, r);
    mmio_add_window(b, base, r->size);
}

static void set_wire(void *opaque, unsigned pin, bool level)
{
    u64 *wires = opaque;
    wires[pin / 64] = bits_set(wires[pin / 64], pin % 64, pin % 64, level);
}

struct irq mmio_wire(struct mmio_bench *b, unsigned n)
{
    BUG_ON(n >= 256);
    return (struct irq){set_wire, b->wires, n};
}

static void bench_init(struct mmio_bench *b, const struct mmio_target *t)
{
    struct err e = {0};
    memset(b, 0, sizeof(*b));
    b->target = t;
    b->log = (struct log){.enabled = ~0u, .sink = drop_line, .opaque = b};
    b->clock = (struct clock){.now = bench_now, .opaque = b};
    b->env = (struct device_env){.mem = &b->mem,
                                 .clock = &b->clock,
                                 .log = &b->log,
                                 .shutdown = ignore_shutdown,
                                 .opaque = b};
    mem_space_init(&b->mem, &b->log);
    BUG_ON(!mem_add_ram(&b->mem, 0, MMIO_RAM_SIZE, "ram", &e));
    t->make(b);
}

static void bench_free(struct mmio_bench *b)
{
    while (b->n_devices)
        device_free(b->devices[--b->n_devices]);
    if (b->target->release)
        b->target->release(b);
    free(b->state);
    mem_space_free(&b->mem);
}

static void bench_reset(struct mmio_bench *b)
{
    mem_lock(&b->mem);
    if (b->target->settle)
        b->target->settle(b);
    for (unsigned i = 0; i < b->n_devices; i++)
        device_reset(b->devices[i]);
    mem_unlock(&b->mem);
    memset(b->mem.ram[0].host, 0, MMIO_RAM_SIZE);
    b->digest = 0;
}

struct input {
    const u8 *at, *end;
};

static u64 take(struct input *in, unsigned n)
{
    u64 value = 0;
    for (unsigned i = 0; i < n && in->at < in->end; i++)
        value |= (u64)*in->at++ << (8 * i);
    return value;
}

static void pass_time(struct mmio_bench *b, u64 ns)
{
    u64 end = b->now + ns, next, n_events = 0;
    while ((next = clock_next_deadline(&b->clock)) <= end) {
        BUG_ON(++n_events > MAX_TIMER_EVENTS);
        b->now = next > b->now ? next : b->now;
        clock_fire_due(&b->clock);
    }
    b->now = end;
}

static void write_ram(struct mmio_bench *b, u32 address, u64 value)
{
    store_le(b->mem.ram[0].host + address % (MMIO_RAM_SIZE - 8), value, 8);
}

static void run_other(struct mmio_bench *b, struct input *in, u8 op)
{
    unsigned what = op & 7, modifier = op >> 3 & 7;
    u64 argument = take(in, 4);
    if (what >= 6) {
        write_ram(b, argument, take(in, 8));
        return;
    }
    mem_lock(&b->mem);
    if (what < 2)
        pass_time(b, argument << (4 * modifier));
    else if (b->target->event)
        b->target->event(b, modifier, argument);
    mem_unlock(&b->mem);
}

static u64 read_window(struct mmio_bench *b, const struct mmio_window *w, u64 offset, unsigned size)
{
    return w->is_other_door ? b->target->read(b, w->base + offset, size)
                            : mem_read(&b->mem, w->base + offset, size);
}

static void write_window(struct mmio_bench *b, const struct mmio_window *w, u64 offset, u64 value,
                         unsigned size)
{
    if (w->is_other_door)
        b->target->write(b, w->base + offset, value, size);
    else
        mem_write(&b->mem, w->base + offset, value, size);
}

static void run_access(struct mmio_bench *b, struct input *in, u8 op)
{
    const struct mmio_window *w = &b->windows[(op >> 3 & 7) % b->n_windows];
    unsigned size = 1 << (op & 3);
    u64 offset = take(in, w->size > 0x10000 ? 4 : 2) % w->size;
    if (op & 4)
        write_window(b, w, offset, take(in, size), size);
    else
        b->digest = (b->digest ^ read_window(b, w, offset, size)) * 0x100000001b3;
}

static void run_input(struct mmio_bench *b, const u8 *input, size_t size)
{
    struct input in = {input, input + size};
    while (in.at < in.end) {
        u8 op = take(&in, 1);
        if (op >> 6 == 3)
            run_other(b, &in, op);
        else
            run_access(b, &in, op);
        if (b->target->check) {
            mem_lock(&b->mem);
            b->target->check(b);
            mem_unlock(&b->mem);
        }
    }
}

void mmio_run(const struct mmio_target *t, const u8 *input, size_t size)
{
    struct mmio_bench b;
    if (size > MMIO_MAX_INPUT)
        size = MMIO_MAX_INPUT;
    bench_init(&b, t);
    bench_reset(&b);
    run_input(&b, input, size);
    u64 first = b.digest;
    bench_reset(&b);
    run_input(&b, input, size);
    BUG_ON(t->forgets_on_reset && b.digest != first);
    bench_free(&b);
}
