// SPDX-License-Identifier: Apache-2.0
// How much of the vector registers the manual defines while a sequence of instructions executes.
//
// A result that is narrower than its register leaves the bits above undefined: 32 or 64 bits are
// defined of a scalar, 128 of an LSX result. The interpreter and translated code differ there.
#pragma once

#include "isa/loongarch64.h"

struct defined_bits {
    u16 vr[32]; // defined bits of each, from bit 0 on
};

static inline void defined_bits_all(struct defined_bits *d)
{
    for (unsigned r = 0; r < 32; r++)
        d->vr[r] = 256;
}

// The instruction executes. False: it reads bits that are not defined, so that whatever it writes
// is not either; nothing is noted then.
bool defined_bits_flow(struct defined_bits *d, u32 word, unsigned op);
// It writes a vector register.
bool defined_bits_is_written(unsigned op);
// Bits of the vector register that the instruction writes, from 0 on; 0: it writes none.
unsigned defined_bits_of_result(unsigned op);
