// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic, logic and shifts. Reference Manual, volume 1, 2.2.1 to 2.2.2.
//
// Word instructions look at the low 32 bits of their sources and sign-extend their result.
#include "cpu/loongarch64/interp.h"

// rd = value, an expression of the sources' values under the manual's names.
#define RD_RJ_RK(name, value)                             \
    INSN(name)                                            \
    {                                                     \
        const u64 rj = c->gpr[i->rj], rk = c->gpr[i->rk]; \
        set_gpr(c, i->rd, (u64)(value));                  \
    }
#define RD_RJ_IMM(name, value)                                \
    INSN(name)                                                \
    {                                                         \
        const u64 rj = c->gpr[i->rj], imm = (u64)(s64)i->imm; \
        set_gpr(c, i->rd, (u64)(value));                      \
    }
#define RD_IMM(name, value)               \
    INSN(name)                            \
    {                                     \
        const u64 imm = (u64)(s64)i->imm; \
        set_gpr(c, i->rd, (u64)(value));  \
    }

RD_RJ_RK(add_w, word(rj + rk))
RD_RJ_RK(add_d, rj + rk)
RD_RJ_RK(sub_w, word(rj - rk))
RD_RJ_RK(sub_d, rj - rk)
RD_RJ_IMM(addi_w, word(rj + imm))
RD_RJ_IMM(addi_d, rj + imm)
RD_RJ_IMM(addu16i_d, rj + (imm << 16))

RD_RJ_RK(slt, (s64)rj < (s64)rk)
RD_RJ_RK(sltu, rj < rk)
RD_RJ_IMM(slti, (s64)rj < (s64)imm)
RD_RJ_IMM(sltui, rj < imm)

RD_RJ_RK(and, (rj & rk))
RD_RJ_RK(or, rj | rk)
RD_RJ_RK(xor, rj ^ rk)
RD_RJ_RK(nor, ~(rj | rk))
RD_RJ_RK(andn, rj & ~rk)
RD_RJ_RK(orn, rj | ~rk)
RD_RJ_IMM(andi, (rj & imm))
RD_RJ_IMM(ori, rj | imm)
RD_RJ_IMM(xori, rj ^ imm)

// imm is the shift itself, 1 to 4.
#define RD_RJ_RK_IMM(name, value)                         \
    INSN(name)                                            \
    {                                                     \
        const u64 rj = c->gpr[i->rj], rk = c->gpr[i->rk]; \
        const unsigned imm = (unsigned)i->imm;            \
        set_gpr(c, i->rd, (u64)(value));                  \
    }

RD_RJ_RK_IMM(alsl_w, word((rj << imm) + rk))
RD_RJ_RK_IMM(alsl_wu, (u32)((rj << imm) + rk))
RD_RJ_RK_IMM(alsl_d, (rj << imm) + rk)

// Constants and addresses. The immediates are signed and not yet shifted.
RD_IMM(lu12i_w, word(imm << 12))
RD_IMM(lu32i_d, imm << 32 | (u32)c->gpr[i->rd])
RD_RJ_IMM(lu52i_d, imm << 52 | (rj & BITS(51, 0)))
RD_IMM(pcaddi, c->pc + (imm << 2))
RD_IMM(pcaddu12i, c->pc + (imm << 12))
RD_IMM(pcaddu18i, c->pc + (imm << 18))
RD_IMM(pcalau12i, (c->pc + (imm << 12)) & ~0xfffULL)

RD_RJ_RK(mul_w, word((rj * rk)))
RD_RJ_RK(mul_d, (rj * rk))
RD_RJ_RK(mulh_w, ((s64)(s32)rj * (s32)rk) >> 32)
RD_RJ_RK(mulh_wu, word(((u64)(u32)rj * (u32)rk) >> 32))
RD_RJ_RK(mulh_d, ((s128)(s64)rj * (s64)rk) >> 64)
RD_RJ_RK(mulh_du, ((u128)rj * rk) >> 64)
RD_RJ_RK(mulw_d_w, ((s64)(s32)rj * (s32)rk))
RD_RJ_RK(mulw_d_wu, ((u64)(u32)rj * (u32)rk))

// The manual leaves x / 0 open: here the quotient is x and the remainder 0, as if the divisor were
// 1. The quotient of the smallest number and -1 wraps to itself, remainder 0.
static s64 quotient(s64 a, s64 b)
{
    return b == 0 || (b == -1 && a == INT64_MIN) ? a : a / b;
}

static s64 remainder_s(s64 a, s64 b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

static u64 quotient_u(u64 a, u64 b)
{
    return b == 0 ? a : a / b;
}

static u64 remainder_u(u64 a, u64 b)
{
    return b == 0 ? 0 : a % b;
}

// Without CPUCFG2.DIV32 the word forms want sign-extended sources; they look at the low words
// only, which is right for both kinds of processor.
RD_RJ_RK(div_w, word((u64)quotient((s32)rj, (s32)rk)))
RD_RJ_RK(mod_w, word((u64)remainder_s((s32)rj, (s32)rk)))
RD_RJ_RK(div_wu, word(quotient_u((u32)rj, (u32)rk)))
RD_RJ_RK(mod_wu, word(remainder_u((u32)rj, (u32)rk)))
RD_RJ_RK(div_d, quotient((s64)rj, (s64)rk))
RD_RJ_RK(mod_d, remainder_s((s64)rj, (s64)rk))
RD_RJ_RK(div_du, quotient_u(rj, rk))
RD_RJ_RK(mod_du, remainder_u(rj, rk))

static u32 rotate_right32(u32 v, unsigned n)
{
    return v >> (n & 31) | v << (-n & 31);
}

static u64 rotate_right64(u64 v, unsigned n)
{
    return v >> (n & 63) | v << (-n & 63);
}

RD_RJ_RK(sll_w, word((u32)rj << (rk & 31)))
RD_RJ_RK(srl_w, word((u32)rj >> (rk & 31)))
RD_RJ_RK(sra_w, (s32)rj >> (rk & 31))
RD_RJ_RK(rotr_w, word(rotate_right32((u32)rj, (unsigned)rk)))
RD_RJ_RK(sll_d, rj << (rk & 63))
RD_RJ_RK(srl_d, rj >> (rk & 63))
RD_RJ_RK(sra_d, (s64)rj >> (rk & 63))
RD_RJ_RK(rotr_d, rotate_right64(rj, (unsigned)rk))
RD_RJ_IMM(slli_w, word((u32)rj << imm))
RD_RJ_IMM(srli_w, word((u32)rj >> imm))
RD_RJ_IMM(srai_w, (s32)rj >> imm)
RD_RJ_IMM(rotri_w, word(rotate_right32((u32)rj, (unsigned)imm)))
RD_RJ_IMM(slli_d, rj << imm)
RD_RJ_IMM(srli_d, rj >> imm)
RD_RJ_IMM(srai_d, (s64)rj >> imm)
RD_RJ_IMM(rotri_d, rotate_right64(rj, (unsigned)imm))
