// SPDX-License-Identifier: Apache-2.0
// Device-tree source, as much of it as descriptions of cells need: nodes, properties of numbers in
// <>, texts and bytes in [], comments. No labels, references, includes or expressions.
#pragma once

#include "base/err.h"
#include "base/types.h"

// Makes a flattened tree of the source; the caller frees it. NULL with a message "line 3: ...".
void *cell_dts_parse(const char *text, size_t size, size_t *fdt_size, struct err *e);
