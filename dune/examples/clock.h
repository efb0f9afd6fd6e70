// SPDX-License-Identifier: Apache-2.0
// Times for the examples, each of which compares guest mode with the host's way of doing the same.
// Neighbours take time away and never give any, so the best of many short rounds is told.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <time.h>

// The status that says that there is nothing to measure here.
enum { CLOCK_SKIPPED = 77 };

static inline uint64_t clock_now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

// Nanoseconds per item of the best of `rounds` calls, each of which does `n` items.
static inline double clock_best(void (*act)(void *), void *opaque, int rounds, int n)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < rounds; i++) {
        uint64_t start = clock_now();
        act(opaque);
        uint64_t took = clock_now() - start;
        best = took < best ? took : best;
    }
    return (double)best / n;
}

static inline void clock_tell(const char *what, double guest, const char *host_way, double host)
{
    printf("%-44s %10.1f ns in guest mode, %10.1f ns by %s: %.2f times as fast\n", what, guest,
           host, host_way, host / guest);
}
