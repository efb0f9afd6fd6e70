// SPDX-License-Identifier: Apache-2.0
// Virtio over PCI, modern only (VIRTIO 1.2, section 4.1): vendor 1af4, device 1040 + id.
//
// BAR 4 holds the registers: common configuration at 0, interrupt status at 0x1000, the device's
// configuration at 0x2000, notifications at 0x3000 + 4 * queue. BAR 1 holds MSI-X. A device type's
// struct begins with `struct virtio_pci`, its property list with VIRTIO_PCI_PROPS.
#pragma once

#include "dev/pci.h"
#include "dev/virtio/virtio.h"

struct virtio_pci {
    struct pci_device pci;
    struct virtio v;
    // Properties.
    bool wants_indirect, wants_event_idx, is_modern_only;

    u32 device_feature_half, driver_feature_half;
    u16 selected;
    u16 config_vector, vectors[VIRTIO_MAX_QUEUES];
    u8 isr;
    u8 window_cap; // offset of the capability that gives access by configuration space
};

#define VIRTIO_PCI_PROPS                                                          \
    PCI_PROPS(struct pci_device),                                                 \
        {"indirect_desc", PROP_BOOL, offsetof(struct virtio_pci, wants_indirect), \
         "whether to offer indirect descriptors", "on"},                          \
        {"event_idx", PROP_BOOL, offsetof(struct virtio_pci, wants_event_idx),    \
         "whether to offer event indexes", "on"},                                 \
    {                                                                             \
        "disable-legacy", PROP_BOOL, offsetof(struct virtio_pci, is_modern_only), \
            "always on: drivers older than virtio 1.0 are not served", "on"       \
    }

// After virtio_init and virtio_add_queue. class_code as in struct pci_ids. Errors as pci_realize.
bool virtio_pci_realize(struct virtio_pci *t, u32 class_code, struct err *e);
void virtio_pci_reset(struct virtio_pci *t);
// The device gives up what is in flight (its ops' reset) and leaves the bus.
void virtio_pci_free(struct virtio_pci *t);
