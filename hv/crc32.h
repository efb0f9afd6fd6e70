// SPDX-License-Identifier: Apache-2.0
// CRC-32 as zlib computes it.
#pragma once

#include "base/types.h"

// Begin with crc 0; the result of one piece is the `crc` of the next.
u32 crc32_of(u32 crc, const void *data, size_t n);
