// SPDX-License-Identifier: Apache-2.0
// Plain integer loads and stores, prefetches and barriers. Reference Manual, volume 1, 2.2.5 and
// 2.2.8.
#include "cpu/loongarch64/interp.h"
#include "cpu/loongarch64/access.h"

#include <stdatomic.h>

// Three address forms of one access: base + 12-bit offset (also scaled 14-bit, the same once it is
// decoded) and base + index. A load to r0 accesses memory as any other.
#define LOAD(name, bits, type)                                   \
    INSN(name)                                                   \
    {                                                            \
        u64 va = c->gpr[i->rj] + (u64)(s64)i->imm;               \
        set_gpr(c, i->rd, (u64)(s64)(type)la_load##bits(c, va)); \
    }
#define LOAD_INDEXED(name, bits, type)                           \
    INSN(name)                                                   \
    {                                                            \
        u64 va = c->gpr[i->rj] + c->gpr[i->rk];                  \
        set_gpr(c, i->rd, (u64)(s64)(type)la_load##bits(c, va)); \
    }
#define STORE(name, bits)                                                   \
    INSN(name)                                                              \
    {                                                                       \
        la_store##bits(c, c->gpr[i->rj] + (u64)(s64)i->imm, c->gpr[i->rd]); \
    }
#define STORE_INDEXED(name, bits)                                        \
    INSN(name)                                                           \
    {                                                                    \
        la_store##bits(c, c->gpr[i->rj] + c->gpr[i->rk], c->gpr[i->rd]); \
    }

LOAD(ld_b, 8, s8)
LOAD(ld_h, 16, s16)
LOAD(ld_w, 32, s32)
LOAD(ld_d, 64, s64)
LOAD(ld_bu, 8, u8)
LOAD(ld_hu, 16, u16)
LOAD(ld_wu, 32, u32)
LOAD(ldptr_w, 32, s32)
LOAD(ldptr_d, 64, s64)
LOAD_INDEXED(ldx_b, 8, s8)
LOAD_INDEXED(ldx_h, 16, s16)
LOAD_INDEXED(ldx_w, 32, s32)
LOAD_INDEXED(ldx_d, 64, s64)
LOAD_INDEXED(ldx_bu, 8, u8)
LOAD_INDEXED(ldx_hu, 16, u16)
LOAD_INDEXED(ldx_wu, 32, u32)
STORE(st_b, 8)
STORE(st_h, 16)
STORE(st_w, 32)
STORE(st_d, 64)
STORE(stptr_w, 32)
STORE(stptr_d, 64)
STORE_INDEXED(stx_b, 8)
STORE_INDEXED(stx_h, 16)
STORE_INDEXED(stx_w, 32)
STORE_INDEXED(stx_d, 64)

// Prefetches raise nothing, whatever the address.
INSN(preld)
{
    la_trap_barrier(c);
}

INSN(preldx)
{
    la_trap_barrier(c);
}

// Every hint asks for at most what hint 0 gives.
INSN(dbar)
{
    la_trap_barrier(c);
    atomic_thread_fence(memory_order_seq_cst);
}

// The loop compares each instruction with memory before it runs it.
INSN(ibar)
{
    la_trap_barrier(c);
}
