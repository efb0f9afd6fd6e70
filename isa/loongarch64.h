// SPDX-License-Identifier: Apache-2.0
// LoongArch64 instructions: decode, disassemble, assemble, make at random.
//
// Everything here derives from isa/loongarch64.isa, whose head says what the fields, levels and
// attributes mean. All functions are pure: no state, any thread.
//
// Generated from it and included here: enum la_op (LA_INVALID = 0, LA_ADD_W, ..., LA_N_OPS), the
// enums for class, level, register file, element type, flag and enable bit, and the lists
//     LA_OPS(X)       X(add_w, ADD_W) for every pattern but those of LBT
//     LA_OPS_LBT(X)   those of LBT
//     LA_OPS_ALL(X)   both
#pragma once

#include "base/types.h"
#include "isa/loongarch64_ops.h"

struct err;

// A decoded instruction. Members that the pattern has no field for are 0.
struct la_insn {
    u32 raw;           // the instruction word
    s32 imm;           // first immediate: extended, scaled and biased as the manual defines
    u16 op;            // enum la_op
    u8 rd, rj, rk, ra; // register numbers, of whichever file la_op_info[op].file says
    u8 imm2;           // second immediate
};

// Bits of la_op_info.reads and .writes, and indices of la_op_info.file.
enum { LA_SLOT_D, LA_SLOT_J, LA_SLOT_K, LA_SLOT_A, LA_N_SLOTS };

struct la_op_info {
    const char *mnemonic;
    u32 mask, match;               // the word w is this op if (w & mask) == match
    u32 except_mask, except_match; // and not (w & except_mask) == except_match
    u32 flags;                     // enum la_flag
    u32 cpucfg1, cpucfg2;          // bits of CPUCFG words 1 and 2 that the processor must have
    u8 enable;                     // bits of CSR.EUEN that must be set (enum la_enable)
    u8 class;                      // enum la_class
    u8 level;                      // enum la_level: the instruction set that it belongs to
    u8 load_size, store_size;      // bytes; 0: no such access
    u8 file[LA_N_SLOTS];           // enum la_file per slot; LA_FILE_NONE: no such operand
    u8 reads, writes;              // slots, 1 << LA_SLOT_D ...
    u8 elem[3];                    // enum la_elem of result, first source, second source
    u8 form, format;               // indices into the tables of isa/loongarch64_tables.h
};

// Indexed by op. la_op_info[LA_INVALID] matches every word and needs nothing.
extern const struct la_op_info la_op_info[LA_N_OPS];

// Never fails: a word that is no instruction gives op = LA_INVALID and zero fields.
void la_decode(u32 word, struct la_insn *out);

// The inverse: the word for out->op and its fields; `raw` is not read. False, with the reason, if
// a value does not fit its field or if the fields make another instruction (csrxchg with $r0, $r1).
bool la_encode(const struct la_insn *insn, u32 *word, struct err *e);

// Writes the text of `word` at address `pc`, as llvm-objdump has it with one space after the
// mnemonic; branches are followed by " # 0x<target>", a word that is no instruction is
// ".word 0x<word>". Always terminated; returns the length that the whole text has, as snprintf
// does.
size_t la_disassemble(u32 word, u64 pc, char *buf, size_t size);

// One instruction (or ".word N"), with an optional comment behind '#'. Registers are named by the
// ABI ($a0, $fs2) or number ($r4, $f26, $vr3, $xr3, $fcc0, $fcsr0, $scr0). A branch takes its
// offset in bytes, as LLVM does, or @N for the address N, which `pc` turns into an offset.
bool la_assemble(const char *line, u64 pc, u32 *word, struct err *e);

// The op with this mnemonic, LA_INVALID if there is none. Aliases (nop, move, ret, jr) are no ops.
enum la_op la_op_by_name(const char *mnemonic);

// A set of ops as a bitmap: the filter of la_random_insn.
#define LA_OP_SET_WORDS ((LA_N_OPS + 63) / 64)

static inline bool la_op_set_has(const u64 *set, unsigned op)
{
    return set[op / 64] >> (op % 64) & 1;
}

static inline void la_op_set_add(u64 *set, unsigned op)
{
    set[op / 64] |= 1ULL << (op % 64);
}

// A word of `op` whose fields are random, with a preference for their extreme values. `rng_state`
// is any number; the same number gives the same words on every host. `op` is not LA_INVALID.
u32 la_random_word(u64 *rng_state, enum la_op op);

// A word of a random op of the set (LA_OP_SET_WORDS words; NULL: of all ops). The set is not empty.
u32 la_random_insn(u64 *rng_state, const u64 *op_set);
