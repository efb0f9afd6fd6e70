// SPDX-License-Identifier: Apache-2.0
// A split virtqueue. The driver runs on other threads while we look: fields of the rings are read
// and written by single atomic accesses, and every value is taken once and then checked.
#include "dev/virtio/virtq.h"
#include "base/bits.h"
#include "base/bug.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum { DESC_SIZE = 16, DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { AVAIL_FLAGS = 0, AVAIL_IDX = 2, AVAIL_RING = 4, AVAIL_NO_INTERRUPT = 1 };
enum { USED_IDX = 2, USED_RING = 4, USED_ENTRY = 8 };

struct desc {
    u64 addr;
    u32 len;
    u16 flags, next;
};

// Where a chain's descriptors are: the queue's own table or an indirect one.
struct table {
    const u8 *entries; // NULL: at `gpa`, not in one piece
    gpa_t gpa;
    unsigned n;
    bool is_indirect;
};

static u16 get16(const u8 *p)
{
    return le16toh(__atomic_load_n((const u16 *)(const void *)p, __ATOMIC_RELAXED));
}

static void put16(u8 *p, u16 value)
{
    __atomic_store_n((u16 *)(void *)p, htole16(value), __ATOMIC_RELAXED);
}

static void put32(u8 *p, u32 value)
{
    __atomic_store_n((u32 *)(void *)p, htole32(value), __ATOMIC_RELAXED);
}

static int broken(struct virtq *q, const char *fault)
{
    q->is_broken = true;
    q->fault = fault;
    return -EINVAL;
}

void virtq_init(struct virtq *q, struct mem_space *mem, u16 max_size)
{
    BUG_ON(!is_pow2(max_size) || max_size > VIRTQ_MAX_SIZE);
    q->mem = mem;
    q->max_size = max_size;
    virtq_reset(q);
}

void virtq_reset(struct virtq *q)
{
    q->size = q->max_size;
    q->desc_gpa = q->avail_gpa = q->used_gpa = 0;
    q->is_enabled = q->has_indirect = q->has_event_idx = false;
    q->desc = q->avail = q->used = NULL;
    q->is_broken = false;
    q->fault = NULL;
    q->next_avail = q->next_used = q->n_in_use = q->notified_used = 0;
    q->has_notified = false;
}

static u8 *map(struct virtq *q, gpa_t gpa, u64 size, unsigned align)
{
    struct iovec v;
    return gpa % align == 0 && mem_dma_iov(q->mem, gpa, size, &v, 1) == 1 ? v.iov_base : NULL;
}

bool virtq_enable(struct virtq *q)
{
    q->desc = map(q, q->desc_gpa, (u64)DESC_SIZE * q->size, 16);
    q->avail = map(q, q->avail_gpa, AVAIL_RING + 2 * q->size + 2u, 2);
    q->used = map(q, q->used_gpa, USED_RING + (u64)USED_ENTRY * q->size + 2, 4);
    q->is_enabled = q->desc && q->avail && q->used;
    if (!q->is_enabled)
        broken(q, "rings are misaligned or not in RAM");
    return q->is_enabled;
}

void virtq_resume(struct virtq *q)
{
    if (q->is_enabled)
        q->next_avail = q->next_used = get16(q->used + USED_IDX);
}

// Two atomic halves: a torn descriptor is as good as any other the guest could have written.
static struct desc desc_of(const u8 *p)
{
    const u64 *half = (const u64 *)(const void *)p;
    u64 addr = le64toh(__atomic_load_n(&half[0], __ATOMIC_RELAXED));
    u64 rest = le64toh(__atomic_load_n(&half[1], __ATOMIC_RELAXED));
    return (struct desc){addr, (u32)rest, (u16)(rest >> 32), (u16)(rest >> 48)};
}

static bool read_desc(struct virtq *q, const struct table *t, unsigned i, struct desc *d)
{
    if (t->entries) {
        *d = desc_of(t->entries + (size_t)DESC_SIZE * i);
        return true;
    }
    _Alignas(u64) u8 raw[DESC_SIZE];
    bool ok = mem_dma_read(q->mem, t->gpa + (u64)DESC_SIZE * i, raw, sizeof(raw));
    *d = desc_of(raw);
    return ok;
}

static int add_pieces(struct virtq *q, struct virtq_buffer *b, const struct desc *d)
{
    bool is_write = d->flags & DESC_WRITE;
    if (b->n_in && !is_write)
        return broken(q, "descriptor to read after one to write");
    if (!d->len)
        return 0;
    unsigned used = b->n_out + b->n_in;
    int n = mem_dma_iov(q->mem, d->addr, d->len, q->pieces + used, (int)(VIRTQ_MAX_PIECES - used));
    if (n < 0)
        return broken(q, "descriptor is not in RAM, or the buffer has too many pieces");
    // Their owner has what was made of their bytes forgotten now, and once more by tell_written.
    if (is_write)
        mem_dma_written(q->mem, d->addr, d->len);
    *(is_write ? &b->n_in : &b->n_out) += (unsigned)n;
    *(is_write ? &b->in_size : &b->out_size) += d->len;
    return 0;
}

// Goes over to the table that an indirect descriptor names.
static int enter_indirect(struct virtq *q, const struct desc *d, struct table *t)
{
    if (!q->has_indirect)
        return broken(q, "indirect descriptor, which was not negotiated");
    if (t->is_indirect)
        return broken(q, "indirect descriptor in an indirect table");
    if (d->flags & DESC_NEXT)
        return broken(q, "indirect descriptor with a next one");
    if (!d->len || d->len % DESC_SIZE || d->len / DESC_SIZE > VIRTQ_MAX_PIECES)
        return broken(q, "indirect table of a wrong size");
    *t = (struct table){.gpa = d->addr, .n = d->len / DESC_SIZE, .is_indirect = true};
    // Tables that are not aligned for our atomic accesses are copied entry by entry.
    t->entries = map(q, d->addr, d->len, 8);
    return 0;
}

// Follows a chain, which may end in an indirect descriptor. A table of n entries has no chain
// longer than n that is not a loop.
static int read_chain(struct virtq *q, struct virtq_buffer *b)
{
    struct table t = {.entries = q->desc, .n = q->size};
    unsigned i = b->head;
    for (unsigned left = t.n; left; left--) {
        struct desc d;
        if (!read_desc(q, &t, i, &d))
            return broken(q, "indirect table is not in RAM");
        bool enters = d.flags & DESC_INDIRECT;
        int error = enters ? enter_indirect(q, &d, &t) : add_pieces(q, b, &d);
        if (error || !(enters || d.flags & DESC_NEXT))
            return error;
        i = enters ? 0 : d.next;
        left = enters ? t.n + 1 : left;
        if (i >= t.n)
            return broken(q, "next descriptor is outside of its table");
    }
    return broken(q, "chain of descriptors without end");
}

// Buffers that wait, or more than the ring holds if the index is nonsense. The acquire pairs with
// the driver's barrier between filling the ring and moving the index.
static u16 n_waiting(const struct virtq *q)
{
    const u16 *idx = (const u16 *)(const void *)(q->avail + AVAIL_IDX);
    return (u16)(le16toh(__atomic_load_n(idx, __ATOMIC_ACQUIRE)) - q->next_avail);
}

int virtq_pop(struct virtq *q, struct virtq_buffer *b)
{
    if (q->is_broken)
        return -EINVAL;
    if (!q->is_enabled)
        return 0;
    u16 n = n_waiting(q);
    if (!n)
        return 0;
    // A buffer made available again while we hold it would break this bound too.
    if (n > q->size || q->n_in_use == q->size)
        return broken(q, "more buffers available than the ring has");
    u16 head = get16(q->avail + AVAIL_RING + 2 * (q->next_avail & (q->size - 1)));
    if (head >= q->size)
        return broken(q, "available descriptor is outside of its table");
    *b = (struct virtq_buffer){.head = head};
    int error = read_chain(q, b);
    if (error)
        return error;
    b->out = q->pieces;
    b->in = q->pieces + b->n_out;
    q->next_avail++;
    q->n_in_use++;
    return 1;
}

void virtq_unpop(struct virtq *q, unsigned n)
{
    BUG_ON(n > q->n_in_use);
    q->next_avail = (u16)(q->next_avail - n);
    q->n_in_use = (u16)(q->n_in_use - n);
}

// The next table, if the descriptor names a good one.
static bool follow_indirect(const struct desc *d, struct table *t)
{
    if (t->is_indirect || d->len % DESC_SIZE || !d->len || d->len / DESC_SIZE > VIRTQ_MAX_PIECES)
        return false;
    *t = (struct table){.gpa = d->addr, .n = d->len / DESC_SIZE, .is_indirect = true};
    return true;
}

// Tells the memory that the device wrote: what was made of its bytes since the buffer was popped,
// before they changed, is of no use. The descriptors are read again; a driver that has changed them
// meanwhile tells wrong places.
static void tell_written(struct virtq *q, u16 head, u64 written)
{
    struct table t = {.entries = q->desc, .n = q->size};
    unsigned i = head;
    for (unsigned left = 2 * VIRTQ_MAX_PIECES; left && written && i < t.n; left--) {
        struct desc d;
        if (!read_desc(q, &t, i, &d))
            return;
        if (d.flags & DESC_INDIRECT) {
            if (!follow_indirect(&d, &t))
                return;
            i = 0;
            continue;
        }
        u64 n = !(d.flags & DESC_WRITE) ? 0 : d.len < written ? d.len : written;
        mem_dma_written(q->mem, d.addr, n);
        written -= n;
        if (!(d.flags & DESC_NEXT))
            return;
        i = d.next;
    }
}

void virtq_fill(struct virtq *q, unsigned index, u16 head, u32 written)
{
    tell_written(q, head, written);
    u8 *entry =
        q->used + USED_RING + (size_t)USED_ENTRY * ((q->next_used + index) & (q->size - 1u));
    put32(entry, head);
    put32(entry + 4, written);
}

// The release makes data and entries visible before the index that announces them.
void virtq_flush(struct virtq *q, unsigned n)
{
    BUG_ON(n > q->n_in_use);
    q->n_in_use = (u16)(q->n_in_use - n);
    q->next_used = (u16)(q->next_used + n);
    __atomic_store_n((u16 *)(void *)(q->used + USED_IDX), htole16(q->next_used), __ATOMIC_RELEASE);
}

void virtq_push(struct virtq *q, u16 head, u32 written)
{
    virtq_fill(q, 0, head, written);
    virtq_flush(q, 1);
}

// Section 2.7.7. The fence pairs with the driver's between enabling interrupts and looking at the
// used index: one of the two sees the other's write.
bool virtq_must_interrupt(struct virtq *q)
{
    if (q->is_broken || !q->is_enabled)
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!q->has_event_idx)
        return !(get16(q->avail + AVAIL_FLAGS) & AVAIL_NO_INTERRUPT);
    u16 event = get16(q->avail + AVAIL_RING + 2 * q->size), before = q->notified_used;
    bool passed = (u16)(q->next_used - event - 1) < (u16)(q->next_used - before);
    bool first = !q->has_notified;
    q->notified_used = q->next_used;
    q->has_notified = true;
    return passed || first;
}

bool virtq_want_kick(struct virtq *q, unsigned n)
{
    if (q->is_broken || !q->is_enabled)
        return false;
    if (q->has_event_idx) {
        put16(q->used + USED_RING + (size_t)USED_ENTRY * q->size, (u16)(q->next_avail + n));
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    return n_waiting(q) > n;
}

static u64 copy(const struct iovec *iov, unsigned n, u64 offset, u8 *buf, u64 size, bool to_iov)
{
    u64 done = 0;
    for (unsigned i = 0; i < n && done < size; i++) {
        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        u64 left = iov[i].iov_len - offset, piece = size - done < left ? size - done : left;
        u8 *at = (u8 *)iov[i].iov_base + offset;
        if (to_iov)
            memcpy(at, buf + done, piece);
        else
            memcpy(buf + done, at, piece);
        done += piece;
        offset = 0;
    }
    return done;
}

u64 iov_read(const struct iovec *iov, unsigned n, u64 offset, void *to, u64 size)
{
    return copy(iov, n, offset, to, size, false);
}

u64 iov_write(const struct iovec *iov, unsigned n, u64 offset, const void *from, u64 size)
{
    return copy(iov, n, offset, (u8 *)(uintptr_t)from, size, true);
}

unsigned iov_cut(const struct iovec *from, unsigned n, u64 skip, u64 length, struct iovec *to)
{
    unsigned n_to = 0;
    for (unsigned i = 0; i < n && length; i++) {
        if (skip >= from[i].iov_len) {
            skip -= from[i].iov_len;
            continue;
        }
        u64 left = from[i].iov_len - skip, piece = left < length ? left : length;
        to[n_to++] = (struct iovec){(u8 *)from[i].iov_base + skip, piece};
        length -= piece;
        skip = 0;
    }
    return n_to;
}
