// SPDX-License-Identifier: Apache-2.0
// The address windows of a 3A5000 (manual, 2.3): eight per master port, which route and translate
// addresses before the fixed map does.
//
// The windows of the processors route what they access: the output is an address of the fixed map,
// whatever slave the window names. The windows of other masters are storage; enabling one is logged
// (unimp).
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/reg_bank.h"

#define ADDR_WINDOW_N_WORDS (0x1000 / 8)

struct addr_window {
    struct device dev;
    struct reg_bank bank;
    u64 words[ADDR_WINDOW_N_WORDS];
    _Atomic bool is_active; // some window of a processor is enabled
};

extern const struct device_type addr_window_type;

// The address that `core` reaches at `address`: cpu_bus.route, with the struct addr_window as
// opaque. Takes the device lock.
u64 addr_window_route(void *opaque, unsigned core, u64 address);

// Whether it reaches another one anywhere: cpu_bus.has_routes.
bool addr_window_is_active(void *opaque);

// Offsets 0x2000-0x2fff of the I/O configuration space.
static inline struct reg_bank *addr_window_bank(struct addr_window *w)
{
    return &w->bank;
}
