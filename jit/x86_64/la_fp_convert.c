// SPDX-License-Identifier: Apache-2.0
// Scalar conversions. Reference Manual, volume 1, 3.2.3. Integers are in floating-point registers
// too.
#include "jit/x86_64/la_vec.h"

// NaNs keep sign and payload as the host has them. `arg` is the width of the source.
TEMPLATE(fcvt)
{
    unsigned n;
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = vec_dest(t, i->rd), s = vec_use(t, i->rj, arg, V1);
    v_rrr(t, arg == 32 ? VCVTSS2SD : VCVTSD2SS, 128, d, s, s);
    vec_set(t, i->rd, 96 - arg, d);
}

// `arg`: widths of the source and, from bit 8 on, of the result. The upper lanes are any value, so
// no packed conversion that could be inexact.
TEMPLATE(ffint)
{
    unsigned n, from = arg & 0xff, to = arg >> 8;
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = vec_dest(t, i->rd), s = vec_use(t, i->rj, from, V1);
    if (from == 32 && to == 64) {
        v_rrr(t, VCVTDQ2PD, 128, d, 0, s);
    } else {
        v_rrr(t, from == 32 ? VMOVD_STORE : VMOVQ_STORE, 128, s, 0, RAX);
        v_rrr(t, vop_from_gpr(to, from), 128, d, s, RAX);
    }
    vec_set(t, i->rd, to, d);
}

TEMPLATE(frint)
{
    unsigned n;
    if (!fp_begin(t, i, &n))
        return;
    unsigned d = vec_dest(t, i->rd), s = vec_use(t, i->rj, arg, V1);
    v_rrri(t, vop_round(arg, true), 128, d, s, s, 4);
    vec_set(t, i->rd, arg, d);
}

enum { ROUND_CURRENT = 4, ROUND_ZERO = 3 };

// `arg`: widths of the source and, from bit 8 on, of the result; from bit 16 on the rounding as the
// host's immediates have it. The least integer may stand for what is out of range: there the
// interpreter saturates. A rounding of its own comes before the conversion, and again after it is
// known to be in range, because then it may be inexact.
TEMPLATE(ftint)
{
    unsigned n, from = arg & 0xff, to = arg >> 8 & 0xff, mode = arg >> 16;
    enum width w = to == 32 ? W32 : W64;
    if (!fp_begin(t, i, &n))
        return;
    unsigned s = vec_use(t, i->rj, from, V1), rounded = s;
    bool is_apart = mode < ROUND_ZERO;
    if (is_apart) {
        v_rrri(t, vop_round(from, true), 128, V0, s, s, mode | 8);
        rounded = V0;
    }
    v_rrr(t, vop_to_gpr(from, to, mode != ROUND_CURRENT), 128, RAX, 0, rounded);
    emit_alu_ri(&t->e, ALU_CMP, w, RAX, 1);
    struct cold *x = trans_redo_if(t, CC_O);
    if (is_apart)
        v_rrri(t, vop_round(from, true), 128, V0, s, s, mode);
    unsigned d = vec_dest(t, i->rd);
    v_rrr(t, to == 32 ? VMOVD_LOAD : VMOVQ_LOAD, 128, d, 0, RAX);
    vec_set(t, i->rd, to, d);
    x->back = emit_here(&t->e);
}
