// SPDX-License-Identifier: Apache-2.0
// Mistakes on the command line that show before anything is opened or built.
#pragma once

#include "vmm/run_options.h"

// False with a message that names the option. Reads no files and changes nothing.
// "no device NAME", with the nearest one. Returns false.
bool run_no_device(const char *name, struct err *e);

bool run_check(const struct run_options *o, struct err *e);
