// SPDX-License-Identifier: Apache-2.0
// One machine: a board with its memory, processors and devices, built from a configuration.
//
//     machine_new -> (threads run m->cpus[i] with cpu_run) -> machine_reset -> ... -> machine_free
//
// The caller owns time, the log and the threads. The machine owns everything else. It knows nothing
// about what runs the processors: they are made by the caller's `cpu_new`.
#pragma once

#include "base/types.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "cpu/cpu.h"
#include "dev/device.h"
#include "host/backends.h"
#include "mem/space.h"

struct board;
struct text;    // base/text.h
struct console; // host/console/console.h
struct loop;    // host/loop.h

#define MACHINE_MAX_CPUS    64
#define MACHINE_N_SERIALS   4
#define MACHINE_N_FLASH     2
#define MACHINE_MAX_DEVICES 128

struct machine_chardev {
    const char *id;
    struct console *console;
};

// Interrupt controllers that what runs the processors brings along, in place of those of the chip
// and the bridge. set_pin and send_vector fit struct irq; the device lock is held.
struct machine_irqchip {
    void *opaque;
    // Before any processor is made. The bridge's controller has its registers at `pic_base`.
    bool (*make)(void *opaque, unsigned n_cpus, gpa_t pic_base, struct err *e);
    void (*set_pin)(void *opaque, unsigned pin, bool level); // of the bridge
    void (*send_vector)(void *opaque, unsigned vector, bool level);
};

// What the user asked for. Every pointer is borrowed until machine_free, strings included.
struct machine_config {
    const char *board; // NULL: "virt"
    unsigned n_cpus;   // 0: 1
    u64 ram_size;      // 0: the board's choice
    u64 ipi_delay_ns;  // of interrupts between processors, at most

    // Paths, or NULL. `bios` is an image for flash 0; with it, a kernel is handed to the firmware.
    // Without `bios` and without a flash 0, the kernel is entered directly.
    const char *kernel, *initrd, *bios;
    const char *append; // command line; NULL: empty

    struct console *serials[MACHINE_N_SERIALS]; // NULL: the port exists and is not connected

    // Texts as on the command line, e.g. "virtio-blk-pci,drive=d0", in the user's order.
    const char *const *devices;
    size_t n_devices;
    const char *const *drives;
    size_t n_drives;
    const char *const *netdevs;
    size_t n_netdevs;
    const char *const *nics;
    size_t n_nics;
    const struct machine_chardev *chardevs; // for chardev=ID of a device
    size_t n_chardevs;

    struct clock *clock;
    struct loop *loop; // for back ends that need one; may be NULL
    struct log *log;   // may be NULL

    // Makes processor `index` in its reset state; NULL with a message in `e`. The machine frees it
    // with its own `ops->free`.
    struct cpu *(*cpu_new)(void *opaque, struct cpu_bus *bus, unsigned index, struct err *e);
    void *cpu_opaque;
    const struct machine_irqchip
        *irqchip; // NULL: the machine's own; they are reset with processor 0

    // Told when the guest asks for power-off or reset; device lock held, any thread. May be NULL:
    // m->shutdown_request says it too.
    void (*shutdown)(void *opaque, enum shutdown_reason reason);
    void *shutdown_opaque;
};

// The file behind a flash bank; NULL: there is none.
struct machine_flash {
    char *file; // owned
    bool is_readonly;
};

// -device ...,bootindex=N: firmware tries the lowest first.
struct machine_boot_device {
    u64 index;
    struct device *device; // borrowed
};

enum { MACHINE_RUNS = 0 }; // m->shutdown_request while nothing was asked for

struct machine {
    const struct machine_config *config; // borrowed
    const struct board *board;

    struct mem_space mem;
    struct cpu_bus bus; // the board fills in the I/O configuration space
    struct cpu *cpus[MACHINE_MAX_CPUS];
    unsigned n_cpus; // made so far

    struct backends backends; // drives and networks, until their devices are freed
    struct machine_flash flash[MACHINE_N_FLASH];
    struct device_env env;
    struct device *devices[MACHINE_MAX_DEVICES];     // owned, in the order of their making
    struct mem_region *regions[MACHINE_MAX_DEVICES]; // that machine_map added; or NULL
    unsigned n_devices;
    struct machine_boot_device boot_order[MACHINE_MAX_DEVICES]; // ascending by index
    unsigned n_boot_order;

    // MACHINE_RUNS, or 1 + enum shutdown_reason, once the guest asked. machine_reset clears it.
    _Atomic unsigned shutdown_request;

    void *board_state; // the board's own, freed by it
};

// Builds the machine, opens what it is backed by, loads what it boots, and resets it: the
// processors may run. NULL with one line in `e` that names the option or the file at fault.
// `config` and what it points to stay with the machine.
struct machine *machine_new(const struct machine_config *config, struct err *e);

// Back to power-on: devices, processors and everything the boot loader had placed. RAM that nothing
// was loaded to keeps its contents, as on real boards. No processor may run meanwhile; the device
// lock is not held.
void machine_reset(struct machine *m);

// Accepts NULL. No processor may run.
void machine_free(struct machine *m);

// The user pressed the power button. Any thread; takes the device lock.
void machine_power_button(struct machine *m);

// The board of that name; NULL if there is none. board_at enumerates, NULL after the last.
const struct board *board_find(const char *name);
const struct board *board_at(size_t index);

// What a board is, for help texts and machine_new.
struct board {
    const char *name, *doc;
    unsigned max_cpus;
    // Everything but the processors. Half-built machines are given to `free`, too.
    bool (*build)(struct machine *m, struct err *e);
    void (*reset)(struct machine *m);        // after devices, before processors; device lock held
    void (*power_button)(struct machine *m); // device lock held
    void (*show_interrupts)(struct machine *m, struct text *to); // what is pending; likewise
    void (*free)(struct machine *m);                             // board_state; after the devices
};

// For boards. Makes a device that the machine owns, in front of everything that is wired to it; the
// board sets properties and wires and then calls device_realize. NULL only if there are too many.
struct device *machine_add_device(struct machine *m, const struct device_type *type, struct err *e);

// Realizes the latest device and adds its region at `base`, until the device is freed.
bool machine_map(struct machine *m, struct device *d, struct mem_region *r, gpa_t base,
                 struct err *e);
