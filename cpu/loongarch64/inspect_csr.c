// SPDX-License-Identifier: Apache-2.0
// Control registers of both contexts, by name and with their fields.
#include "cpu/loongarch64/probe.h"

#include <string.h>
#include <strings.h>

static const struct field {
    u16 csr;
    const char *name;
    u8 high, low;
} fields[] = {
#define FIELD(csr, name, high, low) {CSR_##csr, #name, high, low},
#include "cpu/loongarch64/csr_fields.def"
#undef FIELD
};

void la_print_fields(unsigned csr, u64 value, struct text *to)
{
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        const struct field *f = &fields[i];
        if (f->csr != csr)
            continue;
        u64 field = bits_get(value, f->high, f->low);
        text_add(to, field > 9 ? " %s=0x%llx" : " %s=%llu", f->name, (unsigned long long)field);
    }
    unsigned code = (unsigned)bits_get(value, 21, 16);
    if (csr == CSR_ESTAT && code)
        text_add(to, " (%s)", la_exception_name(code | (unsigned)bits_get(value, 22, 22) << 6));
}

int la_csr_find(const char *name)
{
    for (unsigned n = 0; n < CSR_N; n++)
        if (la_csr_name(n) && !strcasecmp(la_csr_name(n), name))
            return (int)n;
    return -1;
}

static bool is_there(const struct la_cpu *c, bool of_guest, unsigned n)
{
    return la_csr_name(n) && (of_guest ? la_csr_is_of_guest(c, n) : la_csr_exists(c, n));
}

static void print_register(struct la_cpu *p, bool of_guest, unsigned n, struct text *to)
{
    u64 value = la_csr_peek(p, of_guest ? &p->guest : &p->root, n);
    text_add(to, "0x%03x %-9s 0x%016llx", n, la_csr_name(n), (unsigned long long)value);
    la_print_fields(n, value, to);
    text_add(to, "\n");
}

static bool print(struct la_cpu *p, bool of_guest, const char *word, struct text *to, struct err *e)
{
    int only = *word ? la_csr_find(word) : -1;
    if (*word && (only < 0 || !is_there(p, of_guest, (unsigned)only)))
        return err_set(e, "'%.40s': there is no such %scontrol register; 'info %s' lists them",
                       word, of_guest ? "guest " : "", of_guest ? "gcsr" : "csr");
    for (unsigned n = 0; n < CSR_N; n++)
        if (is_there(p, of_guest, n) && (only < 0 || (unsigned)only == n))
            print_register(p, of_guest, n, to);
    return true;
}

static bool print_of(struct cpu *cpu, bool of_guest, const char *word, struct text *to,
                     struct err *e)
{
    const struct cpu_question now = {.plv = CPU_PLV_NOW};
    struct la_cpu *probe = la_probe_new(la_of(cpu), &now);
    bool ok = print(probe, of_guest, word, to, e);
    la_probe_free(probe);
    return ok;
}

bool la_print_csr(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                  struct text *to, struct err *e)
{
    return print_of(cpus[at], false, word, to, e);
}

bool la_print_gcsr(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                   struct text *to, struct err *e)
{
    if (!la_has_lvz(la_of(cpus[at])))
        return err_set(e, "this processor has no guests: its model lacks lvz");
    return print_of(cpus[at], true, word, to, e);
}
