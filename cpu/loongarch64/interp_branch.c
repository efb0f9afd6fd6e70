// SPDX-License-Identifier: Apache-2.0
// Branches. Reference Manual, volume 1, 2.2.4. The immediates are byte offsets; a target that is
// not a multiple of 4 raises ADEF when it is fetched.
#include "cpu/loongarch64/interp.h"

static void branch_if(struct la_cpu *c, const struct la_insn *i, bool taken)
{
    if (taken)
        c->next_pc = c->pc + (u64)(s64)i->imm;
}

#define BRANCH(name, condition)                           \
    INSN(name)                                            \
    {                                                     \
        const u64 rj = c->gpr[i->rj], rd = c->gpr[i->rd]; \
        branch_if(c, i, condition);                       \
    }

BRANCH(beq, rj == rd)
BRANCH(bne, rj != rd)
BRANCH(blt, (s64)rj < (s64)rd)
BRANCH(bge, (s64)rj >= (s64)rd)
BRANCH(bltu, rj < rd)
BRANCH(bgeu, rj >= rd)

INSN(beqz)
{
    branch_if(c, i, c->gpr[i->rj] == 0);
}

INSN(bnez)
{
    branch_if(c, i, c->gpr[i->rj] != 0);
}

INSN(bceqz)
{
    la_need_fp(c);
    branch_if(c, i, c->fcc[i->rj] == 0);
}

INSN(bcnez)
{
    la_need_fp(c);
    branch_if(c, i, c->fcc[i->rj] != 0);
}

INSN(b)
{
    branch_if(c, i, true);
}

INSN(bl)
{
    set_gpr(c, 1, c->pc + 4);
    branch_if(c, i, true);
}

INSN(jirl)
{
    c->next_pc = c->gpr[i->rj] + (u64)(s64)i->imm;
    set_gpr(c, i->rd, c->pc + 4);
}
