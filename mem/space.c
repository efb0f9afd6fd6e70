// SPDX-License-Identifier: Apache-2.0
// Device regions: who answers at an address, and how accesses are cut to what a device takes.
//
// The regions, which may overlap, are flattened into sorted ranges whenever one is added, moved or
// removed; an access is a binary search. Addresses compare as inclusive ends, so that a region may
// reach the top of the address space.
#include "mem/space.h"
#include "mem/ram.h"
#include "mem/word.h"
#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

struct mem_flat_range {
    gpa_t first, last;
    struct mem_region *region;
};

void mem_space_init(struct mem_space *m, struct log *log)
{
    memset(m, 0, sizeof(*m));
    m->log = log;
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m->device_lock, &a);
    pthread_mutexattr_destroy(&a);
}

void mem_space_free(struct mem_space *m)
{
    mem_free_ram(m);
    free(m->flat);
    pthread_mutex_destroy(&m->device_lock);
    memset(m, 0, sizeof(*m));
}

void mem_lock(struct mem_space *m)
{
    BUG_ON(pthread_mutex_lock(&m->device_lock));
}

void mem_unlock(struct mem_space *m)
{
    BUG_ON(pthread_mutex_unlock(&m->device_lock));
}

static gpa_t region_last(const struct mem_region *r)
{
    return r->base + r->size - 1;
}

// The region that answers at `at`, and the last address for which that stays so.
static struct mem_region *owner_at(const struct mem_space *m, gpa_t at, gpa_t *last)
{
    struct mem_region *best = NULL;
    *last = ~0ULL;
    for (unsigned i = 0; i < m->n_regions; i++) {
        struct mem_region *r = m->regions[i];
        bool is_above = !best || r->priority >= best->priority;
        if (r->base <= at && at <= region_last(r)) {
            if (is_above)
                best = r;
            if (region_last(r) < *last)
                *last = region_last(r);
        } else if (r->base > at && r->base - 1 < *last) {
            *last = r->base - 1;
        }
    }
    return best;
}

static void add_flat(struct mem_space *m, gpa_t first, gpa_t last, struct mem_region *r)
{
    struct mem_flat_range *before = m->n_flat ? &m->flat[m->n_flat - 1] : NULL;
    if (before && before->region == r && before->last + 1 == first)
        before->last = last;
    else
        m->flat[m->n_flat++] = (struct mem_flat_range){first, last, r};
}

static void flatten(struct mem_space *m)
{
    // Each region adds at most two borders.
    free(m->flat);
    m->flat = calloc(2 * m->n_regions + 1, sizeof(*m->flat));
    BUG_ON(!m->flat);
    m->n_flat = 0;
    for (gpa_t at = 0, last;; at = last + 1) {
        struct mem_region *r = owner_at(m, at, &last);
        if (r)
            add_flat(m, at, last, r);
        if (last == ~0ULL)
            break;
    }
}

void mem_changed(struct mem_space *m)
{
    if (m->changed)
        m->changed(m->changed_opaque);
}

void mem_add_region(struct mem_space *m, struct mem_region *r)
{
    BUG_ON(m->n_regions == MEM_MAX_REGIONS || !r->size);
    m->regions[m->n_regions++] = r;
    flatten(m);
    if (r->direct)
        mem_changed(m);
}

void mem_remove_region(struct mem_space *m, struct mem_region *r)
{
    for (unsigned i = 0; i < m->n_regions; i++) {
        if (m->regions[i] != r)
            continue;
        memmove(&m->regions[i], &m->regions[i + 1], (m->n_regions - i - 1) * sizeof(m->regions[0]));
        m->n_regions--;
        break;
    }
    flatten(m);
    if (r->direct)
        mem_changed(m);
}

void mem_set_direct(struct mem_space *m, struct mem_region *r, bool is_direct)
{
    if (r->is_direct == is_direct)
        return;
    r->is_direct = is_direct;
    mem_changed(m);
}

static struct mem_flat_range *flat_find(struct mem_space *m, gpa_t gpa)
{
    unsigned low = 0, high = m->n_flat;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (m->flat[mid].last < gpa)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->n_flat && m->flat[low].first <= gpa ? &m->flat[low] : NULL;
}

// Direct memory of one range, or NULL. The lock keeps the ranges still while we look.
static u8 *direct_page(struct mem_space *m, gpa_t gpa, u64 size)
{
    u8 *host = NULL;
    mem_lock(m);
    struct mem_flat_range *f = flat_find(m, gpa);
    if (f && f->region->direct && f->region->is_direct && f->last - gpa >= size - 1)
        host = f->region->direct + (gpa - f->region->base);
    mem_unlock(m);
    return host;
}

unsigned mem_direct_ranges(const struct mem_space *m, struct mem_direct_range *ranges, unsigned max)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->n_flat && n < max; i++) {
        const struct mem_flat_range *f = &m->flat[i];
        const struct mem_region *r = f->region;
        if (r->direct && r->is_direct)
            ranges[n++] = (struct mem_direct_range){.base = f->first,
                                                    .size = f->last - f->first + 1,
                                                    .host = r->direct + (f->first - r->base)};
    }
    return n;
}

u8 *mem_ram_page(struct mem_space *m, gpa_t gpa, u64 size, bool for_write)
{
    u8 *host = mem_ram_host(m, gpa, size);
    return host || for_write ? host : direct_page(m, gpa, size);
}

static void count_unassigned(struct mem_space *m, const char *what, gpa_t gpa, unsigned size)
{
    m->n_unassigned++;
    log_guest(m->log, "%s of %u bytes at 0x%llx: nothing there", what, size,
              (unsigned long long)gpa);
}

// The size of the piece at gpa, of `left` bytes still to do, that one device callback may see: the
// largest aligned power of two that the region holds and takes.
static unsigned piece_size(const struct mem_flat_range *f, gpa_t gpa, unsigned left)
{
    unsigned max = f->region->ops->max_size ? f->region->ops->max_size : 8;
    unsigned n = 8;
    while (n > left || n > max || gpa & (n - 1) || f->last - gpa < n - 1)
        n /= 2;
    return n;
}

static u64 device_read(struct mem_space *m, struct mem_flat_range *f, gpa_t gpa, unsigned n)
{
    struct mem_region *r = f->region;
    u64 value = r->direct && r->is_direct ? load_le(r->direct + (gpa - r->base), n)
                                          : r->ops->read(r->opaque, gpa - r->base, n);
    log_at(m->log, LOG_IO, "read  %s+0x%llx size %u = 0x%llx", r->name,
           (unsigned long long)(gpa - r->base), n, (unsigned long long)value);
    return value & BITS(8 * n - 1, 0);
}

static u64 read_locked(struct mem_space *m, gpa_t gpa, unsigned size)
{
    u64 value = 0;
    for (unsigned done = 0, n; done < size; done += n) {
        struct mem_flat_range *f = flat_find(m, gpa + done);
        u64 piece;
        if (f) {
            n = piece_size(f, gpa + done, size - done);
            piece = device_read(m, f, gpa + done, n);
        } else {
            n = done ? 1 : size;
            count_unassigned(m, "read", gpa + done, n);
            piece = BITS(8 * n - 1, 0);
        }
        value |= piece << (8 * done);
    }
    return value;
}

static void write_locked(struct mem_space *m, gpa_t gpa, u64 value, unsigned size)
{
    for (unsigned done = 0, n; done < size; done += n) {
        struct mem_flat_range *f = flat_find(m, gpa + done);
        if (!f) {
            n = done ? 1 : size;
            count_unassigned(m, "write", gpa + done, n);
            continue;
        }
        n = piece_size(f, gpa + done, size - done);
        u64 piece = value >> (8 * done) & BITS(8 * n - 1, 0);
        struct mem_region *r = f->region;
        gpa_t offset = gpa + done - r->base;
        log_at(m->log, LOG_IO, "write %s+0x%llx size %u = 0x%llx", r->name,
               (unsigned long long)offset, n, (unsigned long long)piece);
        r->ops->write(r->opaque, offset, piece, n);
    }
}

// RAM first: it is by far the most frequent answer, and an access that crosses from RAM to
// something else is cut into bytes.
u64 mem_read(struct mem_space *m, gpa_t gpa, unsigned size)
{
    u8 *host = mem_ram_host(m, gpa, size);
    if (host)
        return mem_load_word(host, size);
    mem_lock(m);
    u64 value = read_locked(m, gpa, size);
    mem_unlock(m);
    return value;
}

void mem_write(struct mem_space *m, gpa_t gpa, u64 value, unsigned size)
{
    u8 *host = mem_ram_host(m, gpa, size);
    if (host) {
        mem_store_word(host, value, size);
        mem_written(m, gpa, size);
        return;
    }
    mem_lock(m);
    write_locked(m, gpa, value, size);
    mem_unlock(m);
}

void mem_msi(struct mem_space *m, gpa_t gpa, u32 data)
{
    struct mem_flat_range *f = flat_find(m, gpa);
    if (!f || !f->region->ops->takes_msi || f->last - gpa < 3) {
        log_guest(m->log, "message interrupt to 0x%llx: no doorbell there",
                  (unsigned long long)gpa);
        return;
    }
    f->region->ops->write(f->region->opaque, gpa - f->region->base, data, 4);
}
