// SPDX-License-Identifier: Apache-2.0
// How the root cell manages cells: the PCI function that the hypervisor shows it, and the commands.
//
// User space fills the request in BAR 1 and writes CONTROL_DOORBELL. The hypervisor copies the
// request once, checks it and works for a bounded time. While `state` is CONTROL_BUSY there is more
// to do: every further ring does a slice of it.
#pragma once

#include <stdint.h>

#define CONTROL_PCI_VENDOR 0x4c48
#define CONTROL_PCI_DEVICE 0x0001
#define CONTROL_PCI_SLOT   31 // of bus 0

#define CONTROL_BAR_REGS    0
#define CONTROL_BAR_SHARED  1
#define CONTROL_BAR_WINDOW  2
#define CONTROL_BAR_SERVED  3
#define CONTROL_REGS_SIZE   0x4000
#define CONTROL_SHARED_SIZE 0x10000
#define CONTROL_WINDOW_SIZE 0x10000000
#define CONTROL_SERVED_SIZE 0x20000000 // memory of cells whose devices are served

// BAR 0: 32-bit registers.
#define CONTROL_ID       0x00 // CONTROL_ID_VALUE
#define CONTROL_VERSION  0x04
#define CONTROL_DOORBELL 0x08 // write: look at the request
#define CONTROL_ARM      0x0c // write: interrupt at the next event, once
#define CONTROL_RAISE    0x10 // write: an interrupt of a cell's device, see CONTROL_RAISE_VALUE

// Generation's low half, cell, slot, and the queue; 0xff: the device's configuration changed.
#define CONTROL_RAISE_VALUE(generation, cell, slot, queue) \
    (((generation)&0xffffu) << 16 | (cell) << 12 | (slot) << 8 | (queue))

#define CONTROL_ID_VALUE      0x4c485643
#define CONTROL_VERSION_VALUE 2

enum control_command {
    CONTROL_IDENTIFY = 1, // out: struct control_info
    CONTROL_CREATE,       // in: blob; out: cell, generation
    CONTROL_START, // args: entry and the first processor's arguments, or entry ~0: the blob's
    CONTROL_STOP,
    CONTROL_RESET, // as STOP and START in one; memory stays
    CONTROL_DESTROY,
    CONTROL_SHUTDOWN, // asks the cell; nothing waits for its answer
    CONTROL_INFO,     // out: struct control_cell
    CONTROL_STATS,    // args[0]: processor of the machine; out: struct control_stats
    CONTROL_WINDOW,   // args[0]: guest-physical address of what BAR 2 shows, or ~0 for nothing
    CONTROL_CONSOLE_READ,
    CONTROL_CONSOLE_WRITE, // args[1]: 1: a break of the line first; out: args[0]: bytes taken
    CONTROL_LOG_READ,      // args[0]: position; out: text, args[0]: next position
    CONTROL_TRACE,         // args[0]: processor of the machine; out: array of struct control_event
    CONTROL_REGISTERS, // args[0]: vCPU; out: struct control_registers of a cell that does not run
    CONTROL_UNKNOWN,   // out: array of struct control_unknown: accesses that nobody answers
    CONTROL_SERVE,     // args[0]: 1 or 0; out: where in BAR 3 each region of memory is, ~0: nowhere
    CONTROL_VIRTIO_SET,    // args[0]: slot; in: struct control_virtio
    CONTROL_VIRTIO_GET,    // args[0]: slot; out: struct control_virtio_state
    CONTROL_VIRTIO_LET_GO, // args[0]: slot, args[1]: epoch; the queues are not used any more
    CONTROL_VIRTIO_BROKEN, // args[0]: slot; the driver has to reset the device
};

enum control_state { CONTROL_IDLE, CONTROL_SUBMITTED, CONTROL_BUSY, CONTROL_DONE };

#define CONTROL_DATA_SIZE 4096
#define CONTROL_TEXT_SIZE 160

// At the start of BAR 1. A negative result is a negated errno of Linux, and `text` says more.
struct control_request {
    uint32_t command;
    uint32_t state; // user space writes CONTROL_SUBMITTED before it rings
    int32_t result;
    uint32_t cell; // 0 is the root cell
    uint32_t
        generation; // of the cell, as CREATE and INFO told it: a command for a predecessor fails
    uint32_t size;  // bytes of data in use
    uint64_t args[4];
    char text[CONTROL_TEXT_SIZE];
    uint8_t data[CONTROL_DATA_SIZE];
};

#define CONTROL_MAX_CELLS  8
#define CONTROL_MAX_CPUS   8
#define CONTROL_MAX_SLOTS  8
#define CONTROL_MAX_QUEUES 8

// In BAR 1 at CONTROL_EVENTS, by cell and slot: counts of what happened, which wrap. The hypervisor
// only adds, programs only read.
#define CONTROL_EVENTS 0x4000
struct control_events {
    uint32_t kicks[CONTROL_MAX_QUEUES];
    uint32_t changes; // of the status; see CONTROL_VIRTIO_GET
    uint32_t reserved[7];
};

// What a program offers to a driver.
struct control_virtio {
    uint64_t features;
    uint32_t class_code; // 0xccssii, as in PCI
    uint32_t n_queues, config_size, reserved;
    uint16_t queue_size[CONTROL_MAX_QUEUES];
    uint8_t config[64];
};

struct control_virtio_queue {
    uint64_t desc, driver, device; // guest-physical, as the driver wrote them: anything
    uint32_t size, is_enabled;
};

struct control_virtio_state {
    uint32_t status;
    uint32_t wants_reset; // until CONTROL_VIRTIO_LET_GO
    uint32_t epoch;       // grows with each reset
    uint32_t n_forced;    // resets that the hypervisor did not wait for any more
    uint64_t features;
    struct control_virtio_queue queue[CONTROL_MAX_QUEUES];
};

struct control_info {
    uint32_t n_cells_max, n_cpus, cpus_present, gid_bits;
    uint64_t pool_base, pool_size, pool_free, image_size;
    uint32_t tables_total, tables_free;
    uint64_t build; // fingerprint of this build
};

enum control_cell_state {
    CONTROL_CELL_NONE,
    CONTROL_CELL_CREATED,
    CONTROL_CELL_RUNNING,
    CONTROL_CELL_STOPPED, // by itself or by command
    CONTROL_CELL_FAILED,
};

struct control_region {
    uint64_t gpa, hpa, size;
    uint64_t tag; // of shared memory; else 0
};

struct control_cell {
    char name[32];
    uint32_t state, generation;
    uint32_t cpus; // bitmap of processors of the machine
    uint32_t n_regions;
    uint64_t starts, console_bytes, fault_era, fault_address;
    char cause[96]; // why it stopped or failed
    struct control_region regions[16];
};

// What happened on a processor since the hypervisor took it. The list is
// include/longhouse/exits.def.
#define CONTROL_MAX_COUNTERS 32
struct control_stats {
    uint32_t cell, state;
    uint64_t counters[CONTROL_MAX_COUNTERS];
    uint64_t ticks[CONTROL_MAX_COUNTERS]; // of the stable counter, spent on each
};

struct control_event {
    uint64_t time;
    uint32_t cause, info;
};

struct control_registers {
    uint64_t gpr[32], era, crmd, prmd, estat, badv;
};

struct control_unknown {
    uint64_t address, count;
};
