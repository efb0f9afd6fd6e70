// SPDX-License-Identifier: Apache-2.0
// The address windows of a 3A5000 (manual, 2.3): eight per master port, which route and translate
// addresses before the fixed map does.
//
// The registers are storage: no window takes effect. Enabling one is logged (unimp).
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/reg_bank.h"

#define ADDR_WINDOW_N_WORDS (0x1000 / 8)

struct addr_window {
    struct device dev;
    struct reg_bank bank;
    u64 words[ADDR_WINDOW_N_WORDS];
};

extern const struct device_type addr_window_type;

// Offsets 0x2000-0x2fff of the I/O configuration space.
static inline struct reg_bank *addr_window_bank(struct addr_window *w)
{
    return &w->bank;
}
