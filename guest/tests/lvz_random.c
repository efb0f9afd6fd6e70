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
#include "guest/tests/lvz_random.h"
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

#define PAYLOAD_END BIT(25)

struct random rng;
struct vcpu v;
u64 step;
struct counts count;

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
    struct access_spec *r = &recent[random_below(&rng, N_RECENT)];
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
    struct expectation x = model_expect(a.gid, a.asid, a.plv, a.mapped, a.va, access);
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
    const struct live *l = model_find(LVZ_ROOT, 0, asid, va);
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
            if (!model_is_there((enum lvz_tlb)kind, &tlbs[kind].list[n]))
                note_wrong(&count.content, "entry", kind, tlbs[kind].list[n].index);
}

// The payload's own pages are always put back.
static bool on_refill(struct vcpu *u, u64 gpa)
{
    if (gpa >= PAYLOAD_END)
        return false;
    edit_map_payload(u->gid);
    return true;
}

static void one_step(void)
{
    enum lvz_tlb kind = chance(8) ? LVZ_ROOT : chance(2) ? LVZ_STAGE1 : LVZ_STAGE2;
    if (tlbs[kind].n + 2 >= MAX_LIVE || n_replaced + 2 >= MAX_REPLACED)
        edit_invalidate_all();
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
    edit_invalidate_all();
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
