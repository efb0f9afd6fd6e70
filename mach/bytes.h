// SPDX-License-Identifier: Apache-2.0
// A growing sequence of bytes, for tables that are written front to back.
#pragma once

#include "base/types.h"

struct bytes {
    u8 *data; // owned
    size_t size, capacity;
};

// Zeroed storage is an empty sequence. Running out of host memory is fatal.
void bytes_add(struct bytes *b, const void *data, size_t size);
void bytes_put(struct bytes *b, u64 value, unsigned n_bytes); // little-endian
void bytes_zero(struct bytes *b, size_t size);
// Moves what is at `at` and behind back by `size` bytes; the gap is zero.
void bytes_insert(struct bytes *b, size_t at, size_t size);
void bytes_align(struct bytes *b, size_t alignment);
void bytes_free(struct bytes *b);
