// SPDX-License-Identifier: Apache-2.0
// The machine that the options describe, with sensible values where they say nothing.
#pragma once

#include "mach/machine.h"
#include "vmm/run_options.h"

struct run_config {
    struct machine_config machine;
    // What machine.netdevs and machine.devices point to: the user's and those of -nic.
    const char **netdevs, **devices;
    char **owned; // texts of ours among them
    size_t n_owned;
};

// Board, processors, memory, boot files, drives, devices and network; consoles, time, log and
// callbacks stay zero. The options are borrowed. On failure `free` is called as well.
bool run_config_fill(struct run_config *c, const struct run_options *o, struct err *e);
void run_config_free(struct run_config *c);

// Whether a machine gets a network card although nobody asked for one.
bool run_config_has_default_nic(const struct run_options *o);
