// SPDX-License-Identifier: Apache-2.0
// Text from threads without a C library.
#pragma once

#include "base/types.h"

#include <stdarg.h>

struct text {
    char *at;
    u64 size, n; // n bytes are written, at most size - 1, and a zero
};

// Appends. Knows %s, %c, %d (int), %u (u64), %ld (s64), %x (u64, with 0x), %%.
void text_add(struct text *t, const char *format, ...);
void text_add_list(struct text *t, const char *format, va_list ap);

// A line on standard error, beginning with "lh enter: ".
void message(const char *format, ...);
