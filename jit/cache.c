// SPDX-License-Identifier: Apache-2.0
// The buffer of translated code, and the pages that it came from.
//
// Writing and running go through two mappings of the same memory, so that no page is ever both
// writable and executable. Blocks are never moved or reused one by one: when the buffer is full
// everything is dropped at once, after all processors have left it.
//
// A page with translations is watched (mem/space.h): stores to it take the slow path and end in
// jit_written, or go through slots of lines that no code came from. When a page becomes watched, or
// code comes from such a line, other processors may still store to it through what
// they have cached; they are told to forget that (CPU_REQ_CODE) and see the request at their next
// poll. Until all have, the page is fresh: its bytes are compared with what they were whenever a
// processor executes ibar, which it has to before it runs code that another one wrote.
#include "jit/cache.h"
#include "base/bug.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUFFER_SIZE (256u << 20)
_Static_assert(BUFFER_SIZE <= 1ull << LA_TARGET_HOST_BITS, "targets hold where an entry is");

static unsigned hash_of(u64 number)
{
    return (unsigned)((number ^ number >> 13) & (JIT_N_HASH - 1));
}

static bool is_mode(struct jit_mode a, struct jit_mode b)
{
    return a.slots == b.slots && a.is_small == b.is_small && a.fp_traps == b.fp_traps &&
           a.in_window == b.in_window;
}

struct jit_page *jit_find_page(struct jit *j, u64 pa, struct jit_mode mode)
{
    u64 number = pa >> CODE_PAGE_SHIFT;
    struct jit_page *p = __atomic_load_n(&j->pages[hash_of(number)], __ATOMIC_ACQUIRE);
    while (p && (p->number != number || !is_mode(p->mode, mode)))
        p = p->next;
    return p;
}

// Asks processors to forget what lets them store to watched pages and run dropped code. The request
// wakes nobody: who sleeps obeys before it runs on.
static void tell_cpus(struct jit *j)
{
    for (unsigned i = 0; i < j->n_vcpus; i++)
        atomic_fetch_or_explicit(&j->vcpus[i].cpu->cpu.requests, CPU_REQ_CODE,
                                 memory_order_seq_cst);
}

static u64 sum_of(const struct jit *j, u64 number)
{
    const u64 *word =
        (const u64 *)(const void *)mem_ram_page(j->mem, number << CODE_PAGE_SHIFT, CODE_PAGE, true);
    u64 sum = number;
    for (unsigned i = 0; i < CODE_PAGE / 8; i++)
        sum =
            (sum ^ __atomic_load_n(&word[i], __ATOMIC_RELAXED)) * 0x9e3779b97f4a7c15 + (sum >> 29);
    return sum;
}

static void drop_page(struct jit *j, struct jit_page *p);

static void drop_number(struct jit *j, u64 number)
{
    for (struct jit_page *p = j->pages[hash_of(number)]; p; p = p->next)
        if (p->number == number)
            drop_page(j, p);
    tell_cpus(j);
}

// Everybody obeyed, or is outside and will before he goes inside.
static bool is_obeyed(struct jit *j, u64 request)
{
    for (unsigned i = 0; i < j->n_vcpus; i++)
        if (j->vcpus[i].is_inside && j->vcpus[i].n_obeyed < request)
            return false;
    return true;
}

// Drops the fresh pages that were stored to; those that everybody knows about are fresh no more.
static void look_at_fresh(struct jit *j)
{
    unsigned n_left = 0;
    for (unsigned i = 0; i < j->n_fresh; i++) {
        struct jit_fresh f = j->fresh[i];
        bool is_known = is_obeyed(j, f.request);
        bool is_same = sum_of(j, f.number) == f.sum;
        if (!is_same)
            drop_number(j, f.number);
        if (!is_known && is_same)
            j->fresh[n_left++] = f;
        else if (!is_known)
            j->fresh[n_left++] = (struct jit_fresh){f.number, sum_of(j, f.number), f.request};
    }
    j->n_fresh = n_left;
}

void jit_see_code(struct la_cpu *c)
{
    struct jit *j = c->code.vcpu->jit;
    // Who translates does it the other way round (note_fresh): one of the two sees the other's.
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&j->n_fresh, memory_order_relaxed))
        return;
    pthread_mutex_lock(&j->lock);
    look_at_fresh(j);
    pthread_mutex_unlock(&j->lock);
}

// With too many fresh pages the oldest are waited for, outside of translated code and the lock.
static void note_fresh(struct jit *j, u64 number)
{
    if (j->n_vcpus == 1)
        return;
    while (j->n_fresh == JIT_MAX_FRESH) {
        look_at_fresh(j);
        pthread_mutex_unlock(&j->lock);
        sched_yield();
        pthread_mutex_lock(&j->lock);
    }
    j->fresh[j->n_fresh] = (struct jit_fresh){number, sum_of(j, number), j->n_requests};
    j->n_fresh++;
    atomic_thread_fence(memory_order_seq_cst); // the code is read again to translate it
}

// Nobody may store to the page unseen from now on. The processor that translates forgets at once.
static void revoke(struct jit *j, struct la_cpu *c, u64 number)
{
    j->n_requests++;
    tell_cpus(j);
    jit_obey(c);
    note_fresh(j, number);
}

// Who waits for others (note_fresh) lets go of the lock, and a store that comes then ends the watch
// again: nothing is translated yet.
static void watch(struct jit *j, struct la_cpu *c, u64 pa)
{
    while (!mem_is_watched(j->mem, pa)) {
        mem_watch(j->mem, pa);
        revoke(j, c, pa >> CODE_PAGE_SHIFT);
    }
}

// The page with this number in some mode, or NULL: what all of them have in common.
static const struct jit_page *find_any(const struct jit *j, u64 number)
{
    const struct jit_page *p = j->pages[hash_of(number)];
    while (p && p->number != number)
        p = p->next;
    return p;
}

struct jit_page *jit_make_page(struct jit *j, struct la_cpu *c, u64 pa, struct jit_mode mode,
                               const u8 *host)
{
    const struct jit_page *same = find_any(j, pa >> CODE_PAGE_SHIFT);
    const bool unwatched = same && same->is_unwatched;
    if (!unwatched)
        watch(j, c, pa);
    struct jit_page *p = jit_find_page(j, pa, mode);
    if (p)
        return p;
    same = find_any(j, pa >> CODE_PAGE_SHIFT);
    p = calloc(1, sizeof(*p));
    BUG_ON(!p);
    p->number = pa >> CODE_PAGE_SHIFT;
    p->mode = mode;
    p->host = host;
    p->is_unwatched = same && same->is_unwatched;
    p->is_open = same && same->is_open;
    struct jit_page **head = &j->pages[hash_of(p->number)];
    p->next = *head;
    __atomic_store_n(head, p, __ATOMIC_RELEASE); // others look without the lock
    return p;
}

// The host's pages behind the next part of the buffer, at once: one by one, when they are first
// touched, they cost more than what is written to them. Where the host can not do that they come
// one by one.
static void populate(struct jit *j, size_t end)
{
    const size_t part = (size_t)1 << 20;
    while (j->populated < end) {
        u8 *p = j->buffer + j->populated;
        size_t left = j->size - j->populated, n = left < part ? left : part;
        (void)madvise(p, n, MADV_POPULATE_WRITE);
        (void)madvise(p + j->to_run, n, MADV_POPULATE_READ);
        j->populated += n;
    }
}

u8 *jit_reserve(struct jit *j, size_t size)
{
    if (j->size - j->used < size)
        return NULL;
    populate(j, j->used + size);
    return j->buffer + j->used;
}

bool jit_has_code(const struct jit_page *p, u64 offset, u64 size)
{
    for (u64 line = offset >> CODE_LINE_SHIFT; line <= (offset + size - 1) >> CODE_LINE_SHIFT;
         line++)
        if (p->lines[line >> 6] >> (line & 63) & 1)
            return true;
    return false;
}

// Pages that are stored to so often are not watched any more, unless so many blocks were translated
// in between that it is the memory which is used again, not the code that is patched.
#define N_INVALIDATED_UNWATCHED 8
#define N_BLOCKS_BETWEEN        2048

static void set_open(struct jit *j, u64 number, bool is_open)
{
    for (struct jit_page *p = j->pages[hash_of(number)]; p; p = p->next)
        if (p->number == number)
            p->is_open = is_open;
}

static bool is_line_free(const struct jit *j, u64 number, u32 line)
{
    for (const struct jit_page *p = j->pages[hash_of(number)]; p; p = p->next)
        if (p->number == number && p->lines[line >> 6] >> (line & 63) & 1)
            return false;
    return true;
}

bool jit_find_free_lines(struct jit *j, u64 pa, u32 size, u32 *first, u32 *end)
{
    const u64 number = pa >> CODE_PAGE_SHIFT;
    const u32 at = pa & (CODE_PAGE - 1);
    const u32 lowest = at >> CODE_LINE_SHIFT, highest = (at + size) >> CODE_LINE_SHIFT;
    u32 low = (at + *first) >> CODE_LINE_SHIFT, high = (at + *end - 1) >> CODE_LINE_SHIFT;
    pthread_mutex_lock(&j->lock);
    bool is_free = find_any(j, number) != NULL; // else nobody could be told
    for (u32 line = low; line <= high; line++)
        is_free = is_free && is_line_free(j, number, line);
    while (is_free && low > lowest && is_line_free(j, number, low - 1))
        low--;
    while (is_free && high + 1 < highest && is_line_free(j, number, high + 1))
        high++;
    if (is_free)
        set_open(j, number, true);
    pthread_mutex_unlock(&j->lock);
    *first = (low << CODE_LINE_SHIFT) - at;
    *end = ((high + 1) << CODE_LINE_SHIFT) - at;
    return is_free;
}

bool jit_close_lines(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset,
                     unsigned size)
{
    bool is_new = false;
    for (u32 line = offset >> CODE_LINE_SHIFT; line <= (offset + size - 1) >> CODE_LINE_SHIFT;
         line++)
        is_new = is_new || is_line_free(j, p->number, line);
    if (!is_new || !p->is_open)
        return false;
    const u64 number = p->number;
    set_open(j, number, false);
    revoke(j, c, number);
    return true;
}

// Others look for entries meanwhile, and memset may write in pieces of any size.
static void forget_entries(struct jit_page *p)
{
    for (unsigned i = 0; i < CODE_N_INSNS; i++)
        __atomic_store_n(&p->entry[i], 0, __ATOMIC_RELAXED);
}

static void drop_page(struct jit *j, struct jit_page *p)
{
    forget_entries(p);
    memset(p->lines, 0, sizeof(p->lines));
    j->n_drops++;
}

// Four slots first, if there is one processor. With several a site goes to the table of pages at
// once: what threads share out among them lies where it may, and a table across the end of a page
// that is read at random takes 7.7 ns for a round with four slots, which the host mispredicts,
// and 2.4 so.
void jit_probe_from_now(struct jit *j, struct jit_page *p, unsigned offset)
{
    const unsigned n = offset / 4 % CODE_N_INSNS, max = 128;
    pthread_mutex_lock(&j->lock);
    const bool has_ways = p->ways[n / 64] >> (n % 64) & 1;
    u64 *set = has_ways || j->n_vcpus > 1 ? p->probing : p->ways;
    if (p->n_probing < max && !(set[n / 64] >> (n % 64) & 1)) {
        set[n / 64] |= BIT(n % 64);
        p->n_probing++;
        drop_page(j, p);
        j->counts.n_probing++;
        tell_cpus(j);
    }
    pthread_mutex_unlock(&j->lock);
}

// The page with this number in all modes.
static void stop_watching(struct jit *j, u64 number)
{
    for (struct jit_page *p = j->pages[hash_of(number)]; p; p = p->next) {
        if (p->number != number)
            continue;
        drop_page(j, p);
        p->is_unwatched = true;
    }
}

// True: once too often.
static bool note_invalidation(struct jit *j, struct jit_page *p)
{
    if (j->counts.n_blocks - p->invalidated_at > N_BLOCKS_BETWEEN)
        p->n_invalidated = 0;
    p->invalidated_at = j->counts.n_blocks;
    j->counts.n_invalidated++;
    return ++p->n_invalidated >= N_INVALIDATED_UNWATCHED;
}

// True if the page has translations of any mode afterwards.
static bool drop_written(struct jit *j, gpa_t gpa, u64 size)
{
    const u64 number = gpa >> CODE_PAGE_SHIFT;
    bool has_some = false, is_often = false;
    for (struct jit_page *p = j->pages[hash_of(number)]; p; p = p->next) {
        if (p->number != number)
            continue;
        if (jit_has_code(p, gpa & (CODE_PAGE - 1), size)) {
            drop_page(j, p);
            is_often |= note_invalidation(j, p);
        }
        has_some |= jit_has_code(p, 0, CODE_PAGE);
    }
    if (is_often)
        stop_watching(j, number);
    return has_some && !is_often;
}

// mem_space.written. Bytes beside code change nothing. A page that has no code any more, because it
// holds something else now, is watched no more.
static void jit_written(void *opaque, gpa_t gpa, u64 size)
{
    struct jit *j = opaque;
    pthread_mutex_lock(&j->lock);
    unsigned n_drops = j->n_drops;
    if (!drop_written(j, gpa, size))
        mem_unwatch(j->mem, gpa);
    if (j->n_drops != n_drops)
        tell_cpus(j);
    pthread_mutex_unlock(&j->lock);
}

u32 jit_literal(struct jit *j, const u64 value[4])
{
    u64(*table)[4] = (void *)(j->buffer + j->literals);
    if (!(value[0] | value[1] | value[2] | value[3]))
        return 32 * JIT_N_LITERALS;
    u64 hash = (value[0] ^ value[1] * 3 ^ value[2] * 5 ^ value[3] * 7) * 0x9e3779b97f4a7c15;
    unsigned n = (unsigned)(hash >> 32) & (JIT_N_LITERALS - 1);
    for (; table[n][0] | table[n][1] | table[n][2] | table[n][3];
         n = (n + 1) & (JIT_N_LITERALS - 1))
        if (!memcmp(table[n], value, sizeof(table[n])))
            return 32 * n;
    if (j->n_literals >= JIT_N_LITERALS * 3 / 4)
        return ~0u;
    j->n_literals++;
    memcpy(table[n], value, sizeof(table[n]));
    return 32 * n;
}

void jit_drop_all(struct jit *j)
{
    for (unsigned i = 0; i < JIT_N_HASH; i++) {
        for (struct jit_page *p = j->pages[i], *next; p; p = next) {
            next = p->next;
            mem_unwatch(j->mem, p->number << CODE_PAGE_SHIFT);
            free(p);
        }
        j->pages[i] = NULL;
    }
    j->used = j->first;
    memset(j->stubs.miss, 0, sizeof(j->stubs.miss));
    j->n_literals = 0;
    j->n_code_links = 0;
    memset(j->buffer + j->literals, 0, 32 * JIT_N_LITERALS);
    j->counts.n_flushes++;
    j->n_drops++;
    tell_cpus(j);
}

void jit_obey(struct la_cpu *c)
{
    atomic_fetch_and_explicit(&c->cpu.requests, ~(u32)CPU_REQ_CODE, memory_order_seq_cst);
    struct jit_vcpu *v = c->code.vcpu;
    unsigned n_drops = v->jit->n_drops;
    u64 n_requests = v->jit->n_requests;
    v->n_times_obeyed++;
    memset(c->cache[LA_STORE], 0xff, sizeof(c->cache[LA_STORE]));
    la_slots_forget_stores(c);
    if (v->n_drops != n_drops)
        la_targets_forget(c);
    v->n_drops = n_drops;
    c->code.link_site = NULL;
    // Behind all that was stored before, and before anything that is stored from now on.
    atomic_store_explicit(&v->n_obeyed, n_requests, memory_order_release);
}

// The two mappings of shared memory: mremap of nothing makes the second. Without a file behind it
// perf looks for names in its map.
static bool map_buffer(struct jit *j, struct err *e)
{
    u8 *rw = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (rw == MAP_FAILED)
        return err_set(e, "memory for translated code: %s", strerror(errno));
    j->buffer = rw;
    j->size = BUFFER_SIZE;
    u8 *rx = mremap(rw, 0, BUFFER_SIZE, MREMAP_MAYMOVE);
    if (rx == MAP_FAILED || mprotect(rx, BUFFER_SIZE, PROT_READ | PROT_EXEC))
        return err_set(e, "memory for translated code cannot be mapped to run: %s",
                       strerror(errno));
    j->to_run = rx - rw;
    return true;
}

bool jit_is_possible(struct err *e)
{
    if (__builtin_cpu_supports("x86-64-v2"))
        return true;
    return err_set(e, "the translator needs an x86-64-v2 processor (SSE4.2); use -accel interp");
}

static void detect_host(struct jit *j)
{
    j->has_avx2 = !j->options.no_avx && __builtin_cpu_supports("avx2");
    j->has_fma = j->has_avx2 && __builtin_cpu_supports("fma");
    j->has_bmi2 = j->has_avx2 && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("lzcnt");
    j->has_evex = j->has_avx2 && !j->options.no_evex && __builtin_cpu_supports("x86-64-v4");
}

struct jit *jit_new(struct mem_space *mem, struct log *log, const struct jit_options *options,
                    struct err *e)
{
    struct jit *j = calloc(1, sizeof(*j));
    BUG_ON(!j);
    j->mem = mem;
    j->log = log;
    if (options)
        j->options = *options;
    j->options.no_chain |= j->options.check;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->left, NULL);
    detect_host(j);
    if (!jit_is_possible(e) || !map_buffer(j, e) ||
        (j->options.perf_map && !(j->perf_map = perf_map_new(e)))) {
        jit_free(j);
        return NULL;
    }
    jit_start_counting(j);
    j->trans = jit_trans_new();
    jit_make_stubs(j);
    j->literals = (j->used + 63) & ~(size_t)63;
    j->first = j->used = j->literals + 32 * (JIT_N_LITERALS + 1);
    perf_map_add(j->perf_map, j->buffer + j->to_run, j->used, 0);
    mem->written = jit_written;
    mem->written_opaque = j;
    return j;
}

void jit_free(struct jit *j)
{
    if (!j)
        return;
    if (j->buffer) {
        jit_drop_all(j);
        munmap(j->buffer, j->size);
        if (j->to_run)
            munmap(j->buffer + j->to_run, j->size);
    }
    if (j->mem->written_opaque == j)
        j->mem->written = NULL;
    pthread_cond_destroy(&j->left);
    pthread_mutex_destroy(&j->lock);
    for (unsigned i = 0; i < j->n_vcpus; i++)
        free(j->vcpus[i].check);
    perf_map_free(j->perf_map);
    free(j->trans);
    free(j);
}
