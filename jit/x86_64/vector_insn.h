// SPDX-License-Identifier: Apache-2.0
// Between emit_vector.c and emit_sse.c only: a vector instruction before it is encoded.
#pragma once

#include "jit/x86_64/emit.h"

enum { EVEX_ROUNDED = 1, EVEX_ZEROING = 2 };

struct vector_insn {
    u32 vop;
    unsigned bits, reg, vvvv, rm_reg; // rm_reg: of the rm register; index and base for memory
    unsigned index, base;
    unsigned mask, extras, rounding;
    bool is_memory;
    unsigned n_imm; // bytes of immediate behind it
};

static inline unsigned vop_opcode(u32 vop)
{
    return vop & 0xff;
}

// Of a VEX or SSE encoding.
static inline unsigned vop_w(u32 vop)
{
    return vop & VOP_EVEX_W ? 0 : vop >> 8 & 1;
}

static inline unsigned vop_map(u32 vop)
{
    return vop >> 12 & 7;
}

static inline unsigned vop_pp(u32 vop)
{
    return vop >> 16 & 3;
}

// Of one of the names that end in _IMM.
static inline unsigned vop_digit(u32 vop)
{
    return vop >> 28;
}

void emit_sse(struct emit *e, const struct vector_insn *v, struct mem m);
