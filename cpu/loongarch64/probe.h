// SPDX-License-Identifier: Apache-2.0
// A copy of a processor that may be asked "what if": in the other context, at another level. What
// is done to it leaves the processor alone. Nothing may be executed or written through it: it has
// no decoder and no context numbers.
#pragma once

#include "cpu/inspect.h"
#include "cpu/loongarch64/state.h"

// Never NULL; freed with la_probe_free. The question passed la_probe_check.
struct la_cpu *la_probe_new(const struct la_cpu *c, const struct cpu_question *q);
void la_probe_free(struct la_cpu *probe);
bool la_probe_check(struct cpu *cpu, const struct cpu_question *q, struct err *e);

// explain.c
bool la_explain(struct cpu *cpu, const struct cpu_question *q, struct text *to, u64 *bus);
bool la_find(struct cpu *cpu, const struct cpu_question *q, u64 *bus);

// What an access in explain.c came to: for tests, which ask the processor itself as well.
struct la_verdict {
    bool is_there;
    u64 bus;                // is_there: the address on the bus
    enum la_exception what; // otherwise the exception, its address, and whether the guest exits
    u64 bad_va;
    bool in_root;
};
struct la_verdict la_explain_verdict(const struct la_cpu *c, const struct cpu_question *q,
                                     struct text *to);

// inspect_csr.c, inspect_tlb.c, inspect_lvz.c: `print` of cpu_topic.
bool la_print_csr(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                  struct text *to, struct err *e);
bool la_print_gcsr(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                   struct text *to, struct err *e);
bool la_print_tlb(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                  struct text *to, struct err *e);
bool la_print_lvz(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                  struct text *to, struct err *e);
// "V=1 D=1 PLV=0 MAT=1 G=0": the attributes of a TLBELO or of a page-table entry.
void la_print_attributes(u64 elo, bool by_walker, struct text *to);
// The registers' fields, " PLV=0 IE=1"; nothing if the register has none that are told.
void la_print_fields(unsigned csr, u64 value, struct text *to);
// The number of a register by its name in the manual, or -1.
int la_csr_find(const char *name);
