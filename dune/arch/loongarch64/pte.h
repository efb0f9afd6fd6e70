// SPDX-License-Identifier: Apache-2.0
// Page tables of three levels with 2048 entries each, for pages of 16 KiB. An entry of a directory
// is the address of a table alone. Sections 5.4.5 and 5.4.6 of the Reference Manual, Volume 1.
#pragma once

#include "base/types.h"

#include <sys/mman.h>

enum { PT_PAGE_SHIFT = 14, PT_BITS = 11, PT_LEVELS = 3, PT_TOP_USER = 2048 };

#define PTE_PRESENT 1ULL         // V
#define PTE_WRITE   2ULL         // D
#define PTE_USER    0xcULL       // PLV
#define PTE_CACHED  0x10ULL      // MAT
#define PTE_NX      (1ULL << 62) // NX
#define PTE_ADDRESS 0x0000ffffffffc000ULL
// Of every entry that is made for good.
#define PTE_VALID (PTE_PRESENT | PTE_CACHED)

// The entry of a page; one of a directory is present when it is not zero.
static inline bool pte_is_present(u64 entry)
{
    return entry != 0;
}

static inline u64 pte_directory(u64 gpa)
{
    return gpa;
}

// The address stays when there are no rights.
static inline u64 pte_with(u64 gpa, u64 rights)
{
    u64 bits = PTE_USER | PTE_CACHED;
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
