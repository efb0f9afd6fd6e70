// SPDX-License-Identifier: Apache-2.0
// The order of boot devices as firmware reads it from fw_cfg: Open Firmware paths, one per line.
#pragma once

#include "mach/bytes.h"
#include "mach/machine.h"

// Appends the paths of m->boot_order and a final zero; nothing if there are none. Fails for devices
// from which firmware cannot boot.
bool boot_order_put(const struct machine *m, struct bytes *out, struct err *e);
