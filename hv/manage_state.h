// SPDX-License-Identifier: Apache-2.0
// What the two halves of the management function share.
#pragma once

#include "hv/hv.h"

#define MANAGE_N_BARS 3

struct manage_shared {
    struct control_request request;
    u8 rest[CONTROL_SHARED_SIZE - sizeof(struct control_request)];
} __attribute__((aligned(HV_PAGE_SIZE)));

struct manage {
    struct manage_shared *shared; // the root cell writes it at any time
    u64 shared_pa;
    u64 window, window_size;
    u32 command, bar[MANAGE_N_BARS];
    u64 mapped[MANAGE_N_BARS]; // where each BAR is in stage 2; 0: nowhere
    struct vdev *vdev[MANAGE_N_BARS];
    struct region shown; // of a cell, in BAR 2; size 0: nothing
    u32 shown_cell;

    // The command that is under way, copied from the request.
    struct control_request now;
    bool is_busy;
    u64 scrubbed;
};

// Brings stage 2 of the root cell in step with command, BARs and `shown`. hv->lock held.
bool manage_remap(struct cpu *cpu);
