// SPDX-License-Identifier: Apache-2.0
#include "dev/liointc.h"
#include "base/bits.h"

#include <string.h>

static u32 active(const struct liointc *l)
{
    return l->input ^ l->polarity;
}

static u32 status(const struct liointc *l)
{
    return ((active(l) & ~l->edge) | (l->edges & l->edge)) & l->enable;
}

static u32 core_status(const struct liointc *l, unsigned core)
{
    u32 routed = 0;
    for (unsigned i = 0; core < LIOINTC_N_CORES && i < LIOINTC_N_SOURCES; i++)
        routed |= (u32)(l->route[i] >> core & 1) << i;
    return status(l) & routed;
}

// A bitmap may name several pins; then all of them are asserted.
static u16 lines_of(const struct liointc *l, unsigned source)
{
    unsigned pins = l->route[source] >> 4;
    return (l->has_encoded_pins ? 1u << (pins & 7) : pins) << CORE_LINE_HWI0;
}

static void update(struct liointc *l)
{
    for (unsigned core = 0; core < LIOINTC_N_CORES && core < l->n_cores; core++) {
        u16 lines = 0;
        for (u32 left = core_status(l, core); left; left &= left - 1)
            lines |= lines_of(l, __builtin_ctz(left));
        core_irq_drive(l->cores, CORE_IRQ_LIOINTC, core, lines);
    }
}

void liointc_set_pin(void *opaque, unsigned source, bool level)
{
    struct liointc *l = opaque;
    if (source >= LIOINTC_N_SOURCES || (l->input >> source & 1) == level)
        return;
    log_at(l->dev.env->log, LOG_IRQ, "liointc source %u = %d", source, level);
    l->input ^= 1u << source;
    l->edges |= l->edge & active(l) & 1u << source;
    update(l);
}

void liointc_set_mode(struct liointc *l, bool has_encoded_pins)
{
    l->has_encoded_pins = has_encoded_pins;
    update(l);
}

static u64 read_own(void *block, unsigned core, unsigned index)
{
    return core_status(block, core);
}

static u64 read_route(void *block, unsigned core, unsigned index)
{
    return load_le(&((struct liointc *)block)->route[8 * index], 8);
}

static void write_route(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct liointc *l = block;
    for (unsigned i = 0; i < 8; i++)
        if (mask >> (8 * i) & 0xff)
            l->route[8 * index + i] = value >> (8 * i);
    update(l);
}

static u64 read_status(void *block, unsigned core, unsigned index)
{
    struct liointc *l = block;
    return status(l) | (u64)l->enable << 32;
}

// Clearing the enable of an edge source also forgets the edge.
static void write_enable(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct liointc *l = block;
    l->enable = (l->enable | (u32)value) & ~(u32)(value >> 32);
    l->edges &= ~(u32)(value >> 32);
    update(l);
}

static u64 read_trigger(void *block, unsigned core, unsigned index)
{
    struct liointc *l = block;
    return l->polarity | (u64)l->edge << 32;
}

static void write_trigger(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct liointc *l = block;
    l->polarity = (l->polarity & ~(u32)mask) | (u32)value;
    l->edge = (l->edge & ~(u32)(mask >> 32)) | (u32)(value >> 32);
    l->edges &= l->edge;
    update(l);
}

static u64 read_core_status(void *block, unsigned core, unsigned index)
{
    return core_status(block, index);
}

// clang-format off
static const struct reg liointc_regs[] = {
    {0x1010, 0x1017, "perCore_INTISR",       .read = read_own},
    {0x1400, 0x141f, "Entry0-31",            .read = read_route,   .write = write_route},
    {0x1420, 0x1427, "Intisr, Inten",        .read = read_status},
    {0x1428, 0x142f, "Intenset, Intenclr",                         .write = write_enable},
    {0x1430, 0x1437, "polarity, Intedge",    .read = read_trigger, .write = write_trigger},
    {0x1440, 0x145f, "CORE0-3_INTISR",       .read = read_core_status},
    {0},
};
// clang-format on

// Input levels are the devices' state, not ours: they outlive the reset.
static void liointc_reset(struct device *d)
{
    struct liointc *l = container_of(d, struct liointc, dev);
    memset(l->route, 0, sizeof(l->route));
    l->enable = l->edge = l->polarity = l->edges = 0;
    l->has_encoded_pins = false;
    update(l);
}

static bool liointc_realize(struct device *d, struct err *e)
{
    struct liointc *l = container_of(d, struct liointc, dev);
    reg_bank_init(&l->bank, "liointc", liointc_regs, l, d->env->log);
    return true;
}

static const struct device_prop liointc_props[] = {
    {"cores", PROP_U64, offsetof(struct liointc, n_cores), "number of cores of the machine", "1"},
    {NULL},
};

const struct device_type liointc_type = {
    .name = "loongson-liointc",
    .doc = "legacy I/O interrupt controller of a Loongson processor, 32 sources",
    .size = sizeof(struct liointc),
    .props = liointc_props,
    .realize = liointc_realize,
    .reset = liointc_reset,
};
