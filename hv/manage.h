// SPDX-License-Identifier: Apache-2.0
// The PCI function by which the root cell manages cells (include/longhouse/control.h).
#pragma once

#include "hv/hv.h"

struct manage;

// Shows the function to the root cell, in the configuration space at `ecam`; its memory may lie in
// [window, window + window_size), which the root cell otherwise sees as it is.
void manage_init(struct hv *hv, struct cell *root, u64 ecam, u64 window, u64 window_size);
// Both registers of configuration space and BAR 0; for tests too.
u64 manage_config_read(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size);
void manage_config_write(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size);
// Works on what the request asks for, one slice.
void manage_ring(struct cpu *cpu);
struct control_request *manage_request(struct hv *hv);
