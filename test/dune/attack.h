// SPDX-License-Identifier: Apache-2.0
// Between the files of the attacks on the monitor.
#pragma once

#include "base/types.h"
#include "test/dune/fails.h"

// A place of the monitor's that the host may write to.
u8 *target(void);
