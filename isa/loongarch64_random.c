// SPDX-License-Identifier: Apache-2.0
// Random instructions, for differential tests.
//
// The generator is SplitMix64: one 64-bit state, every state is good, the same words everywhere.
#include "isa/loongarch64_tables.h"

#include "base/bug.h"

static u64 next(u64 *state)
{
    u64 z = *state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

// Half of the values are uniform; the others are 0, all ones, a single one or a single zero:
// register 0, extreme immediates, and neighbours of both.
static u32 random_field(u64 *state, unsigned width)
{
    u64 r = next(state);
    u32 all = (u32)((1ULL << width) - 1);
    u32 one = 1u << (r >> 8) % width;
    switch (r & 7) {
    case 0: return 0;
    case 1: return all;
    case 2: return one;
    case 3: return all ^ one;
    default: return (u32)(r >> 32) & all;
    }
}

u32 la_random_word(u64 *rng_state, enum la_op op)
{
    BUG_ON(op == LA_INVALID || op >= LA_N_OPS);
    const struct la_op_info *info = &la_op_info[op];
    const struct la_form *form = &la_forms[info->form];
    u32 word;
    do {
        word = info->match;
        for (unsigned i = 0; i < form->n_fields; i++)
            word |=
                la_field_place(&form->fields[i], random_field(rng_state, form->fields[i].width));
    } while ((word & info->except_mask) == info->except_match);
    return word;
}

static unsigned set_size(const u64 *set)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LA_OP_SET_WORDS; i++)
        n += (unsigned)__builtin_popcountll(set[i]);
    return n;
}

static enum la_op nth_of_set(const u64 *set, unsigned n)
{
    unsigned i = 0;
    for (unsigned here; n >= (here = (unsigned)__builtin_popcountll(set[i])); i++)
        n -= here;
    u64 bits = set[i];
    while (n--)
        bits &= bits - 1;
    return (enum la_op)(64 * i + (unsigned)__builtin_ctzll(bits));
}

u32 la_random_insn(u64 *rng_state, const u64 *op_set)
{
    if (!op_set)
        return la_random_word(rng_state, (enum la_op)(1 + next(rng_state) % (LA_N_OPS - 1)));
    unsigned n = set_size(op_set);
    BUG_ON(!n);
    return la_random_word(rng_state, nth_of_set(op_set, (unsigned)(next(rng_state) % n)));
}
