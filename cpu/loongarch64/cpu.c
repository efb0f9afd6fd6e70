// SPDX-License-Identifier: Apache-2.0
// Models and life of a processor.
#include "cpu/loongarch64/state.h"
#include "base/bug.h"
#include "cpu/loongarch64/inspect.h"
#include "cpu/loongarch64/tlb_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RESET_PC 0x1c000000

const struct la_model la_models[] = {
    {
        .name = "la464",
        .doc = "Loongson 3A5000",
        .cpucfg = {[0] = 0x0014c010,
                   [1] = 0x03f2f2fe,
                   [2] = 0x0060c0cf,
                   [3] = 0x0000fcff,
                   [4] = 100000000,
                   [5] = 0x00010001,
                   [0x10] = 0x00002c3d,
                   [0x11] = 0x06080003,
                   [0x12] = 0x06080003,
                   [0x13] = 0x0608000f,
                   [0x14] = 0x060e000f},
    },
    {
        .name = "max",
        .doc = "like Loongson 3A6000: everything that is implemented",
        .cpucfg = {[0] = 0x0014d000,
                   [1] = 0x03f2f2fe,
                   [2] = 0x7b60cccf,
                   [3] = 0x0002fcff,
                   [4] = 100000000,
                   [5] = 0x00010001,
                   [0x10] = 0x00002c3d,
                   [0x11] = 0x06080003,
                   [0x12] = 0x06080003,
                   [0x13] = 0x0608000f,
                   [0x14] = 0x060e000f},
    },
    {0},
};

const struct la_feature la_features[] = {
#define FEATURE(name, word, bit, doc) {#name, doc, word, bit},
#include "cpu/loongarch64/features.def"
#undef FEATURE
    {0},
};

const struct la_model *la_model_find(const char *name)
{
    for (const struct la_model *m = la_models; m->name; m++)
        if (!strcmp(m->name, name))
            return m;
    return NULL;
}

static void reset_context(struct la_context *x)
{
    memset(x, 0, sizeof(*x));
#define CSR(number, name, writable, initial, scope) x->csr[number] = (initial);
#include "cpu/loongarch64/csr.def"
#undef CSR
    x->timer.deadline = CLOCK_NEVER;
}

static void reset(struct cpu *cpu)
{
    struct la_cpu *c = la_of(cpu);
    memset(c->gpr, 0, sizeof(c->gpr));
    memset(c->vr, 0, sizeof(c->vr));
    memset(c->fcc, 0, sizeof(c->fcc));
    c->fcsr = 0;
    reset_context(&c->root);
    reset_context(&c->guest);
    c->root.csr[CSR_CPUID] = c->root.csr[CSR_TID] = cpu->index;
    memset(&c->lvz_counts, 0, sizeof(c->lvz_counts));
    la_lvz_reset(c);
    c->disturbance = (struct la_disturbance){.at = ~0ULL};
    c->pc = c->next_pc = RESET_PC;
    c->idle = false;
    c->random = 0x9e3779b9 + cpu->index;
    la_switch_context(c, &c->root);
    la_tlb_clear(c);
}

static bool can_wake(struct cpu *cpu)
{
    struct la_cpu *c = la_of(cpu);
    la_timer_poll(c);
    return la_pending_lines(c, c->context) != 0;
}

static u64 idle_deadline(struct cpu *cpu)
{
    struct la_cpu *c = la_of(cpu);
    bool enabled = c->csr[CSR_ECFG] >> LINE_TI & 1;
    return enabled ? la_timer_deadline_ns(c, c->context) : CLOCK_NEVER;
}

static enum cpu_exit run(struct cpu *cpu, u64 budget)
{
    struct la_cpu *c = la_of(cpu);
    if (!c->links)
        return c->run(cpu, budget);
    atomic_store(&c->is_running, true);
    enum cpu_exit why = c->run(cpu, budget);
    atomic_store(&c->is_running, false);
    return why;
}

static void report(struct cpu *cpu)
{
    la_lvz_report(la_of(cpu));
}

static void free_cpu(struct cpu *cpu)
{
    la_cpu_free(la_of(cpu));
}

static const struct cpu_ops la_cpu_ops = {
    .reset = reset,
    .run = run,
    .can_wake = can_wake,
    .idle_deadline = idle_deadline,
    .report = report,
    .free = free_cpu,
    .inspect = &la_inspect,
};

// Of a processor and the tables behind it.
#define N_BYTES (LA_CODE_TABLES + sizeof(struct la_code_tables))

struct la_cpu *la_cpu_new(const struct la_model *model, struct cpu_bus *bus, unsigned index)
{
    // Most of it is tables, looked into here and there, and untouched where nothing is translated.
    struct la_cpu *c =
        mmap(NULL, N_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BUG_ON(c == MAP_FAILED);
    (void)madvise(c, N_BYTES, MADV_HUGEPAGE);
    c->cpu.ops = &la_cpu_ops;
    c->cpu.bus = bus;
    c->cpu.index = index;
    c->model = model;
    memcpy(c->cpucfg, model->cpucfg, sizeof(c->cpucfg));
    c->context = &c->root;
    c->csr = c->root.csr;
    c->run = la_interp_run;
    la_lvz_init(&c->lvz);
    la_mmu_init(c);
    la_interp_prepare(c);
    reset(&c->cpu);
    return c;
}

void la_cpu_free(struct la_cpu *c)
{
    if (!c)
        return;
    for (unsigned kind = 0; kind < LA_N_TLBS; kind++)
        la_tlb_store_free(&c->tlb[kind]);
    free(c->decoded);
    free(c->contexts);
    munmap(c, N_BYTES);
}

static bool unknown_feature(const char *name, struct err *e)
{
    char list[256] = "";
    for (const struct la_feature *f = la_features; f->name; f++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", f->name);
    }
    return err_set(e, "no CPU feature '%s'; there are: %s", name, list);
}

// Units that need another one go with it.
static void settle_dependents(struct la_cpu *c)
{
    if (!(c->cpucfg[2] & BIT(0)))
        c->cpucfg[2] &= ~(u32)(BITS(7, 6) | BITS(5, 1));
    if (!(c->cpucfg[2] & BIT(6)))
        c->cpucfg[2] &= ~(u32)BIT(7);
    c->cpucfg[2] = (u32)bits_set(c->cpucfg[2], 13, 11, la_has_lvz(c)); // LVZ version
}

bool la_cpu_set_feature(struct la_cpu *c, const char *name, bool on, struct err *e)
{
    for (const struct la_feature *f = la_features; f->name; f++) {
        if (strcmp(f->name, name))
            continue;
        c->cpucfg[f->word] = (u32)bits_set(c->cpucfg[f->word], f->bit, f->bit, on);
        settle_dependents(c);
        la_lvz_reset(c);
        la_interp_prepare(c);
        return true;
    }
    return unknown_feature(name, e);
}

static bool is_feature(const char *name)
{
    for (const struct la_feature *f = la_features; f->name; f++)
        if (!strcmp(f->name, name))
            return true;
    return false;
}

bool la_cpu_set_property(struct la_cpu *c, const char *name, const char *value, struct err *e)
{
    if (!is_feature(name))
        return la_lvz_set_property(c, name, value, e);
    bool on = !strcmp(value, "on");
    if (!on && strcmp(value, "off"))
        return err_set(e, "%s=%s: write %s=on or %s=off", name, value, name, name);
    return !c || la_cpu_set_feature(c, name, on, e);
}
