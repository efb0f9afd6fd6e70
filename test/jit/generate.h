// SPDX-License-Identifier: Apache-2.0
// Random programs of instructions that general registers, vectors and memory are for.
#pragma once

#include "isa/loongarch64.h"
#include "test/jit/bed.h"

#define GENERATE_MAX 96

struct program {
    u32 words[GENERATE_MAX];
    u8 target[GENERATE_MAX]; // index that a branch leads to
    unsigned n;
    u64 offset; // of BED_CODE_VA
};

// The instructions that programs are made of.
struct repertoire {
    u16 plain[LA_N_OPS], memory[LA_N_OPS], branch[LA_N_OPS], vector[LA_N_OPS];
    unsigned n_plain, n_memory, n_branch, n_vector;
};
// Integer instructions; with links, which interrupts break; with vectors of 256 bits, all of whose
// bits are defined after each instruction.
enum { GENERATE_LINKS = 1, GENERATE_VECTORS = 2 };
void generate_repertoire(struct repertoire *x, unsigned with);

// Every backward branch counts a register down, so programs end; the last instruction is the end.
void generate_program(struct program *p, const struct repertoire *x, struct diff_random *r);
// Registers that programs use for addresses lead to data, near its ends now and then.
void generate_state(struct bed_state *s, const struct program *p, struct diff_random *r);
