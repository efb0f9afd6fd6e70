// SPDX-License-Identifier: Apache-2.0
// Loops that use registers which have no place in the host's, and leave others alone that have one.
//
// A block that is such a loop begins by letting some of its registers change places: what the host
// registers held goes home, and what the loop uses comes. Wherever the block is left, or C is
// called, they change back. Nothing enters such a block but at its beginning; branches back to it,
// and forward ones within it, stay inside; without chaining they leave. Other blocks end where such
// a loop begins. Not where instructions are counted, nor where blocks compare their source.
#include "jit/x86_64/la_trans.h"

// A loop must save as many accesses to memory in a round.
#define LEAST_GAIN 3

struct uses {
    unsigned n[32];
};

static void count_uses(const struct trans *t, unsigned first, unsigned last, struct uses *u)
{
    *u = (struct uses){0};
    for (unsigned n = first; n <= last; n++) {
        const struct la_insn *i = &t->insns[n];
        const struct la_op_info *o = &la_op_info[i->op];
        const unsigned r[] = {i->rd, i->rj, i->rk};
        for (unsigned slot = LA_SLOT_D; slot <= LA_SLOT_K; slot++)
            if (o->file[slot] == LA_FILE_GPR)
                u->n[r[slot]]++;
    }
}

// The register that is in a host register, by the table of all blocks, or is not, and that is used
// most or least and not chosen yet; 0: none.
static unsigned find_use(const struct uses *u, u32 chosen, bool is_pinned, bool most)
{
    unsigned best = 0;
    for (unsigned r = 1; r < 32; r++) {
        bool is_candidate = (jit_gpr_host[r] != NO_REG) == is_pinned && !(chosen >> r & 1);
        if (is_candidate && (!best || (most ? u->n[r] > u->n[best] : u->n[r] < u->n[best])))
            best = r;
    }
    return best;
}

static unsigned choose_swaps(const struct uses *u, struct swap *swaps, unsigned *gain)
{
    u32 chosen = 0;
    unsigned n = 0;
    for (*gain = 0; n < JIT_N_PINS; n++) {
        unsigned in = find_use(u, chosen, false, true), out = find_use(u, chosen, true, false);
        if (!in || !out || u->n[in] < u->n[out] + 2)
            break;
        *gain += u->n[in] - u->n[out];
        chosen |= 1u << in | 1u << out;
        swaps[n] = (struct swap){(u8)in, (u8)out, jit_gpr_host[out]};
    }
    return n;
}

// The instruction that a branch leads to; `limit` if it is outside of the first so many.
static unsigned branch_target(const struct trans *t, unsigned n, unsigned limit)
{
    const struct la_insn *i = &t->insns[n];
    const struct la_template *x = trans_template(t, n);
    if (!x || !(x->flags & T_BRANCH || i->op == LA_B))
        return limit;
    s64 target = (s64)n + i->imm / 4;
    return target >= 0 && target < limit ? (unsigned)target : limit;
}

// The last instruction that leads back to `head`, and before which there is no other loop and
// nothing that the interpreter executes; `head` itself if there is none.
static unsigned find_end(const struct trans *t, unsigned head)
{
    unsigned end = head;
    for (unsigned n = head + 1; n < t->n && trans_template(t, n); n++) {
        unsigned target = branch_target(t, n, n);
        if (target > head && target < n)
            break;
        if (target == head)
            end = n;
    }
    return end;
}

static bool begins_loop(struct trans *t, unsigned head, unsigned *end)
{
    struct uses u;
    unsigned gain;
    *end = find_end(t, head);
    if (*end == head)
        return false;
    count_uses(t, head, *end, &u);
    t->n_swaps = choose_swaps(&u, t->swaps, &gain);
    return gain >= LEAST_GAIN;
}

static void take_loop(struct trans *t, unsigned end)
{
    t->n = end + 1;
    for (unsigned n = 0; n < t->n; n++) {
        unsigned target = branch_target(t, n, t->n);
        if (target > n && target < t->n)
            t->is_target[target] = true;
    }
    for (unsigned n = 0; n < t->n_swaps; n++) {
        t->map[t->swaps[n].in] = t->swaps[n].host;
        t->map[t->swaps[n].out] = NO_REG;
    }
}

void trans_find_loop(struct trans *t)
{
    unsigned end, n_plain = t->n < BLOCK_PLAIN_INSNS ? t->n : BLOCK_PLAIN_INSNS;
    bool may = !t->jit->options.count && !t->page->is_unwatched;
    if (t->jit->options.check) // which keeps no more states
        t->n = n_plain;
    for (unsigned n = 0; may && n < t->n; n++) {
        unsigned head = branch_target(t, n, n);
        if (head >= n_plain || head == n || !begins_loop(t, head, &end))
            continue;
        if (head == 0) {
            take_loop(t, end);
            return;
        }
        n_plain = head;
    }
    t->n_swaps = 0;
    t->n = n_plain;
}

void trans_swap_in(struct trans *t)
{
    for (unsigned n = 0; n < t->n_swaps; n++) {
        const struct swap *s = &t->swaps[n];
        emit_mov_mr(&t->e, W64, gpr_home(s->out), (enum reg)s->host);
        emit_mov_rm(&t->e, W64, (enum reg)s->host, gpr_home(s->in));
    }
}

void trans_swap_out(struct trans *t)
{
    for (unsigned n = 0; n < t->n_swaps; n++) {
        const struct swap *s = &t->swaps[n];
        emit_mov_mr(&t->e, W64, gpr_home(s->in), (enum reg)s->host);
        emit_mov_rm(&t->e, W64, (enum reg)s->host, gpr_home(s->out));
    }
}

void trans_note_label(struct trans *t)
{
    if (!t->n_swaps)
        return;
    if (t->now == 0) {
        trans_swap_in(t);
        t->label[0] = emit_here(&t->e);
    } else if (t->is_target[t->now] && !t->group_base && t->flag_end != t->now) {
        t->label[t->now] = emit_here(&t->e);
        t->label_units[t->now] = t->units;
    }
}

// The way out: everybody's registers again.
static void cold_out(struct trans *t, const struct cold *x)
{
    trans_swap_out(t);
    trans_goto_outside(t, x->target);
}

// A branch to an instruction behind it. What stands between may have asked for a unit: then it
// cannot stay inside.
static void cold_inside(struct trans *t, const struct cold *x)
{
    unsigned n = (unsigned)(x->target - (s32)t->offset) / 4;
    if (n < t->now && t->label[n] && t->label_units[n] == x->value)
        emit_patch(x->site, t->label[n]);
    else
        cold_out(t, x);
}

void trans_goto_in_loop(struct trans *t, u8 *site, s32 target)
{
    s32 n = (target - (s32)t->offset) / 4;
    bool may = !t->jit->options.no_chain && target >= (s32)t->offset && n < (s32)t->n;
    if (may && n == 0) {
        emit_patch(site, t->label[0]);
    } else if (may && n > (s32)t->now) {
        struct cold *x = trans_cold(t, cold_inside, site);
        x->target = target;
        x->value = t->units;
    } else {
        trans_cold(t, cold_out, site)->target = target;
    }
}
