// SPDX-License-Identifier: Apache-2.0
#include "test/jit/bed.h"
#include "base/bug.h"

#include <string.h>

// V, D, any privilege level, MAT 1, global.
#define FLAGS    (1 | 2 | 3 << 2 | 1 << 4 | 1 << 6)
#define FLAG_D   2
#define FLAG_V   1
#define FLAG_PLV (3 << 2)
#define MTLB     2048
#define NR       BIT(61)
#define NX       BIT(62)

#define LINE LINE_HWI0

static bool is_interrupt(const struct la_cpu *c)
{
    return c->pc == (BED_DMW | RIG_ENTRY) && !bits_get(c->csr[CSR_ESTAT], 30, 16);
}

// Programs and handlers end with a write of IOCSR; that of interrupts begins with one.
static void write_iocsr(void *opaque, unsigned core, u32 address, u64 value, unsigned size)
{
    struct bed *b = opaque;
    if (!is_interrupt(b->rig.c)) {
        atomic_fetch_or(&b->rig.c->cpu.requests, CPU_REQ_STOP);
        return;
    }
    b->n_interrupts++;
    cpu_set_line(&b->rig.c->cpu, LINE, false);
}

void bed_init(struct bed *b, const struct jit_options *options)
{
    struct err e = {0};
    rig_init(&b->rig, "max");
    b->n_interrupts = 0;
    b->rig.bus.iocsr_write = write_iocsr;
    b->rig.bus.opaque = b;
    b->jit = jit_new(&b->rig.mem, NULL, options, &e);
    BUG_ON(!b->jit);
    jit_add_cpu(b->jit, b->rig.c);
    la_csr_write(b->rig.c, CSR_DMW0, BED_DMW | 0x11, ~0ULL);
    b->rig.c->csr[CSR_EENTRY] = BED_DMW | RIG_ENTRY;
    b->rig.c->csr[CSR_ECFG] = BIT(LINE);
    rig_program_at(&b->rig, RIG_ENTRY, "iocsrwr.w $r0, $r0; ertn");
    rig_program_at(&b->rig, RIG_REFILL, "iocsrwr.w $r0, $r0");
}

void bed_free(struct bed *b)
{
    jit_free(b->jit);
    rig_free(&b->rig);
}

static void permute(struct diff_random *r, u64 *pa, u64 base)
{
    for (unsigned i = 0; i < BED_N_PAGES; i++)
        pa[i] = base + 4096 * i;
    for (unsigned i = BED_N_PAGES - 1; i > 0; i--) {
        unsigned k = diff_below(r, i + 1);
        u64 t = pa[i];
        pa[i] = pa[k];
        pa[k] = t;
    }
}

static void map(struct bed *b, unsigned index, u64 va, u64 lo0, u64 lo1)
{
    u64 *csr = b->rig.c->csr;
    csr[CSR_TLBRERA] = 0;
    csr[CSR_TLBIDX] = (MTLB + index) | 12ULL << 24;
    csr[CSR_TLBEHI] = va;
    csr[CSR_TLBELO0] = lo0;
    csr[CSR_TLBELO1] = lo1;
    la_tlbwr(b->rig.c, LA_TLB_CURRENT);
}

// Pages that are not there, read-only, of the kernel, or unreadable are rare.
static u64 data_flags(struct diff_random *r)
{
    switch (diff_below(r, 12)) {
    case 0: return FLAGS & ~FLAG_V;
    case 1: return FLAGS & ~FLAG_D;
    case 2: return FLAGS & ~FLAG_PLV;
    case 3: return FLAGS | NR;
    default: return FLAGS | NX;
    }
}

void bed_shuffle(struct bed *b, struct diff_random *r)
{
    permute(r, b->page_pa[0], BED_CODE_PA);
    permute(r, b->page_pa[1], BED_DATA_PA);
    for (unsigned i = 0; i < BED_N_PAGES; i += 2) {
        map(b, i / 2, BED_CODE_VA + 4096 * i, b->page_pa[0][i] | (FLAGS & ~FLAG_D),
            b->page_pa[0][i + 1] | (FLAGS & ~FLAG_D));
        map(b, 16 + i / 2, BED_DATA_VA + 4096 * i, b->page_pa[1][i] | data_flags(r),
            b->page_pa[1][i + 1] | data_flags(r));
    }
}

// V is the only flag that is another one.
static void set_valid(struct bed *b, unsigned page, u64 valid)
{
    unsigned first = page & ~1u;
    u64 lo[2];
    for (unsigned i = 0; i < 2; i++)
        lo[i] = b->page_pa[1][first + i] | ((FLAGS & ~FLAG_V) | NX) |
                (first + i == page ? valid : FLAG_V);
    map(b, 16 + first / 2, BED_DATA_VA + 4096 * first, lo[0], lo[1]);
}

void bed_take_away(struct bed *b, unsigned page)
{
    set_valid(b, page, 0);
}

void bed_give_back(struct bed *b, unsigned page)
{
    set_valid(b, page, FLAG_V);
}

void bed_write(struct bed *b, u64 offset, u32 word, bool is_dma)
{
    u64 pa = b->page_pa[0][offset >> 12] | (offset & 4095);
    if (is_dma)
        BUG_ON(!mem_dma_write(&b->rig.mem, pa, &word, 4));
    else
        mem_write(&b->rig.mem, pa, word, 4);
}

static u8 *data(struct bed *b)
{
    return mem_ram_page(&b->rig.mem, BED_DATA_PA, BED_SIZE, true);
}

static void set_state(struct bed *b, const struct bed_state *s)
{
    struct la_cpu *c = b->rig.c;
    memcpy(c->gpr, s->gpr, sizeof(s->gpr));
    memcpy(c->vr, s->vr, sizeof(s->vr));
    memcpy(c->fcc, s->fcc, sizeof(s->fcc));
    c->fcsr = s->fcsr;
    memcpy(data(b), s->data, BED_SIZE);
    c->pc = s->pc;
    c->root.link = (struct la_link){0};
    c->csr[CSR_TLBRERA] = c->csr[CSR_TLBRBADV] = c->csr[CSR_TLBRPRMD] = 0;
    c->csr[CSR_ESTAT] = c->csr[CSR_ERA] = c->csr[CSR_BADV] = c->csr[CSR_BADI] = c->csr[CSR_PRMD] =
        0;
    la_csr_write(c, CSR_CRMD, s->crmd, ~0ULL);
}

static void get_outcome(struct bed *b, struct bed_outcome *o)
{
    const struct la_cpu *c = b->rig.c;
    memset(o, 0, offsetof(struct bed_outcome, data));
    memcpy(o->gpr, c->gpr, sizeof(o->gpr));
    memcpy(o->vr, c->vr, sizeof(o->vr));
    memcpy(o->fcc, c->fcc, sizeof(o->fcc));
    o->fcsr = c->fcsr & 0xffffff;
    memcpy(o->data, data(b), BED_SIZE);
    o->pc = c->pc;
    o->crmd = c->csr[CSR_CRMD];
    o->prmd = c->csr[CSR_PRMD];
    o->estat = c->csr[CSR_ESTAT];
    o->era = c->csr[CSR_ERA];
    o->badv = c->csr[CSR_BADV];
    o->badi = c->csr[CSR_BADI];
    o->tlbrera = c->csr[CSR_TLBRERA];
    o->tlbrbadv = c->csr[CSR_TLBRBADV];
    o->tlbrprmd = c->csr[CSR_TLBRPRMD];
    // Interrupts leave these; exceptions write them anew.
    if (o->pc != (BED_DMW | RIG_ENTRY) + 4)
        o->prmd = o->era = o->estat = 0;
    // Of an instruction that could not be fetched nobody knows the word.
    if (o->badv == o->era || (o->tlbrera & 1 && o->tlbrbadv == (o->tlbrera & ~3ULL)))
        o->badi = 0;
    o->has_link = c->root.link.is_set;
    o->link = o->has_link ? c->root.link.place : 0;
}

void bed_interpret(struct bed *b, const struct bed_state *s, struct bed_outcome *o)
{
    set_state(b, s);
    cpu_set_line(&b->rig.c->cpu, LINE, false); // one that came too late
    BUG_ON(la_interp_run(&b->rig.c->cpu, 1 << 20) != CPU_EXIT_STOP);
    // The interpreter's loop takes every request for its own.
    b->rig.c->cpu.requests |= CPU_REQ_CODE;
    get_outcome(b, o);
}

void bed_translate(struct bed *b, const struct bed_state *s, struct bed_outcome *o)
{
    set_state(b, s);
    BUG_ON(cpu_run(&b->rig.c->cpu, 1 << 20) != CPU_EXIT_STOP);
    cpu_set_line(&b->rig.c->cpu, LINE, false);
    get_outcome(b, o);
}

void bed_interrupt(struct bed *b)
{
    cpu_set_line(&b->rig.c->cpu, LINE, true);
}
