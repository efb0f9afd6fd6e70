// SPDX-License-Identifier: Apache-2.0
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

#include <pthread.h>

enum { V = 1, D = 2, PLV3 = 3 << 2, CC = 1 << 4, G = 1 << 6, P = 1 << 7, W = 1 << 8 };
#define HUGE     BIT(6)
#define ECODE(c) bits_get(la_csr_read((c), CSR_ESTAT), 21, 16)

// Linux's layout with 16 KiB pages: PT 14/11, Dir1 25/11, Dir3 36/11. Tables at 1, 1.25, 1.5 MiB.
#define DIR3 0x100000ULL
#define DIR1 0x140000ULL
#define PT   0x180000ULL
#define VA   0x1234568000ULL
#define PAGE 0x200000ULL

static u64 slot(u64 table, u64 va, unsigned base)
{
    return table + (va >> base & 0x7ff) * 8;
}

static void make_tables(struct rig *r, u64 flags)
{
    u64 *csr = r->c->csr;
    la_csr_write(r->c, CSR_PWCL, 14 | 11 << 5 | 25 << 10 | 11 << 15, ~0ULL);
    la_csr_write(r->c, CSR_PWCH, 36 | 11 << 6, ~0ULL);
    csr[CSR_PGDL] = 0x9000000000000000 | DIR3; // any alias will do
    rig_write64(r, slot(DIR3, VA, 36), 0x9000000000000000 | DIR1);
    rig_write64(r, slot(DIR1, VA, 25), 0x9000000000000000 | PT);
    rig_write64(r, slot(PT, VA, 14), PAGE | flags);
    rig_write64(r, slot(PT, VA + 0x4000, 14), (PAGE + 0x4000) | flags);
    csr[CSR_TLBRERA] = 1;
    csr[CSR_TLBRBADV] = VA;
}

TEST(lddir_and_ldpte_walk_three_levels)
{
    struct rig r;
    rig_init(&r, "la464");
    make_tables(&r, V | D | PLV3);
    u64 *csr = r.c->csr;
    u64 base = la_csr_read(r.c, CSR_PGD);
    base = la_lddir(r.c, base, 3);
    CHECK_EQ(base, DIR1);
    base = la_lddir(r.c, base, 1);
    CHECK_EQ(base, PT);
    la_ldpte(r.c, base, 0);
    la_ldpte(r.c, base, 1);
    CHECK_EQ(csr[CSR_TLBRELO0], PAGE | V | D | PLV3);
    CHECK_EQ(csr[CSR_TLBRELO1], (PAGE + 0x4000) | V | D | PLV3);
    CHECK_EQ(csr[CSR_TLBREHI] & 0x3f, 14);
    // From the odd page the same pair is loaded.
    csr[CSR_TLBRBADV] = VA + 0x4000;
    la_ldpte(r.c, PT, 0);
    CHECK_EQ(csr[CSR_TLBRELO0], PAGE | V | D | PLV3);
    rig_free(&r);
}

TEST(huge_entries_split_in_two_halves)
{
    struct rig r;
    rig_init(&r, "la464");
    make_tables(&r, 0);
    u64 *csr = r.c->csr;
    u64 entry = 0x4000000 | V | D | HUGE | BIT(12);
    rig_write64(&r, slot(DIR1, VA, 25), entry);
    u64 base = la_lddir(r.c, la_lddir(r.c, DIR3, 3), 1);
    CHECK_EQ(base, entry);
    la_ldpte(r.c, base, 0);
    la_ldpte(r.c, base, 1);
    CHECK_EQ(csr[CSR_TLBREHI] & 0x3f, 24);
    CHECK_EQ(csr[CSR_TLBRELO0], 0x4000000 | V | D | G);
    CHECK_EQ(csr[CSR_TLBRELO1], 0x5000000 | V | D | G);
    // Found one level higher, the next lddir notes the level and passes it on.
    rig_write64(&r, slot(DIR3, VA, 36), entry);
    base = la_lddir(r.c, la_lddir(r.c, DIR3, 3), 1);
    CHECK_EQ(base, entry | 1 << 13);
    la_ldpte(r.c, base, 0);
    CHECK_EQ(csr[CSR_TLBREHI] & 0x3f, 35);
    rig_free(&r);
}

static void start_walker(struct rig *r, u64 flags)
{
    rig_init(r, "max");
    make_tables(r, flags);
    r->c->csr[CSR_TLBRERA] = 0;
    la_csr_write(r->c, CSR_PWCH, BIT(24), BIT(24));
    // Code runs at PLV0 through the window.
    rig_mapped(r, 0);
}

static unsigned access(struct rig *r, const char *insn, u64 va)
{
    r->c->csr[CSR_ESTAT] = 0;
    r->c->gpr[4] = va;
    rig_program(r, insn);
    r->c->pc |= 0x9000000000000000;
    rig_step(r);
    unsigned code = r->c->csr[CSR_TLBRERA] & 1 ? EXC_TLBR : (unsigned)ECODE(r->c);
    rig_mapped(r, 0);
    return code;
}

TEST(the_walker_fills_and_marks_accessed_and_dirty)
{
    struct rig r;
    start_walker(&r, P | W | CC);
    rig_write64(&r, PAGE + 0x10, 0x77);
    CHECK_EQ(access(&r, "ld.d $a1, $a0, 0", VA + 0x10), 0);
    CHECK_EQ(r.c->gpr[5], 0x77);
    CHECK_EQ(rig_read64(&r, slot(PT, VA, 14)), PAGE | P | W | CC | V);
    CHECK_EQ(rig_read64(&r, slot(PT, VA + 0x4000, 14)), (PAGE + 0x4000) | P | W | CC);
    CHECK_EQ(access(&r, "st.d $a1, $a0, 0", VA + 0x18), 0);
    CHECK_EQ(rig_read64(&r, PAGE + 0x18), 0x77);
    CHECK_EQ(rig_read64(&r, slot(PT, VA, 14)), PAGE | P | W | CC | V | D);
    CHECK_EQ(access(&r, "ld.d $a1, $a0, 0", VA + 0x4000), 0);
    CHECK_EQ(rig_read64(&r, slot(PT, VA + 0x4000, 14)), (PAGE + 0x4000) | P | W | CC | V);
    rig_free(&r);
}

TEST(the_walker_raises_page_exceptions_itself)
{
    struct rig r;
    start_walker(&r, CC);
    CHECK_EQ(access(&r, "ld.d $a1, $a0, 0", VA), EXC_PIL);
    CHECK_EQ(access(&r, "st.d $a1, $a0, 0", VA), EXC_PIS);
    CHECK_EQ(r.c->csr[CSR_BADV], VA);
    rig_write64(&r, slot(PT, VA, 14), PAGE | P | CC);
    CHECK_EQ(access(&r, "ld.d $a1, $a0, 0", VA), 0);
    CHECK_EQ(access(&r, "st.d $a1, $a0, 0", VA), EXC_PME);
    // Software allows writing; no invalidation is needed to see it.
    rig_write64(&r, slot(PT, VA, 14), PAGE | P | W | V | CC);
    CHECK_EQ(access(&r, "st.d $a1, $a0, 0", VA), 0);
    rig_free(&r);
}

struct other_processor {
    u64 *entry, value;
    bool is_over;
};

static void *change_entry(void *opaque)
{
    struct other_processor *x = opaque;
    while (!__atomic_load_n(&x->is_over, __ATOMIC_RELAXED)) {
        __atomic_store_n(x->entry, 0, __ATOMIC_RELAXED);
        __atomic_store_n(x->entry, x->value, __ATOMIC_RELAXED);
    }
    return NULL;
}

// What was checked is what is used, whatever the entry says a moment later.
TEST(an_entry_that_another_processor_clears_leads_nowhere)
{
    struct rig r;
    pthread_t t;
    unsigned n_wrong = 0;
    start_walker(&r, P | W | CC);
    rig_write64(&r, PAGE + 0x10, 0x77);
    rig_write64(&r, 0x10, 0x55);
    struct other_processor x = {
        .entry = (u64 *)(void *)mem_ram_page(&r.mem, slot(PT, VA, 14), 8, true),
        .value = PAGE | P | W | CC,
    };
    REQUIRE(pthread_create(&t, NULL, change_entry, &x) == 0);
    for (unsigned n = 0; n < 30000; n++) {
        access(&r, "invtlb 0x0, $zero, $zero", 0);
        unsigned code = access(&r, "ld.d $a1, $a0, 0", VA + 0x10);
        n_wrong += code ? code != EXC_PIL : r.c->gpr[5] != 0x77;
    }
    __atomic_store_n(&x.is_over, true, __ATOMIC_RELAXED);
    pthread_join(t, NULL);
    CHECK_EQ(n_wrong, 0);
    rig_free(&r);
}

TEST(the_walker_takes_huge_pages)
{
    struct rig r;
    start_walker(&r, 0);
    rig_write64(&r, slot(DIR1, VA, 25), 0x0 | P | W | CC | HUGE);
    rig_write64(&r, VA & 0x3fffff, 0x99); // 32 MiB page at physical 0
    u64 va = (VA & ~0x1ffffffULL) | (VA & 0x3fffff);
    CHECK_EQ(access(&r, "ld.d $a1, $a0, 0", va), 0);
    CHECK_EQ(r.c->gpr[5], 0x99);
    CHECK_EQ(rig_read64(&r, slot(DIR1, VA, 25)), V | P | W | CC | HUGE);
    struct la_tlb_view v = la_tlb_own(r.c);
    CHECK_EQ(la_tlb_find(r.c, &v, va)->ps, 24);
    rig_free(&r);
}

TEST(nonsense_in_the_walker_registers_is_survived)
{
    u64 rng = 88172645463325252ULL;
    struct rig r;
    start_walker(&r, P | W);
    for (unsigned n = 0; n < 20000; n++) {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        la_csr_write(r.c, CSR_PWCL, rng, ~0ULL);
        la_csr_write(r.c, CSR_PWCH, (rng >> 32) | BIT(24), ~0ULL);
        la_csr_write(r.c, CSR_PGDL, rng >> 20, ~0ULL);
        access(&r, n & 1 ? "ld.d $a1, $a0, 0" : "st.d $a1, $a0, 0", rng & 0x7fffffffffff);
    }
    CHECK(true);
    rig_free(&r);
}
