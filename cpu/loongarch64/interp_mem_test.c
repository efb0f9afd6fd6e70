// SPDX-License-Identifier: Apache-2.0
// Loads, stores, checked accesses and atomics, and what they leave undone when they fault.
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

#define DATA      0x100000ULL
#define NO_RAM    0x80000000ULL
#define UNTOUCHED 0x5a5a5a5a5a5a5a5aULL

static u64 exception(struct rig *r)
{
    u64 estat = la_csr_read(r->c, CSR_ESTAT);
    return bits_get(estat, 21, 16) | bits_get(estat, 30, 22) << 6;
}

// Runs `text` with $a0 untouched, $a1 = a1, $a2 = a2; what $a0 is then.
static u64 run(struct rig *r, const char *text, u64 a1, u64 a2)
{
    r->c->gpr[4] = UNTOUCHED;
    r->c->gpr[5] = a1;
    r->c->gpr[6] = a2;
    rig_run(r, text);
    return r->c->gpr[4];
}

static void check_raises(struct rig *r, const char *text, u64 a1, u64 a2, enum la_exception e)
{
    CHECK_EQ(run(r, text, a1, a2), UNTOUCHED);
    if (!CHECK_EQ(r->c->pc, RIG_ENTRY) || !CHECK_EQ(exception(r), e))
        printf("# %s\n", text);
    CHECK_EQ(r->c->csr[CSR_ERA], RIG_CODE);
}

TEST(loads_extend)
{
    struct rig r;
    rig_init(&r, "max");
    rig_write64(&r, DATA, 0x8182838485868788);
    CHECK_EQ(run(&r, "ld.b $a0, $a1, 7", DATA, 0), 0xffffffffffffff81);
    CHECK_EQ(run(&r, "ld.bu $a0, $a1, 7", DATA, 0), 0x81);
    CHECK_EQ(run(&r, "ld.h $a0, $a1, -2", DATA + 2, 0), 0xffffffffffff8788);
    CHECK_EQ(run(&r, "ld.hu $a0, $a1, 3", DATA, 0), 0x8485);
    CHECK_EQ(run(&r, "ld.w $a0, $a1, 1", DATA, 0), 0xffffffff84858687);
    CHECK_EQ(run(&r, "ld.wu $a0, $a1, 4", DATA, 0), 0x81828384);
    CHECK_EQ(run(&r, "ldptr.w $a0, $a1, -4", DATA + 4, 0), 0xffffffff85868788);
    CHECK_EQ(run(&r, "ldx.bu $a0, $a1, $a2", DATA + 8, -1ULL), 0x81);
    CHECK_EQ(run(&r, "ldx.d $a0, $a1, $a2", 0, DATA), 0x8182838485868788);
    rig_free(&r);
}

TEST(stores_write_their_width)
{
    struct rig r;
    rig_init(&r, "max");
    run(&r, "st.b $a2, $a1, 1", DATA, 0xffee);
    CHECK_EQ(rig_read64(&r, DATA), 0xee00);
    run(&r, "st.h $a2, $a1, 3", DATA, 0x12345);
    CHECK_EQ(rig_read64(&r, DATA), 0x234500ee00);
    run(&r, "stptr.w $a2, $a1, 8", DATA, -2ULL);
    CHECK_EQ(rig_read64(&r, DATA + 8), 0xfffffffe);
    run(&r, "stx.d $a2, $a1, $a2", DATA - 0x100, 0x100);
    CHECK_EQ(rig_read64(&r, DATA), 0x100);
    rig_free(&r);
}

// A page pair at MAPPED, nothing behind it.
#define MAPPED     0x40000000ULL
#define MAPPED_PA  0x200000ULL
#define MAPPED_END (MAPPED + 0x8000)

static void init_mapped(struct rig *r)
{
    rig_init(r, "max");
    rig_mapped(r, 0);
    rig_map(r, 2050, MAPPED, MAPPED_PA, 14, 0x13); // V D MAT1
    r->c->pc = 0x9000000000000000 | RIG_CODE;
}

// `text` misses the TLB at `bad_va` and has changed nothing in $a0, $vr0 and the last mapped bytes.
static void check_misses(const char *text, u64 a1, u64 bad_va)
{
    struct rig r;
    init_mapped(&r);
    rig_write64(&r, MAPPED_PA + 0x7ff8, UNTOUCHED);
    r.c->vr[0].d[0] = r.c->gpr[4] = UNTOUCHED;
    r.c->gpr[5] = a1;
    rig_program_at(&r, RIG_CODE, text);
    rig_step(&r);
    bool ok = CHECK_EQ(r.c->pc, RIG_REFILL);
    ok = CHECK_EQ(r.c->csr[CSR_TLBRBADV], bad_va) && ok;
    ok = CHECK_EQ(r.c->gpr[4], UNTOUCHED) && ok;
    ok = CHECK_EQ(r.c->vr[0].d[0], UNTOUCHED) && ok;
    ok = CHECK_EQ(rig_read64(&r, MAPPED_PA + 0x7ff8), UNTOUCHED) && ok;
    if (!ok)
        printf("# %s\n", text);
    rig_free(&r);
}

TEST(an_access_is_whole_or_nothing)
{
    check_misses("ld.w $zero, $a1, 0", MAPPED_END, MAPPED_END); // r0 too
    check_misses("ld.d $a0, $a1, -4", MAPPED_END, MAPPED_END);
    check_misses("st.d $zero, $a1, -4", MAPPED_END, MAPPED_END);
    check_misses("fld.d $fa0, $a1, -4", MAPPED_END, MAPPED_END);
    check_misses("vld $vr0, $a1, -8", MAPPED_END, MAPPED_END);
    check_misses("vst $vr1, $a1, -8", MAPPED_END, MAPPED_END);
    check_misses("xvld $xr0, $a1, -24", MAPPED_END, MAPPED_END);
    check_misses("xvst $xr1, $a1, -24", MAPPED_END, MAPPED_END);
    check_misses("xvldrepl.w $xr0, $a1, 0", MAPPED_END, MAPPED_END);
    check_misses("amswap.d $a0, $zero, $a1", MAPPED_END, MAPPED_END);
    check_misses("ll.d $a0, $a1, 8", MAPPED_END, MAPPED_END + 8);
}

TEST(checked_accesses_compare_signed)
{
    struct rig r;
    rig_init(&r, "max");
    rig_write64(&r, DATA, 0xfffffffe);
    CHECK_EQ(run(&r, "ldgt.w $a0, $a1, $a2", DATA, -1ULL), -2ULL);
    CHECK_EQ(run(&r, "ldle.w $a0, $a1, $a2", DATA, DATA), -2ULL);
    check_raises(&r, "ldgt.w $a0, $a1, $a2", DATA, DATA, EXC_BCE);
    CHECK_EQ(r.c->csr[CSR_BADV], DATA);
    check_raises(&r, "ldle.b $a0, $a1, $a2", DATA, -1ULL, EXC_BCE);
    check_raises(&r, "stle.d $a0, $a1, $a2", DATA, -1ULL, EXC_BCE);
    check_raises(&r, "asrtle.d $a1, $a2", 0, -1ULL, EXC_BCE);
    check_raises(&r, "asrtgt.d $a1, $a2", 5, 5, EXC_BCE);
    run(&r, "asrtle.d $a1, $a2", -1ULL, 0);
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    run(&r, "stgt.h $a2, $a1, $a2", DATA, 1);
    CHECK_EQ(rig_read64(&r, DATA), 0xffff0001);
    rig_free(&r);
}

TEST(checked_accesses_want_alignment_before_the_bound)
{
    struct rig r;
    rig_init(&r, "max");
    check_raises(&r, "ldgt.h $a0, $a1, $a2", DATA + 1, -1ULL, EXC_ALE);
    check_raises(&r, "stle.d $a0, $a1, $a2", DATA + 4, 0, EXC_ALE);
    CHECK_EQ(r.c->csr[CSR_BADV], DATA + 4);
    check_raises(&r, "fldgt.d $fa0, $a1, $a2", DATA + 4, 0, EXC_ALE);
    rig_free(&r);
}

TEST(checked_accesses_want_an_address_before_the_bound)
{
    struct rig r;
    rig_init(&r, "max");
    rig_mapped(&r, 3);
    check_raises(&r, "ldgt.d $a0, $a1, $a2", BIT(48), BIT(62), EXC_ADEM);
    check_raises(&r, "ldgt.d $a0, $a1, $a2", 0x7000000, BIT(62), EXC_BCE);
    rig_free(&r);
}

TEST(checked_floating_point_addresses_are_rj)
{
    struct rig r;
    rig_init(&r, "max");
    rig_write64(&r, DATA, 0x1122334455667788);
    run(&r, "fldle.d $fa0, $a1, $a2", DATA, DATA + 0x1000);
    CHECK_EQ(r.c->vr[0].d[0], 0x1122334455667788);
    run(&r, "fldgt.s $fa1, $a1, $a2", DATA, 16);
    CHECK_EQ(r.c->vr[1].w[0], 0x55667788);
    run(&r, "fstle.s $fa1, $a1, $a2", DATA + 8, DATA + 8);
    CHECK_EQ(rig_read64(&r, DATA + 8), 0x55667788);
    rig_free(&r);
}

// Memory before, the instruction with rk = $a2 and rj = $a1 = DATA, what $a0 and memory become.
struct row {
    const char *text;
    u64 memory, a2, result, after;
};

TEST(read_modify_write)
{
    static const struct row rows[] = {
        {"amswap.w $a0, $a2, $a1", 0x1111111180000000, 5, 0xffffffff80000000, 0x1111111100000005},
        {"amadd.w $a0, $a2, $a1", 0x7fffffff, 1, 0x7fffffff, 0x80000000},
        {"amadd_db.d $a0, $a2, $a1", ~0ULL, 2, ~0ULL, 1},
        {"amadd.b $a0, $a2, $a1", 0x1280, 0x80, 0xffffffffffffff80, 0x1200},
        {"amadd_db.h $a0, $a2, $a1", 0x18000, 0x18000, 0xffffffffffff8000, 0x10000},
        {"amswap.b $a0, $a2, $a1", 0x1234, 0xfff, 0x34, 0x12ff},
        {"amand.d $a0, $a2, $a1", 0xff00, 0x0ff0, 0xff00, 0x0f00},
        {"amor_db.w $a0, $a2, $a1", 0xf0, 0x0f, 0xf0, 0xff},
        {"amxor.d $a0, $a2, $a1", 0xff, 0x0f, 0xff, 0xf0},
        {"ammax.w $a0, $a2, $a1", 0xffffffff, 1, ~0ULL, 1},
        {"ammax.wu $a0, $a2, $a1", 0xffffffff, 1, ~0ULL, 0xffffffff},
        {"ammin_db.d $a0, $a2, $a1", 0, ~0ULL, 0, ~0ULL},
        {"ammin.du $a0, $a2, $a1", 0, ~0ULL, 0, 0},
    };
    struct rig r;
    rig_init(&r, "max");
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        rig_write64(&r, DATA, rows[n].memory);
        if (!CHECK_EQ(run(&r, rows[n].text, DATA, rows[n].a2), rows[n].result) ||
            !CHECK_EQ(rig_read64(&r, DATA), rows[n].after))
            printf("# %s\n", rows[n].text);
    }
    rig_free(&r);
}

TEST(compare_and_swap_compares_the_width)
{
    struct rig r;
    rig_init(&r, "max");
    rig_write64(&r, DATA, 0x1122334455667788);
    r.c->gpr[5] = DATA;
    r.c->gpr[6] = 0x9999;
    r.c->gpr[4] = 0xffffff88; // only the low byte counts
    rig_run(&r, "amcas.b $a0, $a2, $a1");
    CHECK_EQ(r.c->gpr[4], 0xffffffffffffff88);
    CHECK_EQ(rig_read64(&r, DATA), 0x1122334455667799);
    rig_run(&r, "amcas_db.d $a0, $a2, $a1");
    CHECK_EQ(r.c->gpr[4], 0x1122334455667799);
    CHECK_EQ(rig_read64(&r, DATA), 0x1122334455667799);
    rig_run(&r, "amcas.d $a0, $a2, $a1");
    CHECK_EQ(rig_read64(&r, DATA), 0x9999);
    rig_free(&r);
}

TEST(atomics_that_cannot_be)
{
    struct rig r;
    rig_init(&r, "max");
    check_raises(&r, "amadd.h $a0, $a2, $a1", DATA + 1, 0, EXC_ALE);
    check_raises(&r, "amcas.w $a0, $a2, $a1", DATA + 2, 0, EXC_ALE);
    check_raises(&r, "ll.d $a0, $a1, 4", DATA, 0, EXC_ALE);
    check_raises(&r, "sc.w $a0, $a1, 0", DATA + 2, 0, EXC_ALE);
    check_raises(&r, "screl.d $a0, $a1", DATA + 4, 0, EXC_ALE);
    check_raises(&r, "sc.q $a0, $a2, $a1", DATA + 8, 0, EXC_ALE);
    check_raises(&r, "amswap.d $a0, $a2, $a1", NO_RAM, 0, EXC_ADEM);
    check_raises(&r, "amadd.w $a1, $a2, $a1", DATA, 0, EXC_INE);
    check_raises(&r, "amadd.w $a2, $a2, $a1", DATA, 0, EXC_INE);
    CHECK_EQ(r.c->gpr[5], DATA);
    rig_free(&r);
}

// What sc.d answers when `between` runs after ll.d.
static u64 conditional(struct rig *r, const char *between)
{
    char text[200];
    rig_write64(r, DATA, 7);
    snprintf(text, sizeof(text), "ll.d $a0, $a1, 0; %s; sc.d $a2, $a1, 0", between);
    run(r, text, DATA, 9);
    return r->c->gpr[6];
}

TEST(store_conditional)
{
    struct rig r;
    rig_init(&r, "max");
    CHECK_EQ(conditional(&r, "nop"), 1);
    CHECK_EQ(rig_read64(&r, DATA), 9);
    CHECK_EQ(conditional(&r, "st.b $a2, $a1, 0"), 0);
    CHECK_EQ(rig_read64(&r, DATA), 9);
    CHECK_EQ(conditional(&r, "st.b $a2, $a1, 8"), 1);
    CHECK_EQ(conditional(&r, "csrwr $zero, 0x60"), 1);
    CHECK_EQ(conditional(&r, "ori $a3, $zero, 2; csrwr $a3, 0x60"), 0); // WCLLB
    CHECK_EQ(conditional(&r, "ll.d $a3, $a1, 16"), 0);
    CHECK_EQ(conditional(&r, "sc.d $zero, $a1, 8"), 0);
    rig_run(&r, "sc.d $a2, $a1, 0");
    CHECK_EQ(r.c->gpr[6], 0);
    rig_free(&r);
}

TEST(store_conditional_after_return_from_exception)
{
    struct rig r;
    rig_init(&r, "max");
    rig_program_at(&r, RIG_ENTRY, "csrrd $a3, 6; addi.d $a3, $a3, 4; csrwr $a3, 6; ertn");
    r.c->gpr[5] = DATA;
    rig_program(&r, "ll.w $a0, $a1, 0; syscall 0; sc.w $a2, $a1, 0");
    rig_steps(&r, 7);
    CHECK_EQ(r.c->pc, RIG_CODE + 12);
    CHECK_EQ(r.c->gpr[6], 0);
    r.c->csr[CSR_LLBCTL] = LLBCTL_KLO;
    rig_program(&r, "ll.w $a0, $a1, 0; syscall 0; sc.w $a2, $a1, 0");
    rig_steps(&r, 7);
    CHECK_EQ(r.c->gpr[6], 1);
    rig_free(&r);
}

TEST(words_and_acquire_release)
{
    struct rig r;
    rig_init(&r, "max");
    rig_write64(&r, DATA, 0x1111111180000000);
    CHECK_EQ(run(&r, "llacq.w $a0, $a1; screl.w $a2, $a1", DATA, 3), 0xffffffff80000000);
    CHECK_EQ(r.c->gpr[6], 1);
    CHECK_EQ(rig_read64(&r, DATA), 0x1111111100000003);
    CHECK_EQ(run(&r, "llacq.d $a0, $a1; screl.d $a2, $a1", DATA, 4), 0x1111111100000003);
    CHECK_EQ(rig_read64(&r, DATA), 4);
    rig_free(&r);
}

TEST(sixteen_bytes_at_once)
{
    static const char pair[] = "ll.d $a0, $a1, 0; ld.d $a3, $a1, 8; sc.q $a4, $a2, $a1";
    struct rig r;
    rig_init(&r, "max");
    rig_write64(&r, DATA, 1);
    rig_write64(&r, DATA + 8, 2);
    r.c->gpr[8] = 10;
    run(&r, pair, DATA, 20);
    CHECK_EQ(r.c->gpr[7], 2);
    CHECK_EQ(r.c->gpr[8], 1);
    CHECK_EQ(rig_read64(&r, DATA), 10);
    CHECK_EQ(rig_read64(&r, DATA + 8), 20);
    r.c->gpr[8] = 30;
    run(&r, "ll.d $a0, $a1, 0; st.d $zero, $a1, 8; sc.q $a4, $a2, $a1", DATA, 40);
    CHECK_EQ(r.c->gpr[8], 0);
    CHECK_EQ(rig_read64(&r, DATA), 10);
    rig_free(&r);
}

// Where nothing is cached, nothing may look as if it were: the last page has all bits of a tag set.
TEST(the_last_page_is_never_taken_for_a_cached_one)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_MISC, BIT(12), BIT(12)); // misaligned accesses trap: no caching
    r.c->gpr[4] = ~0ULL << 12;
    rig_run(&r, "ld.d $a1, $a0, 8");
    CHECK_EQ(r.c->gpr[5], ~0ULL);
    rig_run(&r, "st.b $a1, $a0, 0");
    r.c->pc = ~0ULL << 12;
    rig_step(&r);
    CHECK_EQ(bits_get(r.c->csr[CSR_ESTAT], 21, 16), EXC_INE);
    rig_free(&r);
}

TEST(prefetches_and_barriers_raise_nothing)
{
    struct rig r;
    rig_init(&r, "max");
    run(&r, "preld 0, $a1, 0; preldx 0, $a1, $a2; dbar 0; dbar 0x700; ibar 0", NO_RAM, 1);
    CHECK_EQ(r.c->pc, RIG_CODE + 20);
    rig_free(&r);
}
