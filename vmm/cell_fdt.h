// SPDX-License-Identifier: Apache-2.0
// The device tree that a Linux kernel in a cell is started with, made of the cell's description.
#pragma once

#include "include/longhouse/cell_blob.h"

#include <stddef.h>

// The caller frees it.
void *cell_fdt_build(const struct cell_blob *cell, const char *command_line, size_t *size);
