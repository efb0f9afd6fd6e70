// SPDX-License-Identifier: Apache-2.0
// Checks descriptions of cells (include/longhouse/cell_blob.h). Pure: no state, nothing but the
// bytes. The same code runs in the tool that makes them, and refuses there with the same words.
#pragma once

#include "base/types.h"
#include "include/longhouse/cell_blob.h"

struct blob {
    const struct cell_blob *head;
    const struct cell_blob_cpu *cpus;
    const struct cell_blob_memory *memory;
    const struct cell_blob_device *devices;
};

// `data` is aligned to 8 bytes and must not change while the blob is used. On false, `why` (of
// `why_size` bytes) says what is wrong.
bool blob_check(struct blob *b, const void *data, size_t size, char *why, u32 why_size);
