// SPDX-License-Identifier: Apache-2.0
// RAM blocks and the doors to them that need no lock: blocks never change once the machine runs.
#include "mem/ram.h"
#include "base/bits.h"
#include "base/bug.h"
#include "base/huge.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct mem_ram *ram_find(struct mem_space *m, gpa_t gpa)
{
    for (unsigned i = 0; i < m->n_ram; i++)
        if (gpa - m->ram[i].base < m->ram[i].size)
            return &m->ram[i];
    return NULL;
}

// Bytes of [gpa, gpa + size) that lie in one block, from gpa on; *host is where they are.
static u64 ram_piece(struct mem_space *m, gpa_t gpa, u64 size, u8 **host)
{
    struct mem_ram *r = ram_find(m, gpa);
    if (!r)
        return 0;
    u64 offset = gpa - r->base;
    u64 left = r->size - offset;
    *host = r->host + offset;
    return size < left ? size : left;
}

static bool ram_overlaps(const struct mem_space *m, gpa_t base, u64 size)
{
    for (unsigned i = 0; i < m->n_ram; i++)
        if (base < m->ram[i].base + m->ram[i].size && m->ram[i].base < base + size)
            return true;
    return false;
}

static void ram_watch(struct mem_ram *r)
{
    r->watched = aligned_alloc(64, align_up(r->size >> MEM_WATCH_SHIFT, 64));
    BUG_ON(!r->watched);
    memset((void *)r->watched, 0, align_up(r->size >> MEM_WATCH_SHIFT, 64));
}

// Huge pages make a guest's first touch of its memory several times cheaper.
static bool ram_map(struct mem_ram *r, const char *name, struct err *e)
{
    void *p = mmap(NULL, r->size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return err_set(e, "guest memory of %llu MiB: %s; try a smaller -m",
                       (unsigned long long)(r->size >> 20), strerror(errno));
    huge_advise(p, r->size);
    r->host = p;
    ram_watch(r);
    return true;
}

bool mem_add_ram(struct mem_space *m, gpa_t base, u64 size, const char *name, struct err *e)
{
    BUG_ON(m->n_ram == MEM_MAX_RAM || !size || base % 0x10000 || size % 0x10000);
    if (ram_overlaps(m, base, size))
        return err_set(e, "guest memory at 0x%llx overlaps other memory", (unsigned long long)base);
    struct mem_ram r = {.base = base, .size = size};
    if (!ram_map(&r, name, e))
        return false;
    m->ram[m->n_ram++] = r;
    return true;
}

bool mem_lend_ram(struct mem_space *m, gpa_t base, u64 size, void *host, struct err *e)
{
    struct mem_ram r = {.base = base, .size = size, .host = host, .is_borrowed = true};
    BUG_ON(!size || base % 0x10000 || size % 0x10000);
    if (m->n_ram == MEM_MAX_RAM)
        return err_set(e, "more than %d pieces of memory", MEM_MAX_RAM);
    if (ram_overlaps(m, base, size))
        return err_set(e, "guest memory at 0x%llx overlaps other memory", (unsigned long long)base);
    ram_watch(&r);
    m->ram[m->n_ram++] = r;
    return true;
}

void mem_free_ram(struct mem_space *m)
{
    for (unsigned i = 0; i < m->n_ram; i++) {
        if (!m->ram[i].is_borrowed)
            munmap(m->ram[i].host, m->ram[i].size);
        free((void *)m->ram[i].watched);
    }
    m->n_ram = 0;
}

static _Atomic u8 *watch_of(struct mem_space *m, gpa_t gpa)
{
    struct mem_ram *r = ram_find(m, gpa);
    return r ? &r->watched[(gpa - r->base) >> MEM_WATCH_SHIFT] : NULL;
}

bool mem_watch(struct mem_space *m, gpa_t gpa)
{
    _Atomic u8 *watched = watch_of(m, gpa);
    if (watched)
        atomic_fetch_or(watched, MEM_WATCHES_CODE);
    return watched != NULL;
}

void mem_unwatch(struct mem_space *m, gpa_t gpa)
{
    _Atomic u8 *watched = watch_of(m, gpa);
    if (watched)
        atomic_fetch_and(watched, (u8)~MEM_WATCHES_CODE);
}

bool mem_is_watched(struct mem_space *m, gpa_t gpa)
{
    _Atomic u8 *watched = m->written ? watch_of(m, gpa) : NULL;
    return watched && *watched & MEM_WATCHES_CODE;
}

unsigned mem_links(struct mem_space *m, gpa_t gpa)
{
    _Atomic u8 *watched = m->links_written ? watch_of(m, gpa) : NULL;
    return watched ? *watched & ~(unsigned)MEM_WATCHES_CODE : 0;
}

void mem_add_links(struct mem_space *m, gpa_t gpa, unsigned why)
{
    _Atomic u8 *watched = watch_of(m, gpa);
    if (watched)
        atomic_fetch_or(watched, (u8)why);
}

void mem_written(struct mem_space *m, gpa_t gpa, u64 size)
{
    const u64 page = 1u << MEM_WATCH_SHIFT;
    for (u64 done = 0, n; m->written && done < size; done += n) {
        n = page - ((gpa + done) & (page - 1));
        n = n < size - done ? n : size - done;
        if (mem_is_watched(m, gpa + done))
            m->written(m->written_opaque, gpa + done, n);
    }
}

void mem_dma_written(struct mem_space *m, gpa_t gpa, u64 size)
{
    const u64 page = 1u << MEM_WATCH_SHIFT;
    mem_written(m, gpa, size);
    for (u64 done = 0, n; m->links_written && done < size; done += n) {
        n = page - ((gpa + done) & (page - 1));
        n = n < size - done ? n : size - done;
        if (mem_links(m, gpa + done))
            m->links_written(m->links_opaque, gpa + done, n);
    }
}

u8 *mem_ram_host(struct mem_space *m, gpa_t gpa, u64 size)
{
    u8 *host = NULL;
    return ram_piece(m, gpa, size, &host) == size ? host : NULL;
}

static bool ram_covers(struct mem_space *m, gpa_t gpa, u64 size)
{
    u8 *host = NULL;
    while (size) {
        u64 n = ram_piece(m, gpa, size, &host);
        if (!n)
            return false;
        gpa += n;
        size -= n;
    }
    return true;
}

bool mem_dma_read(struct mem_space *m, gpa_t gpa, void *buf, u64 size)
{
    if (!ram_covers(m, gpa, size)) {
        log_guest(m->log, "DMA read of %llu bytes at 0x%llx: not RAM", (unsigned long long)size,
                  (unsigned long long)gpa);
        memset(buf, 0, size);
        return false;
    }
    for (u8 *to = buf, *host = NULL; size;) {
        u64 n = ram_piece(m, gpa, size, &host);
        memcpy(to, host, n);
        to += n;
        gpa += n;
        size -= n;
    }
    return true;
}

bool mem_dma_write(struct mem_space *m, gpa_t gpa, const void *buf, u64 size)
{
    if (!ram_covers(m, gpa, size)) {
        log_guest(m->log, "DMA write of %llu bytes at 0x%llx: not RAM", (unsigned long long)size,
                  (unsigned long long)gpa);
        return false;
    }
    const u8 *from = buf;
    for (u8 *host = NULL; size;) {
        u64 n = ram_piece(m, gpa, size, &host);
        memcpy(host, from, n);
        mem_dma_written(m, gpa, n);
        from += n;
        gpa += n;
        size -= n;
    }
    return true;
}

int mem_dma_iov(struct mem_space *m, gpa_t gpa, u64 size, struct iovec *iov, int max)
{
    int n_iov = 0;
    for (u8 *host = NULL; size;) {
        u64 n = ram_piece(m, gpa, size, &host);
        if (!n || n_iov == max) {
            log_guest(m->log, "DMA at 0x%llx: %s", (unsigned long long)gpa,
                      n ? "too scattered" : "not RAM");
            return -EFAULT;
        }
        iov[n_iov++] = (struct iovec){.iov_base = host, .iov_len = n};
        gpa += n;
        size -= n;
    }
    return n_iov;
}

bool mem_load(struct mem_space *m, gpa_t gpa, const void *data, u64 size, const char *what,
              struct err *e)
{
    if (!ram_covers(m, gpa, size))
        return err_set(e, "%s: 0x%llx to 0x%llx is not all guest memory; try a larger -m", what,
                       (unsigned long long)gpa, (unsigned long long)(gpa + size - 1));
    return mem_dma_write(m, gpa, data, size);
}
