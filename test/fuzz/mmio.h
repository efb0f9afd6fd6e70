// SPDX-License-Identifier: Apache-2.0
// Devices under random register accesses.
//
// A target is one device, or a few that work together, in an address space with some RAM and a
// clock that the input turns; mmio_targets.def lists them. An input is a sequence of operations:
//
//   byte 0   7:6 = 0-2  an access: 1:0 log2 of its size, 2 write, 5:3 window (modulo their number)
//                       then the offset (2 bytes; 4 in windows above 64 KiB), the value of a write
//            7:6 = 3    2:0 = 0-1  time passes: 4 bytes, shifted left by 5:3 * 4, in ns
//                             2-5  an event from outside: its kind is 5:3, 4 bytes of argument
//                             6-7  RAM is written: 4 bytes of address, 8 bytes of data
//
// All numbers are little-endian, missing bytes are 0. Whatever the input, nothing may crash, hang
// or reach outside the device; a target's own check runs after every operation; and after a reset
// the same input has to read the same values, if the target says so.
#pragma once

#include "base/types.h"
#include "dev/device.h"

#define MMIO_MAX_INPUT   4096
#define MMIO_MAX_DEVICES 16
#define MMIO_MAX_WINDOWS 8
#define MMIO_RAM_SIZE    0x10000 // at address 0

struct mmio_window {
    gpa_t base;
    u64 size;
    bool is_other_door; // goes to the target's read and write; `base` is added to the offset
};

struct mmio_target;

struct mmio_bench {
    const struct mmio_target *target;
    struct mem_space mem;
    struct clock clock;
    struct log log;
    struct device_env env;
    u64 now;
    u64 digest;                               // of everything read
    struct device *devices[MMIO_MAX_DEVICES]; // owned; reset in this order
    unsigned n_devices;
    struct mmio_window windows[MMIO_MAX_WINDOWS];
    unsigned n_windows;
    u64 wires[4]; // levels of what mmio_wire gave out
    void *state;  // the target's, freed with free()
};

struct mmio_target {
    const char *name; // also of its directory in corpus/
    // Makes the devices, adds their regions to the memory and their windows to the bench.
    void (*make)(struct mmio_bench *b);
    // After the devices are gone, without the lock; optional.
    void (*release)(struct mmio_bench *b);
    // All optional, with the device lock held except for read and write.
    void (*event)(struct mmio_bench *b, unsigned kind, u32 argument);
    void (*settle)(struct mmio_bench *b); // undoes what events left outside the devices
    void (*check)(struct mmio_bench *b);
    u64 (*read)(struct mmio_bench *b, u32 address, unsigned size);
    void (*write)(struct mmio_bench *b, u32 address, u64 value, unsigned size);
    bool forgets_on_reset; // and reads nothing that only time tells
};

// NULL if there is none.
const struct mmio_target *mmio_target_find(const char *name);
const struct mmio_target *mmio_target_at(size_t index);

// Runs the input, and once more after a reset. Aborts where a property is violated.
void mmio_run(const struct mmio_target *t, const u8 *input, size_t size);

// For `make`. A new, not yet realized device that the bench will free.
struct device *mmio_add_device(struct mmio_bench *b, const struct device_type *type);
void mmio_realize(struct mmio_bench *b, struct device *d);
// Adds the region at `base`, with a window over it.
void mmio_add_region(struct mmio_bench *b, struct mem_region *r, gpa_t base);
void mmio_add_window(struct mmio_bench *b, gpa_t base, u64 size);
void mmio_add_other_door(struct mmio_bench *b, u32 base, u64 size);
// A wire whose level goes to bit n of b->wires, n < 256.
struct irq mmio_wire(struct mmio_bench *b, unsigned n);
