// SPDX-License-Identifier: Apache-2.0
// What a new program finds on its stack: arguments, environment, auxiliary vector. Built in a
// buffer for the addresses at which it will be.
#pragma once

#include "base/types.h"

struct stack_word {
    u64 type, value;
};

struct stack {
    char *const *arguments, *const *environment; // end with NULL
    const char *file;                            // AT_EXECFN
    const u8 *random;                            // 16 bytes
    const struct stack_word *words;              // AT_EXECFN, AT_RANDOM, AT_PLATFORM are added
    u32 n_words;
};

// Writes to the end of [buffer, buffer + size), which will be at [at, at + size). The stack pointer
// to start with, 16-aligned, or 0 when it does not fit. `text` is where the texts
// of the arguments begin, and those of the environment behind them.
u64 stack_build(const struct stack *s, u8 *buffer, u64 size, u64 at, u64 text[2]);
