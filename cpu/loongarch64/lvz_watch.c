// SPDX-License-Identifier: Apache-2.0
#include "cpu/loongarch64/state.h"

#include <stdio.h>
#include <string.h>

static bool is_watched(const struct la_cpu *c)
{
    return log_is_on(c->cpu.bus->log, LOG_LVZ);
}

// The sums alone are told to the class stats as well.
static bool is_summed(const struct la_cpu *c)
{
    return is_watched(c) || log_is_on(c->cpu.bus->log, LOG_STATS);
}

static void count_exit(struct la_cpu *c, unsigned code)
{
    struct la_lvz_counts *n = &c->lvz_counts;
    n->n_exits[code & 63]++;
    n->guest_insns += c->cpu.n_insns - n->entered_at_insn;
    n->left_by = code & 63;
    n->left_at_insn = c->cpu.n_insns;
    n->left_at_ns = clock_now(c->cpu.bus->clock);
    n->guest_ns += n->left_at_ns - n->entered_at_ns;
    log_at(c->cpu.bus->log, LOG_LVZ, "cpu %u: exit %s gid %u pc 0x%llx", c->cpu.index,
           la_exception_name(code), la_guest_gid(c), (unsigned long long)c->pc);
}

void la_lvz_count_exception(struct la_cpu *c, unsigned exception, bool from_guest)
{
    if (from_guest)
        count_exit(c, exception);
    else if (exception == EXC_TLBR && la_in_guest(c))
        c->lvz_counts.n_guest_refills++;
    else if (exception == EXC_TLBR)
        c->lvz_counts.n_root_refills++;
}

static void complain(struct la_cpu *c, const char *what, u64 value)
{
    c->lvz_counts.n_checks++;
    log_at(c->cpu.bus->log, LOG_LVZ_CHECK, "cpu %u: %s pc 0x%llx: %s (0x%llx)", c->cpu.index,
           la_in_guest(c) ? "guest" : "root", (unsigned long long)c->pc, what,
           (unsigned long long)value);
}

// Entries that other tables filled may still answer for this id.
static void check_reuse(struct la_cpu *c, unsigned gid)
{
    u64 *known = &c->lvz_counts.root_table_of_gid[gid], table = c->root.csr[CSR_PGDL];
    if (*known && *known != table)
        complain(c, "a guest id is used with another second-stage table and was not invalidated",
                 gid);
    *known = table;
}

void la_lvz_count_entry(struct la_cpu *c)
{
    struct la_lvz_counts *n = &c->lvz_counts;
    unsigned gid = la_guest_gid(c);
    n->n_entries++;
    n->n_gid_switches += gid != n->last_gid;
    n->last_gid = gid;
    n->entered_at_insn = c->cpu.n_insns;
    n->entered_at_ns = clock_now(c->cpu.bus->clock);
    if (n->n_entries > 1) {
        n->away_insns[n->left_by] += n->entered_at_insn - n->left_at_insn;
        n->away_ns[n->left_by] += n->entered_at_ns - n->left_at_ns;
    }
    log_at(c->cpu.bus->log, LOG_LVZ, "cpu %u: enter gid %u pc 0x%llx", c->cpu.index, gid,
           (unsigned long long)c->next_pc);
    if (!gid)
        complain(c, "a guest runs with guest id 0, which is the root's", 0);
    if (c->root.csr[CSR_PGDL])
        check_reuse(c, gid);
}

void la_lvz_count_injection(struct la_cpu *c, u64 old_gintc)
{
    u64 rising = c->root.csr[CSR_GINTC] & ~old_gintc & 0xff;
    c->lvz_counts.n_injected += (unsigned)__builtin_popcountll(rising);
}

void la_lvz_count_passed(struct la_cpu *c, u8 lines)
{
    struct la_lvz_counts *n = &c->lvz_counts;
    n->n_passed += (unsigned)__builtin_popcount(lines & ~n->passed);
    n->passed = lines;
}

// What reset gives a meaning, or hardware writes, needs no write by software.
static bool has_reset_value(unsigned csr)
{
    switch (csr) {
    case CSR_CRMD:
    case CSR_ESTAT:
    case CSR_ASID:
    case CSR_TVAL:
    case CSR_TICLR:
    case CSR_LLBCTL:
    case CSR_PGD:
    case CSR_CPUID:
    case CSR_PRCFG1:
    case CSR_PRCFG2:
    case CSR_PRCFG3: return true;
    default: return csr >= 512;
    }
}

void la_lvz_note_written(struct la_cpu *c, unsigned csr)
{
    if (csr < 512)
        c->lvz_counts.guest_csr_written[csr / 64] |= BIT(csr % 64);
}

// Each register once.
void la_lvz_check_guest_read(struct la_cpu *c, unsigned csr)
{
    if (has_reset_value(csr) || c->lvz_counts.guest_csr_written[csr / 64] >> (csr % 64) & 1)
        return;
    complain(c, "the guest reads a register that nobody has written", csr);
    la_lvz_note_written(c, csr);
}

// In a refill of the root's own TLB an id left in GTLBC.TGID makes the entry a guest's.
void la_lvz_check_root_fill(struct la_cpu *c, unsigned effective_gid)
{
    bool refill = c->root.csr[CSR_TLBRERA] & 1, of_root = !(c->root.csr[CSR_TLBRPRMD] & BIT(3));
    if (!la_in_guest(c) && refill && of_root && effective_gid)
        complain(c, "the root fills an entry for itself while TGID names a guest", effective_gid);
}

void la_lvz_check_hvcl(struct la_cpu *c)
{
    complain(c, "hvcl in the root", c->insn);
}

void la_lvz_note_invalidated(struct la_cpu *c, bool all, unsigned gid)
{
    u64 *known = c->lvz_counts.root_table_of_gid;
    if (all)
        memset(known, 0, sizeof(c->lvz_counts.root_table_of_gid));
    else
        known[gid & 0xff] = 0;
}

static void report_exits(struct la_cpu *c, enum log_class to)
{
    const struct la_lvz_counts *n = &c->lvz_counts;
    char text[400] = "";
    for (unsigned code = 0; code < 64; code++) {
        size_t used = strlen(text);
        if (n->n_exits[code])
            snprintf(text + used, sizeof(text) - used, " %s %llu", la_exception_name(code),
                     (unsigned long long)n->n_exits[code]);
    }
    log_write(c->cpu.bus->log, to, "cpu %u: exits:%s", c->cpu.index, text);
}

// What an exit of each cause cost, on average. A translator counts no instructions.
static void report_costs(struct la_cpu *c, enum log_class to)
{
    const struct la_lvz_counts *n = &c->lvz_counts;
    bool is_counted = !c->cpu.is_uncounted;
    char text[600] = "";
    for (unsigned code = 0; code < 64; code++) {
        u64 n_exits = n->n_exits[code];
        char insns[24] = "";
        if (!n_exits)
            continue;
        if (is_counted)
            snprintf(insns, sizeof(insns), " %llu",
                     (unsigned long long)(n->away_insns[code] / n_exits));
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, " %s%s %llu", la_exception_name(code), insns,
                 (unsigned long long)(n->away_ns[code] / n_exits));
    }
    log_write(c->cpu.bus->log, to, "cpu %u: from an exit to the next entry, %sns:%s", c->cpu.index,
              is_counted ? "instructions and " : "", text);
}

static void report_times(struct la_cpu *c, enum log_class to)
{
    const struct la_lvz_counts *n = &c->lvz_counts;
    char insns[80] = "not counted by the translator";
    if (!c->cpu.is_uncounted)
        snprintf(insns, sizeof(insns), "%llu of %llu", (unsigned long long)n->guest_insns,
                 (unsigned long long)c->cpu.n_insns);
    log_write(c->cpu.bus->log, to,
              "cpu %u: entries %llu, instructions in guests %s, time in guests %llu ms",
              c->cpu.index, (unsigned long long)n->n_entries, insns,
              (unsigned long long)(n->guest_ns / 1000000));
}

void la_lvz_report(struct la_cpu *c)
{
    const struct la_lvz_counts *n = &c->lvz_counts;
    enum log_class to = is_watched(c) ? LOG_LVZ : LOG_STATS;
    if (!is_summed(c) || !n->n_entries)
        return;
    report_exits(c, to);
    report_costs(c, to);
    report_times(c, to);
    log_write(c->cpu.bus->log, to,
              "cpu %u: refills of first stages %llu, of the second %llu; walks of first stages "
              "%llu, of the second %llu; guest id switches %llu; "
              "lines injected %llu, passed %llu; uses that work by accident %llu",
              c->cpu.index, (unsigned long long)n->n_guest_refills,
              (unsigned long long)n->n_exits[EXC_TLBR],
              (unsigned long long)n->n_walks[LA_TLB_STAGE1],
              (unsigned long long)n->n_walks[LA_TLB_STAGE2], (unsigned long long)n->n_gid_switches,
              (unsigned long long)n->n_injected, (unsigned long long)n->n_passed,
              (unsigned long long)n->n_checks);
}
