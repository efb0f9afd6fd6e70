// SPDX-License-Identifier: Apache-2.0
#include "cpu/loongarch64/links.h"
#include "base/bug.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SHIFT 6
#define N_LINES    65536
#define MAX_CPUS   64
#define IS_HELD    1u // bit of a version; the rest counts stores
#define N_SPINS    64 // looks at a held line, or at processors that have to obey, before others run

struct la_links {
    struct mem_space *mem;
    struct la_cpu *cpus[MAX_CPUS];
    unsigned n_cpus;
    pthread_mutex_t lock;   // nothing is taken while it is held
    _Atomic u64 n_requests; // to forget what is cached for stores; with the lock held
    _Atomic u32 lines[N_LINES];
};

static _Atomic u32 *line_of(struct la_links *l, const u8 *host)
{
    u64 n = (u64)(uintptr_t)host >> LINE_SHIFT;
    return &l->lines[(n ^ n >> 16) & (N_LINES - 1)];
}

// The version that it had.
static u32 hold(_Atomic u32 *line)
{
    for (unsigned n = 0;; n++) {
        u32 v = atomic_load_explicit(line, memory_order_relaxed);
        if (!(v & IS_HELD) && atomic_compare_exchange_weak(line, &v, v | IS_HELD))
            return v;
        if (n % N_SPINS == N_SPINS - 1)
            sched_yield();
    }
}

static void keep_own(struct la_cpu *c, struct la_context *x, const _Atomic u32 *line, u32 version)
{
    bool is_own = x->link.is_set && !(x->link.place >> 63) && x->link.version == version &&
                  line_of(c->links, (const u8 *)(uintptr_t)x->link.place) == line;
    if (is_own)
        x->link.version = version + 2;
}

// The processor's own links to the line stay.
static void let_go(struct la_cpu *c, _Atomic u32 *line, bool has_stored)
{
    u32 version = atomic_load_explicit(line, memory_order_relaxed) & ~IS_HELD;
    if (has_stored) {
        keep_own(c, &c->root, line, version);
        keep_own(c, &c->guest, line, version);
    }
    atomic_store(line, version + (has_stored ? 2 : 0));
}

// mem_space.links_written: a device stored.
static void links_written(void *opaque, gpa_t gpa, u64 size)
{
    struct la_links *l = opaque;
    const u64 line_size = 1 << LINE_SHIFT;
    for (u64 at = gpa & ~(line_size - 1); at < gpa + size; at += line_size) {
        _Atomic u32 *line = line_of(l, mem_ram_page(l->mem, at, line_size, true));
        hold(line);
        atomic_fetch_add(line, 2 - IS_HELD);
    }
}

struct la_links *la_links_new(struct mem_space *mem)
{
    struct la_links *l = calloc(1, sizeof(*l));
    BUG_ON(!l);
    l->mem = mem;
    pthread_mutex_init(&l->lock, NULL);
    mem->links_written = links_written;
    mem->links_opaque = l;
    return l;
}

void la_links_add_cpu(struct la_links *l, struct la_cpu *c)
{
    BUG_ON(l->n_cpus == MAX_CPUS);
    l->cpus[l->n_cpus++] = c;
    c->links = l;
    la_mmu_flush(c);
}

void la_links_free(struct la_links *l)
{
    for (unsigned i = 0; l && i < l->n_cpus; i++)
        l->cpus[i]->links = NULL;
    if (!l)
        return;
    l->mem->links_written = NULL;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void la_links_obey(struct la_cpu *c)
{
    if (!c->links)
        return;
    u64 seen = atomic_load(&c->links->n_requests);
    memset(c->cache[LA_STORE], 0xff, sizeof(c->cache[LA_STORE]));
    la_slots_forget_stores(c);
    atomic_store(&c->links_obeyed, seen);
}

// Those that do not run obey before they do.
static bool is_obeyed(const struct la_links *l, const struct la_cpu *but, u64 request)
{
    for (unsigned i = 0; i < l->n_cpus; i++)
        if (l->cpus[i] != but && atomic_load(&l->cpus[i]->is_running) &&
            atomic_load(&l->cpus[i]->links_obeyed) < request)
            return false;
    return true;
}

// True: all have obeyed. The one that asks obeys at once, and whenever another asks while it waits.
static bool wait_until_obeyed(struct la_links *l, struct la_cpu *c, u64 request)
{
    la_links_obey(c);
    for (unsigned n = 0; n < 4 * N_SPINS; n++) {
        if (is_obeyed(l, c, request))
            return true;
        if (atomic_load(&c->cpu.requests) & CPU_REQ_LINK) {
            atomic_fetch_and(&c->cpu.requests, ~(u32)CPU_REQ_LINK);
            la_links_obey(c);
        }
        if (n >= N_SPINS)
            sched_yield();
    }
    return false;
}

// The page is watched; the request to forget that all have to obey until it surely is.
static u64 watch(struct la_links *l, struct la_cpu *c, u64 pa)
{
    pthread_mutex_lock(&l->lock);
    if (!mem_links(l->mem, pa)) {
        mem_add_links(l->mem, pa, MEM_WATCHES_LINKS);
        atomic_fetch_add(&l->n_requests, 1);
        for (unsigned i = 0; i < l->n_cpus; i++)
            if (l->cpus[i] != c)
                atomic_fetch_or(&l->cpus[i]->cpu.requests, CPU_REQ_LINK);
    }
    u64 request = atomic_load(&l->n_requests);
    pthread_mutex_unlock(&l->lock);
    return request;
}

// A processor may be where it waits for this one, so nobody waits without end: the link is not set,
// sc fails, and the guest tries again.
static bool is_watched_surely(struct la_links *l, struct la_cpu *c, u64 pa)
{
    if (mem_links(l->mem, pa) & MEM_WATCHES_LINKS_SURELY)
        return true;
    if (!wait_until_obeyed(l, c, watch(l, c, pa)))
        return false;
    mem_add_links(l->mem, pa, MEM_WATCHES_LINKS_SURELY);
    return true;
}

bool la_links_watch(struct la_cpu *c, u64 pa, const u8 *host, u32 *version)
{
    struct la_links *l = c->links;
    if (!is_watched_surely(l, c, pa))
        return false;
    *version = atomic_load(line_of(l, host));
    return !(*version & IS_HELD);
}

_Atomic u32 *la_links_line(struct la_cpu *c, u64 pa, const u8 *host)
{
    return mem_links(c->links->mem, pa) ? line_of(c->links, host) : NULL;
}

// Two lines are held in the order of their places, so that nobody waits in a circle.
struct la_lines la_links_hold_slow(struct la_cpu *c, u64 pa, const u8 *host, unsigned size)
{
    struct la_lines x = {{la_links_line(c, pa, host), NULL}};
    if (!x.line[0])
        return x;
    _Atomic u32 *last = line_of(c->links, host + size - 1);
    if (last != x.line[0])
        x.line[1] = last;
    if (x.line[1] && x.line[1] < x.line[0])
        x = (struct la_lines){{x.line[1], x.line[0]}};
    hold(x.line[0]);
    if (x.line[1])
        hold(x.line[1]);
    return x;
}

void la_links_let_go_slow(struct la_cpu *c, struct la_lines held)
{
    for (unsigned i = 0; i < 2; i++)
        if (held.line[i])
            let_go(c, held.line[i], true);
}

void la_links_begin_slow(struct la_cpu *c)
{
    hold(c->line);
}

void la_links_end_slow(struct la_cpu *c, bool has_stored)
{
    let_go(c, c->line, has_stored);
    c->line = NULL;
}

bool la_links_begin_conditional(struct la_cpu *c)
{
    if (!c->links)
        return true;
    u32 v = c->context->link.version;
    bool ok = c->line && atomic_compare_exchange_strong(c->line, &v, v | IS_HELD);
    if (!ok)
        c->line = NULL;
    return ok;
}
