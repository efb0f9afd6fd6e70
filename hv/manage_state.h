// SPDX-License-Identifier: Apache-2.0
// What the two halves of the management function share.
#pragma once

#include "hv/hv.h"

#define MANAGE_N_BARS 4

struct manage_shared {
    struct control_request request;
    u8 rest[CONTROL_EVENTS - sizeof(struct control_request)];
    struct control_events events[HV_MAX_CELLS][CONTROL_MAX_SLOTS];
    u8 end[CONTROL_SHARED_SIZE - CONTROL_EVENTS -
           HV_MAX_CELLS * CONTROL_MAX_SLOTS * sizeof(struct control_events)];
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
    u8 served[CONTROL_SERVED_SIZE / HV_BLOCK]; // in BAR 3, by block: whose memory; 0: none
    u32 is_armed, has_event;                   // of the interrupt; atomically
    u32 line_register;

    // The command that is under way, copied from the request.
    struct control_request now;
    bool is_busy;
    u64 scrubbed;
};

// Brings stage 2 of the root cell in step with `shown`, and nothing else: programs may be using
// what the other BARs show. hv->lock held.
bool manage_show(struct cpu *cpu);
