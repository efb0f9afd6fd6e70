// SPDX-License-Identifier: Apache-2.0
// Page tables in memory, as lddir and ldpte or the hardware walker read them, and refill handlers
// for them. Reference Manual, volume 1, 5.4.5.
#pragma once

#include "base/bits.h"

// Bits of an entry that the TLB does not have; the rest is as in TLBELO (tlb.h).
#define PTE_HUGE        BIT(6)  // in a directory: this is a page
#define PTE_HUGE_GLOBAL BIT(12) // G of a huge page
#define PTE_P           BIT(7)  // hardware walker: present; V then means accessed
#define PTE_W           BIT(8)  // hardware walker: writable; D then means dirty

// Where each level's index is in an address. Level 0 is the page table, 1 to 4 the directories;
// width 0: there is no such level.
struct page_table_shape {
    u8 base[5], width[5];
    const void *refill; // handler, in page_table.S
};

// Linux with 16 KiB pages: Dir3 36/11, Dir1 25/11, PT 14/11.
extern const struct page_table_shape page_table_16k;
// EDK2 with 4 KiB pages: Dir3 39/9, Dir2 30/9, Dir1 21/9, PT 12/9.
extern const struct page_table_shape page_table_4k;

struct page_table {
    const struct page_table_shape *shape;
    u64 low, high; // physical addresses of the roots for the two halves of the address space
    u64 next, end; // physical memory for tables
};

// Tables are made in [pool, pool + size), 64 KiB aligned; nothing is mapped.
void page_table_init(struct page_table *t, const struct page_table_shape *shape, u64 pool,
                     u64 size);
// The place of the entry for `va`, made if need be. Level 0 is the page; 1 and up for huge pages.
u64 *page_table_entry(struct page_table *t, unsigned level, u64 va);
// Sets PWCL, PWCH, PGDL, PGDH and the STLB's page size, empties the TLB. With `refill` TLBRENTRY is
// the shape's handler, which counts in SAVE7.
void page_table_use(const struct page_table *t, bool refill);
// Back to the handlers of trap.h.
void page_table_end(void);
u64 page_table_refills(void); // since the last call
