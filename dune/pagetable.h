// SPDX-License-Identifier: Apache-2.0
// The first stage of translation: page tables of the guest, written by the host.
//
// They say exactly what the account of mappings says, for the granules that the program has
// touched; a granule that was not touched has no table. A page's guest-physical address never
// changes, so that entries differ in their permission bits alone. Shadow page tables are not told
// of what the host writes here: more permission is found by the fault that follows, less has to
// be written before the host's own mapping changes, whose notifier then drops what was derived.
#pragma once

#include "base/types.h"
#include "dune/arch.h"

struct slots;
struct vma_map;

// What one table of the lowest level covers.
#define PAGETABLE_GRANULE (1ULL << (PT_PAGE_SHIFT + PT_BITS))

enum { PAGETABLE_FREE = 4096 };

struct pagetable {
    struct slots *slots;        // borrowed
    const struct vma_map *vmas; // borrowed
    u8 *pool;                   // where tables and other pages of the guest's kernel are
    u64 pool_size, pool_used;   // bytes
    u64 root;                   // offset of the top table in the pool
    u32 n_free;                 // pages of the pool that are free again
    u32 free[PAGETABLE_FREE];   // by their places
    struct pagetable *owner;    // of a clone: whose pool it shares; else NULL
    bool is_flat;               // everything is mapped with every right
    u64 n_changes;              // how often rights were taken away; of the owner, for its clones
};

// 0 or -errno.
int pagetable_init(struct pagetable *pt, struct slots *slots, const struct vma_map *vmas);
void pagetable_free(struct pagetable *pt);
u64 pagetable_root_gpa(struct pagetable *pt);

// A zeroed page of the pool, NULL when it is used up, and a page's guest-physical address.
void *pagetable_page(struct pagetable *pt);
u64 pagetable_page_gpa(struct pagetable *pt, const void *page);

// Maps one page whatever the account says. 0 or -ENOMEM.
int pagetable_map(struct pagetable *pt, u64 va, u64 gpa, u64 bits);
// Other tables out of the same pool, with the guest's kernel and nothing of the program. Their
// pages are those from `pool_used` of the first on, and free again when they are not used any more.
// 0 or -ENOMEM.
int pagetable_probe(struct pagetable *pt, struct pagetable *probe);
// The entry of a page, or NULL when its granule has no table.
u64 *pagetable_entry(struct pagetable *pt, u64 va);

// Writes what the account says into the tables that exist for [start, end).
void pagetable_sync(struct pagetable *pt, u64 start, u64 end);
// Takes rights away ahead of a change: no rights but those in `prot` remain in [start, end).
void pagetable_restrict(struct pagetable *pt, u64 start, u64 end, u32 prot);
// Entries were changed by somebody else so that they allow less.
void pagetable_note_change(struct pagetable *pt);
// Makes the table of the granule around `va`. 0 or -ENOMEM.
int pagetable_fill(struct pagetable *pt, u64 va);
// In flat tables: the same where there is no table yet, and nothing otherwise.
int pagetable_fill_page(struct pagetable *pt, u64 va);
// A copy of all tables of the program, whose entries may be changed apart. 0 or -ENOMEM.
int pagetable_clone(struct pagetable *pt, struct pagetable *clone);
void pagetable_free_clone(struct pagetable *clone);
