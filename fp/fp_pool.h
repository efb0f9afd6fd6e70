// SPDX-License-Identifier: Apache-2.0
// Operands that find mistakes: the special values of each format, and random ones that fall near
// the borders far more often than uniform bits would. For tests of this folder and of every
// floating-point instruction.
#pragma once

#include "base/types.h"

// clang-format off
static const u16 fp_pool16[] = {
    0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x0401, 0x3800, 0x3bff,
    0x3c00, 0xbc00, 0x3c01, 0x3e00, 0x4000, 0xc000, 0x4248, 0x7800, 0x7bff, 0xfbff, 0x7c00,
    0xfc00, 0x7c01, 0xfc01, 0x7d00, 0x7dff, 0x7e00, 0xfe00, 0x7e01, 0xfe55, 0x7fff, 0xffff,
};

static const u32 fp_pool32[] = {
    // Zeros, subnormals, smallest normals.
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x00000002, 0x00000003, 0x003fffff, 0x00400000,
    0x80400001, 0x007ffffe, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x00800001, 0x00ffffff,
    0x01000000, 0x81000001,
    // Infinities; quiet and signalling NaNs, with and without payload.
    0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc00001, 0xffc54321, 0x7fffffff, 0xffffffff,
    0x7f800001, 0xff800001, 0x7f923456, 0xffa00000, 0x7fbfffff, 0xffbfffff,
    // Around one, one half and small integers.
    0x3f800000, 0xbf800000, 0x3f7fffff, 0xbf7fffff, 0x3f800001, 0xbf800001, 0x3f000000, 0xbf000000,
    0x3effffff, 0x3f000001, 0xbf000001, 0x3fc00000, 0xbfc00000, 0x3fbfffff, 0x40000000, 0xc0000000,
    0x40200000, 0xc0200000, 0x40400000, 0xc0400000, 0x3eaaaaab, 0x40490fdb, 0x41200000, 0xc2c80000,
    // The last halves, the last odd integers, the borders of the integer types.
    0x4a7fffff, 0xca7fffff, 0x4a800001, 0x4affffff, 0x4b000000, 0x4b7fffff, 0x4b800000, 0xcb800001,
    0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000, 0xcf800000, 0x5effffff,
    0x5f000000, 0xdf000000, 0xdf000001, 0x5f7fffff, 0x5f800000, 0xdf800000,
    // Borders of binary16: half its least, its least, its greatest, the first to overflow.
    0x33000000, 0xb3000001, 0x33800000, 0x33c00000, 0x387fc000, 0x387fe000, 0x387fefff, 0x387ff000,
    0x38800000, 0x477fe000, 0xc77fe000, 0x477fefff, 0x477ff000, 0xc77ff000, 0x47800000,
    // Products and quotients of these lie at the ends of the range.
    0x1f800000, 0x9fffffff, 0x20000000, 0x20000001, 0x5f3504f3, 0x5fb504f3, 0x0c800000, 0x34000000,
    0x34800000, 0x73800000, 0x7e800000, 0x7e7fffff, 0xfe800001, 0x7effffff, 0x7f000000, 0xff000000,
    0x7f7ffffe, 0x7f7fffff, 0xff7fffff,
    // Long runs and sparse significands.
    0x3faaaaaa, 0xbfd55555, 0x3f800800, 0x3f801000, 0xbffff800, 0x3fb504f3, 0x3fb504f4, 0x5d5e0b6b,
};

static const u64 fp_pool64[] = {
    // Zeros, subnormals, smallest normals.
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8000000000000001,
    0x0000000000000002, 0x0000000000000003, 0x0007ffffffffffff, 0x0008000000000000,
    0x8008000000000001, 0x000ffffffffffffe, 0x000fffffffffffff, 0x800fffffffffffff,
    0x0010000000000000, 0x8010000000000000, 0x0010000000000001, 0x001fffffffffffff,
    0x0020000000000000, 0x8020000000000001,
    // Infinities; quiet and signalling NaNs, with and without payload.
    0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000,
    0x7ff8000000000001, 0xfff8a54321000000, 0x7fffffffffffffff, 0xffffffffffffffff,
    0x7ff0000000000001, 0xfff0000000000001, 0x7ff23456789abcde, 0xfff4000000000000,
    0x7ff7ffffffffffff, 0xfff7ffffffffffff,
    // Around one, one half and small integers.
    0x3ff0000000000000, 0xbff0000000000000, 0x3fefffffffffffff, 0xbfefffffffffffff,
    0x3ff0000000000001, 0xbff0000000000001, 0x3fe0000000000000, 0xbfe0000000000000,
    0x3fdfffffffffffff, 0x3fe0000000000001, 0xbfe0000000000001, 0x3ff8000000000000,
    0xbff8000000000000, 0x3ff7ffffffffffff, 0x4000000000000000, 0xc000000000000000,
    0x4004000000000000, 0xc004000000000000, 0x4008000000000000, 0xc008000000000000,
    0x3fd5555555555555, 0x400921fb54442d18, 0x4024000000000000, 0xc059000000000000,
    // The last halves, the last odd integers, the borders of the integer types.
    0x432fffffffffffff, 0xc32fffffffffffff, 0x4330000000000000, 0x433fffffffffffff,
    0x4340000000000000, 0xc340000000000001, 0x41dfffffffc00000, 0x41dfffffffdfffff,
    0x41dfffffffe00000, 0x41dfffffffffffff, 0x41e0000000000000, 0xc1e0000000000000,
    0xc1e00000000fffff, 0xc1e0000000100000, 0xc1e0000000100001, 0xc1e0000000200000,
    0x41efffffffe00000, 0x41efffffffefffff, 0x41effffffff00000, 0x41f0000000000000,
    0x43dfffffffffffff, 0x43e0000000000000, 0xc3e0000000000000, 0xc3e0000000000001,
    0x43efffffffffffff, 0x43f0000000000000, 0xc3f0000000000000,
    // Borders of binary32: half its least, its least, its greatest, the first to overflow.
    0x3690000000000000, 0xb690000000000001, 0x36a0000000000000, 0x36a8000000000000,
    0x380fffffc0000000, 0x380fffffdfffffff, 0x380fffffe0000000, 0x380ffffff0000000,
    0xb80ffffff7ffffff, 0x3810000000000000, 0x47efffffe0000000, 0xc7efffffe0000000,
    0x47efffffefffffff, 0x47effffff0000000, 0xc7effffff0000000, 0x47f0000000000000,
    // Products and quotients of these lie at the ends of the range.
    0x1ff0000000000000, 0x9fffffffffffffff, 0x2000000000000000, 0x2000000000000001,
    0x5fe6a09e667f3bcd, 0x5ff6a09e667f3bcd, 0x0190000000000000, 0x3ca0000000000000,
    0x3cb0000000000000, 0x7e70000000000000, 0x7fd0000000000000, 0x7fcfffffffffffff,
    0xffd0000000000001, 0x7fdfffffffffffff, 0x7fe0000000000000, 0xffe0000000000000,
    0x7feffffffffffffe, 0x7fefffffffffffff, 0xffefffffffffffff,
    // Long runs and sparse significands.
    0x3ff5555555555555, 0xbffaaaaaaaaaaaaa, 0x3ff0000004000000, 0x3ff0000002000000,
    0xbffffffff8000000, 0x3ff6a09e667f3bcc, 0x3ff6a09e667f3bcd, 0x5d5e0b6b12345678,
};
// clang-format on

// A reproducible stream of operands. Seed it with any number.
struct fp_random {
    u64 state;
};

static inline u64 fp_random_bits(struct fp_random *r)
{
    r->state += 0x9e3779b97f4a7c15;
    u64 z = r->state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

// A fraction of `n` bits: uniform, a run of ones or zeros at either end, or a few single bits.
static inline u64 fp_random_fraction(struct fp_random *r, unsigned n)
{
    u64 bits = fp_random_bits(r), mask = (1ULL << n) - 1;
    unsigned at = bits >> 8 & 63;
    switch (bits >> 60 & 7) {
    case 0: return ~0ULL << at % n & mask;
    case 1: return mask >> at % n;
    case 2: return (1ULL << at % n | 1ULL << (bits >> 16 & 63) % n) & mask;
    case 3: return (0 - (1ULL << at % n) + (bits >> 16 & 3)) & mask;
    default: return bits & mask;
    }
}

// Exponent fields: uniform, at the ends, or within a few of the middle, so that sums cancel.
static inline u64 fp_random_exponent(struct fp_random *r, unsigned n)
{
    u64 bits = fp_random_bits(r), mask = (1ULL << n) - 1;
    u64 few = bits & 7;
    switch (bits >> 61) {
    case 0: return few;
    case 1: return mask - few;
    case 2:
    case 3: return (mask >> 1) - 3 + few;
    case 4: return (mask >> 1) - 32 + (bits & 63 & mask >> 1);
    default: return bits & mask;
    }
}

static inline u32 fp_random32(struct fp_random *r)
{
    u64 pick = fp_random_bits(r);
    if (!(pick >> 60))
        return fp_pool32[pick % ARRAY_LEN(fp_pool32)];
    u64 exponent = fp_random_exponent(r, 8);
    return (u32)((pick & 1) << 31 | exponent << 23 | fp_random_fraction(r, 23));
}

static inline u64 fp_random64(struct fp_random *r)
{
    u64 pick = fp_random_bits(r);
    if (!(pick >> 60))
        return fp_pool64[pick % ARRAY_LEN(fp_pool64)];
    u64 exponent = fp_random_exponent(r, 11);
    return pick << 63 | exponent << 52 | fp_random_fraction(r, 52);
}
