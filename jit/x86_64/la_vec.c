// SPDX-License-Identifier: Apache-2.0
#include "jit/x86_64/la_vec.h"

unsigned vec_begin(struct trans *t, const struct la_insn *i)
{
    u32 enable = la_op_info[i->op].enable;
    trans_need_unit(t, enable);
    // Zeroing one of 256 bits takes no more than an instruction of 128.
    t->e.is_lacking |= enable & EUEN_ASXE && t->e.is_sse;
    return enable & EUEN_ASXE ? 256 : 128;
}

static bool reads_cause(const struct la_insn *i)
{
    return i->op == LA_MOVFCSR2GR && !(i->rj & 1);
}

// Whether FCSR is read before the next instruction that changes its Cause, as far as one sees. The
// short blocks of pages that change all the time do not show it.
static bool is_last_before_read(const struct trans *t)
{
    for (unsigned n = t->now + 1; n < t->n; n++) {
        if (reads_cause(&t->insns[n]))
            return true;
        if (la_op_info[t->insns[n].op].flags & LA_F_FPX)
            return false;
    }
    return t->page->is_unwatched;
}

// Cause is what has been raised since it was last read, which nearly nobody does. Where it is seen
// to be read, or by choice, it is exact.
bool fp_begin(struct trans *t, const struct la_insn *i, unsigned *bits)
{
    if (t->page->mode.fp_traps) {
        trans_interpret(t);
        return false;
    }
    *bits = vec_begin(t, i);
    if (t->jit->options.exact_cause || is_last_before_read(t)) {
        emit_call_to(&t->e, t->jit->stubs.fold);
        emit_alu_mi(&t->e, ALU_AND, W32, STATE(fcsr), (s32)~0x1f000000u);
    }
    return true;
}

unsigned vec_use(struct trans *t, unsigned r, unsigned bits, unsigned scratch)
{
    if (vec_is_pinned(t, r))
        return t->vr_map[r];
    v_rrm(t, vec_load_op(bits), bits, scratch, 0, vr_home(r));
    return scratch;
}

void vec_copy(struct trans *t, unsigned d, unsigned r, unsigned bits)
{
    v_move(t, bits, d, vec_use(t, r, bits, d));
}

unsigned vec_dest(const struct trans *t, unsigned r)
{
    return vec_is_pinned(t, r) ? t->vr_map[r] : V0;
}

unsigned vec_dest_apart(const struct trans *t, const struct la_insn *i)
{
    bool is_source = i->rd == i->rj || i->rd == i->rk || i->rd == i->ra;
    return is_source ? V0 : vec_dest(t, i->rd);
}

void vec_set(struct trans *t, unsigned r, unsigned bits, unsigned value)
{
    if (vec_is_pinned(t, r))
        v_move(t, bits, t->vr_map[r], value);
    else
        v_rrm(t, vec_store_op(bits), bits, value, 0, vr_home(r));
}

void vec_op(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned r)
{
    if (vec_is_pinned(t, r))
        v_rrr(t, vop, bits, d, s1, t->vr_map[r]);
    else
        v_rrm(t, vop, bits, d, s1, vr_home(r));
}

void vec_op_imm(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned r,
                unsigned imm)
{
    if (vec_is_pinned(t, r))
        v_rrri(t, vop, bits, d, s1, t->vr_map[r], imm);
    else
        emit_v_rrmi(&t->e, vop, bits, d, s1, vr_home(r), imm);
}

void v_shift(struct trans *t, u32 vop, unsigned bits, unsigned d, unsigned s, unsigned n)
{
    v_rrri(t, vop, bits, vop >> 28, d, s, n);
}

void v_move(struct trans *t, unsigned bits, unsigned d, unsigned s)
{
    if (d != s)
        v_rrr(t, VMOVAPS, bits, d, 0, s);
}

void v_zero(struct trans *t, unsigned d)
{
    v_rrr(t, VPXOR, 128, d, d, d);
}

void v_ones(struct trans *t, unsigned bits, unsigned d)
{
    v_rrr(t, VPCMPEQD, bits, d, d, d);
}

unsigned v_low(struct trans *t, unsigned bits, unsigned s, unsigned scratch)
{
    if (s < 16)
        return s;
    v_move(t, bits, scratch, s);
    return scratch;
}

struct mem vec_literal(struct trans *t, const u64 value[4])
{
    u32 at = jit_literal(t->jit, value);
    t->is_literal_missing |= at == ~0u;
    return at_literal(at == ~0u ? 0 : at);
}

struct mem vec_literal64(struct trans *t, u64 lane)
{
    return vec_literal(t, (u64[4]){lane, lane, lane, lane});
}

struct mem vec_literal32(struct trans *t, u32 lane)
{
    return vec_literal64(t, lane * 0x100000001ULL);
}

struct mem vec_literal16(struct trans *t, unsigned lane)
{
    return vec_literal64(t, (lane & 0xffff) * 0x1000100010001ULL);
}

struct mem vec_literal8(struct trans *t, unsigned lane)
{
    return vec_literal64(t, (lane & 0xff) * 0x101010101010101ULL);
}

struct mem vec_literal_z(struct trans *t, unsigned z, u64 lane)
{
    switch (z) {
    case 0: return vec_literal8(t, (unsigned)lane);
    case 1: return vec_literal16(t, (unsigned)lane);
    case 2: return vec_literal32(t, (u32)lane);
    default: return vec_literal64(t, lane);
    }
}

static bool has_second_register(const struct la_insn *i)
{
    return la_op_info[i->op].file[LA_SLOT_K] != LA_FILE_NONE;
}

static struct mem immediate_lanes(struct trans *t, const struct la_insn *i)
{
    return vec_literal_z(t, vec_z(i), (u64)(s64)i->imm);
}

void vec_op_second(struct trans *t, const struct la_insn *i, u32 vop, unsigned bits, unsigned d,
                   unsigned s1)
{
    if (has_second_register(i))
        vec_op(t, vop, bits, d, s1, i->rk);
    else
        v_rrm(t, vop, bits, d, s1, immediate_lanes(t, i));
}

unsigned vec_use_second(struct trans *t, const struct la_insn *i, unsigned bits, unsigned scratch)
{
    if (has_second_register(i))
        return vec_use(t, i->rk, bits, scratch);
    v_rrm(t, VMOVDQU, bits, scratch, 0, immediate_lanes(t, i));
    return scratch;
}

void v_sign(struct trans *t, unsigned z, unsigned bits, unsigned d, unsigned s)
{
    static const u32 greater[] = {VPCMPGTB, VPCMPGTW, VPCMPGTD, VPCMPGTQ};
    s = v_low(t, bits, s, V3);
    v_zero(t, d);
    v_rrr(t, greater[z], bits, d, d, s);
}

void vec_select(struct trans *t, unsigned bits, unsigned d, unsigned mask, unsigned a, unsigned b)
{
    if (t->jit->has_evex) {
        v_rrri(t, VPTERNLOG, bits, mask, a, b, 0xac);
        v_move(t, bits, d, mask);
    } else if (t->jit->has_avx2) {
        v_rrri(t, VPBLENDVB, bits, d, a, b, mask << 4);
    } else {
        v_move(t, bits, EMIT_SSE_SPARE, a);
        v_rrr(t, VPXOR, bits, EMIT_SSE_SPARE, EMIT_SSE_SPARE, b);
        v_rrr(t, VPAND, bits, mask, mask, EMIT_SSE_SPARE);
        v_rrr(t, VPXOR, bits, mask, mask, a);
        v_move(t, bits, d, mask);
    }
}

struct cold *vec_redo_if_nan(struct trans *t, unsigned bits, unsigned lane, unsigned value,
                             unsigned scratch)
{
    if (t->jit->has_evex) {
        v_rrri(t, lane == 32 ? VCMPPS_MASK : VCMPPD_MASK, bits, 1, value, value, 3);
        v_rrr(t, KORTESTB, 128, 1, 0, 1);
    } else {
        v_rrri(t, lane == 32 ? VCMPPS : VCMPPD, bits, scratch, value, value, 3);
        v_rrr(t, VPTEST, bits, scratch, 0, scratch);
    }
    return trans_redo_if(t, CC_NE);
}

struct cold *fp_redo_if_nan(struct trans *t, unsigned lane, unsigned value)
{
    v_rrr(t, lane == 32 ? VUCOMISS : VUCOMISD, 128, value, 0, value);
    return trans_redo_if(t, CC_P);
}
