// SPDX-License-Identifier: Apache-2.0
// What went wrong, told to a person.
//
// Only for faults of the user's (files, options, sizes). The function that finds the fault fills
// `struct err`; each caller on the way up may put its own context in front; main prints it once
// and exits with status 1. I/O faults inside devices are plain negative errno values instead.
#pragma once

#include "base/types.h"

struct err {
    char text[512]; // one line, no newline; empty while nothing went wrong
};

// Writes the message and returns false, so that a function can `return err_set(...)`.
bool err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts "context: " in front of the message, e.g. "drive disk0". Returns false.
bool err_context(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool err_is_set(const struct err *e)
{
    return e->text[0] != 0;
}
