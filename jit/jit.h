// SPDX-License-Identifier: Apache-2.0
// Translated execution of the processors of one machine.
//
// A translator is one pass: guest instructions become host instructions when they are first
// executed, and what has no template calls the interpreter. Translations belong to physical pages
// and a mode, not to addresses or address spaces; all processors of a machine share them.
//
// Threads. jit_new, jit_add_cpu and jit_free belong to the owner of the machine, while nothing
// runs. The processors run in threads of their own, as ever; what they share is guarded by a lock
// of the translator, which is taken to translate and to invalidate. It may be taken with the device
// lock held, and nothing is taken while it is held.
#pragma once

#include "base/err.h"
#include "base/text.h"
#include "cpu/loongarch64/state.h"

struct jit;

// How the translator works; all zero: the normal way. One line of jit_options.def each.
struct jit_options {
    bool one_insn;    // blocks of one instruction
    bool no_slots;    // every access takes the slow path
    bool no_chain;    // blocks return to the run loop
    bool no_ras;      // calls and returns are jumps
    bool no_evex;     // as on a host without AVX-512
    bool no_avx;      // as on one without AVX2
    bool perf_map;    // write /tmp/perf-PID.map, where perf looks for names of code
    bool check;       // blocks are run by the interpreter too, and compared: check.c
    u32 access_form;  // that accesses begin with: 1 four slots, 2 the table of pages, 3 one slot
    u32 flush_every;  // blocks after which all translations are dropped; 0: never
    bool exact_cause; // FCSR.Cause is of the last instruction wherever it is looked at
    bool exact_links; // the processors have links (cpu/loongarch64/links.h)
    // Not among those: cpu.n_insns is exact, and cpu_run keeps to its budget (vmm/turns.h).
    bool count;
};

// False, with the reason, where the host cannot run translated code.
bool jit_is_possible(struct err *e);
// A translator for the RAM of `mem`, which is borrowed. NULL with a message.
struct jit *jit_new(struct mem_space *mem, struct log *log, const struct jit_options *options,
                    struct err *e);
// From now on cpu_run of `c` runs translated code. At most 64 processors.
void jit_add_cpu(struct jit *j, struct la_cpu *c);
void jit_free(struct jit *j); // before the processors are freed; accepts NULL

bool jit_counts_insns(const struct jit *j); // option `count`

// What it did so far, in lines.
void jit_show(const struct jit *j, struct text *to);
