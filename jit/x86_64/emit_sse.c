// SPDX-License-Identifier: Apache-2.0
// Vector instructions for hosts without AVX2: up to SSE4.2, 128 bits. There the destination is the
// first source as well, so a move comes before.
#include "jit/x86_64/vector_insn.h"
#include "jit/x86_64/modrm.h"

static void prefixes(struct emit *e, const struct vector_insn *v)
{
    static const u8 of_pp[] = {[VPP_66] = 0x66, [VPP_F3] = 0xf3, [VPP_F2] = 0xf2};
    static const u8 of_map[] = {[VMAP_0F38] = 0x38, [VMAP_0F3A] = 0x3a};
    unsigned x = v->is_memory ? v->index >> 3 : 0, b = (v->is_memory ? v->base : v->rm_reg) >> 3;
    unsigned rex = vop_w(v->vop) << 3 | v->reg >> 3 << 2 | x << 1 | b;
    if (vop_pp(v->vop))
        emit_u8(e, of_pp[vop_pp(v->vop)]);
    if (rex)
        emit_u8(e, 0x40 | rex);
    emit_u8(e, 0x0f);
    if (vop_map(v->vop) != VMAP_0F)
        emit_u8(e, of_map[vop_map(v->vop)]);
}

static void encode(struct emit *e, const struct vector_insn *v, struct mem m)
{
    prefixes(e, v);
    emit_u8(e, vop_opcode(v->vop));
    if (v->is_memory)
        emit_modrm_m(e, v->reg, m, true, v->n_imm);
    else
        emit_modrm_r(e, v->reg, v->rm_reg);
}

// movaps
static void move(struct emit *e, unsigned d, unsigned s)
{
    const struct vector_insn v = {.vop = VOP(VPP_NONE, VMAP_0F, 0, 0x28), .reg = d, .rm_reg = s};
    if (d != s)
        encode(e, &v, (struct mem){0});
}

// The second source is a vector register that the move would overwrite.
static bool is_in_the_way(const struct vector_insn *v)
{
    return !v->is_memory && !(v->vop & VOP_GPR) && v->rm_reg == v->reg && v->reg != v->vvvv;
}

void emit_sse(struct emit *e, const struct vector_insn *v, struct mem m)
{
    struct vector_insn x = *v;
    if (v->bits > 128 || v->mask || v->extras || v->vop & (VOP_EVEX | VOP_AVX)) {
        e->is_lacking = true;
        return;
    }
    if (vop_digit(v->vop)) { // by an immediate: vvvv is the destination
        move(e, v->vvvv, v->rm_reg);
        x.rm_reg = v->vvvv;
    } else if (!(v->vop & VOP_ONE)) {
        if (is_in_the_way(v)) {
            move(e, EMIT_SSE_SPARE, v->rm_reg);
            x.rm_reg = EMIT_SSE_SPARE;
        }
        move(e, v->reg, v->vvvv);
    }
    encode(e, &x, m);
}
