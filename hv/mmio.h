// SPDX-License-Identifier: Apache-2.0
// Accesses of a cell to addresses that are not mapped: to the device that it is shown there.
#pragma once

#include "hv/hv.h"

struct access {
    u64 gpa, value; // of a load: filled in, zero-extended
    u8 size;        // 1, 2, 4, 8
    bool is_write;
};

// False: there is nothing at that address.
bool mmio_access(struct cpu *cpu, struct access *a);
// Registers that are not there: reads give all ones, writes nothing.
void mmio_add_absent(struct cell *c, u64 gpa, u64 size);
// Counts an access that nobody answers, for `lh cell stats --unknown`.
void mmio_note_unknown(struct hv *hv, u64 address);
