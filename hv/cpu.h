// SPDX-License-Identifier: Apache-2.0
// Processors: requests between them, parking, and what happens at the end of every exit.
#pragma once

#include "hv/hv.h"

// Asks any processor, this one too, to look at `requests` (enum cpu_request).
void cpu_request(struct cpu *target, u32 requests);
// Does what others asked of this processor. May set cpu->is_stopping.
void cpu_serve(struct cpu *cpu);
// The end of an exit: parks if the vCPU is to stop, which does not return.
void cpu_end_exit(struct cpu *cpu);
// Serves requests until a vCPU starts here. The stack below is gone.
_Noreturn void cpu_park(struct cpu *cpu);
// Stops the vCPU of this processor and parks. Does not return.
_Noreturn void cpu_stop(struct cpu *cpu);

// hv->lock, for calls that last. While it waits, flushes are served, so that its holder may wait
// for those; a processor that is to stop does so here and does not come back.
void hv_lock(struct cpu *cpu);
void hv_unlock(struct cpu *cpu);

// Waits until `is_done(opaque)` says so, at most about `ms` milliseconds. Serves flushes meanwhile.
bool cpu_wait_until(struct cpu *cpu, bool (*is_done)(void *opaque), void *opaque, u32 ms);

// Waits until a parked processor has been at the point of its loop where it holds nothing of a cell.
// False: it does not answer, which is our fault.
bool cpu_sync(struct cpu *cpu, struct cpu *other);

// Makes all processors of the cell forget its stage 2. Only after it returned true may what was
// unmapped get another owner. False: a processor did not answer, which is our fault.
bool flush_cell(struct cpu *cpu, struct cell *cell);

// Notes an exit in the trace and the counters.
void cpu_count(struct cpu *cpu, enum exit_kind kind, u32 info);
