// SPDX-License-Identifier: Apache-2.0
#include "jit/defined_bits.h"

#include <string.h>

// Suffixes are ".s", ".d", ".w", ".l" and the like.
static unsigned suffix_bits(const char *suffix)
{
    return suffix && (suffix[1] == 's' || suffix[1] == 'w') ? 32 : 64;
}

// The first suffix of a mnemonic is its result's, the last one its source's.
static unsigned scalar_bits(unsigned op, bool is_result)
{
    const char *mnemonic = la_op_info[op].mnemonic;
    switch (op) {
    case LA_FSEL:
    case LA_MOVCF2FR:
    case LA_MOVFRH2GR_S: return 64;
    case LA_MOVGR2FRH_W: return is_result ? 64 : 32;
    case LA_FCLASS_D: return is_result ? 32 : 64;
    default: return suffix_bits(is_result ? strchr(mnemonic, '.') : strrchr(mnemonic, '.'));
    }
}

// Of a register operand; 0: it is in no vector register.
static unsigned width_of(unsigned op, unsigned slot, bool is_result)
{
    switch (la_op_info[op].file[slot]) {
    case LA_FILE_XR: return 256;
    case LA_FILE_VR: return 128;
    case LA_FILE_FPR: return scalar_bits(op, is_result);
    default: return 0;
    }
}

unsigned defined_bits_of_result(unsigned op)
{
    return la_op_info[op].writes & 1 << LA_SLOT_D ? width_of(op, LA_SLOT_D, true) : 0;
}

bool defined_bits_is_written(unsigned op)
{
    return defined_bits_of_result(op) != 0;
}

bool defined_bits_flow(struct defined_bits *d, u32 word, unsigned op)
{
    const struct la_op_info *o = &la_op_info[op];
    for (unsigned slot = 0; slot < LA_N_SLOTS; slot++)
        if (o->reads & 1 << slot && d->vr[word >> 5 * slot & 31] < width_of(op, slot, false))
            return false;
    if (defined_bits_is_written(op))
        d->vr[word & 31] = (u16)width_of(op, LA_SLOT_D, true);
    return true;
}
