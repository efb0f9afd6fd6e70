// SPDX-License-Identifier: Apache-2.0
// Words to decoded instructions and back.
//
// Decoding walks a tree of small tables, two or three steps for nearly all words, to the one
// pattern that can still match; one compare says whether it does. Encoding is not meant to be
// fast: it serves the assembler and tests.
#include "isa/loongarch64_tables.h"

#include "base/bits.h"
#include "base/err.h"

#include <string.h>

static s32 cut_imm(const struct la_cut *cut, u32 word)
{
    u32 raw = (word >> cut->imm[0].low & cut->imm[0].mask) << cut->imm[0].at |
              (word >> cut->imm[1].low & cut->imm[1].mask) << cut->imm[1].at;
    return ((s32)(raw << cut->extend) >> cut->extend) * (1 << cut->shift) + cut->bias;
}

void la_decode(u32 word, struct la_insn *out)
{
    const struct la_node *node = &la_nodes[0];
    unsigned op;
    while ((op = la_node_entries[node->base + (word >> node->low & node->mask)]) & LA_NODE)
        node = &la_nodes[op & ~LA_NODE];
    if ((word & la_picks[op].mask) != la_picks[op].match)
        op = LA_INVALID;

    const struct la_cut *cut = &la_cuts[la_picks[op].form];
    u32 regs = word & cut->regs;
    *out = (struct la_insn){
        .raw = word,
        .imm = cut_imm(cut, word),
        .op = (u16)op,
        .rd = regs & 31,
        .rj = regs >> 5 & 31,
        .rk = regs >> 10 & 31,
        .ra = regs >> 15 & 31,
        .imm2 = (u8)(word >> cut->imm2_low & cut->imm2_mask),
    };
}

s64 la_insn_get(const struct la_insn *insn, unsigned at)
{
    switch (at) {
    case LA_AT_RD: return insn->rd;
    case LA_AT_RJ: return insn->rj;
    case LA_AT_RK: return insn->rk;
    case LA_AT_RA: return insn->ra;
    case LA_AT_IMM2: return insn->imm2;
    default: return insn->imm;
    }
}

void la_insn_set(struct la_insn *insn, unsigned at, s64 value)
{
    switch (at) {
    case LA_AT_RD: insn->rd = (u8)value; break;
    case LA_AT_RJ: insn->rj = (u8)value; break;
    case LA_AT_RK: insn->rk = (u8)value; break;
    case LA_AT_RA: insn->ra = (u8)value; break;
    case LA_AT_IMM2: insn->imm2 = (u8)value; break;
    default: insn->imm = (s32)value; break;
    }
}

u32 la_field_place(const struct la_field *field, u32 raw)
{
    u32 word = 0;
    for (unsigned i = 0; i < field->n_slices; i++)
        word |= (u32)bits_get(raw, field->slices[i].at + field->slices[i].width - 1u,
                              field->slices[i].at)
                << field->slices[i].low;
    return word;
}

s32 la_field_get(const struct la_field *field, u32 word)
{
    u64 raw = 0;
    for (unsigned i = 0; i < field->n_slices; i++)
        raw |=
            bits_get(word, field->slices[i].low + field->slices[i].width - 1u, field->slices[i].low)
            << field->slices[i].at;
    s64 value = field->is_signed ? sign_extend(raw, field->width) : (s64)raw;
    return (s32)(value * (1 << field->shift) + field->bias);
}

static const char *member_name(unsigned at)
{
    static const char *const names[] = {"rd", "rj", "rk", "ra", "imm", "imm2"};
    return names[at];
}

static bool encode_field(const struct la_field *field, s64 value, u32 *word, struct err *e)
{
    s64 unit = 1 << field->shift;
    s64 lowest = field->is_signed ? -(1LL << (field->width - 1)) : 0;
    s64 highest = lowest + (1LL << field->width) - 1;
    s64 scaled = value - field->bias;
    if (scaled < lowest * unit || scaled > highest * unit)
        return err_set(e, "%s is %lld, outside %lld to %lld", member_name(field->at),
                       (long long)value, (long long)(lowest * unit + field->bias),
                       (long long)(highest * unit + field->bias));
    if (scaled % unit)
        return err_set(e, "%s is %lld, no multiple of %lld", member_name(field->at),
                       (long long)value, (long long)unit);
    *word |= la_field_place(field, (u32)(scaled / unit));
    return true;
}

bool la_encode(const struct la_insn *insn, u32 *word, struct err *e)
{
    if (insn->op == LA_INVALID || insn->op >= LA_N_OPS)
        return err_set(e, "%u is no instruction", insn->op);
    const struct la_op_info *info = &la_op_info[insn->op];
    const struct la_form *form = &la_forms[info->form];
    u32 w = info->match;
    for (unsigned i = 0; i < form->n_fields; i++) {
        const struct la_field *field = &form->fields[i];
        if (!encode_field(field, la_insn_get(insn, field->at), &w, e))
            return false;
    }
    if ((w & info->except_mask) == info->except_match)
        return err_set(e, "with these operands it is another instruction");
    *word = w;
    return true;
}

const struct la_name *la_find_name(const char *text, size_t length)
{
    unsigned low = 0, high = la_n_names;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        int order = strncmp(text, la_names[mid].name, length);
        if (!order && !la_names[mid].name[length])
            return &la_names[mid];
        if (order > 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

enum la_op la_op_by_name(const char *mnemonic)
{
    const struct la_name *name = la_find_name(mnemonic, strlen(mnemonic));
    return name && name->alias < 0 ? (enum la_op)name->op : LA_INVALID;
}
