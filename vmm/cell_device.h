// SPDX-License-Identifier: Apache-2.0
// A device of a cell as the program that serves it has it: the machine's own model of a virtio
// device, on memory of the cell. Its registers are the hypervisor's; what a driver wrote there is
// followed here. The device lock is held, but for making and freeing it.
#pragma once

#include "base/err.h"
#include "dev/virtio/virtio_pci.h"
#include "include/longhouse/control.h"

struct cell_device {
    u8 slot; // 0: not in use
    struct device *d;
    struct virtio *v; // within it
    u32 epoch;        // of the queues that it uses
    bool is_running;
    bool is_broken; // and somebody has to be told
    u32 kicks[CONTROL_MAX_QUEUES], changes;
    // Its driver is to be interrupted: for a queue, or 0xff.
    void (*raise)(void *opaque, unsigned slot, unsigned queue);
    void *opaque;
};

// Makes the device that `type` says, with properties "name=value,..."; a PCI host is on the bus of
// `env`. The device finds itself again in the list at env->opaque (struct cell_devices).
struct cell_devices {
    struct cell_device slot[CONTROL_MAX_SLOTS];
};

bool cell_device_make(struct cell_devices *all, unsigned slot, const char *type,
                      const char *properties, struct device_env *env, struct err *e);
void cell_device_free(struct cell_device *d);

// What a driver is offered.
void cell_device_template(const struct cell_device *d, struct control_virtio *t);
// Does what the registers say now. True: it has let go of the queues, and that has to be told.
// Every value may be anything.
bool cell_device_follow(struct cell_device *d, const struct control_virtio_state *s);
// Looks for events that were not seen yet. True: the registers have to be followed.
bool cell_device_poll(struct cell_device *d, const volatile struct control_events *e);
