// SPDX-License-Identifier: Apache-2.0
// For tests: a PCI function with a BAR of each kind, whose registers remember what was written.
#pragma once

#include "dev/pci.h"

enum { TOY_IO_BAR = 0, TOY_MEM32_BAR = 1, TOY_MEM64_BAR = 2, TOY_MSIX_BAR = 5, TOY_N_VECTORS = 4 };

struct pci_toy {
    struct pci_device pci;
    u8 io[16], mem32[4096], mem64[0x4000];
    unsigned n_master_on;
};

extern const struct device_type pci_toy_type;
