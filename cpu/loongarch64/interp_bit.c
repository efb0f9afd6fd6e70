// SPDX-License-Identifier: Apache-2.0
// Bits and bytes: counting, reversing, extracting, masking. Reference Manual, volume 1, 2.2.3.
#include "cpu/loongarch64/interp.h"

#define RD_RJ(name, value)               \
    INSN(name)                           \
    {                                    \
        const u64 rj = c->gpr[i->rj];    \
        set_gpr(c, i->rd, (u64)(value)); \
    }

static u64 leading_zeros(u64 v)
{
    return v ? (u64)__builtin_clzll(v) : 64;
}

static u64 trailing_zeros(u64 v)
{
    return v ? (u64)__builtin_ctzll(v) : 64;
}

// The word forms set a bit beyond the word, so that the count ends there.
RD_RJ(clz_w, leading_zeros(rj << 32 | BIT(31)))
RD_RJ(clo_w, leading_zeros(~rj << 32 | BIT(31)))
RD_RJ(ctz_w, trailing_zeros(rj | BIT(32)))
RD_RJ(cto_w, trailing_zeros(~rj | BIT(32)))
RD_RJ(clz_d, leading_zeros(rj))
RD_RJ(clo_d, leading_zeros(~rj))
RD_RJ(ctz_d, trailing_zeros(rj))
RD_RJ(cto_d, trailing_zeros(~rj))

RD_RJ(ext_w_b, (s8)rj)
RD_RJ(ext_w_h, (s16)rj)

static u64 swap_bytes_in_halfwords(u64 v)
{
    const u64 low = 0x00ff00ff00ff00ff;
    return (v >> 8 & low) | (v & low) << 8;
}

static u64 swap_halfwords_in_words(u64 v)
{
    const u64 low = 0x0000ffff0000ffff;
    return (v >> 16 & low) | (v & low) << 16;
}

static u64 swap_words(u64 v)
{
    return v >> 32 | v << 32;
}

static u64 reverse_bits_in_bytes(u64 v)
{
    v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
    v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
    return (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
}

RD_RJ(revb_2h, word(swap_bytes_in_halfwords(rj)))
RD_RJ(revb_4h, swap_bytes_in_halfwords(rj))
RD_RJ(revb_2w, swap_words(__builtin_bswap64(rj)))
RD_RJ(revb_d, __builtin_bswap64(rj))
RD_RJ(revh_2w, swap_halfwords_in_words(rj))
RD_RJ(revh_d, swap_words(swap_halfwords_in_words(rj)))
RD_RJ(bitrev_4b, word(reverse_bits_in_bytes(rj)))
RD_RJ(bitrev_8b, reverse_bits_in_bytes(rj))
RD_RJ(bitrev_w, word(reverse_bits_in_bytes(__builtin_bswap32((u32)rj))))
RD_RJ(bitrev_d, reverse_bits_in_bytes(__builtin_bswap64(rj)))

INSN(maskeqz)
{
    set_gpr(c, i->rd, c->gpr[i->rk] ? c->gpr[i->rj] : 0);
}

INSN(masknez)
{
    set_gpr(c, i->rd, c->gpr[i->rk] ? 0 : c->gpr[i->rj]);
}

// The register rk followed by rj, without its first `imm` bytes, cut to one register.
INSN(bytepick_w)
{
    u64 both = c->gpr[i->rk] << 32 | (u32)c->gpr[i->rj];
    set_gpr(c, i->rd, word(both >> (32 - 8 * i->imm)));
}

INSN(bytepick_d)
{
    u128 both = (u128)c->gpr[i->rk] << 64 | c->gpr[i->rj];
    set_gpr(c, i->rd, (u64)(both >> (64 - 8 * i->imm)));
}

// msb < lsb is not an instruction.
static void check_field(struct la_cpu *c, const struct la_insn *i)
{
    if (unlikely(i->imm < i->imm2))
        la_raise(c, EXC_INE);
}

INSN(bstrins_w)
{
    check_field(c, i);
    u64 v = bits_set(c->gpr[i->rd], (unsigned)i->imm, (unsigned)i->imm2, c->gpr[i->rj]);
    set_gpr(c, i->rd, word(v));
}

INSN(bstrins_d)
{
    check_field(c, i);
    u64 v = bits_set(c->gpr[i->rd], (unsigned)i->imm, (unsigned)i->imm2, c->gpr[i->rj]);
    set_gpr(c, i->rd, v);
}

INSN(bstrpick_w)
{
    check_field(c, i);
    set_gpr(c, i->rd, word(bits_get(c->gpr[i->rj], (unsigned)i->imm, (unsigned)i->imm2)));
}

INSN(bstrpick_d)
{
    check_field(c, i);
    set_gpr(c, i->rd, bits_get(c->gpr[i->rj], (unsigned)i->imm, (unsigned)i->imm2));
}
