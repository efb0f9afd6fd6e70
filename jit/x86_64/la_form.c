// SPDX-License-Identifier: Apache-2.0
// How an access is checked at first: against a slot, or by the table of pages.
//
// A slot that hits costs less, and above all nothing waits for it; one that misses every few times
// costs as much as ten looks into the table, as the host does not foresee it. Which of them an access
// will be is not known when it is translated, but its place tells: loops without calls walk through
// a few arrays, stacks and what is addressed by the PC stay in a page, and windows onto memory are one
// region. All the rest follows pointers to wherever they lead.
#include "jit/x86_64/la_trans.h"

#include <string.h>

// Longer loops are the paths of interpreters and the like.
#define LOOP_MAX_INSNS 96

static struct la_insn insn_at(const struct trans *t, unsigned n)
{
    u32 word;
    struct la_insn i;
    memcpy(&word, t->page->host + 4 * n, 4);
    la_decode(word, &i);
    return i;
}

static bool is_call(const struct la_insn *i)
{
    return i->op == LA_BL || (i->op == LA_JIRL && i->rd == 1);
}

static bool is_return(const struct la_insn *i)
{
    return i->op == LA_JIRL && i->rd == 0 && i->rj == 1;
}

static bool has_call(const struct trans *t, unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++) {
        struct la_insn i = insn_at(t, n);
        if (is_call(&i))
            return true;
    }
    return false;
}

// Between a branch that leads back and where it leads to, with no call in between; by the bytes of the
// page, whatever block they belong to.
static bool is_in_loop(const struct trans *t)
{
    const unsigned here = trans_offset(t) / 4;
    const unsigned limit = here + LOOP_MAX_INSNS < CODE_N_INSNS ? here + LOOP_MAX_INSNS : CODE_N_INSNS;
    for (unsigned n = here + 1; n < limit; n++) {
        struct la_insn i = insn_at(t, n);
        if (is_call(&i) || is_return(&i))
            return false;
        if (la_op_info[i.op].class != LA_CLASS_BRANCH || i.op == LA_JIRL || i.imm >= 0)
            continue;
        unsigned length = (unsigned)-i.imm / 4;
        if (length <= LOOP_MAX_INSNS && length <= n && n - length <= here)
            return !has_call(t, n - length, here);
    }
    return false;
}

static bool is_by_pc(const struct trans *t, unsigned r)
{
    u32 made = t->defined[r];
    if (!made)
        return false;
    const struct la_insn *i = &t->insns[(made - 1 - t->offset) / 4];
    switch (i->op) {
    case LA_PCADDI:
    case LA_PCALAU12I:
    case LA_PCADDU12I: return true;
    default: return false;
    }
}

// Root's PLV 0 and direct mode see RAM in windows.
static bool sees_window(const struct trans *t)
{
    return t->page->mode.slots == 0 || t->page->mode.slots == 4;
}

bool trans_suits_slot(const struct trans *t)
{
    const struct la_insn *i = &t->insns[t->now];
    bool is_sum = trans_template(t, t->now)->flags & T_INDEX;
    bool is_fixed = !is_sum && (i->rj == 0 || i->rj == 2 || i->rj == 3 || is_by_pc(t, i->rj));
    return sees_window(t) || is_fixed || is_in_loop(t);
}
