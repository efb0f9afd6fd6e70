// SPDX-License-Identifier: Apache-2.0
#include "dev/ged.h"
#include "base/bits.h"

static void update_irq(struct ged *g)
{
    irq_set(&g->irq, g->selector != 0);
}

void ged_press_power_button(struct ged *g)
{
    g->selector |= GED_EVENT_POWER_BUTTON;
    update_irq(g);
}

// Reading a part of the selector clears that part.
static u64 read_selector(struct ged *g, unsigned first, unsigned size)
{
    u64 value = bits_get(g->selector, 8 * (first + size) - 1, 8 * first);
    g->selector = (u32)bits_set(g->selector, 8 * (first + size) - 1, 8 * first, 0);
    update_irq(g);
    return value;
}

static u64 ged_read(void *opaque, u64 offset, unsigned size)
{
    if (offset < 4)
        return read_selector(opaque, (unsigned)offset, size);
    return 0;
}

static void ask_shutdown(struct ged *g, enum shutdown_reason reason)
{
    if (g->d.env->shutdown)
        g->d.env->shutdown(g->d.env->opaque, reason);
}

static void write_sleep_control(struct ged *g, u8 value)
{
    if (!(value & GED_SLEEP_ENABLE))
        return;
    if (bits_get(value, 4, 2) == GED_SLEEP_TYPE_OFF)
        ask_shutdown(g, SHUTDOWN_POWER_OFF);
    else
        log_unimp(g->d.env->log, "ged: sleep type %u", (unsigned)bits_get(value, 4, 2));
}

static void write_byte(struct ged *g, u64 offset, u8 value)
{
    if (offset == GED_SLEEP_CONTROL)
        write_sleep_control(g, value);
    else if (offset == GED_RESET && value == GED_RESET_VALUE)
        ask_shutdown(g, SHUTDOWN_RESET);
    else if (offset < GED_SLEEP_CONTROL || offset > GED_RESET)
        log_unimp(g->d.env->log, "ged: hot-plug register 0x%02llx written with 0x%02x",
                  (unsigned long long)offset, value);
}

static void ged_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        write_byte(opaque, offset + i, (u8)(value >> (8 * i)));
}

static const struct mem_io_ops ged_ops = {.read = ged_read, .write = ged_write, .max_size = 4};

static bool ged_realize(struct device *d, struct err *e)
{
    struct ged *g = ged_of(d);
    g->region.size = GED_SIZE;
    g->region.ops = &ged_ops;
    g->region.opaque = g;
    g->region.name = "ged";
    return true;
}

static void ged_reset(struct device *d)
{
    ged_of(d)->selector = 0;
    update_irq(ged_of(d));
}

const struct device_type ged_type = {
    .name = "ged",
    .doc = "The event device that carries power-off, reset and the power button.",
    .size = sizeof(struct ged),
    .realize = ged_realize,
    .reset = ged_reset,
};
