// SPDX-License-Identifier: Apache-2.0
// A text that grows: what one part says at length and another shows. Zeroed it is empty.
#pragma once

#include "base/types.h"

struct text {
    char *bytes; // owned; NULL or terminated
    size_t n;    // without the terminator
    size_t size;
};

void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *t, const void *bytes, size_t n);
// Fills with blanks so that the next character has at least this column, counted from 0.
void text_pad(struct text *t, size_t column);
// The text; "" if there is none. Valid until the next call.
const char *text_string(const struct text *t);
void text_clear(struct text *t); // empty, its memory kept
void text_free(struct text *t);  // as zeroed
