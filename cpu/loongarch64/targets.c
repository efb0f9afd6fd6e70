// SPDX-License-Identifier: Apache-2.0
// Where translated code leads: tables of translated code by address, and links, which remember
// where one jump went.
//
// Targets hold the word at cpu.requests as it was when they were filled: the context number and
// the age of what is known. Nothing is ever looked for to be forgotten; what is of another age
// matches no more. Kernels' direct-mapped windows show all address spaces the same, whatever the
// TLB has: for them the word has window_age and LA_WINDOW_CONTEXT, and links between them hold
// window_age. Code that sees windows, but is itself in mapped pages, is known by own_context, which
// translated code compares only behind its table.
//
// A link belongs to code, which may be seen at several addresses; so the others hold link_context
// with the address of the page that they are in. The two do not meet: the age has the bits within a
// page of 16 KiB, the context number bits 59:48, which are as bit 47 where there are links.
#include "cpu/loongarch64/state.h"

#include <string.h>

#define LOW48 BITS(47, 0)
// A longer range is not looked at page by page.
#define N_RANGE_PAGES 64
#define AGE_SHIFT     12 // above the context number
#define N_AGES        (1u << MEM_WATCH_SHIFT)

// Pages that targets lie in, by a hash of page and space.
static unsigned executed_index(u64 page, unsigned space)
{
    u64 hash = (page + (u64)space * 0x10001) * 0x9e3779b97f4a7c15;
    return (unsigned)(hash >> 32) % LA_N_EXECUTED;
}

static bool was_executed(const struct la_cpu *c, u64 page, unsigned space)
{
    unsigned n = executed_index(page, space);
    return c->code.executed[n >> 6] >> (n & 63) & 1;
}

static void note_executed(struct la_cpu *c, u64 page, unsigned space)
{
    unsigned n = executed_index(page, space);
    c->code.executed[n >> 6] |= BIT(n & 63);
}

// All but those in windows.
static void forget_mapped(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    if (++x->age == N_AGES) { // what is of the first age would match again
        memset(la_code_tables(c), 0, sizeof(struct la_code_tables));
        x->age = 1;
        x->window_age = 1;
    }
    la_targets_context_changed(c);
    memset(x->executed, 0, sizeof(x->executed));
}

bool la_targets_are_in(const struct la_cpu *c, u64 va, u64 size, unsigned space)
{
    u64 first = va >> MEM_WATCH_SHIFT, last = (va + size - 1) >> MEM_WATCH_SHIFT;
    bool hit = last - first >= N_RANGE_PAGES;
    for (u64 page = first; page <= last && !hit; page++)
        hit = was_executed(c, page, space);
    return hit;
}

void la_targets_forget_range(struct la_cpu *c, u64 va, u64 size, unsigned space)
{
    if (la_targets_are_in(c, va, size, space))
        forget_mapped(c);
}

void la_targets_context_changed(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    u32 own = x->age << AGE_SHIFT | c->mmu_context;
    x->own_context = (u64)own << 32;
    x->link_context = x->age | (u64)c->mmu_context << 48;
    c->cpu.context = x->sees_windows ? (u32)x->window_age << AGE_SHIFT | LA_WINDOW_CONTEXT : own;
}

void la_targets_forget(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    if (!x->vcpu)
        return;
    x->window_age++; // never more than the other, which is reset in time
    forget_mapped(c);
}

// As translated code has it.
static unsigned index_of(u64 va, unsigned n_targets)
{
    return (va ^ va >> 12) >> 2 & (n_targets - 1);
}

static struct la_target *target_of(struct la_cpu *c, u64 va)
{
    unsigned first = la_in_guest(c) ? LA_N_TARGETS : 0;
    return &la_code_tables(c)->targets[first + index_of(va, LA_N_TARGETS)];
}

static struct la_target *more_target_of(struct la_cpu *c, u64 va)
{
    return &la_code_tables(c)->more_targets[index_of(va, LA_N_MORE_TARGETS)];
}

static bool is_of(const struct la_target *t, u64 va, u64 context)
{
    return t->va == va && t->context == context;
}

struct la_target *la_target_find(struct la_cpu *c, u64 va)
{
    const u64 context = (u64)c->cpu.context << 32;
    struct la_target *t = target_of(c, va), *more = more_target_of(c, va);
    if (is_of(t, va, context))
        return t;
    return is_of(more, va, context) || is_of(more, va, c->code.own_context) ? more : NULL;
}

void la_target_put(struct la_cpu *c, u64 va, void *host, u64 pc_base)
{
    u64 page = (va & LOW48) >> MEM_WATCH_SHIFT;
    const bool in_window = c->code.sees_windows && la_mmu_window(c, va) >= 0;
    const u64 context = in_window ? (u64)c->cpu.context << 32 : c->code.own_context;
    const struct la_target t = {.va = va, .context = context, .host = host, .pc_base = pc_base};
    if (!in_window) {
        note_executed(c, page, c->mmu_context / 8);
        note_executed(c, page, LA_ALL_SPACES);
    }
    if (in_window || !c->code.sees_windows)
        *target_of(c, va) = t;
    *more_target_of(c, va) = t;
}
