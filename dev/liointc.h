// SPDX-License-Identifier: Apache-2.0
// The legacy I/O interrupt controller of the processor: 32 sources (3A5000 manual, 11.1).
//
// It reaches the four cores of its own chip only, which are cores 0 to 3 of the machine.
#pragma once

#include "base/types.h"
#include "dev/core_irq.h"
#include "dev/device.h"
#include "dev/reg_bank.h"

#define LIOINTC_N_SOURCES 32
#define LIOINTC_N_CORES   4

// What is wired to the sources of a 3A5000.
enum liointc_source {
    LIOINTC_GPIO = 0, // to 7: pin modulo 8
    LIOINTC_I2C0 = 8,
    LIOINTC_I2C1 = 9,
    LIOINTC_UART0 = 10,
    LIOINTC_MC0 = 11,
    LIOINTC_MC1 = 12,
    LIOINTC_SPI = 13,
    LIOINTC_THERMAL = 14,
    LIOINTC_UART1 = 15,
    LIOINTC_HT0 = 16, // to 23
    LIOINTC_HT1 = 24, // to 31
};

struct liointc {
    struct device dev;
    u64 n_cores;            // property "cores": of the machine
    struct core_irq *cores; // connected by the board before realize; borrowed

    struct reg_bank bank;
    bool has_encoded_pins; // 0x420 INT_encode
    u8 route[LIOINTC_N_SOURCES];
    u32 enable, edge, polarity;
    u32 edges; // latched
    u32 input;
};

extern const struct device_type liointc_type;

// Offsets 0x1010 (of the core given) and 0x1400-0x145f of the I/O configuration space.
static inline struct reg_bank *liointc_bank(struct liointc *l)
{
    return &l->bank;
}

// Bit 49 of I/O configuration register 0x420. Device lock held.
void liointc_set_mode(struct liointc *l, bool has_encoded_pins);

// A source; fits struct irq, opaque is the struct liointc. Device lock held.
void liointc_set_pin(void *opaque, unsigned source, bool level);
