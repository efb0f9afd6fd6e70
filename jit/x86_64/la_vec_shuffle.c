// SPDX-License-Identifier: Apache-2.0
// Vector permutations. LASX does to each half what LSX does, as the host does; the few that cross
// halves are at the end.
#include "jit/x86_64/la_vec.h"

#include <string.h>

// Even or odd lanes of vk, then those of vj. `arg`: odd.
TEMPLATE(vpick)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i);
    unsigned j = vec_use(t, i->rj, bits, V2), k = vec_use(t, i->rk, bits, V3);
    if (z == 3) {
        v_rrr(t, arg ? VPUNPCKHQDQ : VPUNPCKLQDQ, bits, d, k, j);
    } else if (z == 2) {
        v_rrri(t, VSHUFPS, bits, d, k, j, arg ? 0xdd : 0x88);
    } else {
        u32 shift = z ? VPSRLD_IMM : VPSRLW_IMM;
        struct mem low = vec_literal_z(t, z + 1, BIT(8u << z) - 1);
        if (arg) {
            v_shift(t, shift, bits, V0, k, 8u << z);
            v_shift(t, shift, bits, V1, j, 8u << z);
        } else {
            v_rrm(t, VPAND, bits, V0, k, low);
            v_rrm(t, VPAND, bits, V1, j, low);
        }
        v_rrr(t, z ? VPACKUSDW : VPACKUSWB, bits, d, V0, V1);
    }
    vec_set(t, i->rd, bits, d);
}

// Even or odd lanes of vk and vj in turn. `arg`: odd.
TEMPLATE(vpack)
{
    static const u32 left[] = {VPSLLW_IMM, VPSLLD_IMM, VPSLLQ_IMM};
    static const u32 right[] = {VPSRLW_IMM, VPSRLD_IMM, VPSRLQ_IMM};
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i), n = 8u << z;
    unsigned j = vec_use(t, i->rj, bits, V2), k = vec_use(t, i->rk, bits, V3);
    if (z == 3) {
        v_rrr(t, arg ? VPUNPCKHQDQ : VPUNPCKLQDQ, bits, d, k, j);
    } else {
        u64 low = BIT(n) - 1;
        v_shift(t, arg ? right[z] : left[z], bits, V0, arg ? k : j, n);
        v_rrm(t, VPAND, bits, V1, arg ? j : k, vec_literal_z(t, z + 1, arg ? low << n : low));
        v_rrr(t, VPOR, bits, d, V0, V1);
    }
    vec_set(t, i->rd, bits, d);
}

// V2 = what the bytes of `index` choose from low, and where `from_high` is negative from high. V0
// has the indices, V1 has from_high; low and high are not these.
static void choose_bytes(struct trans *t, unsigned bits, unsigned low, unsigned high)
{
    high = v_low(t, bits, high, V3);
    v_rrr(t, VPSHUFB, bits, V3, high, V0);
    v_rrr(t, VPSHUFB, bits, V0, low, V0);
    v_rrri(t, VPBLENDVB, bits, V0, V0, V3, V1 << 4);
}

// Of one register twice: which of them does not matter.
static void shuffle_one(struct trans *t, const struct la_insn *i, unsigned bits)
{
    unsigned d = vec_dest(t, i->rd);
    v_rrm(t, VPAND, bits, V0, vec_use(t, i->ra, bits, V0), vec_literal8(t, 0xf));
    v_rrr(t, VPSHUFB, bits, d, vec_use(t, i->rj, bits, V1), V0);
    vec_set(t, i->rd, bits, d);
}

// Lanes of vk and, behind them, of vj, chosen by bytes of va.
TEMPLATE(vshuf_b)
{
    unsigned bits = vec_begin(t, i);
    if (i->rj == i->rk) {
        shuffle_one(t, i, bits);
        return;
    }
    unsigned a = vec_use(t, i->ra, bits, V0);
    v_shift(t, VPSLLW_IMM, bits, V1, a, 3);
    v_rrm(t, VPAND, bits, V0, a, vec_literal8(t, 0xf));
    unsigned k = vec_use(t, i->rk, bits, V2);
    choose_bytes(t, bits, k, vec_use(t, i->rj, bits, V3));
    vec_set(t, i->rd, bits, V0);
}

// The same of halfwords, chosen by the old vd: as bytes 2n and 2n + 1.
TEMPLATE(vshuf_h)
{
    unsigned bits = vec_begin(t, i), d = vec_use(t, i->rd, bits, V0);
    if (t->jit->has_evex && bits == 128) {
        unsigned k = vec_use(t, i->rk, bits, V2);
        v_move(t, bits, V0, d);
        vec_op(t, VPERMI2W, bits, V0, k, i->rj);
        vec_set(t, i->rd, bits, V0);
        return;
    }
    v_shift(t, VPSLLW_IMM, bits, V1, d, 12);
    v_shift(t, VPSRAW_IMM, bits, V1, V1, 15);
    v_rrm(t, VPAND, bits, V0, d, vec_literal16(t, 7));
    v_rrm(t, VPMULLW, bits, V0, V0, vec_literal16(t, 0x202));
    v_rrm(t, VPADDW, bits, V0, V0, vec_literal16(t, 0x100));
    unsigned k = vec_use(t, i->rk, bits, V2);
    choose_bytes(t, bits, k, vec_use(t, i->rj, bits, V3));
    vec_set(t, i->rd, bits, V0);
}

// The same of words and doublewords, for which the host has bits of an index where they are wanted.
TEMPLATE(vshuf_wd)
{
    bool is_w = vec_z(i) == 2;
    unsigned bits = vec_begin(t, i), d = vec_use(t, i->rd, bits, V0);
    unsigned j = vec_use(t, i->rj, bits, V2), k = vec_use(t, i->rk, bits, V3);
    if (t->jit->has_evex && bits == 128) {
        v_move(t, bits, V0, d);
        v_rrr(t, is_w ? VPERMI2D : VPERMI2Q, bits, V0, k, j);
        vec_set(t, i->rd, bits, V0);
        return;
    }
    v_shift(t, is_w ? VPSLLD_IMM : VPSLLQ_IMM, bits, V1, d, is_w ? 29 : 62);
    if (is_w)
        v_move(t, bits, V0, d);
    else
        v_shift(t, VPSLLQ_IMM, bits, V0, d, 1);
    v_rrr(t, is_w ? VPERMILPS : VPERMILPD, bits, V2, j, V0);
    v_rrr(t, is_w ? VPERMILPS : VPERMILPD, bits, V3, k, V0);
    v_rrri(t, is_w ? VBLENDVPS : VBLENDVPD, bits, V0, V3, V2, V1 << 4);
    vec_set(t, i->rd, bits, V0);
}

// Lanes of vj in fours, chosen by pairs of bits.
TEMPLATE(vshuf4i)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i),
             imm = (unsigned)i->imm & 0xff;
    unsigned j = vec_use(t, i->rj, bits, V0);
    if (z == 2) {
        v_rrri(t, VPSHUFD, bits, d, 0, j, imm);
    } else if (z == 1) {
        v_rrri(t, VPSHUFLW, bits, d, 0, j, imm);
        v_rrri(t, VPSHUFHW, bits, d, 0, d, imm);
    } else {
        u64 four = 0, half;
        for (unsigned n = 0; n < 4; n++)
            four |= (u64)(imm >> 2 * n & 3) << 8 * n;
        half = four | (four + 0x04040404) << 32;
        u64 next = half + 0x0808080808080808;
        v_rrm(t, VPSHUFB, bits, d, j, vec_literal(t, (u64[4]){half, next, half, next}));
    }
    vec_set(t, i->rd, bits, d);
}

// Of the old vd and vj.
TEMPLATE(vshuf4i_d)
{
    unsigned bits = vec_begin(t, i), imm = (unsigned)i->imm, d = vec_dest(t, i->rd);
    unsigned old = vec_use(t, i->rd, bits, V2), j = vec_use(t, i->rj, bits, V3);
    unsigned lanes = (imm & 1) | (imm >> 2 & 1) << 1;
    v_rrri(t, VSHUFPD, bits, d, imm & 2 ? j : old, imm & 8 ? j : old, lanes | lanes << 2);
    vec_set(t, i->rd, bits, d);
}

// Two words of vj, two of the old vd.
TEMPLATE(vpermi_w)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    unsigned old = vec_use(t, i->rd, bits, V2), j = vec_use(t, i->rj, bits, V3);
    v_rrri(t, VSHUFPS, bits, d, j, old, (unsigned)i->imm & 0xff);
    vec_set(t, i->rd, bits, d);
}

// The bytes that lane n of a half consists of, as indices of VPSHUFB in all its lanes.
static struct mem lane_indices(struct trans *t, unsigned z, unsigned n)
{
    u64 lane = 0;
    for (unsigned b = 0; b < 8; b++)
        lane |= (u64)(((n << z) + (b & ((1u << z) - 1)))) << 8 * b;
    return vec_literal64(t, lane);
}

static void replicate_lane(struct trans *t, unsigned z, unsigned bits, unsigned d, unsigned s,
                           unsigned n)
{
    v_rrm(t, VPSHUFB, bits, d, s, lane_indices(t, z, n));
}

// One lane of vj, low bits of the immediate, into one of vd, high bits.
TEMPLATE(vextrins)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i), last = (16u >> z) - 1;
    unsigned to = (unsigned)i->imm >> 4 & last;
    unsigned j = vec_use(t, i->rj, bits, V2), old = vec_use(t, i->rd, bits, V3);
    u64 mask[4] = {0};
    mask[to << z >> 3] = (z == 3 ? ~0ULL : BIT(8u << z) - 1) << (to << z & 7) * 8;
    memcpy(mask + 2, mask, 16);
    replicate_lane(t, z, bits, V1, j, (unsigned)i->imm & last);
    v_rrm(t, VMOVDQU, bits, V0, 0, vec_literal(t, mask));
    vec_select(t, bits, d, V0, old, V1);
    vec_set(t, i->rd, bits, d);
}

// vreplvei, xvrepl128vei.
TEMPLATE(vreplvei)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i), n = i->imm2;
    unsigned j = vec_use(t, i->rj, bits, V0);
    if (z == 2)
        v_rrri(t, VPSHUFD, bits, d, 0, j, n * 0x55);
    else if (z == 3)
        v_rrr(t, n ? VPUNPCKHQDQ : VPUNPCKLQDQ, bits, d, j, j);
    else
        replicate_lane(t, z, bits, d, j, n);
    vec_set(t, i->rd, bits, d);
}

// The lane of each half that rk says: its bytes are n << z and those above.
TEMPLATE(vreplve)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), z = vec_z(i);
    trans_copy(t, RAX, i->rk);
    emit_alu_ri(&t->e, ALU_AND, W32, RAX, (s32)(16u >> z) - 1);
    if (z)
        emit_shift_ri(&t->e, SHIFT_SHL, W32, RAX, z);
    v_rrr(t, VMOVD_LOAD, 128, V0, 0, RAX);
    v_rrr(t, VPBROADCASTB, bits, V0, 0, V0);
    if (z)
        v_rrm(t, VPOR, bits, V0, V0, lane_indices(t, z, 0));
    v_rrr(t, VPSHUFB, bits, d, vec_use(t, i->rj, bits, V1), V0);
    vec_set(t, i->rd, bits, d);
}

// Halves shifted by bytes. `arg`: VPSLLDQ or VPSRLDQ.
TEMPLATE(vbyteshift)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    v_shift(t, arg, bits, d, vec_use(t, i->rj, bits, V0), (unsigned)i->imm & 15);
    vec_set(t, i->rd, bits, d);
}

// LASX only, across halves ------------------------------------------------------------------------

TEMPLATE(xvpermi_d)
{
    vec_begin(t, i);
    unsigned d = vec_dest(t, i->rd);
    vec_op_imm(t, VPERMQ, 256, d, 0, i->rj, (unsigned)i->imm & 0xff);
    vec_set(t, i->rd, 256, d);
}

TEMPLATE(xvpermi_q)
{
    vec_begin(t, i);
    unsigned j = v_low(t, 256, vec_use(t, i->rj, 256, V0), V0);
    unsigned old = v_low(t, 256, vec_use(t, i->rd, 256, V1), V1);
    v_rrri(t, VPERM2I128, 256, V0, j, old, (unsigned)i->imm & 0x33);
    vec_set(t, i->rd, 256, V0);
}
