// SPDX-License-Identifier: Apache-2.0
// FCSR, traps, what results leave above themselves, moves and comparisons. The arithmetic itself is
// tested in fp/.
#include "base/test.h"
#include "cpu/loongarch64/interp_fp.h"
#include "cpu/loongarch64/rig.h"

#define ONE  0x3ff0000000000000ULL
#define ONEF 0x3f800000u
#define QNAN 0x7ff8000000000000ULL
#define SNAN 0x7ff0000000000001ULL

static u64 ecode(struct rig *r)
{
    return bits_get(la_csr_read(r->c, CSR_ESTAT), 21, 16);
}

TEST(cause_is_replaced_and_flags_accumulate)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->vr[1].d[0] = ONE;
    rig_run(&r, "fdiv.d $fa0, $fa1, $fa2"); // 1 / 0
    CHECK_EQ(r.c->vr[0].d[0], 0x7ff0000000000000);
    CHECK_EQ(r.c->fcsr, FP_DIVZERO << FCSR_CAUSE_SHIFT | FP_DIVZERO << FCSR_FLAGS_SHIFT);
    r.c->vr[2].d[0] = 0x4008000000000000; // 3
    rig_run(&r, "fdiv.d $fa0, $fa1, $fa2");
    CHECK_EQ(r.c->vr[0].d[0], 0x3fd5555555555555);
    CHECK_EQ(r.c->fcsr, FP_INEXACT << FCSR_CAUSE_SHIFT | (FP_DIVZERO | FP_INEXACT)
                                                             << FCSR_FLAGS_SHIFT);
    rig_run(&r, "fadd.d $fa0, $fa1, $fa1");
    CHECK_EQ(r.c->fcsr, (FP_DIVZERO | FP_INEXACT) << FCSR_FLAGS_SHIFT);
    rig_run(&r, "fneg.d $fa0, $fa1");
    CHECK_EQ(r.c->fcsr, (FP_DIVZERO | FP_INEXACT) << FCSR_FLAGS_SHIFT);
    rig_free(&r);
}

TEST(an_enabled_exception_traps_and_writes_nothing)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->fcsr = FP_INVALID;
    r.c->vr[0].d[0] = 42;
    r.c->vr[1].d[0] = SNAN;
    rig_run(&r, "fadd.d $fa0, $fa1, $fa1");
    CHECK_EQ(r.c->pc, RIG_ENTRY);
    CHECK_EQ(ecode(&r), EXC_FPE);
    CHECK_EQ(r.c->vr[0].d[0], 42);
    CHECK_EQ(r.c->fcsr, FP_INVALID | FP_INVALID << FCSR_CAUSE_SHIFT); // Flags stays
    r.c->fcc[0] = 1;
    rig_run(&r, "fcmp.ceq.d $fcc0, $fa1, $fa1");
    CHECK_EQ(ecode(&r), EXC_FPE);
    CHECK_EQ(r.c->fcc[0], 1);
    rig_free(&r);
}

TEST(other_exceptions_do_not_trap)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->fcsr = FP_OVERFLOW;
    r.c->vr[1].d[0] = ONE;
    rig_run(&r, "fdiv.d $fa0, $fa1, $fa2");
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    rig_free(&r);
}

TEST(views_of_fcsr)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->gpr[5] = ~0ULL;
    rig_run(&r, "movgr2fcsr $fcsr0, $a1");
    CHECK_EQ(r.c->fcsr, 0x1f1f031f);
    CHECK_EQ(r.c->pc, RIG_CODE + 4); // an enabled cause raises nothing
    rig_run(&r, "movgr2fcsr $fcsr2, $zero; movfcsr2gr $a0, $fcsr0");
    CHECK_EQ(r.c->gpr[4], 0x31f);
    rig_run(&r, "movgr2fcsr $fcsr1, $zero; movfcsr2gr $a0, $fcsr3");
    CHECK_EQ(r.c->gpr[4], 0x300);
    CHECK_EQ(r.c->fcsr, 0x300);
    rig_run(&r, "movgr2fcsr $fcsr3, $zero; movgr2fcsr $fcsr1, $a1; movfcsr2gr $a0, $fcsr1");
    CHECK_EQ(r.c->gpr[4], 0x1f);
    CHECK_EQ(r.c->fcsr, 0x1f);
    rig_free(&r);
}

TEST(rounding_modes)
{
    static const u32 rounded[4] = {0x40000000, 0x3f800000, 0x40000000, 0x3f800000}; // of 1.5
    struct rig r;
    rig_init(&r, "max");
    r.c->vr[1].w[0] = 0x3fc00000;
    for (unsigned mode = 0; mode < 4; mode++) {
        r.c->fcsr = mode << FCSR_RM_SHIFT;
        rig_run(&r, "frint.s $fa0, $fa1; ftint.w.s $fa2, $fa1; ftintrp.l.s $fa3, $fa1");
        CHECK_EQ(r.c->vr[0].w[0], rounded[mode]);
        CHECK_EQ(r.c->vr[2].w[0], rounded[mode] == 0x40000000 ? 2 : 1);
        CHECK_EQ(r.c->vr[3].d[0], 2);
    }
    rig_free(&r);
}

TEST(scalar_results_keep_the_vector_bits)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->vr[0] = (union la_vreg){.d = {1, 2, 3, 4}};
    r.c->vr[1].w[0] = ONEF;
    rig_run(&r, "fadd.s $fa0, $fa1, $fa1");
    CHECK_EQ(r.c->vr[0].d[0], 0xffffffff40000000);
    CHECK_EQ(r.c->vr[0].d[1], 2);
    CHECK_EQ(r.c->vr[0].d[3], 4);
    rig_free(&r);
}

TEST(moves)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->gpr[5] = 0x1122334485667788;
    rig_run(&r, "movgr2fr.d $fa0, $a1; movfr2gr.s $a0, $fa0; movfrh2gr.s $a2, $fa0");
    CHECK_EQ(r.c->gpr[4], 0xffffffff85667788);
    CHECK_EQ(r.c->gpr[6], 0x11223344);
    rig_run(&r, "movgr2fr.w $fa0, $zero; movfr2gr.d $a0, $fa0; movgr2frh.w $fa0, $a1");
    CHECK_EQ(r.c->gpr[4], 0x1122334400000000);
    CHECK_EQ(r.c->vr[0].d[0], 0x8566778800000000);
    rig_run(&r, "movgr2cf $fcc1, $a1; movcf2gr $a0, $fcc1; addi.d $a2, $zero, 3;"
                "movgr2cf $fcc2, $a2; movcf2fr $fa3, $fcc2; movfr2cf $fcc3, $fa3");
    CHECK_EQ(r.c->gpr[4], 0);
    CHECK_EQ(r.c->vr[3].d[0], 1);
    CHECK_EQ(r.c->fcc[3], 1);
    r.c->vr[4].d[0] = 4;
    r.c->vr[5].d[0] = 5;
    rig_run(&r, "fsel $fa6, $fa4, $fa5, $fcc1; fsel $fa7, $fa4, $fa5, $fcc2");
    CHECK_EQ(r.c->vr[6].d[0], 4);
    CHECK_EQ(r.c->vr[7].d[0], 5);
    rig_free(&r);
}

// The flag of each condition for less, equal, greater and unordered operands.
TEST(conditions)
{
    static const struct {
        const char *name;
        u8 flags[4];
    } rows[] = {{"af", {0, 0, 0, 0}},  {"un", {0, 0, 0, 1}},  {"eq", {0, 1, 0, 0}},
                {"ueq", {0, 1, 0, 1}}, {"lt", {1, 0, 0, 0}},  {"ult", {1, 0, 0, 1}},
                {"le", {1, 1, 0, 0}},  {"ule", {1, 1, 0, 1}}, {"ne", {1, 0, 1, 0}},
                {"or", {1, 1, 1, 0}},  {"une", {1, 0, 1, 1}}};
    static const u64 operands[4] = {0xbff0000000000000, ONE, 0x4000000000000000, QNAN};
    struct rig r;
    rig_init(&r, "max");
    r.c->vr[2].d[0] = ONE;
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        for (unsigned m = 0; m < 4; m++) {
            char text[100];
            snprintf(text, sizeof(text), "fcmp.c%s.d $fcc0, $fa1, $fa2", rows[n].name);
            r.c->vr[1].d[0] = operands[m];
            rig_run(&r, text);
            CHECK_EQ(r.c->fcc[0], rows[n].flags[m]);
            CHECK_EQ(r.c->fcsr & FCSR_CAUSE, 0); // a quiet comparison with a quiet NaN
            snprintf(text, sizeof(text), "fcmp.s%s.d $fcc0, $fa1, $fa2", rows[n].name);
            rig_run(&r, text);
            CHECK_EQ(r.c->fcc[0], rows[n].flags[m]);
            CHECK_EQ((r.c->fcsr & FCSR_CAUSE) != 0, m == 3);
        }
    rig_free(&r);
}

TEST(the_unit_must_be_on)
{
    static const char *const texts[] = {
        "fadd.s $fa0, $fa1, $fa2",  "fcmp.ceq.s $fcc0, $fa1, $fa2", "movgr2fr.d $fa0, $a1",
        "movgr2fcsr $fcsr0, $zero", "movcf2gr $a0, $fcc0",          "fld.s $fa0, $a1, 0",
        "bceqz $fcc0, 8",           "fsel $fa0, $fa1, $fa2, $fcc0", "fstgt.d $fa0, $a1, $a2",
        "fclass.d $fa0, $fa1",      "ftint.w.s $fa0, $fa1"};
    for (unsigned n = 0; n < ARRAY_LEN(texts); n++) {
        struct rig r;
        rig_init(&r, "max");
        la_csr_write(r.c, CSR_EUEN, EUEN_SXE | EUEN_ASXE, ~0ULL);
        rig_run(&r, texts[n]);
        if (!CHECK_EQ(ecode(&r), EXC_FPD))
            printf("# %s\n", texts[n]);
        rig_free(&r);
    }
}
