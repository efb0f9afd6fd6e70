// SPDX-License-Identifier: Apache-2.0
// Mistakes on the command line that show before anything is opened or built.
#pragma once

#include "vmm/run_options.h"

// "no device NAME", with the nearest one. Returns false.
bool run_no_device(const char *name, struct err *e);

// False with a message that names the option. Changes nothing.
bool run_check(const struct run_options *o, struct err *e);
