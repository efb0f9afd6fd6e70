// SPDX-License-Identifier: Apache-2.0
// Moves between floating-point registers, general registers, condition flags and FCSR; signs.
// Reference Manual, volume 1, 3.2.4 and 3.2.1.
#include "jit/x86_64/la_vec.h"

static struct mem fcc_home(unsigned n)
{
    return at(RBP, JIT_FIELD(fcc) + (s32)n);
}

// `arg` is the width here and below.
TEMPLATE(fmov)
{
    vec_begin(t, i);
    vec_set(t, i->rd, arg, vec_use(t, i->rj, arg, V0));
}

static struct mem sign_mask(struct trans *t, unsigned bits)
{
    return bits == 32 ? vec_literal32(t, BIT(31)) : vec_literal64(t, BIT(63));
}

static struct mem magnitude_mask(struct trans *t, unsigned bits)
{
    return bits == 32 ? vec_literal32(t, BIT(31) - 1) : vec_literal64(t, BIT(63) - 1);
}

TEMPLATE(fabs)
{
    vec_begin(t, i);
    unsigned d = vec_dest(t, i->rd);
    v_rrm(t, VANDPS, 128, d, vec_use(t, i->rj, arg, V0), magnitude_mask(t, arg));
    vec_set(t, i->rd, arg, d);
}

TEMPLATE(fneg)
{
    vec_begin(t, i);
    unsigned d = vec_dest(t, i->rd);
    v_rrm(t, VXORPS, 128, d, vec_use(t, i->rj, arg, V0), sign_mask(t, arg));
    vec_set(t, i->rd, arg, d);
}

TEMPLATE(fcopysign)
{
    vec_begin(t, i);
    unsigned j = vec_use(t, i->rj, arg, V2), k = vec_use(t, i->rk, arg, V3), d = vec_dest(t, i->rd);
    v_rrm(t, VANDPS, 128, V1, j, magnitude_mask(t, arg));
    v_rrm(t, VANDPS, 128, V0, k, sign_mask(t, arg));
    v_rrr(t, VORPS, 128, d, V0, V1);
    vec_set(t, i->rd, arg, d);
}

TEMPLATE(fsel)
{
    vec_begin(t, i);
    unsigned j = vec_use(t, i->rj, 64, V2), k = vec_use(t, i->rk, 64, V3), d = vec_dest(t, i->rd);
    if (t->jit->has_evex) {
        v_rrm(t, KMOVB_LOAD, 128, 1, 0, fcc_home(i->ra));
        emit_v_masked(&t->e, VBLENDMPD, 128, d, j, k, 1, false);
    } else {
        emit_extend_rm(&t->e, W8, false, RAX, fcc_home(i->ra));
        emit_unary_r(&t->e, UNARY_NEG, W64, RAX);
        v_rrr(t, VMOVQ_LOAD, 128, V0, 0, RAX);
        vec_select(t, 128, d, V0, j, k);
    }
    vec_set(t, i->rd, 64, d);
}

// Bits 63:32 of fd are undefined.
TEMPLATE(movgr2fr)
{
    vec_begin(t, i);
    unsigned d = vec_dest(t, i->rd);
    if (!i->rj)
        v_zero(t, d);
    else
        v_rrr(t, arg == 32 ? VMOVD_LOAD : VMOVQ_LOAD, 128, d, 0, trans_use(t, i->rj, RAX));
    vec_set(t, i->rd, arg, d);
}

TEMPLATE(movgr2frh)
{
    vec_begin(t, i);
    enum reg s = trans_use(t, i->rj, RAX);
    struct mem home = vr_home(i->rd);
    home.disp += 4;
    if (vec_is_pinned(t, i->rd))
        v_rrri(t, VPINSRD, 128, t->vr_map[i->rd], t->vr_map[i->rd], s, 1);
    else
        emit_mov_mr(&t->e, W32, home, s);
}

// Words are sign-extended. `arg` is 33 for the upper one.
TEMPLATE(movfr2gr)
{
    vec_begin(t, i);
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    unsigned s = vec_use(t, i->rj, arg == 32 ? 32 : 64, V0);
    v_rrr(t, arg == 32 ? VMOVD_STORE : VMOVQ_STORE, 128, s, 0, d);
    if (arg == 33)
        emit_shift_ri(&t->e, SHIFT_SAR, W64, d, 32);
    else if (arg == 32)
        emit_extend_rr(&t->e, W32, true, d, d);
    trans_set(t, i->rd, d);
}

TEMPLATE(movfr2cf)
{
    vec_begin(t, i);
    v_rrr(t, VMOVD_STORE, 128, vec_use(t, i->rj, 32, V0), 0, RAX);
    emit_alu_ri(&t->e, ALU_AND, W32, RAX, 1);
    emit_mov_mr(&t->e, W8, fcc_home(i->rd), RAX);
}

TEMPLATE(movgr2cf)
{
    vec_begin(t, i);
    trans_copy(t, RAX, i->rj);
    emit_alu_ri(&t->e, ALU_AND, W32, RAX, 1);
    emit_mov_mr(&t->e, W8, fcc_home(i->rd), RAX);
}

TEMPLATE(movcf2fr)
{
    vec_begin(t, i);
    unsigned d = vec_dest(t, i->rd);
    emit_extend_rm(&t->e, W8, false, RAX, fcc_home(i->rj));
    v_rrr(t, VMOVD_LOAD, 128, d, 0, RAX);
    vec_set(t, i->rd, 64, d);
}

TEMPLATE(movcf2gr)
{
    vec_begin(t, i);
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    emit_extend_rm(&t->e, W8, false, d, fcc_home(i->rj));
    trans_set(t, i->rd, d);
}

// Enables; Flags and Cause; RM. FCSR0 is all of them.
static u32 fcsr_mask(unsigned number)
{
    static const u32 mask[] = {0x1f1f031f, 0x1f, 0x1f1f0000, 0x300};
    return mask[number & 3];
}

TEMPLATE(movfcsr2gr)
{
    vec_begin(t, i);
    if (!i->rd)
        return;
    if (fcsr_mask(i->rj) >> 16)
        emit_call_to(&t->e, t->jit->stubs.fold);
    enum reg d = trans_define(t, i->rd);
    emit_mov_rm(&t->e, W32, d, STATE(fcsr));
    emit_alu_ri(&t->e, ALU_AND, W32, d, (s32)fcsr_mask(i->rj));
    trans_set(t, i->rd, d);
}

// Other exceptions enabled, or another rounding: the interpreter does it and the block is left,
// because the code after it is another or MXCSR is.
static void cold_fcsr(struct trans *t, const struct cold *x)
{
    trans_swap_out(t);
    t->records[x->record].site = emit_lea_rip(&t->e, RDX);
    emit_jmp_to(&t->e, t->jit->stubs.call_leave);
}

TEMPLATE(movgr2fcsr)
{
    u32 mask = fcsr_mask(i->rd);
    vec_begin(t, i);
    emit_call_to(&t->e, t->jit->stubs.fold);
    trans_copy(t, RAX, i->rj);
    emit_alu_ri(&t->e, ALU_AND, W32, RAX, (s32)mask);
    emit_mov_rm(&t->e, W32, RCX, STATE(fcsr));
    emit_alu_ri(&t->e, ALU_AND, W32, RCX, (s32)~mask);
    emit_alu_rr(&t->e, ALU_OR, W32, RAX, RCX);
    emit_mov_rm(&t->e, W32, RCX, STATE(fcsr));
    emit_alu_rr(&t->e, ALU_XOR, W32, RCX, RAX);
    emit_alu_ri(&t->e, ALU_AND, W32, RCX, 0x31f);
    struct cold *x = trans_redo_if(t, CC_NE);
    x->emit = cold_fcsr;
    emit_mov_mr(&t->e, W32, STATE(fcsr), RAX);
}
