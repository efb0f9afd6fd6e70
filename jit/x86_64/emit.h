// SPDX-License-Identifier: Apache-2.0
// Emits x86-64 instructions, one call each.
//
// The encoder knows forms, not mnemonics: an ALU operation between two registers, with memory, with
// an immediate; a vector operation with three registers. Names of operations are numbers of the
// processor's manual ("Intel 64 and IA-32 Architectures Software Developer's Manual", volume 2).
//
// Bytes go to a buffer of fixed size. When it is full nothing more is written and `is_full` is set:
// whoever emits looks at that once at the end.
//
// Vector instructions are those of AVX, VEX or EVEX. With `is_sse` they are written as SSE has
// them, by a move and an instruction where the destination is not the first source; what SSE has
// not sets `is_lacking`.
#pragma once

#include "base/types.h"

#include <string.h>

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REG };

// [base + index * scale + disp]; with NO_REG as base: `disp` bytes into emit.literals.
struct mem {
    u8 base, index; // enum reg; NO_REG
    u8 scale;       // 1, 2, 4, 8
    s32 disp;
};

static inline struct mem at(enum reg base, s64 disp)
{
    return (struct mem){.base = (u8)base, .index = NO_REG, .scale = 1, .disp = (s32)disp};
}

static inline struct mem at_literal(u32 offset)
{
    return (struct mem){.base = NO_REG, .index = NO_REG, .scale = 1, .disp = (s32)offset};
}

static inline struct mem at_index(enum reg base, enum reg index, unsigned scale, s64 disp)
{
    return (struct mem){
        .base = (u8)base, .index = (u8)index, .scale = (u8)scale, .disp = (s32)disp};
}

// Code is written through one mapping and runs through another one.
struct emit {
    u8 *p;     // where the next byte is written
    u8 *limit; // the first byte that may not be
    u8 *start;
    const u8 *literals; // constants that code addresses by their distance
    ptrdiff_t to_run;   // add to an address for writing to get the one that runs
    bool is_full;
    bool is_sse;     // for a host without AVX2
    bool is_lacking; // it had no instruction for what was asked; what is written is not it
};

// Sizes of operands, in bytes.
enum width { W8 = 1, W16 = 2, W32 = 4, W64 = 8 };

enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum shift { SHIFT_ROL, SHIFT_ROR, SHIFT_SHL = 4, SHIFT_SHR, SHIFT_SAR = 7 };
enum unary { UNARY_NOT = 2, UNARY_NEG, UNARY_MUL, UNARY_IMUL, UNARY_DIV, UNARY_IDIV };
enum cond {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G
};

void emit_bytes(struct emit *e, const void *bytes, size_t n);

// Most of what translating costs is here.
#define EMIT_DEFINE_NUMBER(name, type)                            \
    static inline void name(struct emit *e, type value)           \
    {                                                             \
        if (likely((size_t)(e->limit - e->p) >= sizeof(value))) { \
            memcpy(e->p, &value, sizeof(value));                  \
            e->p += sizeof(value);                                \
        } else {                                                  \
            e->is_full = true;                                    \
        }                                                         \
    }

EMIT_DEFINE_NUMBER(emit_byte, u8)
EMIT_DEFINE_NUMBER(emit_u32, u32)
EMIT_DEFINE_NUMBER(emit_u64, u64)
#undef EMIT_DEFINE_NUMBER

static inline void emit_u8(struct emit *e, unsigned value)
{
    emit_byte(e, (u8)value);
}

void emit_align(struct emit *e, unsigned alignment, unsigned offset); // no-operations up to it
static inline u8 *emit_here(const struct emit *e)
{
    return e->p;
}
static inline const u8 *emit_run_address(const struct emit *e, const u8 *p)
{
    return p + e->to_run;
}

void emit_alu_rr(struct emit *e, enum alu op, enum width w, enum reg d, enum reg s);
void emit_alu_rm(struct emit *e, enum alu op, enum width w, enum reg d, struct mem s);
void emit_alu_mr(struct emit *e, enum alu op, enum width w, struct mem d, enum reg s);
void emit_alu_ri(struct emit *e, enum alu op, enum width w, enum reg d, s32 imm);
void emit_alu_mi(struct emit *e, enum alu op, enum width w, struct mem d, s32 imm);
void emit_test_rr(struct emit *e, enum width w, enum reg a, enum reg b);
void emit_test_mr(struct emit *e, enum width w, struct mem a, enum reg b);
void emit_test_mi8(struct emit *e, struct mem m, unsigned imm);           // a byte in memory
void emit_mov_rr(struct emit *e, enum width w, enum reg d, enum reg s);   // W32 or W64
void emit_mov_ri(struct emit *e, enum reg d, u64 imm);                    // in the shortest way
void emit_mov_rm(struct emit *e, enum width w, enum reg d, struct mem s); // W32 zero-extends
void emit_mov_mr(struct emit *e, enum width w, struct mem d, enum reg s);
void emit_mov_mi(struct emit *e, enum width w, struct mem d, s32 imm); // sign-extended to 64
// Extends from `from` to 64 bits.
void emit_extend_rr(struct emit *e, enum width from, bool is_signed, enum reg d, enum reg s);
void emit_extend_rm(struct emit *e, enum width from, bool is_signed, enum reg d, struct mem s);
void emit_lea(struct emit *e, enum width w, enum reg d, struct mem m);
void emit_shift_ri(struct emit *e, enum shift op, enum width w, enum reg d, unsigned n);
// d = s rotated to the right; flags stay. BMI2.
void emit_rorx(struct emit *e, enum width w, enum reg d, enum reg s, unsigned n);
void emit_shift_rcl(struct emit *e, enum shift op, enum width w, enum reg d);
void emit_unary_r(struct emit *e, enum unary op, enum width w, enum reg d);
void emit_imul_rr(struct emit *e, enum width w, enum reg d, enum reg s);
void emit_setcc(struct emit *e, enum cond cc, enum reg d); // the low byte only
void emit_setcc_m(struct emit *e, enum cond cc, struct mem m);
void emit_cmov_rr(struct emit *e, enum cond cc, enum width w, enum reg d, enum reg s);
void emit_bswap(struct emit *e, enum width w, enum reg d);
// Two bytes of opcode after 0x0f, with a mandatory prefix (0: none): bsf, popcnt, lzcnt, ...
void emit_0f_rr(struct emit *e, unsigned prefix, unsigned opcode, enum width w, enum reg d,
                enum reg s);
void emit_0f_rm(struct emit *e, unsigned prefix, unsigned opcode, enum width w, enum reg d,
                struct mem s);
void emit_push(struct emit *e, enum reg r);
void emit_pop(struct emit *e, enum reg r);
void emit_ret(struct emit *e);
void emit_cwd(struct emit *e, enum width w); // sign of rax into rdx (cdq, cqo)
void emit_locked(struct emit *e);            // prefix of the next instruction
void emit_cmpxchg_mr(struct emit *e, enum width w, struct mem m, enum reg s);
void emit_xadd_mr(struct emit *e, enum width w, struct mem m, enum reg s);
void emit_xchg_mr(struct emit *e, enum width w, struct mem m, enum reg s);

// Jumps whose distance is filled in later: emit_jcc returns where the 32-bit distance lies.
u8 *emit_jcc(struct emit *e, enum cond cc);
u8 *emit_jmp(struct emit *e);
u8 *emit_call(struct emit *e);
// To an address that runs (not one for writing).
void emit_jcc_to(struct emit *e, enum cond cc, const u8 *target);
void emit_jmp_to(struct emit *e, const u8 *target);
void emit_call_to(struct emit *e, const u8 *target);
void emit_jmp_m(struct emit *e, struct mem m);
void emit_call_m(struct emit *e, struct mem m);
void emit_jmp_r(struct emit *e, enum reg r);
void emit_call_r(struct emit *e, enum reg r);
// Lets the jump or call whose distance lies at `site` lead to `target`, both addresses for writing.
void emit_patch(u8 *site, const u8 *target);
// lea d, [rip + x]; returns where the distance lies, for emit_patch.
u8 *emit_lea_rip(struct emit *e, enum reg d);

// Vector instructions. `vop` names the instruction: VOP(...) below.
enum {
    VOP_EVEX = 1u << 24,      // has no VEX encoding
    VOP_NO_LENGTH = 1u << 25, // scalar: the length field is ignored, 0 is written
    VOP_EVEX_W = 1u << 26,    // the W of the EVEX encoding; that of VEX is 0
    VOP_VEX = 1u << 27,       // has no EVEX encoding, or one that means something else
    VOP_ONE = 1u << 18,       // has one source: no register in the vvvv field
    VOP_GPR = 1u << 19,       // the second source is a general register
    VOP_AVX = 1u << 20,       // SSE has no such instruction
};
// With `is_sse` the encoder's own; nothing may be kept in it.
#define EMIT_SSE_SPARE 15
enum { VMAP_0F = 1, VMAP_0F38 = 2, VMAP_0F3A = 3 };
enum { VPP_NONE, VPP_66, VPP_F3, VPP_F2 };
#define VOP(pp, map, w, opcode) \
    ((opcode) | (unsigned)(w) << 8 | (unsigned)(map) << 12 | (unsigned)(pp) << 16)

// Registers of vector instructions are 0 to 31; 16 and above need an EVEX host. `bits` is 128, 256
// (512 with VOP_EVEX). `s1` is the register of the vvvv field; 0 if the instruction has none.
void emit_v_rrr(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned s2);
void emit_v_rrm(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, struct mem s2);
void emit_v_rrri(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned s2,
                 unsigned imm);
void emit_v_rrmi(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, struct mem s2,
                 unsigned imm);
// EVEX with a write mask k1 to k7 (zeroing: elements that are masked off become 0), and with a
// static rounding (`rounding` 0 nearest, 1 down, 2 up, 3 zero; all exceptions suppressed).
void emit_v_masked(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned s2,
                   unsigned mask, bool zeroing);
void emit_v_rounded(struct emit *e, u32 vop, unsigned d, unsigned s1, unsigned s2,
                    unsigned rounding);
