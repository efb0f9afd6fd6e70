// SPDX-License-Identifier: Apache-2.0
// The EFI tables that a kernel is started with, as they are handed on to the root cell's: changed
// in place, in memory that the root cell gets.
#pragma once

#include "base/types.h"

#define BOOT_MAX_RANGES 64

struct boot_range {
    u64 base, size;
    u32 type; // EFI's; 0 is reserved
};

struct boot_tables {
    u8 *map, *initrd; // within the tables; NULL: there is none
    u32 n;
    struct boot_range ranges[BOOT_MAX_RANGES]; // ascending
};

// Finds the memory map and the initrd in the system table at physical address `systab`. False: it
// is no table with a map that can be read.
bool boot_tables_read(struct boot_tables *t, u64 systab);
// Adds a range that overlaps none, in any order; neighbours of the same type are joined. False:
// there is no room for more ranges.
bool boot_tables_add(struct boot_tables *t, u64 base, u64 size, u32 type);
// Marks a range as reserved, which splits others. False: there is no room for more ranges.
bool boot_tables_reserve(struct boot_tables *t, u64 base, u64 size);
// Writes the map back, and where the initrd is; size 0: there is none.
void boot_tables_write(struct boot_tables *t, u64 initrd, u64 initrd_size);
