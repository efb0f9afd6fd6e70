// SPDX-License-Identifier: Apache-2.0
// Puts programs into a cell's memory, through the window that the hypervisor opens.
#pragma once

#include "vmm/cell.h"
#include "vmm/cell_compile.h"

struct cell_boot {
    u64 entry, args[3]; // for CONTROL_START
    bool is_linux;
};

// The kernel, and for one that is an EFI image (Linux) also EFI tables, device tree, initrd and
// command line. Files that are not named are those of the description; `d` may be NULL.
bool cell_load_kernel(struct cell_job *j, u32 cell, const struct control_cell *info,
                      const struct cell_description *d, struct cell_boot *boot);
// Bytes of the cell's memory, which must lie in one of its regions.
bool cell_read_memory(struct cell_job *j, u32 cell, u32 generation, u64 gpa, u8 *to, size_t n);
bool cell_close_window(struct cell_job *j, u32 cell, u32 generation);
