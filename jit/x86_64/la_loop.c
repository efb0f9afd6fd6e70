// SPDX-License-Identifier: Apache-2.0
// Loops that use registers which have no place in the host's, and leave others alone that have one:
// general registers, and vector registers.
//
// A block that is such a loop begins by letting some of its registers change places: what the host
// registers held goes home, and what the loop uses comes. Wherever the block is left, or C is
// called, they change back. Nothing enters such a block but at its beginning; branches back to it,
// and others within it, stay inside; without chaining they leave. Other blocks end where such
// a loop begins. A jump over the other half of a choice is part of a loop, and ends other blocks.
// Not where instructions are counted, nor where blocks compare their source.
#include "jit/x86_64/la_trans.h"
#include "jit/x86_64/vector_ops.h"

// A loop must save as many accesses to memory in a round.
#define LEAST_GAIN 3

// What a loop within another one uses counts so many times.
#define INNER_WEIGHT 4

struct uses {
    unsigned n[32];
};

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

// Whether an instruction is in a loop within the one from `head` to `end`.
static bool is_within(const struct trans *t, unsigned head, unsigned end, unsigned n)
{
    for (unsigned from = n; from <= end; from++) {
        unsigned target = branch_target(t, from, from);
        if (target > head && target <= n)
            return true;
    }
    return false;
}

// Of registers of one of the files.
static void count_uses(const struct trans *t, unsigned head, unsigned end, u32 files,
                       struct uses *u)
{
    *u = (struct uses){0};
    for (unsigned n = head; n <= end; n++) {
        const struct la_insn *i = &t->insns[n];
        const struct la_op_info *o = &la_op_info[i->op];
        const unsigned r[] = {i->rd, i->rj, i->rk, i->ra};
        const unsigned weight = is_within(t, head, end, n) ? INNER_WEIGHT : 1;
        for (unsigned slot = LA_SLOT_D; slot <= LA_SLOT_A; slot++)
            if (files >> o->file[slot] & 1)
                u->n[r[slot]] += weight;
    }
}

// The candidate that is used most or least; 32 if there is none.
static unsigned find_use(const struct uses *u, u32 candidates, bool most)
{
    unsigned best = 32;
    for (unsigned r = 0; r < 32; r++)
        if (candidates >> r & 1 &&
            (best == 32 || (most ? u->n[r] > u->n[best] : u->n[r] < u->n[best])))
            best = r;
    return best;
}

// At most `max`, between registers that are in `host`, where `none` says that one is not, and
// others of `may`. Returns how many, or 0 if they do not save enough.
static unsigned choose_swaps(const struct uses *u, u32 may, const u8 host[32], unsigned none,
                             unsigned max, struct swap *swaps)
{
    u32 pinned = 0;
    unsigned n = 0, gain = 0;
    for (unsigned r = 0; r < 32; r++)
        pinned |= (u32)(host[r] != none) << r;
    for (u32 left = may; n < max; n++) {
        unsigned in = find_use(u, left & ~pinned, true), out = find_use(u, left & pinned, false);
        if (in == 32 || out == 32 || u->n[in] < u->n[out] + 2)
            break;
        gain += u->n[in] - u->n[out];
        left &= ~(1u << in | 1u << out);
        swaps[n] = (struct swap){(u8)in, (u8)out, host[out]};
    }
    return gain >= LEAST_GAIN ? n : 0;
}

// The last instruction that leads back to `head`, and before which there is no call and nothing
// that the interpreter executes; `head` itself if there is none.
static unsigned find_end(const struct trans *t, unsigned head)
{
    unsigned end = head;
    for (unsigned n = head; n < t->n && trans_template(t, n) && t->insns[n].op != LA_BL; n++) {
        if (branch_target(t, n, n) == head && n > head)
            end = n;
    }
    return end;
}

// Of the first instruction that uses vector registers.
static u32 unit_of(const struct trans *t, unsigned head, unsigned end)
{
    for (unsigned n = head; n <= end; n++)
        if (la_op_info[t->insns[n].op].enable)
            return la_op_info[t->insns[n].op].enable;
    return 0;
}

static bool begins_loop(struct trans *t, unsigned head, unsigned *end)
{
    const u32 vectors = 1u << LA_FILE_FPR | 1u << LA_FILE_VR | 1u << LA_FILE_XR;
    struct uses u;
    *end = find_end(t, head);
    if (*end == head)
        return false;
    count_uses(t, head, *end, 1u << LA_FILE_GPR, &u);
    t->n_swaps = choose_swaps(&u, ~1u, t->map, NO_REG, JIT_N_PINS, t->swaps);
    count_uses(t, head, *end, vectors, &u);
    t->n_vr_swaps = choose_swaps(&u, ~0u, t->vr_map, NO_VR, LOOP_MAX_VR_SWAPS, t->vr_swaps);
    t->loop_unit = unit_of(t, head, *end);
    return t->n_swaps || t->n_vr_swaps;
}

static void take_places(u8 map[32], u8 none, const struct swap *swaps, unsigned n)
{
    for (const struct swap *s = swaps; s < swaps + n; s++) {
        map[s->in] = s->host;
        map[s->out] = none;
    }
}

static void take_loop(struct trans *t, unsigned end)
{
    t->n = end + 1;
    for (unsigned n = 0; n < t->n; n++) {
        unsigned target = branch_target(t, n, t->n);
        if (target != n && target && target < t->n)
            t->is_target[target] = true;
    }
    take_places(t->map, NO_REG, t->swaps, t->n_swaps);
    take_places(t->vr_map, NO_VR, t->vr_swaps, t->n_vr_swaps);
    t->is_loop = true;
}

void trans_find_loop(struct trans *t)
{
    unsigned end, n_plain = t->n < BLOCK_PLAIN_INSNS ? t->n : BLOCK_PLAIN_INSNS;
    bool may = !t->jit->options.count && !t->page->is_unwatched;
    if (t->jit->options.check) // which keeps no more states
        t->n = n_plain;
    if (t->n_straight && n_plain > t->n_straight)
        n_plain = t->n_straight;
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
    t->n_swaps = t->n_vr_swaps = 0;
    t->n = n_plain;
}

// What is in the host register goes to the home of one, and that of the other one comes.
static void change_vector(struct trans *t, unsigned host, unsigned out, unsigned in)
{
    unsigned bits = t->jit->has_avx2 ? 256 : 128;
    emit_v_rrm(&t->e, VMOVDQU_STORE, bits, host, 0, vr_home(out));
    emit_v_rrm(&t->e, VMOVDQU, bits, host, 0, vr_home(in));
}

static void change(struct trans *t, unsigned host, unsigned out, unsigned in)
{
    emit_mov_mr(&t->e, W64, gpr_home(out), (enum reg)host);
    emit_mov_rm(&t->e, W64, (enum reg)host, gpr_home(in));
}

void trans_swap_in(struct trans *t)
{
    for (const struct swap *s = t->swaps; s < t->swaps + t->n_swaps; s++)
        change(t, s->host, s->out, s->in);
    for (const struct swap *s = t->vr_swaps; s < t->vr_swaps + t->n_vr_swaps; s++)
        change_vector(t, s->host, s->out, s->in);
}

void trans_swap_out(struct trans *t)
{
    for (const struct swap *s = t->swaps; s < t->swaps + t->n_swaps; s++)
        change(t, s->host, s->in, s->out);
    for (const struct swap *s = t->vr_swaps; s < t->vr_swaps + t->n_vr_swaps; s++)
        change_vector(t, s->host, s->in, s->out);
}

// Where the unit is off the interpreter executes the first instruction, whatever it is.
static void cold_load(struct trans *t, const struct cold *x)
{
    emit_mov_ri(&t->e, RAX, x->offset);
    emit_mov_ri(&t->e, RCX, t->loop_unit);
    emit_call_to(&t->e, t->jit->stubs.unit);
    emit_jmp_to(&t->e, emit_run_address(&t->e, x->back));
}

// Vector registers change places only while they are in the host's. They stay there until the block
// is left: whatever is called from it brings them back.
static void load_vectors(struct trans *t)
{
    emit_test_mi8(&t->e, STATE(code.units), t->loop_unit);
    trans_cold(t, cold_load, emit_jcc(&t->e, CC_E))->back = emit_here(&t->e);
    t->units |= t->loop_unit;
}

void trans_note_label(struct trans *t)
{
    if (!t->is_loop)
        return;
    if (t->now == 0) {
        if (t->n_vr_swaps)
            load_vectors(t);
        trans_swap_in(t);
        t->label[0] = emit_here(&t->e);
    } else if (t->is_target[t->now] && !t->group_base && t->flag_end != t->now) {
        t->label[t->now] = emit_here(&t->e);
        t->label_units[t->now] = t->units;
    }
}

void trans_go_on_behind_jump(struct trans *t)
{
    t->is_ended = false;
    t->held = t->polled = t->group_base = t->flag_end = 0;
    t->units = t->n_vr_swaps ? t->loop_unit : 0;
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
    } else if (may && n <= (s32)t->now && t->label[n] && !(t->label_units[n] & ~t->units)) {
        emit_patch(site, t->label[n]); // the head of a loop within
    } else if (may && n > (s32)t->now) {
        struct cold *x = trans_cold(t, cold_inside, site);
        x->target = target;
        x->value = t->units;
    } else {
        trans_cold(t, cold_out, site)->target = target;
    }
}
