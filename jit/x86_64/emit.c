// SPDX-License-Identifier: Apache-2.0
// The encoder for general registers: prefixes, ModRM, SIB.
#include "jit/x86_64/emit.h"
#include "jit/x86_64/modrm.h"
#include "base/bug.h"

#include <string.h>

void emit_bytes(struct emit *e, const void *bytes, size_t n)
{
    if ((size_t)(e->limit - e->p) < n) {
        e->is_full = true;
        return;
    }
    memcpy(e->p, bytes, n);
    e->p += n;
}

void emit_align(struct emit *e, unsigned alignment, unsigned offset)
{
    static const u8 nops[8][8] = {
        {0},
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0x00},
        {0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
    };
    unsigned n = (unsigned)(0 - ((uintptr_t)e->p + offset)) & (alignment - 1);
    for (unsigned part; n; n -= part) {
        part = n < 7 ? n : 7;
        emit_bytes(e, nops[part], part);
    }
}

void emit_modrm_r(struct emit *e, unsigned reg, unsigned rm)
{
    emit_u8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

// A literal is as far away where the code runs as where it is written.
static void modrm_literal(struct emit *e, unsigned reg, s32 offset, unsigned behind)
{
    emit_u8(e, (reg & 7) << 3 | 5);
    emit_u32(e, (u32)(e->literals + offset - (e->p + 4 + behind)));
}

void emit_modrm_m(struct emit *e, unsigned reg, struct mem m, bool short_disp, unsigned behind)
{
    BUG_ON(m.index == RSP);
    if (m.base == NO_REG) {
        modrm_literal(e, reg, m.disp, behind);
        return;
    }
    bool needs_sib = m.index != NO_REG || (m.base & 7) == RSP;
    bool no_disp = m.disp == 0 && (m.base & 7) != RBP;
    bool is_short = short_disp && m.disp == (s8)m.disp;
    unsigned mod = no_disp ? 0 : is_short ? 1 : 2;
    emit_u8(e, mod << 6 | (reg & 7) << 3 | (needs_sib ? 4u : m.base & 7u));
    if (needs_sib) {
        unsigned scale = (unsigned)__builtin_ctz(m.scale);
        unsigned index = m.index == NO_REG ? 4 : m.index & 7;
        emit_u8(e, scale << 6 | index << 3 | (m.base & 7));
    }
    if (mod == 1)
        emit_u8(e, (u8)m.disp);
    else if (mod == 2)
        emit_u32(e, (u32)m.disp);
}

// The prefixes of an instruction: operand size, mandatory prefix, REX. A byte register from rsp on
// needs an empty REX.
static void prefixes(struct emit *e, unsigned mandatory, enum width w, unsigned reg, unsigned index,
                     unsigned base, bool byte_reg)
{
    if (w == W16)
        emit_u8(e, 0x66);
    if (mandatory)
        emit_u8(e, mandatory);
    unsigned rex = (w == W64 ? 8 : 0) | (reg & 8) >> 1 | (index & 8) >> 2 | (base & 8) >> 3;
    if (rex || byte_reg)
        emit_u8(e, 0x40 | rex);
}

static unsigned index_of(struct mem m)
{
    return m.index == NO_REG ? 0 : m.index;
}

static unsigned base_of(struct mem m)
{
    return m.base == NO_REG ? 0 : m.base;
}

static bool is_high_byte(enum width w, unsigned r)
{
    return w == W8 && r >= RSP && r <= RDI;
}

static void op_rr(struct emit *e, unsigned opcode, enum width w, unsigned reg, unsigned rm)
{
    prefixes(e, 0, w, reg, 0, rm, is_high_byte(w, reg) || is_high_byte(w, rm));
    emit_u8(e, w == W8 ? opcode & ~1u : opcode);
    emit_modrm_r(e, reg, rm);
}

static void op_rm(struct emit *e, unsigned opcode, enum width w, unsigned reg, struct mem m)
{
    prefixes(e, 0, w, reg, index_of(m), base_of(m), is_high_byte(w, reg));
    emit_u8(e, w == W8 ? opcode & ~1u : opcode);
    emit_modrm_m(e, reg, m, true, 0);
}

void emit_0f_rr(struct emit *e, unsigned prefix, unsigned opcode, enum width w, enum reg d,
                enum reg s)
{
    prefixes(e, prefix, w, d, 0, s, is_high_byte(W8, s));
    emit_u8(e, 0x0f);
    emit_u8(e, opcode);
    emit_modrm_r(e, d, s);
}

void emit_0f_rm(struct emit *e, unsigned prefix, unsigned opcode, enum width w, enum reg d,
                struct mem s)
{
    prefixes(e, prefix, w, d, index_of(s), s.base, false);
    emit_u8(e, 0x0f);
    emit_u8(e, opcode);
    emit_modrm_m(e, d, s, true, 0);
}

void emit_alu_rr(struct emit *e, enum alu op, enum width w, enum reg d, enum reg s)
{
    op_rr(e, op << 3 | 1, w, s, d);
}

void emit_alu_rm(struct emit *e, enum alu op, enum width w, enum reg d, struct mem s)
{
    op_rm(e, op << 3 | 3, w, d, s);
}

void emit_alu_mr(struct emit *e, enum alu op, enum width w, struct mem d, enum reg s)
{
    op_rm(e, op << 3 | 1, w, s, d);
}

static void immediate(struct emit *e, enum width w, s32 imm, bool is_short)
{
    if (is_short)
        emit_u8(e, (u8)imm);
    else if (w == W16)
        emit_bytes(e, &imm, 2);
    else
        emit_u32(e, (u32)imm);
}

void emit_alu_ri(struct emit *e, enum alu op, enum width w, enum reg d, s32 imm)
{
    bool is_short = w == W8 || imm == (s8)imm;
    op_rr(e, is_short && w != W8 ? 0x83 : 0x81, w, op, d);
    immediate(e, w, imm, is_short);
}

void emit_alu_mi(struct emit *e, enum alu op, enum width w, struct mem d, s32 imm)
{
    bool is_short = w == W8 || imm == (s8)imm;
    op_rm(e, is_short && w != W8 ? 0x83 : 0x81, w, op, d);
    immediate(e, w, imm, is_short);
}

void emit_test_rr(struct emit *e, enum width w, enum reg a, enum reg b)
{
    op_rr(e, 0x85, w, b, a);
}

void emit_test_mr(struct emit *e, enum width w, struct mem a, enum reg b)
{
    op_rm(e, 0x85, w, b, a);
}

void emit_test_mi8(struct emit *e, struct mem m, unsigned imm)
{
    op_rm(e, 0xf7, W8, 0, m);
    emit_u8(e, imm);
}

void emit_mov_rr(struct emit *e, enum width w, enum reg d, enum reg s)
{
    op_rr(e, 0x89, w, s, d);
}

void emit_mov_ri(struct emit *e, enum reg d, u64 imm)
{
    if (imm == 0) {
        emit_alu_rr(e, ALU_XOR, W32, d, d);
    } else if (imm <= 0xffffffff) {
        prefixes(e, 0, W32, 0, 0, d, false);
        emit_u8(e, 0xb8 | (d & 7));
        emit_u32(e, (u32)imm);
    } else if ((s64)imm == (s32)imm) {
        op_rr(e, 0xc7, W64, 0, d);
        emit_u32(e, (u32)imm);
    } else {
        prefixes(e, 0, W64, 0, 0, d, false);
        emit_u8(e, 0xb8 | (d & 7));
        emit_u64(e, imm);
    }
}

void emit_mov_rm(struct emit *e, enum width w, enum reg d, struct mem s)
{
    op_rm(e, 0x8b, w, d, s);
}

void emit_mov_mr(struct emit *e, enum width w, struct mem d, enum reg s)
{
    op_rm(e, 0x89, w, s, d);
}

void emit_mov_mi(struct emit *e, enum width w, struct mem d, s32 imm)
{
    op_rm(e, 0xc7, w, 0, d);
    immediate(e, w, imm, w == W8);
}

// movzx, movsx, movsxd; the 32-bit move zero-extends.
void emit_extend_rr(struct emit *e, enum width from, bool is_signed, enum reg d, enum reg s)
{
    if (from == W64 || (from == W32 && !is_signed))
        emit_mov_rr(e, from, d, s);
    else if (from == W32)
        op_rr(e, 0x63, W64, d, s);
    else
        emit_0f_rr(e, 0, (is_signed ? 0xbe : 0xb6) | (from == W16), is_signed ? W64 : W32, d, s);
}

void emit_extend_rm(struct emit *e, enum width from, bool is_signed, enum reg d, struct mem s)
{
    if (from == W64 || (from == W32 && !is_signed))
        emit_mov_rm(e, from, d, s);
    else if (from == W32)
        op_rm(e, 0x63, W64, d, s);
    else
        emit_0f_rm(e, 0, (is_signed ? 0xbe : 0xb6) | (from == W16), is_signed ? W64 : W32, d, s);
}

void emit_lea(struct emit *e, enum width w, enum reg d, struct mem m)
{
    op_rm(e, 0x8d, w, d, m);
}

void emit_shift_ri(struct emit *e, enum shift op, enum width w, enum reg d, unsigned n)
{
    op_rr(e, 0xc1, w, op, d);
    emit_u8(e, n);
}

void emit_shift_rcl(struct emit *e, enum shift op, enum width w, enum reg d)
{
    op_rr(e, 0xd3, w, op, d);
}

void emit_unary_r(struct emit *e, enum unary op, enum width w, enum reg d)
{
    op_rr(e, 0xf7, w, op, d);
}

void emit_imul_rr(struct emit *e, enum width w, enum reg d, enum reg s)
{
    emit_0f_rr(e, 0, 0xaf, w, d, s);
}

void emit_setcc(struct emit *e, enum cond cc, enum reg d)
{
    prefixes(e, 0, W8, 0, 0, d, is_high_byte(W8, d));
    emit_u8(e, 0x0f);
    emit_u8(e, 0x90 | cc);
    emit_modrm_r(e, 0, d);
}

void emit_setcc_m(struct emit *e, enum cond cc, struct mem m)
{
    emit_0f_rm(e, 0, 0x90 | cc, W8, 0, m);
}

void emit_cmov_rr(struct emit *e, enum cond cc, enum width w, enum reg d, enum reg s)
{
    emit_0f_rr(e, 0, 0x40 | cc, w, d, s);
}

void emit_bswap(struct emit *e, enum width w, enum reg d)
{
    prefixes(e, 0, w, 0, 0, d, false);
    emit_u8(e, 0x0f);
    emit_u8(e, 0xc8 | (d & 7));
}

void emit_push(struct emit *e, enum reg r)
{
    prefixes(e, 0, W32, 0, 0, r, false);
    emit_u8(e, 0x50 | (r & 7));
}

void emit_pop(struct emit *e, enum reg r)
{
    prefixes(e, 0, W32, 0, 0, r, false);
    emit_u8(e, 0x58 | (r & 7));
}

void emit_ret(struct emit *e)
{
    emit_u8(e, 0xc3);
}

void emit_cwd(struct emit *e, enum width w)
{
    prefixes(e, 0, w, 0, 0, 0, false);
    emit_u8(e, 0x99);
}

void emit_locked(struct emit *e)
{
    emit_u8(e, 0xf0);
}

void emit_cmpxchg_mr(struct emit *e, enum width w, struct mem m, enum reg s)
{
    prefixes(e, 0, w, s, index_of(m), m.base, is_high_byte(w, s));
    emit_u8(e, 0x0f);
    emit_u8(e, w == W8 ? 0xb0 : 0xb1);
    emit_modrm_m(e, s, m, true, 0);
}

void emit_xadd_mr(struct emit *e, enum width w, struct mem m, enum reg s)
{
    prefixes(e, 0, w, s, index_of(m), m.base, is_high_byte(w, s));
    emit_u8(e, 0x0f);
    emit_u8(e, w == W8 ? 0xc0 : 0xc1);
    emit_modrm_m(e, s, m, true, 0);
}

void emit_xchg_mr(struct emit *e, enum width w, struct mem m, enum reg s)
{
    op_rm(e, 0x87, w, s, m);
}

static u8 *distance(struct emit *e)
{
    u8 *site = e->p;
    emit_u32(e, 0);
    return site;
}

u8 *emit_jcc(struct emit *e, enum cond cc)
{
    emit_u8(e, 0x0f);
    emit_u8(e, 0x80 | cc);
    return distance(e);
}

u8 *emit_jmp(struct emit *e)
{
    emit_u8(e, 0xe9);
    return distance(e);
}

u8 *emit_call(struct emit *e)
{
    emit_u8(e, 0xe8);
    return distance(e);
}

void emit_patch(u8 *site, const u8 *target)
{
    s32 rel = (s32)(target - (site + 4));
    __atomic_store_n((u32 __attribute__((aligned(1))) *)(void *)site, (u32)rel, __ATOMIC_RELEASE);
}

// The buffer may be full: then the site is not inside it.
static void patch_new(struct emit *e, u8 *site, const u8 *target)
{
    if (!e->is_full)
        emit_patch(site, target - e->to_run);
}

void emit_jcc_to(struct emit *e, enum cond cc, const u8 *target)
{
    patch_new(e, emit_jcc(e, cc), target);
}

void emit_jmp_to(struct emit *e, const u8 *target)
{
    patch_new(e, emit_jmp(e), target);
}

void emit_call_to(struct emit *e, const u8 *target)
{
    patch_new(e, emit_call(e), target);
}

void emit_call_m(struct emit *e, struct mem m)
{
    op_rm(e, 0xff, W32, 2, m);
}

void emit_jmp_m(struct emit *e, struct mem m)
{
    op_rm(e, 0xff, W32, 4, m);
}

void emit_jmp_r(struct emit *e, enum reg r)
{
    op_rr(e, 0xff, W32, 4, r);
}

void emit_call_r(struct emit *e, enum reg r)
{
    op_rr(e, 0xff, W32, 2, r);
}

u8 *emit_lea_rip(struct emit *e, enum reg d)
{
    prefixes(e, 0, W64, d, 0, 0, false);
    emit_u8(e, 0x8d);
    emit_u8(e, (d & 7) << 3 | 5);
    return distance(e);
}
