// SPDX-License-Identifier: Apache-2.0
// Which entries of a TLB stay when more are filled in than it has room for: -cpu tlb=.
//
// Command line: never=1, always=1 or random=1 tell how the processor was configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/report.h"

#define N       6000 // pairs, about three times what there is room for
#define FIRST   0x10000000ULL
#define PS      14
#define NEWEST  8
#define ASID    5
#define BEYOND  70000 // more than are kept beside the TLB

static u64 va_of(unsigned n)
{
    return FIRST + ((u64)n << (PS + 1));
}

// The odd page is invalid until it is written anew.
static void fill(unsigned n)
{
    u64 pa = BOARD_HIGH_RAM + ((u64)(n % 64) << PS);
    tlb_fill(&(struct tlb_entry){
        .va = va_of(n), .ps = PS, .asid = ASID, .elo = {pa | PAGE_ALL, pa | (PAGE_ALL & ~PAGE_V)}});
}

static bool is_there(unsigned n)
{
    return tlb_search(va_of(n), ASID) >= 0;
}

static unsigned count(unsigned first, unsigned end)
{
    unsigned found = 0;
    for (unsigned n = first; n < end; n++)
        found += is_there(n);
    return found;
}

static void test_fills(bool never, bool always, bool random)
{
    tlb_set_stlb_ps(PS);
    tlb_set_asid(ASID);
    for (unsigned n = 0; n < N; n++)
        fill(n);
    report_eq(count(N - NEWEST, N), NEWEST, "the newest are there");
    unsigned found = count(0, N);
    report_note("%u of %u are there", found, N);
    if (never)
        report_eq(found, N, "none had to go");
    else if (always)
        report_eq(found, NEWEST, "all others are gone");
    else if (random)
        report(found > NEWEST && found < TLB_ENTRIES / 2, "many are gone");
    else
        report(found > TLB_ENTRIES * 3 / 4 && found <= TLB_ENTRIES, "as many as there is room for");
}

// Searching brings an entry back to an index, where it can be written anew.
static void test_rewrite(void)
{
    struct tlb_entry e;
    unsigned n_wrong = 0, n_stale = 0;
    for (unsigned n = 0; n < N; n += 7) {
        int i = tlb_search(va_of(n), ASID);
        n_wrong += i < 0 || i >= TLB_ENTRIES || !tlb_read((unsigned)i, &e) || e.va != va_of(n);
        e.elo[1] |= PAGE_V;
        tlb_write((unsigned)i, &e);
    }
    report_eq(n_wrong, 0, "each is found by its address and read by its index");
    for (unsigned n = 0; n < N; n += 7) {
        int i = tlb_search(va_of(n), ASID);
        n_stale += i < 0 || !tlb_read((unsigned)i, &e) || !(e.elo[1] & PAGE_V);
    }
    report_eq(n_stale, 0, "and was written");
}

static void test_invalidation(void)
{
    tlb_invalidate(5, ASID, va_of(3));
    report(!is_there(3) && is_there(2) && is_there(4), "one address");
    tlb_invalidate(4, ASID + 1, 0);
    report(is_there(2), "not those of another space");
    tlb_invalidate(2, 0, 0);
    report(is_there(2), "not those that are not global");
    tlb_invalidate(4, ASID, 0);
    report_eq(count(0, N), 0, "all of the space");
    for (unsigned n = 0; n < N; n++)
        fill(n);
    tlb_invalidate(0, 0, 0);
    report_eq(count(0, N), 0, "everything");
}

// What is kept beside the TLB has an end: the oldest go.
static void test_end(void)
{
    for (unsigned n = 0; n < BEYOND; n++)
        fill(n);
    report_eq(count(BEYOND - 65536, BEYOND), 65536, "65536 are there");
    report(!is_there(0), "the oldest is not");
    tlb_clear();
}

int main(void)
{
    bool never = args_number("never", 0);
    test_fills(never, args_number("always", 0), args_number("random", 0));
    if (never) {
        test_rewrite();
        test_invalidation();
        test_end();
    }
    return 0;
}
