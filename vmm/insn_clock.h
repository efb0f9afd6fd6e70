// SPDX-License-Identifier: Apache-2.0
// Virtual time from retired instructions: what all processors of a machine retired, 2^shift ns
// each, and what was skipped while none of them had anything to do. It is the same in every run.
//
// One thread reads it and runs the processors.
#pragma once

#include "base/clock.h"
#include "cpu/cpu.h"

// 2^10 ns is a processor of 1 MHz.
#define INSN_CLOCK_MAX_SHIFT 10

struct insn_clock {
    struct clock clock;
    unsigned shift;
    u64 skipped_ns;
    struct cpu *const *cpus; // borrowed; NULL, and time 0, until they are bound
    unsigned n_cpus;
    struct cpu *running; // NULL: none
    u64 running_until;   // ns: it returns by then
};

// At virtual time 0, which is always the same wall-clock time.
void insn_clock_init(struct insn_clock *c, unsigned shift);
void insn_clock_bind(struct insn_clock *c, struct cpu *const *cpus, unsigned n);

// Retired by all processors.
u64 insn_clock_insns(const struct insn_clock *c);
// How many instructions it takes from now to `ns`, at least 1.
u64 insn_clock_insns_until(const struct insn_clock *c, u64 ns);
// Something is due at `ns`: a processor that would run past it returns earlier.
void insn_clock_notice(struct insn_clock *c, u64 ns);
// Lets time pass up to `ns` without instructions; nothing happens if that is not later than now.
void insn_clock_skip_to(struct insn_clock *c, u64 ns);
