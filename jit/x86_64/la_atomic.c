// SPDX-License-Identifier: Apache-2.0
// Atomic accesses: volume 1, 2.2.7 of the manual. What may be stored to through a slot may be read
// as well, so the store's slot serves. Misaligned ones are the interpreter's, which raises ALE.
//
// The host orders locked instructions as strongly as any of these asks for.
#include "jit/x86_64/la_trans.h"

#define LINK(f) ((s64)offsetof(struct la_context, link) + (s64)offsetof(struct la_link, f))

// ALE comes before all faults of the page: the interpreter executes what is misaligned. Returns
// what wants to know where it goes on then, or NULL.
static struct cold *check_alignment(struct trans *t, const struct la_insn *i, enum width w)
{
    if (w == W8)
        return NULL;
    emit_lea(&t->e, W32, RAX, at(trans_use(t, i->rj, RAX), i->imm));
    emit_alu_ri(&t->e, ALU_AND, W32, RAX, (s32)w - 1);
    return trans_redo_if(t, CC_NE);
}

static void end_redo(struct trans *t, struct cold *redo)
{
    if (redo)
        redo->back = emit_here(&t->e);
}

// rdx becomes the address in the host.
static struct mem operand(struct trans *t)
{
    emit_lea(&t->e, W64, RDX, trans_access(t));
    return at(RDX, 0);
}

static void set_old(struct trans *t, unsigned rd, enum width w)
{
    if (!rd)
        return;
    if (w != W64)
        emit_extend_rr(&t->e, w, true, RAX, RAX);
    trans_set(t, rd, RAX);
}

// Registers that the manual leaves undefined; the interpreter raises INE.
static bool is_overlapping(const struct la_insn *i)
{
    return i->rd && (i->rd == i->rj || i->rd == i->rk);
}

static enum alu alu_of(unsigned what)
{
    return what == AM_AND ? ALU_AND : what == AM_OR ? ALU_OR : ALU_XOR;
}

// The value that stays: what was found, in rax, or rk.
static enum cond keeps_old(unsigned what)
{
    return what == AM_MAX ? CC_G : what == AM_MIN ? CC_L : what == AM_MAXU ? CC_A : CC_B;
}

// rcx := the new value of the old one in rax.
static void compute(struct trans *t, unsigned what, enum width w, unsigned rk)
{
    struct emit *e = &t->e;
    if (what == AM_AND || what == AM_OR || what == AM_XOR) {
        trans_copy(t, RCX, rk);
        emit_alu_rr(e, alu_of(what), w, RCX, RAX);
        return;
    }
    trans_copy(t, RCX, rk);
    emit_alu_rr(e, ALU_CMP, w, RAX, RCX);
    emit_cmov_rr(e, keeps_old(what), w, RCX, RAX);
}

static void try_until_done(struct trans *t, struct mem m, unsigned what, enum width w, unsigned rk)
{
    struct emit *e = &t->e;
    emit_mov_rm(e, w, RAX, m);
    u8 *again = emit_here(e);
    compute(t, what, w, rk);
    emit_locked(e);
    emit_cmpxchg_mr(e, w, m, RCX);
    emit_patch(emit_jcc(e, CC_NE), again);
}

// `arg`: width, and what << 4.
TEMPLATE(atomic)
{
    struct emit *e = &t->e;
    const enum width w = (enum width)(arg & 15);
    const unsigned what = arg >> 4;
    if (is_overlapping(i)) {
        trans_interpret(t);
        return;
    }
    struct cold *redo = check_alignment(t, i, w);
    struct mem m = operand(t);
    if (what == AM_SWAP) {
        trans_copy(t, RAX, i->rk);
        emit_xchg_mr(e, w, m, RAX);
    } else if (what == AM_ADD) {
        trans_copy(t, RAX, i->rk);
        emit_locked(e);
        emit_xadd_mr(e, w, m, RAX);
    } else {
        try_until_done(t, m, what, w, i->rk);
    }
    set_old(t, i->rd, w);
    end_redo(t, redo);
}

TEMPLATE(amcas)
{
    const enum width w = (enum width)arg;
    struct cold *redo = check_alignment(t, i, w);
    struct mem m = operand(t);
    trans_copy(t, RAX, i->rd);
    trans_copy(t, RCX, i->rk);
    emit_locked(&t->e);
    emit_cmpxchg_mr(&t->e, w, m, RCX);
    set_old(t, i->rd, w);
    end_redo(t, redo);
}

// What sc.q compares as well: the upper half of sixteen bytes, else 0.
static void note_upper_half(struct trans *t)
{
    const u32 cpucfg2_scq = 1u << 30;
    struct emit *e = &t->e;
    if (!(t->cpu->cpucfg[2] & cpucfg2_scq)) {
        emit_mov_mi(e, W64, at(RCX, LINK(value[1])), 0);
        return;
    }
    emit_mov_rr(e, W32, RAX, RDX);
    emit_alu_ri(e, ALU_AND, W32, RAX, 8);
    u8 *is_upper = emit_jcc(e, CC_NE);
    emit_mov_rm(e, W64, RAX, at(RDX, 8));
    u8 *done = emit_jmp(e);
    emit_patch(is_upper, emit_here(e));
    emit_mov_ri(e, RAX, 0);
    emit_patch(done, emit_here(e));
    emit_mov_mr(e, W64, at(RCX, LINK(value[1])), RAX);
}

// `arg`: width.
TEMPLATE(load_linked)
{
    struct emit *e = &t->e;
    const enum width w = (enum width)arg;
    struct cold *redo = check_alignment(t, i, w);
    struct mem m = operand(t);
    emit_mov_rm(e, W64, RCX, STATE(context));
    emit_mov_mr(e, W64, at(RCX, LINK(place)), RDX);
    emit_mov_rm(e, w, RAX, m);
    emit_mov_mr(e, W64, at(RCX, LINK(value[0])), RAX);
    emit_mov_mi(e, W8, at(RCX, LINK(is_set)), 1);
    if (w == W32)
        emit_extend_rr(e, W32, true, RAX, RAX);
    trans_set(t, i->rd, RAX);
    if (w == W64)
        note_upper_half(t);
    end_redo(t, redo);
}

// It fails: rax is what rd becomes.
static void cold_fail(struct trans *t, const struct cold *x)
{
    emit_mov_ri(&t->e, RAX, 0);
    emit_jmp_to(&t->e, emit_run_address(&t->e, x->back));
}

// Without a link memory is not looked at: only ALE can be raised then.
TEMPLATE(store_conditional)
{
    struct emit *e = &t->e;
    const enum width w = (enum width)arg;
    struct cold *redo = check_alignment(t, i, w);
    emit_mov_rm(e, W64, RCX, STATE(context));
    emit_alu_mi(e, ALU_CMP, W8, at(RCX, LINK(is_set)), 0);
    struct cold *unset = trans_cold(t, cold_fail, emit_jcc(e, CC_E));
    struct mem m = operand(t);
    emit_mov_rm(e, W64, RCX, STATE(context));
    emit_mov_mi(e, W8, at(RCX, LINK(is_set)), 0);
    emit_alu_rm(e, ALU_CMP, W64, RDX, at(RCX, LINK(place)));
    struct cold *elsewhere = trans_cold(t, cold_fail, emit_jcc(e, CC_NE));
    emit_mov_rm(e, W64, RAX, at(RCX, LINK(value[0])));
    trans_copy(t, RCX, i->rd);
    emit_locked(e);
    emit_cmpxchg_mr(e, w, m, RCX);
    emit_setcc(e, CC_E, RAX);
    emit_extend_rr(e, W8, false, RAX, RAX);
    unset->back = elsewhere->back = emit_here(e);
    trans_set(t, i->rd, RAX);
    end_redo(t, redo);
}
