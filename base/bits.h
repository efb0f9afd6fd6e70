// SPDX-License-Identifier: Apache-2.0
// Bit fields as manuals write them: [high:low], both ends included.
#pragma once

#include "base/types.h"

#define BIT(n) (1ULL << (n))

// A mask with bits high..low set, 63 >= high >= low.
#define BITS(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))

static inline u64 bits_get(u64 value, unsigned high, unsigned low)
{
    return (value & BITS(high, low)) >> low;
}

// `value` with bits high..low replaced by the low bits of `field`.
static inline u64 bits_set(u64 value, unsigned high, unsigned low, u64 field)
{
    u64 mask = BITS(high, low);
    return (value & ~mask) | ((field << low) & mask);
}

// Bit n-1 of `value` copied into all higher bits, 1 <= n <= 64.
static inline s64 sign_extend(u64 value, unsigned n)
{
    return (s64)(value << (64 - n)) >> (64 - n);
}

static inline bool is_pow2(u64 value)
{
    return value && !(value & (value - 1));
}

// `align` is a power of two.
static inline u64 align_up(u64 value, u64 align)
{
    return (value + align - 1) & ~(align - 1);
}

static inline u64 align_down(u64 value, u64 align)
{
    return value & ~(align - 1);
}

// Little- and big-endian fields in byte buffers of any alignment.
static inline u64 load_le(const u8 *p, unsigned n_bytes)
{
    u64 v = 0;
    for (unsigned i = 0; i < n_bytes; i++)
        v |= (u64)p[i] << (8 * i);
    return v;
}

static inline void store_le(u8 *p, u64 value, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++)
        p[i] = (u8)(value >> (8 * i));
}

static inline u64 load_be(const u8 *p, unsigned n_bytes)
{
    u64 v = 0;
    for (unsigned i = 0; i < n_bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static inline void store_be(u8 *p, u64 value, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++)
        p[i] = (u8)(value >> (8 * (n_bytes - 1 - i)));
}
