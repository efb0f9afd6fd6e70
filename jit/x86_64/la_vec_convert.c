// SPDX-License-Identifier: Apache-2.0
// Vector conversions between floating-point formats and integers, and rounding to integers.
//
// Those that halve the width make the lower lanes of each half from vk and the upper from vj; the
// host makes one short vector of a long one. Those that double it take the lower or the upper lanes
// of each half; the host takes a short vector.
#include "jit/x86_64/la_vec.h"

// Lanes of the same width. `arg` is the instruction.
TEMPLATE(vfconvert)
{
    unsigned bits;
    if (vec_lacks(t, arg)) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest(t, i->rd);
    vec_op(t, arg, bits, d, 0, i->rj);
    vec_set(t, i->rd, bits, d);
}

// `arg`: the immediate of VROUNDPS.
TEMPLATE(vfrint)
{
    unsigned bits, lane = la_op_info[i->op].elem[0] == LA_ELEM_F32 ? 32 : 64;
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest(t, i->rd);
    vec_op_imm(t, vop_round(lane, false), bits, d, 0, i->rj, arg);
    vec_set(t, i->rd, bits, d);
}

// d = the lower or upper lanes of each half of r, as a short vector; the rest of d is zero.
static void take_lanes(struct trans *t, bool upper, unsigned bits, unsigned d, unsigned r)
{
    if (bits == 256)
        vec_op_imm(t, VPERMQ, 256, d, 0, r, upper ? 0x0d : 0x08);
    else if (upper)
        v_shift(t, VPSRLDQ_IMM, 128, d, vec_use(t, r, 128, d), 8);
    else
        v_rrr(t, VMOVQ, 128, d, 0, vec_use(t, r, 128, d));
}

enum { CONVERT_UPPER = 1u << 31 };

// `arg` is the instruction, and CONVERT_UPPER.
TEMPLATE(vfwiden)
{
    unsigned bits;
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest(t, i->rd);
    take_lanes(t, arg & CONVERT_UPPER, bits, V0, i->rj);
    v_rrr(t, arg & ~CONVERT_UPPER, bits, d, 0, V0);
    vec_set(t, i->rd, bits, d);
}

// d = short vector of a long one.
static void narrow(struct trans *t, u32 op, unsigned bits, unsigned d, unsigned s)
{
    if (op == VCVTPS2PH)
        v_rrri(t, op, bits, s, 0, d, 4);
    else
        v_rrr(t, op, bits, d, 0, s);
}

// d (V0 or not scratch) = short vectors in V0 and V1, half by half.
static void join(struct trans *t, unsigned bits, unsigned d)
{
    if (bits == 128) {
        v_rrr(t, VPUNPCKLQDQ, 128, d, V0, V1);
        return;
    }
    v_rrr(t, VPUNPCKHQDQ, 128, V3, V0, V1);
    v_rrr(t, VPUNPCKLQDQ, 128, V0, V0, V1);
    v_rrri(t, VINSERTI128, 256, d, V0, V3, 1);
}

// Two registers to one of half the width. `arg` is the instruction.
TEMPLATE(vfnarrow)
{
    unsigned bits;
    if (vec_lacks(t, arg)) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &bits))
        return;
    unsigned d = vec_dest(t, i->rd);
    narrow(t, arg, bits, V0, vec_use(t, i->rk, bits, V0));
    narrow(t, arg, bits, V1, vec_use(t, i->rj, bits, V1));
    join(t, bits, d);
    vec_set(t, i->rd, bits, d);
}

// To integers -------------------------------------------------------------------------------------

// The host's instructions, by the current mode or toward zero.
static const u32 word_of_single[] = {VCVTPS2DQ, VCVTTPS2DQ};
static const u32 word_of_double[] = {VCVTPD2DQ, VCVTTPD2DQ};
static const u32 long_of_double[] = {VCVTPD2QQ, VCVTTPD2QQ};
static const u32 long_of_single[] = {VCVTPS2QQ, VCVTTPS2QQ};
static const u32 uword_of_single[] = {VCVTPS2UDQ, VCVTTPS2UDQ};
static const u32 ulong_of_double[] = {VCVTPD2UQQ, VCVTTPD2UQQ};

enum { ROUND_ZERO = 3, ROUND_CURRENT = 4, ROUND_EXACT = 8 };

static unsigned lane_of_source(const struct la_insn *i)
{
    return la_op_info[i->op].elem[1] == LA_ELEM_F32 ? 32 : 64;
}

// Out of line if a lane of V0 is what the host has for values out of range and NaNs.
static struct cold *redo_if_invalid(struct trans *t, unsigned bits, unsigned lane, bool is_unsigned)
{
    u64 value = is_unsigned ? ~0ULL : BIT(lane - 1);
    struct mem invalid = lane == 32 ? vec_literal32(t, (u32)value) : vec_literal64(t, value);
    v_rrm(t, lane == 32 ? VPCMPEQD : VPCMPEQQ, bits, V1, V0, invalid);
    v_rrr(t, VPTEST, bits, V1, 0, V1);
    return trans_redo_if(t, CC_NE);
}

// In lanes of the same width. `arg`: the rounding as in VROUNDPS, 16 for unsigned. What is out of
// range has no fraction, so rounding first raises nothing that should not be.
TEMPLATE(vftint)
{
    unsigned bits, mode = arg & 15, lane = lane_of_source(i);
    bool is_unsigned = arg & 16, is_current = mode == ROUND_CURRENT;
    const u32 *ops = lane == 32    ? is_unsigned ? uword_of_single : word_of_single
                     : is_unsigned ? ulong_of_double
                                   : long_of_double;
    if (vec_lacks(t, ops[0])) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &bits))
        return;
    if (mode < ROUND_ZERO) {
        vec_op_imm(t, vop_round(lane, false), bits, V0, 0, i->rj, mode);
        v_rrr(t, ops[1], bits, V0, 0, V0);
    } else {
        vec_op(t, ops[!is_current], bits, V0, 0, i->rj);
    }
    struct cold *x = redo_if_invalid(t, bits, lane, is_unsigned);
    vec_set(t, i->rd, bits, V0);
    x->back = emit_here(&t->e);
}

// d = words of the doubles in r, d being V0 or V1.
static void words_of(struct trans *t, unsigned mode, unsigned bits, unsigned d, unsigned r)
{
    unsigned s = vec_use(t, r, bits, d);
    if (mode < ROUND_ZERO) {
        v_rrri(t, vop_round(64, false), bits, d, 0, s, mode | ROUND_EXACT);
        s = d;
    }
    v_rrr(t, word_of_double[mode != ROUND_CURRENT], bits, d, 0, s);
}

// Doubles to words. Here a value that is out of range may have a fraction: when it is known that
// none is, rounding is repeated to be inexact.
TEMPLATE(vftint_w_d)
{
    unsigned bits;
    if (!fp_begin(t, i, &bits))
        return;
    words_of(t, arg, bits, V0, i->rk);
    words_of(t, arg, bits, V1, i->rj);
    join(t, bits, V0);
    struct cold *x = redo_if_invalid(t, bits, 32, false);
    if (arg < ROUND_ZERO) {
        vec_op_imm(t, vop_round(64, false), bits, V1, 0, i->rk, arg);
        vec_op_imm(t, vop_round(64, false), bits, V1, 0, i->rj, arg);
    }
    vec_set(t, i->rd, bits, V0);
    x->back = emit_here(&t->e);
}

// Singles to doublewords. `arg`: the rounding, 16 for the upper lanes.
TEMPLATE(vftint_l_s)
{
    unsigned bits, mode = arg & 15;
    if (!t->jit->has_evex) {
        trans_interpret(t);
        return;
    }
    if (!fp_begin(t, i, &bits))
        return;
    take_lanes(t, arg & 16, bits, V0, i->rj);
    if (mode < ROUND_ZERO)
        v_rrri(t, vop_round(32, false), 128, V0, 0, V0, mode);
    v_rrr(t, long_of_single[mode != ROUND_CURRENT], bits, V0, 0, V0);
    struct cold *x = redo_if_invalid(t, bits, 64, false);
    vec_set(t, i->rd, bits, V0);
    x->back = emit_here(&t->e);
}
