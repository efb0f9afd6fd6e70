// SPDX-License-Identifier: Apache-2.0
// What an access is checked against: one slot, four of them, or the table of pages.
//
// A slot that hits costs less, and above all nothing waits for it. One that misses every few times
// costs as much as ten looks into the table, as the host does not foresee it. What an access will
// do is not known when it is translated, but its place tells: loops without calls walk through a
// few arrays, the stack and what the PC addresses stay in a page, and windows onto RAM are one
// region. All others follow pointers to wherever they lead. Slots that miss all the time after all
// are found out when they do (run.c).
#include "jit/x86_64/la_trans.h"

#include <string.h>

enum { R_ZERO, R_RA, R_TP, R_SP };

// Where an instruction leads: on, or else so many instructions back in the page.
enum { FLOW_ON, FLOW_CALL = 0xffff, FLOW_RETURN = 0xfffe };

// The instruction `n` of the page, in this block or not.
static u16 find_flow(const struct trans *t, unsigned n)
{
    u32 word;
    struct la_insn i;
    memcpy(&word, t->page->host + (size_t)4 * n, 4);
    la_decode(word, &i);
    if (i.op == LA_BL || (i.op == LA_JIRL && i.rd == R_RA))
        return FLOW_CALL;
    if (i.op == LA_JIRL && i.rd == R_ZERO && i.rj == R_RA)
        return FLOW_RETURN;
    if (la_op_info[i.op].class != LA_CLASS_BRANCH || i.op == LA_JIRL || i.imm >= 0)
        return FLOW_ON;
    u64 length = (u64)-i.imm / 4;
    return length <= n ? (u16)length : FLOW_ON;
}

// Accesses of a block ask for the same instructions again and again: those from its beginning on
// are decoded once.
static u16 flow_at(struct trans *t, unsigned n)
{
    const unsigned first = t->offset / 4;
    if (n < first)
        return find_flow(t, n);
    for (; t->n_flow <= n - first; t->n_flow++)
        t->flow[t->n_flow] = find_flow(t, first + t->n_flow);
    return t->flow[n - first];
}

static bool has_call(struct trans *t, unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++)
        if (flow_at(t, n) == FLOW_CALL)
            return true;
    return false;
}

// Between a branch that leads back and where it leads to, with no call in between.
static bool is_in_loop(struct trans *t)
{
    const unsigned here = trans_offset(t) / 4, max = here + LOOP_MAX_INSNS;
    const unsigned end = max < CODE_N_INSNS ? max : CODE_N_INSNS;
    for (unsigned n = here + 1; n < end; n++) {
        u16 flow = flow_at(t, n);
        if (flow == FLOW_CALL || flow == FLOW_RETURN)
            return false;
        if (flow && flow <= LOOP_MAX_INSNS && n - flow <= here)
            return !has_call(t, n - flow, here);
    }
    return false;
}

static bool is_by_pc(const struct trans *t, unsigned r)
{
    if (!t->defined[r])
        return false;
    switch (t->insns[(t->defined[r] - 1 - t->offset) / 4].op) {
    case LA_PCADDI:
    case LA_PCALAU12I:
    case LA_PCADDU12I: return true;
    default: return false;
    }
}

static bool stays_in_page(const struct trans *t)
{
    const unsigned r = t->insns[t->now].rj;
    bool is_sum = trans_template(t, t->now)->flags & T_INDEX;
    return !is_sum && (r == R_ZERO || r == R_TP || r == R_SP || is_by_pc(t, r));
}

// The root's PLV 0 and direct mode.
static bool sees_window(const struct trans *t)
{
    return t->page->mode.slots == 0 || t->page->mode.slots == 4;
}

static bool is_in(const struct trans *t, const u64 *sites)
{
    unsigned n = trans_offset(t) / 4;
    return sites[n / 64] >> (n % 64) & 1;
}

enum access_form trans_access_form(struct trans *t)
{
    const u32 forced = t->jit->options.access_form;
    if (forced == FORM_PAGES || t->n_parted || is_in(t, t->page->probing))
        return FORM_PAGES;
    if (forced == FORM_WAYS || is_in(t, t->page->ways))
        return FORM_WAYS;
    if (forced == FORM_SLOT || sees_window(t) || stays_in_page(t) || is_in_loop(t))
        return FORM_SLOT;
    return FORM_PAGES;
}
