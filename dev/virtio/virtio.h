// SPDX-License-Identifier: Apache-2.0
// A virtio device without its transport (VIRTIO 1.2, section 2): features, status, configuration
// and queues. The transport (virtio_pci.h) sits in front and calls virtio_*; the device (blk.c,
// net.c, ...) sits behind and is called through `struct virtio_ops`.
//
// Only "version 1" drivers are served. A driver that breaks a ring, or writes what it may not,
// gets DEVICE_NEEDS_RESET, and nothing happens until it resets the device. Device lock held.
#pragma once

#include "dev/device.h"
#include "dev/virtio/virtq.h"

enum { VIRTIO_MAX_QUEUES = 8, VIRTIO_MAX_CONFIG = 64, VIRTIO_NO_VECTOR = 0xffff };

enum virtio_id { VIRTIO_ID_NET = 1, VIRTIO_ID_BLK = 2, VIRTIO_ID_CONSOLE = 3, VIRTIO_ID_RNG = 4 };

// Feature bits that are not a device's own.
enum {
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_VERSION_1 = 32,
};

enum {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 0x40,
    VIRTIO_FAILED = 0x80,
};

struct virtio;

struct virtio_ops {
    const char *name; // for the log
    u16 id;           // enum virtio_id
    // The driver made buffers available, maybe. Never before DRIVER_OK.
    void (*kick)(struct virtio *v, unsigned queue);
    // DRIVER_OK was set; kicks follow. May be NULL.
    void (*start)(struct virtio *v);
    // Give up everything in flight: after this, guest memory is not touched. May be NULL.
    void (*reset)(struct virtio *v);
    // The driver wrote config[offset]; without this, configuration is read-only.
    void (*config_write)(struct virtio *v, unsigned offset, u32 value, unsigned size);
};

// How the device reaches the driver.
struct virtio_transport {
    void (*interrupt)(struct virtio *v, unsigned queue);
    void (*config_interrupt)(struct virtio *v);
    bool (*may_dma)(const struct virtio *v);
};

struct virtio {
    const struct virtio_ops *ops;
    const struct virtio_transport *transport;
    struct device_env *env; // borrowed
    u64 offered, accepted;  // features
    u8 status;
    u8 config[VIRTIO_MAX_CONFIG]; // fixed while the machine runs
    unsigned config_size;
    unsigned n_queues;
    u32 to_kick;        // queues that virtio_serve left with work
    struct timer again; // kicks them
    struct virtq queues[VIRTIO_MAX_QUEUES];
};

// The device's part of making one: `features` are its own bits.
void virtio_init(struct virtio *v, const struct virtio_ops *ops, struct device_env *env,
                 u64 features);
// Queue number 0, 1, ... in the order of calls. size is a power of two up to VIRTQ_MAX_SIZE.
void virtio_add_queue(struct virtio *v, unsigned size);

static inline bool virtio_has(const struct virtio *v, unsigned feature)
{
    return v->accepted >> feature & 1;
}

// Gives the waiting buffers of a queue to `serve`, one by one. `serve` returns false to leave its
// buffer, and all after it, in the queue for a later kick. A driver that fills the queue as fast as
// it is emptied does not keep us here: the rest follows from a timer.
void virtio_serve(struct virtio *v, unsigned queue,
                  bool (*serve)(struct virtio *v, unsigned queue, const struct virtq_buffer *b));

// As if the driver had kicked again, soon.
void virtio_kick_later(struct virtio *v, unsigned queue);

// The next buffer of a queue; false if there is none, the device is not running, or the driver
// broke the queue.
bool virtio_pop(struct virtio *v, unsigned queue, struct virtq_buffer *b);
// Hands one buffer back, and interrupts if the driver wants that.
void virtio_push(struct virtio *v, unsigned queue, u16 head, u32 written);
// After virtq_push or virtq_flush by hand.
void virtio_interrupt(struct virtio *v, unsigned queue);
// The driver did something that cannot be answered.
void virtio_fail(struct virtio *v, const char *why);
bool virtio_is_running(const struct virtio *v);

// For transports.
void virtio_reset(struct virtio *v);
void virtio_set_status(struct virtio *v, u8 status);
// Accepted features, 32 bits at a time; other halves are ignored.
void virtio_set_features(struct virtio *v, u32 half, u32 bits);
void virtio_enable_queue(struct virtio *v, unsigned queue);
void virtio_kick(struct virtio *v, unsigned queue);
void virtio_kick_all(struct virtio *v);
