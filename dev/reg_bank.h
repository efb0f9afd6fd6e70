// SPDX-License-Identifier: Apache-2.0
// The registers of one block, as one table.
//
// A bank cuts every access, of whatever size and alignment, into units of 8 bytes (or of 4 or 1,
// for blocks whose registers are smaller). A row of the table describes a run of units. Without
// functions a row is plain storage: `reset` after reset, `rw` the bits that a write changes. A
// `mask` tells which bits of a unit are being written, so that byte, half-word and word accesses
// need no code of their own. All calls: device lock held.
#pragma once

#include "base/types.h"
#include "base/log.h"

struct reg {
    u32 first, last; // byte offsets, both included, whole units
    const char *name;
    u64 reset, rw; // of each unit
    // Instead of the storage. `index` is the unit within the row. `core` is the core whose private
    // registers are meant; blocks that have none ignore it.
    u64 (*read)(void *block, unsigned core, unsigned index);
    void (*write)(void *block, unsigned core, unsigned index, u64 value, u64 mask);
    // After a write to storage; `offset` is the unit's.
    void (*changed)(void *block, u32 offset, u64 before);
};

struct reg_bank {
    const struct reg *regs; // ascending; ends with a NULL name
    const char *name;       // for the log
    u32 base;               // offset of the first unit in `words`
    u32 unit;               // 8, 4 or 1
    u64 *words;             // storage of the units from base on; NULL if no row needs it
    u32 n_words;
    void *block;
    struct log *log; // borrowed; may be NULL
};

// `unit` 0 means 8. A row outside `words` that has no functions reads 0 and swallows writes.
// Resets.
void reg_bank_init(struct reg_bank *b, const char *name, const struct reg *regs, void *block,
                   struct log *log);
void reg_bank_reset(struct reg_bank *b);

// Offsets without a row read 0, swallow writes and are logged (unimp). size is 1, 2, 4 or 8.
u64 reg_bank_read(struct reg_bank *b, unsigned core, u32 offset, unsigned size);
void reg_bank_write(struct reg_bank *b, unsigned core, u32 offset, u64 value, unsigned size);

// The stored unit at an offset that `words` covers, for the block's own use.
u64 *reg_bank_word(struct reg_bank *b, u32 offset);
