// SPDX-License-Identifier: Apache-2.0
// Control registers that are mere storage, and switching interrupts off and on in CRMD: what a
// kernel does all the time. Everything else about them is the interpreter's.
//
// Only code at PLV 0 with mapped addresses does it here; there no privilege check is needed. What a
// guest may be trapped for is not among these registers.
#include "jit/x86_64/la_trans.h"

enum { MODE_ROOT = 0, MODE_GUEST = 5 }; // la_code.mode of PLV 0

// Read with no other effect.
static bool is_readable(unsigned n)
{
    switch (n) {
    case CSR_CRMD:
    case CSR_PRMD:
    case CSR_EUEN:
    case CSR_ECFG:
    case CSR_ASID:
    case CSR_PGDL:
    case CSR_PGDH:
    case CSR_TID:
    case CSR_CPUID:
    case CSR_TLBRERA: return true;
    default: return false;
    }
}

// Written in all bits with no other effect.
static bool is_storage(unsigned n)
{
    return (n >= CSR_SAVE0 && n <= CSR_SAVE7) || n == CSR_ERA || n == CSR_BADV || n == CSR_TLBRSAVE;
}

// Of PRMD, which has no other effect either.
static const s32 prmd_writable = 0xf;

// What `-d lvz_check` wants to know of guests is noted by the interpreter.
static bool is_inline(const struct trans *t)
{
    unsigned mode = t->page->mode.slots;
    bool is_watched = t->jit->log && log_is_on(t->jit->log, LOG_LVZ_CHECK | LOG_CSR);
    if (t->jit->options.check) // which can not undo it
        return false;
    return mode == MODE_ROOT || (mode == MODE_GUEST && !is_watched);
}

static struct mem home(const struct trans *t, unsigned n)
{
    s32 first = t->page->mode.slots == MODE_ROOT ? JIT_FIELD(root.csr) : JIT_FIELD(guest.csr);
    return at(RBP, first + 8 * (s32)n);
}

TEMPLATE(csrrd)
{
    unsigned n = (unsigned)i->imm;
    if (!is_inline(t) || !(is_readable(n) || is_storage(n))) {
        trans_interpret(t);
        return;
    }
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    emit_extend_rm(&t->e,
                   is_storage(n) || n == CSR_PGDL || n == CSR_PGDH || n == CSR_TLBRERA ? W64 : W32,
                   true, d, home(t, n));
    trans_set(t, i->rd, d);
}

// rd and the register change places. r0 is written as 0.
TEMPLATE(csrwr)
{
    unsigned n = (unsigned)i->imm;
    if (!is_inline(t) || !(is_storage(n) || n == CSR_PRMD)) {
        trans_interpret(t);
        return;
    }
    enum reg value = trans_use(t, i->rd, RAX);
    if (n == CSR_PRMD) {
        emit_mov_rr(&t->e, W32, RDX, value);
        emit_alu_ri(&t->e, ALU_AND, W32, RDX, prmd_writable);
        value = RDX;
    }
    emit_mov_rm(&t->e, W64, RCX, home(t, n));
    emit_mov_mr(&t->e, W64, home(t, n), value);
    trans_set(t, i->rd, RCX);
}

static void cold_call_last(struct trans *t, const struct cold *x)
{
    trans_swap_out(t);
    t->records[x->record].site = emit_lea_rip(&t->e, RDX);
    emit_jmp_to(&t->e, t->jit->stubs.call_last);
}

// Interrupts are on now and a line is up: the run loop looks.
static void cold_interrupts(struct trans *t, const struct cold *x)
{
    emit_locked(&t->e);
    emit_alu_mi(&t->e, ALU_OR, W32, STATE(cpu.requests), CPU_REQ_IRQ);
    trans_give_back(t, trans_n_ahead(t, x->offset) - t->jit->options.count);
    trans_leave(t, x->offset + 4);
}

// Lines that may be up for the root; too many is only slower.
static void look_at_lines(struct trans *t)
{
    struct emit *e = &t->e;
    emit_extend_rm(e, W8, false, RAX, STATE(root.timer.fired));
    emit_shift_ri(e, SHIFT_SHL, W32, RAX, LINE_TI);
    emit_alu_rm(e, ALU_OR, W32, RAX, STATE(cpu.lines));
    emit_alu_rm(e, ALU_OR, W32, RAX, home(t, CSR_ESTAT));
    emit_alu_rm(e, ALU_AND, W32, RAX, home(t, CSR_ECFG));
    emit_alu_ri(e, ALU_AND, W32, RAX, 0x1fff);
    trans_cold(t, cold_interrupts, emit_jcc(e, CC_NE));
}

// CRMD with a mask of nothing but IE.
static void exchange_ie(struct trans *t, const struct la_insn *i)
{
    struct emit *e = &t->e;
    struct record *r = trans_call_record(t);
    trans_copy(t, RAX, i->rj);
    emit_mov_rr(e, W64, RCX, RAX);
    emit_alu_ri(e, ALU_AND, W64, RCX, ~CRMD_IE);
    trans_cold(t, cold_call_last, emit_jcc(e, CC_NE))->record = (u32)(r - t->records);
    emit_mov_rm(e, W32, RCX, home(t, CSR_CRMD));
    emit_mov_rr(e, W32, RDX, RAX);
    emit_unary_r(e, UNARY_NOT, W32, RDX);
    emit_alu_rr(e, ALU_AND, W32, RDX, RCX);
    if (i->rd && gpr_host(t, i->rd) == NO_REG)
        emit_alu_rm(e, ALU_AND, W32, RAX, gpr_home(i->rd));
    else if (i->rd)
        emit_alu_rr(e, ALU_AND, W32, RAX, gpr_host(t, i->rd));
    else
        emit_mov_ri(e, RAX, 0);
    emit_alu_rr(e, ALU_OR, W32, RDX, RAX);
    emit_mov_mr(e, W64, home(t, CSR_CRMD), RDX);
    trans_set(t, i->rd, RCX);
    // Nothing to look at unless IE went from 0 to 1.
    emit_unary_r(e, UNARY_NOT, W32, RCX);
    emit_alu_rr(e, ALU_AND, W32, RCX, RDX);
    emit_alu_ri(e, ALU_AND, W32, RCX, CRMD_IE);
    u8 *skip = emit_jcc(e, CC_E);
    look_at_lines(t);
    emit_patch(skip, emit_here(e));
}

TEMPLATE(csrxchg)
{
    if (t->page->mode.slots == MODE_ROOT && i->imm == CSR_CRMD && is_inline(t))
        exchange_ie(t, i);
    else
        trans_interpret(t);
}
