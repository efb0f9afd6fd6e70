// SPDX-License-Identifier: Apache-2.0
// Two processors that take turns by instructions: what breaks the first one's link.
#include "base/test.h"
#include "cpu/loongarch64/links.h"
#include "cpu/loongarch64/rig.h"

#define DATA  0x100000ULL // in a line of its own
#define OTHER 0x40000

struct pair {
    struct rig r;
    struct la_cpu *other;
    struct la_links *links;
};

static void pair_init(struct pair *p, bool exact)
{
    *p = (struct pair){0};
    rig_init(&p->r, "max");
    p->other = la_cpu_new(la_model_find("max"), &p->r.bus, 1);
    la_csr_write(p->other, CSR_EUEN, EUEN_FPE | EUEN_SXE | EUEN_ASXE, ~0ULL);
    if (exact) {
        p->links = la_links_new(&p->r.mem);
        la_links_add_cpu(p->links, p->r.c);
        la_links_add_cpu(p->links, p->other);
    }
    rig_write64(&p->r, DATA, 7);
}

static void pair_free(struct pair *p)
{
    la_links_free(p->links);
    la_cpu_free(p->other);
    rig_free(&p->r);
}

static void first_does(struct pair *p, const char *text)
{
    p->r.c->gpr[5] = DATA;
    rig_run(&p->r, text);
}

static void other_does(struct pair *p, const char *text)
{
    rig_program_at(&p->r, OTHER, text);
    p->other->pc = OTHER;
    p->other->gpr[5] = DATA;
    for (const char *c = text; c; c = strchr(c + 1, ';'))
        la_interp_step(p->other);
}

// What sc answers after ll, what the first one does itself, and what the other one does.
static u64 sc_after(struct pair *p, const char *own, const char *others)
{
    p->r.c->gpr[4] = 99;
    first_does(p, "ll.d $a2, $a1, 0");
    if (own)
        first_does(p, own);
    if (others)
        other_does(p, others);
    first_does(p, "or $a0, $a2, $zero; sc.d $a0, $a1, 0");
    return p->r.c->gpr[4];
}

// Each leaves the value that it found.
static const char *const equal_stores[] = {
    "ori $a0, $zero, 7; st.d $a0, $a1, 0",
    "st.b $zero, $a1, 7",
    "st.w $zero, $a1, 32", // elsewhere in the line
    "st.d $zero, $a1, 60", // from this line into the next
    "st.d $zero, $a1, -4; ori $a0, $zero, 7; st.d $a0, $a1, 0",
    "amadd.d $a0, $zero, $a1",
    "ori $a0, $zero, 7; amswap_db.d $a2, $a0, $a1",
    "ori $a2, $zero, 7; ori $a0, $zero, 7; amcas.d $a2, $a0, $a1",
    "ll.d $a0, $a1, 0; sc.d $a0, $a1, 0",
    "xvld $xr0, $a1, 0; xvst $xr0, $a1, 0",
};

TEST(an_equal_store_of_another_processor_breaks_an_exact_link_alone)
{
    for (unsigned exact = 0; exact < 2; exact++)
        for (unsigned i = 0; i < ARRAY_LEN(equal_stores); i++) {
            struct pair p;
            pair_init(&p, exact);
            if (!CHECK_EQ(sc_after(&p, NULL, equal_stores[i]), !exact))
                printf("# exact %u: %s\n", exact, equal_stores[i]);
            CHECK_EQ(rig_read64(&p.r, DATA), 7);
            CHECK_EQ(sc_after(&p, NULL, NULL), 1);
            pair_free(&p);
        }
}

// What was cached for stores before the first ll is cached no more.
TEST(stores_through_what_was_cached_are_seen)
{
    struct pair p;
    pair_init(&p, true);
    other_does(&p, "ori $a0, $zero, 7; st.d $a0, $a1, 0; st.d $a0, $a1, 8");
    CHECK_EQ(sc_after(&p, NULL, equal_stores[0]), 0);
    pair_free(&p);
}

TEST(own_stores_and_other_lines_leave_the_link)
{
    struct pair p;
    pair_init(&p, true);
    CHECK_EQ(sc_after(&p, "st.d $zero, $a1, 8", NULL), 1);
    CHECK_EQ(sc_after(&p, "amadd.d $a3, $zero, $a1", NULL), 1);
    CHECK_EQ(sc_after(&p, NULL, "st.d $zero, $a1, 64"), 1);
    CHECK_EQ(sc_after(&p, NULL, "st.d $zero, $a1, -8"), 1);
    CHECK_EQ(sc_after(&p, "st.d $zero, $a1, 8", equal_stores[0]), 0);
    // A comparison that fails stores nothing.
    CHECK_EQ(sc_after(&p, NULL, "ori $a2, $zero, 8; amcas.d $a2, $zero, $a1"), 1);
    pair_free(&p);
}

TEST(a_device_breaks_the_link)
{
    struct pair p;
    const u64 same = 7;
    pair_init(&p, true);
    first_does(&p, "ll.d $a2, $a1, 0");
    CHECK(mem_dma_write(&p.r.mem, DATA, &same, 8));
    first_does(&p, "or $a0, $a2, $zero; sc.d $a0, $a1, 0");
    CHECK_EQ(p.r.c->gpr[4], 0);
    pair_free(&p);
}

// A processor that runs and has not obeyed may still store unseen: no link until it has.
TEST(no_link_is_set_before_all_have_forgotten)
{
    struct pair p;
    pair_init(&p, true);
    atomic_store(&p.other->is_running, true);
    CHECK_EQ(sc_after(&p, NULL, NULL), 0);
    CHECK(atomic_load(&p.other->cpu.requests) & CPU_REQ_LINK);
    la_interp_step(p.other);
    CHECK_EQ(sc_after(&p, NULL, NULL), 1);
    pair_free(&p);
}
