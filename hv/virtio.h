// SPDX-License-Identifier: Apache-2.0
// The registers of a cell's virtio devices (VIRTIO 1.2, section 4.1): everything that a driver
// reads or writes is answered here at once. What a device does is done by a program in the root
// cell, which is told of events (hv/serve.h) and reads the queues itself: no exit waits for it.
//
// The lock of the cell's PCI bus (struct vpci) is held, but for the power-on and the template,
// which are for cells that do not run.
#pragma once

#include "hv/hv.h"

enum { VIRTIO_NO_VECTOR = 0xffff, VIRTIO_CONFIG_CHANGE = 0xff };

// A driver has not got its device back after a reset until the program said that it let go of the
// queues, or this time is over.
#define VIRTIO_RESET_LIMIT_MS 2000

// Gives the slot what its program offers. Refused, with false, while a driver has something else.
bool virtio_set_template(struct virtio_dev *d, const struct control_virtio *t);
void virtio_power_on(struct virtio_dev *d);
void virtio_state(const struct virtio_dev *d, struct control_virtio_state *out);

// Registers by their offset in the BAR; size 1, 2 or 4, naturally aligned.
u32 virtio_read(struct cell *c, struct virtio_dev *d, u64 offset, unsigned size);
void virtio_write(struct cell *c, struct virtio_dev *d, u64 offset, u32 value, unsigned size);

// The program is to forget what the driver gave it. False: it need not, or has not done so in time.
bool virtio_is_resetting(struct cell *c, struct virtio_dev *d);
void virtio_ask_reset(struct cell *c, struct virtio_dev *d);
// It has.
void virtio_end_reset(struct virtio_dev *d, u32 epoch);
// Bits that devices may set in their status.
void virtio_need_reset(struct virtio_dev *d);
