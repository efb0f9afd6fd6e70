// SPDX-License-Identifier: Apache-2.0
// The board that the hypervisor runs on: `virt` of our own machine and of QEMU.
#pragma once

#include "hv/hv.h"

#define PLAT_CHIP_PAGE  0x1fe00000ULL // chip configuration and serial ports
#define PLAT_ECAM       0x20000000ULL
#define PLAT_PCI_WINDOW 0x40000000ULL
#define PLAT_PCI_SIZE   0x40000000ULL

// Where the machine is of no use. May return if it cannot.
void plat_power_off(void);
// The vector of the interrupt controller that the root cell chose for the wire of the management
// function; 0: none yet.
u32 plat_management_vector(void);
// Shows the root cell what it may see of the chip's page: the serial ports.
void plat_add_root_devices(struct cell *root);
