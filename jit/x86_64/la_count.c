// SPDX-License-Identifier: Apache-2.0
// Counting instructions, for deterministic runs (jit_options.count).
//
// A stretch is what executes as a whole if nothing interferes: from the beginning of a block or
// from behind a conditional branch to the next branch. Where it begins its length is taken off
// la_code.left, and if that is not enough the block is left there. So translated code never runs
// past the number of instructions that it may, nothing has to be done at branches, and whoever
// leaves in the middle of a stretch gives back what was not executed. A stretch's length is known
// when it ends, and patched in.
#include "jit/x86_64/la_trans.h"
#include "base/bug.h"

static unsigned index_of(const struct trans *t, u32 offset)
{
    return (offset - t->offset) / 4;
}

unsigned trans_n_ahead(const struct trans *t, u32 offset)
{
    if (!t->jit->options.count)
        return 0;
    unsigned n = index_of(t, offset);
    BUG_ON(n >= BLOCK_MAX_INSNS || t->stretch_end[n] <= n);
    return t->stretch_end[n] - n;
}

void trans_give_back(struct trans *t, unsigned n)
{
    if (t->jit->options.count && n)
        emit_alu_mi(&t->e, ALU_ADD, W64, STATE(code.left), (s32)n);
}

void trans_take_again(struct trans *t, unsigned n)
{
    if (t->jit->options.count && n)
        emit_alu_mi(&t->e, ALU_SUB, W64, STATE(code.left), (s32)n);
}

bool trans_begins_stretch(const struct trans *t)
{
    if (!t->jit->options.count || !t->now)
        return true;
    const struct la_template *x = trans_template(t, t->now - 1);
    return x && x->flags & T_BRANCH;
}

static void cold_too_long(struct trans *t, const struct cold *x)
{
    trans_give_back(t, trans_n_ahead(t, x->offset));
    trans_leave(t, x->offset);
}

void trans_begin_stretch(struct trans *t)
{
    if (!t->jit->options.count || !trans_begins_stretch(t))
        return;
    trans_end_stretch(t);
    t->stretch = t->now;
    emit_alu_mi(&t->e, ALU_SUB, W64, STATE(code.left), BLOCK_PLAIN_INSNS);
    t->stretch_length = emit_here(&t->e) - 1;
    trans_cold(t, cold_too_long, emit_jcc(&t->e, CC_L));
}

void trans_end_stretch(struct trans *t)
{
    if (!t->jit->options.count || t->e.is_full || t->now == t->stretch)
        return;
    *t->stretch_length = (u8)(t->now - t->stretch);
    for (unsigned n = t->stretch; n < t->now; n++)
        t->stretch_end[n] = (u8)t->now;
}
