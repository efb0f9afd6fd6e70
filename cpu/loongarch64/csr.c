// SPDX-License-Identifier: Apache-2.0
// Reads and writes of control and status registers: csr.def says which bits are plain storage; the
// registers with effects are here. Section 7 of the Reference Manual.
#include "cpu/loongarch64/walk.h"

enum csr_scope { ABSENT, BOTH, ROOT, LVZ, LVZ2 };

struct csr {
    enum csr_scope scope;
    const char *name;
    u64 writable;
};

static const struct csr csrs[CSR_N] = {
#define CSR(number, name, writable, reset, scope) [number] = {scope, #name, writable},
#include "cpu/loongarch64/csr.def"

#undef CSR
};

// Windows of many alike registers without effects: uncached-accelerate windows, performance
// counters, watchpoints (of which the models have none: their counts read 0).
static bool is_plain_window(unsigned n)
{
    return (n >= CSR_UCAWIN && n <= 0x109) || (n >= CSR_PMCFG0 && n <= 0x207) ||
           (n >= CSR_MWPC && n <= 0x32f) || (n >= CSR_FWPC && n <= 0x3cf);
}

static bool is_mcsr(unsigned n)
{
    return n >= CSR_MCSR0 && n <= 0xff;
}

// LVZ2 is the scope of SAVE8 to SAVE15 alone.
bool la_csr_is_of_guest(const struct la_cpu *c, unsigned n)
{
    return n < CSR_N && (csrs[n].scope == BOTH || (csrs[n].scope == LVZ2 && c->lvz.save16));
}

bool la_csr_exists(const struct la_cpu *c, unsigned n)
{
    if (is_plain_window(n) || is_mcsr(n))
        return true;
    if (n >= CSR_N || csrs[n].scope == ABSENT || (csrs[n].scope == LVZ2 && !c->lvz.save16))
        return false;
    return csrs[n].scope == BOTH || csrs[n].scope == ROOT || la_has_lvz(c);
}

static u64 read_mcsr(const struct la_cpu *c, unsigned n)
{
    unsigned word = 2 * (n - CSR_MCSR0);
    u64 low = word < LA_N_CPUCFG ? c->cpucfg[word] : 0;
    u64 high = word + 1 < LA_N_CPUCFG ? c->cpucfg[word + 1] : 0;
    return low | high << 32;
}

// Firmware tells the counter's frequency here (CPUCFG 4 and 5); the rest is fixed.
static void write_mcsr(struct la_cpu *c, unsigned n, u64 value)
{
    if (n != CSR_MCSR0 + 2) {
        log_guest(c->cpu.bus->log, "cpu %u: write to MCSR%u ignored", c->cpu.index, n - CSR_MCSR0);
        return;
    }
    c->cpucfg[4] = (u32)value;
    c->cpucfg[5] = (u32)(value >> 32);
}

// The guest's HWI bits come from GINTC, its other lines are stored.
u64 la_estat(struct la_cpu *c, const struct la_context *x)
{
    u32 lines = atomic_load_explicit(&c->cpu.lines, memory_order_relaxed) & ~3u;
    u64 hwi = x == &c->guest ? la_guest_hwi(c, lines) : la_root_lines(c, lines);
    if (x == &c->root && unlikely(c->disturbance.is_pending))
        hwi |= BIT(LINE_IPI);
    return x->csr[CSR_ESTAT] | hwi | (u64)x->timer.fired << LINE_TI;
}

static u64 read_pgd(const struct la_cpu *c, const struct la_context *x)
{
    u64 va = x->csr[CSR_TLBRERA] & 1 ? x->csr[CSR_TLBRBADV] : x->csr[CSR_BADV];
    return x->csr[la_walk_is_high(c, x, va) ? CSR_PGDH : CSR_PGDL];
}

// The bits above VPPN copy its highest one.
static u64 read_ehi(const struct la_cpu *c, u64 value)
{
    return (u64)sign_extend(value, (unsigned)bits_get(c->cpucfg[1], 19, 12) + 1);
}

// A model without UAL is strict at all levels, and ALCL says so.
static u64 read_misc(const struct la_cpu *c, u64 value)
{
    return c->cpucfg[1] & BIT(20) ? value : value | BITS(15, 12);
}

// The rest: registers that are defined with 32 bits read sign-extended (7.1.2).
static u64 read_plain(const struct la_context *x, unsigned n)
{
    bool is_word = n < CSR_N && csrs[n].scope != ABSENT && csrs[n].writable <= 0xffffffff;
    return is_word ? (u64)(s64)(s32)x->csr[n] : x->csr[n];
}

static u64 read(struct la_cpu *c, struct la_context *x, unsigned n)
{
    switch (n) {
    case CSR_MISC: return read_misc(c, x->csr[n]);
    // Whoever waited for the counter finds TI, however long ago the run loop looked.
    case CSR_ESTAT: la_timer_poll(c); return la_estat(c, x);
    case CSR_TLBEHI:
    case CSR_TLBREHI: return read_ehi(c, x->csr[n]);
    case CSR_PGD: return read_pgd(c, x);
    case CSR_TVAL: return la_timer_value(c, x);
    case CSR_TCFG:
        if (c->lvz.timer_ends_en)
            la_timer_poll(c);
        return x->csr[n];
    case CSR_LLBCTL: return x->csr[n] | (x->link.is_set ? LLBCTL_ROLLB : 0);
    case CSR_GINTC:
        la_guest_hwi(c, atomic_load_explicit(&c->cpu.lines, memory_order_relaxed));
        return x->csr[n];
    default: return is_mcsr(n) ? read_mcsr(c, n) : read_plain(x, n);
    }
}

u64 la_csr_peek(struct la_cpu *c, struct la_context *x, unsigned n)
{
    return read(c, x, n);
}

const char *la_csr_name(unsigned n)
{
    return n < CSR_N ? csrs[n].name : NULL;
}

static u64 absent(struct la_cpu *c, const char *what, unsigned n)
{
    log_unimp(c->cpu.bus->log, "cpu %u: %s CSR 0x%x, which is not there", c->cpu.index, what, n);
    return 0;
}

u64 la_csr_read(struct la_cpu *c, unsigned n)
{
    la_trap_guest_csr(c, n);
    if (la_in_guest(c))
        la_lvz_check_guest_read(c, n);
    return la_csr_exists(c, n) ? read(c, c->context, n) : absent(c, "read of", n);
}

// Bits of EUEN that a model without the unit does not have.
static u64 units_of_model(const struct la_cpu *c)
{
    u64 bits = EUEN_FPE;
    bits |= c->cpucfg[2] & BIT(6) ? EUEN_SXE : 0;
    bits |= c->cpucfg[2] & BIT(7) ? EUEN_ASXE : 0;
    bits |= c->cpucfg[2] & BITS(20, 18) ? EUEN_BTE : 0;
    return bits;
}

static u64 writable_bits(const struct la_cpu *c, unsigned n, u64 new_value)
{
    u64 bits = is_plain_window(n) ? ~0ULL : csrs[n].writable;
    switch (n) {
    case CSR_EUEN: return bits & units_of_model(c);
    case CSR_PWCH: return c->cpucfg[2] & BIT(24) ? bits : bits & ~BIT(24);
    case CSR_TLBRPRMD: return la_has_lvz(c) && !c->lvz.one_pgm ? bits : bits & ~BIT(3);
    case CSR_MERRCTL: return la_has_lvz(c) && !c->lvz.one_pgm ? bits : bits & ~BIT(5);
    case CSR_GSTAT: return la_gstat_controls(c);
    case CSR_GCFG: return la_gcfg_controls(c);
    case CSR_GTLBC: return la_gtlbc_controls(c, new_value);
    case CSR_MWPC:
    case CSR_FWPC: return 0; // there are no watchpoints
    default: return bits;
    }
}

// Registers that act on the bits written rather than store them.
static void act_on_write(struct la_cpu *c, struct la_context *x, unsigned n, u64 written)
{
    switch (n) {
    case CSR_TICLR:
        if (written & 1)
            la_timer_latch(c, x, false);
        break;
    case CSR_LLBCTL:
        if (written & LLBCTL_WCLLB)
            x->link.is_set = false;
        break;
    case CSR_IMPCTL2: la_tlb_flush_parts(c, written & 2, written & 1); break;
    default: break;
    }
}

// What follows from the new value of a register of either context.
static void after_write(struct la_cpu *c, struct la_context *x, unsigned n, u64 old)
{
    switch (n) {
    case CSR_ASID:
        // Of a guest no ASID of the root is noted in what is cached.
        if (c->lvz.stage2_asid && x == &c->root && x->csr[n] != old)
            la_mmu_flush(c);
        la_mmu_mode_changed(c);
        break;
    case CSR_CRMD:
        la_mmu_mode_changed(c);
        la_check_interrupts(c);
        break;
    case CSR_MISC: la_mmu_mode_changed(c); break;
    case CSR_GTLBC: la_gtlbc_changed(c, old); break;
    case CSR_GINTC:
        la_gintc_written(c);
        la_lvz_count_injection(c, old);
        la_check_interrupts(c);
        break;
    case CSR_ECFG:
    case CSR_ESTAT: la_check_interrupts(c); break;
    case CSR_EUEN: la_units_changed(c); break;
    case CSR_TCFG: la_timer_configure(c, x); break;
    case CSR_RVACFG:
    case CSR_DMW0:
    case CSR_DMW1:
    case CSR_DMW2:
    case CSR_DMW3:
        if (x->csr[n] != old)
            la_mmu_flush(c);
        break;
    case CSR_STLBPS:
        if (x->csr[n] != old)
            la_tlb_stlb_page_size_changed(c, x);
        break;
    default: break;
    }
}

static void write(struct la_cpu *c, struct la_context *x, unsigned n, u64 value, u64 mask, u64 bits)
{
    u64 stored = x->csr[n];
    if (x == &c->guest)
        la_lvz_note_written(c, n);
    x->csr[n] = (stored & ~bits) | (value & bits);
    act_on_write(c, x, n, value & mask);
    after_write(c, x, n, stored);
}

static void log_write_of(struct la_cpu *c, const char *what, unsigned n, u64 value, u64 mask)
{
    log_at(c->cpu.bus->log, LOG_CSR, "cpu %u: pc 0x%llx %s 0x%x %s := 0x%llx mask 0x%llx",
           c->cpu.index, (unsigned long long)c->pc, what, n,
           n < CSR_N && csrs[n].name ? csrs[n].name : "", (unsigned long long)value,
           (unsigned long long)mask);
}

u64 la_csr_write(struct la_cpu *c, unsigned n, u64 value, u64 mask)
{
    log_write_of(c, la_in_guest(c) ? "guest CSR" : "CSR", n, value, mask);
    la_trap_guest_csr(c, n);
    if (!la_csr_exists(c, n))
        return absent(c, "write to", n);
    u64 old = read(c, c->context, n);
    u64 new_value = (old & ~mask) | (value & mask);
    if (n == CSR_CRMD)
        la_trap_level_change(c, new_value);
    if (n == CSR_TVAL && la_in_guest(c) && c->lvz.tval_writable)
        la_timer_set_value(c, c->context, new_value);
    if (is_mcsr(n))
        write_mcsr(c, n, new_value);
    else
        write(c, c->context, n, value, mask, mask & writable_bits(c, n, new_value));
    return old;
}

u64 la_gcsr_read(struct la_cpu *c, unsigned n)
{
    return la_csr_is_of_guest(c, n) ? read(c, &c->guest, n) : absent(c, "read of guest", n);
}

// Root may also set what the guest only reads: its identity, and the stored interrupt bits and
// exception codes of ESTAT.
static u64 writable_from_root(const struct la_cpu *c, unsigned n, u64 new_value)
{
    switch (n) {
    case CSR_ESTAT:
        return BITS(30, 16) | BIT(14) | BIT(12) | BITS(10, 10) | BITS(1, 0) |
               (c->lvz.estat_hwi ? BITS(9, 2) : 0);
    case CSR_BADI: return BITS(31, 0);
    case CSR_CPUID: return BITS(8, 0);
    default: return writable_bits(c, n, new_value);
    }
}

u64 la_gcsr_write(struct la_cpu *c, unsigned n, u64 value, u64 mask)
{
    log_write_of(c, "GCSR", n, value, mask);
    if (!la_csr_is_of_guest(c, n))
        return absent(c, "write to guest", n);
    struct la_context *x = &c->guest;
    u64 old = read(c, x, n), new_value = (old & ~mask) | (value & mask);
    if (n == CSR_TVAL)
        la_timer_set_value(c, x, new_value);
    if (n == CSR_ESTAT && mask & BIT(LINE_TI))
        la_timer_latch(c, x, value >> LINE_TI & 1);
    write(c, x, n, value, mask, mask & writable_from_root(c, n, new_value));
    return old;
}

// A guest's translations are of a mode of its own, so nothing of the root's depends on GSTAT.
static bool has_effect(unsigned n)
{
    switch (n) {
    case CSR_CRMD:
    case CSR_EUEN:
    case CSR_MISC:
    case CSR_ECFG:
    case CSR_ESTAT:
    case CSR_ASID:
    case CSR_STLBPS:
    case CSR_RVACFG:
    case CSR_TCFG:
    case CSR_TVAL:
    case CSR_TICLR:
    case CSR_GCFG:
    case CSR_GTLBC:
    case CSR_GINTC:
    case CSR_LLBCTL:
    case CSR_IMPCTL2: return true;
    default: return (n >= CSR_DMW0 && n <= CSR_DMW3) || is_plain_window(n) || is_mcsr(n);
    }
}

unsigned la_csr_load_width(const struct la_cpu *c, unsigned n)
{
    switch (n) {
    case CSR_MISC:
    case CSR_ESTAT:
    case CSR_TLBEHI:
    case CSR_TLBREHI:
    case CSR_PGD:
    case CSR_TVAL:
    case CSR_LLBCTL:
    case CSR_GINTC: return 0;
    case CSR_TCFG:
        if (c->lvz.timer_ends_en)
            return 0;
        break;
    default: break;
    }
    if (n >= CSR_N || is_mcsr(n) || is_plain_window(n) || !la_csr_exists(c, n))
        return 0;
    return csrs[n].writable <= 0xffffffff ? 32 : 64;
}

u64 la_csr_stored_bits(const struct la_cpu *c, unsigned n, bool of_guest)
{
    if (n >= CSR_N || has_effect(n) || !la_csr_exists(c, n))
        return 0;
    return of_guest ? writable_from_root(c, n, 0) : writable_bits(c, n, 0);
}

void la_units_changed(struct la_cpu *c)
{
    c->units = (u32)c->csr[CSR_EUEN];
    if (la_in_guest(c))
        c->units &= (u32)c->root.csr[CSR_EUEN];
}
