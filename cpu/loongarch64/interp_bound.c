// SPDX-License-Identifier: Apache-2.0
// Bound checks: assertions, and loads and stores that compare their address with a second register.
// Reference Manual, volume 1, 2.2.6, 2.2.10.3 and 3.2.7.
//
// The comparison is signed. These accesses must be aligned on every model, and ALE goes before BCE
// (6.3.2: alignment-required checks come first).
#include "cpu/loongarch64/interp.h"
#include "cpu/loongarch64/interp_fp.h"
#include "cpu/loongarch64/access.h"

static void check_bound(struct la_cpu *c, const struct la_insn *i, bool ok)
{
    if (unlikely(!ok))
        la_raise_address(c, EXC_BCE, c->gpr[i->rj]);
}

static void check_gt(struct la_cpu *c, const struct la_insn *i)
{
    check_bound(c, i, (s64)c->gpr[i->rj] > (s64)c->gpr[i->rk]);
}

static void check_le(struct la_cpu *c, const struct la_insn *i)
{
    check_bound(c, i, (s64)c->gpr[i->rj] <= (s64)c->gpr[i->rk]);
}

INSN(asrtle_d)
{
    check_le(c, i);
}

INSN(asrtgt_d)
{
    check_gt(c, i);
}

// ADEM goes before BCE too; what the TLB says comes after it.
static void check_address(struct la_cpu *c, u64 va, unsigned size)
{
    check_aligned(c, va, size);
    if (unlikely(!la_mmu_is_address(c, va)))
        la_raise_address(c, EXC_ADEM, va);
}

static u64 checked_va_gt(struct la_cpu *c, const struct la_insn *i, unsigned size)
{
    check_address(c, c->gpr[i->rj], size);
    check_gt(c, i);
    return c->gpr[i->rj];
}

static u64 checked_va_le(struct la_cpu *c, const struct la_insn *i, unsigned size)
{
    check_address(c, c->gpr[i->rj], size);
    check_le(c, i);
    return c->gpr[i->rj];
}

#define LOAD_CHECKED(name, relation, bits, type)                 \
    INSN(name)                                                   \
    {                                                            \
        u64 va = checked_va_##relation(c, i, (bits) / 8);        \
        set_gpr(c, i->rd, (u64)(s64)(type)la_load##bits(c, va)); \
    }
#define STORE_CHECKED(name, relation, bits)               \
    INSN(name)                                            \
    {                                                     \
        u64 va = checked_va_##relation(c, i, (bits) / 8); \
        la_store##bits(c, va, c->gpr[i->rd]);             \
    }

LOAD_CHECKED(ldgt_b, gt, 8, s8)
LOAD_CHECKED(ldgt_h, gt, 16, s16)
LOAD_CHECKED(ldgt_w, gt, 32, s32)
LOAD_CHECKED(ldgt_d, gt, 64, s64)
LOAD_CHECKED(ldle_b, le, 8, s8)
LOAD_CHECKED(ldle_h, le, 16, s16)
LOAD_CHECKED(ldle_w, le, 32, s32)
LOAD_CHECKED(ldle_d, le, 64, s64)
STORE_CHECKED(stgt_b, gt, 8)
STORE_CHECKED(stgt_h, gt, 16)
STORE_CHECKED(stgt_w, gt, 32)
STORE_CHECKED(stgt_d, gt, 64)
STORE_CHECKED(stle_b, le, 8)
STORE_CHECKED(stle_h, le, 16)
STORE_CHECKED(stle_w, le, 32)
STORE_CHECKED(stle_d, le, 64)

#define FP_LOAD_CHECKED(name, relation, bits)             \
    INSN(name)                                            \
    {                                                     \
        la_need_fp(c);                                    \
        u64 va = checked_va_##relation(c, i, (bits) / 8); \
        set_fpr##bits(c, i->rd, la_load##bits(c, va));    \
    }
#define FP_STORE_CHECKED(name, relation, bits)            \
    INSN(name)                                            \
    {                                                     \
        la_need_fp(c);                                    \
        u64 va = checked_va_##relation(c, i, (bits) / 8); \
        la_store##bits(c, va, c->vr[i->rd].d[0]);         \
    }

FP_LOAD_CHECKED(fldgt_s, gt, 32)
FP_LOAD_CHECKED(fldgt_d, gt, 64)
FP_LOAD_CHECKED(fldle_s, le, 32)
FP_LOAD_CHECKED(fldle_d, le, 64)
FP_STORE_CHECKED(fstgt_s, gt, 32)
FP_STORE_CHECKED(fstgt_d, gt, 64)
FP_STORE_CHECKED(fstle_s, le, 32)
FP_STORE_CHECKED(fstle_d, le, 64)
