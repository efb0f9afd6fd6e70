// SPDX-License-Identifier: Apache-2.0
// Where the interpreter differs from the emulator on purpose, and why.
#pragma once

#include "base/types.h"

// The reason why results of this instruction may differ, or NULL.
const char *known_difference(u32 word);
