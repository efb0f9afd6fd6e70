// SPDX-License-Identifier: Apache-2.0
// The first line of a script, "#! interpreter argument", as the kernel reads it.
#pragma once

#include "base/types.h"

enum { SCRIPT_LINE = 256 };

struct script {
    char interpreter[SCRIPT_LINE], argument[SCRIPT_LINE]; // the argument may be empty
};

// False when the bytes are no script, or its line names no interpreter or does not end.
bool script_parse(struct script *s, const u8 *head, u64 size);
