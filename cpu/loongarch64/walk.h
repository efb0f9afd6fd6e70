// SPDX-License-Identifier: Apache-2.0
// Page tables as PWCL and PWCH describe them (sections 5.4.5 and 7.5). Between walk.c and
// explain.c.
#pragma once

#include "cpu/loongarch64/state.h"

enum { PTE_V = 1, PTE_D = 2, PTE_HUGE = 1 << 6, PTE_PRESENT = 1 << 7, PTE_WRITE = 1 << 8 };
#define PTE_PLV(pte) ((pte) >> 2 & 3)
#define PTE_NR       BIT(61)
#define PTE_NX       BIT(62)
#define PTE_RPLV     BIT(63)

// Where a level's index is in the virtual address; width 0: the level is absent.
struct la_walk_level {
    unsigned base, width;
};

// Level 0 is the page table, 1 to 4 are Dir1 to Dir4.
struct la_walk_level la_walk_level(const struct la_context *x, unsigned n);
u64 la_walk_entry_size(const struct la_context *x);
u64 la_walk_index(struct la_walk_level l, u64 va);
// Physical, within the context's own address space.
u64 la_walk_entry_address(const struct la_cpu *c, const struct la_context *x, u64 table, u64 index);
u64 la_walk_huge_to_elo(u64 entry);
// Whether tables of the upper half (PGDH) are meant.
bool la_walk_is_high(const struct la_cpu *c, const struct la_context *x, u64 va);
// The entry as its permissions count: there are models that ignore the second stage's PLV.
u64 la_page_permissions(const struct la_cpu *c, const struct la_tlb_view *v, u64 elo);

// The exception that an entry demands, in the order of section 5.4.3, or EXC_INT for none. `valid`
// and `writable` are V and D of an ordinary entry. The second stage is checked at the root's level.
enum la_exception la_page_fault(const struct la_context *x, u64 elo, bool valid, bool writable,
                                enum la_access access);
