// SPDX-License-Identifier: Apache-2.0
// A workload of workloads.def: what its setup and its run have to keep.
//
// `run` does one unit of work, about a millisecond on a fast machine, and gives a checksum that
// must be the same on every correct machine and at every call: the sources are compiled for the
// guest and for the host, and neither may differ from the sum in the table. What is floating point
// is rounded to so many digits that only a wrong result changes it. `setup` makes what all units
// share; the program ends with it, so nothing frees it.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define NOINLINE __attribute__((noinline))

struct workload {
    const char *kind, *name, *doc;
    void *(*setup)(void);
    u64 (*run)(void *state);
    u64 n_ops; // of one unit: what the time is divided by
    u64 sum;
};

// setup of what needs none.
static inline void *none(void)
{
    return NULL;
}

// The next of a sequence of pseudo-random numbers; any state but 0 begins one.
static inline u64 next_random(u64 *state)
{
    u64 x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}

static inline u64 mix_in(u64 sum, u64 value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15;
    return sum ^ sum >> 29;
}

// A floating-point result with six digits after the point.
static inline u64 rounded(double value)
{
    return (u64)(s64)(value * 1e6 + (value < 0 ? -0.5 : 0.5));
}

// Memory that stays until the end; the program ends when there is none.
static inline void *get_memory(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!p)
        abort();
    return p;
}
