// SPDX-License-Identifier: Apache-2.0
#include "hv/crc32.h"

u32 crc32_of(u32 crc, const void *data, size_t n)
{
    const u8 *p = data;
    crc = ~crc;
    for (; n; n--) {
        crc ^= *p++;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}
