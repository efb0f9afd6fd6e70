// SPDX-License-Identifier: Apache-2.0
// Integer instructions. The manual's sections are those of the interpreter's functions.
#include "jit/x86_64/la_trans.h"

// What was just stored from rax is still there. Whoever jumps to this instruction has it not, so it
// is no entry any more.
static bool is_held(struct trans *t, unsigned r)
{
    if (!r || t->held != r || t->held_end != emit_here(&t->e))
        return false;
    for (unsigned n = t->held_by + 1; n <= t->now; n++)
        t->entry[n] = NULL;
    return true;
}

// What has been emitted since `before` left rax alone.
void trans_keep_held(struct trans *t, const u8 *before)
{
    if (t->held_end == before)
        t->held_end = emit_here(&t->e);
}

enum reg trans_use(struct trans *t, unsigned r, enum reg scratch)
{
    if (gpr_host(t, r) != NO_REG)
        return gpr_host(t, r);
    trans_copy(t, scratch, r);
    return scratch;
}

void trans_copy(struct trans *t, enum reg d, unsigned r)
{
    const u8 *before = emit_here(&t->e);
    bool held = is_held(t, r);
    if (!r)
        emit_mov_ri(&t->e, d, 0);
    else if (held && d != RAX)
        emit_mov_rr(&t->e, W64, d, RAX);
    else if (!held && gpr_host(t, r) == NO_REG)
        emit_mov_rm(&t->e, W64, d, gpr_home(r));
    else if (!held && gpr_host(t, r) != d)
        emit_mov_rr(&t->e, W64, d, gpr_host(t, r));
    if (d != RAX)
        trans_keep_held(t, before);
}

enum reg trans_define(const struct trans *t, unsigned r)
{
    return gpr_host(t, r) == NO_REG ? RAX : gpr_host(t, r);
}

void trans_set(struct trans *t, unsigned r, enum reg value)
{
    if (!r)
        return;
    if (gpr_host(t, r) == NO_REG)
        emit_mov_mr(&t->e, W64, gpr_home(r), value);
    else if (gpr_host(t, r) != value)
        emit_mov_rr(&t->e, W64, gpr_host(t, r), value);
    if (gpr_host(t, r) == NO_REG && value == RAX) {
        t->held = r;
        t->held_by = t->now;
        t->held_end = emit_here(&t->e);
    }
}

// Whether the next instruction may read what this one leaves in r. If r has no place in the host's
// registers it is better left in rax, too.
static bool is_read_next(const struct trans *t, unsigned r)
{
    if (t->now + 1 >= t->n)
        return false;
    const struct la_insn *i = &t->insns[t->now + 1];
    const struct la_op_info *o = &la_op_info[i->op];
    const unsigned at_slot[] = {i->rd, i->rj, i->rk};
    for (unsigned slot = LA_SLOT_D; slot <= LA_SLOT_K; slot++)
        if (o->file[slot] == LA_FILE_GPR && at_slot[slot] == r)
            return true;
    return false;
}

// Whether a result for r, which has no place in the host's registers, goes home without rax.
static bool goes_home(const struct trans *t, unsigned r)
{
    return gpr_host(t, r) == NO_REG && !is_read_next(t, r);
}

// rd = r.
static void move(struct trans *t, unsigned rd, unsigned r)
{
    if (r && gpr_host(t, r) != NO_REG && goes_home(t, rd)) {
        emit_mov_mr(&t->e, W64, gpr_home(rd), gpr_host(t, r));
        return;
    }
    enum reg d = trans_define(t, rd);
    trans_copy(t, d, r);
    trans_set(t, rd, d);
}

static void set_constant(struct trans *t, unsigned rd, u64 value)
{
    if (!rd)
        return;
    if (value == (u64)(s64)(s32)value && goes_home(t, rd)) {
        emit_mov_mi(&t->e, W64, gpr_home(rd), (s32)value);
        return;
    }
    enum reg d = trans_define(t, rd);
    emit_mov_ri(&t->e, d, value);
    trans_set(t, rd, d);
}

// Sign-extends a word result on its way to rd.
static void set_word(struct trans *t, unsigned rd, enum reg value)
{
    enum reg d = trans_define(t, rd);
    emit_extend_rr(&t->e, W32, true, d, value);
    trans_set(t, rd, d);
}

static void set_sized(struct trans *t, unsigned rd, enum reg value, enum width w)
{
    if (w == W32)
        set_word(t, rd, value);
    else
        trans_set(t, rd, value);
}

void trans_alu(struct trans *t, enum alu op, enum width w, enum reg d, unsigned r)
{
    if (gpr_host(t, r) != NO_REG)
        emit_alu_rr(&t->e, op, w, d, gpr_host(t, r));
    else if (d != RAX && is_held(t, r))
        emit_alu_rr(&t->e, op, w, d, RAX);
    else if (r)
        emit_alu_rm(&t->e, op, w, d, gpr_home(r));
    else
        emit_alu_ri(&t->e, op, w, d, 0);
}

// The destination may be computed in its own place unless it is the second source as well.
static enum reg define_apart(const struct trans *t, unsigned rd, unsigned other, unsigned first)
{
    return rd == other && rd != first ? RAX : trans_define(t, rd);
}

// d = a + b in one instruction, if both are in host registers and neither in d.
static bool adds_apart(struct trans *t, enum width w, enum reg d, unsigned a, unsigned b)
{
    if (gpr_host(t, a) == NO_REG || gpr_host(t, b) == NO_REG || gpr_host(t, a) == d ||
        gpr_host(t, b) == d)
        return false;
    emit_lea(&t->e, w, d, at_index(gpr_host(t, a), gpr_host(t, b), 1, 0));
    return true;
}

#define ARG_OP(arg)    ((enum alu)((arg)&15))
#define ARG_WIDTH(arg) ((enum width)((arg) >> 4))

// rd is one of the sources and the other one is in a host register: the result goes home at once.
static bool alters_home(struct trans *t, enum alu op, unsigned rd, unsigned first, unsigned second)
{
    bool is_held = t->held == rd && t->held_end == emit_here(&t->e);
    if (rd != first || gpr_host(t, second) == NO_REG || is_held || !goes_home(t, rd))
        return false;
    emit_alu_mr(&t->e, op, W64, gpr_home(rd), gpr_host(t, second));
    return true;
}

// `arg`: operation and width << 4.
TEMPLATE(alu)
{
    enum width w = ARG_WIDTH(arg);
    unsigned first = i->rj, second = i->rk;
    if (!i->rd)
        return;
    if (w == W64 && ARG_OP(arg) != ALU_AND && (!second || (!first && ARG_OP(arg) != ALU_SUB))) {
        move(t, i->rd, second ? second : first);
        return;
    }
    if (ARG_OP(arg) != ALU_SUB && (i->rd == second || (i->rd != first && is_held(t, second)))) {
        second = first;
        first = i->rk;
    }
    if (w == W64 && alters_home(t, ARG_OP(arg), i->rd, first, second))
        return;
    enum reg d = define_apart(t, i->rd, second, first);
    if (ARG_OP(arg) == ALU_ADD && adds_apart(t, w, d, first, second)) {
        set_sized(t, i->rd, d, w);
        return;
    }
    trans_copy(t, d, first);
    if (second || ARG_OP(arg) == ALU_AND)
        trans_alu(t, ARG_OP(arg), w, d, second);
    set_sized(t, i->rd, d, w);
}

// `arg` as above; the immediate is sign-extended (add) or not (logic) by the decoder.
TEMPLATE(alu_imm)
{
    enum width w = ARG_WIDTH(arg);
    if (!i->rd)
        return;
    if (!i->rj && ARG_OP(arg) != ALU_AND) {
        set_constant(t, i->rd, (u64)(s64)i->imm);
        return;
    }
    if (!i->imm && w == W64 && ARG_OP(arg) != ALU_AND) {
        move(t, i->rd, i->rj);
        return;
    }
    if (i->rd == i->rj && gpr_host(t, i->rd) == NO_REG && w == W64) {
        emit_alu_mi(&t->e, ARG_OP(arg), W64, gpr_home(i->rd), i->imm);
        return;
    }
    const u8 *before = emit_here(&t->e);
    enum reg d = trans_define(t, i->rd), s = trans_use(t, i->rj, RAX);
    if (ARG_OP(arg) == ALU_ADD && s != d) {
        emit_lea(&t->e, w, d, at(s, i->imm));
    } else {
        if (s != d)
            emit_mov_rr(&t->e, W64, d, s);
        if (i->imm || ARG_OP(arg) == ALU_AND)
            emit_alu_ri(&t->e, ARG_OP(arg), w, d, i->imm);
    }
    set_sized(t, i->rd, d, w);
    if (s != RAX && d != RAX)
        trans_keep_held(t, before);
}

TEMPLATE(addu16i)
{
    enum reg d = trans_define(t, i->rd);
    if (!i->rd)
        return;
    trans_copy(t, d, i->rj);
    emit_alu_ri(&t->e, ALU_ADD, W64, d, i->imm * 65536);
    trans_set(t, i->rd, d);
}

// nor, orn: `arg` tells whether only rk is inverted.
TEMPLATE(nor)
{
    if (!i->rd)
        return;
    trans_copy(t, RAX, arg ? i->rk : i->rj);
    if (arg)
        emit_unary_r(&t->e, UNARY_NOT, W64, RAX);
    trans_alu(t, ALU_OR, W64, RAX, arg ? i->rj : i->rk);
    if (!arg)
        emit_unary_r(&t->e, UNARY_NOT, W64, RAX);
    trans_set(t, i->rd, RAX);
}

TEMPLATE(andn)
{
    if (!i->rd)
        return;
    if (t->jit->has_bmi2) {
        enum reg k = trans_use(t, i->rk, RCX), j = trans_use(t, i->rj, RAX);
        enum reg d = trans_define(t, i->rd);
        emit_v_rrr(&t->e, VOP(VPP_NONE, VMAP_0F38, 1, 0xf2), 128, d, k, j);
        trans_set(t, i->rd, d);
        return;
    }
    trans_copy(t, RAX, i->rk);
    emit_unary_r(&t->e, UNARY_NOT, W64, RAX);
    trans_alu(t, ALU_AND, W64, RAX, i->rj);
    trans_set(t, i->rd, RAX);
}

// (rj << shift) + rk. `arg`: 4 for word results, 8, or 0 for zero-extended words.
TEMPLATE(alsl)
{
    if (!i->rd)
        return;
    enum width w = arg == 8 ? W64 : W32;
    enum reg d = trans_define(t, i->rd);
    if (i->imm <= 3 && i->rk) {
        enum reg j = trans_use(t, i->rj, RAX), k = trans_use(t, i->rk, RCX);
        emit_lea(&t->e, w, d, at_index(k, j, 1u << i->imm, 0));
    } else {
        d = i->rd == i->rk ? RAX : d;
        trans_copy(t, d, i->rj);
        emit_shift_ri(&t->e, SHIFT_SHL, w, d, (unsigned)i->imm);
        trans_alu(t, ALU_ADD, w, d, i->rk);
    }
    if (arg == 4)
        set_word(t, i->rd, d);
    else
        trans_set(t, i->rd, d);
}

TEMPLATE(lu12i)
{
    set_constant(t, i->rd, (u64)(s64)(s32)((u32)i->imm << 12));
}

// The upper half of rd.
TEMPLATE(lu32i)
{
    if (!i->rd)
        return;
    enum reg s = trans_use(t, i->rd, RAX);
    emit_mov_rr(&t->e, W32, RAX, s);
    emit_mov_ri(&t->e, RCX, (u64)(s64)i->imm << 32);
    emit_alu_rr(&t->e, ALU_OR, W64, RAX, RCX);
    trans_set(t, i->rd, RAX);
}

TEMPLATE(lu52i)
{
    if (!i->rd)
        return;
    trans_copy(t, RAX, i->rj);
    emit_shift_ri(&t->e, SHIFT_SHL, W64, RAX, 12);
    emit_shift_ri(&t->e, SHIFT_SHR, W64, RAX, 12);
    if (i->imm) {
        emit_mov_ri(&t->e, RCX, (u64)(s64)i->imm << 52);
        emit_alu_rr(&t->e, ALU_OR, W64, RAX, RCX);
    }
    trans_set(t, i->rd, RAX);
}

// pc + (imm << arg), for pcalau12i (arg 12 + 32) without its low 12 bits.
TEMPLATE(pcadd)
{
    enum reg d = trans_define(t, i->rd);
    if (!i->rd)
        return;
    s64 sum = (s64)((u64)(s64)i->imm << (arg & 31)) + trans_offset(t);
    emit_mov_rm(&t->e, W64, d, STATE(code.pc_base));
    if (sum == (s32)sum) {
        emit_alu_ri(&t->e, ALU_ADD, W64, d, (s32)sum);
    } else {
        emit_mov_ri(&t->e, RCX, (u64)sum);
        emit_alu_rr(&t->e, ALU_ADD, W64, d, RCX);
    }
    if (arg & 32)
        emit_alu_ri(&t->e, ALU_AND, W64, d, -4096);
    trans_set(t, i->rd, d);
}

// rd = condition of rj against rk or the immediate. `arg`: the condition. The place of the result
// is cleared before, so that nothing has to be extended behind it.
TEMPLATE(slt)
{
    if (!i->rd)
        return;
    bool is_immediate = i->op == LA_SLTI || i->op == LA_SLTUI;
    bool is_in_rax = !is_immediate && t->held == i->rk && t->held_end == emit_here(&t->e);
    enum reg j = trans_use(t, i->rj, RAX), d = trans_define(t, i->rd), to = d;
    if (d == j || (!is_immediate && d == gpr_host(t, i->rk)) || (d == RAX && is_in_rax))
        d = RCX;
    const u8 *before = emit_here(&t->e);
    emit_mov_ri(&t->e, d, 0);
    if (d != RAX)
        trans_keep_held(t, before);
    if (is_immediate)
        emit_alu_ri(&t->e, ALU_CMP, W64, j, i->imm);
    else
        trans_alu(t, ALU_CMP, W64, j, i->rk);
    emit_setcc(&t->e, (enum cond)arg, d);
    if (to != d)
        emit_mov_rr(&t->e, W32, to, d);
    trans_set(t, i->rd, to);
}

// rd = rk is 0 or not (`arg`) ? 0 : rj.
TEMPLATE(mask)
{
    if (!i->rd)
        return;
    enum reg d = define_apart(t, i->rd, i->rk, i->rj), k = trans_use(t, i->rk, RCX);
    trans_copy(t, d, i->rj);
    emit_test_rr(&t->e, W64, k, k);
    emit_bytes(&t->e, "\xb9\0\0\0\0", 5); // mov ecx, 0, which leaves the flags
    emit_cmov_rr(&t->e, (enum cond)arg, W64, d, RCX);
    trans_set(t, i->rd, d);
}

TEMPLATE(mul)
{
    enum width w = (enum width)arg;
    if (!i->rd)
        return;
    enum reg d = define_apart(t, i->rd, i->rk, i->rj), k = trans_use(t, i->rk, RCX);
    trans_copy(t, d, i->rj);
    emit_imul_rr(&t->e, w, d, k);
    set_sized(t, i->rd, d, w);
}

// The product of two words, signed (`arg`) or not.
TEMPLATE(mulw)
{
    if (!i->rd)
        return;
    emit_extend_rr(&t->e, W32, arg, RAX, trans_use(t, i->rj, RAX));
    emit_extend_rr(&t->e, W32, arg, RCX, trans_use(t, i->rk, RCX));
    emit_imul_rr(&t->e, W64, RAX, RCX);
    trans_set(t, i->rd, RAX);
}

// The upper half of a product. `arg`: width, and 16 if signed.
TEMPLATE(mulh)
{
    enum width w = (enum width)(arg & 15);
    if (!i->rd)
        return;
    trans_copy(t, RAX, i->rj);
    emit_unary_r(&t->e, arg & 16 ? UNARY_IMUL : UNARY_MUL, w, trans_use(t, i->rk, RCX));
    set_sized(t, i->rd, RDX, w);
}

enum { DIV_SIGNED = 16, DIV_REMAINDER = 32 };

// Divisors that trap here and do not there: 0, and -1 for signed division. The quotient is then rj
// or -rj, the remainder 0.
static void cold_divide(struct trans *t, const struct cold *x)
{
    if (x->value & DIV_REMAINDER) {
        emit_mov_ri(&t->e, RDX, 0);
    } else if (x->value & DIV_SIGNED) {
        enum width w = (enum width)(x->value & 15);
        emit_test_rr(&t->e, w, RCX, RCX);
        u8 *by_zero = emit_jcc(&t->e, CC_E);
        emit_unary_r(&t->e, UNARY_NEG, w, RAX);
        emit_patch(by_zero, emit_here(&t->e));
    }
    emit_jmp_to(&t->e, emit_run_address(&t->e, x->back));
}

TEMPLATE(div)
{
    struct emit *e = &t->e;
    enum width w = (enum width)(arg & 15);
    if (!i->rd)
        return;
    trans_copy(t, RCX, i->rk);
    trans_copy(t, RAX, i->rj);
    if (arg & DIV_SIGNED) {
        emit_lea(e, w, RDX, at(RCX, 1));
        emit_alu_ri(e, ALU_CMP, w, RDX, 1);
    } else {
        emit_test_rr(e, w, RCX, RCX);
    }
    struct cold *x = trans_cold(t, cold_divide, emit_jcc(e, arg & DIV_SIGNED ? CC_BE : CC_E));
    x->value = arg;
    if (arg & DIV_SIGNED)
        emit_cwd(e, w);
    else
        emit_alu_rr(e, ALU_XOR, W32, RDX, RDX);
    emit_unary_r(e, arg & DIV_SIGNED ? UNARY_IDIV : UNARY_DIV, w, RCX);
    x->back = emit_here(e);
    set_sized(t, i->rd, arg & DIV_REMAINDER ? RDX : RAX, w);
}

// `arg`: operation and width << 4.
TEMPLATE(shift_imm)
{
    enum width w = ARG_WIDTH(arg);
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd), j = gpr_host(t, i->rj);
    enum shift op = (enum shift)(arg & 15);
    if (op == SHIFT_ROR && t->jit->has_bmi2 && j != NO_REG && j != d) {
        emit_rorx(&t->e, w, d, j, (unsigned)i->imm);
    } else if (op == SHIFT_SHL && i->imm == 1 && j != NO_REG && j != d) {
        emit_lea(&t->e, w, d, at_index(j, j, 1, 0));
    } else {
        trans_copy(t, d, i->rj);
        if (i->imm)
            emit_shift_ri(&t->e, op, w, d, (unsigned)i->imm);
    }
    set_sized(t, i->rd, d, w);
}

// The forms that take the amount from any register and leave the flags.
static u32 flagless_shift(enum shift op, enum width w)
{
    unsigned pp = op == SHIFT_SHL ? VPP_66 : op == SHIFT_SAR ? VPP_F3 : VPP_F2;
    return VOP(pp, VMAP_0F38, w == W64, 0xf7);
}

TEMPLATE(shift)
{
    enum width w = ARG_WIDTH(arg);
    enum shift op = (enum shift)(arg & 15);
    if (!i->rd)
        return;
    if (op != SHIFT_ROR && t->jit->has_bmi2) {
        enum reg amount = trans_use(t, i->rk, RCX), s = trans_use(t, i->rj, RAX);
        enum reg d = trans_define(t, i->rd);
        emit_v_rrr(&t->e, flagless_shift(op, w), 128, d, amount, s);
        set_sized(t, i->rd, d, w);
        return;
    }
    trans_copy(t, RCX, i->rk);
    trans_copy(t, RAX, i->rj);
    emit_shift_rcl(&t->e, op, w, RAX);
    set_sized(t, i->rd, RAX, w);
}
