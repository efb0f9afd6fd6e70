// SPDX-License-Identifier: Apache-2.0
// Where translated code leads: tables of translated code by address, and links, which remember
// where one jump went.
//
// What is known holds a context: the context number, and the age of what is known. What is of
// another context matches no more. Kernels' direct-mapped windows show all address spaces the same,
// whatever the TLB has: targets there have LA_WINDOW_CONTEXT and window_age, and links between them
// hold window_age. Code that sees windows, but is itself in mapped pages, is known by own_context,
// which translated code compares only behind its table.
//
// The small table, which translated code looks into in place, has one word that says all: the
// address, rotated, with the word at cpu.requests. Instead of the context that one has a number for
// it, which is handed out when the context is first met; when there are no more, the table is
// emptied. See la_target_key.
//
// When the TLB loses a page that targets lie in, these are looked for and forgotten. Links hold an
// age that changes then, all of them; they are found again through the tables.
//
// A link belongs to code, which may be seen at several addresses; so the others hold link_context
// with the address of the page that they are in. The two do not meet: the age has the bits within a
// page of 16 KiB, the context number bits 59:48, which are as bit 47 where there are links.
#include "cpu/loongarch64/state.h"

#include <string.h>

#define LOW48 BITS(47, 0)
// A longer range is not looked at page by page; nor is one with more pages of targets.
#define N_RANGE_PAGES  64
#define N_FORGET_PAGES 8
#define AGE_SHIFT      12 // above the context number
#define N_AGES         (1u << MEM_WATCH_SHIFT)

// The bits of the word at cpu.requests that tell words apart. Each of them, with the bit of the
// address that it is combined with, can be told from the index and the other bits.
#define EPOCH_SHIFT 8
#define NEVER       BIT(16)
_Static_assert(!(CPU_REQ_ALL & ~0xfcu), "requests are bits that the index tells");
_Static_assert(LA_N_TARGETS << 2 > NEVER, "the index tells all bits of the word");

static bool is_in(const struct la_cpu *c, u64 key, unsigned *n)
{
    const u64 *pages = la_code_tables((struct la_cpu *)(uintptr_t)c)->pages;
    u64 hash = key * 0x9e3779b97f4a7c15;
    for (*n = (unsigned)(hash >> 32) % LA_N_CODE_PAGES; pages[*n]; *n = (*n + 1) % LA_N_CODE_PAGES)
        if (pages[*n] == key)
            return true;
    return false;
}

// Pages that targets lie in; never 0.
static u64 page_key(u64 page, unsigned space)
{
    return BIT(63) | page << 10 | (space & 0x3ff);
}

static bool was_executed(const struct la_cpu *c, u64 page, unsigned space)
{
    unsigned n;
    return is_in(c, page_key(page, space), &n);
}

// The entry of no address: it would be right only with a bit that is never set.
static void forget_target(struct la_target *t, unsigned index)
{
    u64 va = (u64)index << 2;
    va ^= va >> LA_TARGET_ROTATION & ~3ULL;
    *t = (struct la_target){.key = la_target_key(va, NEVER)};
}

static void forget_table(struct la_cpu *c, unsigned first)
{
    for (unsigned i = 0; i < LA_N_TARGETS; i++)
        forget_target(&la_code_tables(c)->targets[first + i], i);
}

static void forget_epochs(struct la_cpu *c)
{
    forget_table(c, 0);
    if (c->code.has_guest_targets)
        forget_table(c, LA_N_TARGETS);
    c->code.n_epochs = 0;
}

static void forget_links(struct la_cpu *c)
{
    if (++c->code.age < N_AGES)
        return;
    // What is of the first age would match again.
    memset(la_code_tables(c)->more_targets, 0, sizeof(la_code_tables(c)->more_targets));
    memset(la_code_tables(c)->links, 0, sizeof(la_code_tables(c)->links));
    forget_epochs(c);
    c->code.age = c->code.target_age = 1;
    c->code.window_age = 1;
}

// All but those in windows.
static void forget_mapped(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    forget_links(c);
    x->target_age = x->age;
    la_targets_context_changed(c);
    if (x->n_code_pages)
        memset(la_code_tables(c)->pages, 0, sizeof(la_code_tables(c)->pages));
    x->n_code_pages = 0;
}

static void note_executed(struct la_cpu *c, u64 page, unsigned space)
{
    unsigned n;
    if (is_in(c, page_key(page, space), &n))
        return;
    if (c->code.n_code_pages == LA_N_CODE_PAGES / 2) {
        forget_mapped(c);
        is_in(c, page_key(page, space), &n);
    }
    la_code_tables(c)->pages[n] = page_key(page, space);
    c->code.n_code_pages++;
}

bool la_targets_are_in(const struct la_cpu *c, u64 va, u64 size, unsigned space)
{
    u64 first = va >> MEM_WATCH_SHIFT, last = (va + size - 1) >> MEM_WATCH_SHIFT;
    bool hit = last - first >= N_RANGE_PAGES;
    for (u64 page = first; page <= last && !hit; page++)
        hit = was_executed(c, page, space);
    return hit;
}

static unsigned index_of(u64 va, unsigned n_targets)
{
    return (unsigned)((va ^ va >> LA_TARGET_ROTATION) >> 2) & (n_targets - 1);
}

static struct la_far_target *far_target_of(struct la_cpu *c, u64 va)
{
    return &la_code_tables(c)->more_targets[index_of(va, LA_N_MORE_TARGETS)];
}

static bool is_of_space(u32 context, unsigned space)
{
    const u32 number = context & BITS(AGE_SHIFT - 1, 0);
    return number != LA_WINDOW_CONTEXT && (space == LA_ALL_SPACES || number / 8 == space);
}

// Bits 47:0 of va count.
static void forget_near(struct la_cpu *c, unsigned first, u64 va, unsigned space)
{
    const u64 open = la_target_key(~LOW48, BITS(EPOCH_SHIFT + 7, EPOCH_SHIFT));
    const unsigned i = index_of(va, LA_N_TARGETS);
    struct la_target *t = &la_code_tables(c)->targets[first + i];
    const u64 rest = t->key ^ la_target_key(va, 0);
    if (!(rest & ~open) && is_of_space(c->code.epoch_context[(u8)(rest >> EPOCH_SHIFT)], space))
        forget_target(t, i);
}

static void forget_far(struct la_cpu *c, u64 va, unsigned space)
{
    struct la_far_target *t = far_target_of(c, va);
    if ((t->va & LOW48) == va && is_of_space(t->context, space))
        t->context = 0;
}

static void forget_page(struct la_cpu *c, u64 page, unsigned space)
{
    const u64 first = page << MEM_WATCH_SHIFT, end = (page + 1) << MEM_WATCH_SHIFT;
    for (u64 va = first; va < end; va += 4)
        forget_far(c, va, space);
    for (u64 va = first; va < end; va += 4)
        forget_near(c, 0, va, space);
    for (u64 va = first; va < end && c->code.has_guest_targets; va += 4)
        forget_near(c, LA_N_TARGETS, va, space);
}

void la_targets_forget_range(struct la_cpu *c, u64 va, u64 size, unsigned space)
{
    const u64 first = va >> MEM_WATCH_SHIFT, last = (va + size - 1) >> MEM_WATCH_SHIFT;
    unsigned n_pages = last - first < N_RANGE_PAGES ? 0 : N_FORGET_PAGES + 1;
    for (u64 page = first; page <= last && n_pages <= N_FORGET_PAGES; page++) {
        if (!was_executed(c, page, space))
            continue;
        forget_page(c, page, space);
        n_pages++;
    }
    if (n_pages > N_FORGET_PAGES) {
        forget_mapped(c);
    } else if (n_pages) {
        forget_links(c);
        la_targets_context_changed(c);
    }
}

// The number of a context in the small table.
static u8 epoch_of(struct la_cpu *c, u32 context)
{
    struct la_code *x = &c->code;
    u8 *known = &x->epoch_of[context & BITS(AGE_SHIFT - 1, 0)];
    if (*known < x->n_epochs && x->epoch_context[*known] == context)
        return *known;
    if (!x->n_epochs || x->n_epochs == LA_N_EPOCHS)
        forget_epochs(c);
    *known = (u8)x->n_epochs;
    x->epoch_context[x->n_epochs++] = context;
    return *known;
}

void la_targets_context_changed(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    if (la_in_guest(c) && !x->has_guest_targets) {
        forget_table(c, LA_N_TARGETS);
        x->has_guest_targets = true;
    }
    x->own_context = x->target_age << AGE_SHIFT | c->mmu_context;
    x->link_context = x->age | (u64)c->mmu_context << 48;
    x->target_context =
        x->sees_windows ? (u32)x->window_age << AGE_SHIFT | LA_WINDOW_CONTEXT : x->own_context;
    c->cpu.context = epoch_of(c, x->target_context);
}

void la_targets_forget(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    if (!x->vcpu)
        return;
    x->window_age++; // never more than the other, which is reset in time
    forget_mapped(c);
}

static u64 present_key(const struct la_cpu *c, u64 va)
{
    return la_target_key(va, (u32)c->cpu.context << EPOCH_SHIFT);
}

static struct la_target *target_of(struct la_cpu *c, u64 va)
{
    unsigned first = la_in_guest(c) ? LA_N_TARGETS : 0;
    return &la_code_tables(c)->targets[first + index_of(va, LA_N_TARGETS)];
}

bool la_target_find(struct la_cpu *c, u64 va, struct la_place *to)
{
    const struct la_code *x = &c->code;
    const struct la_far_target *t = far_target_of(c, va);
    const struct la_target *near = target_of(c, va);
    if (near->key == present_key(c, va)) {
        *to = (struct la_place){near->host, va & ~BITS(MEM_WATCH_SHIFT - 1, 0)};
        return true;
    }
    if (t->va != va || (t->context != x->target_context && t->context != x->own_context))
        return false;
    u64 in_page = (va & BITS(11, 0)) | (u64)(t->host >> LA_TARGET_HOST_BITS) << 12;
    *to = (struct la_place){x->host_code + (t->host & BITS(LA_TARGET_HOST_BITS - 1, 0)),
                            va - in_page};
    return true;
}

void la_target_put(struct la_cpu *c, u64 va, u32 host, u64 pc_base)
{
    const u64 page = (va & LOW48) >> MEM_WATCH_SHIFT, in_page = va - pc_base;
    const bool in_window = c->code.sees_windows && la_mmu_window(c, va) >= 0;
    if (!in_window) {
        note_executed(c, page, c->mmu_context / 8);
        note_executed(c, page, LA_ALL_SPACES);
    }
    const bool is_near = in_window || !c->code.sees_windows;
    if (is_near && in_page == (va & BITS(MEM_WATCH_SHIFT - 1, 0)))
        *target_of(c, va) = (struct la_target){present_key(c, va), c->code.host_code + host};
    *far_target_of(c, va) =
        (struct la_far_target){.va = va,
                               .context = in_window ? c->code.target_context : c->code.own_context,
                               .host = host | (u32)(in_page >> 12) << LA_TARGET_HOST_BITS};
}
