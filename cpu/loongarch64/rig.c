// SPDX-License-Identifier: Apache-2.0
#include "cpu/loongarch64/rig.h"
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static u64 rig_now(void *opaque)
{
    return ((struct rig *)opaque)->now_ns;
}

static u64 no_iocsr_read(void *opaque, unsigned core, u32 address, unsigned size)
{
    return 0;
}

static void no_iocsr_write(void *opaque, unsigned core, u32 address, u64 value, unsigned size)
{
}

void rig_init(struct rig *r, const char *model)
{
    struct err e = {0};
    *r = (struct rig){.clock = {.now = rig_now, .opaque = r}};
    mem_space_init(&r->mem, NULL);
    BUG_ON(!mem_add_ram(&r->mem, 0, RIG_RAM_SIZE, "rig", &e));
    r->bus = (struct cpu_bus){.mem = &r->mem,
                              .clock = &r->clock,
                              .iocsr_read = no_iocsr_read,
                              .iocsr_write = no_iocsr_write};
    r->c = la_cpu_new(la_model_find(model), &r->bus, 0);
    la_csr_write(r->c, CSR_EUEN, EUEN_FPE | EUEN_SXE | EUEN_ASXE, ~0ULL);
    r->c->csr[CSR_EENTRY] = RIG_ENTRY;
    r->c->csr[CSR_TLBRENTRY] = RIG_REFILL;
    r->c->pc = RIG_CODE;
}

void rig_free(struct rig *r)
{
    la_cpu_free(r->c);
    mem_space_free(&r->mem);
}

static unsigned assemble(struct rig *r, u64 pa, const char *text)
{
    struct err e = {0};
    char *copy = strdup(text), *rest = copy;
    unsigned n = 0;
    for (char *line; (line = strsep(&rest, ";")); n++) {
        u32 word;
        if (!la_assemble(line, pa + 4 * n, &word, &e)) {
            fprintf(stderr, "'%s': %s\n", line, e.text);
            abort();
        }
        mem_write(&r->mem, pa + 4 * n, word, 4);
    }
    free(copy);
    return n;
}

void rig_program_at(struct rig *r, u64 pa, const char *text)
{
    assemble(r, pa, text);
}

void rig_program(struct rig *r, const char *text)
{
    assemble(r, RIG_CODE, text);
    r->c->pc = RIG_CODE;
}

void rig_step(struct rig *r)
{
    // An exception retires nothing, so it does not use up the budget: the next one would run too.
    u64 before = r->c->cpu.n_insns;
    la_interp_step(r->c);
    BUG_ON(r->c->cpu.n_insns > before + 1);
}

void rig_steps(struct rig *r, unsigned n)
{
    while (n--)
        rig_step(r);
}

void rig_run(struct rig *r, const char *text)
{
    unsigned n = assemble(r, RIG_CODE, text);
    r->c->pc = RIG_CODE;
    rig_steps(r, n);
}

u64 rig_read64(struct rig *r, u64 pa)
{
    return mem_read(&r->mem, pa, 8);
}

void rig_write64(struct rig *r, u64 pa, u64 value)
{
    mem_write(&r->mem, pa, value, 8);
}

void rig_map(struct rig *r, unsigned index, u64 va, u64 pa, unsigned ps, u64 flags)
{
    u64 *csr = r->c->csr;
    csr[CSR_TLBRERA] = 0; // not in a refill, which would use other registers
    csr[CSR_TLBIDX] = index | (u64)ps << 24;
    csr[CSR_TLBEHI] = va;
    csr[CSR_TLBELO0] = pa | flags;
    csr[CSR_TLBELO1] = (pa + BIT(ps)) | flags;
    la_tlbwr(r->c, LA_TLB_CURRENT);
}

void rig_mapped(struct rig *r, unsigned plv)
{
    la_csr_write(r->c, CSR_DMW0, 0x9000000000000011, ~0ULL);
    if (plv)
        rig_map(r, 2111, 0, 0, 21, 0x1f | BIT(6)); // V D PLV3 MAT1 G: 4 MiB at 0
    la_csr_write(r->c, CSR_CRMD, CRMD_PG | plv, CRMD_PG | CRMD_DA | CRMD_PLV);
    r->c->pc = plv ? RIG_CODE : 0x9000000000000000 | RIG_CODE;
}
