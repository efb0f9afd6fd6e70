// SPDX-License-Identifier: Apache-2.0
// The interrupt fabric and the chip registers of a 3A5000 with its bridge.
#include "test/fuzz/mmio.h"
#include "dev/ls3_chip.h"
#include "dev/pch_msi.h"
#include "dev/pch_pic.h"
#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>

#define N_CORES 6 // two nodes, one of them not full

// What the board keeps: the cores' lines, and the device that a target is about.
struct state {
    struct ls3_chip *chip;
    struct pch_pic *pic;
    u16 lines[N_CORES];
    u64 vectors[4]; // that the bridge asserts
};

static struct state *state_of(struct mmio_bench *b)
{
    if (!b->state)
        b->state = calloc(1, sizeof(struct state));
    BUG_ON(!b->state);
    return b->state;
}

static void take_core_line(void *opaque, unsigned pin, bool level)
{
    struct state *s = opaque;
    u16 bit = 1 << pin % CORE_N_LINES, *lines = &s->lines[pin / CORE_N_LINES];
    BUG_ON(!(*lines & bit) != level); // a change
    *lines ^= bit;
}

static void make_chip(struct mmio_bench *b, bool has_ht_vectors)
{
    struct state *s = state_of(b);
    s->chip = (struct ls3_chip *)mmio_add_device(b, &ls3_chip_type);
    s->chip->n_cores = N_CORES;
    s->chip->has_ht_vectors = has_ht_vectors;
    s->chip->spi_flash_size = 64 << 10;
    s->chip->cores.out = (struct irq){take_core_line, s, 0};
    mmio_realize(b, &s->chip->dev);
    ls3_chip_map(s->chip);
}

static void check_vector(const struct extioi *x, const struct extioi_node *n, unsigned v)
{
    u64 bit = BIT(v % 64);
    unsigned i = v / 64, n_at = 0;
    for (unsigned core = 0; core < N_CORES; core++) {
        bool is_here = n->core_isr[core][i] & bit;
        n_at += is_here;
        BUG_ON(is_here != (n->target[v] == core));
    }
    BUG_ON(n_at > 1);
    BUG_ON(n_at && (!x->is_enabled || !(n->enable[i] & bit)));
    BUG_ON(n_at && !((n->message[i] | n->line[i]) & bit));
    BUG_ON(n->target[v] != EXTIOI_NO_CORE && n->target[v] >= N_CORES);
}

// No vector is at two cores, none where it must not be, and the lines say what the registers say.
static void check_extioi(struct state *s)
{
    struct extioi *x = s->chip->extioi;
    for (unsigned k = 0; k < x->n_nodes; k++)
        for (unsigned v = 0; v < EXTIOI_N_VECTORS; v++)
            check_vector(x, &x->node[k], v);
    for (unsigned core = 0; core < N_CORES; core++) {
        u64 any = 0;
        for (unsigned i = 0; i < 4; i++)
            any |= reg_bank_read(extioi_bank(x), core, 0x1800 + 8 * i, 8);
        BUG_ON((any != 0) != (s->chip->cores.driven[core][CORE_IRQ_EXTIOI] != 0));
        BUG_ON(s->lines[core] != core_irq_lines(&s->chip->cores, core));
    }
}

static void chip_event(struct mmio_bench *b, unsigned kind, u32 argument)
{
    struct ls3_chip *c = state_of(b)->chip;
    unsigned pin = argument & 0xff;
    bool level = argument >> 8 & 1;
    switch (kind) {
    case 0: ls3_chip_set_vector_line(c, pin, level); break;
    case 1: ls3_chip_send_vector(c, pin, true); break;
    case 2: ls3_gpio_set_pin(c->gpio, pin, level); break;
    case 3: liointc_set_pin(c->liointc, LIOINTC_UART0 + pin % 3, level); break;
    case 4: ls3_thermal_set(c->thermal, pin, argument >> 8); break;
    }
}

static void chip_settle(struct mmio_bench *b)
{
    struct ls3_chip *c = state_of(b)->chip;
    for (unsigned v = 0; v < 256; v++)
        ls3_chip_set_vector_line(c, v, false);
    for (unsigned pin = 0; pin < LS3_GPIO_N_PINS; pin++)
        ls3_gpio_set_pin(c->gpio, pin, false);
    for (unsigned i = 0; i < 3; i++)
        liointc_set_pin(c->liointc, LIOINTC_UART0 + i, false);
    for (unsigned i = 0; i < LS3_THERMAL_N_SENSORS; i++)
        ls3_thermal_set(c->thermal, i, ls3_thermal_raw(40));
}

static void chip_check(struct mmio_bench *b)
{
    check_extioi(state_of(b));
}

// By instruction; the executing core is in the upper half of the address.
static u64 chip_read(struct mmio_bench *b, u32 address, unsigned size)
{
    return iocsr_read(state_of(b)->chip->iocsr, address >> 16, address & 0xffff, size);
}

static void chip_write(struct mmio_bench *b, u32 address, u64 value, unsigned size)
{
    iocsr_write(state_of(b)->chip->iocsr, address >> 16, address & 0xffff, value, size);
}

// The chip alone, with the legacy path for the bridge's vectors. The node counter (0x408) tells the
// time and is left out of the windows.
static void chip_make(struct mmio_bench *b)
{
    make_chip(b, true);
    mmio_add_window(b, IOCSR_BASE + 0x000, 0x1e0);
    mmio_add_window(b, IOCSR_BASE + 0x1f0, 0x210);
    mmio_add_window(b, IOCSR_BASE + 0x410, 0x400);
    mmio_add_window(b, IOCSR_BASE + 0x1000, 0x1100);
    mmio_add_window(b, 1ULL << 44 | IOCSR_ALIAS_BASE, 0x400);
    mmio_add_window(b, LS3_CHIP_HT1_REGS, 0x280);
    mmio_add_other_door(b, 0x41000, 0x100);
    mmio_add_other_door(b, 0x11400, 0x900);
}

const struct mmio_target fuzz_ls3_chip = {
    .name = "ls3-chip",
    .make = chip_make,
    .event = chip_event,
    .settle = chip_settle,
    .check = chip_check,
    .read = chip_read,
    .write = chip_write,
    .forgets_on_reset = true,
};

static void take_vector(void *opaque, unsigned vector, bool level)
{
    u64 *word = &((struct state *)opaque)->vectors[vector / 64];
    BUG_ON((*word >> vector % 64 & 1) == level); // a change
    *word ^= BIT(vector % 64);
}

static struct pch_pic *make_pic(struct mmio_bench *b, unsigned n_sources)
{
    struct state *s = state_of(b);
    s->pic = (struct pch_pic *)mmio_add_device(b, &pch_pic_type);
    s->pic->n_sources = n_sources;
    s->pic->message = (struct irq){take_vector, s, 0};
    for (unsigned i = 0; i < 2; i++)
        s->pic->int_out[i] = mmio_wire(b, i);
    return s->pic;
}

static void pic_make(struct mmio_bench *b)
{
    struct pch_pic *p = make_pic(b, 64);
    mmio_realize(b, &p->dev);
    p->region.base = 0x10000000;
    mem_add_region(&b->mem, &p->region);
    mmio_add_window(b, 0x10000000, 0x400);
}

static void pic_event(struct mmio_bench *b, unsigned kind, u32 argument)
{
    pch_pic_set_pin(state_of(b)->pic, argument & 0x3f, argument >> 8 & 1);
}

static void pic_settle(struct mmio_bench *b)
{
    for (unsigned pin = 0; pin < 64; pin++)
        pch_pic_set_pin(state_of(b)->pic, pin, false);
}

// A vector is asserted if and only if a pending pin asks for it; an output likewise.
static void pic_check(struct mmio_bench *b)
{
    struct state *s = state_of(b);
    struct pch_pic *p = s->pic;
    u64 isr = reg_bank_read(&p->bank, 0, 0x3a0, 8), wanted[4] = {0};
    for (u64 left = isr & p->htmsi_en; left; left &= left - 1) {
        u8 v = p->vector[__builtin_ctzll(left)];
        wanted[v / 64] |= BIT(v % 64);
    }
    for (unsigned i = 0; i < 4; i++)
        BUG_ON(s->vectors[i] != wanted[i]);
    for (unsigned i = 0; i < 2; i++) {
        BUG_ON(p->int_isr[i] & ~(isr & ~p->htmsi_en));
        BUG_ON((b->wires[0] >> i & 1) != (p->int_isr[i] != 0));
    }
}

const struct mmio_target fuzz_pch_pic = {
    .name = "pch-pic",
    .make = pic_make,
    .event = pic_event,
    .settle = pic_settle,
    .check = pic_check,
    .forgets_on_reset = true,
};

// All together as on the board `virt`.
static void fabric_make(struct mmio_bench *b)
{
    make_chip(b, false);
    struct state *s = state_of(b);
    struct pch_pic *p = make_pic(b, 32);
    p->message = (struct irq){ls3_chip_set_vector_line, s->chip, 0};
    mmio_realize(b, &p->dev);
    mmio_add_region(b, &p->region, 0x10000000);
    struct pch_msi *m = (struct pch_msi *)mmio_add_device(b, &pch_msi_type);
    m->message = (struct irq){ls3_chip_send_vector, s->chip, 0};
    mmio_realize(b, &m->dev);
    mmio_add_region(b, &m->region, 0x2ff00000);
    mmio_add_window(b, IOCSR_BASE + 0x1400, 0x900);
    mmio_add_window(b, 1ULL << 44 | IOCSR_BASE | 0x1400, 0x900);
    mmio_add_window(b, IOCSR_BASE + 0x420, 8);
    mmio_add_other_door(b, 0x51000, 0x200);
    mmio_add_other_door(b, 0x51400, 0x900);
}

// The vectors that the bridge asserts are those that the chip sees.
static void fabric_check(struct mmio_bench *b)
{
    struct state *s = state_of(b);
    check_extioi(s);
    for (unsigned i = 0; i < 4; i++)
        BUG_ON(s->chip->extioi->node[0].line[i] != s->pic->vectors_sent[i]);
}

const struct mmio_target fuzz_fabric = {
    .name = "fabric",
    .make = fabric_make,
    .event = pic_event,
    .settle = pic_settle,
    .check = fabric_check,
    .read = chip_read,
    .write = chip_write,
    .forgets_on_reset = true,
};
