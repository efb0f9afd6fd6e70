// SPDX-License-Identifier: Apache-2.0
// Something that may end in a signal, and what the handler was told.
#pragma once

#include "base/types.h"

#include <signal.h>

struct trial {
    int signal, code; // signal 0: it went well
    void *address;
};

struct trial trial_read(volatile u8 *at);
struct trial trial_write(volatile u8 *at); // writes 1
struct trial trial_call(const void *code);
// Any function.
struct trial trial_of(void (*act)(void *), void *opaque);
