// SPDX-License-Identifier: Apache-2.0
// Where translated code leads: tables of translated code by address, and links, which remember
// where one jump went.
//
// All of them hold the word at cpu.requests as it was when they were filled: the context number and
// the age of what is known. Nothing is ever looked for to be forgotten; what is of another age
// matches no more. Kernels' direct-mapped windows show all address spaces the same: targets there,
// and links between them, hold window_age instead, which is the age alone.
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

void la_targets_forget_range(struct la_cpu *c, u64 va, u64 size, unsigned space)
{
    u64 first = va >> MEM_WATCH_SHIFT, last = (va + size - 1) >> MEM_WATCH_SHIFT;
    bool hit = last - first >= N_RANGE_PAGES;
    for (u64 page = first; page <= last && !hit; page++)
        hit = was_executed(c, page, space);
    if (hit)
        la_targets_forget(c);
}

void la_targets_context_changed(struct la_cpu *c)
{
    c->cpu.context = c->code.age << AGE_SHIFT | c->mmu_context;
    c->code.link_context = c->code.age | (u64)c->mmu_context << 48;
}

void la_targets_forget(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    if (!x->vcpu)
        return;
    if (++x->age == N_AGES) { // what is of the first age would match again
        memset(la_code_tables(c), 0, sizeof(struct la_code_tables));
        x->age = 1;
    }
    x->window_age = x->age;
    la_targets_context_changed(c);
    memset(x->executed, 0, sizeof(x->executed));
}

static u64 target_context(const struct la_cpu *c)
{
    return (u64)c->cpu.context << 32;
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

struct la_target *la_target_find(struct la_cpu *c, u64 va)
{
    struct la_target *t = target_of(c, va);
    return t->va == va && t->context == target_context(c) ? t : NULL;
}

void la_target_put(struct la_cpu *c, u64 va, void *host, u64 pc_base)
{
    u64 page = (va & LOW48) >> MEM_WATCH_SHIFT;
    note_executed(c, page, c->mmu_context / 8);
    note_executed(c, page, LA_ALL_SPACES);
    struct la_target t = {.va = va, .context = target_context(c), .host = host, .pc_base = pc_base};
    *target_of(c, va) = t;
    if (c->code.sees_windows && la_mmu_window(c, va) >= 0)
        t.context = c->code.window_age;
    la_code_tables(c)->more_targets[index_of(va, LA_N_MORE_TARGETS)] = t;
}
