// SPDX-License-Identifier: Apache-2.0
#include "cpu/loongarch64/interp_flat.h"
#include "cpu/loongarch64/access.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

static struct flat *flat_of(struct la_cpu *c)
{
    return (struct flat *)(void *)c;
}

static u64 flat_iocsr_read(void *opaque, unsigned core, u32 address, unsigned size)
{
    struct flat *f = opaque;
    return f->iocsr & BITS(8 * size - 1, 0);
}

static void flat_iocsr_write(void *opaque, unsigned core, u32 address, u64 value, unsigned size)
{
    struct flat *f = opaque;
    f->iocsr = value;
}

struct flat *flat_new(void)
{
    struct flat *f = calloc(1, sizeof(*f));
    BUG_ON(!f);
    struct la_cpu *c = &f->c;
    memset(c->cache, 0xff, sizeof(c->cache)); // no tag is all ones: nothing is cached
    c->context = &c->root;
    c->csr = c->root.csr;
    c->csr[CSR_EUEN] = EUEN_FPE | EUEN_SXE | EUEN_ASXE;
    memset(c->cpucfg, 0xff, sizeof(c->cpucfg));
    f->bus = (struct cpu_bus){
        .iocsr_read = flat_iocsr_read, .iocsr_write = flat_iocsr_write, .opaque = f};
    c->cpu.bus = &f->bus;
    return f;
}

void flat_free(struct flat *f)
{
    free(f);
}

void flat_add_ram(struct flat *f, u64 base, void *host, u64 size)
{
    BUG_ON(f->n_ram == FLAT_MAX_RAM);
    f->ram[f->n_ram++] = (struct flat_ram){base, size, host};
}

u8 *flat_host(struct flat *f, u64 va, u64 size)
{
    for (unsigned n = 0; n < f->n_ram; n++) {
        const struct flat_ram *r = &f->ram[n];
        if (va >= r->base && va - r->base <= r->size && size <= r->size - (va - r->base))
            return r->host + (va - r->base);
    }
    return NULL;
}

int flat_step(struct flat *f, u32 word)
{
    struct la_cpu *c = &f->c;
    struct la_insn insn;
    la_decode(word, &insn);
    interp_fn run = interp_table[insn.op];
    if (!run)
        return EXC_INE;
    c->insn = word;
    c->next_pc = c->pc + 4;
    int e = setjmp(c->leave);
    if (e)
        return e - 1;
    run(c, &insn);
    c->pc = c->next_pc;
    return -1;
}

// What the semantics call -------------------------------------------------------------------------

_Noreturn void la_raise(struct la_cpu *c, enum la_exception e)
{
    longjmp(c->leave, (int)e + 1);
}

_Noreturn void la_raise_address(struct la_cpu *c, enum la_exception e, u64 bad_va)
{
    flat_of(c)->bad_va = bad_va;
    la_raise(c, e);
}

static u8 *need_ram(struct la_cpu *c, u64 va, unsigned size)
{
    u8 *p = flat_host(flat_of(c), va, size);
    if (!p)
        la_raise_address(c, EXC_ADEM, va);
    return p;
}

u64 la_translate(struct la_cpu *c, u64 va, enum la_access access)
{
    need_ram(c, va, 1);
    return va;
}

u64 la_load_slow(struct la_cpu *c, u64 va, unsigned size)
{
    return load_le(need_ram(c, va, size), size);
}

void la_store_slow(struct la_cpu *c, u64 va, u64 value, unsigned size)
{
    store_le(need_ram(c, va, size), value, size);
}

void la_load_vector(struct la_cpu *c, u64 va, u64 *words, unsigned n_words)
{
    memcpy(words, need_ram(c, va, 8 * n_words), 8 * n_words);
}

void la_store_vector(struct la_cpu *c, u64 va, const u64 *words, unsigned n_words)
{
    memcpy(need_ram(c, va, 8 * n_words), words, 8 * n_words);
}

void *la_atomic_host(struct la_cpu *c, u64 va, unsigned size)
{
    check_aligned(c, va, size);
    return need_ram(c, va, size);
}

u64 la_csr_read(struct la_cpu *c, unsigned number)
{
    return number < CSR_N ? c->csr[number] : 0;
}

u64 la_csr_write(struct la_cpu *c, unsigned number, u64 value, u64 mask)
{
    u64 old = la_csr_read(c, number);
    if (number < CSR_N)
        c->csr[number] = (old & ~mask) | (value & mask);
    return old;
}

u64 la_counter(const struct la_cpu *c)
{
    return 0xfedcba9887654321;
}

static void record(struct la_cpu *c, const char *name, u64 a0, u64 a1, u64 a2)
{
    struct flat *f = flat_of(c);
    f->called = name;
    f->call_args[0] = a0;
    f->call_args[1] = a1;
    f->call_args[2] = a2;
}

void la_ertn(struct la_cpu *c)
{
    record(c, "ertn", 0, 0, 0);
}

void la_tlbsrch(struct la_cpu *c)
{
    record(c, "tlbsrch", 0, 0, 0);
}

void la_tlbrd(struct la_cpu *c)
{
    record(c, "tlbrd", 0, 0, 0);
}

void la_tlbwr(struct la_cpu *c)
{
    record(c, "tlbwr", 0, 0, 0);
}

void la_tlbfill(struct la_cpu *c)
{
    record(c, "tlbfill", 0, 0, 0);
}

void la_tlbclr(struct la_cpu *c)
{
    record(c, "tlbclr", 0, 0, 0);
}

void la_tlbflush(struct la_cpu *c)
{
    record(c, "tlbflush", 0, 0, 0);
}

void la_invtlb(struct la_cpu *c, unsigned op, u64 asid, u64 va)
{
    record(c, "invtlb", op, asid, va);
}

u64 la_lddir(struct la_cpu *c, u64 base, unsigned level)
{
    record(c, "lddir", base, level, 0);
    return base + level;
}

void la_ldpte(struct la_cpu *c, u64 base, unsigned odd)
{
    record(c, "ldpte", base, odd, 0);
}
