// SPDX-License-Identifier: Apache-2.0
// What guests cost, per processor: a table of the counts that lvz_watch.c keeps, since the reset.
// Refills are exceptions, which software serves; walks are the hardware walker's, which put an
// entry into the TLB.
#include "cpu/loongarch64/probe.h"

// A guest that has not exited yet counts as well.
static u64 guest_ns(const struct la_cpu *c)
{
    const struct la_lvz_counts *n = &c->lvz_counts;
    u64 now = la_in_guest(c) ? clock_now(c->cpu.bus->clock) - n->entered_at_ns : 0;
    return n->guest_ns + now;
}

#define UNCOUNTED (~0ULL)

static u64 guest_insns(const struct la_cpu *c)
{
    if (c->cpu.is_uncounted)
        return UNCOUNTED;
    const struct la_lvz_counts *n = &c->lvz_counts;
    return n->guest_insns + (la_in_guest(c) ? c->cpu.n_insns - n->entered_at_insn : 0);
}

static u64 total_ns(const struct la_cpu *c)
{
    return clock_now(c->cpu.bus->clock) - c->cpu.bus->reset_ns;
}

static u64 entries(const struct la_cpu *c)
{
    return c->lvz_counts.n_entries;
}
static u64 guest_us(const struct la_cpu *c)
{
    return guest_ns(c) / 1000;
}
static u64 root_us(const struct la_cpu *c)
{
    return (total_ns(c) - guest_ns(c)) / 1000;
}
static u64 stage1_refills(const struct la_cpu *c)
{
    return c->lvz_counts.n_guest_refills;
}
static u64 stage2_refills(const struct la_cpu *c)
{
    return c->lvz_counts.n_exits[EXC_TLBR];
}
static u64 root_refills(const struct la_cpu *c)
{
    return c->lvz_counts.n_root_refills;
}
static u64 root_walks(const struct la_cpu *c)
{
    return c->lvz_counts.n_walks[LA_TLB_ROOT];
}
static u64 stage1_walks(const struct la_cpu *c)
{
    return c->lvz_counts.n_walks[LA_TLB_STAGE1];
}
static u64 stage2_walks(const struct la_cpu *c)
{
    return c->lvz_counts.n_walks[LA_TLB_STAGE2];
}
static u64 gid_switches(const struct la_cpu *c)
{
    return c->lvz_counts.n_gid_switches;
}
static u64 injected(const struct la_cpu *c)
{
    return c->lvz_counts.n_injected;
}
static u64 passed(const struct la_cpu *c)
{
    return c->lvz_counts.n_passed;
}
static u64 checks(const struct la_cpu *c)
{
    return c->lvz_counts.n_checks;
}

// A value that is not known is UNCOUNTED.
static const struct row {
    const char *name;
    u64 (*value)(const struct la_cpu *c);
} rows[] = {
    {"entries", entries},
    {"time in guests, us", guest_us},
    {"time in the root, us", root_us},
    {"instructions in guests", guest_insns},
    {"refills of first stages", stage1_refills},
    {"refills of the second stage", stage2_refills},
    {"refills of the root", root_refills},
    {"walks of first stages", stage1_walks},
    {"walks of the second stage", stage2_walks},
    {"walks of the root", root_walks},
    {"guest id switches", gid_switches},
    {"lines injected", injected},
    {"lines passed", passed},
    {"uses that work by accident", checks},
};

#define NAME_WIDTH 30

static void print_row(struct cpu *const *cpus, unsigned n, const struct row *r, struct text *to)
{
    text_add(to, "%-*s", NAME_WIDTH, r->name);
    for (unsigned i = 0; i < n; i++) {
        u64 value = r->value(la_of(cpus[i]));
        if (value == UNCOUNTED)
            text_add(to, " %12s", "not counted");
        else
            text_add(to, " %12llu", (unsigned long long)value);
    }
    text_add(to, "\n");
}

static void print_exits(struct cpu *const *cpus, unsigned n, unsigned code, struct text *to)
{
    u64 all = 0;
    for (unsigned i = 0; i < n; i++)
        all += la_of(cpus[i])->lvz_counts.n_exits[code];
    if (!all)
        return;
    text_add(to, "exits by %-*s", NAME_WIDTH - 9, la_exception_name(code));
    for (unsigned i = 0; i < n; i++)
        text_add(to, " %12llu", (unsigned long long)la_of(cpus[i])->lvz_counts.n_exits[code]);
    text_add(to, "\n");
}

bool la_print_lvz(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                  struct text *to, struct err *e)
{
    if (!la_has_lvz(la_of(cpus[at])))
        return err_set(e, "this processor has no guests: its model lacks lvz");
    text_add(to, "%-*s", NAME_WIDTH, "");
    for (unsigned i = 0; i < n; i++)
        text_add(to, "      cpu %2u%s", i, i == at ? "*" : " ");
    text_add(to, "\n");
    print_row(cpus, n, &rows[0], to);
    for (unsigned code = 0; code < 64; code++)
        print_exits(cpus, n, code, to);
    for (unsigned r = 1; r < ARRAY_LEN(rows); r++)
        print_row(cpus, n, &rows[r], to);
    return true;
}
