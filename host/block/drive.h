// SPDX-License-Identifier: Apache-2.0
// The -drive option: an image and how it is connected.
//
//     file=PATH[,id=ID][,if=none|virtio|pflash][,format=raw][,readonly=on][,unit=N]
//     [,cache=writeback|unsafe][,discard=unmap|ignore][,serial=TEXT]
#pragma once

#include "base/err.h"
#include "base/types.h"

struct block;

enum drive_interface {
    DRIVE_NONE,   // a -device names it by its id
    DRIVE_VIRTIO, // the board makes a virtio-blk-pci for it
    DRIVE_PFLASH, // flash bank `unit`
};

struct drive {
    struct block *block;
    char *id, *serial; // NULL: not given
    enum drive_interface interface;
    int unit; // -1: not given
};

// Parses and opens. On failure nothing is left open.
bool drive_open(struct drive *d, const char *text, struct err *e);
void drive_free(struct drive *d); // a block that went elsewhere was set to NULL before

// One line for help texts.
const char *drive_grammar(void);
