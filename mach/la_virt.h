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
    struct fw_cfg *fw_cfg;        // NULL without firmware
    struct mem_region dma_config; // one word that nothing in the machine heeds
    u32 dma_config_value;

    // What it boots. Buffers stay for resets.
    struct boot_file kernel_file, initrd_file;
    struct kernel_image kernel;
    struct acpi_tables acpi;
    struct bytes smbios;
    u8 *efi_block, *fdt;
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
// What a directly booted kernel begins its random numbers with, before each start.
void la_virt_renew_seed(struct machine *m);
// la_virt_firmware.c: puts firmware into flash 0, and what it wants to know into RAM and fw_cfg.
bool la_virt_boot_firmware(struct machine *m, struct err *e);
bool la_virt_has_firmware(const struct machine *m);
// Flash bank 0 or 1 with a file, or blank.
bool la_virt_add_flash(struct machine *m, unsigned bank, const char *file, bool is_readonly,
                       struct err *e);
void la_virt_show_interrupts(struct machine *m, struct text *to); // la_virt_show.c
void la_virt_free_boot(struct la_virt *v);
