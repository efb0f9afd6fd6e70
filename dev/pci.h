// SPDX-License-Identifier: Apache-2.0
// One function of a PCI Express device: configuration space, BARs, INTx and MSI-X.
//
// A PCI device's struct begins with `struct pci_device`, its property list with PCI_PROPS, and its
// realize, reset and free call pci_realize, pci_reset and pci_free first. After pci_realize it adds
// BARs and capabilities; nothing is added once the machine runs. References to sections are to the
// PCI Express Base Specification 5.0 unless they say otherwise. Device lock held everywhere.
//
// A BAR answers only while the command register lets it, at the address that the guest wrote, and
// only inside the host's windows (dev/pci_bus.h).
#pragma once

#include "dev/device.h"

enum {
    PCI_CONFIG_SIZE = 4096,
    PCI_N_BARS = 6,
    PCI_MAX_MSIX = 128,
};

// Registers of a type 0 header, section 7.5.1.
enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09,
    PCI_CACHE_LINE = 0x0c,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_HEADER_END = 0x40,
    PCI_EXTENDED = 0x100,
};

enum {
    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_PARITY = 1 << 6,
    PCI_COMMAND_SERR = 1 << 8,
    PCI_COMMAND_INTX_OFF = 1 << 10,
    PCI_STATUS_INTX = 1 << 3,
    PCI_STATUS_CAPABILITIES = 1 << 4,
    PCI_STATUS_W1C = 0xf900,
};

enum { PCI_CAP_VENDOR = 0x09, PCI_CAP_EXPRESS = 0x10, PCI_CAP_MSIX = 0x11 };

// The fixed low bits of a BAR.
enum pci_bar_kind {
    PCI_BAR_MEM32 = 0x0,
    PCI_BAR_IO = 0x1,
    PCI_BAR_MEM64 = 0x4, // takes two BAR registers
    PCI_BAR_MEM64_PREFETCH = 0xc,
};

struct pci_bar {
    u64 size; // a power of two; 0: there is none
    enum pci_bar_kind kind;
    const struct mem_io_ops *ops;
    void *opaque;
};

struct pci_ids {
    u16 vendor, device, subsystem_vendor, subsystem;
    u32 class_code; // base class, subclass, interface: 0xccssii
    u8 revision;
};

struct pci_device;

struct pci_ops {
    // For capabilities with side effects: before a read, and after a write, of config[offset] on.
    void (*config_reads)(struct pci_device *p, unsigned offset, unsigned size);
    void (*config_written)(struct pci_device *p, unsigned offset, unsigned size);
    // Bus mastering went from off to on.
    void (*master_on)(struct pci_device *p);
};

struct pci_msix {
    u16 n_vectors; // 0: no MSI-X
    u8 cap;        // offset of the capability
    u32 pba_offset;
    u8 table[16 * PCI_MAX_MSIX];
    u64 pending[(PCI_MAX_MSIX + 63) / 64];
};

struct pci_bus;

struct pci_device {
    struct device d;
    // Properties.
    char *addr;     // "slot" or "slot.function", hexadecimal; NULL: the first free slot
    char *bus_name; // NULL or "pcie.0"
    bool is_multifunction;

    const struct pci_ops *ops; // may be NULL, and so may its members
    struct pci_bus *bus;       // borrowed; NULL while not on it
    u8 devfn;                  // slot << 3 | function
    u8 config[PCI_CONFIG_SIZE];
    u8 writable[PCI_CONFIG_SIZE];     // bits that a guest's write sets
    u8 write1_clear[PCI_CONFIG_SIZE]; // bits that writing 1 clears
    struct pci_bar bars[PCI_N_BARS];
    u8 last_cap, next_cap; // offset of the last capability, and of free space
    u16 last_ext_cap, next_ext_cap;
    u8 express_cap;   // offset, or 0
    bool intx_level;  // what the device wants
    bool intx_on_bus; // what the bus was told
    struct pci_msix msix;
};

#define PCI_PROPS(type)                                                                       \
    {"addr", PROP_STRING, offsetof(type, addr), "slot, or slot.function, hexadecimal", NULL}, \
        {"bus", PROP_STRING, offsetof(type, bus_name), "pcie.0", NULL},                       \
    {                                                                                         \
        "multifunction", PROP_BOOL, offsetof(type, is_multifunction),                         \
            "whether the slot has functions other than 0", NULL                               \
    }

// Fills the header and puts the function on env->pci. Fails if there is no such bus, if `addr` is
// wrong or taken, and if the bus is full.
bool pci_realize(struct pci_device *p, const struct pci_ids *ids, const struct pci_ops *ops,
                 struct err *e);
// Power-on state of everything here: BARs, command, MSI-X, INTx low.
void pci_reset(struct pci_device *p);
// Leaves the bus. Also for devices that were never realized.
void pci_free(struct pci_device *p);

// `size` is a power of two, at least 16 (memory) or 4 (I/O). `ops` must take 1, 2 and 4 bytes up to
// its max_size, and offsets are below `size`.
void pci_add_bar(struct pci_device *p, unsigned index, enum pci_bar_kind kind, u64 size,
                 const struct mem_io_ops *ops, void *opaque);

// Space for a capability of `size` bytes, header included; returns its offset. All of it reads as
// zero and is read-only, until the caller fills `config` and `writable`.
unsigned pci_add_capability(struct pci_device *p, u8 id, unsigned size);
unsigned pci_add_ext_capability(struct pci_device *p, u16 id, u8 version, unsigned size);

// Makes it a Root Complex Integrated Endpoint with function level reset, section 7.5.3.
void pci_add_express(struct pci_device *p);

// The function uses INTA. MSI-X replaces it while the guest has that switched on.
void pci_use_intx(struct pci_device *p);
void pci_set_intx(struct pci_device *p, bool level);

// BAR `bar` becomes a 32-bit memory BAR with the vector table and the pending bits.
void pci_add_msix(struct pci_device *p, unsigned bar, unsigned n_vectors);
bool pci_msix_is_on(const struct pci_device *p);
// Sends the vector's message, or remembers it while the vector is masked. Vectors that do not exist
// are ignored: guests choose them.
void pci_msix_send(struct pci_device *p, unsigned vector);

// May the function read and write memory?
bool pci_is_master(const struct pci_device *p);

// Guest's accesses: size 1, 2 or 4, offset a multiple of it.
u32 pci_config_read(struct pci_device *p, unsigned offset, unsigned size);
void pci_config_write(struct pci_device *p, unsigned offset, u32 value, unsigned size);

// An access to BAR `index` that does not come through the host's windows: size 1, 2 or 4, offset a
// multiple of it. Where there is nothing, all ones are read.
u64 pci_bar_read(struct pci_device *p, unsigned index, u64 offset, unsigned size);
void pci_bar_write(struct pci_device *p, unsigned index, u64 offset, u64 value, unsigned size);

// Between the files of this folder only: capability of dev/pci_msix.c.
void pci_msix_reset(struct pci_device *p);
// Sends what became deliverable after a change of masks or of bus mastering.
void pci_msix_flush(struct pci_device *p);
