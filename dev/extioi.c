// SPDX-License-Identifier: Apache-2.0
// Two questions are answered again whenever something changes: is a vector deliverable (pending,
// enabled, controller on), and to which core. `target` holds the answer to both; core_isr and the
// lines of the cores follow from it.
#include "dev/extioi.h"
#include "base/bits.h"

#include <string.h>

static bool test_bit(const u64 *bits, unsigned n)
{
    return bits[n / 64] >> (n % 64) & 1;
}

static void assign_bit(u64 *bits, unsigned n, bool value)
{
    bits[n / 64] = (bits[n / 64] & ~BIT(n % 64)) | (u64)value << (n % 64);
}

static struct extioi_node *node_of(struct extioi *x, unsigned core)
{
    return &x->node[core / EXTIOI_CORES_PER_NODE];
}

// The pin that ipmap gives to a group of 32 vectors. Of several bits the lowest counts; an empty
// map means pin 0, the manual does not say.
static unsigned pin_of_group(const struct extioi *x, const struct extioi_node *n, unsigned group)
{
    unsigned map = n->ipmap >> (8 * group);
    if (x->has_encoded_pins)
        return map & 7;
    return map & 0xf ? __builtin_ctz(map) : 0;
}

static void drive(struct extioi *x, unsigned core)
{
    u16 lines = 0;
    for (unsigned k = 0; k < x->n_nodes; k++)
        for (unsigned g = 0; g < EXTIOI_N_VECTORS / 32; g++)
            if ((u32)(x->node[k].core_isr[core][g / 2] >> (32 * (g % 2))))
                lines |= 1 << (CORE_LINE_HWI0 + pin_of_group(x, &x->node[k], g));
    core_irq_drive(x->cores, CORE_IRQ_EXTIOI, core, lines);
}

static void drive_all(struct extioi *x)
{
    for (unsigned core = 0; core < x->n_cores; core++)
        drive(x, core);
}

// The cores that the route of a vector names, as a bitmap of core numbers. An empty node map means
// the node itself; an empty core map means core 0 of the node, the manual does not say. Cores that
// do not exist are left out.
static u64 candidates(const struct extioi *x, const struct extioi_node *n, unsigned vector)
{
    u64 nodes = n->node_type[n->route[vector] >> 4], cores = n->route[vector] & 0xf, all = 0;
    if (!nodes)
        nodes = BIT(n - x->node);
    for (; nodes; nodes &= nodes - 1)
        all |= (cores ? cores : 1) << (EXTIOI_CORES_PER_NODE * __builtin_ctzll(nodes));
    return all & BITS(x->n_cores - 1, 0);
}

static unsigned pick_target(const struct extioi *x, const struct extioi_node *n, unsigned vector)
{
    u64 all = candidates(x, n, vector);
    if (!all)
        return EXTIOI_NO_CORE;
    unsigned last = n->last[vector];
    u64 after = last >= 63 ? 0 : all & ~BITS(last, 0);
    if (test_bit(n->bounce, vector) && last != EXTIOI_NO_CORE && after)
        return __builtin_ctzll(after);
    return __builtin_ctzll(all);
}

static void set_target(struct extioi *x, struct extioi_node *n, unsigned vector, unsigned core)
{
    unsigned before = n->target[vector];
    if (before == core)
        return;
    n->target[vector] = core;
    if (before != EXTIOI_NO_CORE) {
        assign_bit(n->core_isr[before], vector, false);
        drive(x, before);
    }
    if (core != EXTIOI_NO_CORE) {
        n->last[vector] = core;
        assign_bit(n->core_isr[core], vector, true);
        drive(x, core);
    }
}

static bool is_pending(const struct extioi_node *n, unsigned vector)
{
    return test_bit(n->message, vector) || test_bit(n->line, vector);
}

static void evaluate(struct extioi *x, struct extioi_node *n, unsigned vector)
{
    if (!x->is_enabled || !test_bit(n->enable, vector) || !is_pending(n, vector))
        set_target(x, n, vector, EXTIOI_NO_CORE);
    else if (n->target[vector] == EXTIOI_NO_CORE)
        set_target(x, n, vector, pick_target(x, n, vector));
}

// After a change of the route: a vector stays where it is pending only if it might have gone there.
static void reroute(struct extioi *x, struct extioi_node *n, unsigned vector)
{
    unsigned at = n->target[vector];
    bool may_stay = at != EXTIOI_NO_CORE && candidates(x, n, vector) >> at & 1;
    if (at != EXTIOI_NO_CORE && !(may_stay && test_bit(n->bounce, vector)))
        set_target(x, n, vector, pick_target(x, n, vector));
    evaluate(x, n, vector);
}

// A line that is still asserted is a new request, which rotation may send to another core.
static void clear(struct extioi *x, struct extioi_node *n, unsigned vector)
{
    assign_bit(n->message, vector, false);
    set_target(x, n, vector, EXTIOI_NO_CORE);
    evaluate(x, n, vector);
}

void extioi_set_line(void *opaque, unsigned vector, bool level)
{
    struct extioi *x = opaque;
    struct extioi_node *n = &x->node[0];
    vector &= EXTIOI_N_VECTORS - 1;
    log_at(x->dev.env->log, LOG_IRQ, "extioi vector %u line %d", vector, level);
    assign_bit(n->line, vector, level);
    evaluate(x, n, vector);
}

static void send(struct extioi *x, struct extioi_node *n, unsigned vector)
{
    log_at(x->dev.env->log, LOG_IRQ, "extioi vector %u message", vector);
    assign_bit(n->message, vector, true);
    evaluate(x, n, vector);
}

void extioi_send(void *opaque, unsigned vector, bool level)
{
    struct extioi *x = opaque;
    if (level)
        send(x, &x->node[0], vector & (EXTIOI_N_VECTORS - 1));
}

static void evaluate_all(struct extioi *x)
{
    for (unsigned k = 0; k < x->n_nodes; k++)
        for (unsigned v = 0; v < EXTIOI_N_VECTORS; v++)
            evaluate(x, &x->node[k], v);
    drive_all(x);
}

void extioi_set_mode(struct extioi *x, bool is_enabled, bool has_encoded_pins)
{
    if (x->is_enabled == is_enabled && x->has_encoded_pins == has_encoded_pins)
        return;
    x->is_enabled = is_enabled;
    x->has_encoded_pins = has_encoded_pins;
    evaluate_all(x);
}

static void write_send(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    if (mask & 0xff)
        send(block, node_of(block, core), value & 0xff);
}

static u64 read_node_type(void *block, unsigned core, unsigned index)
{
    const u16 *t = &node_of(block, core)->node_type[4 * index];
    return t[0] | (u64)t[1] << 16 | (u64)t[2] << 32 | (u64)t[3] << 48;
}

static void write_node_type(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct extioi_node *n = node_of(block, core);
    u16 *t = &n->node_type[4 * index];
    for (unsigned i = 0; i < 4; i++)
        t[i] = (t[i] & ~(mask >> (16 * i))) | value >> (16 * i);
    for (unsigned v = 0; v < EXTIOI_N_VECTORS; v++)
        reroute(block, n, v);
}

static u64 read_ipmap(void *block, unsigned core, unsigned index)
{
    return node_of(block, core)->ipmap;
}

static void write_ipmap(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct extioi_node *n = node_of(block, core);
    n->ipmap = (n->ipmap & ~mask) | value;
    drive_all(block);
}

static u64 read_enable(void *block, unsigned core, unsigned index)
{
    return node_of(block, core)->enable[index];
}

static void write_enable(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct extioi_node *n = node_of(block, core);
    u64 before = n->enable[index];
    n->enable[index] = (before & ~mask) | value;
    for (u64 left = before ^ n->enable[index]; left; left &= left - 1)
        evaluate(block, n, 64 * index + __builtin_ctzll(left));
}

static u64 read_bounce(void *block, unsigned core, unsigned index)
{
    return node_of(block, core)->bounce[index];
}

static void write_bounce(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    u64 *bounce = &node_of(block, core)->bounce[index];
    *bounce = (*bounce & ~mask) | value;
}

static u64 read_isr(void *block, unsigned core, unsigned index)
{
    const struct extioi_node *n = node_of(block, core);
    return n->message[index] | n->line[index];
}

static void write_isr(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct extioi_node *n = node_of(block, core);
    for (u64 left = value & read_isr(block, core, index); left; left &= left - 1)
        clear(block, n, 64 * index + __builtin_ctzll(left));
}

static u64 read_core_isr(void *block, unsigned core, unsigned index)
{
    struct extioi *x = block;
    u64 isr = 0;
    for (unsigned k = 0; k < x->n_nodes; k++)
        isr |= x->node[k].core_isr[core][index];
    return isr;
}

// Only what is pending at this core is cleared: a vector that has moved on belongs to the other
// core.
static void write_core_isr(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct extioi *x = block;
    for (unsigned k = 0; k < x->n_nodes; k++)
        for (u64 left = value & x->node[k].core_isr[core][index]; left; left &= left - 1)
            clear(x, &x->node[k], 64 * index + __builtin_ctzll(left));
}

static u64 read_route(void *block, unsigned core, unsigned index)
{
    return load_le(&node_of(block, core)->route[8 * index], 8);
}

static void write_route(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct extioi_node *n = node_of(block, core);
    for (unsigned i = 0; i < 8; i++) {
        if (!(mask >> (8 * i) & 0xff))
            continue;
        n->route[8 * index + i] = value >> (8 * i);
        reroute(block, n, 8 * index + i);
    }
}

// clang-format off
static const struct reg extioi_regs[] = {
    {0x1140, 0x1147, "EXT_IOI_send",                              .write = write_send},
    {0x14a0, 0x14bf, "EXT_IOI_node_type", .read = read_node_type, .write = write_node_type},
    {0x14c0, 0x14c7, "EXT_IOI_map",       .read = read_ipmap,     .write = write_ipmap},
    {0x1600, 0x161f, "EXT_IOI_en",        .read = read_enable,    .write = write_enable},
    {0x1680, 0x169f, "EXT_IOI_bounce",    .read = read_bounce,    .write = write_bounce},
    {0x1700, 0x171f, "EXT_IOI_sr",        .read = read_isr,       .write = write_isr},
    {0x1800, 0x181f, "COREn_EXT_IOI_sr",  .read = read_core_isr,  .write = write_core_isr},
    {0x1c00, 0x1cff, "EXT_IOI_map_core",  .read = read_route,     .write = write_route},
    {0},
};
// clang-format on

// Input lines are the devices' state, not ours: they outlive the reset.
static void extioi_reset(struct device *d)
{
    struct extioi *x = container_of(d, struct extioi, dev);
    for (unsigned k = 0; k < x->n_nodes; k++) {
        struct extioi_node *n = &x->node[k];
        u64 line[4];
        memcpy(line, n->line, sizeof(line));
        memset(n, 0, sizeof(*n));
        memcpy(n->line, line, sizeof(line));
        memset(n->target, EXTIOI_NO_CORE, sizeof(n->target));
        memset(n->last, EXTIOI_NO_CORE, sizeof(n->last));
    }
    x->is_enabled = x->has_encoded_pins = false;
    drive_all(x);
}

static bool extioi_realize(struct device *d, struct err *e)
{
    struct extioi *x = container_of(d, struct extioi, dev);
    if (!x->n_cores || x->n_cores > CORE_IRQ_MAX_CORES)
        return err_set(e, "property 'cores': has to be 1 to %d", CORE_IRQ_MAX_CORES);
    x->n_nodes = (x->n_cores + EXTIOI_CORES_PER_NODE - 1) / EXTIOI_CORES_PER_NODE;
    reg_bank_init(&x->bank, "extioi", extioi_regs, x, d->env->log);
    extioi_reset(d);
    return true;
}

static const struct device_prop extioi_props[] = {
    {"cores", PROP_U64, offsetof(struct extioi, n_cores), "number of cores of the machine", "1"},
    {NULL},
};

const struct device_type extioi_type = {
    .name = "loongson-extioi",
    .doc = "extended I/O interrupt controller of a Loongson processor, 256 vectors",
    .size = sizeof(struct extioi),
    .props = extioi_props,
    .realize = extioi_realize,
    .reset = extioi_reset,
};
