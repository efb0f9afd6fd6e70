// SPDX-License-Identifier: Apache-2.0
// What templates of floating-point and vector instructions share: operands in host registers,
// constants, selection, the test of results that x86-64 defines otherwise.
//
// A template may use V0 to V3, rax and rcx. Operands that are not pinned are loaded into the
// scratch register that the template names. Widths are in bits: 32 and 64 for scalars, 128, 256.
// What lies above the width in a register of the guest is undefined, so scalars may leave anything
// there.
#pragma once

#include "jit/x86_64/la_trans.h"
#include "jit/x86_64/vector_ops.h"

// First in a template: the unit of the instruction is on. The width of its vectors (128: a scalar).
unsigned vec_begin(struct trans *t, const struct la_insn *i);
// Likewise for those that raise floating-point exceptions. False: the interpreter executes it.
bool fp_begin(struct trans *t, const struct la_insn *i, unsigned *bits);

static inline bool vec_is_pinned(const struct trans *t, unsigned r)
{
    return t->vr_map[r] != NO_VR;
}

// log2 of the bytes of an integer lane of the first source, and whether it is unsigned; the second.
static inline unsigned vec_z(const struct la_insn *i)
{
    return (la_op_info[i->op].elem[1] - 1u) / 2;
}
static inline bool vec_is_unsigned(const struct la_insn *i)
{
    return la_op_info[i->op].elem[1] % 2 == 0;
}
// Whether this host lacks an instruction.
static inline bool vec_lacks(const struct trans *t, u32 vop)
{
    return vop & VOP_EVEX && !t->jit->has_evex;
}

// Moves between memory and a register. Loads of less than 128 bits zero the rest.
static inline u32 vec_load_op(unsigned bits)
{
    return bits == 32 ? VMOVSS_LOAD : bits == 64 ? VMOVSD_LOAD : VMOVDQU;
}
static inline u32 vec_store_op(unsigned bits)
{
    return bits == 32 ? VMOVSS_STORE : bits == 64 ? VMOVSD_STORE : VMOVDQU_STORE;
}

// Where the value of r is: its own place, or `scratch`.
unsigned vec_use(struct trans *t, unsigned r, unsigned bits, unsigned scratch);
void vec_copy(struct trans *t, unsigned d, unsigned r, unsigned bits); // d := r
// Where to compute the new value of r, by the last instruction of all: its own place, or V0.
unsigned vec_dest(const struct trans *t, unsigned r);
// The same before the sources have been read for the last time: not the place of j, k or a.
unsigned vec_dest_apart(const struct trans *t, const struct la_insn *i);
// Makes what is in `value` the value of r.
void vec_set(struct trans *t, unsigned r, unsigned bits, unsigned value);

// d = vop(s1, r), r taken from memory if it is not pinned; `bits` is the width of the access.
void vec_op(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned r);
void vec_op_imm(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned r,
                unsigned imm);

// The second source: vk, or the immediate in lanes like those of the first.
void vec_op_second(struct trans *t, const struct la_insn *i, u32 vop, unsigned bits, unsigned d,
                   unsigned s1);
unsigned vec_use_second(struct trans *t, const struct la_insn *i, unsigned bits, unsigned scratch);

// Short names for what templates of several instructions consist of.
static inline void v_rrr(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s1,
                         unsigned s2)
{
    emit_v_rrr(&t->e, vop, bits, d, s1, s2);
}
static inline void v_rrri(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s1,
                          unsigned s2, unsigned imm)
{
    emit_v_rrri(&t->e, vop, bits, d, s1, s2, imm);
}
static inline void v_rrm(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s1,
                         struct mem s2)
{
    emit_v_rrm(&t->e, vop, bits, d, s1, s2);
}
// A shift by an immediate: one of the names that end in _IMM.
void v_shift(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s, unsigned n);
void v_move(struct trans *t, unsigned bits, unsigned d, unsigned s); // nothing if they are the same
void v_zero(struct trans *t, unsigned d);
void v_ones(struct trans *t, unsigned bits, unsigned d); // d is scratch
// d = the sign of each lane of s in all its bits. d is scratch, not s; V3 is lost if s cannot be
// reached otherwise.
void v_sign(struct trans *t, unsigned z, unsigned bits, unsigned d, unsigned s);
// s itself, or `scratch` with its value where an instruction without EVEX encoding needs it.
unsigned v_low(struct trans *t, unsigned bits, unsigned s, unsigned scratch);

// Constants in memory: 32 bytes, and the same value in all their lanes.
struct mem vec_literal(struct trans *t, const u64 value[4]);
struct mem vec_literal64(struct trans *t, u64 lane);
struct mem vec_literal32(struct trans *t, u32 lane);
struct mem vec_literal16(struct trans *t, unsigned lane);
struct mem vec_literal8(struct trans *t, unsigned lane);
struct mem vec_literal_z(struct trans *t, unsigned z, u64 lane); // lanes of 8 << z bits

// d = mask ? b : a. The mask has bytes of zeros or ones; it is scratch, and is lost.
void vec_select(struct trans *t, unsigned bits, unsigned d, unsigned mask, unsigned a, unsigned b);

// Jumps out of line if a lane of `value` is a NaN (elements of `lane` bits); rax or V1 or a mask
// register is lost.
struct cold *vec_redo_if_nan(struct trans *t, unsigned bits, unsigned lane, unsigned value,
                             unsigned scratch);
// The same for a scalar, all else being known from the comparison of it with itself.
struct cold *fp_redo_if_nan(struct trans *t, unsigned lane, unsigned value);
