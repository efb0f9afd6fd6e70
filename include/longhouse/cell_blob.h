// SPDX-License-Identifier: Apache-2.0
// The description of a cell, or of the machine that is divided, as the hypervisor reads it: one
// flat block without pointers, made from device-tree source by `lh cell compile`.
//
// A header, then arrays in this order: processors, memory, devices. All integers are little endian
// and naturally aligned. Kinds, flags and rights that are not listed here are refused, not skipped.
#pragma once

#include <stdint.h>

#define CELL_BLOB_MAGIC    0x4243484cu // "LHCB"
#define CELL_BLOB_VERSION  1
#define CELL_BLOB_MAX_SIZE 4096
#define CELL_NAME_SIZE     32 // with its NUL

#define CELL_MAX_CPUS    8
#define CELL_MAX_MEMORY  16
#define CELL_MAX_DEVICES 16

enum cell_blob_kind { CELL_BLOB_CELL = 1, CELL_BLOB_SYSTEM = 2 };

struct cell_blob {
    uint32_t magic;
    uint16_t version;
    uint16_t kind;
    uint32_t size;  // of the whole block
    uint32_t crc32; // of the whole block with this field 0 (CRC-32 of zlib)
    char name[CELL_NAME_SIZE];
    uint32_t flags;
    uint32_t n_cpus, n_memory, n_devices;
    uint64_t entry;   // guest-physical; where the first processor starts
    uint64_t args[3]; // its first three arguments
};

enum cell_flags {
    CELL_FLAG_DEBUG_CALLS = 1, // may count and print by hypercalls
};

struct cell_blob_cpu {
    uint32_t id; // of the machine
    uint32_t reserved;
};

enum cell_memory_type {
    CELL_MEMORY_RAM = 1,    // from the pool; of a system: the pool itself
    CELL_MEMORY_DEVICE = 2, // a system's: registers that the root cell gets
    CELL_MEMORY_HOLE = 3,   // a system's: registers within the above that nobody gets
    CELL_MEMORY_SHARED = 4, // from the pool, for all cells that name the same tag
};
enum cell_memory_rights { CELL_READ = 1, CELL_WRITE = 2, CELL_EXECUTE = 4 };

// Multiples of 16 KiB; RAM of cells, shared or not: of 32 MiB, placed at a multiple of that.
struct cell_blob_memory {
    uint64_t gpa, size;
    uint32_t type, rights;
    uint32_t tag; // of shared memory, not 0; else 0
    uint32_t reserved;
};

enum cell_device_kind {
    CELL_DEVICE_UART = 1,  // 16550; only the console's ring is behind it
    CELL_DEVICE_POWER = 2, // four bytes: 0x34 ends the cell, 0x42 asks for a restart
    CELL_DEVICE_PORTS = 3, // 16 KiB of I/O ports that nothing is behind: reads give all ones
    // Eight bytes beside shared memory: writing the first word raises the vector of the doorbells
    // that other cells have of the tag; the second tells which cells there are, as a bitmap.
    CELL_DEVICE_DOORBELL = 4,
    CELL_DEVICE_PCI = 5, // a bus of CELL_PCI_SIZE bytes; the wire of slot n is vector + n
    // Virtio functions on that bus, in a slot from 1 on; their address, vector and tag are 0.
    CELL_DEVICE_VIRTIO_NET = 6,
    CELL_DEVICE_VIRTIO_BLOCK = 7,
    CELL_DEVICE_VIRTIO_CONSOLE = 8,
};

#define CELL_PCI_SIZE  0x100000
#define CELL_MAX_SLOTS 8 // slot 0 is not used

struct cell_blob_device {
    uint64_t gpa;
    uint32_t kind;
    uint32_t vector; // of the cell's EIOINTC; 0: none
    uint32_t tag;    // of a doorbell
    uint32_t slot;   // of a virtio function
};
