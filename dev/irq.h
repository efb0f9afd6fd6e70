// SPDX-License-Identifier: Apache-2.0
// A wire from an output of one device to a numbered input of another. Device lock held.
#pragma once

#include "base/types.h"

struct irq {
    void (*set)(void *opaque, unsigned pin, bool level); // NULL: not connected
    void *opaque;
    unsigned pin;
};

static inline void irq_set(const struct irq *i, bool level)
{
    if (i->set)
        i->set(i->opaque, i->pin, level);
}
