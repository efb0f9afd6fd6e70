// SPDX-License-Identifier: Apache-2.0
// Between the files of the attacks on the monitor.
#pragma once

#include "base/types.h"

// A place of the monitor's that the host may write to.
u8 *target(void);

#define REFUSED(call, error)      \
    do {                          \
        errno = 0;                \
        CHECK_EQ((call), -1);     \
        CHECK_EQ(errno, (error)); \
    } while (0)
