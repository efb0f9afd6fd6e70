// SPDX-License-Identifier: Apache-2.0
// Makes the block that the hypervisor reads (include/longhouse/cell_blob.h) of a cell's description
// in device-tree source, of such a tree flattened, or checks one that is made already.
#pragma once

#include "base/err.h"
#include "base/types.h"
#include "include/longhouse/cell_blob.h"

#define CELL_MAC_SIZE 20

// What is behind a virtio function.
struct cell_backend {
    u32 kind; // enum cell_device_kind; 0: there is none in the slot
    bool is_readonly;
    char mac[CELL_MAC_SIZE]; // of a card
    char text[160];          // file of a disk; else as in -netdev and -chardev
};

struct cell_description {
    union {
        struct cell_blob head;
        u8 bytes[CELL_BLOB_MAX_SIZE];
    };
    // For the loader, "" if the description does not say.
    char kernel[256], initrd[256], command_line[2048];
    struct cell_backend backend[CELL_MAX_SLOTS]; // by slot; what is served, not what is granted
};

// False with a message. What comes out has passed the hypervisor's own check.
bool cell_compile(struct cell_description *d, const u8 *data, size_t size, struct err *e);
bool cell_compile_file(struct cell_description *d, const char *path, struct err *e);
