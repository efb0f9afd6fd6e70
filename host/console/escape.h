// SPDX-License-Identifier: Apache-2.0
// The escape key of a terminal console, Ctrl-a, and the key that follows it.
#pragma once

#include "base/types.h"

#define ESCAPE_KEY 1 // Ctrl-a

struct escape {
    bool is_open; // the escape key came, the next key decides
    // A key that followed the escape key, other than the escape key itself.
    void (*pressed)(void *opaque, char key);
    void *opaque;
};

// Takes escape sequences out of the bytes, in place, and returns how many are left. An escape key
// pressed twice is one for the machine. Sequences may be cut anywhere between calls.
size_t escape_filter(struct escape *x, u8 *bytes, size_t n);
