// SPDX-License-Identifier: Apache-2.0
// The parts of the board `virt`, between its files only.
#pragma once

#include "mach/acpi.h"
#include "mach/boot_file.h"
#include "mach/boot_image.h"
#include "mach/boot_rom.h"
#include "mach/efi_systab.h"
#include "mach/kernel_image.h"
#include "mach/machine.h"
#include "mach/smbios.h"

struct la_virt {
    struct ls3_chip *chip;
    struct pch_pic *pic;
    struct pcie_host *pci;
    struct ged *ged;
    struct mem_region dma_config; // one word that nothing in the machine heeds
    u32 dma_config_value;

    // What it boots. Buffers stay for resets.
    struct boot_file kernel_file, initrd_file;
    struct kernel_image kernel;
    struct acpi_tables acpi;
    struct bytes smbios;
    u8 *efi_block;
    struct boot_image image;
    struct boot_rom rom;
};

static inline struct la_virt *la_virt_of(struct machine *m)
{
    return m->board_state;
}

// RAM as ranges, ascending: one or two.
unsigned la_virt_memory(const struct machine *m, struct acpi_memory memory[2]);

// What firmware or a kernel is told about this machine; the caller frees them.
void la_virt_acpi(const struct machine *m, struct acpi_tables *t);
void la_virt_smbios(const struct machine *m, struct bytes *tables);
unsigned la_virt_n_cpus(const struct machine *m);

// la_virt_direct.c: places kernel, initrd and tables for a start without firmware.
bool la_virt_boot_kernel(struct machine *m, struct err *e);
void la_virt_free_boot(struct la_virt *v);
