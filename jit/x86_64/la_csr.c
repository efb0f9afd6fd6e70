// SPDX-License-Identifier: Apache-2.0
// Control registers that are mere storage, those of a guest by gcsr* among them, and switching
// interrupts off and on in CRMD: what a kernel and a hypervisor do all the time. Everything else
// about them is the interpreter's.
//
// Only code at PLV 0 with mapped addresses does it here; there no privilege check is needed.
#include "jit/x86_64/la_trans.h"

enum { MODE_ROOT = 0, MODE_GUEST = 5 }; // la_code.mode of PLV 0

// Of a guest: read with no other effect, and nothing that a root may want to trap.
static bool is_open_to_guest(unsigned n)
{
    switch (n) {
    case CSR_CRMD:
    case CSR_PRMD:
    case CSR_EUEN:
    case CSR_ECFG:
    case CSR_CPUID:
    case CSR_TLBRERA: return true;
    default: return false;
    }
}

// Of a guest: written with no other effect, and nothing that a root may want to trap.
static bool is_guests_own(unsigned n)
{
    return n == CSR_PRMD || n == CSR_EENTRY || n == CSR_TLBRPRMD;
}

// Written in all bits with no other effect.
static bool is_storage(unsigned n)
{
    return (n >= CSR_SAVE0 && n <= CSR_SAVE7) || n == CSR_ERA || n == CSR_BADV || n == CSR_TLBRSAVE;
}

// What `-d lvz_check` wants to know of guests is noted by the interpreter, which also logs.
static bool is_inline(const struct trans *t)
{
    unsigned mode = t->page->mode.slots;
    bool is_watched =
        t->jit->log && (log_is_on(t->jit->log, LOG_CSR) ||
                        (mode == MODE_GUEST && log_is_on(t->jit->log, LOG_LVZ_CHECK)));
    if (t->jit->options.check) // which can not undo it
        return false;
    return !is_watched && (mode == MODE_ROOT || mode == MODE_GUEST);
}

static bool is_root(const struct trans *t)
{
    return t->page->mode.slots == MODE_ROOT;
}

static struct mem home_in(bool of_guest, unsigned n)
{
    return at(RBP, (of_guest ? JIT_FIELD(guest.csr) : JIT_FIELD(root.csr)) + 8 * (s32)n);
}

static struct mem home(const struct trans *t, unsigned n)
{
    return home_in(!is_root(t), n);
}

static void load(struct trans *t, unsigned rd, struct mem from, unsigned n)
{
    if (!rd)
        return;
    enum reg d = trans_define(t, rd);
    emit_extend_rm(&t->e, la_csr_load_width(t->cpu, n) == 32 ? W32 : W64, true, d, from);
    trans_set(t, rd, d);
}

TEMPLATE(csrrd)
{
    unsigned n = (unsigned)i->imm;
    bool is_open = is_root(t) || is_open_to_guest(n) || is_storage(n);
    if (is_inline(t) && is_open && la_csr_load_width(t->cpu, n))
        load(t, i->rd, home(t, n), n);
    else
        trans_interpret(t);
}

TEMPLATE(gcsrrd)
{
    unsigned n = (unsigned)i->imm;
    if (!is_root(t))
        trans_interpret(t);
    else if (is_inline(t) && la_csr_is_of_guest(t->cpu, n) && la_csr_load_width(t->cpu, n))
        load(t, i->rd, home_in(true, n), n);
    else
        trans_interpret_on(t);
}

// rd and the register change places. r0 is written as 0.
static void swap_all(struct trans *t, unsigned rd, struct mem m)
{
    enum reg value = trans_use(t, rd, RAX);
    emit_mov_rm(&t->e, W64, RCX, m);
    emit_mov_mr(&t->e, W64, m, value);
    trans_set(t, rd, RCX);
}

// `bits` of the register are stored, in an exchange those of them that rj has; rd becomes the old
// value. rcx keeps that, rax has the new one.
static void swap_bits(struct trans *t, const struct la_insn *i, struct mem m, u64 bits)
{
    struct emit *e = &t->e;
    bool is_exchange = i->op == LA_CSRXCHG || i->op == LA_GCSRXCHG;
    emit_mov_ri(e, RDX, bits);
    if (is_exchange) {
        trans_copy(t, RAX, i->rj);
        emit_alu_rr(e, ALU_AND, W64, RDX, RAX);
    }
    trans_copy(t, RAX, i->rd);
    emit_mov_rm(e, W64, RCX, m);
    emit_alu_rr(e, ALU_AND, W64, RAX, RDX);
    emit_unary_r(e, UNARY_NOT, W64, RDX);
    emit_alu_rr(e, ALU_AND, W64, RDX, RCX);
    emit_alu_rr(e, ALU_OR, W64, RAX, RDX);
    emit_mov_mr(e, W64, m, RAX);
    if (la_csr_load_width(t->cpu, (unsigned)i->imm) == 32)
        emit_extend_rr(e, W32, true, RCX, RCX);
    trans_set(t, i->rd, RCX);
}

static bool can_swap(const struct trans *t, unsigned n, bool of_guest)
{
    return la_csr_load_width(t->cpu, n) && la_csr_stored_bits(t->cpu, n, of_guest);
}

// As la_lvz_note_written does.
static void note_written(struct trans *t, unsigned n)
{
    if (n < 512)
        emit_alu_mi(&t->e, ALU_OR, W8,
                    at(RBP, JIT_FIELD(lvz_counts.guest_csr_written) + (s32)n / 8),
                    (s32)(s8)(1 << n % 8));
}

// Of the current context.
static void write_own(struct trans *t, const struct la_insn *i)
{
    unsigned n = (unsigned)i->imm;
    if (!is_root(t))
        note_written(t, n);
    swap_bits(t, i, home(t, n), la_csr_stored_bits(t->cpu, n, false));
}

TEMPLATE(csrwr)
{
    unsigned n = (unsigned)i->imm;
    if (is_inline(t) && is_storage(n))
        swap_all(t, i->rd, home(t, n));
    else if (is_inline(t) && (is_root(t) || is_guests_own(n)) && can_swap(t, n, false))
        write_own(t, i);
    else if (is_root(t) && (n == CSR_ECFG || n == CSR_GTLBC))
        trans_interpret_on(t); // a request that follows is seen at once
    else
        trans_interpret(t);
}

// Both ways to write: nothing of the root's mode changes, whatever it is.
static void write_guest(struct trans *t, const struct la_insn *i)
{
    unsigned n = (unsigned)i->imm;
    if (!is_root(t)) {
        trans_interpret(t);
        return;
    }
    if (!is_inline(t) || !la_csr_is_of_guest(t->cpu, n) || !can_swap(t, n, true)) {
        trans_interpret_on(t);
        return;
    }
    note_written(t, n);
    swap_bits(t, i, home_in(true, n), la_csr_stored_bits(t->cpu, n, true));
}

TEMPLATE(gcsrwr)
{
    write_guest(t, i);
}

TEMPLATE(gcsrxchg)
{
    write_guest(t, i);
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
    emit_alu_mi(&t->e, ALU_OR, W8, STATE(cpu.requests), CPU_REQ_IRQ);
    trans_give_back(t, trans_n_ahead(t, x->offset) - t->jit->options.count);
    trans_leave(t, x->offset + 4);
}

// Lines that may be up for the current context; too many is only slower. Those of a guest are what
// is injected, and what of the root's is passed on.
static void look_at_lines(struct trans *t)
{
    struct emit *e = &t->e;
    emit_extend_rm(e, W8, false, RAX,
                   is_root(t) ? STATE(root.timer.fired) : STATE(guest.timer.fired));
    emit_shift_ri(e, SHIFT_SHL, W32, RAX, LINE_TI);
    if (!is_root(t)) {
        emit_extend_rm(e, W8, false, RCX, home_in(false, CSR_GINTC));
        emit_shift_ri(e, SHIFT_SHL, W32, RCX, LINE_HWI0);
        emit_alu_rr(e, ALU_OR, W32, RAX, RCX);
    }
    emit_alu_rm(e, ALU_OR, W32, RAX, STATE(cpu.lines));
    emit_alu_rm(e, ALU_OR, W32, RAX, home(t, CSR_ESTAT));
    emit_alu_rm(e, ALU_AND, W32, RAX, home(t, CSR_ECFG));
    emit_alu_ri(e, ALU_AND, W32, RAX, 0x1fff);
    trans_cold(t, cold_interrupts, emit_jcc(e, CC_NE));
}

// CRMD with a mask of nothing but IE, which no root can trap alone.
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
    unsigned n = (unsigned)i->imm;
    if (n == CSR_CRMD && is_inline(t))
        exchange_ie(t, i);
    else if (is_inline(t) && (is_root(t) || is_guests_own(n)) && can_swap(t, n, false))
        write_own(t, i);
    else
        trans_interpret(t);
}
