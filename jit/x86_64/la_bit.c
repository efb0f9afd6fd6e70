// SPDX-License-Identifier: Apache-2.0
// Bit fields, counts, byte order.
#include "jit/x86_64/la_trans.h"

static void set_extended(struct trans *t, unsigned rd, enum width from)
{
    if (from != W64)
        emit_extend_rr(&t->e, from, true, RAX, RAX);
    trans_set(t, rd, RAX);
}

// ext.w.b, ext.w.h: `arg` is the width.
TEMPLATE(ext)
{
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    emit_extend_rr(&t->e, (enum width)arg, true, d, trans_use(t, i->rj, RAX));
    trans_set(t, i->rd, d);
}

// imm is the upper bit, imm2 the lower one. The upper is never below: that is another instruction.
TEMPLATE(bstrpick)
{
    unsigned high = (unsigned)i->imm, low = i->imm2, n = high - low + 1;
    if (high < low) {
        trans_interpret(t); // INE, whatever rd is
        return;
    }
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    if (!low && (n == 8 || n == 16 || n == 32)) {
        emit_extend_rr(&t->e, (enum width)(n / 8), n == 32 && arg != 8, d,
                       trans_use(t, i->rj, RAX));
        trans_set(t, i->rd, d);
        return;
    }
    trans_copy(t, d, i->rj);
    if (low)
        emit_shift_ri(&t->e, SHIFT_SHR, arg == 8 ? W64 : W32, d, low);
    if (n == 8 || n == 16 || (n == 32 && arg == 8))
        emit_extend_rr(&t->e, (enum width)(n / 8), false, d, d);
    else if (n < 32)
        emit_alu_ri(&t->e, ALU_AND, W32, d, (s32)(BIT(n) - 1));
    else if (n < 64 && arg == 8) {
        emit_shift_ri(&t->e, SHIFT_SHL, W64, d, 64 - n);
        emit_shift_ri(&t->e, SHIFT_SHR, W64, d, 64 - n);
    }
    if (arg != 8)
        emit_extend_rr(&t->e, W32, true, d, d);
    trans_set(t, i->rd, d);
}

// Clears n bits of d from `low` on.
static void clear_field(struct trans *t, enum reg d, unsigned low, unsigned n)
{
    const u64 rest = ~BITS(low + n - 1, low);
    if (rest == (u64)(s64)(s32)rest) {
        emit_alu_ri(&t->e, ALU_AND, W64, d, (s32)rest);
    } else if (rest <= 0x7fffffff) {
        emit_alu_ri(&t->e, ALU_AND, W32, d, (s32)rest);
    } else {
        if (low)
            emit_shift_ri(&t->e, SHIFT_ROR, W64, d, low);
        emit_shift_ri(&t->e, SHIFT_SHR, W64, d, n);
        emit_shift_ri(&t->e, SHIFT_ROL, W64, d, low + n);
    }
}

// rcx: the last n bits of r, moved up by `low`.
static void take_field(struct trans *t, unsigned r, unsigned low, unsigned n)
{
    const unsigned above = 64 - low - n;
    trans_copy(t, RCX, r);
    if (above && n < 32) {
        emit_alu_ri(&t->e, ALU_AND, W32, RCX, (s32)(BIT(n) - 1));
    } else if (above) {
        emit_shift_ri(&t->e, SHIFT_SHL, W64, RCX, low + above);
        low = 0;
        emit_shift_ri(&t->e, SHIFT_SHR, W64, RCX, above);
    }
    if (low)
        emit_shift_ri(&t->e, SHIFT_SHL, W64, RCX, low);
}

TEMPLATE(bstrins)
{
    const unsigned high = (unsigned)i->imm, low = i->imm2, n = high - low + 1;
    if (high < low) {
        trans_interpret(t); // INE, whatever rd is
        return;
    }
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    if (i->rj)
        take_field(t, i->rj, low, n);
    trans_copy(t, d, i->rd);
    if (n == 64)
        emit_mov_ri(&t->e, d, 0);
    else
        clear_field(t, d, low, n);
    if (i->rj)
        emit_alu_rr(&t->e, ALU_OR, W64, d, RCX);
    if (arg != 8)
        emit_extend_rr(&t->e, W32, true, d, d);
    trans_set(t, i->rd, d);
}

// clz, ctz, clo, cto: `arg` is the width, 16 for trailing bits, 32 for ones.
TEMPLATE(count)
{
    if (!i->rd)
        return;
    if (!t->jit->has_bmi2) {
        trans_interpret(t);
        return;
    }
    enum reg s = trans_use(t, i->rj, RCX), d = trans_define(t, i->rd);
    if (arg & 32) {
        trans_copy(t, RCX, i->rj);
        emit_unary_r(&t->e, UNARY_NOT, W64, RCX);
        s = RCX;
    }
    emit_0f_rr(&t->e, 0xf3, arg & 16 ? 0xbc : 0xbd, (enum width)(arg & 15), d, s);
    trans_set(t, i->rd, d);
}

enum { REV_2H, REV_4H, REV_2W, REV_D, REV_H_2W, REV_H_D };

// Bytes within halfwords are turned by turning all and putting the halfwords back; few programs do.
TEMPLATE(rev)
{
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    trans_copy(t, d, i->rj);
    emit_bswap(&t->e, arg == REV_2H ? W32 : W64, d);
    if (arg == REV_2H) {
        emit_shift_ri(&t->e, SHIFT_ROL, W32, d, 16);
        emit_extend_rr(&t->e, W32, true, d, d);
    } else if (arg == REV_2W) {
        emit_shift_ri(&t->e, SHIFT_ROL, W64, d, 32);
    }
    trans_set(t, i->rd, d);
}

// The last bytes of rk and the first of rj, sa of these (`imm`) moved in: shld.
TEMPLATE(bytepick)
{
    if (!i->rd)
        return;
    enum width w = (enum width)arg;
    trans_copy(t, RAX, i->rk);
    trans_copy(t, RCX, i->rj);
    unsigned n = 8 * (unsigned)i->imm;
    if (n) {
        // shld rax, rcx, n
        emit_bytes(&t->e, w == W64 ? "\x48\x0f\xa4\xc8" : "\x0f\xa4\xc8", w == W64 ? 4 : 3);
        emit_u8(&t->e, n);
    }
    set_extended(t, i->rd, w);
}
