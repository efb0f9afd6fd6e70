// SPDX-License-Identifier: Apache-2.0
// The lists that `lh run` shows instead of running: --help, -machine help, -device NAME,help, ...
#pragma once

#include "vmm/run_options.h"

// True if the options ask for a list; it is printed then. False with *e set: an unknown device.
bool run_help(const struct run_options *o, struct err *e);
