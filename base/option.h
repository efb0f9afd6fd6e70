// SPDX-License-Identifier: Apache-2.0
// Texts like "virtio-blk-pci,drive=d0,serial=a,,b" as users write them: options between commas, a
// double comma for a comma within one.
#pragma once

#include "base/err.h"
#include "base/types.h"

// Cuts the next option off *rest, which becomes NULL after the last. The text is changed.
char *option_next(char **rest);

// Splits "name=value" in place; the value of "name" alone is "on", which is not to be
// written to.
char *option_value(char *option);

// "on", "yes", "true", "off", "no" or "false".
bool option_bool(const char *name, const char *value, bool *to, struct err *e);
