// SPDX-License-Identifier: Apache-2.0
// Branches: within a page by jumps that are linked once their target is translated, to other pages
// by a link of the processor (struct la_code_link), and indirect ones through its table of targets,
// looked up in place.
//
// A call by `bl` is a call of the host, so that the host predicts the return by its own stack. That
// stack has the guest's return address above its own. A return, `jirl r0, r1, 0`, that finds its
// target there is a return of the host; any other is looked up, and leaves open what is open, for
// who called may have done so through a pointer. Nothing that is open outlives a way out of
// translated code or a change of mode or mapping, so that these are the call's.
#include "jit/x86_64/la_trans.h"
#include "base/bug.h"
#include <string.h>

struct cold *trans_cold(struct trans *t, void (*emit)(struct trans *, const struct cold *),
                        u8 *site)
{
    BUG_ON(t->n_cold == BLOCK_MAX_COLD);
    struct cold *x = &t->cold[t->n_cold++];
    *x = (struct cold){.emit = emit, .site = site, .offset = trans_offset(t)};
    return x;
}

static void cold_leave(struct trans *t, const struct cold *x)
{
    trans_give_back(t, trans_n_ahead(t, x->offset));
    trans_leave(t, x->offset);
}

void trans_leave(struct trans *t, u32 offset)
{
    trans_swap_out(t);
    emit_mov_ri(&t->e, RAX, offset);
    emit_jmp_to(&t->e, t->jit->stubs.leave);
}

void trans_poll(struct trans *t)
{
    const u8 *before = emit_here(&t->e);
    emit_test_mi8(&t->e, STATE(cpu.requests), CPU_REQ_ALL);
    trans_cold(t, cold_leave, emit_jcc(&t->e, CC_NE));
    trans_keep_held(t, before);
}

// Whether code at `target` is surely mapped like this code: in the same page.
static bool is_in_page(const struct trans *t, s32 target)
{
    const s32 page = t->page->mode.is_small ? 4096 : CODE_PAGE;
    s32 first = (s32)t->offset / page * page;
    return target >= first && target < first + page;
}

static void cold_link(struct trans *t, const struct cold *x)
{
    emit_patch(emit_lea_rip(&t->e, RDX), x->site);
    emit_mov_ri(&t->e, RAX, (u64)(s64)x->target);
    emit_jmp_to(&t->e, t->jit->stubs.link);
}

void trans_keep_in_line(struct trans *t, unsigned n_before)
{
    unsigned at = ((uintptr_t)t->e.p + n_before) & 63;
    if (at > 60)
        emit_align(&t->e, 64, n_before);
}

// Where `target` is translated already, or NULL.
static const u8 *known_entry(const struct trans *t, s32 target)
{
    u32 known = t->page->entry[target / 4];
    if (known)
        return jit_run_address(t->jit, known);
    s32 n = (target - (s32)t->offset) / 4;
    bool is_here = target >= (s32)t->offset && n < (s32)t->n && t->entry[n];
    return is_here ? emit_run_address(&t->e, t->entry[n]) : NULL;
}

enum { ALWAYS = -1, AS_CALL = -2 }; // beside enum cond

static u8 *emit_jump(struct emit *e, int cc)
{
    return cc == ALWAYS ? emit_jmp(e) : cc == AS_CALL ? emit_call(e) : emit_jcc(e, (enum cond)cc);
}

static void jump_in_page(struct trans *t, s32 target, int cc)
{
    const u8 *entry = t->jit->options.no_chain ? NULL : known_entry(t, target);
    trans_keep_in_line(t, cc < 0 ? 1 : 2);
    u8 *site = emit_jump(&t->e, cc);
    if (entry)
        emit_patch(site, entry - t->e.to_run);
    else
        trans_cold(t, cold_link, site)->target = target;
}

static void cold_unknown(struct trans *t, const struct cold *x)
{
    emit_jmp_to(&t->e, t->jit->stubs.unknown);
}

// What was pushed for the return is dropped by leaving.
static void cold_unknown_call(struct trans *t, const struct cold *x)
{
    emit_jmp_to(&t->e, t->jit->stubs.leave_pc);
}

static void rotate_target(const struct jit *j, struct emit *e)
{
    if (j->has_bmi2) {
        emit_v_rrri(e, VOP(VPP_F2, VMAP_0F3A, 1, 0xf0), 128, RCX, 0, RAX,
                    LA_TARGET_ROTATION); // rorx
    } else {
        emit_mov_rr(e, W64, RCX, RAX);
        emit_shift_ri(e, SHIFT_ROR, W64, RCX, LA_TARGET_ROTATION);
    }
}

void jit_target_place(const struct jit *j, struct emit *e, unsigned n_targets)
{
    rotate_target(j, e);
    emit_alu_rr(e, ALU_XOR, W64, RDX, RCX);
    emit_alu_rr(e, ALU_XOR, W32, RCX, RAX);
    emit_alu_ri(e, ALU_AND, W32, RCX, (s32)(n_targets - 1) << 2);
}

u8 *jit_find_target(struct emit *e, bool of_guest)
{
    emit_alu_rm(e, ALU_CMP, W64, RDX, at_index(RBP, RCX, 4, JIT_TARGET(key, of_guest)));
    u8 *unknown = emit_jcc(e, CC_NE);
    emit_alu_ri(e, ALU_AND, W64, RAX, -(s32)CODE_PAGE);
    emit_mov_mr(e, W64, STATE(code.pc_base), RAX);
    return unknown;
}

// Goes to the address in rax, or calls it. A processor that has been asked for something leaves.
static void go_to_rax(struct trans *t, bool as_call)
{
    if (t->jit->options.no_chain) {
        emit_jmp_to(&t->e, t->jit->stubs.leave_pc);
        return;
    }
    bool of_guest = t->page->mode.slots >= LA_N_MODES / 2;
    emit_mov_rm(&t->e, W32, RDX, STATE(cpu.requests)); // and the context
    jit_target_place(t->jit, &t->e, LA_N_TARGETS);
    u8 *unknown = jit_find_target(&t->e, of_guest);
    trans_cold(t, as_call ? cold_unknown_call : cold_unknown, unknown);
    if (as_call)
        emit_call_m(&t->e, at_index(RBP, RCX, 4, JIT_TARGET(host, of_guest)));
    else
        emit_jmp_m(&t->e, at_index(RBP, RCX, 4, JIT_TARGET(host, of_guest)));
}

static void go_to_page(struct trans *t, s32 target, bool as_call)
{
    emit_mov_rm(&t->e, W64, RAX, STATE(code.pc_base));
    emit_alu_ri(&t->e, ALU_ADD, W64, RAX, target);
    go_to_rax(t, as_call);
}

static void cold_follow(struct trans *t, const struct cold *x)
{
    emit_mov_ri(&t->e, RAX, (u64)(s64)x->target);
    emit_mov_ri(&t->e, RDX, x->value);
    const u8 *follow = t->jit->stubs.follow[t->page->mode.in_window];
    if (!x->back) {
        emit_jmp_to(&t->e, follow);
        return;
    }
    emit_call_to(&t->e, follow);
    emit_jmp_to(&t->e, emit_run_address(&t->e, x->back));
}

static bool may_link(const struct trans *t)
{
    return !t->jit->options.no_chain && !t->page->mode.is_small &&
           t->jit->n_code_links < LA_N_LINKS;
}

// To another page, with a link if there can be one: small pages that are beside each other may be
// anywhere. Nothing is polled: branches that go back have done that.
static void go_far(struct trans *t, s32 target, bool as_call)
{
    if (!may_link(t)) {
        go_to_page(t, target, as_call);
        return;
    }
    const bool in_window = t->page->mode.in_window;
    const s32 place =
        JIT_TABLE(links) + (s32)(t->jit->n_code_links++ * sizeof(struct la_code_link));
    const struct mem host = at(RBP, place + (s32)offsetof(struct la_code_link, host));
    emit_mov_rm(&t->e, W64, RDX, in_window ? STATE(code.window_age) : STATE(code.link_context));
    if (!in_window)
        emit_alu_rm(&t->e, ALU_XOR, W64, RDX, STATE(code.pc_base));
    emit_alu_rm(&t->e, ALU_CMP, W64, RDX, at(RBP, place));
    struct cold *x = trans_cold(t, cold_follow, emit_jcc(&t->e, CC_NE));
    x->target = target;
    x->value = (u32)place;
    emit_alu_mi(&t->e, ALU_ADD, W64, STATE(code.pc_base), target & -(s32)CODE_PAGE);
    if (as_call) {
        emit_call_m(&t->e, host);
        x->back = emit_here(&t->e);
    } else {
        emit_jmp_m(&t->e, host);
    }
}

void trans_goto(struct trans *t, s32 target)
{
    if (t->is_loop)
        trans_goto_in_loop(t, emit_jmp(&t->e), target);
    else
        trans_goto_outside(t, target);
}

void trans_goto_outside(struct trans *t, s32 target)
{
    if (is_in_page(t, target))
        jump_in_page(t, target, ALWAYS);
    else
        go_far(t, target, false);
}

static void cold_other_page(struct trans *t, const struct cold *x)
{
    go_far(t, x->target, false);
}

void trans_goto_if(struct trans *t, enum cond cc, s32 target)
{
    if (t->is_loop)
        trans_goto_in_loop(t, emit_jcc(&t->e, cc), target);
    else if (is_in_page(t, target))
        jump_in_page(t, target, (int)cc);
    else
        trans_cold(t, cold_other_page, emit_jcc(&t->e, cc))->target = target;
}

static s32 target_of(const struct trans *t, const struct la_insn *i)
{
    return (s32)trans_offset(t) + i->imm;
}

// Whether a branch of this block leads to one of these instructions.
static bool is_branched_to(const struct trans *t, unsigned first, unsigned last)
{
    for (unsigned n = 0; n < t->n; n++) {
        s64 target = (s64)n + t->insns[n].imm / 4;
        if (la_op_info[t->insns[n].op].class == LA_CLASS_BRANCH && target >= first &&
            target <= last)
            return true;
    }
    return false;
}

// Whether the block has polled a moment ago, and all that comes here has come from there: then
// nothing between may be an entry.
static bool has_polled(struct trans *t)
{
    if (!t->polled || t->jit->options.count || is_branched_to(t, t->polled, t->now))
        return false;
    for (unsigned n = t->polled; n <= t->now; n++)
        t->entry[n] = NULL;
    return true;
}

// A backward branch is where a loop can be left.
static void poll_backward(struct trans *t, const struct la_insn *i)
{
    if (i->imm > 0 || has_polled(t))
        return;
    trans_poll(t);
    t->polled = t->now + 1;
}

// A branch to an address that is no multiple of 4 raises when it is fetched; none encodes one.
TEMPLATE(b)
{
    poll_backward(t, i);
    trans_goto(t, target_of(t, i));
    if (t->now + 1 < t->n)
        trans_go_on_behind_jump(t);
}

// Returns where the return address is.
static enum reg link_register(struct trans *t, unsigned rd)
{
    enum reg d = trans_define(t, rd);
    emit_mov_rm(&t->e, W64, d, STATE(code.pc_base));
    emit_alu_ri(&t->e, ALU_ADD, W64, d, (s32)trans_offset(t) + 4);
    trans_set(t, rd, d);
    return d;
}

static bool pairs_calls(const struct trans *t)
{
    return !t->jit->options.no_ras && !t->jit->options.no_chain;
}

static void cold_forget_calls(struct trans *t, const struct cold *x)
{
    emit_mov_rm(&t->e, W64, RSP, STATE(code.calls_base));
    emit_test_mi8(&t->e, STATE(cpu.requests), CPU_REQ_ALL);
    emit_jcc_to(&t->e, CC_E, emit_run_address(&t->e, x->back));
    cold_leave(t, x);
}

// Who calls without end is asked to leave when too many calls are open. Other loops have a branch
// that goes back: a return goes on behind its call.
static void limit_calls(struct trans *t)
{
    emit_alu_rm(&t->e, ALU_CMP, W64, RSP, STATE(code.calls_limit));
    trans_cold(t, cold_forget_calls, emit_jcc(&t->e, CC_BE))->back = emit_here(&t->e);
}

static void cold_set_page(struct trans *t, const struct cold *x)
{
    emit_mov_mr(&t->e, W64, STATE(code.pc_base), RAX);
    emit_jmp_to(&t->e, emit_run_address(&t->e, x->back));
}

bool trans_goes_on_behind(const struct trans *t, const struct la_insn *call)
{
    return call->op == LA_BL && pairs_calls(t) && !t->jit->options.count &&
           !t->page->is_unwatched && !t->page->mode.is_small;
}

// What the block knew of its state, other code may have changed.
static void forget_all(struct trans *t)
{
    t->is_ended = false;
    t->units = 0;
    t->held = 0;
    t->polled = 0;
    t->group_base = 0;
    t->flag_end = 0;
    memset(t->defined, 0, sizeof(t->defined));
}

// Behind the host's call. The page is seen where it was, but code in others may have run meanwhile.
// If it has not, nothing waits for what was pushed.
static void return_point(struct trans *t, bool may_be_same)
{
    s32 next = (s32)trans_offset(t) + 4;
    emit_pop(&t->e, RAX);
    emit_alu_ri(&t->e, ALU_SUB, W64, RAX, next);
    if (may_be_same) {
        emit_alu_rm(&t->e, ALU_CMP, W64, RAX, STATE(code.pc_base));
        trans_cold(t, cold_set_page, emit_jcc(&t->e, CC_NE))->back = emit_here(&t->e);
    } else {
        emit_mov_mr(&t->e, W64, STATE(code.pc_base), RAX);
    }
    if (trans_goes_on_behind(t, &t->insns[t->now]))
        forget_all(t);
    else
        trans_goto(t, next);
}

TEMPLATE(bl)
{
    s32 target = target_of(t, i);
    if (!pairs_calls(t) || t->jit->options.count)
        poll_backward(t, i);
    if (!pairs_calls(t)) {
        link_register(t, 1);
        trans_goto(t, target);
        return;
    }
    limit_calls(t);
    emit_push(&t->e, link_register(t, 1));
    bool is_near = is_in_page(t, target);
    if (is_near)
        jump_in_page(t, target, AS_CALL);
    else
        go_far(t, target, true);
    return_point(t, is_near);
}

static void cold_other_return(struct trans *t, const struct cold *x)
{
    go_to_rax(t, false);
}

// Nothing is polled here: who goes round has to go back elsewhere, or to look for the target.
static void return_to_rax(struct trans *t)
{
    emit_alu_rm(&t->e, ALU_CMP, W64, RAX, at(RSP, 8));
    trans_cold(t, cold_other_return, emit_jcc(&t->e, CC_NE));
    emit_ret(&t->e);
}

// Calls through pointers are left alone: their targets are foreseen by the jumps before them, which
// includes the returns only as long as those are jumps, too.
TEMPLATE(jirl)
{
    trans_copy(t, RAX, i->rj);
    if (!i->rd && i->rj == 1 && !i->imm && pairs_calls(t)) {
        return_to_rax(t);
        return;
    }
    if (i->imm)
        emit_alu_ri(&t->e, ALU_ADD, W64, RAX, i->imm);
    if (i->rd) {
        emit_mov_rr(&t->e, W64, RDX, RAX);
        link_register(t, i->rd);
        emit_mov_rr(&t->e, W64, RAX, RDX);
    }
    go_to_rax(t, false);
}

// Compares two registers; returns the condition to use.
static enum cond compare(struct trans *t, unsigned a, unsigned b, enum cond cc)
{
    enum reg ra = trans_use(t, a, b && t->held == b ? RCX : RAX);
    if (!b)
        emit_test_rr(&t->e, W64, ra, ra);
    else
        trans_alu(t, ALU_CMP, W64, ra, b);
    return cc;
}

// `arg` is the condition of rj against rd. After `test` the carry is clear, as after a comparison
// with 0.
TEMPLATE(branch)
{
    poll_backward(t, i);
    trans_goto_if(t, compare(t, i->rj, i->rd, (enum cond)arg), target_of(t, i));
}

TEMPLATE(branch_zero)
{
    poll_backward(t, i);
    trans_goto_if(t, compare(t, i->rj, 0, (enum cond)arg), target_of(t, i));
}

// Only where the branch need not ask for its unit, which would lose the host's flags.
bool trans_is_branched_on(const struct trans *t, unsigned fcc, bool *goes_back)
{
    const struct la_insn *next = &t->insns[t->now + 1];
    if (!(t->units & EUEN_FPE)) // the branch would have to test it
        return false;
    if (t->now + 1 >= t->n || t->is_target[t->now + 1] ||
        (next->op != LA_BCEQZ && next->op != LA_BCNEZ) || next->rj != fcc)
        return false;
    *goes_back = next->imm <= 0;
    return true;
}

TEMPLATE(branch_flag)
{
    trans_need_unit(t, EUEN_FPE);
    if (t->flag_end && t->flag_end == t->now && t->flag_fcc == i->rj) {
        enum cond is_clear = (enum cond)(t->flag_cc ^ 1);
        trans_goto_if(t, arg == CC_NE ? t->flag_cc : is_clear, target_of(t, i));
        return;
    }
    poll_backward(t, i);
    emit_alu_mi(&t->e, ALU_CMP, W8, at(RBP, JIT_FIELD(fcc) + i->rj), 0);
    trans_goto_if(t, (enum cond)arg, target_of(t, i));
}
