// SPDX-License-Identifier: Apache-2.0
// The command line of the payload: words and name=value pairs, separated by spaces.
#pragma once

#include "base/types.h"

// Start-up code calls it once, before main. The text is copied.
void args_init(const char *command_line);

bool args_has(const char *word);
// The decimal number after `name=`, or `missing`.
u64 args_number(const char *name, u64 missing);
// True if `name=value` is given.
bool args_is(const char *name, const char *value);
