// SPDX-License-Identifier: Apache-2.0
// Entry into and return from exceptions: section 6 of the Reference Manual.
#include "cpu/loongarch64/state.h"

const char *la_exception_name(enum la_exception e)
{
    static const char *const names[] = {
        [EXC_INT] = "INT",   [EXC_PIL] = "PIL",   [EXC_PIS] = "PIS",   [EXC_PIF] = "PIF",
        [EXC_PME] = "PME",   [EXC_PNR] = "PNR",   [EXC_PNX] = "PNX",   [EXC_PPI] = "PPI",
        [EXC_ADEF] = "ADEF", [EXC_ALE] = "ALE",   [EXC_BCE] = "BCE",   [EXC_SYS] = "SYS",
        [EXC_BRK] = "BRK",   [EXC_INE] = "INE",   [EXC_IPE] = "IPE",   [EXC_FPD] = "FPD",
        [EXC_SXD] = "SXD",   [EXC_ASXD] = "ASXD", [EXC_FPE] = "FPE",   [EXC_WPEF] = "WPEF",
        [EXC_GSPR] = "GSPR", [EXC_HVC] = "HVC",   [EXC_GCSC] = "GCSC", [EXC_GCHC] = "GCHC",
        [EXC_TLBR] = "TLBR", [EXC_MERR] = "MERR", [EXC_ADEM] = "ADEM", [EXC_VFPE] = "VFPE",
        [EXC_WPEM] = "WPEM",
    };
    return e < ARRAY_LEN(names) && names[e] ? names[e] : "?";
}

static _Noreturn void leave(struct la_cpu *c, enum la_exception e, u64 bad_va, bool in_root)
{
    c->raised = e;
    c->raised_va = bad_va;
    c->raised_in_root = in_root;
    longjmp(c->leave, 1);
}

_Noreturn void la_raise_address(struct la_cpu *c, enum la_exception e, u64 bad_va)
{
    leave(c, e, bad_va, false);
}

_Noreturn void la_raise(struct la_cpu *c, enum la_exception e)
{
    leave(c, e, 0, false);
}

_Noreturn void la_raise_root(struct la_cpu *c, enum la_exception e, u64 bad_va)
{
    leave(c, e, bad_va, true);
}

// The guest's own EUEN is looked at first.
_Noreturn void la_raise_unit_off(struct la_cpu *c, u32 bit)
{
    enum la_exception e = bit == EUEN_FPE ? EXC_FPD : bit == EUEN_SXE ? EXC_SXD : EXC_ASXD;
    leave(c, e, 0, c->csr[CSR_EUEN] & bit);
}

// Exceptions that report an address in BADV (table 7 of the manual).
static bool has_bad_address(enum la_exception e)
{
    return (e >= EXC_PIL && e <= EXC_BCE) || e == EXC_ADEM || e == EXC_WPEM;
}

static bool is_page_exception(enum la_exception e)
{
    return e >= EXC_PIL && e <= EXC_PPI;
}

// The three ways to save CRMD are alike: PLV, IE and WE move to `low` bits, then are cleared.
static u64 saved_mode(u64 crmd, u64 we_bit)
{
    return (crmd & (CRMD_PLV | CRMD_IE)) | (crmd & CRMD_WE ? we_bit : 0);
}

// Where each kind of entry notes that it came from the guest.
#define TLBRPRMD_PGM BIT(3)
#define MERRCTL_PGM  BIT(5)
#define GSTAT_PGM    BIT(1)

static void note_origin(struct la_cpu *c, bool from_guest)
{
    u64 *gstat = &c->root.csr[CSR_GSTAT];
    if (la_in_guest(c) || !la_has_lvz(c))
        return;
    if (from_guest)
        *gstat |= GSTAT_PGM;
    else if (!c->lvz.pgm_kept)
        *gstat &= ~GSTAT_PGM;
}

// The bit of a register of its own; 0 where GSTAT has to do.
static u64 own_origin(struct la_cpu *c, bool from_guest, u64 pgm)
{
    if (!c->lvz.one_pgm)
        return from_guest ? pgm : 0;
    note_origin(c, from_guest);
    return 0;
}

static void enter_refill(struct la_cpu *c, u64 bad_va, bool from_guest)
{
    u64 *r = c->csr;
    r[CSR_TLBRPRMD] = saved_mode(r[CSR_CRMD], BIT(4)) | own_origin(c, from_guest, TLBRPRMD_PGM);
    r[CSR_TLBRBADV] = bad_va;
    r[CSR_TLBREHI] = bits_set(r[CSR_TLBREHI], 47, 13, bad_va >> 13);
    r[CSR_TLBRERA] = (c->pc & ~3ULL) | 1;
    r[CSR_BADI] = c->insn;
    r[CSR_CRMD] = (r[CSR_CRMD] & ~(CRMD_PLV | CRMD_IE | CRMD_WE | CRMD_PG)) | CRMD_DA;
    c->next_pc = r[CSR_TLBRENTRY];
}

static void enter_machine_error(struct la_cpu *c, bool from_guest)
{
    u64 *r = c->csr, crmd = r[CSR_CRMD];
    u64 merrctl = (r[CSR_MERRCTL] & ~BITS(12, 2)) | own_origin(c, from_guest, MERRCTL_PGM);
    merrctl |= 1 | (crmd & CRMD_PLV) << 2 | bits_get(crmd, 2, 2) << 4 | bits_get(crmd, 9, 9) << 6;
    merrctl |= bits_get(crmd, 8, 3) << 7; // DA, PG, DATF, DATM
    r[CSR_MERRCTL] = merrctl;
    r[CSR_MERRERA] = c->pc;
    r[CSR_CRMD] = CRMD_DA;
    c->next_pc = r[CSR_MERRENTRY];
}

// Offset of the handler from EENTRY (CSR.ECFG.VS, section 6.2.1).
static u64 vector_offset(struct la_cpu *c, enum la_exception e)
{
    unsigned vs = bits_get(c->csr[CSR_ECFG], 18, 16);
    unsigned code = e & 0x3f;
    if (!vs)
        return 0;
    if (e == EXC_INT) {
        // Another thread may have lowered the line since it was seen: what is left decides, and
        // with nothing left the lowest vector finds no cause.
        u32 pending = la_pending_lines(c, c->context);
        code = 64 + (pending ? 31 - (unsigned)__builtin_clz(pending) : 0);
    }
    return (u64)code << (vs + 2);
}

// BADI describes the instruction of a synchronous exception. For a second-stage fetch fault there
// is none yet.
static void note_instruction(struct la_cpu *c, enum la_exception e, bool from_guest)
{
    if (e == EXC_INT || e == EXC_GCHC)
        return;
    if (e != EXC_PIF || !from_guest)
        c->csr[CSR_BADI] = c->insn;
    else if (!c->lvz.badi_on_pif)
        c->csr[CSR_BADI] = 0;
}

static void enter_ordinary(struct la_cpu *c, enum la_exception e, u64 bad_va, bool from_guest)
{
    u64 *r = c->csr;
    r[CSR_PRMD] = saved_mode(r[CSR_CRMD], BIT(3));
    r[CSR_ERA] = c->pc;
    r[CSR_ESTAT] = bits_set(r[CSR_ESTAT], 30, 16, e);
    note_instruction(c, e, from_guest);
    if (has_bad_address(e))
        r[CSR_BADV] = bad_va;
    if (is_page_exception(e))
        r[CSR_TLBEHI] = bad_va & BITS(47, 13);
    c->next_pc = r[CSR_EENTRY] + vector_offset(c, e);
    r[CSR_CRMD] &= ~(u64)(CRMD_PLV | CRMD_IE | CRMD_WE);
    if (e == EXC_INT && !la_in_guest(c))
        c->disturbance.is_pending = false;
    note_origin(c, from_guest);
}

static void log_exception(struct la_cpu *c, enum la_exception e, u64 bad_va, bool from_guest)
{
    log_at(c->cpu.bus->log, LOG_INT,
           "cpu %u: %s%s pc 0x%llx address 0x%llx crmd 0x%llx estat 0x%llx", c->cpu.index,
           from_guest       ? "exit "
           : la_in_guest(c) ? "guest "
                            : "",
           la_exception_name(e), (unsigned long long)c->pc, (unsigned long long)bad_va,
           (unsigned long long)c->csr[CSR_CRMD], (unsigned long long)la_estat(c, c->context));
}

// The exit that tells the root of a change that the guest's hardware state has already made: its
// address is where the guest goes on.
static void tell_root(struct la_cpu *c)
{
    c->pc = c->next_pc;
    la_enter_exception(c, EXC_GCHC, 0, true);
}

// -cpu lvz-disturb: one at a time.
static void plan_disturbance(struct la_cpu *c)
{
    struct la_disturbance *d = &c->disturbance;
    if (d->at != ~0ULL || d->is_pending)
        return;
    d->after = d->after % c->lvz.disturb + 1;
    d->at = c->cpu.n_insns + d->after;
}

void la_disturb(struct la_cpu *c)
{
    if (c->cpu.n_insns < c->disturbance.at)
        return;
    c->disturbance.at = ~0ULL;
    c->disturbance.is_pending = true;
    la_check_interrupts_soon(c);
}

static void leave_guest(struct la_cpu *c, enum la_exception e)
{
    la_switch_context(c, &c->root);
    if (c->lvz.ll_shared)
        c->guest.link.is_set = false;
    la_tlb_guest_left(c, e == EXC_TLBR);
    if (unlikely(c->lvz.disturb))
        plan_disturbance(c);
}

void la_enter_exception(struct la_cpu *c, enum la_exception e, u64 bad_va, bool in_root)
{
    bool from_guest = in_root && la_in_guest(c);
    if (from_guest)
        leave_guest(c, e);
    log_exception(c, e, bad_va, from_guest);
    la_lvz_count_exception(c, e, from_guest);
    if (e == EXC_TLBR)
        enter_refill(c, bad_va, from_guest);
    else if (e == EXC_MERR)
        enter_machine_error(c, from_guest);
    else
        enter_ordinary(c, e, bad_va, from_guest);
    la_mmu_mode_changed(c);
    if (la_traps_guest_exceptions(c))
        tell_root(c);
}

static void return_from_machine_error(struct la_cpu *c)
{
    u64 *r = c->csr, m = r[CSR_MERRCTL];
    u64 crmd = r[CSR_CRMD] & ~BITS(9, 0);
    crmd |= bits_get(m, 3, 2) | bits_get(m, 4, 4) << 2 | bits_get(m, 6, 6) << 9;
    crmd |= bits_get(m, 12, 7) << 3;
    r[CSR_CRMD] = crmd;
    r[CSR_MERRCTL] = m & ~1ULL;
    c->next_pc = r[CSR_MERRERA];
}

static u64 restored_mode(u64 crmd, u64 saved, u64 we_bit)
{
    crmd &= ~(u64)(CRMD_PLV | CRMD_IE | CRMD_WE);
    return crmd | (saved & (CRMD_PLV | CRMD_IE)) | (saved & we_bit ? CRMD_WE : 0);
}

static void return_from_refill(struct la_cpu *c)
{
    u64 *r = c->csr;
    r[CSR_CRMD] = restored_mode(r[CSR_CRMD], r[CSR_TLBRPRMD], BIT(4));
    r[CSR_CRMD] = (r[CSR_CRMD] & ~(u64)CRMD_DA) | CRMD_PG;
    r[CSR_TLBRERA] &= ~1ULL;
    c->next_pc = r[CSR_TLBRERA] & ~3ULL;
}

static void return_from_ordinary(struct la_cpu *c)
{
    u64 *r = c->csr;
    r[CSR_CRMD] = restored_mode(r[CSR_CRMD], r[CSR_PRMD], BIT(3));
    c->next_pc = r[CSR_ERA];
}

// The link of ll is lost unless LLBCTL.KLO says to keep it, once. A return from a refill neither
// breaks it nor uses up KLO: an ll and its sc may be on pages that displace each other.
static void end_link(struct la_cpu *c, bool from_refill)
{
    if (from_refill)
        return;
    if (!(c->csr[CSR_LLBCTL] & LLBCTL_KLO))
        c->context->link.is_set = false;
    c->csr[CSR_LLBCTL] &= ~(u64)LLBCTL_KLO;
}

static bool is_in_refill(const struct la_cpu *c)
{
    return !(c->csr[CSR_MERRCTL] & 1) && c->csr[CSR_TLBRERA] & 1;
}

// The return that ertn makes, and whether it leads into the guest. A guest's ertn never leaves it,
// though its registers may hold any bits.
static bool return_to_guest(struct la_cpu *c)
{
    u64 *r = c->csr;
    bool one_pgm = c->lvz.one_pgm, by_gstat = r[CSR_GSTAT] & GSTAT_PGM;
    if (r[CSR_MERRCTL] & 1) {
        return_from_machine_error(c);
        return one_pgm ? by_gstat : r[CSR_MERRCTL] & MERRCTL_PGM;
    }
    if (is_in_refill(c)) {
        return_from_refill(c);
        return one_pgm ? by_gstat : r[CSR_TLBRPRMD] & TLBRPRMD_PGM;
    }
    return_from_ordinary(c);
    return by_gstat;
}

void la_ertn(struct la_cpu *c)
{
    bool from_refill = is_in_refill(c);
    bool to_guest = return_to_guest(c) && !la_in_guest(c);
    end_link(c, from_refill);
    if (to_guest) {
        if (c->lvz.entry_clears_pgm)
            c->root.csr[CSR_GSTAT] &= ~GSTAT_PGM;
        la_switch_context(c, &c->guest);
        la_lvz_count_entry(c);
    }
    la_mmu_mode_changed(c);
    la_check_interrupts(c);
    if (!to_guest && la_traps_guest_exceptions(c))
        tell_root(c);
}

u32 la_pending_lines(struct la_cpu *c, const struct la_context *x)
{
    return la_estat(c, x) & bits_get(x->csr[CSR_ECFG], 12, 0);
}

bool la_wants_interrupt(struct la_cpu *c, const struct la_context *x)
{
    return x->csr[CSR_CRMD] & CRMD_IE && la_pending_lines(c, x);
}

void la_check_interrupts(struct la_cpu *c)
{
    if (la_wants_interrupt(c, &c->root) || (la_in_guest(c) && la_wants_interrupt(c, &c->guest)))
        la_check_interrupts_soon(c);
}
