// SPDX-License-Identifier: Apache-2.0
// Goes below a firmware that runs: its processor state becomes that of the root cell's first vCPU.
// Each architecture has its own. Interrupts are off from takeover_open on.
#pragma once

#include "hv/hv.h"

// What the firmware had where takeover_open has put something else.
struct takeover_kept {
    u64 window[4];
};

// The n-th line, from 0, of what the running processor has and how the firmware has set it up.
// Reads only. False: there are no more. For processors that can run guests.
bool takeover_show(u32 n, char *line, u32 size);
// Makes physical memory reachable as arch_memory says, beside all that the firmware uses. NULL, or
// why it cannot be done.
const char *takeover_open(struct takeover_kept *kept);
// Undoes it.
void takeover_close(const struct takeover_kept *kept);

// Called at its place in the hypervisor's image, with a stack and a return address that are the
// firmware's. Returns as the first vCPU of the root cell, which boot_make_root has made, with
// everything but that as it was before takeover_open. `cpu` is this processor.
void takeover_enter(struct cpu *cpu, const struct takeover_kept *kept);
