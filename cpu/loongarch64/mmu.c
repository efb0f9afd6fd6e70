// SPDX-License-Identifier: Apache-2.0
// Address translation: section 5 of the Reference Manual, and the cache of its results.
//
// The cache (la_cpu.cache) is tagged with a 12-bit context number, which stands for address space
// and mode: GID, ASID, privilege level, direct or mapped. Changing any of these selects another
// number and drops nothing. Numbers are handed out in eights (one per mode) to address spaces as
// they appear; when they run out everything is forgotten and counting starts anew. Number 0 is
// direct mode, which knows no address spaces; NEVER_CACHED is in no tag.
#include "cpu/loongarch64/access.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

#define N_SPACES     511 // times 8 modes; 511 * 8 and above are NEVER_CACHED
#define N_KNOWN      1024
#define NEVER_CACHED 0xfff
#define NO_KEY       (~0u)

struct la_mmu_contexts {
    struct {
        u32 key;
        u16 space;
    } known[N_KNOWN]; // by hash of the key
    u16 n_spaces;
};

static void forget_spaces(struct la_mmu_contexts *x)
{
    for (unsigned i = 0; i < N_KNOWN; i++)
        x->known[i].key = NO_KEY;
    x->n_spaces = 1; // 0 is direct mode
}

static void drop_cache(struct la_cpu *c)
{
    memset(c->cache, 0xff, sizeof(c->cache));
}

void la_mmu_flush(struct la_cpu *c)
{
    drop_cache(c);
    forget_spaces(c->contexts);
    la_mmu_mode_changed(c);
}

void la_mmu_init(struct la_cpu *c)
{
    c->contexts = calloc(1, sizeof(*c->contexts));
    BUG_ON(!c->contexts);
    la_mmu_flush(c);
}

static u32 space_key(const struct la_cpu *c)
{
    return (u32)c->csr[CSR_ASID] & 0x3ff; // a guest context adds its GID
}

static unsigned space_number(struct la_cpu *c, u32 key)
{
    struct la_mmu_contexts *x = c->contexts;
    unsigned i = key % N_KNOWN;
    if (x->known[i].key != key) {
        if (x->n_spaces == N_SPACES) {
            drop_cache(c);
            forget_spaces(x);
        }
        x->known[i].key = key;
        x->known[i].space = x->n_spaces++;
    }
    return x->known[i].space;
}

// MISC.VA32Ln: addresses at this level are 32 bits wide.
static bool is_va32(const struct la_cpu *c)
{
    unsigned plv = la_plv(c);
    return plv && c->csr[CSR_MISC] >> plv & 1;
}

// MISC.ALCLn: misaligned accesses trap at this level; so they do where the model has no UAL.
static bool is_strictly_aligned(const struct la_cpu *c)
{
    return c->csr[CSR_MISC] >> (12 + la_plv(c)) & 1 || !(c->cpucfg[1] & BIT(20));
}

void la_mmu_mode_changed(struct la_cpu *c)
{
    if (is_va32(c) || is_strictly_aligned(c))
        c->mmu_context = NEVER_CACHED;
    else if (c->csr[CSR_CRMD] & CRMD_DA)
        c->mmu_context = 0;
    else
        c->mmu_context = space_number(c, space_key(c)) * 8 + la_plv(c);
}

void la_mmu_flush_pair(struct la_cpu *c, u64 va, unsigned ps)
{
    u64 n = (2ULL << ps) >> LA_GRANULE_SHIFT;
    if (n >= LA_CACHE_SIZE) {
        drop_cache(c);
        return;
    }
    for (u64 i = 0; i < n; i++)
        for (unsigned access = 0; access < 3; access++)
            c->cache[access][la_cache_index(va + i * LA_GRANULE)].tag = ~0ULL;
}

// Only the name of the space is dropped: what was cached under it can match no more.
void la_mmu_flush_asid(struct la_cpu *c, unsigned asid)
{
    u32 key = asid & 0x3ff;
    if (c->contexts->known[key % N_KNOWN].key == key)
        c->contexts->known[key % N_KNOWN].key = NO_KEY;
    la_mmu_mode_changed(c);
}

static _Noreturn void raise_not_canonical(struct la_cpu *c, u64 va, enum la_access access)
{
    la_raise_address(c, access == LA_FETCH ? EXC_ADEF : EXC_ADEM, va);
}

// Bits above VALEN - RBits must all equal the highest legal bit.
static bool is_canonical(const struct la_cpu *c, u64 va)
{
    unsigned rbits = c->csr[CSR_RVACFG] & 0xf;
    unsigned width = bits_get(c->cpucfg[1], 19, 12) + 1 - (rbits <= 8 ? rbits : 8);
    return sign_extend(va, width) == (s64)va;
}

// Direct-mapped windows: section 5.2.1.
static bool in_window(const struct la_cpu *c, u64 va)
{
    unsigned plv = la_plv(c);
    for (unsigned n = 0; n < 4; n++) {
        u64 dmw = c->csr[CSR_DMW0 + n];
        if (dmw >> 60 == va >> 60 && dmw >> plv & 1)
            return true;
    }
    return false;
}

static u64 physical_mask(const struct la_cpu *c)
{
    return BITS(bits_get(c->cpucfg[1], 11, 4), 0);
}

static u64 entry_address(const struct la_cpu *c, const struct la_tlb_entry *t, u64 va)
{
    u64 in_page = BIT(t->ps) - 1;
    u64 elo = t->elo[va >> t->ps & 1];
    return (elo & physical_mask(c) & ~0xfffULL & ~in_page) | (va & in_page);
}

static u64 translate_mapped(struct la_cpu *c, u64 va, enum la_access access)
{
    if (!is_canonical(c, va))
        raise_not_canonical(c, va, access);
    struct la_tlb_entry *t = la_tlb_find(c, va);
    if (la_walker_is_on(c))
        t = la_walker_check(c, t, va, access);
    else if (!t)
        la_raise_address(c, EXC_TLBR, va);
    else
        la_check_page(c, t->elo[va >> t->ps & 1], va, access);
    return entry_address(c, t, va);
}

u64 la_translate(struct la_cpu *c, u64 va, enum la_access access)
{
    if (is_va32(c))
        va &= 0xffffffff;
    if (c->csr[CSR_CRMD] & CRMD_DA || in_window(c, va))
        return va & physical_mask(c);
    return translate_mapped(c, va, access);
}

bool la_mmu_may_cache(const struct la_cpu *c)
{
    return c->mmu_context != NEVER_CACHED;
}

bool la_mmu_traps_misaligned(const struct la_cpu *c)
{
    return is_strictly_aligned(c);
}
