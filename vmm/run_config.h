// SPDX-License-Identifier: Apache-2.0
// The machine that the options describe, with sensible values where they say nothing.
#pragma once

#include "mach/machine.h"
#include "vmm/run_options.h"

// Board, processors, memory, boot files, drives, devices and networks; consoles, time, log and
// callbacks stay zero. The options are borrowed.
bool run_config_fill(struct machine_config *c, const struct run_options *o, struct err *e);

// Whether a machine gets a network card although nobody asked for one.
bool run_config_has_default_nic(const struct run_options *o);
