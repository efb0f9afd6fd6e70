// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/page_table.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

extern const char page_table_refill_16k[], page_table_refill_4k[];

const struct page_table_shape page_table_16k = {
    .base = {14, 25, 0, 36, 0},
    .width = {11, 11, 0, 11, 0},
    .refill = page_table_refill_16k,
};
const struct page_table_shape page_table_4k = {
    .base = {12, 21, 30, 39, 0},
    .width = {9, 9, 9, 9, 0},
    .refill = page_table_refill_4k,
};

static u64 new_table(struct page_table *t, unsigned level)
{
    u64 size = align_up(8ULL << t->shape->width[level], 4096), table = t->next;
    if (table + size > t->end)
        report_bail_out("page tables need more memory");
    t->next += size;
    memset(memory_at(table), 0, size);
    return table;
}

static unsigned top_level(const struct page_table_shape *s)
{
    unsigned level = 4;
    while (!s->width[level])
        level--;
    return level;
}

void page_table_init(struct page_table *t, const struct page_table_shape *shape, u64 pool, u64 size)
{
    *t = (struct page_table){.shape = shape, .next = pool, .end = pool + size};
    t->low = new_table(t, top_level(shape));
    t->high = new_table(t, top_level(shape));
}

// Directories hold addresses of the window, as Linux's do: what is above PALEN does not count.
u64 *page_table_entry(struct page_table *t, unsigned level, u64 va)
{
    const struct page_table_shape *s = t->shape;
    u64 table = va >> 63 ? t->high : t->low;
    for (unsigned n = top_level(s);; n--) {
        if (!s->width[n])
            continue;
        u64 *entry = (u64 *)memory_at(table) + (va >> s->base[n] & (BIT(s->width[n]) - 1));
        if (n == level)
            return entry;
        unsigned below = n - 1;
        while (!s->width[below])
            below--;
        if (!*entry)
            *entry = (u64)memory_at(new_table(t, below));
        table = physical_of((void *)*entry);
    }
}

void page_table_use(const struct page_table *t, bool refill)
{
    const u8 *b = t->shape->base, *w = t->shape->width;
    csr_write(CSR_PWCL, b[0] | w[0] << 5 | b[1] << 10 | w[1] << 15 | b[2] << 20 | (u64)w[2] << 25);
    csr_write(CSR_PWCH, b[3] | w[3] << 6 | b[4] << 12 | w[4] << 18);
    csr_write(CSR_PGDL, memory_at(t->low));
    csr_write(CSR_PGDH, memory_at(t->high));
    tlb_set_stlb_ps(b[0]);
    csr_write(CSR_SAVE0 + 7, 0);
    if (refill)
        csr_write(CSR_TLBRENTRY, physical_of(t->shape->refill));
}

void page_table_end(void)
{
    csr_clear(CSR_PWCH, BIT(24));
    csr_write(CSR_TLBRENTRY, physical_of(trap_refill_vector));
    tlb_clear();
}

u64 page_table_refills(void)
{
    return csr_write(CSR_SAVE0 + 7, 0);
}
