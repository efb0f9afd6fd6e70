// SPDX-License-Identifier: Apache-2.0
// SMBIOS 3.0 tables: who made the machine, its processors and its memory, for banners and
// inventories.
#pragma once

#include "base/types.h"
#include "mach/bytes.h"

#define SMBIOS_ANCHOR_SIZE 24
#define SMBIOS_MAX_RANGES  2

struct smbios_board {
    const char *name;    // of the board
    const char *version; // of this program
    unsigned n_cpus;
    struct smbios_memory {
        u64 base, size;
    } memory[SMBIOS_MAX_RANGES];
    unsigned n_memory;
};

// Appends the structures to `tables`, which is empty.
void smbios_build(struct bytes *tables, const struct smbios_board *board);

// The entry point for tables of that size at guest-physical `address`.
void smbios_anchor(u8 anchor[SMBIOS_ANCHOR_SIZE], u64 address, size_t tables_size);
