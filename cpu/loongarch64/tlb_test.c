// SPDX-License-Identifier: Apache-2.0
#include "base/test.h"
#include "cpu/loongarch64/rig.h"
#include "cpu/loongarch64/tlb.h"

enum { V = 1, D = 2, PLV3 = 3 << 2, CC = 1 << 4, G = 1 << 6 };
#define NR   BIT(61)
#define NX   BIT(62)
#define RPLV BIT(63)
#define VA   0x120000000ULL

#define ECODE(c) bits_get(la_csr_read((c), CSR_ESTAT), 21, 16)

// Loads a word at `va` at the current level and returns the exception code, 0 for none.
static unsigned code_of(struct rig *r, const char *insn, u64 va)
{
    unsigned plv = la_plv(r->c);
    r->c->csr[CSR_ESTAT] = 0;
    r->c->csr[CSR_TLBRERA] = 0;
    r->c->gpr[4] = va;
    rig_program(r, insn);
    if (!plv)
        r->c->pc |= 0x9000000000000000;
    rig_step(r);
    bool refill = r->c->csr[CSR_TLBRERA] & 1;
    unsigned code = refill ? EXC_TLBR : (unsigned)ECODE(r->c);
    rig_mapped(r, plv);
    return code;
}

TEST(attributes_decide_in_the_manuals_order)
{
    static const struct {
        u64 flags;
        unsigned plv;
        const char *insn;
        unsigned code;
    } cases[] = {
        {V | D | PLV3, 3, "ld.d $a1, $a0, 0", 0},
        {V | D | PLV3, 3, "st.d $a1, $a0, 0", 0},
        {D | PLV3, 3, "ld.d $a1, $a0, 0", EXC_PIL},
        {D | PLV3, 3, "st.d $a1, $a0, 0", EXC_PIS},
        {D | PLV3, 3, "jirl $ra, $a0, 0", 0},
        {V | PLV3, 3, "st.d $a1, $a0, 0", EXC_PME},
        {V | PLV3, 3, "ld.d $a1, $a0, 0", 0},
        {V | D, 3, "ld.d $a1, $a0, 0", EXC_PPI},
        {V | D, 3, "st.d $a1, $a0, 0", EXC_PPI},
        {V | D | PLV3, 0, "ld.d $a1, $a0, 0", 0},
        {V | D | PLV3 | RPLV, 0, "ld.d $a1, $a0, 0", EXC_PPI},
        {V | D | PLV3 | RPLV, 3, "ld.d $a1, $a0, 0", 0},
        {V | D | PLV3 | NR, 3, "ld.d $a1, $a0, 0", EXC_PNR},
        {V | D | NR, 3, "ld.d $a1, $a0, 0", EXC_PPI}, // privilege before NR
        {V | D | PLV3 | NR, 3, "st.d $a1, $a0, 0", 0},
        {V, 3, "st.d $a1, $a0, 0", EXC_PPI}, // privilege before D
    };
    struct rig r;
    rig_init(&r, "la464");
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        rig_mapped(&r, cases[i].plv);
        rig_map(&r, 2048, VA, 0x100000, 14, cases[i].flags);
        if (code_of(&r, cases[i].insn, VA) != cases[i].code)
            CHECK_EQ(i, ~0u); // shows the row
    }
    rig_free(&r);
}

TEST(fetches_check_v_and_nx)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    rig_map(&r, 2048, VA, 0x100000, 14, V | D | PLV3 | NX);
    r.c->pc = VA;
    rig_step(&r);
    CHECK_EQ(ECODE(r.c), EXC_PNX);
    CHECK_EQ(r.c->csr[CSR_BADV], VA);
    CHECK_EQ(r.c->csr[CSR_TLBEHI], VA);
    rig_mapped(&r, 3);
    rig_map(&r, 2048, VA, 0x100000, 14, D | PLV3 | NX);
    r.c->pc = VA + 4;
    rig_step(&r);
    CHECK_EQ(ECODE(r.c), EXC_PIF);
    rig_free(&r);
}

TEST(dwpl_lets_privileged_levels_write_clean_pages)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 0);
    rig_map(&r, 2048, VA, 0x100000, 14, V | G);
    CHECK_EQ(code_of(&r, "st.d $a1, $a0, 0", VA), EXC_PME);
    la_csr_write(r.c, CSR_MISC, BIT(16), BIT(16));
    CHECK_EQ(code_of(&r, "st.d $a1, $a0, 0", VA), 0);
    rig_free(&r);
}

TEST(a_refill_enters_direct_mode_and_returns)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    r.c->csr[CSR_CRMD] |= CRMD_IE;
    r.c->gpr[4] = VA + 0x1238;
    rig_run(&r, "ld.d $a1, $a0, 0");
    CHECK_EQ(r.c->pc, RIG_REFILL);
    CHECK_EQ(r.c->csr[CSR_TLBRERA], RIG_CODE | 1);
    CHECK_EQ(r.c->csr[CSR_TLBRBADV], VA + 0x1238);
    CHECK_EQ(r.c->csr[CSR_TLBREHI] & BITS(47, 13), VA);
    CHECK_EQ(r.c->csr[CSR_TLBRPRMD], 3 | 4);
    CHECK_EQ(r.c->csr[CSR_CRMD] & (CRMD_DA | CRMD_PG | CRMD_PLV | CRMD_IE), CRMD_DA);
    r.c->csr[CSR_TLBRELO0] = 0x100000 | V | D | PLV3;
    r.c->csr[CSR_TLBRELO1] = 0x104000 | V | D | PLV3;
    r.c->csr[CSR_TLBREHI] = bits_set(r.c->csr[CSR_TLBREHI], 5, 0, 14);
    rig_write64(&r, 0x101238, 0x55);
    rig_program_at(&r, RIG_REFILL, "tlbfill;ertn");
    rig_steps(&r, 3);
    CHECK_EQ(r.c->gpr[5], 0x55);
    CHECK_EQ(la_plv(r.c), 3);
    rig_free(&r);
}

TEST(odd_and_even_halves_and_asids)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    la_csr_write(r.c, CSR_ASID, 5, 0x3ff);
    rig_map(&r, 2048, VA, 0x100000, 14, V | D | PLV3);
    rig_write64(&r, 0x100000, 1);
    rig_write64(&r, 0x104000, 2);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), 0);
    CHECK_EQ(r.c->gpr[5], 1);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA + 0x4000), 0);
    CHECK_EQ(r.c->gpr[5], 2);
    la_csr_write(r.c, CSR_ASID, 6, 0x3ff);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), EXC_TLBR);
    la_csr_write(r.c, CSR_ASID, 5, 0x3ff);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), 0);
    rig_free(&r);
}

TEST(an_overwritten_entry_is_gone_at_once)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    rig_map(&r, 2048, VA, 0x100000, 14, V | D | PLV3);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), 0);
    rig_map(&r, 2048, VA + 0x100000, 0x100000, 14, V | D | PLV3);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), EXC_TLBR);
    rig_free(&r);
}

// Whether the entry of `va` in space `asid` is still there.
static bool holds(struct rig *r, u64 va, unsigned asid)
{
    la_csr_write(r->c, CSR_ASID, asid, 0x3ff);
    struct la_tlb_view v = la_tlb_own(r->c);
    return la_tlb_find(r->c, &v, va) != NULL;
}

TEST(invtlb_removes_what_its_operation_says)
{
    // Entries: 0 global of space 1, 1 and 2 of space 1, 3 of space 2. Bit n: entry n stays after
    // op.
    static const u8 stays[] = {0, 0, 0xe, 0x1, 0x9, 0xd, 0xd};
    for (unsigned op = 0; op < ARRAY_LEN(stays); op++) {
        for (unsigned stlb = 0; stlb < 2; stlb++) {
            struct rig r;
            rig_init(&r, "la464");
            la_csr_write(r.c, CSR_STLBPS, 14, 0x3f);
            for (unsigned n = 0; n < 4; n++) {
                la_csr_write(r.c, CSR_ASID, n == 3 ? 2 : 1, 0x3ff);
                u64 va = VA + n * 0x8000;
                unsigned index = stlb ? (va >> 15 & 255) : 2048 + n;
                rig_map(&r, index, va, 0x100000, 14, V | (n ? 0 : G));
            }
            la_invtlb(r.c, op, 1, VA + 0x8000);
            for (unsigned n = 0; n < 4; n++)
                if (holds(&r, VA + n * 0x8000, n == 3 ? 2 : 1) != (stays[op] >> n & 1))
                    CHECK_EQ(op * 100 + n * 10 + stlb, ~0u);
            rig_free(&r);
        }
    }
}

TEST(invtlb_6_hits_global_entries_and_unknown_operations_are_undefined)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_map(&r, 2048, VA, 0x100000, 14, V | G);
    la_invtlb(r.c, 5, 0, VA);
    CHECK(holds(&r, VA, 0));
    la_invtlb(r.c, 6, 77, VA + 0x4000);
    CHECK(!holds(&r, VA, 0));
    rig_run(&r, "invtlb 7, $zero, $zero");
    CHECK_EQ(ECODE(r.c), EXC_INE);
    rig_free(&r);
}

TEST(tlbsrch_and_tlbrd_find_what_tlbwr_wrote)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_ASID, 9, 0x3ff);
    rig_map(&r, 2050, VA, 0x100000, 16, V | D | PLV3 | CC);
    u64 *csr = r.c->csr;
    csr[CSR_TLBIDX] = 0;
    csr[CSR_TLBEHI] = VA + 0x10000;
    la_tlbsrch(r.c, LA_TLB_CURRENT);
    CHECK_EQ(csr[CSR_TLBIDX] & (BIT(31) | 0xfff), 2050);
    csr[CSR_TLBELO0] = csr[CSR_TLBELO1] = csr[CSR_TLBEHI] = 0;
    la_tlbrd(r.c, LA_TLB_CURRENT);
    CHECK_EQ(csr[CSR_TLBEHI], VA);
    CHECK_EQ(csr[CSR_TLBELO0], 0x100000 | V | D | PLV3 | CC);
    CHECK_EQ(csr[CSR_TLBELO1], 0x110000 | V | D | PLV3 | CC);
    CHECK_EQ(bits_get(csr[CSR_TLBIDX], 29, 24), 16);
    csr[CSR_TLBEHI] = VA + 0x20000;
    la_tlbsrch(r.c, LA_TLB_CURRENT);
    CHECK(csr[CSR_TLBIDX] & BIT(31));
    csr[CSR_TLBIDX] = 2051;
    la_tlbrd(r.c, LA_TLB_CURRENT);
    CHECK(csr[CSR_TLBIDX] & BIT(31));
    CHECK_EQ(csr[CSR_ASID] & 0x3ff, 0);
    rig_free(&r);
}

TEST(an_stlb_of_no_page_size_holds_nothing)
{
    static const u8 sizes[] = {0, 5, 11, 30, 48, 62, 63};
    struct rig r;
    rig_init(&r, "la464");
    for (unsigned i = 0; i < sizeof(sizes); i++) {
        la_csr_write(r.c, CSR_STLBPS, sizes[i], ~0ULL);
        la_csr_write(r.c, CSR_TLBEHI, 0, ~0ULL);
        la_csr_write(r.c, CSR_TLBIDX, 14 << 24, ~0ULL);
        rig_run(&r, "tlbwr;invtlb 6, $zero, $zero;tlbfill;tlbclr");
        CHECK(!r.c->tlb[LA_TLB_ROOT].entries[0].exists);
    }
    rig_free(&r);
}

TEST(tlbfill_uses_every_way_of_a_set)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_STLBPS, 14, 0x3f);
    u64 *csr = r.c->csr, apart = 256ULL << 15;
    for (unsigned n = 0; n < 9; n++) {
        csr[CSR_TLBIDX] = 14 << 24;
        csr[CSR_TLBEHI] = VA + n * apart;
        csr[CSR_TLBELO0] = csr[CSR_TLBELO1] = V;
        la_tlbfill(r.c, LA_TLB_CURRENT);
        unsigned found = 0;
        for (unsigned k = 0; k <= n; k++)
            found += holds(&r, VA + k * apart, 0);
        CHECK_EQ(found, n < 8 ? n + 1 : 8);
    }
    la_csr_write(r.c, CSR_STLBPS, 12, 0x3f);
    CHECK(!holds(&r, VA + 8 * apart, 0));
    rig_free(&r);
}

TEST(a_small_tlb_keeps_the_newest)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_STLBPS, 14, 0x3f);
    r.c->lvz.tlb_keep = 8;
    u64 *csr = r.c->csr, apart = 1ULL << 15;
    for (unsigned n = 0; n < 40; n++) {
        csr[CSR_TLBIDX] = 14 << 24;
        csr[CSR_TLBEHI] = VA + n * apart;
        csr[CSR_TLBELO0] = csr[CSR_TLBELO1] = V;
        la_tlbfill(r.c, LA_TLB_CURRENT);
        for (unsigned k = 0; k <= n; k++)
            CHECK_EQ(holds(&r, VA + k * apart, 0), k + 8 > n);
    }
    rig_free(&r);
}

static void put(struct rig *r, u64 index, unsigned ps, u64 va)
{
    u64 *csr = r->c->csr;
    csr[CSR_TLBIDX] = (u64)ps << 24 | index;
    csr[CSR_TLBEHI] = va;
    csr[CSR_TLBELO0] = csr[CSR_TLBELO1] = V;
    la_tlbwr(r->c, LA_TLB_CURRENT);
}

static u64 found_at(struct rig *r, u64 va)
{
    r->c->csr[CSR_TLBEHI] = va;
    la_tlbsrch(r->c, LA_TLB_CURRENT);
    return r->c->csr[CSR_TLBIDX] & (BIT(31) | 0xfff);
}

// Of overlapping entries the first counts, though another was found last; what was found last and
// is gone is not found.
// As an operating system does that maps the second page of a pair.
TEST(a_pair_that_is_written_anew_changes_both_pages)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    const u64 flags = V | D | PLV3, odd = VA + (1 << 14);
    rig_map(&r, 2048, VA, 0x100000, 14, flags);
    rig_write64(&r, 0x100000, 0x11);
    rig_write64(&r, 0x104000, 0x22);
    rig_write64(&r, 0x108000, 0x33);
    struct la_tlb_entry *t = &r.c->tlb[LA_TLB_ROOT].entries[2048], pair = *t;
    struct la_tlb_view v = la_tlb_own(r.c);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), 0);
    CHECK_EQ(r.c->gpr[5], 0x11);
    pair.elo[1] = 0;
    la_tlb_put(r.c, &v, 2048, &pair); // the odd page is gone, the even one as before
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", odd), EXC_PIL);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), 0);
    pair.elo[1] = 0x108000 | flags;
    la_tlb_put(r.c, &v, 2048, &pair);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", odd), 0);
    CHECK_EQ(r.c->gpr[5], 0x33);
    pair.elo[1] = 0x104000 | flags;
    la_tlb_put(r.c, &v, 2048, &pair);
    CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", odd), 0);
    CHECK_EQ(r.c->gpr[5], 0x22);
    pair.elo[0] &= ~(u64)D;
    la_tlb_put(r.c, &v, 2048, &pair);
    CHECK_EQ(code_of(&r, "st.d $a1, $a0, 0", VA), EXC_PME);
    rig_free(&r);
}

// Entries of the STLB for the set of VA, of address space `asid`, that are still there.
static unsigned n_left(const struct rig *r, unsigned asid)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LA_STLB_ENTRIES; i++) {
        const struct la_tlb_entry *t = &r->c->tlb[LA_TLB_ROOT].entries[i];
        n += t->exists && t->asid == asid;
    }
    return n;
}

static void insert(struct rig *r, unsigned asid, u64 number, u64 flags)
{
    r->c->csr[CSR_ASID] = asid;
    const struct la_tlb_view v = la_tlb_own(r->c);
    const u64 va = VA + number * LA_STLB_SETS * (2ULL << 14);
    const struct la_tlb_entry t = {
        .vppn = va, .elo = {flags, flags}, .asid = (u16)asid, .ps = 14, .exists = true};
    la_tlb_insert(r->c, &v, &t);
}

// Half of the set is of another space, which goes first but for one choice in 64.
TEST(a_full_set_loses_other_spaces_then_data_then_code)
{
    unsigned n_other = 0, n_code = 0;
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_STLBPS] = 14;
    for (unsigned round = 0; round < 256; round++) {
        la_tlb_clear(r.c);
        for (unsigned n = 0; n < LA_STLB_WAYS; n++)
            insert(&r, n % 2, n, V | PLV3 | (n % 4 == 1 ? NX : 0));
        insert(&r, 1, 8, V | PLV3 | NX);
        n_other += n_left(&r, 1) == 5;
        insert(&r, 1, 9, V | PLV3 | NX);
        insert(&r, 1, 10, V | PLV3 | NX);
        insert(&r, 1, 11, V | PLV3 | NX);
        insert(&r, 1, 12, V | PLV3 | NX);
        for (unsigned i = 0; i < LA_STLB_ENTRIES; i++) {
            const struct la_tlb_entry *t = &r.c->tlb[LA_TLB_ROOT].entries[i];
            n_code += t->exists && t->asid == 1 && !(t->elo[0] & NX);
        }
    }
    CHECK(n_other > 230 && n_other <= 256);
    CHECK(n_code > 2 * 230 && n_code <= 2 * 256);
    rig_free(&r);
}

TEST(what_was_found_last_hides_nothing)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_STLBPS, 14, 0x3f);
    u64 set = VA >> 15 & (LA_STLB_SETS - 1), large = LA_STLB_ENTRIES + 9;
    put(&r, large, 25, VA);
    CHECK_EQ(found_at(&r, VA), large);
    CHECK_EQ(found_at(&r, VA + 0x1200000), large);
    r.c->csr[CSR_TLBIDX] = BIT(31) | large;
    la_tlbwr(r.c, LA_TLB_CURRENT);
    CHECK(found_at(&r, VA) & BIT(31));
    put(&r, 5 * LA_STLB_SETS + set, 14, VA);
    CHECK_EQ(found_at(&r, VA), 5 * LA_STLB_SETS + set);
    put(&r, 2 * LA_STLB_SETS + set, 14, VA);
    CHECK_EQ(found_at(&r, VA), 2 * LA_STLB_SETS + set);
    put(&r, large, 25, VA);
    CHECK_EQ(found_at(&r, VA), 2 * LA_STLB_SETS + set);
    rig_free(&r);
}

static void fill_pair(struct rig *r, u64 va, unsigned asid)
{
    u64 *csr = r->c->csr;
    csr[CSR_ASID] = asid;
    csr[CSR_TLBIDX] = 14 << 24;
    csr[CSR_TLBEHI] = va;
    csr[CSR_TLBELO0] = csr[CSR_TLBELO1] = V;
    la_tlbfill(r->c, LA_TLB_CURRENT);
}

TEST(what_is_never_evicted_goes_when_it_is_told_to)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_STLBPS, 14, 0x3f);
    r.c->lvz.tlb = LA_EVICT_NEVER;
    const u64 apart = 1ULL << 15;
    const unsigned n = 5000;
    unsigned found = 0;
    for (unsigned i = 0; i < n; i++)
        fill_pair(&r, VA + i * apart, i % 2);
    for (unsigned i = 0; i < n; i++) {
        r.c->csr[CSR_ASID] = i % 2;
        found += holds(&r, VA + i * apart, i % 2);
    }
    CHECK_EQ(found, n);
    la_invtlb(r.c, 5, 1, VA + 3 * apart);
    r.c->csr[CSR_ASID] = 1;
    CHECK(!holds(&r, VA + 3 * apart, 1) && holds(&r, VA + 5 * apart, 1));
    la_invtlb(r.c, 4, 1, 0);
    found = 0;
    for (unsigned i = 1; i < n; i += 2)
        found += holds(&r, VA + i * apart, 1);
    CHECK_EQ(found, 0);
    r.c->csr[CSR_ASID] = 0;
    CHECK(holds(&r, VA, 0));
    la_csr_write(r.c, CSR_STLBPS, 12, 0x3f);
    CHECK(!holds(&r, VA, 0));
    rig_free(&r);
}

TEST(many_address_spaces_do_not_mix)
{
    struct rig r;
    rig_init(&r, "la464");
    rig_mapped(&r, 3);
    for (unsigned n = 0; n < 3000; n++) {
        unsigned asid = n * 7 % 1024;
        la_csr_write(r.c, CSR_ASID, asid, 0x3ff);
        rig_map(&r, 2048, VA, 0x100000 + (u64)(n % 16) * 0x8000, 14, V | D | PLV3);
        rig_write64(&r, 0x100000 + (u64)(n % 16) * 0x8000, n);
        CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), 0);
        CHECK_EQ(r.c->gpr[5], n);
        la_csr_write(r.c, CSR_ASID, (asid + 1) % 1024, 0x3ff);
        CHECK_EQ(code_of(&r, "ld.d $a1, $a0, 0", VA), EXC_TLBR);
    }
    rig_free(&r);
}
