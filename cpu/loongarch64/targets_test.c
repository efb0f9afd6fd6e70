// SPDX-License-Identifier: Apache-2.0
// Where translated code leads: who finds which targets, and what forgets them.
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

// As with a translator, which is not asked for anything here.
static void begin(struct rig *r)
{
    rig_init(r, "la464");
    r->c->code.vcpu = (struct jit_vcpu *)(void *)r;
    la_mmu_flush(r->c);
}

static void end(struct rig *r)
{
    r->c->code.vcpu = NULL;
    rig_free(r);
}

enum { IN_WINDOW, MAPPED, N_KINDS };
static const u64 addresses[N_KINDS] = {0x9000000000204000, 0xffff800000008000};

// At PLV 0, which sees RAM in a window at 0x9000000000000000, in address space `asid`.
static void enter_space(struct rig *r, u64 asid)
{
    rig_mapped(r, 0);
    la_csr_write(r->c, CSR_ASID, asid, 0x3ff);
}

static bool knows(struct rig *r, u64 va)
{
    struct la_place place;
    return la_target_find(r->c, va, &place);
}

static void put_targets(struct rig *r)
{
    for (unsigned i = 0; i < N_KINDS; i++)
        la_target_put(r->c, addresses[i], 64, addresses[i]);
}

TEST(a_target_in_a_window_is_known_in_all_spaces)
{
    struct rig r;
    begin(&r);
    enter_space(&r, 5);
    put_targets(&r);
    CHECK(knows(&r, addresses[IN_WINDOW]));
    CHECK(knows(&r, addresses[MAPPED]));
    la_csr_write(r.c, CSR_ASID, 6, 0x3ff);
    CHECK(knows(&r, addresses[IN_WINDOW]));
    CHECK(!knows(&r, addresses[MAPPED]));
    la_csr_write(r.c, CSR_ASID, 5, 0x3ff);
    CHECK(knows(&r, addresses[MAPPED]));
    la_csr_write(r.c, CSR_CRMD, 3, 3);
    CHECK(!knows(&r, addresses[IN_WINDOW]));
    CHECK(!knows(&r, addresses[MAPPED]));
    end(&r);
}

// The window's address has the same low bits as a page that is forgotten.
TEST(the_tlb_takes_no_targets_from_a_window)
{
    struct rig r;
    begin(&r);
    enter_space(&r, 5);
    put_targets(&r);
    la_slots_forget_range(r.c, addresses[IN_WINDOW], 1 << LA_PAGE_SHIFT, LA_ALL_SPACES);
    CHECK(knows(&r, addresses[IN_WINDOW]));
    CHECK(knows(&r, addresses[MAPPED]));
    la_slots_forget_range(r.c, addresses[MAPPED], 1 << LA_PAGE_SHIFT, r.c->mmu_context / 8);
    CHECK(knows(&r, addresses[IN_WINDOW]));
    CHECK(!knows(&r, addresses[MAPPED]));
    put_targets(&r);
    la_csr_write(r.c, CSR_DMW0, 0x8000000000000011, ~0ULL);
    CHECK(!knows(&r, addresses[IN_WINDOW]));
    CHECK(!knows(&r, addresses[MAPPED]));
    end(&r);
}

// Enough changes that ages begin anew, with something of each.
TEST(no_age_comes_back)
{
    struct rig r;
    begin(&r);
    enter_space(&r, 5);
    put_targets(&r);
    unsigned n_found = 0;
    for (unsigned n = 0; n < 3 << MEM_WATCH_SHIFT; n++) {
        la_targets_forget(r.c);
        for (unsigned i = 0; i < N_KINDS; i++)
            n_found += knows(&r, addresses[i]);
    }
    CHECK_EQ(n_found, 0);
    end(&r);
}

enum { PAGE = 1 << LA_PAGE_SHIFT };

// As translated code looks: false for what it finds only behind its table.
static bool is_near(struct rig *r, u64 va)
{
    const unsigned index = (unsigned)((va ^ va >> LA_TARGET_ROTATION) >> 2) & (LA_N_TARGETS - 1);
    const struct la_code_tables *tables = la_code_tables(r->c);
    return tables->targets[index].key == la_target_key(va, (u64)r->c->cpu.context << 8);
}

static void enter_user(struct rig *r, u64 asid)
{
    rig_mapped(r, 3);
    la_csr_write(r->c, CSR_ASID, asid, 0x3ff);
}

// Of three pages; those of one address space do not have the place of another's.
static u64 nth_target(unsigned asid, unsigned n)
{
    return addresses[MAPPED] + n * PAGE + 0x1200 + asid * 4;
}

TEST(a_page_that_is_forgotten_takes_no_others_along)
{
    struct rig r;
    begin(&r);
    enter_user(&r, 5);
    for (unsigned asid = 5; asid < 7; asid++) {
        la_csr_write(r.c, CSR_ASID, asid, 0x3ff);
        for (unsigned n = 0; n < 3; n++) {
            la_target_put(r.c, nth_target(asid, n), 64, nth_target(asid, n) & -PAGE);
            CHECK(is_near(&r, nth_target(asid, n)));
        }
    }
    la_slots_forget_range(r.c, addresses[MAPPED] + PAGE, PAGE, r.c->mmu_context / 8);
    for (unsigned n = 0; n < 3; n++) {
        CHECK_EQ(knows(&r, nth_target(6, n)), n != 1);
        CHECK_EQ(is_near(&r, nth_target(6, n)), n != 1);
    }
    la_csr_write(r.c, CSR_ASID, 5, 0x3ff);
    CHECK(knows(&r, nth_target(5, 1)));
    la_slots_forget_range(r.c, addresses[MAPPED] + PAGE, PAGE, LA_ALL_SPACES);
    for (unsigned n = 0; n < 3; n++)
        CHECK_EQ(knows(&r, nth_target(5, n)), n != 1);
    end(&r);
}

TEST(a_page_that_is_forgotten_changes_what_links_hold)
{
    struct rig r;
    begin(&r);
    enter_user(&r, 5);
    put_targets(&r);
    u64 before = r.c->code.link_context, window = r.c->code.window_age;
    la_slots_forget_range(r.c, addresses[MAPPED] + PAGE, PAGE, LA_ALL_SPACES);
    CHECK_EQ(r.c->code.link_context, before);
    la_slots_forget_range(r.c, addresses[MAPPED], PAGE, LA_ALL_SPACES);
    CHECK(r.c->code.link_context != before);
    CHECK_EQ(r.c->code.window_age, window);
    end(&r);
}

// An address that differs in one bit, or in two, has another key or another place; so has another
// context.
TEST(a_key_is_of_one_address)
{
    struct rig r;
    begin(&r);
    enter_user(&r, 5);
    const u64 va = 0x000055aa12345678;
    la_target_put(r.c, va, 64, va & -PAGE);
    CHECK(is_near(&r, va));
    unsigned n_found = 0;
    for (unsigned a = 0; a < 64; a++)
        for (unsigned b = 0; b < 64; b++)
            n_found += is_near(&r, va ^ BIT(a) ^ (a == b ? 0 : BIT(b)));
    CHECK_EQ(n_found, 0);
    const unsigned own = r.c->cpu.context;
    for (unsigned other = 0; other < LA_N_EPOCHS; other++) {
        r.c->cpu.context = (u8)other;
        for (unsigned a = 0; a < 64; a++)
            n_found += is_near(&r, va ^ BIT(a)) + (is_near(&r, va) && other != own);
    }
    CHECK_EQ(n_found, 0);
    end(&r);
}

// All pairs of a word's bits and the address's bits that they are combined with: 2 to 16, and 14 to
// 28. Requests are bits like the others.
TEST(index_and_key_tell_address_and_word)
{
    const u64 va = 0x000055aa12345678;
    const u64 index = (va ^ va >> LA_TARGET_ROTATION) >> 2 & (LA_N_TARGETS - 1);
    unsigned n_same = 0;
    for (u64 word = 1; word < LA_N_TARGETS; word++) {
        // The one address that has the same key with this word.
        const u64 other = va ^ word << 2 << LA_TARGET_ROTATION;
        CHECK_EQ(la_target_key(other, word << 2), la_target_key(va, 0));
        n_same += ((other ^ other >> LA_TARGET_ROTATION) >> 2 & (LA_N_TARGETS - 1)) == index;
    }
    CHECK_EQ(n_same, 0);
}

// A table that is empty has no address that might be entered, in any context.
TEST(what_is_forgotten_is_no_address)
{
    struct rig r;
    begin(&r);
    enter_user(&r, 5);
    const struct la_target *t = la_code_tables(r.c)->targets;
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < LA_N_TARGETS; i++) {
        // The address with no bits but those of the index, and the word that it would need.
        u64 va = (u64)i << 2;
        va ^= va >> LA_TARGET_ROTATION & ~3ULL;
        n_wrong += !((t[i].key ^ la_target_key(va, 0)) >> 16 & 1);
    }
    CHECK_EQ(n_wrong, 0);
    end(&r);
}

// More address spaces than numbers for them: each knows what it knew, and nothing else.
TEST(numbers_of_contexts_are_handed_out_anew)
{
    struct rig r;
    begin(&r);
    enter_user(&r, 0);
    const u64 va = 0x120000000;
    for (unsigned asid = 0; asid < 400; asid++) {
        la_csr_write(r.c, CSR_ASID, asid, 0x3ff);
        CHECK(!is_near(&r, va) && !knows(&r, va + asid * 64));
        la_target_put(r.c, va + asid * 64, 64, va + (asid * 64 & -PAGE));
        CHECK(is_near(&r, va + asid * 64));
    }
    unsigned n_known = 0, n_others = 0;
    for (unsigned asid = 0; asid < 400; asid++) {
        la_csr_write(r.c, CSR_ASID, asid, 0x3ff);
        for (unsigned other = 0; other < 400; other++)
            *(other == asid ? &n_known : &n_others) += knows(&r, va + other * 64);
    }
    CHECK_EQ(n_known, 400);
    CHECK_EQ(n_others, 0);
    end(&r);
}

// Small pages, whose 16 KiB of memory begin elsewhere, are not in the small table.
TEST(a_page_of_4_kib_keeps_its_base)
{
    struct rig r;
    begin(&r);
    enter_user(&r, 5);
    const u64 va = 0x120003a40;
    for (unsigned piece = 0; piece < 4; piece++) {
        struct la_place place;
        const u64 base = va - 0xa40 - piece * 0x1000;
        la_targets_forget(r.c);
        la_target_put(r.c, va, 192, base);
        CHECK(la_target_find(r.c, va, &place));
        CHECK_EQ(place.pc_base, base);
        CHECK_EQ((u64)(place.host - r.c->code.host_code), 192);
        CHECK_EQ(is_near(&r, va), piece == 3);
    }
    end(&r);
}

TEST(more_pages_than_are_remembered)
{
    struct rig r;
    begin(&r);
    enter_user(&r, 5);
    unsigned n_stale = 0;
    for (u64 n = 0; n < 2 * LA_N_CODE_PAGES; n++) {
        const u64 va = 0x120000000 + n * PAGE;
        la_target_put(r.c, va, 64, va);
        if (n % 3)
            continue;
        la_slots_forget_range(r.c, va, PAGE, LA_ALL_SPACES);
        n_stale += knows(&r, va) || is_near(&r, va);
    }
    CHECK_EQ(n_stale, 0);
    CHECK(r.c->code.n_code_pages <= LA_N_CODE_PAGES / 2);
    end(&r);
}
