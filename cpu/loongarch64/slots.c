// SPDX-License-Identifier: Apache-2.0
// What translated code remembers of memory: regions by base register.
//
// They are forgotten together with the cache that they were filled from (mmu.c): slots of a mode
// when its address space is another one, slots of a range when an entry of the TLB changes, and
// with them the targets there (targets.c).
#include "cpu/loongarch64/state.h"

#include <string.h>

#define LOW48 BITS(47, 0)

static void forget_slot(struct la_slots *s, unsigned i)
{
    s->limit[i] = s->limit8[i] = 0;
}

static void forget_near(struct la_near *near, unsigned i)
{
    near[i].base = i ? 0 : BIT(LA_PAGE_SHIFT);
}

static void forget_all_near(struct la_slots *s, unsigned kind)
{
    for (unsigned run = 0; run < LA_N_NEAR_RUNS; run++) {
        if (s->near_is_empty[kind][run])
            continue;
        for (unsigned i = 0; i < 1 << LA_NEAR_RUN_SHIFT; i++)
            forget_near(s->near[kind], (run << LA_NEAR_RUN_SHIFT) + i);
        s->near_is_empty[kind][run] = true;
    }
}

static void forget_set(struct la_slots *s)
{
    if (s->is_empty)
        return;
    memset(s->limit, 0, sizeof(s->limit) + sizeof(s->limit8));
    forget_all_near(s, 0);
    forget_all_near(s, 1);
    s->is_empty = true;
}

static void forget_page_set(struct la_page *pages, unsigned set)
{
    for (unsigned i = set; i < LA_N_PAGES; i += LA_N_PAGE_SETS)
        pages[i].tag = 0;
}

static void forget_pages(struct la_cpu *c, unsigned kind)
{
    for (unsigned word = 0; word < LA_N_PAGE_SETS / 64; word++) {
        for (u64 left = c->code.page_sets[kind][word]; left; left &= left - 1)
            forget_page_set(c->code.pages[kind], word * 64 + (unsigned)__builtin_ctzll(left));
        c->code.page_sets[kind][word] = 0;
    }
}

// Of all contexts.
static void forget_page(struct la_cpu *c, unsigned kind, u64 va)
{
    const unsigned set = la_page_index(va) % LA_N_PAGE_SETS;
    struct la_page *pages = c->code.pages[kind];
    if (!(c->code.page_sets[kind][set / 64] >> (set % 64) & 1))
        return;
    for (unsigned i = set; i < LA_N_PAGES; i += LA_N_PAGE_SETS)
        if (!((pages[i].tag ^ va) & LOW48 >> LA_PAGE_SHIFT << LA_PAGE_SHIFT))
            pages[i].tag = 0;
}

void la_slots_put_page(struct la_cpu *c, u64 va, u64 delta, bool is_store)
{
    const unsigned i = la_page_index(va) ^ c->code.page_way >> 4, set = i % LA_N_PAGE_SETS;
    const u64 base = va & ~(BIT(LA_PAGE_SHIFT) - 1);
    const u32 context = la_mmu_is_global(c, va) ? LA_GLOBAL_CONTEXT : c->mmu_context;
    struct la_slots *s = &c->code.slots[c->code.mode];
    c->code.pages[is_store][i] = (struct la_page){base | LA_PAGE_EXISTS | context, delta};
    c->code.page_sets[is_store][set / 64] |= BIT(set % 64);
    s->near[is_store][la_near_index(va)] = (struct la_near){.base = base, .host = base + delta};
    s->near_is_empty[is_store][la_near_index(va) >> LA_NEAR_RUN_SHIFT] = false;
    s->is_empty = false;
}

void la_slots_forget(struct la_cpu *c)
{
    if (!c->code.vcpu)
        return;
    forget_pages(c, 0);
    forget_pages(c, 1);
    for (unsigned i = 0; i < LA_N_MODES; i++) {
        forget_set(&c->code.slots[i]);
        c->code.knows_windows[i] = false;
    }
    c->code.slots[c->code.mode].is_empty = false; // from now on, by code that does not tell
}

void la_slots_forget_stores(struct la_cpu *c)
{
    if (!c->code.vcpu)
        return;
    for (unsigned i = 0; i < LA_N_MODES; i++) {
        struct la_slots *s = &c->code.slots[i];
        if (s->is_empty)
            continue;
        for (unsigned slot = LA_N_LOAD_SLOTS; slot < LA_N_REGION_SLOTS; slot++)
            forget_slot(s, slot);
        forget_all_near(s, 1);
    }
    forget_pages(c, 1);
}

// Forgets the slots that have a byte of [va, va + size), or those that have none of it. Without
// branches: it is asked of all slots.
static inline __attribute__((always_inline)) void forget_if(struct la_slots *s, u64 mask, u64 va,
                                                            u64 size, bool meets)
{
    typedef u64 quad __attribute__((vector_size(32), aligned(8), may_alias));
    for (unsigned i = 0; i < LA_N_REGION_SLOTS; i += 4) {
        quad *limit = (quad *)(void *)&s->limit[i], *limit8 = (quad *)(void *)&s->limit8[i];
        const quad base = *(const quad *)(const void *)&s->base[i] & mask;
        const quad length = *limit8 + 7; // 7 if there is none: nothing is lost then
        const quad hit = (quad)(va + size - 1 - base < length + (size - 1));
        const quad keep = meets ? ~hit : hit;
        *limit &= keep;
        *limit8 &= keep;
    }
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void forget_if_avx2(struct la_slots *s, u64 mask, u64 va,
                                                           u64 size, bool meets)
{
    forget_if(s, mask, va, size, meets);
}
#endif

static void forget_slots(struct la_slots *s, u64 mask, u64 va, u64 size, bool meets)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        forget_if_avx2(s, mask, va, size, meets);
        return;
    }
#endif
    forget_if(s, mask, va, size, meets);
}

static void forget_overlapping(struct la_slots *s, u64 va, u64 size)
{
    forget_slots(s, LOW48, va, size, true);
}

static void forget_range_of_set(struct la_slots *s, u64 va, u64 size)
{
    forget_overlapping(s, va, size);
    for (u64 page = va >> LA_PAGE_SHIFT; page <= (va + size - 1) >> LA_PAGE_SHIFT; page++) {
        forget_near(s->near[0], page % LA_N_NEAR);
        forget_near(s->near[1], page % LA_N_NEAR);
    }
}

// The tags of pages have the context, but are not asked for it.
void la_slots_forget_range(struct la_cpu *c, u64 va, u64 size, unsigned space)
{
    if (!c->code.vcpu)
        return;
    va &= LOW48;
    for (unsigned mode = 0; mode < LA_N_MODES; mode++) {
        struct la_slots *s = &c->code.slots[mode];
        if (!s->is_empty && (space == LA_ALL_SPACES || s->context / 8 == space))
            forget_range_of_set(s, va, size);
    }
    for (u64 page = va >> LA_PAGE_SHIFT; page <= (va + size - 1) >> LA_PAGE_SHIFT; page++) {
        forget_page(c, 0, page << LA_PAGE_SHIFT);
        forget_page(c, 1, page << LA_PAGE_SHIFT);
    }
    la_targets_forget_range(c, va, size, space);
}

// But for one, if that is not NULL.
static const struct mem_ram *largest_ram(const struct mem_space *m, const struct mem_ram *but)
{
    const struct mem_ram *best = NULL;
    for (unsigned i = 0; i < m->n_ram; i++)
        if (&m->ram[i] != but && (!best || m->ram[i].size > best->size))
            best = &m->ram[i];
    return best;
}

// Where physical address 0 is seen, cached: directly or in a window. -1: nowhere.
static u64 direct_base(const struct la_cpu *c)
{
    if (c->csr[CSR_CRMD] & CRMD_DA)
        return 0;
    for (unsigned n = 0; n < 4; n++) {
        u64 dmw = c->csr[CSR_DMW0 + n];
        if (dmw >> la_plv(c) & 1 && bits_get(dmw, 5, 4) == 1)
            return dmw & BITS(63, 60);
    }
    return ~0ULL;
}

static struct la_window window_of(const struct mem_ram *r, u64 direct_base)
{
    const u64 base = direct_base + r->base;
    return (struct la_window){.base = base,
                              .size = r->size & ~(BIT(LA_LARGE_CHUNK_SHIFT) - 1),
                              .delta = (u64)(uintptr_t)r->host - base,
                              .watched = r->watched};
}

// A guest's RAM is behind the second stage, and a board may move addresses: then there is none.
static void find_windows(struct la_cpu *c, struct la_window windows[LA_N_WINDOWS])
{
    const struct cpu_bus *bus = c->cpu.bus;
    const struct mem_ram *r = NULL;
    u64 base = direct_base(c);
    memset(windows, 0, LA_N_WINDOWS * sizeof(*windows));
    if (base == ~0ULL || la_in_guest(c) || cpu_bus_may_route(bus))
        return;
    for (unsigned n = 0; n < LA_N_WINDOWS && (r = largest_ram(bus->mem, r)); n++)
        windows[n] = window_of(r, base);
}

static unsigned mode_of(const struct la_cpu *c)
{
    unsigned level = c->csr[CSR_CRMD] & CRMD_DA ? 4 : la_plv(c);
    return level + (la_in_guest(c) ? 5 : 0);
}

// From the lowest byte of windows to the highest one.
struct reach {
    u64 base, size;
};

static struct reach reach_of(const struct la_window windows[LA_N_WINDOWS])
{
    u64 base = windows[0].base, end = base + windows[0].size;
    for (unsigned n = 1; n < LA_N_WINDOWS && windows[n].size; n++) {
        const struct la_window *w = &windows[n];
        base = w->base < base ? w->base : base;
        end = w->base + w->size > end ? w->base + w->size : end;
    }
    return (struct reach){base, end - base};
}

static void forget_near_outside(struct la_slots *s, unsigned kind, struct reach r)
{
    for (unsigned run = 0; run < LA_N_NEAR_RUNS; run++) {
        if (s->near_is_empty[kind][run])
            continue;
        const unsigned first = run << LA_NEAR_RUN_SHIFT;
        for (unsigned i = first; i < first + (1 << LA_NEAR_RUN_SHIFT); i++)
            if (s->near[kind][i].base - r.base >= r.size)
                forget_near(s->near[kind], i);
    }
}

// Another address space: what is seen in windows stays where it is.
static void forget_space(struct la_code *x, struct la_slots *s)
{
    const struct la_window *windows = x->windows[x->mode];
    if (!x->sees_windows || !x->knows_windows[x->mode] || !windows[0].size) {
        forget_set(s);
        return;
    }
    const struct reach r = reach_of(windows);
    forget_slots(s, ~0ULL, r.base, r.size, false);
    forget_near_outside(s, 0, r);
    forget_near_outside(s, 1, r);
}

// Spaces that follow each other are those that run in turn, and differ. PLV 0 has one way for all.
static u32 page_way_of(u32 context)
{
    return context % 8 ? (context / 8 & (LA_PAGE_WAYS - 1)) * LA_N_PAGE_SETS * 16 : 0;
}

void la_slots_mode_changed(struct la_cpu *c)
{
    struct la_code *x = &c->code;
    if (!x->vcpu)
        return;
    x->mode = mode_of(c);
    x->sees_windows = x->mode == 0 && la_mmu_may_cache(c);
    x->targets_at = la_in_guest(c) ? LA_N_TARGETS * sizeof(struct la_target) / 4 : 0;
    la_targets_context_changed(c);
    x->context = c->mmu_context | LA_PAGE_EXISTS;
    x->page_way = page_way_of(c->mmu_context);
    struct la_slots *s = &x->slots[x->mode];
    if (s->context != c->mmu_context)
        forget_space(x, s);
    s->context = c->mmu_context;
    s->is_empty = false;
    if (!x->knows_windows[x->mode])
        find_windows(c, x->windows[x->mode]);
    x->knows_windows[x->mode] = true;
}
