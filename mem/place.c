// SPDX-License-Identifier: Apache-2.0
#include "mem/place.h"

#include <stdlib.h>

static struct mem_place of_ram(const struct mem_ram *r)
{
    return (struct mem_place){
        .first = r->base, .last = r->base + r->size - 1, .name = "RAM", .is_ram = true};
}

static struct mem_place of_region(const struct mem_region *r)
{
    return (struct mem_place){.first = r->base,
                              .last = r->base + r->size - 1,
                              .name = r->name ? r->name : "?",
                              .is_direct = r->direct && r->is_direct};
}

static int outer_first(const void *left, const void *right)
{
    const struct mem_place *a = left, *b = right;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a->last == b->last ? 0 : a->last > b->last ? -1 : 1;
}

static unsigned depth_of(const struct mem_place *places, unsigned i)
{
    unsigned depth = 0;
    for (unsigned outer = 0; outer < i; outer++)
        depth += places[outer].last >= places[i].last;
    return depth;
}

unsigned mem_places(const struct mem_space *m, struct mem_place places[MEM_MAX_PLACES])
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->n_ram; i++)
        places[n++] = of_ram(&m->ram[i]);
    for (unsigned i = 0; i < m->n_regions; i++)
        places[n++] = of_region(m->regions[i]);
    qsort(places, n, sizeof(places[0]), outer_first);
    for (unsigned i = 0; i < n; i++)
        places[i].depth = depth_of(places, i);
    return n;
}

static bool covers(gpa_t base, u64 size, gpa_t gpa)
{
    return gpa - base < size;
}

// RAM comes first, then the region of the highest priority, of equal ones the later.
bool mem_place_at(const struct mem_space *m, gpa_t gpa, struct mem_place *p)
{
    const struct mem_region *best = NULL;
    for (unsigned i = 0; i < m->n_ram; i++) {
        if (covers(m->ram[i].base, m->ram[i].size, gpa)) {
            *p = of_ram(&m->ram[i]);
            return true;
        }
    }
    for (unsigned i = 0; i < m->n_regions; i++) {
        const struct mem_region *r = m->regions[i];
        if (covers(r->base, r->size, gpa) && (!best || r->priority >= best->priority))
            best = r;
    }
    if (best)
        *p = of_region(best);
    return best;
}

bool mem_peek(struct mem_space *m, gpa_t gpa, void *bytes, size_t n)
{
    u8 *to = bytes;
    for (size_t i = 0; i < n; i++) {
        const u8 *host = mem_ram_page(m, gpa + i, 1, false);
        if (!host)
            return false;
        to[i] = *host;
    }
    return true;
}
