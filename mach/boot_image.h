// SPDX-License-Identifier: Apache-2.0
// What lies in RAM when a machine starts: pieces of memory with their contents, kept so that every
// reset can put them there again. Two pieces never overlap.
#pragma once

#include "base/types.h"
#include "base/err.h"
#include "base/log.h"
#include "mem/space.h"

#define BOOT_MAX_PIECES 64

struct boot_piece {
    char *name; // owned: "kernel 'vmlinuz'"
    u64 base;
    u64 size;           // in memory, > 0; bytes after the data are zero
    const u8 *data;     // borrowed
    u64 data_size;      // <= size
    const char *remedy; // what the user can do if it does not fit; borrowed, may be NULL
};

struct boot_image {
    struct boot_piece pieces[BOOT_MAX_PIECES]; // ascending
    unsigned n_pieces;
};

// The data stays the caller's. Fails if the piece overlaps another one or is not all RAM; the
// message has both ranges and the remedy.
bool boot_image_add(struct boot_image *b, const struct mem_space *m, const struct boot_piece *p,
                    struct err *e);

// The highest free place of `size` bytes in [first, end), a multiple of `alignment`; false if there
// is none.
bool boot_image_find_space(const struct boot_image *b, u64 first, u64 end, u64 size, u64 alignment,
                           u64 *base);

// Writes everything into RAM.
void boot_image_load(const struct boot_image *b, struct mem_space *m);
void boot_image_free(struct boot_image *b);
