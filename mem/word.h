// SPDX-License-Identifier: Apache-2.0
// Words of guest memory in the host's. Any thread may read and write them at any time: of a word that
// is aligned the others see all that was written or nothing, as of one access of a processor's.
#pragma once

#include "base/bits.h"

typedef u16 __attribute__((aligned(1), may_alias)) host_u16;
typedef u32 __attribute__((aligned(1), may_alias)) host_u32;
typedef u64 __attribute__((aligned(1), may_alias)) host_u64;

// `size` is 1, 2, 4 or 8: one access of the host's. Of other sizes bytes are.
static inline u64 mem_load_word(const u8 *host, unsigned size)
{
    switch (size) {
    case 1: return *(const volatile u8 *)host;
    case 2: return *(const volatile host_u16 *)host;
    case 4: return *(const volatile host_u32 *)host;
    case 8: return *(const volatile host_u64 *)host;
    default: return load_le(host, size);
    }
}

static inline void mem_store_word(u8 *host, u64 value, unsigned size)
{
    switch (size) {
    case 1: *(volatile u8 *)host = (u8)value; break;
    case 2: *(volatile host_u16 *)host = (u16)value; break;
    case 4: *(volatile host_u32 *)host = (u32)value; break;
    case 8: *(volatile host_u64 *)host = value; break;
    default: store_le(host, value, size);
    }
}
