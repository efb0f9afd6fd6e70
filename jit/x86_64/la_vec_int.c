// SPDX-License-Identifier: Apache-2.0
// Vector integer arithmetic that stays within lanes: sums, differences, averages, bounds, products,
// comparisons, logic.
#include "jit/x86_64/la_vec.h"

// By log2 of the bytes of a lane.
static const u32 add_op[] = {VPADDB, VPADDW, VPADDD, VPADDQ};
static const u32 sub_op[] = {VPSUBB, VPSUBW, VPSUBD, VPSUBQ};
static const u32 equal_op[] = {VPCMPEQB, VPCMPEQW, VPCMPEQD, VPCMPEQQ};
static const u32 greater_op[] = {VPCMPGTB, VPCMPGTW, VPCMPGTD, VPCMPGTQ};
static const u32 min_op[2][4] = {{VPMINSB, VPMINSW, VPMINSD, VPMINSQ},
                                 {VPMINUB, VPMINUW, VPMINUD, VPMINUQ}};
static const u32 max_op[2][4] = {{VPMAXSB, VPMAXSW, VPMAXSD, VPMAXSQ},
                                 {VPMAXUB, VPMAXUW, VPMAXUD, VPMAXUQ}};

// `arg` is one instruction of vj and vk or the immediate.
TEMPLATE(vbinary)
{
    if (vec_lacks(t, arg)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    vec_op_second(t, i, arg, bits, d, vec_use(t, i->rj, bits, V0));
    vec_set(t, i->rd, bits, d);
}

// The same with vk first.
TEMPLATE(vswapped)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    vec_op(t, arg, bits, d, vec_use(t, i->rk, bits, V0), i->rj);
    vec_set(t, i->rd, bits, d);
}

TEMPLATE(vunary)
{
    if (vec_lacks(t, arg)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    vec_op(t, arg, bits, d, 0, i->rj);
    vec_set(t, i->rd, bits, d);
}

// nor, orn, nori: `arg` is the table of vpternlog for vj and the second source.
TEMPLATE(vnor)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    if (t->jit->has_evex) {
        unsigned k = vec_use_second(t, i, bits, V1);
        v_rrri(t, VPTERNLOG, bits, d, vec_use(t, i->rj, bits, V2), k, arg);
    } else {
        bool inverts_all = arg == 0x11;
        v_ones(t, bits, V1);
        if (inverts_all) {
            vec_op_second(t, i, VPOR, bits, V0, vec_use(t, i->rj, bits, V2));
            v_rrr(t, VPXOR, bits, d, V0, V1);
        } else {
            vec_op(t, VPXOR, bits, V1, V1, i->rk);
            vec_op(t, VPOR, bits, d, V1, i->rj);
        }
    }
    vec_set(t, i->rd, bits, d);
}

// d = selector ? k : j, in a form that reads d as what it is: the first of the three that the table
// of vpternlog tells apart.
static void select_in_place(struct trans *t, unsigned bits, unsigned d, unsigned selector,
                            unsigned j, unsigned k)
{
    if (d == j) {
        v_rrri(t, VPTERNLOG, bits, d, selector, k, 0xb8);
    } else if (d == k) {
        v_rrri(t, VPTERNLOG, bits, d, selector, j, 0xe2);
    } else {
        v_move(t, bits, d, selector);
        v_rrri(t, VPTERNLOG, bits, d, j, k, 0xac);
    }
}

// Where the selector (va, or the old vd) has a one, the bit comes from vk or the immediate.
TEMPLATE(vbitsel)
{
    unsigned bits = vec_begin(t, i),
             selector = i->op == LA_VBITSEL_V || i->op == LA_XVBITSEL_V ? i->ra : i->rd;
    unsigned k;
    if (selector == i->rd && i->op != LA_VBITSEL_V && i->op != LA_XVBITSEL_V) {
        v_rrm(t, VMOVDQU, bits, V3, 0, vec_literal8(t, (unsigned)i->imm));
        k = V3;
    } else {
        k = vec_use(t, i->rk, bits, V3);
    }
    unsigned j = vec_use(t, i->rj, bits, V2), d = vec_dest(t, i->rd);
    if (t->jit->has_evex) {
        select_in_place(t, bits, d, vec_use(t, selector, bits, V1), j, k);
        vec_set(t, i->rd, bits, d);
    } else {
        unsigned s = vec_use(t, selector, bits, V1);
        v_rrr(t, VPAND, bits, V0, s, k);
        v_rrr(t, VPANDN, bits, V1, s, j);
        v_rrr(t, VPOR, bits, d, V0, V1);
        vec_set(t, i->rd, bits, d);
    }
}

TEMPLATE(vneg)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    v_zero(t, V1);
    vec_op(t, sub_op[vec_z(i)], bits, d, V1, i->rj);
    vec_set(t, i->rd, bits, d);
}

// d = bound of a and b, in 64-bit lanes of a host that has no instruction for it. a and b are not
// V0 or V1; d may be V0.
static void bound64(struct trans *t, unsigned bits, bool is_max, bool is_unsigned, unsigned d,
                    unsigned a, unsigned b)
{
    if (is_unsigned) {
        struct mem sign = vec_literal64(t, BIT(63));
        v_rrm(t, VPXOR, bits, V0, a, sign);
        v_rrm(t, VPXOR, bits, V1, b, sign);
        v_rrr(t, VPCMPGTQ, bits, V1, V0, V1);
    } else {
        v_rrr(t, VPCMPGTQ, bits, V1, a, b);
    }
    vec_select(t, bits, d, V1, is_max ? b : a, is_max ? a : b);
}

// `arg`: maximum.
TEMPLATE(vbound)
{
    bool is_unsigned = vec_is_unsigned(i);
    unsigned z = vec_z(i);
    u32 op = arg ? max_op[is_unsigned][z] : min_op[is_unsigned][z];
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    if (vec_lacks(t, op)) {
        unsigned j = vec_use(t, i->rj, bits, V2);
        bound64(t, bits, arg, is_unsigned, d, j, vec_use_second(t, i, bits, V3));
    } else {
        vec_op_second(t, i, op, bits, d, vec_use(t, i->rj, bits, V0));
    }
    vec_set(t, i->rd, bits, d);
}

// To imm + 1 bits.
TEMPLATE(vsat)
{
    unsigned z = vec_z(i), n = (unsigned)i->imm;
    bool is_unsigned = vec_is_unsigned(i);
    if (vec_lacks(t, min_op[is_unsigned][z])) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), j = vec_use(t, i->rj, bits, V0);
    if (is_unsigned) {
        v_rrm(t, min_op[1][z], bits, d, j, vec_literal_z(t, z, BITS(n, 0)));
    } else {
        u64 least = 0 - BIT(n);
        v_rrm(t, min_op[0][z], bits, V0, j, vec_literal_z(t, z, ~least));
        v_rrm(t, max_op[0][z], bits, d, V0, vec_literal_z(t, z, least));
    }
    vec_set(t, i->rd, bits, d);
}

// d = magnitude of s in 64-bit lanes; d is scratch and s is not.
static void magnitude(struct trans *t, unsigned z, unsigned bits, unsigned d, unsigned r)
{
    static const u32 op[] = {VPABSB, VPABSW, VPABSD, VPABSQ};
    if (!vec_lacks(t, op[z])) {
        vec_op(t, op[z], bits, d, 0, r);
        return;
    }
    unsigned s = vec_use(t, r, bits, V2);
    v_sign(t, z, bits, d, s);
    v_rrr(t, VPXOR, bits, V2, s, d);
    v_rrr(t, VPSUBQ, bits, d, V2, d);
}

TEMPLATE(vadda)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i);
    magnitude(t, z, bits, V0, i->rj);
    magnitude(t, z, bits, V1, i->rk);
    v_rrr(t, add_op[z], bits, d, V0, V1);
    vec_set(t, i->rd, bits, d);
}

// The greater less the lesser.
TEMPLATE(vabsd)
{
    unsigned z = vec_z(i);
    bool is_unsigned = vec_is_unsigned(i);
    if (vec_lacks(t, max_op[is_unsigned][z])) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), j = vec_use(t, i->rj, bits, V2);
    vec_op(t, max_op[is_unsigned][z], bits, V0, j, i->rk);
    vec_op(t, min_op[is_unsigned][z], bits, V1, j, i->rk);
    v_rrr(t, sub_op[z], bits, d, V0, V1);
    vec_set(t, i->rd, bits, d);
}

// d = s / 2, rounded down; V3 is lost.
static void halve(struct trans *t, unsigned z, bool is_unsigned, unsigned bits, unsigned d,
                  unsigned s)
{
    static const u32 logical[] = {VPSRLW_IMM, VPSRLW_IMM, VPSRLD_IMM, VPSRLQ_IMM};
    static const u32 arithmetic[] = {VPSRLW_IMM, VPSRAW_IMM, VPSRAD_IMM, VPSRLQ_IMM};
    v_shift(t, is_unsigned ? logical[z] : arithmetic[z], bits, d, s, 1);
    if (z == 0)
        v_rrm(t, VPAND, bits, d, d, vec_literal8(t, 0x7f));
    if (is_unsigned || z == 1 || z == 2)
        return;
    // The sign again, by adding and taking away.
    struct mem sign = vec_literal_z(t, z, z == 0 ? 0x40 : BIT(62));
    v_rrm(t, VPXOR, bits, d, d, sign);
    v_rrm(t, sub_op[z], bits, d, d, sign);
}

// `arg`: rounded up.
TEMPLATE(vavg)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i);
    bool is_unsigned = vec_is_unsigned(i);
    unsigned j = vec_use(t, i->rj, bits, V2);
    vec_op(t, VPXOR, bits, V0, j, i->rk);
    vec_op(t, arg ? VPOR : VPAND, bits, V1, j, i->rk);
    halve(t, z, is_unsigned, bits, V0, V0);
    v_rrr(t, arg ? sub_op[z] : add_op[z], bits, d, V1, V0);
    vec_set(t, i->rd, bits, d);
}

// vk, its sign turned where vj is negative, zero where that is zero.
TEMPLATE(vsigncov)
{
    static const u32 op[] = {VPSIGNB, VPSIGNW, VPSIGND};
    unsigned bits = vec_begin(t, i), z = vec_z(i);
    unsigned j = v_low(t, bits, vec_use(t, i->rj, bits, V2), V2);
    if (z < 3) {
        v_rrr(t, op[z], bits, V0, v_low(t, bits, vec_use(t, i->rk, bits, V1), V1), j);
    } else {
        v_sign(t, z, bits, V0, j);
        vec_op(t, VPXOR, bits, V1, V0, i->rk);
        v_rrr(t, VPSUBQ, bits, V1, V1, V0);
        v_zero(t, V0);
        v_rrr(t, VPCMPEQQ, bits, V0, V0, j);
        v_rrr(t, VPANDN, bits, V0, V0, V1);
    }
    vec_set(t, i->rd, bits, V0);
}

// Saturation of words and doublewords, where the host has none.
static void saturate_unsigned(struct trans *t, const struct la_insn *i, bool subtract,
                              unsigned bits)
{
    unsigned z = vec_z(i), d = vec_dest(t, i->rd), j = vec_use(t, i->rj, bits, V2);
    if (subtract) {
        vec_op(t, max_op[1][z], bits, V0, j, i->rk);
        vec_op(t, sub_op[z], bits, d, V0, i->rk);
    } else {
        // No more than what is left above vj.
        v_ones(t, bits, V0);
        v_rrr(t, VPXOR, bits, V0, V0, j);
        vec_op(t, min_op[1][z], bits, V0, V0, i->rk);
        v_rrr(t, add_op[z], bits, d, V0, j);
    }
    vec_set(t, i->rd, bits, d);
}

static void saturate_signed(struct trans *t, const struct la_insn *i, bool subtract, unsigned bits)
{
    unsigned z = vec_z(i), j = vec_use(t, i->rj, bits, V3);
    vec_op(t, subtract ? sub_op[z] : add_op[z], bits, V0, j, i->rk);
    // V1: its sign tells that the sum is out of range.
    v_rrr(t, VPXOR, bits, V1, V0, j);
    if (subtract) {
        vec_op(t, VPXOR, bits, V2, j, i->rk);
        v_rrr(t, VPAND, bits, V1, V1, V2);
    } else {
        vec_op(t, VPXOR, bits, V2, V0, i->rk);
        v_rrr(t, VPAND, bits, V1, V1, V2);
    }
    // The bound on the side of vj.
    v_sign(t, z, bits, V2, j);
    v_rrm(t, VPXOR, bits, V2, V2, vec_literal_z(t, z, z == 2 ? 0x7fffffff : BIT(63) - 1));
    v_rrri(t, z == 2 ? VBLENDVPS : VBLENDVPD, bits, V0, V0, V2, V1 << 4);
    vec_set(t, i->rd, bits, V0);
}

// `arg`: the instruction for bytes and halfwords; then whether to subtract.
TEMPLATE(vsaturated)
{
    bool is_unsigned = vec_is_unsigned(i);
    if (vec_z(i) < 2) {
        la_t_vbinary(t, i, arg);
        return;
    }
    if (is_unsigned && vec_lacks(t, max_op[1][vec_z(i)])) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i);
    if (is_unsigned)
        saturate_unsigned(t, i, arg, bits);
    else
        saturate_signed(t, i, arg, bits);
}

// d = low bytes of the products of the bytes of a and r; a is V2 or pinned, and d is V0.
static void multiply_bytes(struct trans *t, unsigned bits, unsigned a, unsigned r)
{
    vec_copy(t, V1, r, bits);
    v_rrr(t, VPMULLW, bits, V0, a, V1);
    v_shift(t, VPSRLW_IMM, bits, V1, V1, 8);
    v_shift(t, VPSRLW_IMM, bits, V3, a, 8);
    v_rrr(t, VPMULLW, bits, V1, V1, V3);
    v_shift(t, VPSLLW_IMM, bits, V1, V1, 8);
    v_rrm(t, VPAND, bits, V0, V0, vec_literal16(t, 0xff));
    v_rrr(t, VPOR, bits, V0, V0, V1);
}

// The same of doublewords, from three products of words.
static void multiply_doublewords(struct trans *t, unsigned bits, unsigned a, unsigned r)
{
    vec_copy(t, V1, r, bits);
    v_shift(t, VPSRLQ_IMM, bits, V0, a, 32);
    v_rrr(t, VPMULUDQ, bits, V0, V0, V1);
    v_shift(t, VPSRLQ_IMM, bits, V3, V1, 32);
    v_rrr(t, VPMULUDQ, bits, V3, V3, a);
    v_rrr(t, VPADDQ, bits, V0, V0, V3);
    v_shift(t, VPSLLQ_IMM, bits, V0, V0, 32);
    v_rrr(t, VPMULUDQ, bits, V1, V1, a);
    v_rrr(t, VPADDQ, bits, V0, V0, V1);
}

// Returns where the product is: in d if one instruction makes it, otherwise in V0.
static unsigned multiply(struct trans *t, unsigned z, unsigned bits, unsigned d, unsigned a,
                         unsigned r)
{
    static const u32 op[] = {0, VPMULLW, VPMULLD, VPMULLQ};
    if (z == 0) {
        multiply_bytes(t, bits, a, r);
    } else if (vec_lacks(t, op[z])) {
        multiply_doublewords(t, bits, a, r);
    } else {
        vec_op(t, op[z], bits, d, a, r);
        return d;
    }
    return V0;
}

// `arg`: 0 the product, 1 added to vd, 2 subtracted from it.
TEMPLATE(vmul)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i);
    unsigned product = multiply(t, z, bits, arg ? V0 : d, vec_use(t, i->rj, bits, V2), i->rk);
    if (arg == 1)
        vec_op(t, add_op[z], bits, d, V0, i->rd);
    else if (arg == 2)
        v_rrr(t, sub_op[z], bits, d, vec_use(t, i->rd, bits, V1), V0);
    else
        d = product;
    vec_set(t, i->rd, bits, d);
}

// The upper halves of products of words.
TEMPLATE(vmuh_w)
{
    u32 op = vec_is_unsigned(i) ? VPMULUDQ : VPMULDQ;
    unsigned bits = vec_begin(t, i);
    unsigned j = vec_use(t, i->rj, bits, V2), k = vec_use(t, i->rk, bits, V3);
    v_rrr(t, op, bits, V0, j, k);
    v_shift(t, VPSRLQ_IMM, bits, V0, V0, 32);
    v_shift(t, VPSRLQ_IMM, bits, V1, j, 32);
    v_shift(t, VPSRLQ_IMM, bits, V3, k, 32);
    v_rrr(t, op, bits, V1, V1, V3);
    v_rrri(t, VPBLENDD, bits, V0, V0, V1, 0xaa);
    vec_set(t, i->rd, bits, V0);
}

// The upper halves of products of bytes.
TEMPLATE(vmuh_b)
{
    bool is_unsigned = vec_is_unsigned(i);
    unsigned bits = vec_begin(t, i);
    unsigned j = vec_use(t, i->rj, bits, V2), k = vec_use(t, i->rk, bits, V3);
    // Of the odd bytes first: their upper halves are already in place.
    v_shift(t, is_unsigned ? VPSRLW_IMM : VPSRAW_IMM, bits, V0, j, 8);
    v_shift(t, is_unsigned ? VPSRLW_IMM : VPSRAW_IMM, bits, V1, k, 8);
    v_rrr(t, VPMULLW, bits, V1, V0, V1);
    v_rrm(t, VPAND, bits, V1, V1, vec_literal16(t, 0xff00));
    v_shift(t, VPSLLW_IMM, bits, V0, j, 8);
    v_shift(t, VPSLLW_IMM, bits, V3, k, 8);
    v_rrr(t, is_unsigned ? VPMULHUW : VPMULHW, bits, V0, V0, V3);
    v_shift(t, VPSRLW_IMM, bits, V0, V0, 8);
    v_rrr(t, VPOR, bits, V0, V0, V1);
    vec_set(t, i->rd, bits, V0);
}

enum { CMP_EQ, CMP_LT, CMP_LE };

// Into a mask register, and from it ones or zeros into lanes.
static void compare_masked(struct trans *t, unsigned what, unsigned z, bool is_unsigned,
                           unsigned bits, unsigned d, unsigned x, unsigned y)
{
    static const u32 compare[2][4] = {{VPCMPB_MASK, VPCMPW_MASK, VPCMPD_MASK, VPCMPQ_MASK},
                                      {VPCMPUB_MASK, VPCMPUW_MASK, VPCMPUD_MASK, VPCMPUQ_MASK}};
    static const u32 expand[] = {VPMOVM2B, VPMOVM2W, VPMOVM2D, VPMOVM2Q};
    v_rrri(t, compare[is_unsigned][z], bits, 1, x, y, what);
    v_rrr(t, expand[z], bits, d, 0, 1);
}

// x and y are not V0 or V1.
static void compare_plain(struct trans *t, unsigned what, unsigned z, bool is_unsigned,
                          unsigned bits, unsigned d, unsigned x, unsigned y)
{
    if (is_unsigned && z < 3) {
        // x <= y if x is their minimum; y <= x if y is.
        v_rrr(t, min_op[1][z], bits, V0, x, y);
        v_rrr(t, equal_op[z], bits, V0, V0, what == CMP_LE ? x : y);
    } else {
        if (is_unsigned) {
            struct mem sign = vec_literal64(t, BIT(63));
            v_rrm(t, VPXOR, bits, V0, x, sign);
            v_rrm(t, VPXOR, bits, V1, y, sign);
            x = V0;
            y = V1;
        }
        v_rrr(t, greater_op[z], bits, V0, what == CMP_LE ? x : y, what == CMP_LE ? y : x);
    }
    bool is_right = is_unsigned && z < 3 ? what == CMP_LE : what == CMP_LT;
    if (is_right) {
        v_move(t, bits, d, V0);
        return;
    }
    v_ones(t, bits, V1);
    v_rrr(t, VPXOR, bits, d, V0, V1);
}

TEMPLATE(vcompare)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i);
    bool is_unsigned = vec_is_unsigned(i);
    unsigned x = vec_use(t, i->rj, bits, V2), y = vec_use_second(t, i, bits, V3);
    bool is_one = arg == CMP_EQ || (arg == CMP_LT && !is_unsigned);
    if (is_one && d < 16 && x < 16 && y < 16)
        v_rrr(t, arg == CMP_EQ ? equal_op[z] : greater_op[z], bits, d, arg == CMP_EQ ? x : y,
              arg == CMP_EQ ? y : x);
    else if (t->jit->has_evex)
        compare_masked(t, arg, z, is_unsigned, bits, d, x, y);
    else
        compare_plain(t, arg, z, is_unsigned, bits, d, x, y);
    vec_set(t, i->rd, bits, d);
}
