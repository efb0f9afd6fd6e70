// SPDX-License-Identifier: Apache-2.0
// Two-stage translation: faults at either stage, guest ids, invalidation.
#include "cpu/loongarch64/guest_rig.h"

TEST(a_second_stage_miss_is_a_root_refill_with_the_gpa)
{
    static const char *const accesses[] = {"ld.d $a1, $a0, 0x18", "st.d $a1, $a0, 0x18"};
    for (unsigned i = 0; i < ARRAY_LEN(accesses); i++) {
        struct rig r;
        init(&r);
        r.c->gpr[4] = 0x345678;
        run_guest(&r, accesses[i], 1);
        CHECK(!la_in_guest(r.c));
        CHECK_EQ(r.c->csr[CSR_TLBRBADV], 0x345690);
        CHECK_EQ(r.c->csr[CSR_TLBREHI] & BITS(47, 13), 0x344000);
        CHECK_EQ(r.c->csr[CSR_TLBRERA], GUEST_CODE | 1);
        CHECK_EQ(r.c->csr[CSR_TLBRPRMD], 4 | 8); // IE and PGM
        CHECK_EQ(r.c->pc, RIG_REFILL);
        // The refill returns into the guest, and the access is done.
        la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
        r.c->csr[CSR_TLBRELO0] = r.c->csr[CSR_TLBRELO1] = 0x100000 | V | D;
        r.c->csr[CSR_TLBREHI] = bits_set(r.c->csr[CSR_TLBREHI], 5, 0, 14);
        rig_program_at(&r, RIG_REFILL, "tlbfill;ertn");
        r.c->gpr[5] = 0x99;
        rig_write64(&r, 0x100000 + (0x345690 & 0x3fff), i ? 0 : 0x99);
        rig_steps(&r, 3);
        CHECK(la_in_guest(r.c));
        CHECK_EQ(r.c->pc, GUEST_CODE + 4);
        CHECK_EQ(i ? rig_read64(&r, 0x100000 + (0x345690 & 0x3fff)) : r.c->gpr[5], 0x99);
        rig_free(&r);
    }
}

TEST(a_fetch_misses_the_second_stage_too)
{
    struct rig r;
    init(&r);
    enter_at(&r, 0x400010);
    rig_step(&r);
    CHECK_EQ(r.c->csr[CSR_TLBRBADV], 0x400010);
    CHECK_EQ(r.c->csr[CSR_TLBRERA], 0x400010 | 1);
    rig_free(&r);
}

TEST(second_stage_attributes_fault_with_the_gpa)
{
    static const struct {
        u64 flags;
        const char *insn;
        unsigned code;
    } cases[] = {
        {D, "ld.d $a1, $a0, 0", EXC_PIL}, {D, "st.d $a1, $a0, 0", EXC_PIS},
        {V, "st.d $a1, $a0, 0", EXC_PME}, {V | D | BIT(61), "ld.d $a1, $a0, 0", EXC_PNR},
        {V, "ld.d $a1, $a0, 0", 0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        init(&r);
        map_gpa(&r, 2050, 0x600000, 0x100000, 14, cases[i].flags);
        r.c->gpr[4] = 0x600123;
        CHECK_EQ(exit_of(&r, cases[i].insn, 3), cases[i].code);
        if (cases[i].code) {
            CHECK_EQ(r.c->csr[CSR_BADV], 0x600123);
            CHECK_EQ(r.c->csr[CSR_TLBEHI], 0x600000);
            CHECK_EQ(r.c->csr[CSR_ERA], GUEST_CODE);
        }
        rig_free(&r);
    }
}

TEST(a_second_stage_fetch_fault_has_no_instruction)
{
    struct rig r;
    init(&r);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, 0);
    r.c->csr[CSR_BADI] = 77;
    enter_at(&r, 0x600000);
    rig_step(&r);
    CHECK_EQ(ECODE(r.c), EXC_PIF);
    CHECK_EQ(r.c->csr[CSR_BADI], 0);
    rig_free(&r);
}

TEST(gpas_that_no_table_holds_are_invalid_at_once)
{
    struct rig r;
    init(&r);
    r.c->gpr[4] = 0x0000800000000040;
    CHECK_EQ(exit_of(&r, "ld.d $a1, $a0, 0", 0), EXC_PIL);
    CHECK_EQ(r.c->csr[CSR_BADV], 0x0000800000000040);
    rig_free(&r);
}

// The guest mapped by its own first stage: gva -> gpa.
static void map_gva(struct rig *r, u64 gva, u64 gpa, unsigned ps, u64 flags)
{
    la_gcsr_write(r->c, CSR_TLBIDX, 2048 | (u64)ps << 24, ~0ULL);
    la_gcsr_write(r->c, CSR_TLBEHI, gva, ~0ULL);
    la_gcsr_write(r->c, CSR_TLBELO0, gpa | flags, ~0ULL);
    la_gcsr_write(r->c, CSR_TLBELO1, (gpa + BIT(ps)) | flags, ~0ULL);
    la_csr_write(r->c, CSR_GTLBC, (u64)GID << 16, BITS(23, 16));
    la_tlbwr(r->c, LA_TLB_GUEST);
    la_csr_write(r->c, CSR_GTLBC, 0, BITS(23, 16));
}

static void map_guest(struct rig *r)
{
    la_gcsr_write(r->c, CSR_DMW1, 0x9000000000000011, ~0ULL);
    la_gcsr_write(r->c, CSR_CRMD, CRMD_PG, ~0ULL);
}

static void run_mapped(struct rig *r, const char *text, unsigned steps)
{
    guest_program(r, text);
    enter_at(r, 0x9000000000000000 | GUEST_CODE);
    rig_steps(r, steps);
}

TEST(first_stage_faults_stay_inside_with_the_gva)
{
    struct rig r;
    init(&r);
    map_guest(&r);
    r.c->gpr[4] = 0x120001238;
    run_mapped(&r, "ld.d $a1, $a0, 0", 1);
    CHECK(la_in_guest(r.c));
    CHECK_EQ(r.c->guest.csr[CSR_TLBRBADV], 0x120001238);
    CHECK_EQ(r.c->pc, GUEST_ENTRY + 0x1000);
    rig_free(&r);

    init(&r);
    map_gva(&r, 0x120000000, 0x30000, 14, V);
    map_guest(&r);
    r.c->gpr[4] = 0x120001238;
    run_mapped(&r, "st.d $a1, $a0, 0", 1);
    CHECK(la_in_guest(r.c));
    CHECK_EQ(GUEST_ECODE(r.c), EXC_PME);
    CHECK_EQ(r.c->guest.csr[CSR_BADV], 0x120001238);
    rig_free(&r);
}

TEST(both_stages_translate_with_the_smaller_page)
{
    static const unsigned sizes[][2] = {{14, 20}, {20, 14}, {12, 21}, {21, 12}};
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        struct rig r;
        init(&r);
        u64 gpa = 0x800000;
        map_gpa(&r, 2050, gpa, 0x0, sizes[i][1], V | D);
        map_gva(&r, 0x120000000, gpa, sizes[i][0], V | D);
        map_guest(&r);
        rig_write64(&r, 0x1230, 0x1000 + i);
        r.c->gpr[4] = 0x120001230;
        run_mapped(&r, "ld.d $a1, $a0, 0", 1);
        CHECK(la_in_guest(r.c));
        CHECK_EQ(r.c->gpr[5], 0x1000 + i);
        rig_free(&r);
    }
}

TEST(a_fault_in_the_guests_table_is_about_the_table)
{
    struct rig r;
    init(&r);
    la_gcsr_write(r.c, CSR_PWCL, 14 | 11 << 5 | 25 << 10 | 11 << 15, ~0ULL);
    la_gcsr_write(r.c, CSR_TLBRBADV, 3ULL << 25, ~0ULL);
    r.c->gpr[4] = 0x9000000000700000;
    run_guest(&r, "lddir $a1, $a0, 1", 1);
    CHECK(!la_in_guest(r.c));
    CHECK_EQ(r.c->csr[CSR_TLBRBADV], 0x700018);
    CHECK_EQ(r.c->csr[CSR_TLBRERA], GUEST_CODE | 1);
    r.c->csr[CSR_TLBRERA] = 0;
    map_gpa(&r, 2050, 0x700000, 0x100000, 14, V | D);
    rig_write64(&r, 0x100018, 0x9000000000345000);
    run_guest(&r, "lddir $a1, $a0, 1", 1);
    CHECK(la_in_guest(r.c));
    CHECK_EQ(r.c->gpr[5], 0x345000);
    rig_free(&r);
}

// Whatever widths and index the guest chooses, a table entry has a physical address.
TEST(an_index_beyond_physical_memory_wraps)
{
    struct rig r;
    init(&r);
    la_gcsr_write(r.c, CSR_PWCH, 63 << 6, ~0ULL); // level 3: all bits are the index
    la_gcsr_write(r.c, CSR_TLBRBADV, 1ULL << 45 | 4, ~0ULL);
    rig_write64(&r, GUEST_BASE + 0x30020, 0x345000);
    r.c->gpr[4] = 0x30000;
    run_guest(&r, "lddir $a1, $a0, 3", 1);
    CHECK(la_in_guest(r.c));
    CHECK_EQ(r.c->gpr[5], 0x345000);
    rig_free(&r);
}

TEST(guest_ids_separate_and_switch_without_a_flush)
{
    struct rig r;
    init(&r);
    rig_write64(&r, 0x100000, 1);
    rig_write64(&r, 0x108000, 2);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, V | D);
    la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)(GID + 1) << 16, ~0ULL);
    rig_map(&r, 2051, 0x600000, 0x108000, 14, V | D);
    rig_map(&r, 2052, 0, GUEST_BASE, 20, V | D);
    la_csr_write(r.c, CSR_GTLBC, BIT(12), ~0ULL);
    r.c->gpr[4] = 0x600000;
    for (unsigned n = 0; n < 6; n++) {
        la_csr_write(r.c, CSR_GSTAT, (u64)(GID + n % 2) << 16, ~0ULL);
        CHECK_EQ(exit_of(&r, "ld.d $a1, $a0, 0", 0), 0);
        CHECK_EQ(r.c->gpr[5], 1 + n % 2);
    }
    rig_free(&r);
}

// Whether a second-stage entry (or none) answers for a guest's load of `gpa`.
static bool answers(struct rig *r, u64 gpa)
{
    r->c->gpr[4] = gpa;
    la_csr_write(r->c, CSR_TLBRERA, 0, ~0ULL);
    run_guest(r, "ld.d $a1, $a0, 0", 1);
    bool done = la_in_guest(r->c);
    la_switch_context(r->c, &r->c->root);
    la_csr_write(r->c, CSR_TLBRERA, 0, ~0ULL);
    rig_mapped(r, 0);
    return done;
}

TEST(invtlb_removes_second_stage_entries_by_guest_and_address)
{
    static const struct {
        unsigned op;
        u64 rj, rk;
        bool stays;
    } cases[] = {
        {0x16, (u64)GID << 16, 0x600000, false},
        {0x16, (u64)GID << 16, 0x604000, false},
        {0x16, (u64)GID << 16, 0x700000, true},
        {0x16, (u64)(GID + 1) << 16, 0x600000, true},
        {0x14, (u64)GID << 16, 0, false},
        {0x15, (u64)GID << 16, 0, false},
        {0x13, (u64)GID << 16, 0, true},
        {0x14, (u64)(GID + 1) << 16, 0, true},
        {0x12, 0, 0, false},
        {0x11, 0, 0, false},
        {0x10, 0, 0, true},
        {0x9, (u64)GID << 16, 0, true},
        {0x0, 0, 0, false},
        {0x1, 0, 0, true},
        {0x4, 0, 0, true},
        {0x6, 0, 0x600000, true},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        init(&r);
        map_gpa(&r, 2050, 0x600000, 0x100000, 14, V | D);
        CHECK(answers(&r, 0x600010));
        la_invtlb(r.c, cases[i].op, cases[i].rj, cases[i].rk);
        map_gpa(&r, 2048, 0, GUEST_BASE, 20, V | D);
        if (answers(&r, 0x600010) != cases[i].stays)
            CHECK_EQ(i, ~0u);
        rig_free(&r);
    }
}

TEST(the_newest_second_stage_entry_wins)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_STLBPS, 14, 0x3f);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, V);
    r.c->gpr[4] = 0x600000;
    CHECK_EQ(exit_of(&r, "st.d $a1, $a0, 0", 0), EXC_PME);
    map_gpa(&r, 2060, 0x600000, 0x100000, 14, V | D);
    r.c->gpr[4] = 0x600000;
    CHECK_EQ(exit_of(&r, "st.d $a1, $a0, 0", 0), 0);
    rig_free(&r);
}

// Whichever of a large and a small page is new.
TEST(the_newest_entry_wins_over_other_page_sizes)
{
    struct rig r;
    init(&r);
    for (unsigned small = 0; small < 600; small += 3)
        map_gpa(&r, small, 0x40000000 + ((u64)small << 13), 0x1000000, 12, V | D | CC);
    map_gpa(&r, 2049, 0x40000000, 0x2000000, 24, V | D | CC);
    la_switch_context(r.c, &r.c->guest);
    CHECK_EQ(la_translate_gpa(r.c, 0x40000000 + (300ULL << 13), LA_LOAD), 0x2000000 + (300 << 13));
    la_switch_context(r.c, &r.c->root);
    map_gpa(&r, 300, 0x40000000 + (300ULL << 13), 0x3000000, 12, V | D | CC);
    la_switch_context(r.c, &r.c->guest);
    CHECK_EQ(la_translate_gpa(r.c, 0x40000000 + (300ULL << 13), LA_LOAD), 0x3000000);
    rig_free(&r);
}

TEST(tlbsrch_and_tlbrd_under_tgid_are_about_the_second_stage)
{
    struct rig r;
    init(&r);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, V | D);
    la_csr_write(r.c, CSR_TLBEHI, 0x600000, ~0ULL);
    la_tlbsrch(r.c, LA_TLB_CURRENT);
    CHECK(la_csr_read(r.c, CSR_TLBIDX) & BIT(31)); // none of the root's own
    la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
    la_tlbsrch(r.c, LA_TLB_CURRENT);
    CHECK_EQ(la_csr_read(r.c, CSR_TLBIDX) & (BIT(31) | 0xfff), 2050);
    la_tlbrd(r.c, LA_TLB_CURRENT);
    CHECK_EQ(la_csr_read(r.c, CSR_TLBELO0), 0x100000 | V | D);
    CHECK_EQ(la_csr_read(r.c, CSR_TRGP), 1 | GID << 16);
    rig_free(&r);
}

TEST(accesses_across_pages_fault_whole_with_the_first_bad_byte)
{
    struct rig r;
    init(&r);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, V | D);
    rig_write64(&r, 0x107ff8, 0x1122334455667788);
    r.c->gpr[4] = 0x607ffc;
    r.c->gpr[5] = ~0ULL;
    run_guest(&r, "st.d $a1, $a0, 0", 1);
    CHECK(!la_in_guest(r.c));
    CHECK_EQ(r.c->csr[CSR_TLBRBADV], 0x608000);
    CHECK_EQ(rig_read64(&r, 0x107ff8), 0x1122334455667788);
    rig_free(&r);
}

// invtlb under TGID, with an ASID that is not the one of the fill: second-stage entries have none.
TEST(operations_1_to_6_under_tgid_are_about_the_second_stage)
{
    static const struct {
        unsigned op;
        u64 rk;
        bool stays;
    } cases[] = {{1, 0, false},        {3, 0, false},        {4, 0, false},
                 {5, 0x604000, false}, {6, 0x600000, false}, {5, 0x700000, true},
                 {6, 0x700000, true},  {0, 0, false}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        init(&r);
        la_csr_write(r.c, CSR_ASID, 3, 0x3ff);
        map_gpa(&r, 2050, 0x600000, 0x100000, 14, V | D);
        CHECK(answers(&r, 0x600010));
        la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
        la_invtlb(r.c, cases[i].op, 7, cases[i].rk);
        la_csr_write(r.c, CSR_GTLBC, BIT(12), ~0ULL);
        map_gpa(&r, 2048, 0, GUEST_BASE, 20, V | D);
        if (answers(&r, 0x600010) != cases[i].stays)
            CHECK_EQ(i, ~0u);
        rig_free(&r);
    }
}

TEST(operation_0_reaches_the_roots_own_entries_under_tgid)
{
    struct rig r;
    init(&r);
    rig_map(&r, 2060, 0x40000000, 0x100000, 14, V | D);
    la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
    la_invtlb(r.c, 0, 0, 0);
    la_csr_write(r.c, CSR_GTLBC, BIT(12), ~0ULL);
    la_csr_write(r.c, CSR_TLBEHI, 0x40000000, ~0ULL);
    la_tlbsrch(r.c, LA_TLB_CURRENT);
    CHECK(la_csr_read(r.c, CSR_TLBIDX) & BIT(31));
    rig_free(&r);
}

TEST(a_second_stage_entry_that_software_overwrites_serves_no_more)
{
    for (unsigned ne = 0; ne < 2; ne++) {
        struct rig r;
        init(&r);
        map_gpa(&r, 2050, 0x600000, 0x100000, 14, V | D);
        CHECK(answers(&r, 0x600010));
        la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
        if (ne) {
            la_csr_write(r.c, CSR_TLBIDX, 2050 | BIT(31), ~0ULL);
            la_tlbwr(r.c, LA_TLB_CURRENT);
        } else {
            rig_map(&r, 2050, 0x700000, 0x100000, 14, V | D);
        }
        la_csr_write(r.c, CSR_GTLBC, BIT(12), ~0ULL);
        CHECK(!answers(&r, 0x600010));
        rig_free(&r);
    }
}

// Nine pages of one set of the STLB: one has been replaced, and what is cached of it goes all the
// same.
TEST(flushes_reach_what_is_cached_of_replaced_entries)
{
    for (unsigned by_op = 0; by_op < 2; by_op++) {
        struct rig r;
        init(&r);
        la_csr_write(r.c, CSR_STLBPS, 14, 0x3f);
        map_gpa(&r, 2048, 0, GUEST_BASE, 20, V | D);
        la_csr_write(r.c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
        la_csr_write(r.c, CSR_TLBIDX, 14 << 24, ~0ULL);
        la_csr_write(r.c, CSR_TLBELO0, 0x100000 | V | D, ~0ULL);
        la_csr_write(r.c, CSR_TLBELO1, 0x104000 | V | D, ~0ULL);
        for (u64 i = 1; i <= 9; i++) {
            la_csr_write(r.c, CSR_TLBEHI, i << 23, ~0ULL);
            la_tlbfill(r.c, LA_TLB_CURRENT);
            CHECK(answers(&r, i << 23));
        }
        u64 gone = 0;
        for (u64 i = 1; i <= 9; i++) {
            la_csr_write(r.c, CSR_TLBEHI, i << 23, ~0ULL);
            la_tlbsrch(r.c, LA_TLB_CURRENT);
            gone = la_csr_read(r.c, CSR_TLBIDX) & BIT(31) ? i << 23 : gone;
        }
        CHECK(gone != 0);
        la_csr_write(r.c, CSR_TLBIDX, 0, ~0ULL);
        if (by_op)
            la_invtlb(r.c, 6, 0, gone);
        else
            la_tlbflush(r.c, LA_TLB_CURRENT);
        la_csr_write(r.c, CSR_GTLBC, BIT(12), ~0ULL);
        CHECK(!answers(&r, gone));
        rig_free(&r);
    }
}

TEST(the_level_of_the_root_counts_in_the_second_stage)
{
    struct rig r;
    init(&r);
    map_gpa(&r, 2048, 0, GUEST_BASE, 20, V | D | PLV3);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, V | D);
    r.c->gpr[4] = 0x600010;
    CHECK_EQ(exit_of(&r, "ld.d $a1, $a0, 0", 0), 0);
    r.c->gpr[4] = 0x600010;
    guest_program(&r, "ld.d $a1, $a0, 0");
    la_csr_write(r.c, CSR_ERA, GUEST_CODE, ~0ULL);
    la_csr_write(r.c, CSR_PRMD, 3, ~0ULL);
    la_csr_write(r.c, CSR_GSTAT, BIT(1), BIT(1));
    rig_program(&r, "ertn");
    r.c->pc |= 0x9000000000000000;
    rig_steps(&r, 2);
    CHECK_EQ(ECODE(r.c), EXC_PPI);
    rig_free(&r);
}

TEST(atomic_accesses_fault_as_stores)
{
    struct rig r;
    init(&r);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, D);
    r.c->gpr[4] = 0x600120;
    CHECK_EQ(exit_of(&r, "amadd.d $a1, $a2, $a0", 0), EXC_PIS);
    rig_free(&r);
}
