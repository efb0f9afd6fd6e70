// SPDX-License-Identifier: Apache-2.0
// Numbers that look random and are the same in every run (xorshift64*).
#pragma once

#include "base/types.h"

struct random {
    u64 state; // not 0
};

static inline u64 random_next(struct random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1dULL;
}

// 0 to n-1.
static inline u64 random_below(struct random *r, u64 n)
{
    return (random_next(r) >> 16) % n;
}
