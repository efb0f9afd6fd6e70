// SPDX-License-Identifier: Apache-2.0
// All vector registers of a processor, to memory and from there.
#pragma once

#include "base/types.h"

// 32 registers of 256 bits.
static u64 vectors[32 * 4] __attribute__((aligned(32)));

// xvst and xvld by their words: the compiler must not use these registers by itself.
static inline void store_vectors(void)
{
    register u64 *a0 __asm__("a0") = vectors;
    __asm__ volatile(".set n, 0\n\t.rept 32\n\t.word 0x2cc00080 | (32 * n) << 10 | n\n\t"
                     ".set n, n + 1\n\t.endr" ::"r"(a0)
                     : "memory");
}

static inline void load_vectors(void)
{
    register u64 *a0 __asm__("a0") = vectors;
    __asm__ volatile(".set n, 0\n\t.rept 32\n\t.word 0x2c800080 | (32 * n) << 10 | n\n\t"
                     ".set n, n + 1\n\t.endr" ::"r"(a0)
                     : "memory");
}
