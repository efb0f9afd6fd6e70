// SPDX-License-Identifier: Apache-2.0
// System call and breakpoint, configuration words, the stable counter, and the call into a
// debugger. Reference Manual, volume 1, 2.2.10 and 4.2.6.
#include "cpu/loongarch64/interp.h"

INSN(syscall)
{
    la_raise(c, EXC_SYS);
}

INSN(break)
{
    la_raise(c, EXC_BRK);
}

// Words that do not exist read as 0.
INSN(cpucfg)
{
    la_trap_sensitive(c);
    u64 n = c->gpr[i->rj];
    set_gpr(c, i->rd, n < LA_N_CPUCFG ? word(c->cpucfg[n]) : 0);
}

// The counter as this processor sees it. MISC.DRDTL may close it to a level above 0.
static u64 read_counter(struct la_cpu *c)
{
    const unsigned misc_drdtl = 4; // bit of PLV 0, reserved; that of PLV n is n higher
    unsigned plv = la_plv(c);
    if (unlikely(plv && (c->csr[CSR_MISC] >> (misc_drdtl + plv) & 1)))
        la_raise(c, EXC_IPE);
    la_trap_timer(c);
    return la_counter_of_context(c);
}

// rj takes the counter's number. Should both be the same register, the count stays.
static void read_time(struct la_cpu *c, const struct la_insn *i, u64 count)
{
    set_gpr(c, i->rj, word(c->csr[CSR_TID]));
    set_gpr(c, i->rd, count);
}

INSN(rdtime_d)
{
    read_time(c, i, read_counter(c));
}

INSN(rdtimel_w)
{
    read_time(c, i, word(read_counter(c)));
}

INSN(rdtimeh_w)
{
    read_time(c, i, word(read_counter(c) >> 32));
}

// No debug mode is modelled.
INSN(dbcl)
{
    la_need_plv0(c);
    if (!c->lvz.dbcl_ine)
        la_trap_sensitive(c);
    log_unimp(c->cpu.bus->log, "dbcl at %#llx: no debug mode", (unsigned long long)c->pc);
    la_raise(c, EXC_INE);
}
