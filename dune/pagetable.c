// SPDX-License-Identifier: Apache-2.0
#include "dune/pagetable.h"
#include "dune/raw.h"
#include "dune/slots.h"
#include "dune/vma.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = ARCH_PAGE, POOL_SIZE = 256 << 20, ENTRIES = 1 << PT_BITS, LAST = ENTRIES - 1 };
#define GRANULE    PAGETABLE_GRANULE
#define MOST_ALIGN (1ULL << 30)

int pagetable_init(struct pagetable *pt, struct slots *slots, const struct vma_map *vmas)
{
    // More than needed, so that the pool can begin where a chunk of usual size does.
    u64 align = slots->chunk_size < MOST_ALIGN ? slots->chunk_size : MOST_ALIGN;
    u8 *at = raw_pages(POOL_SIZE + align);
    if (!at)
        return -ENOMEM;
    u64 start = ((u64)at + align - 1) & ~(align - 1);
    raw_pages_free(at, start - (u64)at);
    raw_pages_free((u8 *)start + POOL_SIZE, (u64)at + align - start);
    pt->slots = slots;
    pt->vmas = vmas;
    pt->pool = (u8 *)start;
    pt->pool_size = POOL_SIZE;
    pt->pool_used = PAGE;
    pt->root = 0;
    return 0;
}

void pagetable_free(struct pagetable *pt)
{
    raw_pages_free(pt->pool, pt->pool_size);
    pt->pool = NULL;
}

// Pages that clones gave back come first.
void *pagetable_page(struct pagetable *pt)
{
    pt = pt->owner ? pt->owner : pt;
    if (pt->n_free) {
        u8 *page = pt->pool + pt->free[--pt->n_free];
        memset(page, 0, PAGE);
        return page;
    }
    if (pt->pool_used + PAGE > pt->pool_size)
        return NULL;
    u8 *page = pt->pool + pt->pool_used;
    pt->pool_used += PAGE;
    return page;
}

// The pool is contiguous for the host; each chunk of it gets its guest-physical place when used.
u64 pagetable_page_gpa(struct pagetable *pt, const void *page)
{
    return slots_gpa(pt->slots, (u64)page);
}

u64 pagetable_root_gpa(struct pagetable *pt)
{
    return pagetable_page_gpa(pt, pt->pool + pt->root);
}

// What slots say about a table's entry, the other way round.
static u64 *table_of(struct pagetable *pt, u64 entry)
{
    u64 gpa = entry & PTE_ADDRESS;
    for (u32 i = 0; i < pt->slots->n; i++) {
        const struct slot *s = pt->slots->list + i;
        if (gpa - s->gpa < s->size)
            return (u64 *)(s->hva + (gpa - s->gpa));
    }
    return NULL;
}

static u64 *entry_in(u64 *table, u64 va, int level)
{
    return table + (va >> (PT_PAGE_SHIFT + PT_BITS * (level - 1)) & LAST);
}

static u64 *step_down(struct pagetable *pt, u64 *entry, bool make)
{
    if (!pte_is_present(*entry)) {
        void *page = make ? pagetable_page(pt) : NULL;
        if (!page)
            return NULL;
        u64 gpa = pagetable_page_gpa(pt, page);
        if (!gpa)
            return NULL;
        __atomic_store_n(entry, pte_directory(gpa), __ATOMIC_RELEASE);
    }
    return table_of(pt, *entry);
}

// The entry for `va` in the table of that level: 1 is the lowest.
static u64 *walk(struct pagetable *pt, u64 va, int level, bool make)
{
    u64 *table = (u64 *)(pt->pool + pt->root);
    for (int at = PT_LEVELS; at > level && table; at--)
        table = step_down(pt, entry_in(table, va, at), make);
    return table ? entry_in(table, va, level) : NULL;
}

u64 *pagetable_entry(struct pagetable *pt, u64 va)
{
    return walk(pt, va, 1, false);
}

int pagetable_map(struct pagetable *pt, u64 va, u64 gpa, u64 bits)
{
    u64 *entry = walk(pt, va, 1, true);
    if (!entry)
        return -ENOMEM;
    __atomic_store_n(entry, gpa | bits | PTE_VALID, __ATOMIC_RELEASE);
    return 0;
}

static u64 leaf(u64 gpa, u32 prot)
{
    prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
    return prot ? pte_with(gpa, prot) : 0;
}

static void write_range(struct pagetable *pt, u64 *table, u64 start, u64 end, u32 prot)
{
    u64 gpa = prot ? slots_gpa(pt->slots, start) : 0;
    for (u64 at = start; at < end; at += PAGE, gpa += gpa ? PAGE : 0)
        __atomic_store_n(entry_in(table, at, 1), gpa ? leaf(gpa, prot) : 0, __ATOMIC_RELEASE);
}

// [start, end) lies within one granule, whose table it is.
static void write_granule(struct pagetable *pt, u64 *table, u64 start, u64 end)
{
    if (pt->is_flat) {
        write_range(pt, table, start, end, PROT_READ | PROT_WRITE | PROT_EXEC);
        return;
    }
    while (start < end) {
        const struct vma *v = vma_at_or_above(pt->vmas, start);
        u64 next = !v || v->start >= end ? end : v->start > start ? v->start : v->end;
        next = next < end ? next : end;
        write_range(pt, table, start, next, v && v->start <= start ? v->prot : PROT_NONE);
        start = next;
    }
}

// Calls back for each granule of the range that has a table; skips what has none in large steps.
static void for_each_table(struct pagetable *pt, u64 start, u64 end,
                           void (*act)(struct pagetable *, u64 *, u64, u64, u32), u32 prot)
{
    while (start < end) {
        u64 *directory = walk(pt, start, 2, false);
        u64 step = directory ? GRANULE : GRANULE << PT_BITS;
        u64 next = (start & ~(step - 1)) + step;
        next = next < end ? next : end;
        if (directory && pte_is_present(*directory))
            act(pt, table_of(pt, *directory), start, next, prot);
        start = next;
    }
}

static void sync_granule(struct pagetable *pt, u64 *table, u64 start, u64 end, u32 prot)
{
    write_granule(pt, table, start, end);
}

void pagetable_sync(struct pagetable *pt, u64 start, u64 end)
{
    for_each_table(pt, start, end, sync_granule, 0);
}

static u32 rights_of(u64 entry)
{
    return (pte_grants(entry, PROT_READ) ? PROT_READ : 0) |
           (pte_grants(entry, PROT_WRITE) ? PROT_WRITE : 0) |
           (pte_grants(entry, PROT_EXEC) ? PROT_EXEC : 0);
}

// What may be written or executed may be read.
static void restrict_granule(struct pagetable *pt, u64 *table, u64 start, u64 end, u32 prot)
{
    prot |= prot ? PROT_READ : 0;
    for (u64 at = start; at < end; at += PAGE) {
        u64 *entry = entry_in(table, at, 1);
        u32 before = rights_of(*entry), rights = before & prot;
        if (rights != before)
            __atomic_store_n(entry, leaf(*entry & PTE_ADDRESS, rights), __ATOMIC_RELEASE);
    }
}

void pagetable_note_change(struct pagetable *pt)
{
    pt = pt->owner ? pt->owner : pt;
    __atomic_fetch_add(&pt->n_changes, 1, __ATOMIC_RELEASE);
}

void pagetable_restrict(struct pagetable *pt, u64 start, u64 end, u32 prot)
{
    for_each_table(pt, start, end, restrict_granule, prot);
    pagetable_note_change(pt);
}

// A table is complete before an entry names it: other threads run on the tables meanwhile.
int pagetable_fill(struct pagetable *pt, u64 va)
{
    u64 start = va & ~(GRANULE - 1);
    u64 *directory = walk(pt, va, 2, true);
    if (!directory)
        return -ENOMEM;
    if (pte_is_present(*directory)) {
        write_granule(pt, table_of(pt, *directory), start, start + GRANULE);
        return 0;
    }
    u64 *table = pagetable_page(pt);
    u64 gpa = table ? pagetable_page_gpa(pt, table) : 0;
    if (!gpa)
        return -ENOMEM;
    write_granule(pt, table, start, start + GRANULE);
    __atomic_store_n(directory, pte_directory(gpa), __ATOMIC_RELEASE);
    return 0;
}

// The part of the top table that is the guest's kernel, where there is one.
static void copy_kernel(struct pagetable *pt, u8 *root)
{
    u64 at = PT_TOP_USER * sizeof(u64);
    memcpy(root + at, pt->pool + pt->root + at, PAGE - at);
}

int pagetable_probe(struct pagetable *pt, struct pagetable *probe)
{
    *probe = *pt;
    u8 *root = pagetable_page(probe);
    if (!root)
        return -ENOMEM;
    probe->root = (u64)(root - pt->pool);
    copy_kernel(pt, root);
    return 0;
}

int pagetable_fill_page(struct pagetable *pt, u64 va)
{
    return pagetable_entry(pt, va) ? 0 : pagetable_fill(pt, va);
}

// The program's part of a table of that level, and what is below it.
static bool copy_tables(struct pagetable *from, struct pagetable *to, const u64 *source,
                        u64 *target, int level)
{
    for (u32 i = 0; i < (level == PT_LEVELS ? PT_TOP_USER : ENTRIES); i++) {
        u64 *below, *copy = NULL;
        if (!pte_is_present(source[i]) || level == 1) {
            target[i] = source[i];
            continue;
        }
        below = table_of(from, source[i]);
        copy = pagetable_page(to);
        u64 gpa = copy ? pagetable_page_gpa(to, copy) : 0;
        if (!gpa || !copy_tables(from, to, below, copy, level - 1))
            return false;
        target[i] = pte_directory(gpa);
    }
    return true;
}

static void free_tables(struct pagetable *pt, u64 *table, int level)
{
    struct pagetable *owner = pt->owner;
    for (u32 i = 0; i < (level == PT_LEVELS ? PT_TOP_USER : ENTRIES) && level > 1; i++)
        if (pte_is_present(table[i]))
            free_tables(pt, table_of(pt, table[i]), level - 1);
    if (owner->n_free < PAGETABLE_FREE)
        owner->free[owner->n_free++] = (u32)((u8 *)table - owner->pool);
}

int pagetable_clone(struct pagetable *pt, struct pagetable *clone)
{
    *clone = *pt;
    clone->owner = pt;
    u8 *root = pagetable_page(clone);
    if (!root)
        return -ENOMEM;
    clone->root = (u64)(root - pt->pool);
    copy_kernel(pt, root);
    if (copy_tables(pt, clone, (u64 *)(pt->pool + pt->root), (u64 *)(void *)root, PT_LEVELS))
        return 0;
    pagetable_free_clone(clone);
    return -ENOMEM;
}

void pagetable_free_clone(struct pagetable *clone)
{
    free_tables(clone, (u64 *)(clone->pool + clone->root), PT_LEVELS);
}
