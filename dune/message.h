// SPDX-License-Identifier: Apache-2.0
// Text from threads without a C library.
#pragma once

#include "base/types.h"

#include <stdarg.h>

struct line {
    char *at;
    u64 size, n; // n bytes are written, at most size - 1, and a zero
};

// Appends. Knows %s, %c, %d (int), %u (u64), %ld (s64), %x (u64, with 0x), %%.
void message_add(struct line *t, const char *format, ...);
void message_add_list(struct line *t, const char *format, va_list ap);

// A line on standard error, beginning with "lh enter: ".
void message(const char *format, ...);
