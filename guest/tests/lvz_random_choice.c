// SPDX-License-Identifier: Apache-2.0
// Random entries and addresses, chosen so that they meet.
#include "guest/tests/lvz_random.h"
#include "guest/lib/loongarch64/board.h"

#define POOL      BOARD_HIGH_RAM
#define POOL_SIZE BIT(28)

struct access_spec recent[N_RECENT];

bool chance(unsigned one_in)
{
    return random_below(&rng, one_in) == 0;
}

static u64 random_address(enum lvz_tlb kind)
{
    u64 r = random_next(&rng);
    u64 va = BIT(32) | (r & (r >> 62 & 1 ? BITS(31, 0) : BITS(23, 0)));
    return kind != LVZ_STAGE2 && r >> 63 ? va | 0xffff800000000000 : va;
}

// Mostly one of a few in an entry, so that they come again; other ones for entries of one set.
static u64 address_in(const struct tlb_entry *e)
{
    u64 n_granules = BIT(e->ps + 1) >> 12;
    if (chance(8))
        return e->va + random_below(&rng, BIT(e->ps + 1));
    u64 granule = ((e->va >> 23) + random_below(&rng, 3) * (n_granules / 2 + 1)) % n_granules;
    return e->va + (granule << 12) + random_below(&rng, 0x1000);
}

u64 interesting_place(enum lvz_tlb kind, unsigned *gid, unsigned *asid)
{
    bool of_replaced = kind == LVZ_STAGE2 && n_replaced && chance(3);
    if ((!tlbs[kind].n && !of_replaced) || chance(8))
        return random_address(kind);
    const struct live *l = of_replaced ? &replaced[random_below(&rng, n_replaced)]
                                       : &tlbs[kind].list[random_below(&rng, tlbs[kind].n)];
    if (gid && !chance(8)) {
        *gid = l->gid;
        *asid = l->e.asid;
    }
    return address_in(&l->e);
}

u64 interesting_address(enum lvz_tlb kind)
{
    return interesting_place(kind, NULL, NULL);
}

static u64 flags_of(u64 r)
{
    u64 flags = PAGE_CC | (r & 0xf ? PAGE_V : 0) | (r & 0x30 ? PAGE_D : 0);
    flags |= PAGE_PLV(r & 0x3c0 ? 3 : r >> 10 & 3);
    flags |= (r & 0x1f000) == 0 ? PAGE_NR : 0;
    flags |= (r & 0x3e0000) == 0 ? PAGE_NX : 0;
    return flags | ((r & 0x7c00000) == 0 ? PAGE_RPLV : 0);
}

// The first stage leads to where the second has something.
static u64 address_of_guest(unsigned gid)
{
    u64 gpa = 0;
    for (unsigned n = 0, found = 0; n < 8 && found != gid; n++) {
        unsigned asid;
        gpa = interesting_place(LVZ_STAGE2, &found, &asid);
    }
    return gpa;
}

static u64 random_elo(enum lvz_tlb kind, unsigned gid, unsigned ps)
{
    u64 pa = kind == LVZ_STAGE1 ? address_of_guest(gid)
                                : POOL + (random_next(&rng) >> 20 & (POOL_SIZE - 1));
    u64 flags = flags_of(random_next(&rng) >> 8);
    if (kind == LVZ_STAGE2 && !chance(8)) // the root's level is 0
        flags &= ~PAGE_RPLV;
    return align_down(pa, BIT(ps)) | flags;
}

unsigned random_ps(void)
{
    static const u8 sizes[] = {12, 12, 13, 14, 16, 18, 20, 21, 22, 25};
    return sizes[random_below(&rng, sizeof(sizes))];
}

struct tlb_entry random_entry(enum lvz_tlb kind, unsigned gid, unsigned ps)
{
    struct tlb_entry e = {
        .ps = ps,
        .asid = (unsigned)random_below(&rng, N_ASIDS),
        .elo = {random_elo(kind, gid, ps), random_elo(kind, gid, ps)},
    };
    u64 g = random_below(&rng, 8); // 0: none, 1: one half, 7: both
    e.elo[0] |= g >= 6 ? PAGE_G : 0;
    e.elo[1] |= g == 7 || g == 1 ? PAGE_G : 0;
    e.va = (chance(3) ? interesting_address(kind) : random_address(kind)) & ~(BIT(ps + 1) - 1);
    return e;
}

unsigned random_gid(enum lvz_tlb kind)
{
    return kind == LVZ_ROOT ? 0 : 1 + (unsigned)random_below(&rng, N_GIDS);
}

const struct access_spec *random_recent(void)
{
    return &recent[random_below(&rng, N_RECENT)];
}

u64 address_to_edit(enum lvz_tlb kind, unsigned *gid)
{
    const struct access_spec *a = random_recent();
    if (kind == LVZ_ROOT || chance(2) || !a->gid)
        return interesting_address(kind);
    *gid = a->gid;
    return kind == LVZ_STAGE2 ? a->gpa : a->va;
}
