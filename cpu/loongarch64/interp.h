// SPDX-License-Identifier: Apache-2.0
// The semantics of instructions: one function each, named interp_ and the mnemonic with _ for dots.
//
// The interpreter is the oracle of everything that translates. Its loop (interp.c) sets c->pc,
// c->next_pc = c->pc + 4 and c->insn, and calls with the decoded instruction; branches write
// c->next_pc. An exception leaves through la_raise before anything of the instruction has happened.
// Which instructions a model lacks is decided before the call, from the level in la_op_info.
//
// Where the manual leaves a result open, the choice stands beside the function, and is the one of
// QEMU 11 unless the comment says otherwise, so that the two can be compared.
#pragma once

#include "cpu/loongarch64/state.h"

// Immediates and register numbers are those of the assembly text (isa/loongarch64.isa).
#define INSN(name) void interp_##name(struct la_cpu *c, const struct la_insn *i)

#define X(name, upper) INSN(name);
LA_OPS(X)
#undef X

typedef void (*interp_fn)(struct la_cpu *c, const struct la_insn *i);
extern const interp_fn interp_table[]; // by enum la_op; NULL: no such instruction

// What vldi with this immediate puts into each 64 bits; false: it is an undefined instruction.
bool la_vldi_value(s32 imm, u64 *value);

// For the functions themselves --------------------------------------------------------------

// r0 takes writes and stays 0.
static inline void set_gpr(struct la_cpu *c, unsigned n, u64 value)
{
    c->gpr[n] = value;
    c->gpr[0] = 0;
}

// The low word, sign-extended: what word instructions write.
static inline u64 word(u64 value)
{
    return (u64)(s64)(s32)value;
}

// Accesses that must be aligned on every model.
static inline void check_aligned(struct la_cpu *c, u64 va, unsigned size)
{
    if (unlikely(va & (size - 1)))
        la_raise_address(c, EXC_ALE, va);
}
