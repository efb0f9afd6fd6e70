// SPDX-License-Identifier: Apache-2.0
// Vector loads and stores: whole registers, one element replicated, one element stored. Volume 2 is
// not published; the names follow the assembler's.
#include "cpu/loongarch64/interp_vec.h"
#include "cpu/loongarch64/access.h"

#define BASE_OFFSET (c->gpr[i->rj] + (u64)(s64)i->imm)
#define BASE_INDEX  (c->gpr[i->rj] + c->gpr[i->rk])

// A load that faults leaves the register alone.
static void load(struct la_cpu *c, unsigned reg, u64 va, unsigned n_words)
{
    u64 words[4];
    la_load_vector(c, va, words, n_words);
    for (unsigned n = 0; n < n_words; n++)
        c->vr[reg].d[n] = words[n];
}

#define WHOLE(prefix, need, n_words)                                \
    INSN(prefix##ld)                                                \
    {                                                               \
        need(c);                                                    \
        load(c, i->rd, BASE_OFFSET, (n_words));                     \
    }                                                               \
    INSN(prefix##ldx)                                               \
    {                                                               \
        need(c);                                                    \
        load(c, i->rd, BASE_INDEX, (n_words));                      \
    }                                                               \
    INSN(prefix##st)                                                \
    {                                                               \
        need(c);                                                    \
        la_store_vector(c, BASE_OFFSET, c->vr[i->rd].d, (n_words)); \
    }                                                               \
    INSN(prefix##stx)                                               \
    {                                                               \
        need(c);                                                    \
        la_store_vector(c, BASE_INDEX, c->vr[i->rd].d, (n_words));  \
    }

WHOLE(v, la_need_lsx, 2)
WHOLE(xv, la_need_lasx, 4)

// One element from memory into all, or element imm2 into memory.
#define ELEMENT(prefix, need, n_bytes, suffix, bits, field)          \
    INSN(prefix##ldrepl_##suffix)                                    \
    {                                                                \
        need(c);                                                     \
        u##bits value = (u##bits)la_load##bits(c, BASE_OFFSET);      \
        for (unsigned n = 0; n < 8 * (n_bytes) / (bits); n++)        \
            c->vr[i->rd].field[n] = value;                           \
    }                                                                \
    INSN(prefix##stelm_##suffix)                                     \
    {                                                                \
        need(c);                                                     \
        la_store##bits(c, BASE_OFFSET, c->vr[i->rd].field[i->imm2]); \
    }

ELEMENT(v, la_need_lsx, 16, b, 8, b)
ELEMENT(v, la_need_lsx, 16, h, 16, h)
ELEMENT(v, la_need_lsx, 16, w, 32, w)
ELEMENT(v, la_need_lsx, 16, d, 64, d)
ELEMENT(xv, la_need_lasx, 32, b, 8, b)
ELEMENT(xv, la_need_lasx, 32, h, 16, h)
ELEMENT(xv, la_need_lasx, 32, w, 32, w)
ELEMENT(xv, la_need_lasx, 32, d, 64, d)
