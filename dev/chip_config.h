// SPDX-License-Identifier: Apache-2.0
// The chip configuration registers of a 3A5000 (manual, chapter 4): identity, clocks, core reset,
// routing control, and register 0x420, which switches other blocks.
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/irq.h"
#include "dev/reg_bank.h"

#define CHIP_CONFIG_N_WORDS (0x750 / 8)

enum chip_feature {
    CHIP_HAS_TEMPERATURE = 1 << 0,
    CHIP_HAS_NODE_COUNTER = 1 << 1,
    CHIP_HAS_MSI = 1 << 2,
    CHIP_HAS_EXTIOI = 1 << 3,
    CHIP_HAS_CORE_IPI = 1 << 4,
    CHIP_HAS_CORE_FREQ = 1 << 5,
    CHIP_HAS_INT_DECODE = 1 << 9,
};

struct chip_config {
    struct device dev;
    u64 features;    // property "features": register 0x8
    u64 other_reset; // property "other-reset": register 0x420 after reset
    char *name;      // property "name": register 0x20, at most 8 characters
    // Connected by the board, each may stay NULL.
    void (*other_changed)(void *opaque, u64 value);    // 0x420 was written or reset
    u16 (*temperature)(void *opaque, unsigned sensor); // raw, as in 0x198
    void *opaque;
    struct irq core_runs; // pin = core: the core was halted (false) or restarted (true) by 0x1d8

    struct reg_bank bank;
    u64 words[CHIP_CONFIG_N_WORDS];
};

extern const struct device_type chip_config_type;

// The registers at 0x0-0x74f of the I/O configuration space that belong to no other block.
static inline struct reg_bank *chip_config_bank(struct chip_config *c)
{
    return &c->bank;
}

// Register 0x400 bit 9: the second view of the registers at 0x3ff00000 is off.
bool chip_config_hides_3ff0(struct chip_config *c);
