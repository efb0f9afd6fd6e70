// SPDX-License-Identifier: Apache-2.0
// Memory accesses whose page is not cached: translation, devices, page crossing.
#include "cpu/loongarch64/access.h"
#include "cpu/loongarch64/links.h"
#include "base/bug.h"

#include <string.h>

// As la_translate; false instead of raising.
static bool may_access(struct la_cpu *c, u64 va, enum la_access access, u64 *pa)
{
    jmp_buf leave;
    memcpy(leave, c->leave, sizeof(leave));
    volatile bool is_allowed = false;
    if (!setjmp(c->leave)) {
        *pa = la_translate(c, va, access);
        is_allowed = true;
    }
    memcpy(c->leave, leave, sizeof(leave));
    return is_allowed;
}

// True if a load from `va` would be allowed; a store to it was.
static bool is_readable(struct la_cpu *c, u64 va)
{
    u64 pa;
    return la_host(c, va & ~(u64)(LA_GRANULE - 1), 1, LA_LOAD) || may_access(c, va, LA_LOAD, &pa);
}

// Pages with translated code or links are not cached for stores, so that each store is seen. Those
// that may be stored to but not loaded from are not either: translated code also loads through what
// is cached for its stores.
static bool may_cache(struct la_cpu *c, u64 va, u64 pa, enum la_access access)
{
    if (!la_mmu_may_cache(c))
        return false;
    if (access == LA_STORE && c->links && mem_links(c->cpu.bus->mem, pa))
        return false;
    if (access != LA_STORE || !c->code.vcpu)
        return true;
    return !mem_is_watched(c->cpu.bus->mem, pa) && is_readable(c, va);
}

// Remembers where the granule of `va` is in the host, if it is memory.
static u8 *fill(struct la_cpu *c, u64 va, u64 pa, enum la_access access)
{
    u64 granule = ~(u64)(LA_GRANULE - 1);
    u8 *host = mem_ram_page(c->cpu.bus->mem, pa & granule, LA_GRANULE, access == LA_STORE);
    if (!host)
        return NULL;
    if (may_cache(c, va, pa, access)) {
        struct la_cached_page *p = &c->cache[access][la_cache_index(va)];
        p->tag = (va & granule) | c->mmu_context;
        p->delta = (u64)(uintptr_t)host - (va & granule);
    }
    return host + (pa & ~granule);
}

static void check_alignment(struct la_cpu *c, u64 va, unsigned size)
{
    if (va & (size - 1) && la_mmu_traps_misaligned(c))
        la_raise_address(c, EXC_ALE, va);
}

static bool crosses_granule(u64 va, unsigned size)
{
    return (va & (LA_GRANULE - 1)) + size > LA_GRANULE;
}

bool la_fill(struct la_cpu *c, u64 va, enum la_access access)
{
    fill(c, va, la_translate(c, va, access), access);
    return la_host(c, va, 1, access) != NULL;
}

u8 *la_watched_host(struct la_cpu *c, u64 va, u64 *pa)
{
    u64 granule = ~(u64)(LA_GRANULE - 1);
    if (!la_mmu_may_cache(c) || !may_access(c, va, LA_STORE, pa) || !is_readable(c, va) ||
        !mem_is_watched(c->cpu.bus->mem, *pa) || mem_links(c->cpu.bus->mem, *pa))
        return NULL; // links have to see every store to their page
    u8 *host = mem_ram_page(c->cpu.bus->mem, *pa & granule, LA_GRANULE, true);
    return host ? host + (*pa & ~granule) : NULL;
}

static void meet_device(struct la_cpu *c)
{
    if (!c->code.journal)
        return;
    c->code.journal->met_device = true;
    longjmp(c->leave, 1);
}

static void note_store(struct la_cpu *c, u8 *host, unsigned size)
{
    struct la_journal *x = c->code.journal;
    if (likely(!x))
        return;
    BUG_ON(x->n == LA_JOURNAL_MAX);
    x->entry[x->n].host = host;
    x->entry[x->n].size = (u8)size;
    memcpy(x->entry[x->n++].old, host, size);
}

static u64 read_physical(struct la_cpu *c, u64 pa, unsigned size)
{
    if (!mem_ram_page(c->cpu.bus->mem, pa, 1, false))
        meet_device(c);
    return mem_read(c->cpu.bus->mem, pa, size);
}

static void write_host(struct la_cpu *c, u64 pa, u8 *host, u64 value, unsigned size)
{
    note_store(c, host, size);
    struct la_lines held = la_links_hold(c, pa, host, size);
    mem_store_word(host, value, size);
    la_links_let_go(c, held);
    mem_written(c->cpu.bus->mem, pa, size);
}

static void write_physical(struct la_cpu *c, u64 pa, u64 value, unsigned size)
{
    u8 *host = mem_ram_page(c->cpu.bus->mem, pa, 1, true);
    if (host && size == 1) {
        write_host(c, pa, host, value, 1);
        return;
    }
    if (host)
        note_store(c, host, size);
    else
        meet_device(c);
    mem_write(c->cpu.bus->mem, pa, value, size);
}

static u64 load_within(struct la_cpu *c, u64 va, unsigned size)
{
    u64 pa = la_translate(c, va, LA_LOAD);
    u8 *host = fill(c, va, pa, LA_LOAD);
    return host ? mem_load_word(host, size) : read_physical(c, pa, size);
}

// A model may store what lies on the first page before it looks at the second.
static bool stores_in_parts(const struct la_cpu *c)
{
    return la_in_guest(c) && c->lvz.cross_partial;
}

static u8 *host_of(struct la_cpu *c, u64 va, enum la_access access)
{
    u8 *host = la_host(c, va, 1, access);
    if (host)
        return host;
    return la_fill(c, va, access) ? la_host(c, va, 1, access) : NULL;
}

static unsigned size_of_first(u64 va, unsigned size)
{
    unsigned left = LA_GRANULE - (va & (LA_GRANULE - 1));
    return size < left ? size : left;
}

// Where the two parts of an access across granules are, both of them translated before either is
// used; without a crossing both are the first. False: not all of it is memory that may be cached.
static bool find_parts(struct la_cpu *c, u64 va, unsigned size, enum la_access access, u8 *part[2])
{
    if (access == LA_STORE && stores_in_parts(c))
        return false;
    part[0] = host_of(c, va, access);
    part[1] = part[0];
    if (crosses_granule(va, size))
        part[1] = host_of(c, va + size_of_first(va, size), access);
    return part[0] && part[1];
}

// Both pages are translated before either is read.
static u64 load_any(struct la_cpu *c, u64 va, unsigned size)
{
    if (!crosses_granule(va, size))
        return load_within(c, va, size);
    unsigned n_first = size_of_first(va, size);
    u8 *part[2];
    if (find_parts(c, va, size, LA_LOAD, part))
        return load_le(part[0], n_first) | load_le(part[1], size - n_first) << (8 * n_first);
    u64 first = la_translate(c, va, LA_LOAD);
    u64 second = la_translate(c, va + n_first, LA_LOAD);
    u64 value = 0;
    for (unsigned i = 0; i < size; i++) {
        u64 pa = i < n_first ? first + i : second + (i - n_first);
        value |= read_physical(c, pa, 1) << (8 * i);
    }
    return value;
}

u64 la_load_slow(struct la_cpu *c, u64 va, unsigned size)
{
    check_alignment(c, va, size);
    return load_any(c, va, size);
}

static void store_within(struct la_cpu *c, u64 va, u64 value, unsigned size)
{
    u64 pa = la_translate(c, va, LA_STORE);
    u8 *host = fill(c, va, pa, LA_STORE);
    if (host)
        write_host(c, pa, host, value, size);
    else
        write_physical(c, pa, value, size);
}

static void write_bytes(struct la_cpu *c, u64 pa, u64 value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        write_physical(c, pa + i, value >> (8 * i) & 0xff, 1);
}

static void store_any(struct la_cpu *c, u64 va, u64 value, unsigned size)
{
    if (!crosses_granule(va, size)) {
        store_within(c, va, value, size);
        return;
    }
    unsigned n_first = size_of_first(va, size);
    u8 *part[2];
    if (find_parts(c, va, size, LA_STORE, part)) {
        memcpy(part[0], &value, n_first);
        memcpy(part[1], (const u8 *)&value + n_first, size - n_first);
        return;
    }
    u64 first = la_translate(c, va, LA_STORE);
    if (stores_in_parts(c))
        write_bytes(c, first, value, n_first);
    u64 second = la_translate(c, va + n_first, LA_STORE);
    if (!stores_in_parts(c))
        write_bytes(c, first, value, n_first);
    write_bytes(c, second, value >> (8 * n_first), size - n_first);
}

void la_store_slow(struct la_cpu *c, u64 va, u64 value, unsigned size)
{
    check_alignment(c, va, size);
    store_any(c, va, value, size);
}

// MISC.ALCL is not about vectors (volume 1, 7.4.4); models without UAL want these aligned too.
static void check_vector(struct la_cpu *c, u64 va, unsigned size)
{
    if (va & (size - 1) && !(c->cpucfg[1] & BIT(20)))
        la_raise_address(c, EXC_ALE, va);
}

// Faults of any byte come before the first access: the two ends are on at most two pages.
static void probe(struct la_cpu *c, u64 va, unsigned size, enum la_access access)
{
    la_translate(c, va, access);
    if (crosses_granule(va, size) && !(access == LA_STORE && stores_in_parts(c)))
        la_translate(c, (va + size - 1) & ~(u64)(LA_GRANULE - 1), access);
}

void la_load_vector(struct la_cpu *c, u64 va, u64 *words, unsigned n_words)
{
    u8 *host = la_host(c, va, 8 * n_words, LA_LOAD);
    if (likely(host != NULL)) {
        memcpy(words, host, 8 * n_words);
        return;
    }
    unsigned n_first = size_of_first(va, 8 * n_words);
    u8 *part[2];
    check_vector(c, va, 8 * n_words);
    if (find_parts(c, va, 8 * n_words, LA_LOAD, part)) {
        memcpy(words, part[0], n_first);
        memcpy((u8 *)words + n_first, part[1], 8 * n_words - n_first);
        return;
    }
    probe(c, va, 8 * n_words, LA_LOAD);
    for (unsigned i = 0; i < n_words; i++)
        words[i] = load_any(c, va + 8 * i, 8);
}

void la_store_vector(struct la_cpu *c, u64 va, const u64 *words, unsigned n_words)
{
    u8 *host = la_host(c, va, 8 * n_words, LA_STORE);
    if (likely(host != NULL)) {
        memcpy(host, words, 8 * n_words);
        return;
    }
    unsigned n_first = size_of_first(va, 8 * n_words);
    u8 *part[2];
    check_vector(c, va, 8 * n_words);
    if (find_parts(c, va, 8 * n_words, LA_STORE, part)) {
        memcpy(part[0], words, n_first);
        memcpy(part[1], (const u8 *)words + n_first, 8 * n_words - n_first);
        return;
    }
    probe(c, va, 8 * n_words, LA_STORE);
    for (unsigned i = 0; i < n_words; i++)
        store_any(c, va + 8 * i, words[i], 8);
}

void *la_atomic_host(struct la_cpu *c, u64 va, unsigned size)
{
    if (va & (size - 1))
        la_raise_address(c, EXC_ALE, va);
    u8 *host = la_host(c, va, size, LA_STORE);
    // The page must be readable as well; a cached load says so. The faults are a store's first.
    if (likely(host && la_host(c, va, size, LA_LOAD)))
        return host;
    u64 pa = la_translate(c, va, LA_STORE);
    host = fill(c, va, pa, LA_STORE);
    fill(c, va, la_translate(c, va, LA_LOAD), LA_LOAD);
    if (mem_is_watched(c->cpu.bus->mem, pa))
        c->code.written = pa;
    if (host)
        note_store(c, (u8 *)((uintptr_t)host & ~(uintptr_t)15), 16);
    if (!host) {
        log_guest(c->cpu.bus->log, "cpu %u: atomic access to 0x%llx, which is not memory",
                  c->cpu.index, (unsigned long long)va);
        la_raise_address(c, EXC_ADEM, va);
    }
    c->line = c->links ? la_links_line(c, pa, host) : NULL;
    return host;
}

u32 la_fetch_slow(struct la_cpu *c)
{
    if (c->pc & 3)
        la_raise_address(c, EXC_ADEF, c->pc);
    u64 pa = la_translate(c, c->pc, LA_FETCH);
    u8 *host = fill(c, c->pc, pa, LA_FETCH);
    return (u32)(host ? mem_load_word(host, 4) : mem_read(c->cpu.bus->mem, pa, 4));
}
