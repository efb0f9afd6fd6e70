// SPDX-License-Identifier: Apache-2.0
// The life of cells. Everything here is called with hv->lock held unless it says otherwise, by a
// processor of the root cell that waits a bounded time at most.
//
// Refusals are negated errno values of Linux, and say in `why` which resource and whose.
#pragma once

#include "hv/hv.h"

struct why {
    char *text;
    u32 size;
};

enum {
    REFUSE_NOENT = -2,
    REFUSE_IO = -5,
    REFUSE_AGAIN = -11,
    REFUSE_NOMEM = -12,
    REFUSE_BUSY = -16,
    REFUSE_INVAL = -22,
    REFUSE_NOSPC = -28,
    REFUSE_STALE = -116,
    REFUSE_TIMEOUT = -110
};

__attribute__((format(printf, 3, 4))) s32 cell_refuse(struct why *w, s32 error, const char *format,
                                                      ...);

// A cell of the description, with its processors taken from the root cell and memory from the pool;
// the memory still holds what a predecessor left there (see cell_scrub). Returns its number.
s32 cell_create(struct cpu *cpu, const void *blob, u32 size, struct why *w);
// Zeros up to `n` bytes of its memory from position *at on. True: nothing is left to do.
bool cell_scrub(struct cell *c, u64 *at, u64 n);
// Its first processor begins at the entry.
s32 cell_start(struct cpu *cpu, struct cell *c, struct why *w);
// Its processors park; memory and description stay.
s32 cell_stop(struct cpu *cpu, struct cell *c, struct why *w);
// Gives everything back. The caller has scrubbed it, and has closed what shows its memory.
s32 cell_destroy(struct cpu *cpu, struct cell *c, struct why *w);
s32 cell_ask_shutdown(struct cpu *cpu, struct cell *c, struct why *w);

// Where the cell has `gpa`, and how much behind it in the same region.
bool cell_find(const struct cell *c, u64 gpa, u64 *hpa, u64 *left);

// Without the lock:

// A processor of the cell has parked: notes the end of a cell that is ending.
void cell_cpu_left(struct cell *c);
// Ends the cell from within: by its own wish (CONTROL_CELL_STOPPED) or because of what it did
// (CONTROL_CELL_FAILED). Its other processors are asked to stop; this one does at the end of the
// exit. Calls after the first change nothing.
__attribute__((format(printf, 3, 4))) void cell_end(struct cpu *cpu, u32 state, const char *format,
                                                    ...);
// Starts the vCPU of the cell with this number, if it is off and its processor is the cell's.
void cell_start_vcpu(struct cell *c, u32 index, u64 entry);
u32 cell_state(const struct cell *c);

// The register file of a device of the description.
struct vdev *cell_add_vdev(struct cell *c, u64 gpa, u64 size);
