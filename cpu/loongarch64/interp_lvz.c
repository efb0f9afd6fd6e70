// SPDX-License-Identifier: Apache-2.0
// Instructions of the virtualization extension. No model offers LVZ, so that none of them is
// reached; a model that does gets an undefined instruction and a line in the log.
#include "cpu/loongarch64/interp.h"

static _Noreturn void no_lvz(struct la_cpu *c, const char *name)
{
    log_unimp(c->cpu.bus->log, "%s at %#llx: no virtualization extension", name,
              (unsigned long long)c->pc);
    la_raise(c, EXC_INE);
}

#define NO_LVZ(name)      \
    INSN(name)            \
    {                     \
        no_lvz(c, #name); \
    }

NO_LVZ(gcsrrd)
NO_LVZ(gcsrwr)
NO_LVZ(gcsrxchg)
NO_LVZ(gtlbclr)
NO_LVZ(gtlbflush)
NO_LVZ(gtlbsrch)
NO_LVZ(gtlbrd)
NO_LVZ(gtlbwr)
NO_LVZ(gtlbfill)
NO_LVZ(hvcl)
