// SPDX-License-Identifier: Apache-2.0
// The generated tables behind isa/loongarch64.h: only for the files isa/loongarch64_*.c.
#pragma once

#include "isa/loongarch64.h"

// A member of struct la_insn that a field of the word fills.
enum la_at { LA_AT_RD, LA_AT_RJ, LA_AT_RK, LA_AT_RA, LA_AT_IMM, LA_AT_IMM2 };

// One field: its bits in the word and how its value is made of them.
struct la_field {
    u8 at;    // enum la_at
    u8 width; // of the value, before scaling
    u8 is_signed;
    u8 shift, bias; // value = (raw << shift) + bias
    u8 n_slices;
    struct {
        u8 low, width, at; // `width` bits at `low` of the word are those at `at` of the value
    } slices[2];
};

// The fields of a pattern; patterns share forms.
struct la_form {
    u8 n_fields;
    struct la_field fields[5];
};

// A form as the decoder wants it. Slots d, j, k, a have their registers at bits 0, 5, 10, 15.
struct la_cut {
    u32 regs; // the bits of the word that are register numbers
    struct {
        u32 mask; // (word >> low & mask) << at
        u8 low, at;
    } imm[2];
    u8 extend;      // 32 - width of a signed immediate, else 0
    u8 shift, bias; // as in struct la_field
    u8 imm2_low, imm2_mask;
};

// The operands of the assembly text, in order.
struct la_operand {
    u8 file;      // enum la_file; LA_FILE_NONE: an immediate
    u8 at;        // enum la_at
    u8 is_target; // a branch offset
};

struct la_format {
    u8 n_operands;
    struct la_operand operands[4];
};

// Another spelling of the words of `op` that match.
struct la_alias {
    const char *mnemonic;
    u16 op;
    u16 format;
    u32 mask, match;
};

// All mnemonics, sorted by strcmp. `alias` is an index or -1.
struct la_name {
    const char *name;
    u16 op;
    s16 alias;
};

// What decoding needs of an op, dense.
struct la_pick {
    u32 mask, match;
    u32 form; // index of la_forms and la_cuts
};

// A step of the decoder: the bits (word >> low) & mask select an entry behind `base`; an entry is
// an op or LA_NODE | the next node. Node 0 is the root.
struct la_node {
    u16 base;
    u8 low;
    u16 mask;
};

#define LA_NODE 0x8000u

extern const struct la_form la_forms[];
extern const struct la_cut la_cuts[];
extern const struct la_format la_formats[];
extern const struct la_alias la_aliases[];
extern const unsigned la_n_aliases;
extern const struct la_name la_names[];
extern const unsigned la_n_names;
extern const struct la_pick la_picks[LA_N_OPS];
extern const struct la_node la_nodes[];
extern const u16 la_node_entries[];

// The value of `field` in `word`, scaled.
s32 la_field_get(const struct la_field *field, u32 word);

// Puts a raw value, as wide as the field, into the word.
u32 la_field_place(const struct la_field *field, u32 raw);

// The name or alias that equals the first `length` characters of `text`, NULL if there is none.
const struct la_name *la_find_name(const char *text, size_t length);

// The value of a member.
s64 la_insn_get(const struct la_insn *insn, unsigned at);
void la_insn_set(struct la_insn *insn, unsigned at, s64 value);
