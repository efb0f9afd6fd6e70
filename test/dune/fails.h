// SPDX-License-Identifier: Apache-2.0
// A system call that has to fail with one error.
#pragma once

#include "base/test.h"

#include <errno.h>

// Its result may be a pointer.
#define FAILS(call, error)         \
    do {                           \
        errno = 0;                 \
        CHECK_EQ((s64)(call), -1); \
        CHECK_EQ(errno, (error));  \
    } while (0)
