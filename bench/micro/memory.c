// SPDX-License-Identifier: Apache-2.0
// The C library's functions on memory and strings, which choose vectors by what the processor has.
#include "bench/micro/workload.h"

#include <string.h>

// The compiler shall not see what is called.
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile fill)(void *, int, size_t) = memset;
static size_t (*volatile length)(const char *) = strlen;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;

enum { BIG = 1 << 18 };

void *memory_setup(void)
{
    u8 *p = get_memory(2 * BIG + 64);
    u64 random = 3;
    for (u32 i = 0; i < 2 * BIG; i++)
        p[i] = (u8)(next_random(&random) | 1);
    return p;
}

u64 memcpy_big_run(void *state)
{
    u8 *p = state;
    for (int i = 0; i < 100; i++)
        copy(p + BIG, p + (i & 7), BIG - 8);
    return p[BIG] + p[2 * BIG - 9] * 256u;
}

// Sizes and places as programs have them: short and not aligned.
u64 memcpy_small_run(void *state)
{
    u8 *p = state;
    u64 random = 41, sum = 0;
    for (int i = 0; i < 100000; i++) {
        u64 r = next_random(&random);
        copy(p + BIG + (r >> 8 & 0xfff), p + (r >> 20 & 0xfff), (r & 0x7f) + 1);
        sum += p[BIG + (r >> 8 & 0xfff)];
    }
    return sum;
}

u64 memset_run(void *state)
{
    u8 *p = (u8 *)state + BIG;
    for (int i = 0; i < 100; i++)
        fill(p, i + 1, 1 << 17);
    return p[0] + p[(1 << 17) - 1] * 256u;
}

u64 strlen_run(void *state)
{
    char text[4096];
    u64 random = 43, sum = 0;
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 50000; i++) {
        u32 end = (u32)(next_random(&random) >> 30) & 0x1ff;
        text[end] = 0;
        sum += length(text + (end > 15 ? i & 15 : 0));
        text[end] = 'x';
    }
    return sum;
}

u64 memcmp_run(void *state)
{
    u8 *p = state;
    u64 sum = 0;
    memcpy(p + BIG, p, 4096);
    for (u32 i = 0; i < 30000; i++) {
        p[BIG + (i & 0xfff)] ^= 0xff;
        sum += compare(p, p + BIG, 1024) != 0;
        p[BIG + (i & 0xfff)] ^= 0xff;
    }
    return sum;
}
