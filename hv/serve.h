// SPDX-License-Identifier: Apache-2.0
// The root cell's end of cells' virtio devices: the memory that a program there sees, the events
// that it is told, and the commands by which it answers. Nothing here waits for it.
#pragma once

#include "hv/cell.h"

// Any processor of the cell, with the lock of its PCI bus: a queue was notified, or the status of a
// device changed.
void serve_tell_kick(struct cell *c, const struct virtio_dev *d, u32 queue);
void serve_tell_change(struct cell *c, const struct virtio_dev *d);

// The rest: hv->lock held.

// Shows the cell's memory, but what it shares, in the BAR of served memory; `where` gets the place
// of each region, ~0: none. A program that was there before is replaced.
s32 serve_open(struct cpu *cpu, struct cell *c, u64 where[HV_N_REGIONS], struct why *w);
// Takes it away, and tells the program of a change. False: a flush failed, the memory must stay the cell's.
bool serve_close(struct cpu *cpu, struct cell *c);
// All memory that is served, into stage 2 of the root cell, where the BAR now is.
void serve_map(struct hv *hv);

// The commands about one device; args as in enum control_command.
s32 serve_set(struct cell *c, u64 slot, const struct control_virtio *t, struct why *w);
s32 serve_get(struct cell *c, u64 slot, struct control_virtio_state *out, struct why *w);
s32 serve_let_go(struct cell *c, u64 slot, u64 epoch, struct why *w);
s32 serve_broken(struct cell *c, u64 slot, struct why *w);

// The registers in BAR 0.
void serve_arm(struct hv *hv);
void serve_raise(struct hv *hv, u32 value);
