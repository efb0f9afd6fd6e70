// SPDX-License-Identifier: Apache-2.0
// The encoder for vector instructions: VEX where it can say it, else EVEX.
#include "jit/x86_64/vector_insn.h"
#include "jit/x86_64/modrm.h"
#include "base/bug.h"

static bool needs_evex(const struct vector_insn *v)
{
    bool high = v->reg >= 16 || v->vvvv >= 16 || (!v->is_memory && v->rm_reg >= 16);
    return v->vop & VOP_EVEX || high || v->mask || v->extras || v->bits == 512;
}

static unsigned length_of(const struct vector_insn *v)
{
    if (v->vop & VOP_NO_LENGTH)
        return 0;
    return v->bits == 512 ? 2 : v->bits == 256;
}

// VEX inverts the extension bits; the short form has neither X, B, W nor another map than 0F.
static void vex(struct emit *e, const struct vector_insn *v)
{
    unsigned w = vop_w(v->vop);
    unsigned r = v->reg >> 3 & 1, x = v->is_memory ? v->index >> 3 & 1 : 0;
    unsigned b = v->is_memory ? v->base >> 3 & 1 : v->rm_reg >> 3 & 1;
    unsigned tail = (~v->vvvv & 15) << 3 | length_of(v) << 2 | vop_pp(v->vop);
    if (!x && !b && !w && vop_map(v->vop) == VMAP_0F) {
        emit_u8(e, 0xc5);
        emit_u8(e, (r ^ 1) << 7 | tail);
    } else {
        emit_u8(e, 0xc4);
        emit_u8(e, (r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | vop_map(v->vop));
        emit_u8(e, w << 7 | tail);
    }
    emit_u8(e, vop_opcode(v->vop));
}

static void evex(struct emit *e, const struct vector_insn *v)
{
    unsigned r = v->reg >> 3 & 1, r2 = v->reg >> 4 & 1;
    unsigned x = v->is_memory ? v->index >> 3 & 1 : v->rm_reg >> 4 & 1;
    unsigned b = v->is_memory ? v->base >> 3 & 1 : v->rm_reg >> 3 & 1;
    unsigned length = v->extras & EVEX_ROUNDED ? v->rounding : length_of(v);
    emit_u8(e, 0x62);
    emit_u8(e, (r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (r2 ^ 1) << 4 | vop_map(v->vop));
    emit_u8(e, (v->vop >> 8 & 1) << 7 | (~v->vvvv & 15) << 3 | 4 | vop_pp(v->vop));
    emit_u8(e, (v->extras & EVEX_ZEROING ? 0x80u : 0) | length << 5 |
                   (v->extras & EVEX_ROUNDED ? 0x10u : 0) | ((v->vvvv >> 4 & 1) ^ 1) << 3 |
                   v->mask);
    emit_u8(e, vop_opcode(v->vop));
}

static void encode(struct emit *e, const struct vector_insn *v, struct mem m)
{
    if (e->is_sse) {
        emit_sse(e, v, m);
        return;
    }
    bool is_evex = needs_evex(v);
    BUG_ON(is_evex && v->vop & VOP_VEX);
    if (is_evex)
        evex(e, v);
    else
        vex(e, v);
    if (v->is_memory)
        emit_modrm_m(e, v->reg, m, !is_evex, v->n_imm);
    else
        emit_modrm_r(e, v->reg, v->rm_reg);
}

void emit_v_rrr(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned s2)
{
    struct vector_insn v = {.vop = vop, .bits = bits, .reg = d, .vvvv = s1, .rm_reg = s2};
    encode(e, &v, (struct mem){0});
}

static void with_memory(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1,
                        struct mem s2, unsigned n_imm)
{
    struct vector_insn v = {.vop = vop,
                            .bits = bits,
                            .reg = d,
                            .vvvv = s1,
                            .is_memory = true,
                            .base = s2.base == NO_REG ? 0 : s2.base,
                            .index = s2.index == NO_REG ? 0 : s2.index,
                            .n_imm = n_imm};
    encode(e, &v, s2);
}

void emit_v_rrm(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, struct mem s2)
{
    with_memory(e, vop, bits, d, s1, s2, 0);
}

// SSE compares in 8 ways, AVX in 32.
static void immediate(struct emit *e, u32 vop, unsigned imm)
{
    if (e->is_sse && vop_map(vop) == VMAP_0F && vop_opcode(vop) == 0xc2 && imm > 7)
        e->is_lacking = true;
    emit_u8(e, imm);
}

void emit_v_rrri(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned s2,
                 unsigned imm)
{
    emit_v_rrr(e, vop, bits, d, s1, s2);
    immediate(e, vop, imm);
}

void emit_v_rrmi(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, struct mem s2,
                 unsigned imm)
{
    with_memory(e, vop, bits, d, s1, s2, 1);
    immediate(e, vop, imm);
}

void emit_v_masked(struct emit *e, u32 vop, unsigned bits, unsigned d, unsigned s1, unsigned s2,
                   unsigned mask, bool zeroing)
{
    struct vector_insn v = {.vop = vop,
                            .bits = bits,
                            .reg = d,
                            .vvvv = s1,
                            .rm_reg = s2,
                            .mask = mask,
                            .extras = zeroing ? EVEX_ZEROING : 0};
    encode(e, &v, (struct mem){0});
}

void emit_v_rounded(struct emit *e, u32 vop, unsigned d, unsigned s1, unsigned s2,
                    unsigned rounding)
{
    struct vector_insn v = {.vop = vop,
                            .bits = 128,
                            .reg = d,
                            .vvvv = s1,
                            .rm_reg = s2,
                            .extras = EVEX_ROUNDED,
                            .rounding = rounding};
    encode(e, &v, (struct mem){0});
}

void emit_rorx(struct emit *e, enum width w, enum reg d, enum reg s, unsigned n)
{
    emit_v_rrri(e, VOP(VPP_F2, VMAP_0F3A, w == W64, 0xf0), 128, d, 0, s, n);
}
