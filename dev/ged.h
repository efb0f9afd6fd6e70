// SPDX-License-Identifier: Apache-2.0
// The generic event device of the `virt` board: what ACPI firmware tables need for power-off, reset
// and the power button on a machine without ACPI hardware.
//
//     0x00       event selector, 32 bits, cleared by reading
//     0x04-0x1b  memory hot-plug: absent, reads 0
//     0x1c       sleep control, byte: SLP_EN | SLP_TYP << 2
//     0x1d       sleep status, byte: 0
//     0x1e       reset, byte: 0x42 resets the machine
//     0x20-0x2b  processor hot-plug: absent, reads 0
#pragma once

#include "dev/device.h"
#include "dev/irq.h"

enum {
    GED_SELECTOR = 0x00,
    GED_SLEEP_CONTROL = 0x1c,
    GED_SLEEP_STATUS = 0x1d,
    GED_RESET = 0x1e,
    GED_SIZE = 0x2c,

    GED_EVENT_POWER_BUTTON = 0x02,
    GED_RESET_VALUE = 0x42,
    GED_SLEEP_ENABLE = 0x20,
    GED_SLEEP_TYPE_OFF = 5, // \_S5 in the ACPI tables
};

struct ged {
    struct device d;
    struct mem_region region; // the board sets its base and adds it
    struct irq irq; // high while the selector holds an event
    u32 selector;
};

extern const struct device_type ged_type;

static inline struct ged *ged_of(struct device *d)
{
    return container_of(d, struct ged, d);
}

// Somebody pressed the power button. Device lock held.
void ged_press_power_button(struct ged *g);
