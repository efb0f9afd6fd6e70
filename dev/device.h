// SPDX-License-Identifier: Apache-2.0
// What every device has in common.
//
// A device is a struct that begins with `struct device`, and one descriptor, listed in devices.def.
// The board makes it (`device_new`), sets its properties from text, connects its wires and maps its
// regions, then realizes it. All callbacks run with the device lock held (mem/space.h), except
// `realize` and `free`, which run before and after the machine does.
// Devices do not know what runs the processors.
#pragma once

#include "base/types.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "mem/space.h"

struct backends;
struct device;
struct pci_bus;

enum shutdown_reason { SHUTDOWN_POWER_OFF, SHUTDOWN_RESET, SHUTDOWN_GUEST_PANIC };

// What a device may use of its machine. Borrowed by all devices; outlives them.
struct device_env {
    struct mem_space *mem;
    struct clock *clock;
    struct log *log;
    // Where PCI devices go; set by the PCI host (dev/pcie_host.h), NULL without one.
    struct pci_bus *pci;
    // What devices find by id, e.g. drive=ID (host/backends.h); NULL is as good as empty.
    struct backends *backends;
    // The guest asked for power-off or reset, or panicked (may be called from any callback).
    void (*shutdown)(void *opaque, enum shutdown_reason reason);
    void *opaque;
};

enum prop_kind { PROP_BOOL, PROP_U64, PROP_SIZE, PROP_STRING };

// A property is a field of the device's struct: `-device name,prop=value`.
struct device_prop {
    const char *name;
    enum prop_kind kind; // bool, u64, u64 with K M G suffixes, char * (owned)
    size_t offset;       // of the field
    const char *doc;
    const char *initial; // text, or NULL for the zeroed field
};

struct device_type {
    const char *name;                // as on the command line, e.g. "virtio-blk-pci"
    const char *doc;                 // one sentence
    size_t size;                     // of the device's struct
    const struct device_prop *props; // ends with a NULL name; may be NULL
    bool (*realize)(struct device *d, struct err *e); // properties are set; may be NULL
    void (*reset)(struct device *d);                  // to the power-on state; may be NULL
    void (*free)(struct device *d);                   // what realize allocated; may be NULL
    bool is_pluggable;                                // may be made with -device
};

struct device {
    const struct device_type *type;
    struct device_env *env; // borrowed
    char *id;               // owned; may be NULL
};

// Zeroed, with initial property values. Never NULL.
struct device *device_new(const struct device_type *type, struct device_env *env);
// "no property 'x'; has: a, b" or "property 'x': 'y' is not a size".
bool device_set(struct device *d, const char *prop, const char *value, struct err *e);
bool device_realize(struct device *d, struct err *e);
void device_reset(struct device *d);
void device_free(struct device *d); // accepts NULL and devices that were never realized

// Every type of devices.def; NULL if there is none of that name.
const struct device_type *device_type_find(const char *name);
const struct device_type *device_type_at(size_t index);
