// SPDX-License-Identifier: Apache-2.0
// Privileged instructions: control registers, I/O configuration space, TLB, cache maintenance,
// return from exception, idle. Reference Manual, volume 1, 4.2. All but some cache operations and
// reads of performance counters want PLV 0.
#include "cpu/loongarch64/interp.h"

// A performance counter that exists may be read at a level that MISC.RPCNTL allows.
static bool is_open_counter(struct la_cpu *c, unsigned number)
{
    const unsigned misc_rpcntl = 8; // bit of PLV 0; that of PLV n is n higher
    const u32 cpucfg6 = c->cpucfg[6];
    const unsigned n_counters = cpucfg6 & 1 ? (cpucfg6 >> 4 & 15) + 1 : 0;
    bool is_pmcnt = number >= CSR_PMCFG0 && number < CSR_PMCFG0 + 2 * n_counters && number % 2 == 1;
    return is_pmcnt && (c->csr[CSR_MISC] >> (misc_rpcntl + la_plv(c)) & 1);
}

INSN(csrrd)
{
    unsigned number = (unsigned)i->imm;
    if (!is_open_counter(c, number))
        la_need_plv0(c);
    set_gpr(c, i->rd, la_csr_read(c, number));
}

INSN(csrwr)
{
    la_need_plv0(c);
    set_gpr(c, i->rd, la_csr_write(c, (unsigned)i->imm, c->gpr[i->rd], ~0ULL));
}

INSN(csrxchg)
{
    la_need_plv0(c);
    set_gpr(c, i->rd, la_csr_write(c, (unsigned)i->imm, c->gpr[i->rd], c->gpr[i->rj]));
}

static u64 iocsr_read(struct la_cpu *c, const struct la_insn *i, unsigned size)
{
    la_need_plv0(c);
    la_trap_sensitive(c);
    struct cpu_bus *bus = c->cpu.bus;
    return bus->iocsr_read(bus->opaque, c->cpu.index, (u32)c->gpr[i->rj], size);
}

static void iocsr_write(struct la_cpu *c, const struct la_insn *i, unsigned size)
{
    la_need_plv0(c);
    la_trap_sensitive(c);
    struct cpu_bus *bus = c->cpu.bus;
    u64 value = c->gpr[i->rd] & BITS(8 * size - 1, 0);
    bus->iocsr_write(bus->opaque, c->cpu.index, (u32)c->gpr[i->rj], value, size);
}

INSN(iocsrrd_b)
{
    set_gpr(c, i->rd, (u64)(s64)(s8)iocsr_read(c, i, 1));
}

INSN(iocsrrd_h)
{
    set_gpr(c, i->rd, (u64)(s64)(s16)iocsr_read(c, i, 2));
}

INSN(iocsrrd_w)
{
    set_gpr(c, i->rd, word(iocsr_read(c, i, 4)));
}

INSN(iocsrrd_d)
{
    set_gpr(c, i->rd, iocsr_read(c, i, 8));
}

INSN(iocsrwr_b)
{
    iocsr_write(c, i, 1);
}

INSN(iocsrwr_h)
{
    iocsr_write(c, i, 2);
}

INSN(iocsrwr_w)
{
    iocsr_write(c, i, 4);
}

INSN(iocsrwr_d)
{
    iocsr_write(c, i, 8);
}

static void need_tlb(struct la_cpu *c)
{
    la_need_plv0(c);
    la_trap_tlb(c);
}

INSN(tlbsrch)
{
    need_tlb(c);
    la_tlbsrch(c, LA_TLB_CURRENT);
}

INSN(tlbrd)
{
    need_tlb(c);
    la_tlbrd(c, LA_TLB_CURRENT);
}

INSN(tlbwr)
{
    need_tlb(c);
    la_tlbwr(c, LA_TLB_CURRENT);
}

INSN(tlbfill)
{
    need_tlb(c);
    la_tlbfill(c, LA_TLB_CURRENT);
}

INSN(tlbclr)
{
    need_tlb(c);
    la_tlbclr(c, LA_TLB_CURRENT);
}

INSN(tlbflush)
{
    need_tlb(c);
    la_tlbflush(c, LA_TLB_CURRENT);
}

// An operation that does not exist is none to trap, unless a property says otherwise.
INSN(invtlb)
{
    bool exits = la_in_guest(c) && c->lvz.gspr_first;
    if (la_plv(c))
        la_raise(c, EXC_IPE);
    if (!la_invtlb_exists(c, (unsigned)i->imm2) && !exits)
        la_raise(c, EXC_INE);
    need_tlb(c);
    if (!la_invtlb_exists(c, (unsigned)i->imm2))
        la_trap_sensitive(c);
    la_invtlb(c, (unsigned)i->imm2, c->gpr[i->rj], c->gpr[i->rk]);
}

// Of a guest; what they do is reading, though what for is the TLB.
static void need_tables(struct la_cpu *c)
{
    la_need_plv0(c);
    if (c->lvz.toti_walk)
        la_trap_tlb(c);
}

INSN(lddir)
{
    need_tables(c);
    set_gpr(c, i->rd, la_lddir(c, c->gpr[i->rj], (unsigned)i->imm2));
}

INSN(ldpte)
{
    need_tables(c);
    la_ldpte(c, c->gpr[i->rj], (unsigned)i->imm2);
}

// Caches are coherent here, so that maintenance does nothing. Operations by address (op[4:3] = 2)
// are open to every level and translate their address as a load does.
INSN(cacop)
{
    const unsigned op = (unsigned)i->imm2;
    const bool by_address = op >> 3 == 2;
    if (!by_address)
        la_need_plv0(c);
    la_trap_cacop(c, op);
    if (by_address)
        la_translate(c, c->gpr[i->rj] + (u64)(s64)i->imm, LA_LOAD);
}

INSN(ertn)
{
    if (la_plv(c))
        la_raise(c, EXC_IPE);
    if (c->lvz.sit_ertn)
        la_need_plv0(c);
    la_ertn(c);
}

// The loop stops after this instruction; an interrupt returns to the next one.
INSN(idle)
{
    la_need_plv0(c);
    la_trap_sensitive(c);
    c->idle = true;
    la_check_interrupts_soon(c);
}
