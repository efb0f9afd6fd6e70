// SPDX-License-Identifier: Apache-2.0
// One processor that runs the same program twice from the same state, interpreted and translated.
#pragma once

#include "cpu/loongarch64/rig.h"
#include "jit/jit.h"
#include "test/diff/random.h"

// Where programs are and what they access. Each page of 4 KiB of both has a place of its own in
// RAM, chosen by bed_shuffle, so that neighbours are none in memory. Data can be reached as a whole
// through a mapping window too; code cannot be stored to.
#define BED_CODE_VA 0x400000
#define BED_CODE_PA 0x100000
#define BED_DATA_VA 0x200000
#define BED_DATA_PA 0x200000
#define BED_N_PAGES 8
#define BED_SIZE    (BED_N_PAGES * 4096)
#define BED_DMW     0x9000000000000000

struct bed_state {
    u64 gpr[32];
    union la_vreg vr[32];
    u8 fcc[8];
    u32 fcsr; // no exception enabled
    u64 pc, crmd;
    u8 data[BED_SIZE];
};

// What is left when the program has come to its end, or to an exception.
struct bed_outcome {
    u64 gpr[32];
    union la_vreg vr[32];
    u8 fcc[8];
    u32 fcsr; // all but Cause
    u64 pc, crmd, prmd, estat, era, badv, badi, tlbrera, tlbrbadv, tlbrprmd;
    bool has_link;
    u64 link;
    u8 data[BED_SIZE];
};

struct bed {
    struct rig rig;
    struct jit *jit;
    u64 page_pa[2][BED_N_PAGES]; // of code, of data
    u64 n_interrupts;            // taken
};

void bed_init(struct bed *b, const struct jit_options *options);
void bed_free(struct bed *b);
// Maps the pages of code and data anew: other places, other permissions of some pages of data.
void bed_shuffle(struct bed *b, struct diff_random *r);
// A page of data is not there; all are there, readable and writable, that share its entry.
void bed_take_away(struct bed *b, unsigned page);
void bed_give_back(struct bed *b, unsigned page);
// Writes a word of the program, as another processor or as a device does. `offset` is of
// BED_CODE_VA.
void bed_write(struct bed *b, u64 offset, u32 word, bool is_dma);
void bed_interpret(struct bed *b, const struct bed_state *s, struct bed_outcome *o);
void bed_translate(struct bed *b, const struct bed_state *s, struct bed_outcome *o);
// Asks for an interrupt, which is taken as soon as CRMD.IE allows; its handler goes back at once
// and leaves no trace in the outcome but a broken link. Signal handlers may call it while the
// processor runs.
void bed_interrupt(struct bed *b);
