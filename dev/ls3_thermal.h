// SPDX-License-Identifier: Apache-2.0
// The temperature sensors of a 3A5000 (manual, chapter 13): four sensors, alarms for too hot and
// too cold.
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/irq.h"
#include "dev/reg_bank.h"

#define LS3_THERMAL_BASE      0x1460
#define LS3_THERMAL_N_WORDS   ((0x15c0 - LS3_THERMAL_BASE) / 8)
#define LS3_THERMAL_N_SENSORS 4

struct ls3_thermal {
    struct device dev;
    u64 celsius;          // property "celsius": of all sensors at first
    struct irq interrupt; // connected by the board

    struct reg_bank bank;
    u64 words[LS3_THERMAL_N_WORDS];
    u16 raw[LS3_THERMAL_N_SENSORS];
    u8 status; // 1 too hot, 2 too cold
};

extern const struct device_type ls3_thermal_type;

// Offsets 0x1460-0x149f and 0x1580-0x15bf of the I/O configuration space.
static inline struct reg_bank *ls3_thermal_bank(struct ls3_thermal *t)
{
    return &t->bank;
}

// The least raw value that reads as that temperature: (C + 273) * 0x4000 / 731, rounded up.
u16 ls3_thermal_raw(unsigned celsius);
// Lets a sensor feel another temperature. Device lock held.
void ls3_thermal_set(struct ls3_thermal *t, unsigned sensor, u16 raw);
// Outputs 0 and 1 as in register 0x198; fits struct chip_config, opaque is the struct ls3_thermal.
u16 ls3_thermal_output(void *opaque, unsigned output);
