// SPDX-License-Identifier: Apache-2.0
#include "host/console/escape.h"

size_t escape_filter(struct escape *x, u8 *bytes, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        bool was_open = x->is_open;
        x->is_open = !was_open && bytes[i] == ESCAPE_KEY;
        if (x->is_open)
            continue;
        if (was_open && bytes[i] != ESCAPE_KEY)
            x->pressed(x->opaque, (char)bytes[i]);
        else
            bytes[left++] = bytes[i];
    }
    return left;
}
