// SPDX-License-Identifier: Apache-2.0
// What the inputs ask for is computed anew after every change and compared with what was sent
// before. So a change of mask, vector, polarity or delivery while an input is active needs no case
// of its own.
#include "dev/pch_pic.h"
#include "base/bits.h"

#include <string.h>

static u64 valid_pins(const struct pch_pic *p)
{
    return BITS(p->n_sources - 1, 0);
}

static u64 active_pins(const struct pch_pic *p)
{
    return (p->input ^ p->polarity) & valid_pins(p);
}

static u64 requests(const struct pch_pic *p)
{
    return ((active_pins(p) & ~p->edge) | (p->edges & p->edge)) & valid_pins(p);
}

static u64 pending(const struct pch_pic *p)
{
    return requests(p) & ~p->mask;
}

static void send_vectors(struct pch_pic *p, u64 pend)
{
    u64 wanted[4] = {0};
    for (u64 left = pend; left; left &= left - 1) {
        unsigned v = p->vector[__builtin_ctzll(left)];
        wanted[v / 64] |= BIT(v % 64);
    }
    for (unsigned i = 0; i < 4; i++) {
        for (u64 left = wanted[i] ^ p->vectors_sent[i]; left; left &= left - 1) {
            unsigned bit = __builtin_ctzll(left);
            struct irq wire = {p->message.set, p->message.opaque, 64 * i + bit};
            p->vectors_sent[i] ^= BIT(bit);
            irq_set(&wire, wanted[i] >> bit & 1);
        }
    }
}

// Automatic distribution (7A1000 manual, 5.4), among the outputs that ROUTE_ENTRY names.
// AUTO_CTRL1: AUTO_CTRL0 = 1 takes the output after the last one; 2 does so unless only the other
// one is idle; 3 stays at the last one until that is busy.
static unsigned automatic_output(struct pch_pic *p, unsigned source)
{
    unsigned mode = (p->auto_ctrl[1] >> source & 1) << 1 | (p->auto_ctrl[0] >> source & 1);
    unsigned routes = p->route[source] & 3, last = p->last_output >> source & 1, output = !last;
    bool is_last_busy = p->int_isr[last] != 0, is_next_busy = p->int_isr[!last] != 0;
    if ((mode == 2 && is_next_busy && !is_last_busy) || (mode == 3 && !is_last_busy))
        output = last;
    if (routes != 3)
        output = routes >> 1;
    p->last_output = bits_set(p->last_output, source, source, output);
    return output;
}

// The sources whose ROUTE_ENTRY names the output.
static u64 routed_to(const struct pch_pic *p, unsigned output)
{
    u64 sources = 0;
    for (unsigned i = 0; i < p->n_sources; i++)
        sources |= (u64)(p->route[i] >> output & 1) << i;
    return sources;
}

// A request that is distributed automatically keeps its output until it ends; one with a fixed
// route follows the route.
static void drive_outputs(struct pch_pic *p, u64 pend)
{
    u64 automatic = pend & (p->auto_ctrl[0] | p->auto_ctrl[1]);
    u64 keeps = automatic & (p->int_isr[0] ^ p->int_isr[1]);
    if (!(pend | p->int_isr[0] | p->int_isr[1]))
        return;
    for (unsigned i = 0; i < 2; i++)
        p->int_isr[i] = (p->int_isr[i] & keeps) | (pend & ~automatic & routed_to(p, i));
    for (u64 left = automatic & ~keeps; left; left &= left - 1) {
        unsigned source = __builtin_ctzll(left);
        p->int_isr[automatic_output(p, source)] |= BIT(source);
    }
    for (unsigned i = 0; i < 2; i++)
        irq_set(&p->int_out[i], p->int_isr[i] != 0);
}

static void update(struct pch_pic *p)
{
    u64 pend = pending(p);
    send_vectors(p, pend & p->htmsi_en);
    drive_outputs(p, pend & ~p->htmsi_en);
}

void pch_pic_set_pin(void *opaque, unsigned pin, bool level)
{
    struct pch_pic *p = opaque;
    if (pin >= p->n_sources || (p->input >> pin & 1) == level)
        return;
    log_at(p->dev.env->log, LOG_IRQ, "pch-pic pin %u = %d", pin, level);
    p->input ^= BIT(pin);
    if (p->edge & active_pins(p) & BIT(pin))
        p->edges |= BIT(pin);
    update(p);
}

static u64 read_id(void *block, unsigned core, unsigned index)
{
    struct pch_pic *p = block;
    return 0x0000000107000000 | (p->n_sources - 1) << 48;
}

static void merge(u64 *reg, u64 value, u64 mask)
{
    *reg = (*reg & ~mask) | value;
}

#define PLAIN_REGISTER(name, field)                                                           \
    static u64 read_##name(void *block, unsigned core, unsigned index)                        \
    {                                                                                         \
        return ((struct pch_pic *)block)->field;                                              \
    }                                                                                         \
    static void write_##name(void *block, unsigned core, unsigned index, u64 value, u64 mask) \
    {                                                                                         \
        struct pch_pic *p = block;                                                            \
        merge(&p->field, value, mask);                                                        \
        update(p);                                                                            \
    }

PLAIN_REGISTER(mask, mask)
PLAIN_REGISTER(htmsi_en, htmsi_en)
PLAIN_REGISTER(edge, edge)
PLAIN_REGISTER(auto_ctrl0, auto_ctrl[0])
PLAIN_REGISTER(auto_ctrl1, auto_ctrl[1])
PLAIN_REGISTER(polarity, polarity)

static void write_clear(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct pch_pic *p = block;
    p->edges &= ~value;
    update(p);
}

// Drivers written for 64 sources write all entries of a controller with 32: those of absent sources
// are not there.
static void write_entries(struct pch_pic *p, u8 *entries, unsigned index, u64 value, u64 mask)
{
    for (unsigned i = 0; i < 8 && 8 * index + i < p->n_sources; i++)
        if (mask >> (8 * i) & 0xff)
            entries[8 * index + i] = value >> (8 * i);
    update(p);
}

static u64 read_route(void *block, unsigned core, unsigned index)
{
    return load_le(&((struct pch_pic *)block)->route[8 * index], 8);
}

static void write_route(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    write_entries(block, ((struct pch_pic *)block)->route, index, value, mask);
}

static u64 read_vector(void *block, unsigned core, unsigned index)
{
    return load_le(&((struct pch_pic *)block)->vector[8 * index], 8);
}

static void write_vector(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    write_entries(block, ((struct pch_pic *)block)->vector, index, value, mask);
}

static u64 read_int0_isr(void *block, unsigned core, unsigned index)
{
    return ((struct pch_pic *)block)->int_isr[0];
}

static u64 read_int1_isr(void *block, unsigned core, unsigned index)
{
    return ((struct pch_pic *)block)->int_isr[1];
}

static u64 read_irr(void *block, unsigned core, unsigned index)
{
    return requests(block);
}

static u64 read_isr(void *block, unsigned core, unsigned index)
{
    return pending(block);
}

// Linux writes the byte 0x2ff once per source; no entry is that far out, and nothing happens.
// clang-format off
static const struct reg pch_pic_regs[] = {
    {0x000, 0x007, "ID",           .read = read_id},
    {0x020, 0x027, "MASK",         .read = read_mask,       .write = write_mask},
    {0x040, 0x047, "HTMSI_EN",     .read = read_htmsi_en,   .write = write_htmsi_en},
    {0x060, 0x067, "EDGE",         .read = read_edge,       .write = write_edge},
    {0x080, 0x087, "CLEAR",                                 .write = write_clear},
    {0x0c0, 0x0c7, "AUTO_CTRL0",   .read = read_auto_ctrl0, .write = write_auto_ctrl0},
    {0x0e0, 0x0e7, "AUTO_CTRL1",   .read = read_auto_ctrl1, .write = write_auto_ctrl1},
    {0x100, 0x13f, "ROUTE_ENTRY",  .read = read_route,      .write = write_route},
    {0x200, 0x23f, "HTMSI_VECTOR", .read = read_vector,     .write = write_vector},
    {0x240, 0x2ff, "HTMSI_VECTOR of absent sources"},
    {0x300, 0x307, "ISR of INTn0", .read = read_int0_isr},
    {0x320, 0x327, "ISR of INTn1", .read = read_int1_isr},
    {0x380, 0x387, "IRR",          .read = read_irr},
    {0x3a0, 0x3a7, "ISR",          .read = read_isr},
    {0x3e0, 0x3e7, "POLARITY",     .read = read_polarity,   .write = write_polarity},
    {0},
};
// clang-format on

static u64 region_read(void *opaque, u64 offset, unsigned size)
{
    return reg_bank_read(&((struct pch_pic *)opaque)->bank, 0, offset, size);
}

static void region_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    reg_bank_write(&((struct pch_pic *)opaque)->bank, 0, offset, value, size);
}

static const struct mem_io_ops pch_pic_ops = {.read = region_read, .write = region_write};

// Input levels are the devices' state, not ours: they outlive the reset.
static void pch_pic_reset(struct device *d)
{
    struct pch_pic *p = container_of(d, struct pch_pic, dev);
    p->mask = ~0ULL;
    p->htmsi_en = p->edge = p->polarity = p->edges = 0;
    p->auto_ctrl[0] = p->auto_ctrl[1] = p->last_output = 0;
    update(p);
    memset(p->route, 0, sizeof(p->route));
    memset(p->vector, 0, sizeof(p->vector));
    for (unsigned i = 0; i < p->n_sources; i++) {
        p->route[i] = 1;
        p->vector[i] = 0x20 + i;
    }
}

static bool pch_pic_realize(struct device *d, struct err *e)
{
    struct pch_pic *p = container_of(d, struct pch_pic, dev);
    if (p->n_sources != 32 && p->n_sources != 64)
        return err_set(e, "property 'sources': has to be 32 or 64");
    p->region.size = PCH_PIC_SIZE;
    p->region.ops = &pch_pic_ops;
    p->region.opaque = p;
    p->region.name = "pch-pic";
    reg_bank_init(&p->bank, "pch-pic", pch_pic_regs, p, d->env->log);
    pch_pic_reset(d);
    return true;
}

static const struct device_prop pch_pic_props[] = {
    {"sources", PROP_U64, offsetof(struct pch_pic, n_sources), "number of input pins, 32 or 64",
     "64"},
    {NULL},
};

const struct device_type pch_pic_type = {
    .name = "ls7a-pic",
    .doc = "interrupt controller of the LS7A bridge",
    .size = sizeof(struct pch_pic),
    .props = pch_pic_props,
    .realize = pch_pic_realize,
    .reset = pch_pic_reset,
};
