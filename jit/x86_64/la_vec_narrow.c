// SPDX-License-Identifier: Apache-2.0
// Narrowing shifts: lanes shifted to the right, perhaps rounded, cut or saturated to half their
// width, and packed.
#include "jit/x86_64/la_vec_shift.h"

// `arg`: enum vshift, and these. The result is unsigned if its element is.
enum { NARROW_ROUNDED = 4, NARROW_SATURATED = 8 };

static bool is_result_unsigned(const struct la_insn *i)
{
    return la_op_info[i->op].elem[0] % 2 == 0;
}

// What packing does not cut by itself. Packing takes signed lanes.
static void clamp(struct trans *t, const struct la_insn *i, unsigned arg, unsigned bits, unsigned d)
{
    static const u32 min_u[] = {0, VPMINUW, VPMINUD, VPMINUQ};
    unsigned z = vec_z(i), left = 4u << z;
    bool is_arithmetic = (arg & 3) == VSHIFT_ARITHMETIC, to_unsigned = is_result_unsigned(i);
    if (!(arg & NARROW_SATURATED)) {
        if (z < 3)
            v_rrm(t, VPAND, bits, d, d, vec_literal_z(t, z, BIT(left) - 1));
    } else if (!is_arithmetic) {
        u64 most = BIT(to_unsigned ? left : left - 1) - 1;
        v_rrm(t, min_u[z], bits, d, d, vec_literal_z(t, z, most));
    } else if (z == 3) {
        u64 most = to_unsigned ? 0xffffffff : 0x7fffffff,
            least = to_unsigned ? 0 : ~(u64)0x7fffffff;
        v_rrm(t, VPMINSQ, bits, d, d, vec_literal64(t, most));
        v_rrm(t, VPMAXSQ, bits, d, d, vec_literal64(t, least));
    }
}

static void pack(struct trans *t, const struct la_insn *i, unsigned arg, unsigned bits, unsigned d,
                 unsigned low, unsigned high)
{
    bool is_signed =
        arg & NARROW_SATURATED && (arg & 3) == VSHIFT_ARITHMETIC && !is_result_unsigned(i);
    unsigned z = vec_z(i);
    if (z == 3)
        v_rrri(t, VSHUFPS, bits, d, low, high, 0x88);
    else if (z == 1)
        v_rrr(t, is_signed ? VPACKSSWB : VPACKUSWB, bits, d, low, high);
    else
        v_rrr(t, is_signed ? VPACKSSDW : VPACKUSDW, bits, d, low, high);
}

// The host can bound doublewords with EVEX only.
static bool can_clamp(const struct trans *t, const struct la_insn *i, unsigned arg)
{
    return !(arg & NARROW_SATURATED) || vec_z(i) < 3 || t->jit->has_evex;
}

// d = lanes of s, shifted; `lost` is scratch and may be s, d is neither.
static void shift_imm(struct trans *t, unsigned arg, unsigned z, unsigned bits, unsigned d,
                      unsigned s, unsigned lost, unsigned n)
{
    vshift_imm(t, (enum vshift)(arg & 3), z, bits, d, s, n);
    if (!(arg & NARROW_ROUNDED) || !n)
        return;
    vshift_imm(t, VSHIFT_RIGHT, z, bits, lost, s, n - 1);
    vshift_round(t, z, bits, d, lost);
}

// By an immediate: vj makes the lower half of the result, the old vd the upper.
TEMPLATE(vnarrowi)
{
    unsigned z = vec_z(i), n = (unsigned)i->imm;
    if (!can_clamp(t, i, arg)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    shift_imm(t, arg, z, bits, V0, vec_use(t, i->rj, bits, V2), V2, n);
    clamp(t, i, arg, bits, V0);
    shift_imm(t, arg, z, bits, V1, vec_use(t, i->rd, bits, V3), V3, n);
    clamp(t, i, arg, bits, V1);
    pack(t, i, arg, bits, d, V0, V1);
    vec_set(t, i->rd, bits, d);
}

// By a register: the upper half of the result is zero.
TEMPLATE(vnarrow)
{
    enum vshift kind = (enum vshift)(arg & 3);
    unsigned z = vec_z(i);
    if (!can_clamp(t, i, arg) || !vshift_has_variable(t, kind, z)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), j = vec_use(t, i->rj, bits, V2);
    v_rrm(t, VPAND, bits, V1, vec_use(t, i->rk, bits, V1), vec_literal_z(t, z, (8u << z) - 1));
    vshift_variable(t, kind, z, bits, V0, j, V1);
    if (arg & NARROW_ROUNDED) {
        static const u32 add[] = {0, VPADDW, VPADDD, VPADDQ};
        v_ones(t, bits, V3);
        v_rrr(t, add[z], bits, V1, V1, V3);
        vshift_variable(t, VSHIFT_RIGHT, z, bits, V1, j, V1);
        vshift_round(t, z, bits, V0, V1);
    }
    clamp(t, i, arg, bits, V0);
    v_zero(t, V1);
    pack(t, i, arg, bits, d, V0, V1);
    vec_set(t, i->rd, bits, d);
}

// Of 128 bits 64 are left: `arg` as for all.
TEMPLATE(vnarrowi_q)
{
    enum vshift kind = (enum vshift)arg;
    unsigned n = (unsigned)i->imm, bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    unsigned j = vec_use(t, i->rj, bits, V2), old = vec_use(t, i->rd, bits, V3);
    v_rrr(t, VPUNPCKHQDQ, bits, V1, j, old);
    if (n >= 64) {
        if (n > 64)
            vshift_imm(t, kind, 3, bits, V1, V1, n - 64);
        vec_set(t, i->rd, bits, V1);
        return;
    }
    v_rrr(t, VPUNPCKLQDQ, bits, V0, j, old);
    if (n) {
        v_shift(t, VPSRLQ_IMM, bits, V0, V0, n);
        v_shift(t, VPSLLQ_IMM, bits, V1, V1, 64 - n);
        v_rrr(t, VPOR, bits, d, V0, V1);
    } else {
        d = V0;
    }
    vec_set(t, i->rd, bits, d);
}
