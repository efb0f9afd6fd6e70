// SPDX-License-Identifier: Apache-2.0
// Every combination of a page's attributes with every level and kind of access, in entries of the
// STLB and of the MTLB, with and without MISC.DWPL. Reference Manual, volume 1, 5.4.3.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/page_fault.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/report.h"

#define VA   0x7f000000ULL
#define EVEN SCRATCH_BASE
#define ODD  (SCRATCH_BASE + 0x4000)
#define WORD 0xfeedULL

// The 64 combinations of V, D, NR, NX, RPLV and one more bit that is not looked at.
static u64 attributes(unsigned n, unsigned page_plv)
{
    return PAGE_CC | PAGE_PLV(page_plv) | (n & 1 ? PAGE_V : 0) | (n & 2 ? PAGE_D : 0) |
           (n & 4 ? PAGE_NR : 0) | (n & 8 ? PAGE_NX : 0) | (n & 16 ? PAGE_RPLV : 0) |
           (n & 32 ? PAGE_G : 0);
}

static bool is_right(u64 elo, u64 va, enum page_access access, unsigned plv, u64 misc)
{
    volatile u64 *word = memory_at(ODD + 0x10);
    unsigned expected = page_fault_expected(elo, access, plv, misc);
    *word = access == PAGE_FETCH ? INSN_RET : WORD;
    __asm__ volatile("ibar 0" ::: "memory");
    if (misc)
        csr_write(CSR_MISC, misc);
    struct trap t = page_access_do(access, plv, va, WORD + 1);
    if (misc)
        csr_write(CSR_MISC, 0);
    if (t.code != expected || (expected != EXC_NONE && t.badv != va))
        return false;
    if (access == PAGE_STORE)
        return *word == (expected == EXC_NONE ? WORD + 1 : WORD);
    return expected != EXC_NONE || access == PAGE_FETCH || t.value == WORD;
}

// The other half has all rights: it must not matter.
static void test_matrix(unsigned index, unsigned ps, u64 misc, const char *name)
{
    static const char *const accesses[] = {"load", "store", "fetch"};
    unsigned n_wrong[3] = {0};
    for (unsigned n = 0; n < 64 * 4; n++) {
        u64 elo = ODD | attributes(n / 4, n % 4);
        struct tlb_entry e = {VA, ps, 0, {EVEN | PAGE_ALL, elo}};
        tlb_write(index, &e);
        for (unsigned plv = 0; plv < 4; plv++)
            for (unsigned access = 0; access < 3; access++)
                n_wrong[access] +=
                    !is_right(elo, VA + BIT(ps) + 0x10, (enum page_access)access, plv, misc);
    }
    for (unsigned access = 0; access < 3; access++)
        report_eq(n_wrong[access], 0, "%s: 1024 cases of %s", name, accesses[access]);
}

int main(void)
{
    tlb_set_stlb_ps(14);
    unsigned stlb = 3 * TLB_STLB_SETS + (VA >> 15 & 0xff);
    test_matrix(stlb, 14, 0, "STLB");
    tlb_remove(stlb);
    test_matrix(TLB_ENTRIES - 1, 13, 0, "MTLB");
    for (unsigned dwpl = 1; dwpl < 8; dwpl++) {
        report_prefix_push("DWPL");
        test_matrix(TLB_STLB_ENTRIES, 14, (u64)dwpl << 16,
                    dwpl == 7 ? "all levels" : "some levels");
        report_prefix_pop();
    }
    return 0;
}
