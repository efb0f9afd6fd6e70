// SPDX-License-Identifier: Apache-2.0
// Text on the console. Formats as in C: %d %u %x %c %s %p %%, with 0, a width, and l or ll.
#pragma once

#include <stdarg.h>

__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
void print_v(const char *format, va_list arguments);

// What the machine gives: one character to its console. Any processor, any translation mode.
void console_put(char c);
