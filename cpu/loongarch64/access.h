// SPDX-License-Identifier: Apache-2.0
// How instructions reach memory: one compare and one host access when the page is cached.
//
// Every access either happens whole or raises with nothing changed; one that crosses a granule is
// checked on both sides first. Where misaligned accesses must trap (MISC.ALCL, models without UAL)
// nothing is cached, so that the slow path sees every access. Values are zero-extended. Naturally
// aligned accesses of up to 8 bytes are single-copy atomic; plain host accesses give that, and
// x86's order is stronger than LoongArch's (a weaker host needs barriers in dbar and in the
// acquire/release instructions only).
#pragma once

#include "cpu/loongarch64/state.h"
#include "mem/word.h"

static inline unsigned la_cache_index(u64 va)
{
    return (va >> LA_GRANULE_SHIFT) & (LA_CACHE_SIZE - 1);
}

// The host address of [va, va + size), or NULL if the slow path must look.
static inline u8 *la_host(struct la_cpu *c, u64 va, unsigned size, enum la_access access)
{
    const struct la_cached_page *p = &c->cache[access][la_cache_index(va)];
    u64 tag = (va & ~(u64)(LA_GRANULE - 1)) | c->mmu_context;
    if (unlikely(p->tag != tag || (va & (LA_GRANULE - 1)) + size > LA_GRANULE))
        return NULL;
    return (u8 *)(uintptr_t)(va + p->delta);
}

#define LA_DEFINE_ACCESS(bits, host_type)                                                      \
    static inline u64 la_load##bits(struct la_cpu *c, u64 va)                                  \
    {                                                                                          \
        u8 *p = la_host(c, va, (bits) / 8, LA_LOAD);                                           \
        return likely(p != NULL) ? *(volatile host_type *)p : la_load_slow(c, va, (bits) / 8); \
    }                                                                                          \
    static inline void la_store##bits(struct la_cpu *c, u64 va, u64 value)                     \
    {                                                                                          \
        u8 *p = la_host(c, va, (bits) / 8, LA_STORE);                                          \
        if (likely(p != NULL))                                                                 \
            *(volatile host_type *)p = (host_type)value;                                       \
        else                                                                                   \
            la_store_slow(c, va, value, (bits) / 8);                                           \
    }

LA_DEFINE_ACCESS(8, u8)
LA_DEFINE_ACCESS(16, host_u16)
LA_DEFINE_ACCESS(32, host_u32)
LA_DEFINE_ACCESS(64, host_u64)
#undef LA_DEFINE_ACCESS

// 16 and 32 bytes, as n_words little-endian 64-bit words. Not atomic as a whole.
void la_load_vector(struct la_cpu *c, u64 va, u64 *words, unsigned n_words);
void la_store_vector(struct la_cpu *c, u64 va, const u64 *words, unsigned n_words);

// A host pointer to naturally aligned RAM for read-modify-write. Raises ALE if misaligned, the
// store's exceptions if it may not be written, and ADEM if it is not RAM. Whoever stores does so
// between la_links_begin and la_links_end (links.h).
void *la_atomic_host(struct la_cpu *c, u64 va, unsigned size);
