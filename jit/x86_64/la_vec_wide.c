// SPDX-License-Identifier: Apache-2.0
// Vector operations whose results are twice as wide as their sources.
#include "jit/x86_64/la_vec.h"

// By log2 of the bytes of a source's lane.
static const u32 add_op[] = {VPADDW, VPADDD, VPADDQ};
static const u32 sub_op[] = {VPSUBW, VPSUBD, VPSUBQ};
static const u32 left_op[] = {VPSLLW_IMM, VPSLLD_IMM, VPSLLQ_IMM};
static const u32 logical_op[] = {VPSRLW_IMM, VPSRLD_IMM, VPSRLQ_IMM};
static const u32 arithmetic_op[] = {VPSRAW_IMM, VPSRAD_IMM, VPSRAQ_IMM};

// d = even or odd lanes of s, extended. Where the host cannot shift signed doublewords, the upper
// words are made apart, for which V3 may be lost; s may be V3.
static void extend_words(struct trans *t, bool odd, unsigned bits, unsigned d, unsigned s)
{
    if (odd) {
        v_shift(t, VPSRLQ_IMM, bits, d, s, 32);
        v_shift(t, VPSRAD_IMM, bits, V3, s, 31);
        v_rrri(t, VPBLENDD, bits, d, d, V3, 0xaa);
    } else {
        v_rrri(t, VPSHUFD, bits, d, 0, s, 0xa0);
        v_shift(t, VPSRAD_IMM, bits, d, d, 31);
        v_rrri(t, VPBLENDD, bits, d, s, d, 0xaa);
    }
}

static void extend(struct trans *t, unsigned z, bool odd, bool is_unsigned, unsigned bits,
                   unsigned d, unsigned s)
{
    unsigned n = 8u << z;
    if (is_unsigned && odd) {
        v_shift(t, logical_op[z], bits, d, s, n);
    } else if (is_unsigned) {
        v_rrm(t, VPAND, bits, d, s, vec_literal_z(t, z + 1, BIT(n) - 1));
    } else if (vec_lacks(t, arithmetic_op[z])) {
        extend_words(t, odd, bits, d, s);
    } else if (odd) {
        v_shift(t, arithmetic_op[z], bits, d, s, n);
    } else {
        v_shift(t, left_op[z], bits, d, s, n);
        v_shift(t, arithmetic_op[z], bits, d, d, n);
    }
}

// `arg`: which lanes of vj and of vk, and what is done with them.
enum { PAIR_J_ODD = 1, PAIR_K_ODD = 2, PAIR_SUB = 4, PAIR_MUL = 8, PAIR_MADD = 16 };

static bool is_second_unsigned(const struct la_insn *i)
{
    return la_op_info[i->op].elem[2] % 2 == 0;
}

// d = products of words, which the host takes from the even lanes.
static void multiply_words(struct trans *t, const struct la_insn *i, unsigned arg, unsigned bits,
                           unsigned d)
{
    unsigned j = vec_use(t, i->rj, bits, V2);
    u32 op = vec_is_unsigned(i) ? VPMULUDQ : VPMULDQ;
    if (!(arg & PAIR_J_ODD)) {
        vec_op(t, op, bits, d, j, i->rk);
        return;
    }
    v_shift(t, VPSRLQ_IMM, bits, V0, j, 32);
    v_shift(t, VPSRLQ_IMM, bits, V1, vec_use(t, i->rk, bits, V1), 32);
    v_rrr(t, op, bits, d, V0, V1);
}

// d = products of signed halfwords. The host adds those of two lanes: the other one is with zero.
static void multiply_halfwords(struct trans *t, const struct la_insn *i, unsigned arg,
                               unsigned bits, unsigned d)
{
    struct mem lanes = vec_literal32(t, arg & PAIR_J_ODD ? 0xffff0000 : 0xffff);
    v_rrm(t, VPAND, bits, V0, vec_use(t, i->rk, bits, V0), lanes);
    vec_op(t, VPMADDWD, bits, d, V0, i->rj);
}

static void combine(struct trans *t, const struct la_insn *i, unsigned arg, unsigned bits,
                    unsigned d)
{
    static const u32 multiply[] = {VPMULLW, VPMULLD, VPMULLQ};
    unsigned z = vec_z(i), j = vec_use(t, i->rj, bits, V2);
    extend(t, z, arg & PAIR_J_ODD, vec_is_unsigned(i), bits, V0, j);
    unsigned k = vec_use(t, i->rk, bits, V3);
    extend(t, z, arg & PAIR_K_ODD, is_second_unsigned(i), bits, V1, k);
    u32 op = arg & PAIR_MUL ? multiply[z] : arg & PAIR_SUB ? sub_op[z] : add_op[z];
    v_rrr(t, op, bits, d, V0, V1);
}

TEMPLATE(vpair)
{
    bool is_mixed = vec_is_unsigned(i) != is_second_unsigned(i), of_words = vec_z(i) == 2;
    if (arg & PAIR_MUL && of_words && is_mixed && !t->jit->has_evex) {
        trans_interpret(t);
        return;
    }
    bool is_signed = !vec_is_unsigned(i) && !is_mixed;
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), result = arg & PAIR_MADD ? V0 : d;
    if (arg & PAIR_MUL && of_words && !is_mixed)
        multiply_words(t, i, arg, bits, result);
    else if (arg & PAIR_MUL && vec_z(i) == 1 && is_signed)
        multiply_halfwords(t, i, arg, bits, result);
    else
        combine(t, i, arg, bits, result);
    if (arg & PAIR_MADD)
        vec_op(t, add_op[vec_z(i)], bits, d, V0, i->rd);
    vec_set(t, i->rd, bits, d);
}

// Half of the lanes of vj, extended, then shifted by the immediate if there is one. `arg`: the
// upper half. The lanes are interleaved with their signs.
TEMPLATE(vextend)
{
    static const u32 interleave[2][4] = {{VPUNPCKLBW, VPUNPCKLWD, VPUNPCKLDQ, VPUNPCKLQDQ},
                                         {VPUNPCKHBW, VPUNPCKHWD, VPUNPCKHDQ, VPUNPCKHQDQ}};
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i);
    unsigned j = vec_use(t, i->rj, bits, V2);
    if (vec_is_unsigned(i))
        v_zero(t, V1);
    else
        v_sign(t, z, bits, V1, j);
    v_rrr(t, interleave[arg][z], bits, d, j, V1);
    if (i->imm)
        v_shift(t, left_op[z], bits, d, d, (unsigned)i->imm);
    vec_set(t, i->rd, bits, d);
}
