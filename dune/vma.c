// SPDX-License-Identifier: Apache-2.0
#include "dune/vma.h"
#include "dune/raw.h"

#include <string.h>

// The index of the first range that ends above `at`.
static u64 index_above(const struct vma_map *m, u64 at)
{
    u64 low = 0, high = m->n;
    while (low < high) {
        u64 middle = (low + high) / 2;
        if (m->list[middle].end > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool reserve(struct vma_map *m, u64 n)
{
    if (n <= m->capacity)
        return true;
    u64 capacity = m->capacity ? 2 * m->capacity : 512;
    struct vma *list = raw_pages(capacity * sizeof(*list));
    if (!list)
        return false;
    if (m->n)
        memcpy(list, m->list, m->n * sizeof(*list));
    raw_pages_free(m->list, m->capacity * sizeof(*list));
    m->list = list;
    m->capacity = capacity;
    return true;
}

void vma_free(struct vma_map *m)
{
    raw_pages_free(m->list, m->capacity * sizeof(*m->list));
    *m = (struct vma_map){0};
}

static void open_gap(struct vma_map *m, u64 at, u64 n_out, u64 n_in)
{
    memmove(m->list + at + n_in, m->list + at + n_out, (m->n - at - n_out) * sizeof(*m->list));
    m->n += n_in - n_out;
}

static void join_with_next(struct vma_map *m, u64 at)
{
    if (at + 1 >= m->n)
        return;
    struct vma *v = m->list + at;
    if (v->end == v[1].start && v->prot == v[1].prot) {
        v->end = v[1].end;
        open_gap(m, at + 1, 1, 0);
    }
}

// Replaces what is in [start, end) by nothing, or by one range.
static bool replace(struct vma_map *m, u64 start, u64 end, const struct vma *by)
{
    if (!reserve(m, m->n + 2))
        return false;
    u64 first = index_above(m, start), last = first;
    struct vma pieces[3];
    u64 n = 0;
    if (first < m->n && m->list[first].start < start)
        pieces[n++] = (struct vma){m->list[first].start, start, m->list[first].prot};
    if (by)
        pieces[n++] = *by;
    while (last < m->n && m->list[last].start < end)
        last++;
    if (last > first && m->list[last - 1].end > end)
        pieces[n++] = (struct vma){end, m->list[last - 1].end, m->list[last - 1].prot};
    open_gap(m, first, last - first, n);
    memcpy(m->list + first, pieces, n * sizeof(*pieces));
    for (u64 i = first + n; i-- > first;)
        join_with_next(m, i);
    if (first)
        join_with_next(m, first - 1);
    return true;
}

bool vma_set(struct vma_map *m, u64 start, u64 end, u32 prot)
{
    struct vma v = {start, end, prot};
    return start >= end || replace(m, start, end, &v);
}

bool vma_clear(struct vma_map *m, u64 start, u64 end)
{
    return start >= end || replace(m, start, end, NULL);
}

bool vma_copy(struct vma_map *m, u64 from, u64 size, u64 to)
{
    if (!vma_clear(m, to, to + size))
        return false;
    for (u64 at = from; at < from + size;) {
        const struct vma *v = vma_at_or_above(m, at);
        if (!v || v->start >= from + size)
            break;
        u64 start = v->start > at ? v->start : at;
        u64 end = v->end < from + size ? v->end : from + size;
        if (!vma_set(m, start - from + to, end - from + to, v->prot))
            return false;
        at = end;
    }
    return true;
}

const struct vma *vma_at_or_above(const struct vma_map *m, u64 at)
{
    u64 i = index_above(m, at);
    return i < m->n ? m->list + i : NULL;
}

const struct vma *vma_find(const struct vma_map *m, u64 at)
{
    const struct vma *v = vma_at_or_above(m, at);
    return v && v->start <= at ? v : NULL;
}

bool vma_covers(const struct vma_map *m, u64 start, u64 end)
{
    while (start < end) {
        const struct vma *v = vma_find(m, start);
        if (!v)
            return false;
        start = v->end;
    }
    return true;
}

bool vma_is_free(const struct vma_map *m, u64 start, u64 end)
{
    const struct vma *v = vma_at_or_above(m, start);
    return !v || v->start >= end;
}

u64 vma_gap_below(const struct vma_map *m, u64 low, u64 high, u64 size, u64 align)
{
    u64 i = index_above(m, high - 1);
    u64 top = i < m->n && m->list[i].start < high ? m->list[i].start : high;
    for (;;) {
        u64 bottom = i ? m->list[i - 1].end : 0;
        u64 floor = bottom > low ? bottom : low;
        if (top >= size && top - size >= floor && ((top - size) & ~(align - 1)) >= floor)
            return (top - size) & ~(align - 1);
        if (!i || bottom <= low)
            return 0;
        top = m->list[--i].start;
    }
}
