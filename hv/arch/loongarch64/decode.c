// SPDX-License-Identifier: Apache-2.0
#include "hv/arch/loongarch64/decode.h"
#include "base/bits.h"

struct form {
    u16 opcode;
    u8 size;
    bool is_write, is_signed;
};

// ld and st with a 12-bit offset: bits 31:22.
static const struct form by_immediate[] = {
    {0x0a0, 1, false, true},  {0x0a1, 2, false, true},  {0x0a2, 4, false, true},
    {0x0a3, 8, false, false}, {0x0a4, 1, true, false},  {0x0a5, 2, true, false},
    {0x0a6, 4, true, false},  {0x0a7, 8, true, false},  {0x0a8, 1, false, false},
    {0x0a9, 2, false, false}, {0x0aa, 4, false, false},
};

// ldptr and stptr: bits 31:24.
static const struct form by_pointer[] = {
    {0x24, 4, false, true},
    {0x25, 4, true, false},
    {0x26, 8, false, false},
    {0x27, 8, true, false},
};

// ldx and stx: bits 31:15.
static const struct form by_index[] = {
    {0x7000, 1, false, true},  {0x7008, 2, false, true},  {0x7010, 4, false, true},
    {0x7018, 8, false, false}, {0x7020, 1, true, false},  {0x7028, 2, true, false},
    {0x7030, 4, true, false},  {0x7038, 8, true, false},  {0x7040, 1, false, false},
    {0x7048, 2, false, false}, {0x7050, 4, false, false},
};

enum { PRELD = 0x0ab, PRELDX = 0x7058 };

static bool look_up(const struct form *forms, unsigned n, u32 opcode, u32 insn,
                    struct load_store *ls)
{
    for (unsigned i = 0; i < n; i++) {
        if (forms[i].opcode != opcode)
            continue;
        ls->size = forms[i].size;
        ls->is_write = forms[i].is_write;
        ls->is_signed = forms[i].is_signed;
        ls->reg = insn & 31;
        return true;
    }
    return false;
}

bool decode_load_store(u32 insn, struct load_store *ls)
{
    *ls = (struct load_store){0};
    if (insn >> 22 == PRELD || insn >> 15 == PRELDX) {
        ls->is_hint = true;
        return true;
    }
    return look_up(by_immediate, ARRAY_LEN(by_immediate), insn >> 22, insn, ls) ||
           look_up(by_pointer, ARRAY_LEN(by_pointer), insn >> 24, insn, ls) ||
           look_up(by_index, ARRAY_LEN(by_index), insn >> 15, insn, ls);
}
