// SPDX-License-Identifier: Apache-2.0
// What the hypervisor starts with when it is started directly: the description of the machine, and
// the root cell's kernel, initramfs and command line. Made by `lh cell bundle`, handed over as the
// initramfs of the hypervisor. Little endian; offsets are from the start, multiples of 4096.
#pragma once

#include <stdint.h>

#define BUNDLE_MAGIC     0x424c444e55424c48ULL // "HLBUNDLB"
#define BUNDLE_VERSION   1
#define BUNDLE_MAX_ITEMS 40

enum bundle_item_kind {
    BUNDLE_SYSTEM = 1, // a blob of kind CELL_BLOB_SYSTEM
    BUNDLE_SEGMENT,    // of the kernel: goes to `gpa`, and zeros up to `memory_size`
    BUNDLE_INITRD,     // stays where it is
    BUNDLE_COMMAND_LINE,
};

struct bundle_item {
    uint32_t kind, reserved;
    uint64_t offset, size;
    uint64_t gpa, memory_size;
};

struct bundle {
    uint64_t magic;
    uint32_t version, n_items;
    uint64_t size;            // of everything
    uint64_t entry;           // of the kernel, guest-physical
    uint32_t crc32, reserved; // of this header with crc32 = 0 and of all items
    struct bundle_item items[BUNDLE_MAX_ITEMS];
};
