// SPDX-License-Identifier: Apache-2.0
// A whole processor with RAM, a clock that tests move, and programs written in assembly: for the
// tests of exceptions, translation and timer.
#pragma once

#include "cpu/loongarch64/state.h"

#define RIG_RAM_SIZE (4u << 20) // at physical 0
#define RIG_CODE     0x10000    // where rig_program puts its first instruction
#define RIG_ENTRY    0x20000    // EENTRY of rig_new
#define RIG_REFILL   0x30000    // TLBRENTRY

struct rig {
    struct mem_space mem;
    struct clock clock;
    struct cpu_bus bus;
    struct la_cpu *c;
    u64 now_ns;
};

// A processor of the model in direct mode at RIG_CODE, all units on, entries as above.
void rig_init(struct rig *r, const char *model);
void rig_free(struct rig *r);

// Assembles lines separated by ';' at RIG_CODE and puts the PC there. A line that is no instruction
// aborts the test program.
void rig_program(struct rig *r, const char *text);
void rig_program_at(struct rig *r, u64 pa, const char *text);

// Executes one instruction, or the exception or interrupt in its place.
void rig_step(struct rig *r);
void rig_steps(struct rig *r, unsigned n);
// rig_program and as many steps as it has lines.
void rig_run(struct rig *r, const char *text);

u64 rig_read64(struct rig *r, u64 pa);
void rig_write64(struct rig *r, u64 pa, u64 value);

// An entry of the MTLB (index from 2048): va -> pa, ps, flags of TLBELO for both halves.
void rig_map(struct rig *r, unsigned index, u64 va, u64 pa, unsigned ps, u64 flags);
// Mapped mode at a privilege level, with the code page reachable through DMW0 (segment 9) at PLV0
// and a TLB entry for user code.
void rig_mapped(struct rig *r, unsigned plv);
