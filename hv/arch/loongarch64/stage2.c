// SPDX-License-Identifier: Apache-2.0
// Tables of stage 2, as lddir and ldpte walk them: 16 KiB pages, three levels, leaves of 16 KiB and
// 32 MiB. An empty directory entry leads to a directory whose entries all lead to a page of zeros,
// so that the refill code needs no test and never reads what is no table. Plain C: the tests walk
// these tables on the host.
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/pool.h"
#include "hv/text.h"

#define N_ENTRIES 2048
#define BLOCK_BIT 25 // log2 of HV_BLOCK
#define TOP_BIT   36
#define PAGE_BIT  14

#define PTE_V       BIT(0)
#define PTE_D       BIT(1)
#define PTE_CACHED  BIT(4) // MAT: coherent; 0 is strongly ordered, uncached
#define PTE_HUGE    BIT(6)
#define PTE_P       BIT(7)
#define PTE_W       BIT(8)
#define PTE_NX      BIT(62)
#define PTE_ADDRESS BITS(47, 14)

static u64 *table_at(u64 pa)
{
    return arch_memory(pa & PTE_ADDRESS);
}

static unsigned index_at(u64 gpa, unsigned bit)
{
    return (unsigned)(gpa >> bit) & (N_ENTRIES - 1);
}

// The two tables that stand for "nothing", made once: they are the first two of the pool.
static bool find_empty(struct hv *hv, struct stage2_empty *e)
{
    *e = hv->empty;
    if (e->directory)
        return true;
    e->page = table_alloc(hv);
    e->directory = table_alloc(hv);
    if (!e->directory)
        return false;
    for (unsigned i = 0; i < N_ENTRIES; i++)
        table_at(e->directory)[i] = e->page;
    hv->empty = *e;
    return true;
}

static u64 new_table(struct hv *hv, u64 entry, u64 step)
{
    u64 pa = table_alloc(hv);
    for (unsigned i = 0; pa && i < N_ENTRIES; i++)
        table_at(pa)[i] = entry + i * step;
    return pa;
}

bool arch_stage2_new(struct hv *hv, u64 *root)
{
    struct stage2_empty empty;
    *root = find_empty(hv, &empty) ? new_table(hv, empty.directory, 0) : 0;
    return *root;
}

void arch_stage2_free(struct hv *hv, u64 root)
{
    struct stage2_empty empty = hv->empty;
    for (unsigned i = 0; i < N_ENTRIES; i++) {
        u64 directory = table_at(root)[i];
        if (directory == empty.directory)
            continue;
        for (unsigned k = 0; k < N_ENTRIES; k++) {
            u64 entry = table_at(directory)[k];
            if (entry != empty.page && !(entry & PTE_HUGE))
                table_free(hv, entry);
        }
        table_free(hv, directory);
    }
    table_free(hv, root);
}

static u64 *directory_entry(struct hv *hv, u64 root, u64 gpa)
{
    u64 *top = &table_at(root)[index_at(gpa, TOP_BIT)];
    if (*top == hv->empty.directory) {
        u64 directory = new_table(hv, hv->empty.page, 0);
        if (!directory)
            return NULL;
        __atomic_store_n(top, directory, __ATOMIC_RELEASE);
    }
    return &table_at(*top)[index_at(gpa, BLOCK_BIT)];
}

// The leaf entry of one page, with the block around it split if it is one.
static u64 *page_entry(struct hv *hv, u64 root, u64 gpa)
{
    u64 *block = directory_entry(hv, root, gpa);
    if (!block)
        return NULL;
    if (*block == hv->empty.page || *block & PTE_HUGE) {
        bool is_block = *block & PTE_HUGE;
        u64 pages = new_table(hv, is_block ? *block & ~PTE_HUGE : 0, is_block ? HV_PAGE_SIZE : 0);
        if (!pages)
            return NULL;
        __atomic_store_n(block, pages, __ATOMIC_RELEASE);
    }
    return &table_at(*block)[index_at(gpa, PAGE_BIT)];
}

static u64 attributes(u32 type, u32 rights)
{
    u64 bits = PTE_V | PTE_P | (type == CELL_MEMORY_RAM ? PTE_CACHED : 0);
    if (rights & CELL_WRITE)
        bits |= PTE_D | PTE_W;
    if (!(rights & CELL_EXECUTE))
        bits |= PTE_NX;
    return bits;
}

static bool is_whole_block(u64 at, u64 hpa, u64 left)
{
    return !((at | hpa) & (HV_BLOCK - 1)) && left >= HV_BLOCK;
}

// A table of pages under an entry that becomes a block goes back to the pool.
static void set_block(struct hv *hv, u64 *block, u64 value)
{
    u64 old = *block;
    __atomic_store_n(block, value, __ATOMIC_RELEASE);
    if (old != hv->empty.page && !(old & PTE_HUGE))
        table_free(hv, old);
}

bool arch_stage2_map(struct hv *hv, u64 root, struct region r, u32 type, u32 rights)
{
    u64 bits = attributes(type, rights);
    for (u64 at = 0, step; at < r.size; at += step) {
        bool is_block = is_whole_block(r.gpa + at, r.hpa + at, r.size - at);
        u64 *entry =
            is_block ? directory_entry(hv, root, r.gpa + at) : page_entry(hv, root, r.gpa + at);
        step = is_block ? HV_BLOCK : HV_PAGE_SIZE;
        if (!entry)
            return false;
        if (is_block)
            set_block(hv, entry, (r.hpa + at) | bits | PTE_HUGE);
        else
            __atomic_store_n(entry, (r.hpa + at) | bits, __ATOMIC_RELEASE);
    }
    return true;
}

bool arch_stage2_unmap(struct hv *hv, u64 root, u64 gpa, u64 size)
{
    for (u64 at = 0, step; at < size; at += step) {
        bool is_block = is_whole_block(gpa + at, 0, size - at);
        u64 *entry =
            is_block ? directory_entry(hv, root, gpa + at) : page_entry(hv, root, gpa + at);
        step = is_block ? HV_BLOCK : HV_PAGE_SIZE;
        if (!entry)
            return false;
        if (is_block)
            set_block(hv, entry, hv->empty.page);
        else
            __atomic_store_n(entry, 0, __ATOMIC_RELEASE);
    }
    return true;
}

bool arch_stage2_walk(u64 root, u64 gpa, u64 *hpa)
{
    u64 entry = table_at(table_at(root)[index_at(gpa, TOP_BIT)])[index_at(gpa, BLOCK_BIT)];
    u64 size = HV_BLOCK;
    if (!(entry & PTE_HUGE)) {
        entry = table_at(entry)[index_at(gpa, PAGE_BIT)];
        size = HV_PAGE_SIZE;
    }
    *hpa = (entry & PTE_ADDRESS) + (gpa & (size - 1));
    return entry & PTE_V && gpa < BIT(47);
}
