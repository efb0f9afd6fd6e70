// SPDX-License-Identifier: Apache-2.0
// The tables of pages that translated code looks into: what forgets which entries.
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
    for (unsigned i = 0; i < LA_N_PAGES; i++)
        n += la_page_index(near[i].base) == i;
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
    for (unsigned i = 0; i < LA_N_PAGES; i++)
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
    CHECK_EQ(n_in(&r, 0, LOADS), LA_N_PAGES);
    CHECK_EQ(n_in(&r, 3, LOADS), LA_N_PAGES);
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
    CHECK_EQ(n_in(&r, 2, LOADS), LA_N_PAGES);
    CHECK_EQ(n_in(&r, 3, LOADS), LA_N_PAGES - 3);
    CHECK_EQ(n_in(&r, 3, STORES), LA_N_PAGES - 3);
    la_slots_forget_range(r.c, (u64)LA_N_PAGES << LA_PAGE_SHIFT, 1 << LA_PAGE_SHIFT, LA_ALL_SPACES);
    CHECK_EQ(n_in(&r, 2, LOADS), LA_N_PAGES - 1);
    end(&r);
}

TEST(another_address_space_finds_nothing)
{
    struct rig r;
    begin(&r);
    rig_mapped(&r, 3);
    fill(&r, 3, r.c->mmu_context);
    CHECK_EQ(n_in(&r, 3, LOADS), LA_N_PAGES);
    la_csr_write(r.c, CSR_ASID, 5, 0x3ff);
    CHECK_EQ(n_in(&r, 3, LOADS), 0);
    CHECK_EQ(n_in(&r, 3, STORES), 0);
    end(&r);
}
