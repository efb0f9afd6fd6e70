// SPDX-License-Identifier: Apache-2.0
// Vector shifts within lanes, and single bits. A shift by a register looks at as many low bits of
// its lane as the lane's width needs; the host looks at all.
#include "jit/x86_64/la_vec_shift.h"

static const u32 add_op[] = {VPADDB, VPADDW, VPADDD, VPADDQ};
static const u32 sub_op[] = {VPSUBB, VPSUBW, VPSUBD, VPSUBQ};

static const u32 imm_op[3][4] = {
    {0, VPSLLW_IMM, VPSLLD_IMM, VPSLLQ_IMM},
    {0, VPSRLW_IMM, VPSRLD_IMM, VPSRLQ_IMM},
    {0, VPSRAW_IMM, VPSRAD_IMM, VPSRAQ_IMM},
};
static const u32 variable_op[3][4] = {
    {0, VPSLLVW, VPSLLVD, VPSLLVQ},
    {0, VPSRLVW, VPSRLVD, VPSRLVQ},
    {0, VPSRAVW, VPSRAVD, VPSRAVQ},
};

static void shift_bytes_imm(struct trans *t, enum vshift kind, unsigned bits, unsigned d,
                            unsigned s, unsigned n)
{
    unsigned mask = kind == VSHIFT_LEFT ? 0xff << n : 0xff >> n, sign = 0x80 >> n;
    v_shift(t, kind == VSHIFT_LEFT ? VPSLLW_IMM : VPSRLW_IMM, bits, d, s, n);
    v_rrm(t, VPAND, bits, d, d, vec_literal8(t, mask));
    if (kind != VSHIFT_ARITHMETIC)
        return;
    v_rrm(t, VPXOR, bits, d, d, vec_literal8(t, sign));
    v_rrm(t, VPSUBB, bits, d, d, vec_literal8(t, sign));
}

void vshift_imm(struct trans *t, enum vshift kind, unsigned z, unsigned bits, unsigned d,
                unsigned s, unsigned n)
{
    if (n == 0) {
        v_move(t, bits, d, s);
    } else if (z == 0) {
        shift_bytes_imm(t, kind, bits, d, s, n);
    } else if (vec_lacks(t, imm_op[kind][z])) {
        u64 sign = BIT(63) >> n;
        v_shift(t, VPSRLQ_IMM, bits, d, s, n);
        v_rrm(t, VPXOR, bits, d, d, vec_literal64(t, sign));
        v_rrm(t, VPSUBQ, bits, d, d, vec_literal64(t, sign));
    } else {
        v_shift(t, imm_op[kind][z], bits, d, s, n);
    }
}

bool vshift_has_variable(const struct trans *t, enum vshift kind, unsigned z)
{
    return z > 0 && !vec_lacks(t, variable_op[kind][z]);
}

void vshift_variable(struct trans *t, enum vshift kind, unsigned z, unsigned bits, unsigned d,
                     unsigned s, unsigned amounts)
{
    v_rrr(t, variable_op[kind][z], bits, d, s, amounts);
}

void vshift_round(struct trans *t, unsigned z, unsigned bits, unsigned value, unsigned lost)
{
    v_rrm(t, VPAND, bits, lost, lost, vec_literal_z(t, z, 1));
    v_rrr(t, add_op[z], bits, value, value, lost);
}

// V1 = the amounts in vk.
static void amounts(struct trans *t, unsigned r, unsigned z, unsigned bits)
{
    struct mem mask = vec_literal_z(t, z, (8u << z) - 1);
    v_rrm(t, VPAND, bits, V1, vec_use(t, r, bits, V1), mask);
}

// Lanes of half the width that the host can shift: the even ones and the odd ones apart.
static void shift_halves(struct trans *t, const struct la_insn *i, enum vshift kind, unsigned bits)
{
    unsigned z = vec_z(i), wide = z + 1, n = 8u << z;
    unsigned j = vec_use(t, i->rj, bits, V2), k = vec_use(t, i->rk, bits, V3);
    u64 low = BIT(n) - 1, high = low << n;
    u32 op = variable_op[kind][wide];
    v_rrm(t, VPAND, bits, V1, k, vec_literal_z(t, wide, n - 1));
    if (kind == VSHIFT_LEFT) {
        v_rrr(t, op, bits, V0, j, V1);
        v_rrm(t, VPAND, bits, V0, V0, vec_literal_z(t, wide, low));
    } else if (kind == VSHIFT_RIGHT) {
        v_rrm(t, VPAND, bits, V0, j, vec_literal_z(t, wide, low));
        v_rrr(t, op, bits, V0, V0, V1);
    } else {
        v_shift(t, imm_op[VSHIFT_LEFT][wide], bits, V0, j, n);
        v_rrr(t, op, bits, V0, V0, V1);
        v_shift(t, imm_op[VSHIFT_RIGHT][wide], bits, V0, V0, n);
    }
    v_shift(t, imm_op[VSHIFT_RIGHT][wide], bits, V1, k, n);
    v_rrm(t, VPAND, bits, V1, V1, vec_literal_z(t, wide, n - 1));
    if (kind == VSHIFT_LEFT) {
        v_rrm(t, VPAND, bits, V3, j, vec_literal_z(t, wide, high));
        v_rrr(t, op, bits, V1, V3, V1);
    } else {
        v_rrr(t, op, bits, V1, j, V1);
        v_rrm(t, VPAND, bits, V1, V1, vec_literal_z(t, wide, high));
    }
    v_rrr(t, VPOR, bits, V0, V0, V1);
    vec_set(t, i->rd, bits, V0);
}

// `arg` is an enum vshift here and below, and 4 if it rounds.
TEMPLATE(vshift)
{
    enum vshift kind = (enum vshift)arg;
    unsigned z = vec_z(i);
    bool is_direct = vshift_has_variable(t, kind, z);
    if (!is_direct && (z == 3 || !vshift_has_variable(t, kind, z + 1))) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    if (!is_direct) {
        shift_halves(t, i, kind, bits);
        return;
    }
    amounts(t, i->rk, z, bits);
    vshift_variable(t, kind, z, bits, d, vec_use(t, i->rj, bits, V2), V1);
    vec_set(t, i->rd, bits, d);
}

TEMPLATE(vshifti)
{
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    vshift_imm(t, (enum vshift)arg, vec_z(i), bits, d, vec_use(t, i->rj, bits, V0),
               (unsigned)i->imm);
    vec_set(t, i->rd, bits, d);
}

// Rounded to nearest, halves up: plus the last bit that was shifted out, which is none if nothing
// was.
TEMPLATE(vshift_rounded)
{
    enum vshift kind = (enum vshift)arg;
    unsigned z = vec_z(i);
    if (!vshift_has_variable(t, kind, z)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), j = vec_use(t, i->rj, bits, V2);
    amounts(t, i->rk, z, bits);
    vshift_variable(t, kind, z, bits, V0, j, V1);
    v_ones(t, bits, V3);
    v_rrr(t, add_op[z], bits, V1, V1, V3);
    vshift_variable(t, VSHIFT_RIGHT, z, bits, V1, j, V1);
    vshift_round(t, z, bits, V0, V1);
    vec_set(t, i->rd, bits, V0);
}

TEMPLATE(vshifti_rounded)
{
    unsigned z = vec_z(i), n = (unsigned)i->imm;
    unsigned bits = vec_begin(t, i), j = vec_use(t, i->rj, bits, V2);
    vshift_imm(t, (enum vshift)arg, z, bits, V0, j, n);
    if (n) {
        vshift_imm(t, VSHIFT_RIGHT, z, bits, V1, j, n - 1);
        vshift_round(t, z, bits, V0, V1);
    }
    vec_set(t, i->rd, bits, V0);
}

TEMPLATE(vrotr)
{
    unsigned z = vec_z(i);
    if (!vshift_has_variable(t, VSHIFT_RIGHT, z)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), j = vec_use(t, i->rj, bits, V2);
    if (t->jit->has_evex && z > 1) {
        vec_op(t, z == 2 ? VPRORVD : VPRORVQ, bits, d, j, i->rk);
    } else {
        amounts(t, i->rk, z, bits);
        vshift_variable(t, VSHIFT_RIGHT, z, bits, V0, j, V1);
        v_rrm(t, VMOVDQU, bits, V3, 0, vec_literal_z(t, z, 8u << z));
        v_rrr(t, sub_op[z], bits, V1, V3, V1);
        vshift_variable(t, VSHIFT_LEFT, z, bits, V1, j, V1);
        v_rrr(t, VPOR, bits, d, V0, V1);
    }
    vec_set(t, i->rd, bits, d);
}

TEMPLATE(vrotri)
{
    unsigned z = vec_z(i), n = (unsigned)i->imm;
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), j = vec_use(t, i->rj, bits, V2);
    if (t->jit->has_evex && z > 1) {
        v_rrri(t, z == 2 ? VPRORD_IMM : VPRORQ_IMM, bits, 0, d, j, n);
    } else if (n == 0) {
        v_move(t, bits, d, j);
    } else {
        vshift_imm(t, VSHIFT_RIGHT, z, bits, V0, j, n);
        vshift_imm(t, VSHIFT_LEFT, z, bits, V1, j, (8u << z) - n);
        v_rrr(t, VPOR, bits, d, V0, V1);
    }
    vec_set(t, i->rd, bits, d);
}

// Single bits. `arg` is the instruction that joins vj and the bit: VPANDN clears.
TEMPLATE(vbit)
{
    unsigned z = vec_z(i);
    if (z && !vshift_has_variable(t, VSHIFT_LEFT, z)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    amounts(t, i->rk, z, bits);
    v_rrm(t, VMOVDQU, bits, V0, 0,
          z ? vec_literal_z(t, z, 1) : vec_literal64(t, 0x8040201008040201));
    if (z)
        vshift_variable(t, VSHIFT_LEFT, z, bits, V1, V0, V1);
    else
        v_rrr(t, VPSHUFB, bits, V1, V0, V1);
    vec_op(t, arg, bits, d, V1, i->rj);
    vec_set(t, i->rd, bits, d);
}

TEMPLATE(vbiti)
{
    unsigned z = vec_z(i), bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    u64 bit = BIT((unsigned)i->imm);
    v_rrm(t, arg == VPANDN ? VPAND : arg, bits, d, vec_use(t, i->rj, bits, V0),
          vec_literal_z(t, z, arg == VPANDN ? ~bit : bit));
    vec_set(t, i->rd, bits, d);
}
