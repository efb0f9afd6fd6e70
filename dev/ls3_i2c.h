// SPDX-License-Identifier: Apache-2.0
// An I2C controller of a 3A5000 (manual, 14.3), as a master. The slave mode, in which another
// master reads the chip's temperature, has no model.
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/i2c_bus.h"
#include "dev/irq.h"
#include "dev/reg_bank.h"

struct ls3_i2c {
    struct device dev;
    struct irq interrupt; // connected by the board
    struct i2c_bus bus;   // the board attaches slaves

    struct reg_bank bank;
    u8 prescale[2], control, transmit, received, status, slave_control;
};

extern const struct device_type ls3_i2c_type;

// The eight byte registers; offsets 0x120-0x127 (I2C0) or 0x130-0x137 (I2C1) of the I/O
// configuration space.
static inline struct reg_bank *ls3_i2c_bank(struct ls3_i2c *i)
{
    return &i->bank;
}
