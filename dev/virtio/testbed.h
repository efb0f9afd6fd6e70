// SPDX-License-Identifier: Apache-2.0
// For tests: a machine without processors, and a virtio driver that works on it as a guest's would,
// through configuration space, registers and rings in RAM. Offsets and bits that the driver uses
// are those of the kernel's own headers.
#pragma once

#include "dev/pcie_host.h"
#include "dev/virtio/virtio.h"
#include "host/backends.h"
#include "base/test.h"

enum {
    BED_RAM = 1 << 20,         // at 0
    BED_HIGH_RAM = 0x80000000, // 64 KiB more
    BED_ECAM = 0x20000000,
    BED_DOORBELL = 0x2ff00000,
};

struct bed {
    struct mem_space mem;
    struct clock clock;
    _Atomic u64 now;
    struct log log;
    struct device_env env;
    struct backends backends;
    struct pcie_host *host;
    struct mem_region doorbell;
    _Atomic u32 n_messages[16]; // by message data
    _Atomic bool wires[PCI_N_INTX];
    struct device *devices[32];
    unsigned n_devices;
    u8 *ram; // host address of 0
};

void bed_init(struct bed *b);
void bed_free(struct bed *b);
// "virtio-blk-pci,drive=d0"; NULL with a message.
struct device *bed_device(struct bed *b, const char *text, struct err *e);
// Fires what is due.
void bed_run_timers(struct bed *b);

enum { RING_SIZE = 16, RING_DESC = 0, RING_AVAIL = 0x400, RING_USED = 0x800, RING_BYTES = 0x1000 };

struct ring {
    gpa_t gpa;
    unsigned size;
    u16 next_avail, next_used, next_desc;
};

struct driver {
    struct bed *bed;
    unsigned devfn;
    u64 common, notify, isr, config;
    u32 notify_multiplier;
    u64 features;
    bool uses_msix;
    unsigned n_rings;
    struct ring rings[VIRTIO_MAX_QUEUES];
};

// A piece of a buffer.
struct piece {
    u64 gpa;
    u32 size;
    bool is_write;
};

u64 driver_get(const struct driver *d, u64 address, unsigned size);
void driver_set(const struct driver *d, u64 address, u64 value, unsigned size);
u64 driver_config(const struct driver *d, unsigned devfn_offset, unsigned size);
void driver_set_config(const struct driver *d, unsigned offset, u64 value, unsigned size);
unsigned driver_find_cap(const struct driver *d, u8 id, unsigned after);

// Finds the function's capabilities and places its BARs. False after a failed check.
bool driver_probe(struct driver *d, struct bed *b, unsigned devfn);
// Reset, features (those of `wanted` that are offered), queues, DRIVER_OK.
bool driver_start(struct driver *d, u64 wanted, bool use_msix);
void driver_reset(struct driver *d);
u8 driver_status(const struct driver *d);

// Descriptors as a chain, made available; returns the head.
u16 driver_add(struct driver *d, unsigned queue, const struct piece *p, unsigned n);
void driver_kick(struct driver *d, unsigned queue);
// Raw access to the rings, for those who break them.
void driver_set_desc(struct driver *d, unsigned queue, unsigned i, u64 addr, u32 len, u16 flags,
                     u16 next);
void driver_make_available(struct driver *d, unsigned queue, u16 head);
// Waits up to five seconds for the next used buffer: its length, and *head. -1 if none came.
s64 driver_wait(struct driver *d, unsigned queue, u16 *head);
u16 driver_n_used(const struct driver *d, unsigned queue); // without waiting: not fetched yet
// Adds, kicks and waits.
s64 driver_do(struct driver *d, unsigned queue, const struct piece *p, unsigned n);
// Messages of a queue so far (MSI-X), or the level of its wire.
u32 driver_n_interrupts(const struct driver *d, unsigned queue);
