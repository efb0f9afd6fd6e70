// SPDX-License-Identifier: Apache-2.0
// Turns the user's -drive, -netdev, -nic and -device texts into back ends and devices.
#pragma once

#include "mach/machine.h"

// Fills m->backends and m->flash. Before devices.
bool plug_backends(struct machine *m, struct err *e);

// Makes the user's devices, and those that -nic and -drive if=virtio stand for. Fills
// m->boot_order. The board has made what they are plugged into.
bool plug_devices(struct machine *m, struct err *e);
