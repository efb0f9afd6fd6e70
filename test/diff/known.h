// SPDX-License-Identifier: Apache-2.0
// Where the interpreter differs from the emulator on purpose, or cannot be compared with it.
#pragma once

#include "base/types.h"

// Why instructions of this op are left out, or NULL: they are tested.
const char *known_left_out(unsigned op);

// Differences that do not leave an instruction out, one sentence each; NULL at the end.
extern const char *const known_differences[];
