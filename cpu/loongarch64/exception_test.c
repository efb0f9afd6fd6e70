// SPDX-License-Identifier: Apache-2.0
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

#define ECODE(c)   bits_get(la_csr_read((c), CSR_ESTAT), 21, 16)
#define SUBCODE(c) bits_get(la_csr_read((c), CSR_ESTAT), 30, 22)

TEST(syscall_saves_mode_and_address)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    r.c->csr[CSR_CRMD] |= CRMD_IE | CRMD_WE;
    rig_run(&r, "syscall 0x12");
    CHECK_EQ(r.c->pc, RIG_ENTRY);
    CHECK_EQ(ECODE(r.c), EXC_SYS);
    CHECK_EQ(r.c->csr[CSR_ERA], RIG_CODE);
    CHECK_EQ(r.c->csr[CSR_PRMD], 3 | 4 | 8);
    CHECK_EQ(r.c->csr[CSR_CRMD], CRMD_PG);
    CHECK_EQ(r.c->csr[CSR_BADI], 0x002b0012);
    rig_free(&r);
}

TEST(vectors_are_spaced_by_vs)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_ECFG] = 7 << 16;
    rig_run(&r, "break 0");
    CHECK_EQ(r.c->pc, RIG_ENTRY + EXC_BRK * 512);
    r.c->csr[CSR_ECFG] = 1 << 16;
    rig_run(&r, "break 0");
    CHECK_EQ(r.c->pc, RIG_ENTRY + EXC_BRK * 8);
    rig_free(&r);
}

TEST(ertn_restores_what_was_saved)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_PRMD] = 3 | 4 | 8;
    r.c->csr[CSR_ERA] = 0x1234;
    rig_run(&r, "ertn");
    CHECK_EQ(r.c->pc, 0x1234);
    CHECK_EQ(r.c->csr[CSR_CRMD] & 0x207, 0x207);
    rig_free(&r);
}

TEST(undefined_and_privileged_instructions)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_run(&r, ".word 0");
    CHECK_EQ(ECODE(r.c), EXC_INE);
    rig_mapped(&r, 3);
    rig_run(&r, "csrrd $a0, 0");
    CHECK_EQ(ECODE(r.c), EXC_IPE);
    CHECK_EQ(la_plv(r.c), 0);
    rig_free(&r);
}

TEST(instructions_that_the_model_lacks_are_undefined)
{
    struct rig r;
    struct err e = {0};
    rig_init(&r, "la464");
    rig_run(&r, "amcas.w $a0, $a1, $a2");
    CHECK_EQ(ECODE(r.c), EXC_INE);
    REQUIRE(la_cpu_set_feature(r.c, "lamcas", true, &e));
    r.c->gpr[6] = 0x1000;
    r.c->csr[CSR_ESTAT] = 0;
    rig_run(&r, "amcas.w $a0, $a1, $a2");
    CHECK_EQ(ECODE(r.c), 0);
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    CHECK(!la_cpu_set_feature(r.c, "warp", true, &e));
    rig_free(&r);
}

TEST(disabled_units_trap)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_EUEN, 0, ~0ULL);
    rig_run(&r, "fadd.d $fa0, $fa0, $fa0");
    CHECK_EQ(ECODE(r.c), EXC_FPD);
    rig_free(&r);
}

TEST(a_misaligned_pc_is_an_address_error)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_program(&r, "jirl $zero, $a0, 0");
    r.c->gpr[4] = RIG_CODE + 2;
    rig_steps(&r, 2);
    CHECK_EQ(ECODE(r.c), EXC_ADEF);
    CHECK_EQ(r.c->csr[CSR_BADV], RIG_CODE + 2);
    CHECK_EQ(r.c->csr[CSR_ERA], RIG_CODE + 2);
    rig_free(&r);
}

TEST(addresses_that_are_not_canonical)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    r.c->gpr[4] = 0x0001000000000000;
    rig_run(&r, "ld.d $a1, $a0, 0");
    CHECK_EQ(ECODE(r.c), EXC_ADEM & 0x3f);
    CHECK_EQ(SUBCODE(r.c), 1);
    CHECK_EQ(r.c->csr[CSR_BADV], 0x0001000000000000);
    rig_free(&r);
}

TEST(alcl_makes_misaligned_accesses_trap)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->gpr[4] = 0x1001;
    rig_run(&r, "ld.d $a1, $a0, 0");
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    la_csr_write(r.c, CSR_MISC, BIT(12), BIT(12));
    rig_run(&r, "ld.d $a1, $a0, 0");
    CHECK_EQ(ECODE(r.c), EXC_ALE);
    CHECK_EQ(r.c->csr[CSR_BADV], 0x1001);
    rig_free(&r);
}

TEST(alcl_is_not_about_vectors)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_write64(&r, 0x1008, 0x1122334455667788);
    la_csr_write(r.c, CSR_MISC, BITS(15, 12), BITS(15, 12));
    r.c->gpr[4] = 0x1001;
    rig_run(&r, "vld $vr0, $a0, 0; xvst $xr0, $a0, 0x7f");
    CHECK_EQ(r.c->pc, RIG_CODE + 8);
    CHECK_EQ(r.c->vr[0].d[1], 0x11223344556677);
    CHECK_EQ(rig_read64(&r, 0x1088), 0x11223344556677);
    rig_free(&r);
}

TEST(a_model_without_ual_is_strict)
{
    struct rig r;
    struct err e = {0};
    rig_init(&r, "la464");
    CHECK(la_cpu_set_feature(r.c, "ual", false, &e));
    la_csr_write(r.c, CSR_MISC, 0, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_MISC), BITS(15, 12));
    r.c->gpr[4] = 0x1001;
    rig_run(&r, "vld $vr0, $a0, 0");
    CHECK_EQ(ECODE(r.c), EXC_ALE);
    rig_free(&r);
}

TEST(the_highest_enabled_line_interrupts)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_ECFG] = 7 << 16 | 1 << LINE_IPI | 1 << 3;
    rig_program(&r, "nop;nop;nop");
    cpu_set_line(&r.c->cpu, LINE_IPI, true);
    cpu_set_line(&r.c->cpu, 3, true);
    rig_step(&r);
    CHECK_EQ(r.c->pc, RIG_CODE + 4); // interrupts are off
    la_csr_write(r.c, CSR_CRMD, CRMD_IE, CRMD_IE);
    rig_program_at(&r, RIG_ENTRY + (64 + LINE_IPI) * 512, "nop");
    rig_step(&r);
    CHECK_EQ(r.c->pc, RIG_ENTRY + (64 + LINE_IPI) * 512 + 4);
    CHECK_EQ(r.c->csr[CSR_ERA], RIG_CODE + 4);
    CHECK_EQ(la_csr_read(r.c, CSR_ESTAT), 1 << LINE_IPI | 1 << 3);
    rig_free(&r);
}

TEST(software_interrupts_are_bits_of_estat)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_ECFG] = 1;
    r.c->csr[CSR_CRMD] |= CRMD_IE;
    r.c->gpr[4] = 1;
    rig_program(&r, "csrwr $a0, 0x5;nop");
    rig_program_at(&r, RIG_ENTRY, "nop");
    rig_steps(&r, 2);
    CHECK_EQ(r.c->csr[CSR_ERA], RIG_CODE + 4);
    CHECK_EQ(ECODE(r.c), EXC_INT);
    rig_free(&r);
}

TEST(idle_waits_for_an_enabled_line_even_with_interrupts_off)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_ECFG] = 1 << LINE_IPI;
    rig_program(&r, "idle 0;addi.d $a0, $zero, 1");
    CHECK_EQ(cpu_run(&r.c->cpu, 100), CPU_EXIT_IDLE);
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    CHECK_EQ(r.c->gpr[4], 0);
    CHECK(!cpu_can_wake(&r.c->cpu));
    cpu_set_line(&r.c->cpu, 3, true); // not enabled
    CHECK_EQ(cpu_run(&r.c->cpu, 100), CPU_EXIT_IDLE);
    cpu_set_line(&r.c->cpu, LINE_IPI, true);
    CHECK(cpu_can_wake(&r.c->cpu));
    rig_step(&r);
    CHECK_EQ(r.c->gpr[4], 1);
    rig_free(&r);
}

TEST(machine_errors_save_and_restore_the_whole_mode)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_MERRENTRY] = 0x40000;
    r.c->csr[CSR_CRMD] = CRMD_PG | 3 | CRMD_IE | 1 << 5 | 2 << 7 | CRMD_WE;
    r.c->pc = 0x1234;
    la_enter_exception(r.c, EXC_MERR, 0, false);
    CHECK_EQ(r.c->next_pc, 0x40000);
    CHECK_EQ(r.c->csr[CSR_CRMD], CRMD_DA);
    CHECK_EQ(r.c->csr[CSR_MERRCTL] & 1, 1);
    la_ertn(r.c);
    CHECK_EQ(r.c->next_pc, 0x1234);
    CHECK_EQ(r.c->csr[CSR_CRMD], CRMD_PG | 3 | CRMD_IE | 1 << 5 | 2 << 7 | CRMD_WE);
    CHECK_EQ(r.c->csr[CSR_MERRCTL] & 1, 0);
    rig_free(&r);
}

TEST(ertn_breaks_the_link_unless_told_to_keep_it_once)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->gpr[4] = 0x1000;
    r.c->csr[CSR_ERA] = RIG_CODE;
    rig_run(&r, "ll.w $a1, $a0, 0");
    CHECK_EQ(la_csr_read(r.c, CSR_LLBCTL), LLBCTL_ROLLB);
    la_csr_write(r.c, CSR_LLBCTL, LLBCTL_KLO, LLBCTL_KLO);
    rig_run(&r, "ertn");
    CHECK_EQ(la_csr_read(r.c, CSR_LLBCTL), LLBCTL_ROLLB);
    rig_run(&r, "ertn");
    CHECK_EQ(la_csr_read(r.c, CSR_LLBCTL), 0);
    rig_run(&r, "ll.w $a1, $a0, 0");
    la_csr_write(r.c, CSR_LLBCTL, LLBCTL_WCLLB, LLBCTL_WCLLB);
    rig_run(&r, "sc.w $a1, $a0, 0");
    CHECK_EQ(r.c->gpr[5], 0);
    rig_free(&r);
}

TEST(a_return_from_a_refill_leaves_the_link_alone)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->gpr[4] = 0x1000;
    rig_run(&r, "ll.w $a1, $a0, 0");
    la_csr_write(r.c, CSR_LLBCTL, LLBCTL_KLO, LLBCTL_KLO);
    la_csr_write(r.c, CSR_TLBRERA, RIG_CODE | 1, ~0ULL);
    rig_run(&r, "ertn");
    CHECK_EQ(la_csr_read(r.c, CSR_LLBCTL), LLBCTL_ROLLB | LLBCTL_KLO);
    // One from a machine error is as any other, though a refill was under way.
    la_csr_write(r.c, CSR_CRMD, CRMD_DA, ~0ULL);
    la_csr_write(r.c, CSR_LLBCTL, 0, LLBCTL_KLO);
    la_csr_write(r.c, CSR_TLBRERA, RIG_CODE | 1, ~0ULL);
    la_csr_write(r.c, CSR_MERRCTL, 1 | 1 << 7, ~0ULL); // to direct mode
    rig_run(&r, "ertn");
    CHECK_EQ(la_csr_read(r.c, CSR_LLBCTL), 0);
    rig_free(&r);
}

TEST(self_modified_code_is_seen_at_once)
{
    struct rig r;
    u32 word;
    struct err e = {0};
    rig_init(&r, "la464");
    REQUIRE(la_assemble("addi.d $a3, $zero, 7", 0, &word, &e));
    r.c->gpr[4] = RIG_CODE + 4;
    r.c->gpr[5] = word;
    rig_run(&r, "nop;addi.d $a3, $zero, 1");
    CHECK_EQ(r.c->gpr[7], 1);
    rig_run(&r, "st.w $a1, $a0, 0;addi.d $a3, $zero, 1");
    CHECK_EQ(r.c->gpr[7], 7);
    rig_free(&r);
}
