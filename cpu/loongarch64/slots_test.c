// SPDX-License-Identifier: Apache-2.0
// What translated code remembers: what forgets which pages and slots.
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

#include <string.h>

enum { LOADS, STORES };

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

// Entries that some address finds.
static unsigned n_known(const struct la_near *near)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LA_N_NEAR; i++)
        n += la_near_index(near[i].base) == i;
    return n;
}

static unsigned n_in(const struct rig *r, unsigned mode, unsigned kind)
{
    return n_known(r->c->code.slots[mode].near[kind]);
}

// All entries of a mode know the page whose number is their own.
static void fill(struct rig *r, unsigned mode, u32 context)
{
    struct la_slots *s = &r->c->code.slots[mode];
    for (unsigned i = 0; i < LA_N_NEAR; i++)
        s->near[LOADS][i].base = s->near[STORES][i].base = (u64)i << LA_PAGE_SHIFT;
    memset(s->near_is_empty, false, sizeof(s->near_is_empty));
    s->context = context;
    s->is_empty = false;
}

TEST(a_new_processor_knows_no_page_in_any_mode)
{
    struct rig r;
    begin(&r);
    for (unsigned mode = 0; mode < LA_N_MODES; mode++) {
        CHECK_EQ(n_in(&r, mode, LOADS), 0);
        CHECK_EQ(n_in(&r, mode, STORES), 0);
    }
    end(&r);
}

TEST(all_is_forgotten_and_stores_alone)
{
    struct rig r;
    begin(&r);
    fill(&r, 0, 0);
    fill(&r, 3, 11);
    la_slots_forget_stores(r.c);
    CHECK_EQ(n_in(&r, 0, LOADS), LA_N_NEAR);
    CHECK_EQ(n_in(&r, 3, LOADS), LA_N_NEAR);
    CHECK_EQ(n_in(&r, 0, STORES), 0);
    CHECK_EQ(n_in(&r, 3, STORES), 0);
    la_slots_forget(r.c);
    CHECK_EQ(n_in(&r, 0, LOADS), 0);
    CHECK_EQ(n_in(&r, 3, LOADS), 0);
    end(&r);
}

// The first two places of the table are the ones that nothing is told by in different ways.
TEST(a_range_is_forgotten_in_its_space)
{
    struct rig r;
    begin(&r);
    fill(&r, 2, 18);
    fill(&r, 3, 27);
    la_slots_forget_range(r.c, 0, 3 << LA_PAGE_SHIFT, 27 / 8);
    CHECK_EQ(n_in(&r, 2, LOADS), LA_N_NEAR);
    CHECK_EQ(n_in(&r, 3, LOADS), LA_N_NEAR - 3);
    CHECK_EQ(n_in(&r, 3, STORES), LA_N_NEAR - 3);
    la_slots_forget_range(r.c, (u64)LA_N_NEAR << LA_PAGE_SHIFT, 1 << LA_PAGE_SHIFT, LA_ALL_SPACES);
    CHECK_EQ(n_in(&r, 2, LOADS), LA_N_NEAR - 1);
    end(&r);
}

TEST(another_address_space_finds_nothing)
{
    struct rig r;
    begin(&r);
    rig_mapped(&r, 3);
    fill(&r, 3, r.c->mmu_context);
    CHECK_EQ(n_in(&r, 3, LOADS), LA_N_NEAR);
    la_csr_write(r.c, CSR_ASID, 5, 0x3ff);
    CHECK_EQ(n_in(&r, 3, LOADS), 0);
    CHECK_EQ(n_in(&r, 3, STORES), 0);
    end(&r);
}

static const u64 mapped = 0xffff800000008000;

// At PLV 0, which sees RAM in a window at 0x9000000000000000, in address space `asid`.
static void enter_space(struct rig *r, u64 asid)
{
    rig_mapped(r, 0);
    la_csr_write(r->c, CSR_ASID, asid, 0x3ff);
}

static void put_slot(struct la_slots *s, unsigned slot, u64 base)
{
    s->base[slot] = base;
    s->limit[slot] = (1 << LA_PAGE_SHIFT) - LA_SLOT_SPAN + 1;
    s->limit8[slot] = (1 << LA_PAGE_SHIFT) - 7;
    s->is_empty = false;
}

TEST(slots_in_windows_outlive_a_space)
{
    struct rig r;
    begin(&r);
    enter_space(&r, 5);
    struct la_slots *s = &r.c->code.slots[0];
    const u64 base = r.c->code.windows[0][0].base;
    CHECK(r.c->code.windows[0][0].size);
    put_slot(s, 1, base);
    put_slot(s, 2, mapped);
    put_slot(s, LA_N_LOAD_SLOTS + 3, base + (1 << LA_PAGE_SHIFT));
    la_csr_write(r.c, CSR_ASID, 6, 0x3ff);
    CHECK(s->limit[1] && s->limit8[1]);
    CHECK(!s->limit[2] && !s->limit8[2]);
    CHECK(s->limit[LA_N_LOAD_SLOTS + 3]);
    la_slots_forget(r.c);
    CHECK(!s->limit[1] && !s->limit8[1]);
    end(&r);
}

// Slots of the pages before, in and behind a range of two, each in another place of four.
TEST(slots_that_meet_a_range_are_forgotten)
{
    struct rig r;
    begin(&r);
    enter_space(&r, 5);
    struct la_slots *s = &r.c->code.slots[0];
    for (unsigned i = 0; i < 9; i++)
        put_slot(s, 11 * i, mapped + ((u64)i << LA_PAGE_SHIFT));
    la_slots_forget_range(r.c, mapped + (3 << LA_PAGE_SHIFT), 2 << LA_PAGE_SHIFT, LA_ALL_SPACES);
    for (unsigned i = 0; i < 9; i++)
        CHECK_EQ(s->limit8[11 * i] != 0, i != 3 && i != 4);
    end(&r);
}

// Pages of the table of all spaces that have the tag of `va`.
static unsigned n_pages_of(const struct rig *r, unsigned kind, u64 va)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LA_N_PAGES; i++)
        n += r->c->code.pages[kind][i].tag == (va | r->c->code.context);
    return n;
}

TEST(pages_of_all_spaces_are_forgotten_by_address)
{
    const u64 near = 0x120004000, far = 0x7fff80004000;
    struct rig r;
    begin(&r);
    rig_mapped(&r, 3);
    for (unsigned asid = 5; asid < 5 + LA_PAGE_WAYS; asid++) {
        la_csr_write(r.c, CSR_ASID, asid, 0x3ff);
        la_slots_put_page(r.c, near, 0x1000, false);
        la_slots_put_page(r.c, far, 0x1000, false);
        la_slots_put_page(r.c, far, 0x1000, true);
    }
    for (unsigned asid = 5; asid < 5 + LA_PAGE_WAYS; asid++) {
        la_csr_write(r.c, CSR_ASID, asid, 0x3ff);
        CHECK_EQ(n_pages_of(&r, LOADS, near), 1);
        CHECK_EQ(n_pages_of(&r, STORES, near), 0);
        CHECK_EQ(n_pages_of(&r, STORES, far), 1);
    }
    la_slots_forget_range(r.c, far, 1 << LA_PAGE_SHIFT, LA_ALL_SPACES);
    for (unsigned asid = 5; asid < 5 + LA_PAGE_WAYS; asid++) {
        la_csr_write(r.c, CSR_ASID, asid, 0x3ff);
        CHECK_EQ(n_pages_of(&r, LOADS, near), 1);
        CHECK_EQ(n_pages_of(&r, LOADS, far), 0);
        CHECK_EQ(n_pages_of(&r, STORES, far), 0);
    }
    la_slots_put_page(r.c, far, 0x1000, true);
    la_slots_forget_stores(r.c);
    CHECK_EQ(n_pages_of(&r, STORES, far), 0);
    CHECK_EQ(n_pages_of(&r, LOADS, near), 1);
    la_slots_forget(r.c);
    CHECK_EQ(n_pages_of(&r, LOADS, near), 0);
    end(&r);
}
