// SPDX-License-Identifier: Apache-2.0
// Entry and exits of a guest, traps, interrupts, timer and counter.
#include "cpu/loongarch64/guest_rig.h"

TEST(reset_values_and_fixed_fields)
{
    struct rig r;
    rig_init(&r, "max");
    CHECK_EQ(la_csr_read(r.c, CSR_GSTAT), 8 << 4);
    la_csr_write(r.c, CSR_GSTAT, ~0ULL, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GSTAT), 8 << 4 | 2 | 0xff << 16);
    u64 capabilities = la_csr_read(r.c, CSR_GCFG);
    la_csr_write(r.c, CSR_GCFG, 0, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GCFG), capabilities);
    la_csr_write(r.c, CSR_GTLBC, 7 << 16, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GTLBC), 0); // TGID is fixed while USETGID is 0
    la_csr_write(r.c, CSR_GTLBC, BIT(12) | 7 << 16, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GTLBC), BIT(12) | 7 << 16);
    CHECK_EQ(la_gcsr_read(r.c, CSR_CRMD), CRMD_DA);
    rig_free(&r);
}

TEST(ids_have_as_many_bits_as_gidbits_says)
{
    struct rig r;
    struct err e = {0};
    rig_init(&r, "max");
    REQUIRE(la_lvz_set_property(r.c, "gidbits", "3", &e));
    la_csr_write(r.c, CSR_GSTAT, ~0ULL, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GSTAT), 3 << 4 | 2 | 7 << 16);
    la_csr_write(r.c, CSR_GTLBC, ~0ULL, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GTLBC), 0x303f | 7 << 16);
    CHECK(!la_lvz_set_property(r.c, "gidbits", "0", &e));
    rig_free(&r);
}

TEST(without_the_feature_nothing_of_it_is_there)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_GSTAT, ~0ULL, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GSTAT), 0);
    la_csr_write(r.c, CSR_TLBRPRMD, ~0ULL, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_TLBRPRMD), 0x17);
    rig_run(&r, "gcsrrd $a0, 0");
    CHECK_EQ(ECODE(r.c), EXC_INE);
    rig_run(&r, "invtlb 0x12, $zero, $zero");
    CHECK_EQ(ECODE(r.c), EXC_INE);
    rig_free(&r);
}

TEST(the_guest_has_registers_of_its_own)
{
    static const u16 plain[] = {CSR_ERA,    CSR_BADV, CSR_SAVE0,    CSR_SAVE7,
                                CSR_SAVE15, CSR_PGDL, CSR_TLBRSAVE, CSR_CNTC};
    struct rig r;
    init(&r);
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++) {
        la_csr_write(r.c, plain[i], 0x1111000, ~0ULL);
        la_gcsr_write(r.c, plain[i], 0x2222000, ~0ULL);
        CHECK_EQ(la_csr_read(r.c, plain[i]), 0x1111000);
        CHECK_EQ(la_gcsr_read(r.c, plain[i]), 0x2222000);
        la_gcsr_write(r.c, plain[i], 0x5000, 0xf000);
        CHECK_EQ(la_gcsr_read(r.c, plain[i]), 0x2225000);
    }
    rig_free(&r);
}

TEST(hvcl_exits_with_the_whole_state)
{
    struct rig r;
    init(&r);
    run_guest(&r, "hvcl 0x7abc", 0);
    CHECK(la_in_guest(r.c));
    rig_step(&r);
    CHECK(!la_in_guest(r.c));
    CHECK_EQ(ECODE(r.c), EXC_HVC);
    CHECK_EQ(r.c->csr[CSR_ERA], GUEST_CODE);
    CHECK_EQ(r.c->csr[CSR_BADI], 0x002b8000 | 0x7abc);
    CHECK_EQ(r.c->csr[CSR_PRMD], 4);
    CHECK_EQ(r.c->csr[CSR_CRMD] & (CRMD_IE | CRMD_PLV | CRMD_PG), CRMD_PG);
    CHECK_EQ(r.c->csr[CSR_GSTAT] & 3, 2);
    CHECK_EQ(r.c->pc, 0x9000000000000000 | RIG_ENTRY);
    CHECK_EQ(la_gcsr_read(r.c, CSR_CRMD), CRMD_DA);
    rig_free(&r);
}

TEST(sensitive_instructions_exit_from_the_levels_that_may_use_them)
{
    static const struct {
        const char *insn;
        unsigned exit_plv0, exit_plv3, guest_plv3;
    } cases[] = {
        {"cpucfg $a0, $zero", EXC_GSPR, EXC_GSPR, 0},
        {"idle 0", EXC_GSPR, 0, EXC_IPE},
        {"iocsrrd.w $a0, $zero", EXC_GSPR, 0, EXC_IPE},
        {"iocsrwr.d $a0, $zero", EXC_GSPR, 0, EXC_IPE},
        {"cacop 0x8, $zero, 0", EXC_GSPR, 0, EXC_IPE},
        {"csrrd $a0, 0x50", EXC_GSPR, 0, EXC_IPE},
        {"csrrd $a0, 0x80", EXC_GSPR, 0, EXC_IPE},
        {"csrrd $a0, 0x200", EXC_GSPR, 0, EXC_IPE},
        {"csrrd $a0, 0x3000", EXC_GSPR, 0, EXC_IPE},
        {"csrwr $a0, 0x30", 0, 0, EXC_IPE},
        {"csrrd $a0, 0x42", 0, 0, EXC_IPE},
        {"rdtime.d $a0, $a1", 0, 0, 0},
        {"tlbsrch", 0, 0, EXC_IPE},
        {"invtlb 0, $zero, $zero", 0, 0, EXC_IPE},
        {"invtlb 0x12, $zero, $zero", EXC_GSPR, 0, EXC_IPE},
        {"gcsrrd $a0, 0", EXC_GSPR, 0, EXC_IPE},
        {"gtlbflush", EXC_GSPR, 0, EXC_IPE},
        {"hvcl 0", EXC_HVC, 0, EXC_IPE},
        {"syscall 0", 0, 0, EXC_SYS},
        {"break 0", 0, 0, EXC_BRK},
        {".word 0", 0, 0, EXC_INE},
        {"dbar 0", 0, 0, 0},
        {"ibar 0", 0, 0, 0},
    };
    struct rig r;
    init(&r);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        bool ok = CHECK_EQ(exit_of(&r, cases[i].insn, 0), cases[i].exit_plv0);
        ok &= CHECK_EQ(exit_of(&r, cases[i].insn, 3), cases[i].exit_plv3);
        ok &= CHECK_EQ(GUEST_ECODE(r.c), cases[i].guest_plv3);
        if (!ok)
            printf("# at %s\n", cases[i].insn);
    }
    rig_free(&r);
}

TEST(gci_decides_which_cache_operations_exit)
{
    struct rig r;
    init(&r);
    CHECK_EQ(exit_of(&r, "cacop 0x10, $zero, 0", 0), EXC_GSPR);
    la_csr_write(r.c, CSR_GCFG, 1 << 20, BITS(21, 20));
    CHECK_EQ(exit_of(&r, "cacop 0x10, $zero, 0", 0), 0);
    CHECK_EQ(exit_of(&r, "cacop 0x8, $zero, 0", 0), EXC_GSPR);
    la_csr_write(r.c, CSR_GCFG, 2 << 20, BITS(21, 20));
    CHECK_EQ(exit_of(&r, "cacop 0x8, $zero, 0", 0), 0);
    CHECK_EQ(exit_of(&r, "cacop 0x0, $zero, 0", 0), EXC_GSPR);
    rig_free(&r);
}

TEST(tit_toti_and_topi_trap_what_they_name)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_GCFG, BIT(9), BIT(9));
    CHECK_EQ(exit_of(&r, "rdtime.d $a0, $a1", 3), EXC_GSPR);
    CHECK_EQ(exit_of(&r, "csrrd $a0, 0x41", 0), EXC_GSPR);
    CHECK_EQ(exit_of(&r, "csrrd $a0, 0x30", 0), 0);
    la_csr_write(r.c, CSR_GCFG, 0, BIT(9));
    la_csr_write(r.c, CSR_GTLBC, BIT(13), BIT(13));
    CHECK_EQ(exit_of(&r, "tlbsrch", 0), EXC_GSPR);
    CHECK_EQ(exit_of(&r, "lddir $a0, $a0, 1", 0), EXC_GSPR);
    CHECK_EQ(exit_of(&r, "csrrd $a0, 0x18", 0), EXC_GSPR);
    la_csr_write(r.c, CSR_GTLBC, 0, BIT(13));
    la_csr_write(r.c, CSR_GCFG, BIT(7), BIT(7));
    CHECK_EQ(exit_of(&r, "csrrd $a0, 0x30", 0), EXC_GSPR);
    CHECK_EQ(exit_of(&r, "csrrd $a0, 0x30", 3), 0);
    rig_free(&r);
}

// Translated code does in place what this traps.
TEST(a_guest_whose_privileged_instructions_trap_is_interpreted)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_GCFG, BIT(7), BIT(7));
    CHECK(la_mmu_may_cache(r.c));
    la_switch_context(r.c, &r.c->guest);
    CHECK(!la_mmu_may_cache(r.c));
    la_switch_context(r.c, &r.c->root);
    la_csr_write(r.c, CSR_GCFG, 0, BIT(7));
    la_switch_context(r.c, &r.c->guest);
    CHECK(la_mmu_may_cache(r.c));
    rig_free(&r);
}

TEST(properties_choose_the_other_reading)
{
    struct rig r;
    struct err e = {0};
    init(&r);
    REQUIRE(la_lvz_set_property(r.c, "lvz-titp", "off", &e));
    la_csr_write(r.c, CSR_GSTAT, (u64)GID << 16, ~0ULL);
    la_csr_write(r.c, CSR_GCFG, BIT(9), BIT(9));
    CHECK_EQ(la_csr_read(r.c, CSR_GCFG) & BITS(9, 8), 0);
    CHECK_EQ(exit_of(&r, "rdtime.d $a0, $a1", 0), 0);
    REQUIRE(la_lvz_set_property(r.c, "lvz-hvcl-any-plv", "on", &e));
    la_csr_write(r.c, CSR_GSTAT, (u64)GID << 16, ~0ULL);
    CHECK_EQ(exit_of(&r, "hvcl 0x101", 3), EXC_HVC);
    REQUIRE(la_lvz_set_property(r.c, "gidbits", "2", &e));
    la_csr_write(r.c, CSR_GSTAT, ~0ULL, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_GSTAT), 2 << 4 | 2 | 3 << 16);
    CHECK(!la_lvz_set_property(r.c, "gidbits", "9", &e));
    CHECK_STR(e.text, "gidbits=9: not a number from 1 to 8");
    CHECK(!la_lvz_set_property(r.c, "lvz-titp", "maybe", &e));
    CHECK(!la_lvz_set_property(r.c, "nothing", "on", &e));
    rig_free(&r);
}

TEST(the_guests_exceptions_stay_inside)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_ERA, 0x777, ~0ULL);
    run_guest(&r, "syscall 3", 1);
    CHECK(la_in_guest(r.c));
    CHECK_EQ(r.c->pc, GUEST_ENTRY);
    CHECK_EQ(GUEST_ECODE(r.c), EXC_SYS);
    CHECK_EQ(r.c->guest.csr[CSR_ERA], GUEST_CODE);
    CHECK_EQ(r.c->root.csr[CSR_ERA], GUEST_CODE); // of the entry
    rig_free(&r);
}

TEST(a_guests_ertn_stays_inside_whatever_its_registers_hold)
{
    struct rig r;
    init(&r);
    la_gcsr_write(r.c, CSR_ERA, GUEST_CODE + 0x100, ~0ULL);
    la_gcsr_write(r.c, CSR_PRMD, 3, ~0ULL);
    run_guest(&r, "ertn", 1);
    CHECK(la_in_guest(r.c));
    CHECK_EQ(r.c->pc, GUEST_CODE + 0x100);
    CHECK_EQ(la_plv(r.c), 3);
    CHECK_EQ(r.c->root.csr[CSR_CRMD] & CRMD_PLV, 0);
    rig_free(&r);
}

TEST(injected_lines_are_seen_by_the_guest_and_read_back)
{
    struct rig r;
    init(&r);
    la_gcsr_write(r.c, CSR_ECFG, 7 << 16 | 0xff << 2, ~0ULL);
    la_csr_write(r.c, CSR_GINTC, 1 << 3, 1 << 3);
    la_csr_write(r.c, CSR_GINTC, 1 << 5, 1 << 5);
    CHECK_EQ(la_csr_read(r.c, CSR_GINTC), 1 << 3 | 1 << 5);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), (1 << 3 | 1 << 5) << 2);
    la_gcsr_write(r.c, CSR_ESTAT, 0xff << 2, ~0ULL); // does not stick
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), (1 << 3 | 1 << 5) << 2);
    la_gcsr_write(r.c, CSR_CRMD, CRMD_DA | CRMD_IE, ~0ULL);
    rig_program_at(&r, GUEST_BASE + GUEST_ENTRY + (64 + 7) * 512, "nop");
    run_guest(&r, "nop", 1);
    CHECK(la_in_guest(r.c));
    CHECK_EQ(r.c->pc, GUEST_ENTRY + (64 + 7) * 512 + 4);
    la_switch_context(r.c, &r.c->root);
    la_csr_write(r.c, CSR_GINTC, 0, ~0ULL);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT) & 0x3fc, 0);
    rig_free(&r);
}

TEST(passed_through_lines_belong_to_the_guest)
{
    struct rig r;
    struct err e = {0};
    init(&r);
    la_csr_write(r.c, CSR_GINTC, 1 << (8 + 1), ~0ULL);
    cpu_set_line(&r.c->cpu, LINE_HWI0 + 1, true);
    cpu_set_line(&r.c->cpu, LINE_HWI0 + 2, true);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), 1 << 3);
    CHECK_EQ(la_csr_read(r.c, CSR_ESTAT) & 0x3fc, 1 << 4);
    REQUIRE(la_lvz_set_property(r.c, "lvz-hwip-shared", "on", &e));
    CHECK_EQ(la_csr_read(r.c, CSR_ESTAT) & 0x3fc, 1 << 3 | 1 << 4);
    rig_free(&r);
}

TEST(hc_lets_an_injected_line_fall_with_the_physical_one)
{
    struct rig r;
    init(&r);
    cpu_set_line(&r.c->cpu, LINE_HWI0 + 1, true);
    la_csr_write(r.c, CSR_GINTC, 1 << (16 + 1) | 1 << 1, ~0ULL);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), 1 << 3);
    CHECK_EQ(la_csr_read(r.c, CSR_ESTAT) & 0x3fc, 0);
    cpu_set_line(&r.c->cpu, LINE_HWI0 + 1, false);
    CHECK_EQ(la_csr_read(r.c, CSR_GINTC), 1 << (16 + 1));
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), 0);
    rig_free(&r);
}

TEST(root_interrupts_break_into_a_busy_guest)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_ECFG, 5 << 16 | 1 << LINE_TI, ~0ULL);
    la_csr_write(r.c, CSR_TCFG, 1000 | TCFG_EN, ~0ULL);
    run_guest(&r, "b 0", 5);
    CHECK(la_in_guest(r.c));
    r.now_ns += 20000;
    la_timer_poll(r.c);
    rig_program_at(&r, RIG_ENTRY + (64 + LINE_TI) * 128, "nop");
    rig_step(&r);
    CHECK(!la_in_guest(r.c));
    CHECK_EQ(ECODE(r.c), EXC_INT);
    CHECK_EQ(la_csr_read(r.c, CSR_ESTAT) >> LINE_TI & 1, 1);
    CHECK_EQ(r.c->csr[CSR_ERA], GUEST_CODE);
    CHECK_EQ(r.c->pc & 0xffffff, RIG_ENTRY + (64 + LINE_TI) * 128 + 4);
    rig_free(&r);
}

TEST(the_guest_timer_runs_in_both_modes)
{
    struct rig r;
    init(&r);
    la_gcsr_write(r.c, CSR_TCFG, 1000 | TCFG_EN, ~0ULL);
    r.now_ns += 400 * 10;
    CHECK_EQ(la_gcsr_read(r.c, CSR_TVAL), 600);
    r.now_ns += 600 * 10;
    la_timer_poll(r.c);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), BIT(LINE_TI));
    CHECK_EQ(la_csr_read(r.c, CSR_ESTAT) & BIT(LINE_TI), 0);
    CHECK_EQ(la_gcsr_read(r.c, CSR_TVAL), ~0ULL);
    CHECK_EQ(la_gcsr_read(r.c, CSR_TCFG) & TCFG_EN, TCFG_EN);
    la_gcsr_write(r.c, CSR_TICLR, 1, ~0ULL);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), 0);
    CHECK_EQ(la_gcsr_read(r.c, CSR_TVAL), ~0ULL);
    rig_free(&r);
}

TEST(kvm_saves_and_restores_the_guest_timer)
{
    struct rig r;
    init(&r);
    la_gcsr_write(r.c, CSR_TCFG, 1000 | TCFG_EN, ~0ULL);
    la_gcsr_write(r.c, CSR_TVAL, 300, ~0ULL); // goes on from there
    r.now_ns += 299 * 10;
    la_timer_poll(r.c);
    CHECK_EQ(la_gcsr_read(r.c, CSR_TVAL), 1);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), 0);
    la_gcsr_write(r.c, CSR_TVAL, 0, ~0ULL); // expires at once
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), BIT(LINE_TI));
    CHECK_EQ(la_gcsr_read(r.c, CSR_TVAL), ~0ULL);
    la_gcsr_write(r.c, CSR_ESTAT, 0, ~0ULL);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), 0);
    la_gcsr_write(r.c, CSR_ESTAT, BIT(LINE_TI) | BIT(12) | 1, ~0ULL);
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT), BIT(LINE_TI) | BIT(12) | 1);
    la_gcsr_write(r.c, CSR_TCFG, 1000, ~0ULL); // off: TI stays
    CHECK_EQ(la_gcsr_read(r.c, CSR_ESTAT) & BIT(LINE_TI), BIT(LINE_TI));
    rig_free(&r);
}

// Linux sets the root's CNTC at boot, and its KVM takes the guest's counter for the root's plus
// GCNTC.
TEST(the_guests_counter_has_every_offset)
{
    struct rig r;
    init(&r);
    r.now_ns = 100000;
    la_csr_write(r.c, CSR_GCNTC, (u64)-5000, ~0ULL);
    la_gcsr_write(r.c, CSR_CNTC, 7, ~0ULL);
    la_gcsr_write(r.c, CSR_TID, 42, ~0ULL);
    la_csr_write(r.c, CSR_CNTC, 1000000, ~0ULL);
    run_guest(&r, "rdtime.d $a0, $a1", 1);
    CHECK_EQ(r.c->gpr[4], 10000 + 1000000 - 5000 + 7);
    CHECK_EQ(r.c->gpr[5], 42);
    r.c->lvz.root_cntc = false;
    CHECK_EQ(la_counter_of_context(r.c), 10000 - 5000 + 7);
    rig_free(&r);
}

TEST(a_unit_is_on_when_both_contexts_say_so)
{
    static const struct {
        u32 bit;
        const char *insn;
        unsigned code;
    } units[] = {
        {EUEN_FPE, "fadd.d $fa0, $fa0, $fa0", EXC_FPD},
        {EUEN_SXE, "vadd.b $vr0, $vr0, $vr0", EXC_SXD},
        {EUEN_ASXE, "xvadd.b $xr0, $xr0, $xr0", EXC_ASXD},
    };
    struct rig r;
    init(&r);
    for (unsigned i = 0; i < ARRAY_LEN(units); i++) {
        CHECK_EQ(exit_of(&r, units[i].insn, 3), 0);
        CHECK_EQ(GUEST_ECODE(r.c), 0);
        la_csr_write(r.c, CSR_EUEN, 0, units[i].bit);
        CHECK_EQ(exit_of(&r, units[i].insn, 3), units[i].code);
        CHECK_EQ(r.c->csr[CSR_ERA], GUEST_CODE);
        la_gcsr_write(r.c, CSR_EUEN, 0, units[i].bit);
        CHECK_EQ(exit_of(&r, units[i].insn, 3), 0);
        CHECK_EQ(GUEST_ECODE(r.c), units[i].code);
        la_csr_write(r.c, CSR_EUEN, units[i].bit, units[i].bit);
        la_gcsr_write(r.c, CSR_EUEN, units[i].bit, units[i].bit);
    }
    rig_free(&r);
}

TEST(the_link_is_the_guests_own)
{
    struct rig r;
    init(&r);
    r.c->gpr[4] = 0x1000;
    run_guest(&r, "ll.w $a1, $a0, 0;hvcl 0", 2);
    CHECK_EQ(la_gcsr_read(r.c, CSR_LLBCTL), LLBCTL_ROLLB);
    CHECK_EQ(la_csr_read(r.c, CSR_LLBCTL), 0);
    run_guest(&r, "sc.w $a1, $a0, 0;hvcl 0", 2);
    CHECK_EQ(r.c->gpr[5], 1);
    run_guest(&r, "ll.w $a1, $a0, 0;hvcl 0", 2);
    la_gcsr_write(r.c, CSR_LLBCTL, LLBCTL_WCLLB, LLBCTL_WCLLB);
    run_guest(&r, "sc.w $a1, $a0, 0", 1);
    CHECK_EQ(r.c->gpr[5], 0);
    rig_free(&r);
}

TEST(a_root_refill_before_the_entry_returns_to_the_root)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_GSTAT, BIT(1), BIT(1));
    r.c->gpr[4] = 0x120000000;
    rig_program(&r, "ld.d $a1, $a0, 0");
    rig_program_at(&r, RIG_REFILL, "tlbfill;ertn");
    r.c->pc |= 0x9000000000000000;
    rig_step(&r);
    CHECK_EQ(r.c->csr[CSR_TLBRPRMD] & 8, 0);
    r.c->csr[CSR_TLBRELO0] = r.c->csr[CSR_TLBRELO1] = 0x100000 | V | D;
    r.c->csr[CSR_TLBREHI] = bits_set(r.c->csr[CSR_TLBREHI], 5, 0, 14);
    rig_steps(&r, 3);
    CHECK(!la_in_guest(r.c));
    CHECK_EQ(r.c->csr[CSR_GSTAT] & 2, 2);
    enter_at(&r, GUEST_CODE);
    CHECK(la_in_guest(r.c));
    rig_free(&r);
}

TEST(a_refill_left_by_hand_returns_by_era)
{
    struct rig r;
    init(&r);
    r.c->gpr[4] = 0x345678;
    run_guest(&r, "ld.d $a1, $a0, 0", 1);
    la_csr_write(r.c, CSR_TLBRERA, 0, 1);
    la_csr_write(r.c, CSR_TLBRPRMD, 0, 8);
    la_csr_write(r.c, CSR_GSTAT, 0, BIT(1));
    la_csr_write(r.c, CSR_ERA, 0x4444, ~0ULL);
    rig_program_at(&r, RIG_REFILL, "ertn");
    rig_step(&r);
    CHECK(!la_in_guest(r.c));
    CHECK_EQ(r.c->pc, 0x4444);
    rig_free(&r);
}
