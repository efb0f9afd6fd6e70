// SPDX-License-Identifier: Apache-2.0
// The PCI bus of a cell: virtio functions in slots 1 to 7, each with one memory BAR, an interrupt
// wire and MSI-X. Configuration space is that of Loongson's host bridges: slot << 11 | register.
#pragma once

#include "hv/hv.h"

// A window of CELL_PCI_SIZE bytes at `gpa`: configuration space, and from VPCI_BARS on the BARs.
// The wire of slot n is vector + n.
void vpci_add(struct cell *c, u64 gpa, u32 vector);
// All functions as after power-on. The cell does not run.
void vpci_power_on(struct cell *c);
// Asks for the reset of all devices whose queues may be in use. True: one has still to answer.
bool vpci_quiesce(struct cell *c);
// An interrupt of a device's: for a queue, or VIRTIO_CONFIG_CHANGE. Any processor.
void vpci_raise(struct cell *c, u32 slot, u32 queue);
