// SPDX-License-Identifier: Apache-2.0
// What this program remembers of a cell between its commands, in /run/longhouse: the description,
// and what was loaded.
#pragma once

#include "vmm/cell_compile.h"
#include "vmm/cell_load.h"

struct cell_record {
    u32 generation; // a record of a predecessor is none
    u32 is_loaded;
    struct cell_boot boot;
    struct cell_description description;
};

// Failing to write is no reason to fail: it is told when the record is missed.
void cell_record_write(const struct cell_record *r);
// False: there is none of this life of the cell.
bool cell_record_read(struct cell_record *r, const char *name, u32 generation);
void cell_record_remove(const char *name);
