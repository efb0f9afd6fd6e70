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

// `arg`: operation and width << 4.
TEMPLATE(alu)
{
    enum width w = ARG_WIDTH(arg);
    unsigned first = i->rj, second = i->rk;
    if (!i->rd)
        return;
    if (ARG_OP(arg) != ALU_SUB && (i->rd == second || (i->rd != first && is_held(t, second)))) {
        second = first;
        first = i->rk;
    }
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
        enum reg d = trans_define(t, i->rd);
        emit_mov_ri(&t->e, d, (u64)(s64)i->imm);
        trans_set(t, i->rd, d);
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
        d = RAX;
        trans_copy(t, RAX, i->rj);
        emit_shift_ri(&t->e, SHIFT_SHL, w, RAX, (unsigned)i->imm);
        trans_alu(t, ALU_ADD, w, RAX, i->rk);
    }
    if (arg == 4)
        set_word(t, i->rd, d);
    else
        trans_set(t, i->rd, d);
}

static void set_constant(struct trans *t, unsigned rd, u64 value)
{
    enum reg d = trans_define(t, rd);
    if (!rd)
        return;
    emit_mov_ri(&t->e, d, value);
    trans_set(t, rd, d);
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

// rd = condition. `arg`: the condition.
TEMPLATE(slt)
{
    if (!i->rd)
        return;
    trans_alu(t, ALU_CMP, W64, trans_use(t, i->rj, RAX), i->rk);
    emit_setcc(&t->e, (enum cond)arg, RAX);
    emit_extend_rr(&t->e, W8, false, trans_define(t, i->rd), RAX);
    trans_set(t, i->rd, trans_define(t, i->rd));
}

TEMPLATE(slti)
{
    if (!i->rd)
        return;
    emit_alu_ri(&t->e, ALU_CMP, W64, trans_use(t, i->rj, RAX), i->imm);
    emit_setcc(&t->e, (enum cond)arg, RAX);
    emit_extend_rr(&t->e, W8, false, trans_define(t, i->rd), RAX);
    trans_set(t, i->rd, trans_define(t, i->rd));
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
    enum reg d = trans_define(t, i->rd);
    trans_copy(t, d, i->rj);
    if (i->imm)
        emit_shift_ri(&t->e, (enum shift)(arg & 15), w, d, (unsigned)i->imm);
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
