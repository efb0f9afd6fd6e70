// SPDX-License-Identifier: Apache-2.0
// The ACPI tables of the board `virt`, in the two forms in which they reach a guest: placed in
// memory for a kernel that is booted directly, or as files and commands for firmware (fw_cfg).
#pragma once

#include "base/types.h"
#include "mach/bytes.h"

#define ACPI_RSDP_SIZE    36
#define ACPI_MAX_TABLES   16
#define ACPI_MAX_POINTERS 24

// What differs between machines of this board.
struct acpi_board {
    unsigned n_cpus;
    struct acpi_memory {
        u64 base, size;
    } memory[2];
    unsigned n_memory;
    u32 serial_ports; // a bit for each that kernels are told of
};

// Where bytes depend on where the tables lie. Offsets are into `tables`, or into `rsdp`.
struct acpi_pointer {
    bool in_rsdp;
    u32 at;
    u8 size; // 4 or 8; holds an offset into `tables` until the tables are placed
};

struct acpi_checksum {
    bool in_rsdp;
    u32 at, start, size;
};

struct acpi_tables {
    struct bytes tables;
    u8 rsdp[ACPI_RSDP_SIZE];
    struct acpi_pointer pointers[ACPI_MAX_POINTERS];
    unsigned n_pointers;
    struct acpi_checksum checksums[ACPI_MAX_TABLES];
    unsigned n_checksums;
    // Offsets of the finished tables in `tables`, in the order of their making.
    u32 starts[ACPI_MAX_TABLES];
    unsigned n_tables;
};

// Pointers are offsets and checksums 0 afterwards: what firmware wants to get.
void acpi_build(struct acpi_tables *t, const struct acpi_board *board);
void acpi_free(struct acpi_tables *t);

// Makes the tables final for `tables` at guest-physical `base`. Once.
void acpi_place(struct acpi_tables *t, u64 base);

// The commands with which firmware does the same to its copies of the files "etc/acpi/tables" and
// "etc/acpi/rsdp"; contents of "etc/table-loader".
void acpi_loader_commands(const struct acpi_tables *t, struct bytes *out);
