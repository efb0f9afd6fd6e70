// SPDX-License-Identifier: Apache-2.0
// Moves between floating-point registers, general registers, condition flags and FCSR; loads and
// stores. Reference Manual, volume 1, 3.2.4 and 3.2.6.
#include "cpu/loongarch64/interp_fp.h"
#include "cpu/loongarch64/access.h"

#define MOVE(name, effect) \
    INSN(name)             \
    {                      \
        la_need_fp(c);     \
        effect;            \
    }

MOVE(fmov_s, set_fpr32(c, i->rd, fpr32(c, i->rj)))
MOVE(fmov_d, set_fpr64(c, i->rd, fpr64(c, i->rj)))
MOVE(fsel, set_fpr64(c, i->rd, fpr64(c, c->fcc[i->ra] ? i->rk : i->rj)))
MOVE(movgr2fr_w, c->vr[i->rd].w[0] = (u32)c->gpr[i->rj])
MOVE(movgr2frh_w, c->vr[i->rd].w[1] = (u32)c->gpr[i->rj])
MOVE(movgr2fr_d, set_fpr64(c, i->rd, c->gpr[i->rj]))
MOVE(movfr2gr_s, set_gpr(c, i->rd, word(c->vr[i->rj].w[0])))
MOVE(movfrh2gr_s, set_gpr(c, i->rd, word(c->vr[i->rj].w[1])))
MOVE(movfr2gr_d, set_gpr(c, i->rd, fpr64(c, i->rj)))
MOVE(movfr2cf, c->fcc[i->rd] = fpr64(c, i->rj) & 1)
MOVE(movcf2fr, set_fpr64(c, i->rd, c->fcc[i->rj]))
MOVE(movgr2cf, c->fcc[i->rd] = c->gpr[i->rj] & 1)
MOVE(movcf2gr, set_gpr(c, i->rd, c->fcc[i->rj]))

// FCSR1 to FCSR3 are the parts of FCSR0 that the masks say, in place. Reserved bits stay 0. Writing
// an enabled cause raises nothing.
static u32 fcsr_mask(unsigned number)
{
    const u32 mask[4] = {FCSR_ENABLES | FCSR_RM | FCSR_FLAGS | FCSR_CAUSE, FCSR_ENABLES,
                         FCSR_FLAGS | FCSR_CAUSE, FCSR_RM};
    return mask[number & 3];
}

INSN(movgr2fcsr)
{
    la_need_fp(c);
    u32 mask = fcsr_mask(i->rd);
    c->fcsr = (c->fcsr & ~mask) | ((u32)c->gpr[i->rj] & mask);
}

INSN(movfcsr2gr)
{
    la_need_fp(c);
    set_gpr(c, i->rd, c->fcsr & fcsr_mask(i->rj));
}

#define FP_LOAD(name, bits, va)                        \
    INSN(name)                                         \
    {                                                  \
        la_need_fp(c);                                 \
        set_fpr##bits(c, i->rd, la_load##bits(c, va)); \
    }
#define FP_STORE(name, bits, va)                \
    INSN(name)                                  \
    {                                           \
        la_need_fp(c);                          \
        la_store##bits(c, va, fpr64(c, i->rd)); \
    }
#define BASE_OFFSET (c->gpr[i->rj] + (u64)(s64)i->imm)
#define BASE_INDEX  (c->gpr[i->rj] + c->gpr[i->rk])

FP_LOAD(fld_s, 32, BASE_OFFSET)
FP_LOAD(fld_d, 64, BASE_OFFSET)
FP_LOAD(fldx_s, 32, BASE_INDEX)
FP_LOAD(fldx_d, 64, BASE_INDEX)
FP_STORE(fst_s, 32, BASE_OFFSET)
FP_STORE(fst_d, 64, BASE_OFFSET)
FP_STORE(fstx_s, 32, BASE_INDEX)
FP_STORE(fstx_d, 64, BASE_INDEX)
