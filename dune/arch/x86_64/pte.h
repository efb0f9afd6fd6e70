// SPDX-License-Identifier: Apache-2.0
// Page tables of four levels with 512 entries each.
#pragma once

#include "base/types.h"

#include <sys/mman.h>

enum { PT_PAGE_SHIFT = 12, PT_BITS = 9, PT_LEVELS = 4, PT_TOP_USER = 256 };

#define PTE_PRESENT  1ULL
#define PTE_WRITE    2ULL
#define PTE_USER     4ULL
#define PTE_ACCESSED 0x20ULL
#define PTE_DIRTY    0x40ULL
#define PTE_NX       (1ULL << 63)
#define PTE_ADDRESS  0x000ffffffffff000ULL
// Of every entry that is made for good.
#define PTE_VALID (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)

static inline bool pte_is_present(u64 entry)
{
    return entry & PTE_PRESENT;
}

static inline u64 pte_directory(u64 gpa)
{
    return gpa | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;
}

// The address stays when there are no rights. Accessed and dirty are set from the start, so that
// the processor never writes here by itself.
static inline u64 pte_with(u64 gpa, u64 rights)
{
    u64 bits = PTE_USER | PTE_ACCESSED | PTE_DIRTY;
    bits |= rights ? PTE_PRESENT : 0;
    bits |= rights & PROT_WRITE ? PTE_WRITE : 0;
    bits |= rights & PROT_EXEC ? 0 : PTE_NX;
    return gpa | bits;
}

static inline bool pte_grants(u64 entry, u32 wanted)
{
    return entry & PTE_PRESENT && (!(wanted & PROT_WRITE) || entry & PTE_WRITE) &&
           (!(wanted & PROT_EXEC) || !(entry & PTE_NX));
}
