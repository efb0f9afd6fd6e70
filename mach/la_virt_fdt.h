// SPDX-License-Identifier: Apache-2.0
// The device tree that firmware finds at VIRT_FDT_BASE: serial port, fw_cfg, flash, clock, PCI
// host, interrupt controllers, power registers, processors and memory. Kernels get ACPI from the
// firmware.
#pragma once

#include "base/types.h"

struct la_virt_fdt {
    unsigned n_cpus;
    struct la_virt_fdt_memory {
        u64 base, size;
    } memory[2];
    unsigned n_memory;
    const char *command_line; // NULL: none
};

// A flattened tree of *size bytes; the caller frees it.
u8 *la_virt_fdt_build(const struct la_virt_fdt *board, size_t *size);
