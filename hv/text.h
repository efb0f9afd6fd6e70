// SPDX-License-Identifier: Apache-2.0
// Bytes and texts, as the hypervisor needs them: it has no C library.
#pragma once

#include "base/types.h"

#include <stdarg.h>

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

// %s %c %d %u %x and the last three with l; a number before the letter is a width, with 0 in front
// of it filled with zeros. Cuts what does not fit; the text always ends with NUL. Returns its
// length.
u32 text_format_list(char *to, u32 size, const char *format, va_list args);
__attribute__((format(printf, 3, 4))) u32 text_format(char *to, u32 size, const char *format, ...);
// Copies at most size - 1 bytes up to a NUL, and ends with NUL.
void text_copy(char *to, u32 size, const char *from);
