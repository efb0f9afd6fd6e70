// SPDX-License-Identifier: Apache-2.0
// Vector floating-point arithmetic and comparison. What la_fp.c says of NaNs holds here: if a lane
// of the result is one, the interpreter executes the instruction again.
#include "jit/x86_64/la_vec.h"

static unsigned lane_of(const struct la_insn *i)
{
    return la_op_info[i->op].elem[1] == LA_ELEM_F32 ? 32 : 64;
}

static void finish(struct trans *t, const struct la_insn *i, unsigned bits, unsigned value)
{
    struct cold *x = vec_redo_if_nan(t, bits, lane_of(i), value, V3);
    vec_set(t, i->rd, bits, value);
    x->back = emit_here(&t->e);
}

// `arg` is an FP_ operation.
TEMPLATE(vfp_binary)
{
    unsigned bits;
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest_apart(t, i);
    vec_op(t, vop_fp(arg, lane_of(i), false), bits, d, vec_use(t, i->rj, bits, V1), i->rk);
    finish(t, i, bits, d);
}

TEMPLATE(vfsqrt)
{
    unsigned bits;
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest_apart(t, i);
    vec_op(t, vop_fp(FP_SQRT, lane_of(i), false), bits, d, 0, i->rj);
    finish(t, i, bits, d);
}

// 1 / vj, or with `arg` 1 / sqrt(vj), both rounded.
TEMPLATE(vfrecip)
{
    unsigned bits, lane = lane_of(i);
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest_apart(t, i), s = vec_use(t, i->rj, bits, V1);
    if (arg) {
        v_rrr(t, vop_fp(FP_SQRT, lane, false), bits, V1, 0, s);
        s = V1;
    }
    struct mem one =
        lane == 32 ? vec_literal32(t, 0x3f800000) : vec_literal64(t, 0x3ff0000000000000);
    v_rrm(t, VMOVDQU, bits, V2, 0, one);
    v_rrr(t, vop_fp(FP_DIV, lane, false), bits, d, V2, s);
    finish(t, i, bits, d);
}

enum { FMA_NEG_ADDEND = 1, FMA_NEG_RESULT = 2 };

TEMPLATE(vfma)
{
    unsigned bits, lane = lane_of(i);
    if (!t->jit->has_fma) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest_apart(t, i), j = vec_use(t, i->rj, bits, V1);
    vec_copy(t, d, i->ra, bits);
    vec_op(t, vop_fma(arg & FMA_NEG_ADDEND, lane, false), bits, d, j, i->rk);
    struct cold *x = vec_redo_if_nan(t, bits, lane, d, V3);
    if (arg & FMA_NEG_RESULT) {
        unsigned s = d;
        d = vec_dest(t, i->rd);
        v_rrm(t, VXORPS, bits, d, s,
              lane == 32 ? vec_literal32(t, BIT(31)) : vec_literal64(t, BIT(63)));
    }
    vec_set(t, i->rd, bits, d);
    x->back = emit_here(&t->e);
}

// `arg` is VRANGE's immediate. Without it: numbers, compared both ways.
TEMPLATE(vfmaxmin)
{
    unsigned bits, lane = lane_of(i);
    if (!t->jit->has_evex && arg > 5) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest_apart(t, i), j = vec_use(t, i->rj, bits, V1);
    if (t->jit->has_evex) {
        vec_op_imm(t, vop_range(lane, false), bits, d, j, i->rk, arg);
        finish(t, i, bits, d);
        return;
    }
    unsigned op = arg == 5 ? FP_MAX : FP_MIN, k = vec_use(t, i->rk, bits, V2);
    v_rrri(t, lane == 32 ? VCMPPS : VCMPPD, bits, V3, j, k, 3);
    v_rrr(t, VPTEST, bits, V3, 0, V3);
    struct cold *x = trans_redo_if(t, CC_NE);
    v_rrr(t, vop_fp(op, lane, false), bits, V3, j, k);
    v_rrr(t, vop_fp(op, lane, false), bits, V0, k, j);
    v_rrr(t, arg == 5 ? VANDPS : VORPS, bits, V0, V0, V3);
    vec_set(t, i->rd, bits, V0);
    x->back = emit_here(&t->e);
}

// `arg` is the immediate of VCMPPS, whose 32 conditions are all there are.
TEMPLATE(vfcmp)
{
    unsigned bits;
    if (!fp_begin(t, i, &bits))
        return;
    bool is_s = lane_of(i) == 32;
    unsigned d = vec_dest(t, i->rd), j = vec_use(t, i->rj, bits, V2),
             k = vec_use(t, i->rk, bits, V3);
    if (d < 16 && j < 16 && k < 16) {
        v_rrri(t, is_s ? VCMPPS : VCMPPD, bits, d, j, k, arg);
    } else {
        v_rrri(t, is_s ? VCMPPS_MASK : VCMPPD_MASK, bits, 1, j, k, arg);
        v_rrr(t, is_s ? VPMOVM2D : VPMOVM2Q, bits, d, 0, 1);
    }
    vec_set(t, i->rd, bits, d);
}
