// SPDX-License-Identifier: Apache-2.0
// What is counted and complained about, and the traps of exception entry and privilege level.
#include "cpu/loongarch64/guest_rig.h"

struct lines {
    char last[512];
    unsigned n;
};

static void keep_line(void *opaque, const char *line)
{
    struct lines *l = opaque;
    snprintf(l->last, sizeof(l->last), "%s", line);
    l->n++;
}

// A rig whose log keeps the last line of the class.
static void watch(struct rig *r, struct log *log, struct lines *lines, enum log_class class)
{
    *lines = (struct lines){.n = 0};
    *log = (struct log){.enabled = 1u << class, .sink = keep_line, .opaque = lines};
    r->bus.log = log;
}

TEST(exits_and_entries_are_counted)
{
    struct rig r;
    struct log log;
    struct lines lines;
    init(&r);
    watch(&r, &log, &lines, LOG_LVZ);
    run_guest(&r, "nop;nop;hvcl 1", 3);
    run_guest(&r, "cpucfg $a0, $zero", 1);
    CHECK_EQ(r.c->lvz_counts.n_entries, 2);
    CHECK_EQ(r.c->lvz_counts.n_exits[EXC_HVC], 1);
    CHECK_EQ(r.c->lvz_counts.n_exits[EXC_GSPR], 1);
    CHECK_EQ(r.c->lvz_counts.guest_insns, 2 + 2); // with the ertn that enters
    CHECK(strstr(lines.last, "exit GSPR gid 5 pc 0x10000") != NULL);
    la_csr_write(r.c, CSR_GINTC, 5, ~0ULL);
    la_csr_write(r.c, CSR_GINTC, 4, ~0ULL);
    CHECK_EQ(r.c->lvz_counts.n_injected, 2);
    lines.n = 0;
    la_lvz_report(r.c);
    CHECK_EQ(lines.n, 4);
    rig_free(&r);
}

TEST(what_lies_between_an_exit_and_the_next_entry_is_counted)
{
    struct rig r;
    struct log log;
    struct lines lines;
    init(&r);
    watch(&r, &log, &lines, LOG_STATS);
    run_guest(&r, "hvcl 1", 1);
    rig_program(&r, "nop;nop;nop");
    r.c->pc |= 0x9000000000000000;
    rig_steps(&r, 3);
    r.now_ns += 70;
    run_guest(&r, "hvcl 1", 0);
    CHECK_EQ(r.c->lvz_counts.away_insns[EXC_HVC], 3);
    CHECK_EQ(r.c->lvz_counts.away_ns[EXC_HVC], 70);
    rig_free(&r);
}

TEST(sums_are_told_with_the_statistics_too)
{
    struct rig r;
    struct log log;
    struct lines lines;
    init(&r);
    watch(&r, &log, &lines, LOG_STATS);
    la_lvz_report(r.c);
    CHECK_EQ(lines.n, 0); // no guest, no word
    run_guest(&r, "hvcl 1", 1);
    CHECK_EQ(lines.n, 0);
    la_lvz_report(r.c);
    CHECK_EQ(lines.n, 4);
    rig_free(&r);
}

// How many complaints `text` makes when the guest runs it.
static unsigned complaints(struct rig *r, const char *text, unsigned steps)
{
    u64 before = r->c->lvz_counts.n_checks;
    run_guest(r, text, steps);
    if (la_in_guest(r->c))
        la_switch_context(r->c, &r->c->root);
    return (unsigned)(r->c->lvz_counts.n_checks - before);
}

TEST(what_works_by_accident_is_told)
{
    struct rig r;
    struct log log;
    struct lines lines;
    init(&r);
    watch(&r, &log, &lines, LOG_LVZ_CHECK);
    CHECK_EQ(complaints(&r, "hvcl 0", 1), 0);
    CHECK_EQ(complaints(&r, "csrrd $a0, 0x32;csrrd $a0, 0x32", 2), 1); // once
    CHECK(strstr(lines.last, "guest pc 0x10000: the guest reads a register that nobody") != NULL);
    CHECK_EQ(complaints(&r, "csrwr $a0, 0x33;csrrd $a0, 0x33;csrrd $a0, 0x0", 3), 0);
    la_csr_write(r.c, CSR_GSTAT, 0, BITS(23, 16));
    CHECK_EQ(complaints(&r, "nop", 0), 1);
    CHECK(strstr(lines.last, "guest id 0") != NULL);
    la_csr_write(r.c, CSR_GSTAT, (u64)GID << 16, BITS(23, 16));
    rig_program(&r, "hvcl 0");
    r.c->pc |= 0x9000000000000000;
    rig_step(&r);
    CHECK(strstr(lines.last, "hvcl in the root") != NULL);
    rig_free(&r);
}

TEST(a_guest_id_must_be_invalidated_before_it_serves_another_table)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_PGDL, 0x100000, ~0ULL);
    CHECK_EQ(complaints(&r, "nop", 1), 0);
    CHECK_EQ(complaints(&r, "nop", 1), 0);
    la_csr_write(r.c, CSR_PGDL, 0x200000, ~0ULL);
    CHECK_EQ(complaints(&r, "nop", 1), 1);
    la_csr_write(r.c, CSR_PGDL, 0x300000, ~0ULL);
    la_invtlb(r.c, 0x15, (u64)GID << 16, 0);
    map_gpa(&r, 2048, 0, GUEST_BASE, 20, V | D | CC);
    CHECK_EQ(complaints(&r, "nop", 1), 0);
    rig_free(&r);
}

TEST(tgid_left_set_while_the_root_fills_for_itself)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
    r.c->gpr[4] = 0x120000000;
    rig_program(&r, "ld.d $a1, $a0, 0");
    rig_program_at(&r, RIG_REFILL, "tlbfill");
    r.c->pc |= 0x9000000000000000;
    rig_steps(&r, 2);
    CHECK_EQ(r.c->lvz_counts.n_checks, 1);
    rig_free(&r);
}

TEST(top_traps_a_change_of_level_before_it_happens)
{
    struct rig r;
    struct err e = {0};
    init(&r);
    la_csr_write(r.c, CSR_GCFG, BIT(13), BIT(13));
    CHECK_EQ(la_csr_read(r.c, CSR_GCFG) & BITS(13, 12), 0); // not without the property
    REQUIRE(la_lvz_set_property(r.c, "lvz-topp", "on", &e));
    la_csr_write(r.c, CSR_GSTAT, (u64)GID << 16, BITS(23, 16));
    la_csr_write(r.c, CSR_GCFG, BIT(13), BIT(13));
    r.c->gpr[4] = CRMD_DA | 3;
    CHECK_EQ(exit_of(&r, "csrwr $a0, 0x0", 0), EXC_GCSC & 0x3f);
    CHECK_EQ(r.c->csr[CSR_ERA], GUEST_CODE);
    CHECK_EQ(la_gcsr_read(r.c, CSR_CRMD), CRMD_DA);
    r.c->gpr[4] = CRMD_DA | CRMD_IE;
    CHECK_EQ(exit_of(&r, "csrwr $a0, 0x0", 0), 0);
    rig_free(&r);
}

TEST(toe_tells_of_exceptions_and_returns_after_the_fact)
{
    struct rig r;
    struct err e = {0};
    init(&r);
    REQUIRE(la_lvz_set_property(r.c, "lvz-toep", "on", &e));
    la_csr_write(r.c, CSR_GSTAT, (u64)GID << 16, BITS(23, 16));
    la_csr_write(r.c, CSR_GCFG, BIT(11), BIT(11));
    CHECK_EQ(exit_of(&r, "syscall 0", 0), EXC_GCHC & 0x3f);
    CHECK_EQ(bits_get(r.c->csr[CSR_ESTAT], 30, 22), 1);
    CHECK_EQ(r.c->csr[CSR_ERA], GUEST_ENTRY);
    CHECK_EQ(GUEST_ECODE(r.c), EXC_SYS);
    la_gcsr_write(r.c, CSR_ERA, GUEST_CODE + 0x40, ~0ULL);
    CHECK_EQ(exit_of(&r, "ertn", 0), EXC_GCHC & 0x3f);
    CHECK_EQ(r.c->csr[CSR_ERA], GUEST_CODE + 0x40);
    rig_free(&r);
}
