// SPDX-License-Identifier: Apache-2.0
// Instructions of the virtualization extension. For those of the root a guest at PLV 0 exits, as
// for every sensitive resource.
#include "cpu/loongarch64/interp.h"

INSN(gcsrrd)
{
    la_need_root(c);
    set_gpr(c, i->rd, la_gcsr_read(c, (unsigned)i->imm));
}

INSN(gcsrwr)
{
    la_need_root(c);
    set_gpr(c, i->rd, la_gcsr_write(c, (unsigned)i->imm, c->gpr[i->rd], ~0ULL));
}

INSN(gcsrxchg)
{
    la_need_root(c);
    set_gpr(c, i->rd, la_gcsr_write(c, (unsigned)i->imm, c->gpr[i->rd], c->gpr[i->rj]));
}

#define GUEST_TLB(name)             \
    INSN(g##name)                   \
    {                               \
        la_need_root(c);            \
        la_##name(c, LA_TLB_GUEST); \
    }

GUEST_TLB(tlbsrch)
GUEST_TLB(tlbrd)
GUEST_TLB(tlbwr)
GUEST_TLB(tlbfill)
GUEST_TLB(tlbclr)
GUEST_TLB(tlbflush)

// Only a guest has somebody to call. The code is in the instruction word, which BADI shows.
INSN(hvcl)
{
    if (!la_in_guest(c)) {
        la_lvz_check_hvcl(c);
        la_raise(c, EXC_INE);
    }
    if (la_plv(c) && !c->lvz.hvcl_any_plv)
        la_raise(c, EXC_IPE);
    la_raise_root(c, EXC_HVC, 0);
}
