// SPDX-License-Identifier: Apache-2.0
// Atomic memory access: read-modify-write, compare-and-swap, load-linked and store-conditional.
// Reference Manual, volume 1, 2.2.7.
//
// All are done by the host's atomic instructions, sequentially consistent, so the forms with a
// barrier (_db) are the same as those without. Addresses must be aligned on every model.
#include "cpu/loongarch64/interp.h"
#include "cpu/loongarch64/access.h"

#include <stdatomic.h>

// rd = rj is not an instruction; of rd = rk the manual says that the result is uncertain, and here
// it is not an instruction either. r0 takes no result, so nothing overlaps.
static void check_registers(struct la_cpu *c, const struct la_insn *i)
{
    if (unlikely(i->rd != 0 && (i->rd == i->rj || i->rd == i->rk)))
        la_raise(c, EXC_INE);
}

// The old value, sign-extended, goes to rd; `value`, an expression of it and rk, goes to memory.
#define ATOMIC_FORM(name, type, value)                                                       \
    INSN(name)                                                                               \
    {                                                                                        \
        check_registers(c, i);                                                               \
        type *p = la_atomic_host(c, c->gpr[i->rj], sizeof(type));                            \
        const type rk = (type)c->gpr[i->rk];                                                 \
        type old = __atomic_load_n(p, __ATOMIC_RELAXED);                                     \
        while (!__atomic_compare_exchange_n(p, &old, (type)(value), false, __ATOMIC_SEQ_CST, \
                                            __ATOMIC_SEQ_CST))                               \
            ;                                                                                \
        set_gpr(c, i->rd, (u64)(s64)old);                                                    \
    }
#define ATOMIC(op, suffix, type, value)     \
    ATOMIC_FORM(op##_##suffix, type, value) \
    ATOMIC_FORM(op##_db_##suffix, type, value)

ATOMIC(amswap, b, s8, rk)
ATOMIC(amswap, h, s16, rk)
ATOMIC(amswap, w, s32, rk)
ATOMIC(amswap, d, s64, rk)
ATOMIC(amadd, b, s8, (u64)old + (u64)rk)
ATOMIC(amadd, h, s16, (u64)old + (u64)rk)
ATOMIC(amadd, w, s32, (u64)old + (u64)rk)
ATOMIC(amadd, d, s64, (u64)old + (u64)rk)
ATOMIC(amand, w, s32, (old & rk))
ATOMIC(amand, d, s64, (old & rk))
ATOMIC(amor, w, s32, old | rk)
ATOMIC(amor, d, s64, old | rk)
ATOMIC(amxor, w, s32, old ^ rk)
ATOMIC(amxor, d, s64, old ^ rk)
ATOMIC(ammax, w, s32, old > rk ? old : rk)
ATOMIC(ammax, d, s64, old > rk ? old : rk)
ATOMIC(ammin, w, s32, old < rk ? old : rk)
ATOMIC(ammin, d, s64, old < rk ? old : rk)
ATOMIC(ammax, wu, s32, (u32)old > (u32)rk ? old : rk)
ATOMIC(ammax, du, s64, (u64)old > (u64)rk ? old : rk)
ATOMIC(ammin, wu, s32, (u32)old < (u32)rk ? old : rk)
ATOMIC(ammin, du, s64, (u64)old < (u64)rk ? old : rk)

// rd brings what memory is compared with, and takes what was found, sign-extended.
#define COMPARE_AND_SWAP_FORM(name, type)                                                    \
    INSN(name)                                                                               \
    {                                                                                        \
        type *p = la_atomic_host(c, c->gpr[i->rj], sizeof(type));                            \
        type found = (type)c->gpr[i->rd];                                                    \
        __atomic_compare_exchange_n(p, &found, (type)c->gpr[i->rk], false, __ATOMIC_SEQ_CST, \
                                    __ATOMIC_SEQ_CST);                                       \
        set_gpr(c, i->rd, (u64)(s64)found);                                                  \
    }
#define COMPARE_AND_SWAP(suffix, type)          \
    COMPARE_AND_SWAP_FORM(amcas_##suffix, type) \
    COMPARE_AND_SWAP_FORM(amcas_db_##suffix, type)

COMPARE_AND_SWAP(b, s8)
COMPARE_AND_SWAP(h, s16)
COMPARE_AND_SWAP(w, s32)
COMPARE_AND_SWAP(d, s64)

// Load-linked remembers the place and what it found there; store-conditional succeeds if that is
// still there. A value that was changed and changed back goes unseen, where silicon fails: the
// price of not watching every store.

// What two accesses have in common exactly if they are to the same memory. In RAM it is the address
// in the host, which is what translated code knows.
static u64 place_of(struct la_cpu *c, u64 va, enum la_access access)
{
    u64 pa = la_translate(c, va, access);
    u8 *host = mem_ram_page(c->cpu.bus->mem, pa, 1, true);
    return host ? (u64)(uintptr_t)host : pa | BIT(63);
}

static void set_link(struct la_cpu *c, u64 va, u64 value)
{
    c->context->link.place = place_of(c, va, LA_LOAD);
    c->context->link.value[0] = value;
    c->context->link.is_set = true;
}

// sc.q comes after ll.d on the lower half, so that one remembers the upper half too.
static void link_pair(struct la_cpu *c, u64 va, u64 value)
{
    const u32 cpucfg2_scq = 1u << 30;
    u64 high = (va & 15) == 0 && (c->cpucfg[2] & cpucfg2_scq) ? la_load64(c, va + 8) : 0;
    set_link(c, va, value);
    c->context->link.value[1] = high;
}

static void load_linked_w(struct la_cpu *c, const struct la_insn *i, u64 va)
{
    check_aligned(c, va, 4);
    u64 value = la_load32(c, va);
    set_link(c, va, value);
    set_gpr(c, i->rd, word(value));
}

static void load_linked_d(struct la_cpu *c, const struct la_insn *i, u64 va)
{
    check_aligned(c, va, 8);
    u64 value = la_load64(c, va);
    link_pair(c, va, value);
    set_gpr(c, i->rd, value);
}

INSN(ll_w)
{
    load_linked_w(c, i, c->gpr[i->rj] + (u64)(s64)i->imm);
}

INSN(ll_d)
{
    load_linked_d(c, i, c->gpr[i->rj] + (u64)(s64)i->imm);
}

INSN(llacq_w)
{
    load_linked_w(c, i, c->gpr[i->rj]);
    atomic_thread_fence(memory_order_acquire);
}

INSN(llacq_d)
{
    load_linked_d(c, i, c->gpr[i->rj]);
    atomic_thread_fence(memory_order_acquire);
}

// True if the store may be tried. Without a link memory is not looked at, so nothing but ALE can
// be raised then.
static bool unlink_if_same(struct la_cpu *c, u64 va, unsigned size)
{
    check_aligned(c, va, size);
    bool same = c->context->link.is_set && place_of(c, va, LA_STORE) == c->context->link.place;
    c->context->link.is_set = false;
    return same;
}

static void store_conditional_w(struct la_cpu *c, const struct la_insn *i, u64 va)
{
    bool done = false;
    if (unlink_if_same(c, va, 4)) {
        u32 *p = la_atomic_host(c, va, 4), expected = (u32)c->context->link.value[0];
        done = __atomic_compare_exchange_n(p, &expected, (u32)c->gpr[i->rd], false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    set_gpr(c, i->rd, done);
}

static void store_conditional_d(struct la_cpu *c, const struct la_insn *i, u64 va)
{
    bool done = false;
    if (unlink_if_same(c, va, 8)) {
        u64 *p = la_atomic_host(c, va, 8), expected = c->context->link.value[0];
        done = __atomic_compare_exchange_n(p, &expected, c->gpr[i->rd], false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
    set_gpr(c, i->rd, done);
}

INSN(sc_w)
{
    store_conditional_w(c, i, c->gpr[i->rj] + (u64)(s64)i->imm);
}

INSN(sc_d)
{
    store_conditional_d(c, i, c->gpr[i->rj] + (u64)(s64)i->imm);
}

INSN(screl_w)
{
    store_conditional_w(c, i, c->gpr[i->rj]);
}

INSN(screl_d)
{
    store_conditional_d(c, i, c->gpr[i->rj]);
}

// Compilers do not emit cmpxchg16b for plain x86-64, because the first of these processors lacked
// it. LoongArch64 hosts do not all have sc.q: there the device lock keeps sc.q apart from sc.q, and
// other stores to the sixteen bytes are seen up to the comparison. Other 64-bit hosts get what the
// compiler has: a pair of exclusive accesses.
static bool compare_and_swap_16(struct la_cpu *c, void *p, u64 low, u64 high)
{
    const u64 *expected = c->context->link.value;
#if defined(__x86_64__)
    u64 a = expected[0], d = expected[1];
    bool done;
    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(done), "+m"(*(u128 *)p), "+a"(a), "+d"(d)
                     : "b"(low), "c"(high)
                     : "memory");
    return done;
#elif defined(__loongarch64)
    u64 *half = p, first = expected[0];
    mem_lock(c->cpu.bus->mem);
    bool done = __atomic_load_n(&half[1], __ATOMIC_SEQ_CST) == expected[1] &&
                __atomic_compare_exchange_n(&half[0], &first, low, false, __ATOMIC_SEQ_CST,
                                            __ATOMIC_SEQ_CST);
    if (done)
        __atomic_store_n(&half[1], high, __ATOMIC_SEQ_CST);
    mem_unlock(c->cpu.bus->mem);
    return done;
#else
    return __sync_bool_compare_and_swap((u128 *)p, (u128)expected[1] << 64 | expected[0],
                                        (u128)high << 64 | low);
#endif
}

INSN(sc_q)
{
    u64 va = c->gpr[i->rj];
    bool done = false;
    if (unlink_if_same(c, va, 16))
        done = compare_and_swap_16(c, la_atomic_host(c, va, 16), c->gpr[i->rd], c->gpr[i->rk]);
    set_gpr(c, i->rd, done);
}
