// SPDX-License-Identifier: Apache-2.0
// Scalar floating-point arithmetic, comparison, classification. Reference Manual, volume 1, 3.2.1
// and 3.2.2.
//
// x86-64 computes the same results and raises the same exceptions but where a NaN comes out: which
// one differs, and whether infinity times zero plus a quiet NaN is invalid. So results are compared
// with themselves, and for a NaN the interpreter executes the instruction again, from unchanged
// sources. What the host has raised by then it raises too: those exceptions stay.
#include "jit/x86_64/la_vec.h"

// In what follows `arg` is the width and, from bit 8 on, what is said.
#define WIDTH(arg) ((arg)&0xff)

static void finish(struct trans *t, const struct la_insn *i, unsigned bits, unsigned value)
{
    struct cold *x = fp_redo_if_nan(t, bits, value);
    vec_set(t, i->rd, bits, value);
    x->back = emit_here(&t->e);
}

// An FP_ operation.
TEMPLATE(fp_binary)
{
    unsigned n, bits = WIDTH(arg);
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = vec_dest_apart(t, i);
    vec_op(t, vop_fp(arg >> 8, bits, true), 128, d, vec_use(t, i->rj, bits, V1), i->rk);
    finish(t, i, bits, d);
}

TEMPLATE(fsqrt)
{
    unsigned n, bits = WIDTH(arg);
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = vec_dest_apart(t, i), s = vec_use(t, i->rj, bits, V1);
    v_rrr(t, vop_fp(FP_SQRT, bits, true), 128, d, s, s);
    finish(t, i, bits, d);
}

static struct mem one(struct trans *t, unsigned bits)
{
    return bits == 32 ? vec_literal32(t, 0x3f800000) : vec_literal64(t, 0x3ff0000000000000);
}

// 1 / fj, or 1 / sqrt(fj), both rounded.
TEMPLATE(frecip)
{
    unsigned n, bits = WIDTH(arg);
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = vec_dest_apart(t, i), s = vec_use(t, i->rj, bits, V1);
    if (arg >> 8) {
        v_rrr(t, vop_fp(FP_SQRT, bits, true), 128, V1, s, s);
        s = V1;
    }
    v_rrm(t, vec_load_op(bits), bits, V2, 0, one(t, bits));
    v_rrr(t, vop_fp(FP_DIV, bits, true), 128, d, V2, s);
    finish(t, i, bits, d);
}

enum { FMA_NEG_ADDEND = 1, FMA_NEG_RESULT = 2 };

// The sign of the result is turned after rounding.
TEMPLATE(fma)
{
    unsigned n, bits = WIDTH(arg);
    if (!t->jit->has_fma) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = i->rd == i->rj || i->rd == i->rk || i->rd == i->ra ? V0 : vec_dest(t, i->rd);
    unsigned j = vec_use(t, i->rj, bits, V1);
    vec_copy(t, d, i->ra, bits);
    vec_op(t, vop_fma(arg >> 8 & FMA_NEG_ADDEND, bits, true), 128, d, j, i->rk);
    struct cold *x = fp_redo_if_nan(t, bits, d);
    if (arg >> 8 & FMA_NEG_RESULT) {
        struct mem sign = bits == 32 ? vec_literal32(t, BIT(31)) : vec_literal64(t, BIT(63));
        unsigned s = d;
        d = vec_dest(t, i->rd);
        v_rrm(t, VXORPS, 128, d, s, sign);
    }
    vec_set(t, i->rd, bits, d);
    x->back = emit_here(&t->e);
}

// VRANGE's immediate, 4 to 7. Without it numbers are compared both ways, as the host prefers the
// second source if both are zeros.
TEMPLATE(fmaxmin)
{
    unsigned n, bits = WIDTH(arg), what = arg >> 8;
    if (!t->jit->has_evex && what > 5) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = vec_dest_apart(t, i), j = vec_use(t, i->rj, bits, V1);
    if (t->jit->has_evex) {
        vec_op_imm(t, vop_range(bits, true), 128, d, j, i->rk, what);
        finish(t, i, bits, d);
        return;
    }
    unsigned op = what == 5 ? FP_MAX : FP_MIN, k = vec_use(t, i->rk, bits, V2);
    v_rrr(t, bits == 32 ? VUCOMISS : VUCOMISD, 128, j, 0, k);
    struct cold *x = trans_redo_if(t, CC_P);
    v_rrr(t, vop_fp(op, bits, true), 128, V3, j, k);
    v_rrr(t, vop_fp(op, bits, true), 128, V0, k, j);
    v_rrr(t, what == 5 ? VANDPS : VORPS, 128, V0, V0, V3);
    vec_set(t, i->rd, bits, V0);
    x->back = emit_here(&t->e);
}

// The condition as the host's flags have it after comparing fj with fk, or fk with fj.
enum {
    CMP_SIGNALING = 1 << 4,
    CMP_SWAPPED = 1 << 5,
    CMP_EQ = 1 << 6, // two flags tell it
    CMP_UNE = 1 << 7,
    CMP_AF = 1 << 8,
};

static enum cond set_flag(struct trans *t, unsigned what, struct mem fcc)
{
    struct emit *e = &t->e;
    if (!(what & (CMP_EQ | CMP_UNE))) {
        emit_setcc_m(e, (enum cond)(what & 15), fcc);
        return (enum cond)(what & 15);
    }
    emit_setcc(e, what & CMP_EQ ? CC_NP : CC_P, RAX);
    emit_setcc(e, what & CMP_EQ ? CC_E : CC_NE, RCX);
    emit_alu_rr(e, what & CMP_EQ ? ALU_AND : ALU_OR, W8, RAX, RCX);
    emit_mov_mr(e, W8, fcc, RAX);
    return CC_NE;
}

// A branch on the flag that follows uses the host's flags; its poll comes before them.
TEMPLATE(fcmp)
{
    unsigned n, bits = WIDTH(arg), what = arg >> 8;
    bool goes_back = false;
    if (!fp_begin(t, i, &n))
        return;
    bool is_branched = !(what & CMP_AF) && trans_is_branched_on(t, i->rd, &goes_back);
    if (is_branched && goes_back)
        trans_poll(t);
    u32 op = what & CMP_SIGNALING ? VCOMISS : VUCOMISS;
    if (bits == 64)
        op = what & CMP_SIGNALING ? VCOMISD : VUCOMISD;
    unsigned first = what & CMP_SWAPPED ? i->rk : i->rj,
             second = what & CMP_SWAPPED ? i->rj : i->rk;
    vec_op(t, op, 128, vec_use(t, first, bits, V0), 0, second);
    struct mem fcc = at(RBP, JIT_FIELD(fcc) + i->rd);
    if (what & CMP_AF) {
        emit_mov_mi(&t->e, W8, fcc, 0);
        return;
    }
    t->flag_cc = set_flag(t, what, fcc);
    t->flag_fcc = i->rd;
    t->flag_end = is_branched ? t->now + 1 : 0;
}

// Bits of the result: from 5, or 9 if positive, one less for each of these bounds that the
// magnitude reaches: the least subnormal, the least normal, infinity. What is above is a NaN.
TEMPLATE(fclass)
{
    struct emit *e = &t->e;
    unsigned bits = WIDTH(arg);
    enum width w = bits == 32 ? W32 : W64;
    vec_begin(t, i);
    struct mem normal = vec_literal64(t, bits == 32 ? 0x01000000 : 0x0020000000000000);
    struct mem infinity = vec_literal64(t, bits == 32 ? 0xff000000 : 0xffe0000000000000);
    v_rrr(t, bits == 32 ? VMOVD_STORE : VMOVQ_STORE, 128, vec_use(t, i->rj, bits, V0), 0, RAX);
    emit_lea(e, w, RCX, at_index(RAX, RAX, 1, 0));
    emit_alu_rm(e, ALU_CMP, w, RCX, infinity);
    struct cold *x = trans_redo_if(t, CC_A);
    emit_shift_ri(e, SHIFT_SHR, w, RAX, bits - 1);
    emit_shift_ri(e, SHIFT_SHL, W32, RAX, 2);
    emit_alu_ri(e, ALU_XOR, W32, RAX, 4);
    emit_alu_ri(e, ALU_ADD, W32, RAX, 5);
    emit_alu_ri(e, ALU_CMP, w, RCX, 1);
    emit_alu_ri(e, ALU_ADC, W32, RAX, -1);
    emit_alu_rm(e, ALU_CMP, w, RCX, normal);
    emit_alu_ri(e, ALU_ADC, W32, RAX, -1);
    emit_alu_rm(e, ALU_CMP, w, RCX, infinity);
    emit_alu_ri(e, ALU_ADC, W32, RAX, -1);
    emit_mov_rr(e, W32, RCX, RAX);
    emit_mov_ri(e, RAX, 1);
    emit_shift_rcl(e, SHIFT_SHL, W32, RAX);
    unsigned d = vec_dest(t, i->rd);
    v_rrr(t, VMOVD_LOAD, 128, d, 0, RAX);
    vec_set(t, i->rd, 64, d);
    x->back = emit_here(e);
}
