// SPDX-License-Identifier: Apache-2.0
#include "dev/ls3_gpio.h"
#include "base/bits.h"

static u32 outputs(const struct ls3_gpio *g)
{
    return ~g->output_disable & ~g->function;
}

// What GPIO_I shows: an output reads back what it drives.
static u32 levels(const struct ls3_gpio *g)
{
    return (g->output & outputs(g)) | (g->input & ~outputs(g));
}

static void drive_outputs(struct ls3_gpio *g)
{
    u32 driven = g->output & outputs(g);
    for (u32 left = driven ^ g->driven; left; left &= left - 1) {
        unsigned pin = __builtin_ctz(left);
        irq_set(&g->out[pin], driven >> pin & 1);
    }
    g->driven = driven;
}

// Edges are found by the interrupt controller, which remembers them.
static void update(struct ls3_gpio *g)
{
    drive_outputs(g);
    u32 active = ~(levels(g) ^ g->polarity) & g->int_enable & ~g->function;
    for (unsigned i = 0; i < LS3_GPIO_N_INTERRUPTS; i++)
        irq_set(&g->interrupt[i], active & 0x01010101u << i);
}

void ls3_gpio_set_pin(void *opaque, unsigned pin, bool level)
{
    struct ls3_gpio *g = opaque;
    if (pin >= LS3_GPIO_N_PINS)
        return;
    g->input = bits_set(g->input, pin, pin, level);
    update(g);
}

static void merge(u32 *reg, u64 value, u64 mask)
{
    *reg = (*reg & ~(u32)mask) | (u32)value;
}

static u64 read_direction(void *block, unsigned core, unsigned index)
{
    struct ls3_gpio *g = block;
    return g->output_disable | (u64)g->function << 32;
}

static void write_direction(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_gpio *g = block;
    merge(&g->output_disable, value, mask);
    merge(&g->function, value >> 32, mask >> 32);
    update(g);
}

static u64 read_level(void *block, unsigned core, unsigned index)
{
    struct ls3_gpio *g = block;
    return g->output | (u64)levels(g) << 32;
}

static void write_level(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_gpio *g = block;
    merge(&g->output, value, mask);
    update(g);
}

static u64 read_interrupt(void *block, unsigned core, unsigned index)
{
    struct ls3_gpio *g = block;
    return g->polarity | (u64)g->int_enable << 32;
}

static void write_interrupt(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_gpio *g = block;
    merge(&g->polarity, value, mask);
    merge(&g->int_enable, value >> 32, mask >> 32);
    update(g);
}

// clang-format off
static const struct reg ls3_gpio_regs[] = {
    {0x500, 0x507, "GPIO_OEn, GPIO_FUNC_En",    .read = read_direction, .write = write_direction},
    {0x508, 0x50f, "GPIO_O, GPIO_I",            .read = read_level,     .write = write_level},
    {0x510, 0x517, "GPIO_INT_Pol, GPIO_INT_en", .read = read_interrupt, .write = write_interrupt},
    {0},
};
// clang-format on

static void ls3_gpio_reset(struct device *d)
{
    struct ls3_gpio *g = container_of(d, struct ls3_gpio, dev);
    g->output_disable = 0xffffffff;
    g->function = 0xffff0000;
    g->output = g->polarity = g->int_enable = 0;
    update(g);
}

static bool ls3_gpio_realize(struct device *d, struct err *e)
{
    struct ls3_gpio *g = container_of(d, struct ls3_gpio, dev);
    reg_bank_init(&g->bank, "gpio", ls3_gpio_regs, g, d->env->log);
    ls3_gpio_reset(d);
    return true;
}

const struct device_type ls3_gpio_type = {
    .name = "loongson-gpio",
    .doc = "GPIO pins of a Loongson processor",
    .size = sizeof(struct ls3_gpio),
    .realize = ls3_gpio_realize,
    .reset = ls3_gpio_reset,
};
