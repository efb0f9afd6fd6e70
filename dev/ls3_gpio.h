// SPDX-License-Identifier: Apache-2.0
// The 32 GPIO pins of a 3A5000 (manual, chapter 12).
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/irq.h"
#include "dev/reg_bank.h"

#define LS3_GPIO_N_PINS       32
#define LS3_GPIO_N_INTERRUPTS 8

struct ls3_gpio {
    struct device dev;
    struct irq out[LS3_GPIO_N_PINS]; // what an output pin drives; connected by the board
    struct irq interrupt[LS3_GPIO_N_INTERRUPTS]; // pin modulo 8; connected by the board

    struct reg_bank bank;
    u32 output_disable; // GPIO_OEn: 1 is an input
    u32 function;       // GPIO_FUNC_En: 1 belongs to another block
    u32 output;         // GPIO_O
    u32 polarity, int_enable;
    u32 input;  // levels at the pins from outside
    u32 driven; // levels that the outputs drive
};

extern const struct device_type ls3_gpio_type;

// Offsets 0x500-0x517 of the I/O configuration space.
static inline struct reg_bank *ls3_gpio_bank(struct ls3_gpio *g)
{
    return &g->bank;
}

// A pin driven from outside; fits struct irq, opaque is the struct ls3_gpio. Device lock held.
void ls3_gpio_set_pin(void *opaque, unsigned pin, bool level);
