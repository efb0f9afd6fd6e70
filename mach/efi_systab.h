// SPDX-License-Identifier: Apache-2.0
// What a directly booted kernel is told: an EFI system table with configuration tables for the
// memory map, the initrd, ACPI, SMBIOS and a random seed, and the command line (Linux:
// arch/loongarch/kernel/efi.c).
//
// There is no firmware behind it: the pointers to boot and runtime services are 0.
#pragma once

#include "base/types.h"
#include "base/err.h"

// Everything lies in one block of guest memory. The kernel keeps the first 2 MiB of RAM to itself.
#define EFI_BLOCK_BASE   0x10000ULL
#define EFI_BLOCK_SIZE   0x4000ULL
#define EFI_COMMAND_LINE 0x10000ULL // passed in a1
#define EFI_SYSTEM_TABLE 0x11000ULL // passed in a2

#define EFI_COMMAND_LINE_MAX 4096 // with its NUL
#define EFI_PAGE_SIZE        4096
#define EFI_MAX_RANGES       64

// Types of memory (UEFI 7.2).
enum efi_memory_type {
    EFI_RESERVED = 0,
    EFI_LOADER_DATA = 2,
    EFI_CONVENTIONAL = 7,
    EFI_ACPI_RECLAIM = 9,
};

struct efi_memory_range {
    enum efi_memory_type type;
    u64 base, size; // multiples of EFI_PAGE_SIZE
};

struct efi_boot_info {
    const char *command_line;
    u64 rsdp, smbios, fdt;                 // guest-physical addresses; 0: there is none
    u64 initrd_base, initrd_size;          // size 0: there is none
    bool has_seed;                         // there is a place for efi_systab_put_seed
    const struct efi_memory_range *ranges; // ascending
    size_t n_ranges;                       // at most EFI_MAX_RANGES
};

// Writes the block's EFI_BLOCK_SIZE bytes. False if the command line is too long.
bool efi_systab_build(u8 *block, const struct efi_boot_info *info, struct err *e);

// Random bytes that the kernel begins with. They are for one start: a block that is used again gets
// others.
#define EFI_SEED_SIZE 64
void efi_systab_put_seed(u8 *block, const u8 seed[EFI_SEED_SIZE]);
