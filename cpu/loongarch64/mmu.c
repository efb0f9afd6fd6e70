// SPDX-License-Identifier: Apache-2.0
// Address translation: section 5 of the Reference Manual, and the cache of its results.
//
// The cache (la_cpu.cache) is tagged with a 12-bit context number, which stands for address space
// and mode: GID, ASID, privilege level, direct or mapped. Changing any of these selects another
// number and drops nothing. Numbers are handed out in eights (one per mode) to address spaces as
// they appear; when they run out everything is forgotten and counting starts anew. Number 0 is
// the root's direct mode, which knows no address spaces; LA_NEVER_CACHED is in no tag, not even in
// that of an empty slot, which is all ones: the last page has it within a guest's reach.
//
// What is cached for a guest is the result of both stages. It may outlive the second-stage entry
// that it came from, as in any hidden level of a TLB; every invalidation that could have hit that
// entry forgets all of the guest, found or not.
#include "cpu/loongarch64/access.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

#define N_SPACES     511 // times 8 modes; 511 * 8 and above are LA_NEVER_CACHED
#define N_KNOWN      1024
#define NO_KEY       (~0ULL)
#define GUEST_DIRECT 4 // a guest in direct mode, beside its privilege levels 0 to 3

struct la_mmu_contexts {
    struct {
        u64 key;
        u16 space;
    } known[N_KNOWN]; // by hash of the key
    u16 n_spaces;
    u32 n_flushes[256]; // of each guest: part of its keys, so that the old ones match no more
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
    la_slots_forget(c);
    la_targets_forget(c);
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

static u64 make_key(const struct la_cpu *c, bool is_guest, unsigned gid, unsigned asid)
{
    u32 key = (is_guest ? 1u << 18 : 0) | gid << 10 | (asid & 0x3ff);
    return key | (is_guest ? (u64)c->contexts->n_flushes[gid] << 32 : 0);
}

static u64 space_key(const struct la_cpu *c)
{
    bool is_guest = la_in_guest(c);
    return make_key(c, is_guest, is_guest ? la_guest_gid(c) : 0, (unsigned)c->csr[CSR_ASID]);
}

// Guests with the same ASID must not fight for a slot.
static unsigned slot_of(u64 key)
{
    u32 low = (u32)key;
    return (low ^ (low >> 10) * 37) % N_KNOWN;
}

static unsigned space_number(struct la_cpu *c, u64 key)
{
    struct la_mmu_contexts *x = c->contexts;
    unsigned i = slot_of(key);
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
bool la_mmu_is_va32(const struct la_cpu *c)
{
    unsigned plv = la_plv(c);
    return plv && c->csr[CSR_MISC] >> plv & 1;
}

// MISC.ALCLn: misaligned accesses trap at this level; so they do where the model has no UAL.
static bool is_strictly_aligned(const struct la_cpu *c)
{
    return c->csr[CSR_MISC] >> (12 + la_plv(c)) & 1 || !(c->cpucfg[1] & BIT(20));
}

// The second stage is checked at the root's level, which is in no context number. Hypervisors keep
// it at 0.
static bool is_of_unusual_root(const struct la_cpu *c)
{
    return la_in_guest(c) && c->root.csr[CSR_CRMD] & CRMD_PLV;
}

// Nor is translated code known that lets the root trap what it does in place.
static bool is_unusual(const struct la_cpu *c)
{
    return la_mmu_is_va32(c) || is_strictly_aligned(c) || is_of_unusual_root(c) ||
           la_traps_privileged(c);
}

static void choose_context(struct la_cpu *c)
{
    if (is_unusual(c))
        c->mmu_context = LA_NEVER_CACHED;
    else if (!(c->csr[CSR_CRMD] & CRMD_DA))
        c->mmu_context = space_number(c, space_key(c)) * 8 + la_plv(c);
    else if (la_in_guest(c))
        c->mmu_context = space_number(c, space_key(c)) * 8 + GUEST_DIRECT;
    else
        c->mmu_context = 0;
}

void la_mmu_mode_changed(struct la_cpu *c)
{
    choose_context(c);
    la_slots_mode_changed(c);
}

// The space that an entry is of, or all. False: a space without a number, of which nothing is
// cached.
static bool find_space(const struct la_cpu *c, bool is_guest, const struct la_tlb_entry *t,
                       unsigned *space)
{
    u64 key = make_key(c, is_guest, is_guest ? t->gid : 0, t->asid);
    *space = t->global ? LA_ALL_SPACES : c->contexts->known[slot_of(key)].space;
    return t->global || c->contexts->known[slot_of(key)].key == key;
}

static bool is_of_present_asid(const struct la_cpu *c, bool is_guest, const struct la_tlb_entry *t)
{
    const struct la_context *x = is_guest ? &c->guest : &c->root;
    return t->asid == (x->csr[CSR_ASID] & 0x3ff);
}

// A page of code that is forgotten takes all links along. If it is another address space's, which often
// has ended, that one gets another number when it runs again.
static bool drops_space(struct la_cpu *c, bool is_guest, const struct la_tlb_entry *t, u64 va,
                        u64 size, unsigned space)
{
    if (space == LA_ALL_SPACES || is_of_present_asid(c, is_guest, t) || !c->code.vcpu ||
        !la_targets_are_in(c, va & BITS(47, 0), size, space))
        return false;
    c->contexts->known[slot_of(make_key(c, is_guest, is_guest ? t->gid : 0, t->asid))].key = NO_KEY;
    la_mmu_mode_changed(c);
    return true;
}

void la_mmu_flush_entry(struct la_cpu *c, bool is_guest, const struct la_tlb_entry *t,
                        unsigned halves)
{
    const u64 page = BIT(t->ps), va = t->vppn + (halves == 2 ? page : 0);
    const u64 n = (halves == 3 ? 2 * page : page) >> LA_GRANULE_SHIFT;
    unsigned space;
    if (!halves || !find_space(c, is_guest, t, &space))
        return;
    if (n >= LA_CACHE_SIZE) {
        drop_cache(c);
        return;
    }
    if (drops_space(c, is_guest, t, va, n * LA_GRANULE, space))
        return;
    for (u64 i = 0; i < n; i++)
        for (unsigned access = 0; access < 3; access++)
            c->cache[access][la_cache_index(va + i * LA_GRANULE)].tag = ~0ULL;
    la_slots_forget_range(c, va, n * LA_GRANULE, space);
}

// Only the name of the space is dropped: what was cached under it can match no more.
void la_mmu_flush_asid(struct la_cpu *c, unsigned gid, unsigned asid)
{
    u64 key = make_key(c, la_in_guest(c), gid, asid);
    if (c->contexts->known[slot_of(key)].key == key)
        c->contexts->known[slot_of(key)].key = NO_KEY;
    la_mmu_mode_changed(c);
}

void la_mmu_flush_gid(struct la_cpu *c, unsigned gid)
{
    // With a second-stage id of its own, any guest may have been meant.
    if (c->lvz.usevmid || !++c->contexts->n_flushes[gid])
        la_mmu_flush(c);
    la_mmu_mode_changed(c);
}

static _Noreturn void raise_not_canonical(struct la_cpu *c, u64 va, enum la_access access)
{
    la_raise_address(c, access == LA_FETCH ? EXC_ADEF : EXC_ADEM, va);
}

// Bits above VALEN - RBits must all equal the highest legal bit.
bool la_mmu_is_canonical(const struct la_cpu *c, u64 va)
{
    unsigned rbits = c->csr[CSR_RVACFG] & 0xf;
    unsigned width = bits_get(c->cpucfg[1], 19, 12) + 1 - (rbits <= 8 ? rbits : 8);
    return sign_extend(va, width) == (s64)va;
}

// Direct-mapped windows: section 5.2.1.
int la_mmu_window(const struct la_cpu *c, u64 va)
{
    unsigned plv = la_plv(c);
    for (unsigned n = 0; n < 4; n++) {
        u64 dmw = c->csr[CSR_DMW0 + n];
        if (dmw >> 60 == va >> 60 && dmw >> plv & 1)
            return (int)n;
    }
    return -1;
}

static bool in_window(const struct la_cpu *c, u64 va)
{
    return la_mmu_window(c, va) >= 0;
}

bool la_mmu_is_address(const struct la_cpu *c, u64 va)
{
    if (la_mmu_is_va32(c))
        va &= 0xffffffff;
    return c->csr[CSR_CRMD] & CRMD_DA || in_window(c, va) || la_mmu_is_canonical(c, va);
}

u64 la_physical_mask(const struct la_cpu *c)
{
    return BITS(bits_get(c->cpucfg[1], 11, 4), 0);
}

u64 la_mmu_direct(const struct la_cpu *c, u64 va)
{
    bool is_whole = la_in_guest(c) && !c->lvz.da_masked;
    return is_whole ? va : va & la_physical_mask(c);
}

u64 la_mmu_page_address(const struct la_cpu *c, const struct la_tlb_entry *t, u64 va)
{
    u64 in_page = BIT(t->ps) - 1;
    u64 elo = t->elo[va >> t->ps & 1];
    return (elo & la_physical_mask(c) & ~0xfffULL & ~in_page) | (va & in_page);
}

static u64 translate_by_tlb(struct la_cpu *c, const struct la_tlb_view *v, u64 va,
                            enum la_access access)
{
    struct la_tlb_entry *t = la_tlb_find(c, v, va);
    if (la_walker_is_on(v))
        t = la_walker_check(c, v, t, va, access);
    else if (!t && v->tlb->kind == LA_TLB_STAGE2)
        la_raise_root(c, EXC_TLBR, va);
    else if (!t)
        la_raise_address(c, EXC_TLBR, va);
    else
        la_check_page(c, v, t->elo[va >> t->ps & 1], va, access);
    return la_mmu_page_address(c, t, va);
}

// The first stage, or the only one of the root.
static u64 translate_own(struct la_cpu *c, u64 va, enum la_access access)
{
    if (la_mmu_is_va32(c))
        va &= 0xffffffff;
    if (c->csr[CSR_CRMD] & CRMD_DA)
        return la_mmu_direct(c, va);
    if (in_window(c, va))
        return va & la_physical_mask(c);
    if (!la_mmu_is_canonical(c, va))
        raise_not_canonical(c, va, access);
    struct la_tlb_view v = la_tlb_own(c);
    return translate_by_tlb(c, &v, va, access);
}

// Addresses that no second-stage table can hold are invalid at once: a walk for them would start at
// the wrong root.
bool la_mmu_is_gpa(const struct la_cpu *c, u64 gpa)
{
    unsigned valen = (unsigned)bits_get(c->cpucfg[1], 19, 12) + 1;
    unsigned palen = (unsigned)bits_get(c->cpucfg[1], 11, 4) + 1;
    return !(gpa >> (c->lvz.gpa_refill ? palen : valen - 1));
}

static void check_gpa(struct la_cpu *c, u64 gpa, enum la_access access)
{
    static const enum la_exception invalid[] = {EXC_PIL, EXC_PIS, EXC_PIF};
    if (!la_mmu_is_gpa(c, gpa))
        la_raise_root(c, invalid[access], gpa);
}

u64 la_route(const struct la_cpu *c, u64 pa)
{
    const struct cpu_bus *bus = c->cpu.bus;
    return bus->route ? bus->route(bus->route_opaque, c->cpu.index, pa) : pa;
}

u64 la_translate_gpa(struct la_cpu *c, u64 gpa, enum la_access access)
{
    check_gpa(c, gpa, access);
    struct la_tlb_view v = la_tlb_stage2(c);
    return la_route(c, translate_by_tlb(c, &v, gpa, access));
}

u64 la_translate(struct la_cpu *c, u64 va, enum la_access access)
{
    u64 pa = translate_own(c, va, access);
    return la_in_guest(c) ? la_translate_gpa(c, pa, access) : la_route(c, pa);
}

static unsigned entry_size(struct la_cpu *c, const struct la_tlb_view *v, u64 va)
{
    const struct la_tlb_entry *t = la_tlb_find(c, v, va);
    return t ? t->ps : 12;
}

unsigned la_mmu_page_size(struct la_cpu *c, u64 va, enum la_access access)
{
    bool is_direct = c->csr[CSR_CRMD] & CRMD_DA || in_window(c, va);
    struct la_tlb_view own = la_tlb_own(c);
    unsigned ps = is_direct ? 63 : entry_size(c, &own, va);
    if (!la_in_guest(c))
        return ps;
    u64 gpa = translate_own(c, va, access);
    struct la_tlb_view second = la_tlb_stage2(c);
    unsigned ps2 = entry_size(c, &second, gpa);
    return ps2 < ps ? ps2 : ps;
}

// Where entries overlap, an address space may have one of its own beside the global one.
bool la_mmu_is_global(struct la_cpu *c, u64 va)
{
    if (la_in_guest(c) || la_plv(c) || c->csr[CSR_CRMD] & CRMD_DA)
        return false;
    struct la_tlb_view own = la_tlb_own(c);
    const struct la_tlb_entry *t = in_window(c, va) ? NULL : la_tlb_find(c, &own, va);
    return t && t->global && !own.tlb->overlaps;
}

bool la_mmu_may_cache(const struct la_cpu *c)
{
    return c->mmu_context != LA_NEVER_CACHED;
}

bool la_mmu_traps_misaligned(const struct la_cpu *c)
{
    return is_strictly_aligned(c);
}
