// SPDX-License-Identifier: Apache-2.0
// Translation in two stages against a model in plain C: random entries of the root and of both
// stages of several guests, random invalidations of every form by the root and by guests, and
// accesses under random ids, levels and modes. Every result, exception and bad address is compared.
//
// The model knows what is in each place of each TLB. What it leaves open is what the architecture
// does: the hardware chooses where tlbfill puts an entry; a second-stage entry that it replaced may
// serve, but never fault, until an invalidation names it; an invalidation may remove more than
// asked.
//
// Command line: seed=N steps=N
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/lvz_tlb.h"
#include "guest/lib/loongarch64/page_fault.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

#define GUEST(code)  (LVZ_GUEST | (code))
#define N_GIDS       3
#define N_ASIDS      3
#define MAX_LIVE     320
#define MAX_REPLACED 64
#define STLB_PS      14
#define PAYLOAD_END  BIT(25)
#define PAYLOAD_SLOT 60 // of MTLB entries the first that keeps a guest's payload mapped
#define POOL         BOARD_HIGH_RAM
#define POOL_SIZE    BIT(28)

struct live {
    struct tlb_entry e;
    unsigned gid, index;
};

static struct {
    struct live list[MAX_LIVE];
    unsigned n;
} tlbs[LVZ_N_TLBS];
static struct live replaced[MAX_REPLACED]; // of the second stage, by the hardware's choice
static unsigned n_replaced;

static struct random rng;
static struct vcpu v;
static u64 step;
static struct {
    unsigned n_edits, n_fills, n_invalidations, n_accesses, n_served, n_guest_faults, n_exits;
    unsigned n_replaced, n_by_replaced;
    unsigned place, left, content, outcome, address, data;
} count;

static bool chance(unsigned one_in)
{
    return random_below(&rng, one_in) == 0;
}

static bool overlap(const struct tlb_entry *a, const struct tlb_entry *b)
{
    return a->ps > b->ps ? lvz_covers(a, b->va) : lvz_covers(b, a->va);
}

// The model's lists.

static void drop(enum lvz_tlb kind, unsigned n)
{
    tlbs[kind].list[n] = tlbs[kind].list[--tlbs[kind].n];
}

static struct live *at_index(enum lvz_tlb kind, unsigned index)
{
    for (unsigned n = 0; n < tlbs[kind].n; n++)
        if (tlbs[kind].list[n].index == index)
            return &tlbs[kind].list[n];
    return NULL;
}

static void forget_index(enum lvz_tlb kind, unsigned index)
{
    struct live *l = at_index(kind, index);
    if (l)
        drop(kind, (unsigned)(l - tlbs[kind].list));
}

static void add(enum lvz_tlb kind, const struct tlb_entry *e, unsigned gid, unsigned index)
{
    tlbs[kind].list[tlbs[kind].n++] = (struct live){*e, gid, index};
}

static struct live *find(enum lvz_tlb kind, unsigned gid, unsigned asid, u64 va)
{
    for (unsigned n = 0; n < tlbs[kind].n; n++) {
        struct live *l = &tlbs[kind].list[n];
        bool in_space = kind == LVZ_STAGE2 || lvz_is_global(&l->e) || l->e.asid == asid;
        if (l->gid == gid && in_space && lvz_covers(&l->e, va))
            return l;
    }
    return NULL;
}

// The machine's TLBs.

static void guest_instruction(unsigned gid, u32 word, u64 a, u64 b)
{
    v.gid = gid;
    if (lvz_word(&v, CRMD_DA, word, a, b) != EXC_NONE)
        report_bail_out("step %lu: the guest's instruction 0x%x", (unsigned long)step, word);
}

// The guest's own tlbfill or tlbwr, now and then.
static void fill_by_guest(unsigned gid, const struct tlb_entry *e)
{
    gcsr_write(CSR_TLBIDX, (u64)e->ps << 24);
    gcsr_write(CSR_TLBEHI, e->va);
    gcsr_write(CSR_TLBELO0, e->elo[0]);
    gcsr_write(CSR_TLBELO1, e->elo[1]);
    gcsr_exchange(CSR_ASID, e->asid, BITS(9, 0));
    guest_instruction(gid, WORD("tlbfill"), 0, 0);
}

static void fill(enum lvz_tlb kind, unsigned gid, const struct tlb_entry *e)
{
    if (kind == LVZ_STAGE1 && chance(2))
        fill_by_guest(gid, e);
    else
        lvz_tlb_fill(kind, gid, e);
}

// The ASID of a second-stage entry means nothing.
static bool is_there(enum lvz_tlb kind, const struct live *l)
{
    struct tlb_entry e;
    if (!lvz_tlb_read(kind, l->gid, l->index, &e))
        return false;
    return e.va == l->e.va && e.ps == l->e.ps && (kind == LVZ_STAGE2 || e.asid == l->e.asid) &&
           !(((e.elo[0] ^ l->e.elo[0]) | (e.elo[1] ^ l->e.elo[1])) & ~PAGE_G) &&
           lvz_is_global(&e) == lvz_is_global(&l->e);
}

// Random entries and addresses.

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

// An address in an entry, mostly; with the space it is in, mostly, if that is asked for.
static u64 interesting_place(enum lvz_tlb kind, unsigned *gid, unsigned *asid)
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

static u64 interesting_address(enum lvz_tlb kind)
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

static unsigned random_ps(void)
{
    static const u8 sizes[] = {12, 12, 13, 14, 16, 18, 20, 21, 22, 25};
    return sizes[random_below(&rng, sizeof(sizes))];
}

static struct tlb_entry random_entry(enum lvz_tlb kind, unsigned gid, unsigned ps)
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

static unsigned random_gid(enum lvz_tlb kind)
{
    return kind == LVZ_ROOT ? 0 : 1 + (unsigned)random_below(&rng, N_GIDS);
}

// The last accesses: they come again, and invalidations and entries are about their pages, so that
// what is remembered of them beside the TLBs would be found out.
static struct access_spec {
    unsigned gid, asid, plv;
    bool mapped;
    enum page_access access;
    u64 va, gpa;
} recent[4];

static const struct access_spec *random_recent(void)
{
    return &recent[random_below(&rng, 4)];
}

static u64 address_to_edit(enum lvz_tlb kind, unsigned *gid)
{
    const struct access_spec *a = random_recent();
    if (kind == LVZ_ROOT || chance(2) || !a->gid)
        return interesting_address(kind);
    *gid = a->gid;
    return kind == LVZ_STAGE2 ? a->gpa : a->va;
}

// Edits.

static void map_payload(unsigned gid)
{
    unsigned slot = PAYLOAD_SLOT + gid;
    forget_index(LVZ_STAGE2, TLB_STLB_ENTRIES + slot);
    lvz_stage2_map(gid, slot, 0, 0, 24, PAGE_ALL);
}

// Entries that could both match: of the second stage the newest stays, the others are software's
// affair.
static void make_room(enum lvz_tlb kind, unsigned gid, const struct tlb_entry *e)
{
    for (unsigned n = tlbs[kind].n; n-- > 0;) {
        struct live *l = &tlbs[kind].list[n];
        bool same_space =
            kind == LVZ_STAGE2 || lvz_is_global(e) || lvz_is_global(&l->e) || l->e.asid == e->asid;
        if (l->gid != gid || !same_space || !overlap(&l->e, e))
            continue;
        if (kind != LVZ_STAGE2)
            lvz_tlb_remove(kind, gid, l->index);
        drop(kind, n);
    }
}

static void invalidate_all(void)
{
    lvz_invalidate(0, 0, 0);
    for (unsigned kind = 0; kind < LVZ_N_TLBS; kind++)
        tlbs[kind].n = 0;
    n_replaced = 0;
}

static void edit_write(enum lvz_tlb kind)
{
    bool stlb = chance(2);
    unsigned gid = random_gid(kind), index;
    struct tlb_entry e = random_entry(kind, gid, stlb ? STLB_PS : random_ps());
    index = stlb ? (unsigned)random_below(&rng, TLB_STLB_WAYS) * TLB_STLB_SETS +
                       lvz_stlb_set(e.va, STLB_PS)
                 : TLB_STLB_ENTRIES + (unsigned)random_below(&rng, PAYLOAD_SLOT);
    make_room(kind, gid, &e);
    forget_index(kind, index);
    lvz_tlb_write(kind, gid, index, &e);
    add(kind, &e, gid, index);
    count.n_edits++;
}

static bool is_allowed_place(int index, const struct tlb_entry *e)
{
    if (e->ps != STLB_PS)
        return index >= TLB_STLB_ENTRIES;
    return index >= 0 && index < TLB_STLB_ENTRIES &&
           (unsigned)index % TLB_STLB_SETS == lvz_stlb_set(e->va, STLB_PS);
}

static void edit_fill(enum lvz_tlb kind)
{
    unsigned gid = random_gid(kind);
    struct tlb_entry e = random_entry(kind, gid, chance(2) ? STLB_PS : random_ps());
    // Crowd some sets, so that the hardware must replace.
    if (kind == LVZ_STAGE2 && e.ps == STLB_PS && !chance(4))
        e.va = BIT(32) + random_below(&rng, 16) * BIT(23);
    make_room(kind, gid, &e);
    fill(kind, gid, &e);
    int index = lvz_tlb_search(kind, gid, e.asid, e.va);
    count.n_fills++;
    if (!is_allowed_place(index, &e)) {
        count.place++;
        return;
    }
    struct live *old = at_index(kind, (unsigned)index);
    if (old && kind == LVZ_STAGE2)
        replaced[n_replaced++] = *old, count.n_replaced++;
    forget_index(kind, (unsigned)index);
    add(kind, &e, gid, (unsigned)index);
}

// Invalidations.

// What must be gone is; of the rest, what went beside is noted.
static void settle(const struct lvz_invalidation *o, enum lvz_tlb kind)
{
    for (unsigned n = tlbs[kind].n; n-- > 0;) {
        struct live *l = &tlbs[kind].list[n];
        bool gone = !is_there(kind, l);
        if (lvz_invalidation_names(o, kind, l->gid, &l->e)) {
            count.left += !gone;
            drop(kind, n);
        } else if (gone) {
            if (kind == LVZ_STAGE2 && n_replaced < MAX_REPLACED)
                replaced[n_replaced++] = *l;
            drop(kind, n);
        }
    }
}

static void settle_all(const struct lvz_invalidation *o)
{
    for (unsigned n = n_replaced; n-- > 0;)
        if (lvz_invalidation_names(o, LVZ_STAGE2, replaced[n].gid, &replaced[n].e))
            replaced[n] = replaced[--n_replaced];
    for (unsigned kind = 0; kind < LVZ_N_TLBS; kind++)
        settle(o, (enum lvz_tlb)kind);
}

static unsigned random_op(void)
{
    static const u8 ops[] = {0,   1,   2,   3,    4,    5,    6,    9,    0xa,  0xb,
                             0xc, 0xd, 0xe, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16};
    static const u8 by_address[] = {5, 6, 0xd, 0xe, 0x16};
    if (chance(12))
        return ops[random_below(&rng, sizeof(ops))];
    return by_address[random_below(&rng, sizeof(by_address))];
}

static void edit_invalidate(void)
{
    struct lvz_invalidation o = {
        .op = random_op(),
        .gid = random_gid(LVZ_STAGE2),
        .asid = (unsigned)random_below(&rng, N_ASIDS),
    };
    o.va = address_to_edit(chance(2) ? LVZ_STAGE2 : LVZ_STAGE1, &o.gid);
    u64 rj = GSTAT_GID(o.gid) | o.asid;
    if (o.op >= 0x10 && o.op <= 0x12)
        rj = 0;
    o.by_guest = o.op <= 6 && chance(2);
    o.target = o.op <= 6 && chance(2) ? random_gid(LVZ_STAGE2) : 0;
    if (o.by_guest) {
        guest_instruction(o.gid, WORD_INVTLB(o.op, 4, 5), o.asid, o.va);
    } else {
        lvz_set_target(o.target);
        lvz_invalidate(o.op, rj, o.va);
        lvz_set_target(0);
    }
    settle_all(&o);
    count.n_invalidations++;
}

// tlbflush and tlbclr, gtlbflush and gtlbclr: a set of the STLB or the whole MTLB.
static void edit_flush(void)
{
    enum lvz_tlb kind = chance(2) ? LVZ_STAGE1 : LVZ_STAGE2;
    unsigned gid = random_gid(kind), asid = (unsigned)random_below(&rng, N_ASIDS);
    bool clear = chance(2), mtlb = chance(4);
    u64 va = interesting_address(kind);
    unsigned index = mtlb ? TLB_STLB_ENTRIES + 5 : lvz_stlb_set(va, STLB_PS);
    if (kind == LVZ_STAGE1) {
        gcsr_write(CSR_TLBIDX, index);
        gcsr_exchange(CSR_ASID, asid, BITS(9, 0));
    } else {
        csr_write(CSR_TLBIDX, index);
    }
    lvz_set_target(gid);
    if (kind == LVZ_STAGE1 && clear)
        __asm__ volatile(".word %0" ::"i"(WORD_GTLBCLR) : "memory");
    else if (kind == LVZ_STAGE1)
        __asm__ volatile(".word %0" ::"i"(WORD_GTLBFLUSH) : "memory");
    else if (clear)
        __asm__ volatile("tlbclr" ::: "memory");
    else
        __asm__ volatile("tlbflush" ::: "memory");
    lvz_set_target(0);
    for (unsigned n = tlbs[kind].n; n-- > 0;) {
        struct live *l = &tlbs[kind].list[n];
        bool in_part = mtlb ? l->index >= TLB_STLB_ENTRIES
                            : l->index % TLB_STLB_SETS == index && l->index < TLB_STLB_ENTRIES;
        bool kept = clear && kind == LVZ_STAGE1 && (lvz_is_global(&l->e) || l->e.asid != asid);
        if (l->gid != gid || !in_part || kept)
            continue;
        count.left += is_there(kind, l);
        drop(kind, n);
    }
    count.n_invalidations++;
}

// Accesses.

static u64 elo_of(const struct tlb_entry *e, u64 va)
{
    return e->elo[va >> e->ps & 1];
}

static u64 physical(const struct tlb_entry *e, u64 va)
{
    return (elo_of(e, va) & BITS(47, 12)) | (va & (BIT(e->ps) - 1));
}

struct expectation {
    unsigned code;
    u64 bad_address;
    // Where the access may go: first by the entry, then by what was replaced.
    u64 places[MAX_REPLACED + 1];
    unsigned n_places;
};

static void expect_place(struct expectation *x, u64 pa)
{
    for (unsigned n = 0; n < x->n_places; n++)
        if (x->places[n] == pa)
            return;
    if (x->n_places < ARRAY_LEN(x->places))
        x->places[x->n_places++] = pa;
    else
        report_bail_out("more replaced entries for one address than provided for");
}

static void expect_stage2(struct expectation *x, unsigned gid, u64 gpa, enum page_access access)
{
    const struct live *l = find(LVZ_STAGE2, gid, 0, gpa);
    x->bad_address = gpa;
    x->code = l ? page_fault_expected(elo_of(&l->e, gpa), access, 0, 0) : EXC_TLBR;
    if (x->code == EXC_NONE)
        expect_place(x, physical(&l->e, gpa));
    for (unsigned n = 0; n < n_replaced; n++) {
        const struct tlb_entry *e = &replaced[n].e;
        if (replaced[n].gid == gid && lvz_covers(e, gpa) &&
            page_fault_expected(elo_of(e, gpa), access, 0, 0) == EXC_NONE)
            expect_place(x, physical(e, gpa));
    }
}

static struct expectation expect(unsigned gid, unsigned asid, unsigned plv, bool mapped, u64 va,
                                 enum page_access access)
{
    struct expectation x = {.bad_address = va};
    if (!mapped) {
        expect_stage2(&x, gid, va, access);
        return x;
    }
    const struct live *l = find(LVZ_STAGE1, gid, asid, va);
    unsigned fault = l ? page_fault_expected(elo_of(&l->e, va), access, plv, 0) : EXC_TLBR;
    if (fault == EXC_NONE)
        expect_stage2(&x, gid, physical(&l->e, va), access);
    else
        x.code = GUEST(fault);
    return x;
}

static void note_wrong(unsigned *counter, const char *what, u64 found, u64 expected)
{
    if ((*counter)++ < 5)
        report_note("step %lu: %s: found 0x%lx, expected 0x%lx", (unsigned long)step, what,
                    (unsigned long)found, (unsigned long)expected);
}

static volatile u64 *memory(u64 pa)
{
    return memory_at(pa);
}

static void put_in_place(const struct expectation *x, enum page_access access, u64 value)
{
    for (unsigned n = 0; n < x->n_places; n++)
        if (access == PAGE_FETCH)
            *(volatile u32 *)memory_at(x->places[n]) = LVZ_WORD_RETURN;
        else
            *memory(x->places[n]) = access == PAGE_LOAD ? value + n : 0;
}

// Which of the places it was; -1 for none.
static int place_of(const struct expectation *x, enum page_access access, u64 value, u64 result)
{
    for (unsigned n = 0; n < x->n_places; n++)
        if (access == PAGE_FETCH ||
            (access == PAGE_LOAD ? result == value + n : *memory(x->places[n]) == value))
            return (int)n;
    return -1;
}

static void compare_fault(const struct expectation *x, unsigned found)
{
    u64 address = found & LVZ_GUEST ? gcsr_read(found == GUEST(EXC_TLBR) ? CSR_TLBRBADV : CSR_BADV)
                  : found == EXC_TLBR ? v.tlbrbadv
                                      : v.badv;
    if (found != x->code)
        note_wrong(&count.outcome, "outcome", found, x->code);
    else if (address != x->bad_address)
        note_wrong(&count.address, "bad address", address, x->bad_address);
    if (found == GUEST(EXC_TLBR))
        gcsr_write(CSR_TLBRERA, 0);
    if (found == EXC_INT)
        report_bail_out("step %lu: the guest does not come back", (unsigned long)step);
    if (found & LVZ_GUEST)
        count.n_guest_faults++;
    else
        count.n_exits++;
}

static struct access_spec random_access(void)
{
    struct access_spec a = {
        .gid = random_gid(LVZ_STAGE2),
        .asid = (unsigned)random_below(&rng, N_ASIDS),
        .plv = (unsigned)random_below(&rng, 4),
        .mapped = !chance(3),
        .access = (enum page_access)random_below(&rng, 3),
    };
    const struct access_spec *again = random_recent();
    if (again->gid && chance(2))
        return *again;
    a.va = interesting_place(a.mapped ? LVZ_STAGE1 : LVZ_STAGE2, &a.gid, &a.asid) & ~7ULL;
    a.asid %= N_ASIDS;
    return a;
}

static void remember(const struct access_spec *a, u64 gpa)
{
    struct access_spec *r = &recent[random_below(&rng, 4)];
    *r = *a;
    r->gpa = gpa;
}

static unsigned do_access(const struct access_spec *a, u64 value)
{
    u64 crmd = (a->mapped ? CRMD_PG : CRMD_DA) | a->plv;
    gcsr_exchange(CSR_ASID, a->asid, BITS(9, 0));
    v.gid = a->gid;
    switch (a->access) {
    case PAGE_LOAD: return lvz_word(&v, crmd, WORD("ld.d $a0, $a0, 0"), a->va, 0);
    case PAGE_STORE: return lvz_word(&v, crmd, WORD("st.d $a1, $a0, 0"), a->va, value);
    default: return lvz_call_at(&v, crmd, a->va, 0, 0, 0);
    }
}

static void check_guest_access(void)
{
    struct access_spec a = random_access();
    enum page_access access = a.access;
    u64 value = random_next(&rng) | 1;
    struct expectation x = expect(a.gid, a.asid, a.plv, a.mapped, a.va, access);
    put_in_place(&x, access, value);
    // Should the guest run into nowhere, this ends it.
    csr_write(CSR_TCFG, align_down(1000 * time_ticks_per_ms(), 4) | TCFG_EN);
    unsigned found = do_access(&a, value);
    remember(&a, x.bad_address);
    count.n_accesses++;
    if (found != EXC_NONE) {
        compare_fault(&x, found);
        return;
    }
    int place = place_of(&x, access, value, lvz_result(&v));
    count.n_served++;
    if (!x.n_places)
        note_wrong(&count.outcome, "outcome", found, x.code);
    else if (place < 0)
        note_wrong(&count.data, "data", lvz_result(&v), value);
    count.n_by_replaced += x.code != EXC_NONE || place > 0;
}

static void check_root_access(void)
{
    unsigned asid = (unsigned)random_below(&rng, N_ASIDS), plv = (unsigned)random_below(&rng, 4);
    u64 va = interesting_address(LVZ_ROOT) & ~7ULL, value = random_next(&rng) | 1;
    const struct live *l = find(LVZ_ROOT, 0, asid, va);
    unsigned code = l ? page_fault_expected(elo_of(&l->e, va), PAGE_LOAD, plv, 0) : EXC_TLBR;
    if (code == EXC_NONE)
        *memory(physical(&l->e, va)) = value;
    tlb_set_asid(asid);
    struct trap t = trap_call(plv, access_load64, va, 0, 0);
    count.n_accesses++;
    if (t.code != code)
        note_wrong(&count.outcome, "outcome in the root", t.code, code);
    else if (code != EXC_NONE && t.badv != va)
        note_wrong(&count.address, "bad address in the root", t.badv, va);
    else if (code == EXC_NONE && t.value != value)
        note_wrong(&count.data, "data in the root", t.value, value);
    count.n_served += code == EXC_NONE;
}

static void check_all(void)
{
    for (unsigned kind = 0; kind < LVZ_N_TLBS; kind++)
        for (unsigned n = 0; n < tlbs[kind].n; n++)
            if (!is_there((enum lvz_tlb)kind, &tlbs[kind].list[n]))
                note_wrong(&count.content, "entry", kind, tlbs[kind].list[n].index);
}

// The payload's own pages are always put back.
static bool on_refill(struct vcpu *u, u64 gpa)
{
    if (gpa >= PAYLOAD_END)
        return false;
    map_payload(u->gid);
    return true;
}

static void one_step(void)
{
    enum lvz_tlb kind = chance(8) ? LVZ_ROOT : chance(2) ? LVZ_STAGE1 : LVZ_STAGE2;
    if (tlbs[kind].n + 2 >= MAX_LIVE || n_replaced + 2 >= MAX_REPLACED)
        invalidate_all();
    switch (random_below(&rng, 16)) {
    case 0:
    case 1: edit_write(kind); break;
    case 2:
    case 3:
    case 4: edit_fill(kind); break;
    case 5: edit_invalidate(); break;
    case 6:
        if (chance(4))
            edit_flush();
        else
            tlb_set_asid((unsigned)random_below(&rng, N_ASIDS));
        break;
    case 7: check_root_access(); break;
    default: check_guest_access(); break;
    }
    if (step % 256 == 0)
        check_all();
}

int main(void)
{
    u64 seed = args_number("seed", 0x3141592653), n_steps = args_number("steps", 60000);
    rng.state = seed;
    lvz_init(&v, 1);
    lvz_open_window();
    invalidate_all();
    v.refill = on_refill;
    csr_write(CSR_ECFG, BIT(LINE_TI));
    for (step = 1; step <= n_steps; step++)
        one_step();
    check_all();
    report_note("seed %lu: %lu steps", (unsigned long)seed, (unsigned long)n_steps);
    report_note("%u accesses: %u served, %u of these by %u replaced entries; %u faults inside, %u "
                "exits",
                count.n_accesses, count.n_served, count.n_by_replaced, count.n_replaced,
                count.n_guest_faults, count.n_exits);
    report_eq(count.place, 0, "%u fills are in a place where they may be", count.n_fills);
    report_eq(count.left, 0, "%u invalidations remove what they name", count.n_invalidations);
    report_eq(count.content, 0, "%u entries written: the TLBs hold what the model has",
              count.n_edits + count.n_fills);
    report_eq(count.outcome, 0, "%u accesses: the right outcome", count.n_accesses);
    report_eq(count.address, 0, "with the right bad address");
    report_eq(count.data, 0, "at the right place in memory");
    report(n_steps < 1000 || (count.n_served > n_steps / 20 && count.n_exits > n_steps / 20 &&
                              count.n_guest_faults > n_steps / 20),
           "all kinds of outcomes occur");
    return 0;
}
