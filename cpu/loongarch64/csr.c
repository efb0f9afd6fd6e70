// SPDX-License-Identifier: Apache-2.0
// Reads and writes of control and status registers: csr.def says which bits are plain storage; the
// registers with effects are here. Section 7 of the Reference Manual.
#include "cpu/loongarch64/state.h"

struct csr {
    bool exists;
    const char *name;
    u64 writable;
};

static const struct csr csrs[CSR_N] = {
#define CSR(number, name, writable, reset) [number] = {true, #name, writable},
#include "cpu/loongarch64/csr.def"
#undef CSR
};

// Windows of many alike registers without effects: uncached-accelerate windows, performance
// counters, watchpoints (of which the models have none: their counts read 0).
static bool is_plain_window(unsigned n)
{
    return (n >= CSR_UCAWIN && n <= 0x109) || (n >= CSR_PMCFG0 && n <= 0x207) ||
           (n > CSR_MWPC && n <= 0x32f) || (n > 0x380 && n <= 0x3cf) || n == CSR_MWPC || n == 0x380;
}

static bool is_mcsr(unsigned n)
{
    return n >= CSR_MCSR0 && n <= 0xff;
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

static u64 read_estat(const struct la_cpu *c)
{
    u32 lines = __atomic_load_n(&c->cpu.lines, __ATOMIC_RELAXED) & ~3u;
    return c->csr[CSR_ESTAT] | lines | (u64)c->timer_fired << LINE_TI;
}

static u64 read_pgd(const struct la_cpu *c)
{
    u64 va = c->csr[CSR_TLBRERA] & 1 ? c->csr[CSR_TLBRBADV] : c->csr[CSR_BADV];
    return va >> 63 ? c->csr[CSR_PGDH] : c->csr[CSR_PGDL];
}

// The bits above VPPN copy its highest one.
static u64 read_ehi(const struct la_cpu *c, unsigned n)
{
    return (u64)sign_extend(c->csr[n], (unsigned)bits_get(c->cpucfg[1], 19, 12) + 1);
}

static u64 read_absent(struct la_cpu *c, unsigned n)
{
    if (is_mcsr(n))
        return read_mcsr(c, n);
    log_unimp(c->cpu.bus->log, "cpu %u: read of CSR 0x%x, which is not there", c->cpu.index, n);
    return 0;
}

u64 la_csr_read(struct la_cpu *c, unsigned n)
{
    switch (n) {
    case CSR_ESTAT: return read_estat(c);
    case CSR_TLBEHI:
    case CSR_TLBREHI: return read_ehi(c, n);
    case CSR_PGD: return read_pgd(c);
    case CSR_TVAL: return la_timer_value(c);
    case CSR_LLBCTL: return c->csr[CSR_LLBCTL] | (c->ll_bit ? LLBCTL_ROLLB : 0);
    default: break;
    }
    if (n < CSR_N && (csrs[n].exists || is_plain_window(n)))
        return c->csr[n];
    return read_absent(c, n);
}

// Bits that a model without the unit does not have.
static u64 writable_bits(const struct la_cpu *c, unsigned n)
{
    u64 bits = csrs[n].writable;
    if (n == CSR_EUEN) {
        bits &= c->cpucfg[2] & BIT(6) ? ~0ULL : ~(u64)EUEN_SXE;
        bits &= c->cpucfg[2] & BIT(7) ? ~0ULL : ~(u64)EUEN_ASXE;
        bits &= c->cpucfg[2] & BITS(20, 18) ? ~0ULL : ~(u64)EUEN_BTE;
    }
    if (n == CSR_PWCH && !(c->cpucfg[2] & BIT(24)))
        bits &= ~BIT(24);
    return bits;
}

// Registers that act on the bits written rather than store them.
static void act_on_write(struct la_cpu *c, unsigned n, u64 written)
{
    switch (n) {
    case CSR_TICLR:
        if (written & 1)
            c->timer_fired = false;
        break;
    case CSR_LLBCTL:
        if (written & LLBCTL_WCLLB)
            c->ll_bit = false;
        break;
    case CSR_IMPCTL2: la_tlb_flush_parts(c, written & 2, written & 1); break;
    default: break;
    }
}

// What follows from the new value of a register.
static void after_write(struct la_cpu *c, unsigned n, u64 old)
{
    switch (n) {
    case CSR_CRMD:
    case CSR_ASID:
    case CSR_MISC:
        la_mmu_mode_changed(c);
        la_check_interrupts_soon(c);
        break;
    case CSR_ECFG:
    case CSR_ESTAT: la_check_interrupts_soon(c); break;
    case CSR_TCFG: la_timer_configure(c); break;
    case CSR_RVACFG:
    case CSR_DMW0:
    case CSR_DMW1:
    case CSR_DMW2:
    case CSR_DMW3:
        if (c->csr[n] != old)
            la_mmu_flush(c);
        break;
    case CSR_STLBPS:
        if (c->csr[n] != old)
            la_tlb_stlb_page_size_changed(c);
        break;
    default: break;
    }
}

static u64 write_absent(struct la_cpu *c, unsigned n, u64 value, u64 mask)
{
    u64 old = read_absent(c, n);
    if (is_mcsr(n))
        write_mcsr(c, n, (old & ~mask) | (value & mask));
    return old;
}

u64 la_csr_write(struct la_cpu *c, unsigned n, u64 value, u64 mask)
{
    bool is_window = is_plain_window(n);
    log_at(c->cpu.bus->log, LOG_CSR, "cpu %u: pc 0x%llx CSR 0x%x %s := 0x%llx mask 0x%llx",
           c->cpu.index, (unsigned long long)c->pc, n,
           n < CSR_N && csrs[n].name ? csrs[n].name : "", (unsigned long long)value,
           (unsigned long long)mask);
    if (!is_window && (n >= CSR_N || !csrs[n].exists))
        return write_absent(c, n, value, mask);
    u64 old = la_csr_read(c, n), stored = c->csr[n];
    // Counts of watchpoints are read-only; the rest of a window is storage.
    u64 bits = is_window ? (n == CSR_MWPC || n == 0x380 ? 0 : mask) : mask & writable_bits(c, n);
    c->csr[n] = (stored & ~bits) | (value & bits);
    act_on_write(c, n, value & mask);
    after_write(c, n, stored);
    return old;
}
