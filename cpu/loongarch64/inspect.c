// SPDX-License-Identifier: Apache-2.0
// Registers and modes for the monitor, and the list of what else it can show.
#include "cpu/loongarch64/inspect.h"
#include "cpu/loongarch64/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const gpr_names[32] = {
    "zero", "ra", "tp", "sp", "a0", "a1", "a2", "a3", "a4", "a5", "a6",
    "a7",   "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "r21",
    "fp",   "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8",
};

static void print_mode(const struct la_cpu *c, struct text *to)
{
    u64 crmd = c->csr[CSR_CRMD];
    if (la_in_guest(c))
        text_add(to, "guest (GID %u)", la_guest_gid(c));
    else
        text_add(to, "root");
    text_add(to, ", PLV %u, %s, interrupts %s", la_plv(c), crmd & CRMD_DA ? "direct" : "mapped",
             crmd & CRMD_IE ? "on" : "off");
}

static void summary(struct cpu *cpu, struct text *to)
{
    const struct la_cpu *c = la_of(cpu);
    text_add(to, "pc 0x%llx, ", (unsigned long long)c->pc);
    print_mode(c, to);
    text_add(to, "%s", c->idle ? ", idle" : "");
    if (!cpu->is_uncounted)
        text_add(to, ", %llu instructions", (unsigned long long)cpu->n_insns);
}

static void print_gprs(const struct la_cpu *c, struct text *to)
{
    text_add(to, "pc   0x%016llx  ", (unsigned long long)c->pc);
    print_mode(c, to);
    text_add(to, "%s\n", c->idle ? ", idle" : "");
    for (unsigned i = 0; i < 32; i++)
        text_add(to, "%-4s 0x%016llx%s", gpr_names[i], (unsigned long long)c->gpr[i],
                 i % 4 == 3 ? "\n" : "  ");
}

static void print_fprs(const struct la_cpu *c, struct text *to)
{
    text_add(to, "fcsr 0x%08x, fcc", c->fcsr);
    for (unsigned i = 0; i < 8; i++)
        text_add(to, " %u", c->fcc[i]);
    text_add(to, "\n");
    for (unsigned i = 0; i < 32; i++)
        text_add(to, "f%-3u 0x%016llx%s", i, (unsigned long long)c->vr[i].d[0],
                 i % 4 == 3 ? "\n" : "  ");
}

static void print_vectors(const struct la_cpu *c, struct text *to)
{
    for (unsigned i = 0; i < 32; i++) {
        text_add(to, "xr%-2u 0x", i);
        for (unsigned part = 4; part--;)
            text_add(to, "%016llx%s", (unsigned long long)c->vr[i].d[part], part ? "_" : "\n");
    }
}

static bool print_registers(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                            struct text *to, struct err *e)
{
    const struct la_cpu *c = la_of(cpus[at]);
    if (!*word)
        print_gprs(c, to);
    else if (!strcmp(word, "fp"))
        print_fprs(c, to);
    else if (!strcmp(word, "vector"))
        print_vectors(c, to);
    else
        return err_set(e, "'info registers %.40s': it is fp, vector or nothing", word);
    return true;
}

static void print_lines(u64 is, u64 enabled, struct text *to)
{
    static const char *const names[] = {"SWI0", "SWI1", "HWI0", "HWI1", "HWI2", "HWI3", "HWI4",
                                        "HWI5", "HWI6", "HWI7", "PCOV", "TI",   "IPI",  "NMI"};
    unsigned n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (is >> i & 1)
            n += (text_add(to, " %s%s", names[i], enabled >> i & 1 ? "" : " (not enabled)"), 1);
    text_add(to, "%s", n ? "" : " none");
}

static void print_context(struct la_cpu *probe, struct la_context *x, const char *name,
                          struct text *to)
{
    text_add(to, "  %s:", name);
    print_lines(la_estat(probe, x) & BITS(14, 0), x->csr[CSR_ECFG] & BITS(12, 0), to);
    text_add(to, "; CRMD.IE=%u\n", !!(x->csr[CSR_CRMD] & CRMD_IE));
}

static void interrupts(struct cpu *cpu, struct text *to)
{
    const struct cpu_question now = {.plv = CPU_PLV_NOW};
    struct la_cpu *probe = la_probe_new(la_of(cpu), &now);
    u64 gintc = probe->root.csr[CSR_GINTC];
    print_context(probe, &probe->root, "root", to);
    if (la_has_lvz(probe)) {
        print_context(probe, &probe->guest, "guest", to);
        text_add(to, "  GINTC: injected 0x%x, passed on 0x%x (bit 0 is HWI0)\n",
                 (unsigned)(gintc & 0xff), (unsigned)bits_get(gintc, 15, 8));
    }
    la_probe_free(probe);
}

static int gpr_find(const char *name)
{
    char *end;
    for (int i = 0; i < 32; i++)
        if (!strcmp(gpr_names[i], name))
            return i;
    if (name[0] != 'r' || !name[1] || strspn(name + 1, "0123456789") != strlen(name + 1))
        return -1;
    unsigned long n = strtoul(name + 1, &end, 10);
    return n < 32 ? (int)n : -1;
}

// Control registers are those of the present context.
static bool get(struct cpu *cpu, const char *name, u64 *value)
{
    const struct cpu_question now = {.plv = CPU_PLV_NOW};
    const struct la_cpu *c = la_of(cpu);
    int gpr = gpr_find(name), csr = la_csr_find(name);
    if (!strcmp(name, "pc"))
        *value = c->pc;
    else if (gpr >= 0)
        *value = c->gpr[gpr];
    if (!strcmp(name, "pc") || gpr >= 0)
        return true;
    if (csr < 0 ||
        !(la_in_guest(c) ? la_csr_is_of_guest(c, (unsigned)csr) : la_csr_exists(c, (unsigned)csr)))
        return false;
    struct la_cpu *probe = la_probe_new(c, &now);
    *value = la_csr_peek(probe, probe->context, (unsigned)csr);
    la_probe_free(probe);
    return true;
}

static u64 pc(struct cpu *cpu)
{
    return la_of(cpu)->pc;
}

static void disassemble(const u8 *bytes, u64 address, char *text, size_t size)
{
    la_disassemble((u32)load_le(bytes, 4), address, text, size);
}

static const struct cpu_topic topics[] = {
    {"registers", "[fp|vector]", "registers of the selected processor", print_registers},
    {"csr", "[NAME]", "its control registers, those of the root, with their fields", la_print_csr},
    {"gcsr", "[NAME]", "its guest's control registers", la_print_gcsr},
    {"tlb", "[root|stage1|stage2]", "the entries of its TLBs", la_print_tlb},
    {"lvz", "", "exits, times and refills of guests, for each processor", la_print_lvz},
    {0},
};

const struct cpu_inspect la_inspect = {
    .topics = topics,
    .max_plv = 3,
    .summary = summary,
    .interrupts = interrupts,
    .get = get,
    .pc = pc,
    .check = la_probe_check,
    .explain = la_explain,
    .find = la_find,
    .insn_size = 4,
    .disassemble = disassemble,
};
