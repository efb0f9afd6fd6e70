// SPDX-License-Identifier: Apache-2.0
// Tens of thousands of random edits of the TLB and accesses through it, each compared with a model
// in plain C: attributes, page sizes, address spaces, invtlb. Reference Manual, volume 1, 5.4.
//
// Overlapping entries are undefined, so what a new entry would overlap is removed first. Physical
// pages lie in the first 512 MiB of high RAM, where nothing else is.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/page_fault.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

#define N_ASIDS   5
#define MAX_LIVE  400
#define STLB_PS   14
#define POOL      BOARD_HIGH_RAM
#define POOL_SIZE BIT(29)

// What the TLB holds, by index, and the indices in use.
static struct tlb_entry model[TLB_ENTRIES];
static bool exists[TLB_ENTRIES];
static u16 live[MAX_LIVE];
static unsigned n_live;
static struct random rng = {0x123456789};

static struct {
    unsigned n_writes, n_fills, n_searches, n_reads, n_invalidations, n_accesses, n_hits;
    unsigned write, fill, search, read, invalidation, fault, data;
} wrong;

static bool is_global(const struct tlb_entry *e)
{
    return e->elo[0] & e->elo[1] & PAGE_G;
}

static bool covers(const struct tlb_entry *e, u64 va)
{
    return ((e->va ^ va) & BITS(47, 0)) >> (e->ps + 1) == 0;
}

static void model_add(unsigned index, const struct tlb_entry *e)
{
    model[index] = *e;
    exists[index] = true;
    live[n_live++] = (u16)index;
}

static void model_drop(unsigned n)
{
    exists[live[n]] = false;
    live[n] = live[--n_live];
}

// The index of the entry for an access; -1 for none.
static int model_find(u64 va, unsigned asid)
{
    for (unsigned n = 0; n < n_live; n++) {
        const struct tlb_entry *e = &model[live[n]];
        if (covers(e, va) && (is_global(e) || e->asid == asid))
            return live[n];
    }
    return -1;
}

static bool can_both_match(const struct tlb_entry *a, const struct tlb_entry *b)
{
    bool same_space = is_global(a) || is_global(b) || a->asid == b->asid;
    return same_space && (a->ps > b->ps ? covers(a, b->va) : covers(b, a->va));
}

static void remove_overlapping(const struct tlb_entry *e)
{
    for (unsigned n = n_live; n-- > 0;)
        if (can_both_match(&model[live[n]], e)) {
            tlb_remove(live[n]);
            model_drop(n);
        }
}

static void forget_index(unsigned index)
{
    for (unsigned n = 0; n < n_live; n++)
        if (live[n] == index) {
            model_drop(n);
            return;
        }
}

static u64 random_va(void)
{
    u64 r = random_next(&rng);
    u64 va = r & (r >> 62 & 1 ? BITS(31, 0) : BITS(23, 0));
    return r >> 63 ? va | 0xffff800000000000 : va;
}

// An address in an entry, mostly; else any.
static u64 interesting_va(void)
{
    if (!n_live || random_below(&rng, 8) == 0)
        return random_va();
    const struct tlb_entry *e = &model[live[random_below(&rng, n_live)]];
    return e->va + random_below(&rng, BIT(e->ps + 1));
}

static unsigned random_ps(void)
{
    static const u8 sizes[] = {12, 12, 13, 14, 15, 16, 18, 20, 21, 21, 22, 24, 25, 26, 28, 29};
    return sizes[random_below(&rng, sizeof(sizes))];
}

static u64 random_elo(unsigned ps)
{
    u64 r = random_next(&rng), pa = POOL + ((r >> 20 & (POOL_SIZE - 1)) & ~(BIT(ps) - 1));
    u64 elo = pa | PAGE_CC | (r & 0xc ? PAGE_V : 0) | (r & 0x30 ? PAGE_D : 0);
    elo |= PAGE_PLV(r & 0x40 ? 3 : r >> 8 & 3);
    elo |= (r & 0x3000) == 0 ? PAGE_NR : 0;
    elo |= (r & 0xc000) == 0 ? PAGE_NX : 0;
    return elo | ((r & 0x70000) == 0 ? PAGE_RPLV : 0);
}

static struct tlb_entry random_entry(unsigned ps)
{
    struct tlb_entry e = {
        .ps = ps,
        .asid = (unsigned)random_below(&rng, N_ASIDS),
        .elo = {random_elo(ps), random_elo(ps)},
    };
    u64 g = random_below(&rng, 8); // 0: none, 1: one half, 7: both
    e.elo[0] |= g >= 6 ? PAGE_G : 0;
    e.elo[1] |= g == 7 || g == 1 ? PAGE_G : 0;
    e.va = random_va() & ~(BIT(ps + 1) - 1);
    return e;
}

static unsigned stlb_index(const struct tlb_entry *e, unsigned way)
{
    return way * TLB_STLB_SETS + (unsigned)(e->va >> (STLB_PS + 1) & (TLB_STLB_SETS - 1));
}

static bool same_entry(const struct tlb_entry *a, const struct tlb_entry *b)
{
    u64 mask = ~PAGE_G;
    return a->va == b->va && a->ps == b->ps && a->asid == b->asid &&
           (a->elo[0] & mask) == (b->elo[0] & mask) && (a->elo[1] & mask) == (b->elo[1] & mask) &&
           is_global(a) == is_global(b) && (a->elo[0] & PAGE_G) == (is_global(b) ? PAGE_G : 0);
}

static void edit_write(void)
{
    bool stlb = random_below(&rng, 2);
    struct tlb_entry e = random_entry(stlb ? STLB_PS : random_ps());
    unsigned index = stlb ? stlb_index(&e, (unsigned)random_below(&rng, TLB_STLB_WAYS))
                          : TLB_STLB_ENTRIES + (unsigned)random_below(&rng, TLB_MTLB_ENTRIES);
    if (n_live + 1 >= MAX_LIVE)
        return;
    remove_overlapping(&e);
    forget_index(index);
    tlb_write(index, &e);
    model_add(index, &e);
    struct tlb_entry read;
    wrong.n_writes++;
    wrong.write += !tlb_read(index, &read) || !same_entry(&read, &e);
}

// The hardware chooses a place; where it says the entry is, it must be one of those it may choose.
static void edit_fill(void)
{
    struct tlb_entry e = random_entry(random_below(&rng, 2) ? STLB_PS : random_ps()), read;
    if (n_live + 1 >= MAX_LIVE)
        return;
    remove_overlapping(&e);
    tlb_fill(&e);
    wrong.n_fills++;
    int index = tlb_search(e.va, e.asid);
    bool in_place = index >= TLB_STLB_ENTRIES;
    if (e.ps == STLB_PS)
        in_place = index >= 0 && index < TLB_STLB_ENTRIES &&
                   index % TLB_STLB_SETS == (int)stlb_index(&e, 0);
    wrong.fill += !in_place || !tlb_read((unsigned)index, &read) || !same_entry(&read, &e);
    if (index < 0)
        return;
    forget_index((unsigned)index);
    model_add((unsigned)index, &e);
}

static void check_search(void)
{
    u64 va = interesting_va();
    unsigned asid = (unsigned)random_below(&rng, N_ASIDS);
    wrong.n_searches++;
    wrong.search += tlb_search(va, asid) != model_find(va, asid);
}

static void check_read(unsigned index)
{
    struct tlb_entry e;
    bool found = tlb_read(index, &e);
    wrong.n_reads++;
    wrong.read += found != exists[index] || (found && !same_entry(&e, &model[index]));
}

static bool is_hit(const struct tlb_entry *e, unsigned op, unsigned asid, u64 va)
{
    bool g = is_global(e), same = e->asid == asid;
    switch (op) {
    case 2: return g;
    case 3: return !g;
    case 4: return !g && same;
    case 5: return !g && same && covers(e, va);
    case 6: return (g || same) && covers(e, va);
    default: return true;
    }
}

static void check_all(unsigned *n_wrong)
{
    struct tlb_entry e;
    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        bool found = tlb_read(i, &e);
        *n_wrong += found != exists[i] || (found && !same_entry(&e, &model[i]));
    }
}

// Single pages often, the rest seldom: it empties the TLB.
static void edit_invalidate(void)
{
    unsigned op = random_below(&rng, 40) ? 5 + (unsigned)random_below(&rng, 2)
                                         : (unsigned)random_below(&rng, 7);
    unsigned asid = (unsigned)random_below(&rng, N_ASIDS);
    u64 va = interesting_va();
    tlb_invalidate(op, asid, va);
    for (unsigned n = n_live; n-- > 0;)
        if (is_hit(&model[live[n]], op, asid, va))
            model_drop(n);
    wrong.n_invalidations++;
    if (op < 5)
        check_all(&wrong.invalidation);
}

static void put_in_place(enum page_access access, u64 pa, u64 value)
{
    if (access == PAGE_FETCH) {
        *(volatile u32 *)memory_at(pa) = INSN_RET;
        __asm__ volatile("ibar 0" ::: "memory");
    } else {
        *(volatile u64 *)memory_at(pa) = access == PAGE_LOAD ? value : 0;
    }
}

// An access: any, or one of the last ones again, which the processor may remember wrongly.
struct attempt {
    u64 va, misc;
    unsigned asid, plv;
    enum page_access access;
};
static struct attempt latest[64];

static struct attempt new_attempt(void)
{
    struct attempt a = {
        .va = random_va() & ~7ULL,
        .misc = random_below(&rng, 4) ? 0 : random_below(&rng, 8) << 16,
        .asid = (unsigned)random_below(&rng, N_ASIDS),
        .plv = (unsigned)random_below(&rng, 4),
        .access = (enum page_access)random_below(&rng, 3),
    };
    if (n_live && random_below(&rng, 8)) {
        const struct tlb_entry *e = &model[live[random_below(&rng, n_live)]];
        a.va = (e->va + random_below(&rng, BIT(e->ps + 1))) & ~7ULL;
        a.asid = random_below(&rng, 4) ? e->asid : a.asid;
    }
    return a;
}

static struct attempt choose_attempt(void)
{
    static unsigned n;
    if (n > ARRAY_LEN(latest) && random_below(&rng, 2))
        return latest[random_below(&rng, ARRAY_LEN(latest))];
    latest[n % ARRAY_LEN(latest)] = new_attempt();
    return latest[n++ % ARRAY_LEN(latest)];
}

static struct trap perform(const struct attempt *a, u64 value)
{
    if (a->misc)
        csr_write(CSR_MISC, a->misc);
    tlb_set_asid(a->asid);
    struct trap t = page_access_do(a->access, a->plv, a->va, value);
    if (a->misc)
        csr_write(CSR_MISC, 0);
    return t;
}

static void check_access(void)
{
    struct attempt a = choose_attempt();
    u64 value = random_next(&rng), elo = 0, pa = 0;
    unsigned expected = EXC_TLBR;
    int index = model_find(a.va, a.asid);
    if (index >= 0) {
        elo = model[index].elo[a.va >> model[index].ps & 1];
        pa = (elo & BITS(47, 12)) | (a.va & (BIT(model[index].ps) - 1));
        expected = page_fault_expected(elo, a.access, a.plv, a.misc);
        put_in_place(a.access, pa, value);
    }
    struct trap t = perform(&a, value);
    wrong.n_accesses++;
    wrong.n_hits += expected == EXC_NONE;
    wrong.fault += t.code != expected || (expected != EXC_NONE && t.badv != a.va);
    if (a.access == PAGE_STORE && index >= 0)
        wrong.data += *(volatile u64 *)memory_at(pa) != (expected == EXC_NONE ? value : 0);
    else if (expected == EXC_NONE)
        wrong.data += t.value != value;
}

static void step(void)
{
    switch (random_below(&rng, 16)) {
    case 0:
    case 1: edit_write(); break;
    case 2:
    case 3: edit_fill(); break;
    case 4: check_search(); break;
    case 5: check_read((unsigned)random_below(&rng, TLB_ENTRIES)); break;
    case 6: edit_invalidate(); break;
    default: check_access(); break;
    }
}

int main(void)
{
    unsigned n_different = 0;
    u64 n = args_number("steps", 60000);
    rng.state = args_number("seed", 0x123456789);
    tlb_set_stlb_ps(STLB_PS);
    for (u64 i = 0; i < n; i++)
        step();
    check_all(&n_different);
    report_note("seed %lu: %u hits of %u accesses", args_number("seed", 0x123456789), wrong.n_hits,
                wrong.n_accesses);
    report_eq(wrong.write, 0, "%u entries read as they were written", wrong.n_writes);
    report_eq(wrong.fill, 0, "%u fills are in a place where they may be", wrong.n_fills);
    report_eq(wrong.search, 0, "%u searches find what the model has", wrong.n_searches);
    report_eq(wrong.read, 0, "%u places hold what the model has", wrong.n_reads);
    report_eq(wrong.invalidation, 0, "%u invalidations leave what they should",
              wrong.n_invalidations);
    report_eq(wrong.fault, 0, "%u accesses raise what they should", wrong.n_accesses);
    report_eq(wrong.data, 0, "and reach the right memory");
    report_eq(n_different, 0, "the whole TLB is as the model in the end");
    report(wrong.n_hits > n / 20 && wrong.n_hits < wrong.n_accesses, "hits and faults are mixed");
    return 0;
}
