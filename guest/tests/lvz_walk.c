// SPDX-License-Identifier: Apache-2.0
// Walks of page tables in two stages: the guest's by lddir and ldpte and by its hardware walker,
// and the root's hardware walker for the second stage.
#include "guest/lib/report.h"
#include "guest/tests/lvz_stages.h"

static void test_guest_walk(void)
{
    start();
    const u64 table = GPA, va = GVA;
    gcsr_write(CSR_PWCL, 14 | 11 << 5 | 25 << 10 | 11 << 15);
    gcsr_write(CSR_TLBRBADV, va);
    u64 index = va >> 25 & 0x7ff;
    lvz_word(&v, CRMD_DA, WORD("lddir $a0, $a0, 1"), table, 0);
    report(v.is_refill && v.tlbrbadv == table + index * 8, "lddir: the GPA of the entry");
    report_eq(v.gpr[4], table, "lddir: nothing done yet");
    *hpa(HPA + index * 8) = WINDOW_MEMORY | (table + 0x4000);
    v.refill = on_refill;
    report_outcome(&v, lvz_word(&v, CRMD_DA, WORD("lddir $a0, $a0, 1"), table, 0), EXC_NONE,
                   "lddir: completes when mapped");
    report_eq(lvz_result(&v), table + 0x4000, "lddir: the next table");
    v.refill = NULL;
    lvz_invalidate(0x14, GSTAT_GID(1), 0);
    lvz_map_payload(&v);
    u64 leaf = table + 0x4000 + ((va >> 14 & 0x7ff) + 1) * 8;
    u64 before = gcsr_read(CSR_TLBRELO1);
    lvz_word(&v, CRMD_DA, WORD("ldpte $a0, 1"), table + 0x4000, 0);
    report(v.is_refill && v.tlbrbadv == leaf, "ldpte: the GPA of the entry");
    report_eq(gcsr_read(CSR_TLBRELO1), before, "ldpte: nothing done yet");
    lvz_stage2_map(1, 0, GPA, HPA, 14, 0);
    report_outcome(&v, lvz_word(&v, CRMD_DA, WORD("ldpte $a0, 1"), table + 0x4000, 0), EXC_PIL,
                   "ldpte: an invalid page is a load's fault");
    report_eq(v.badv, leaf, "ldpte: BADV of the fault");
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_V);
    *hpa(HPA + leaf - GPA) = 0x700000 | PAGE_ALL;
    report_outcome(&v, lvz_word(&v, CRMD_DA, WORD("ldpte $a0, 1"), table + 0x4000, 0), EXC_NONE,
                   "ldpte: completes when mapped, read-only will do");
    report_eq(gcsr_read(CSR_TLBRELO1), 0x700000 | PAGE_ALL, "ldpte: the entry");
    report_eq(gcsr_read(CSR_TLBREHI) & 0x3f, 14, "ldpte: the page size");
}

// A whole refill by the guest, a page of the lowest directory for good measure.
__asm__(".pushsection .text.guest_refill, \"ax\"\n"
        ".balign 0x1000\n"
        ".globl guest_refill\n"
        "guest_refill:\n"
        "csrwr $t0, 0x8b\n"
        "csrrd $t0, 0x1b\n"
        "lddir $t0, $t0, 1\n"
        "ldpte $t0, 0\n"
        "ldpte $t0, 1\n"
        "tlbfill\n"
        "csrrd $t0, 0x8b\n"
        "ertn\n"
        ".popsection\n");
extern const char guest_refill[];

static bool fill_tables(struct vcpu *u, u64 gpa)
{
    struct tlb_entry e =
        pages(align_down(gpa, 0x8000), HPA + align_down(gpa, 0x8000) - GPA, 14, PAGE_ALL);
    lvz_stage2_fill(u->gid, &e);
    return true;
}

static void check_whole_walk(const char *name)
{
    v.refill = fill_tables;
    v.n_refills = 0;
    report_outcome(&v, load(MAPPED3, GVA + 0x4000 + OFFSET), EXC_NONE, "%s: a load", name);
    report_eq(lvz_result(&v), 0xabcd, "%s: finds its data", name);
    report(v.n_refills >= 2, "%s: tables and data through the second stage", name);
    report_outcome(&v, load(MAPPED3, GVA + 0x2000000 + OFFSET), EXC_NONE, "%s: a huge page", name);
    report_eq(lvz_result(&v), 0x9876, "%s: and its data", name);
    u64 n = v.n_refills;
    report_outcome(&v, load(MAPPED3, GVA + 0x4000 + OFFSET), EXC_NONE, "%s: again", name);
    report_eq(v.n_refills, n, "%s: without a refill", name);
}

static void make_tables(void)
{
    u64 index = GVA >> 25 & 0x7ff;
    for (unsigned i = 0; i < 0x8000; i += 8)
        *hpa(HPA + i) = 0;
    gcsr_write(CSR_PWCL, 14 | 11 << 5 | 25 << 10 | 11 << 15);
    gcsr_write(CSR_PGDL, GPA);
    u64 flags = PAGE_ALL | BIT(7) | BIT(8);
    *hpa(HPA + index * 8) = GPA + 0x4000;
    *hpa(HPA + (index + 1) * 8) = 0x8000000 | flags | BIT(6); // huge
    u64 leaf = HPA + 0x4000 + (GVA >> 14 & 0x7ff) * 8;
    *hpa(leaf) = (GPA + 0x10000) | flags;
    *hpa(leaf + 8) = (GPA + 0x14000) | flags;
    *hpa(HPA + 0x14000 + OFFSET) = 0xabcd;
    *hpa(HPA + 0x8000000 - GPA + OFFSET) = 0x9876;
}

static void test_whole_walk(void)
{
    start();
    make_tables();
    gcsr_write(CSR_TLBRENTRY, physical_of(guest_refill));
    check_whole_walk("refill by the guest");
    if (!(cpucfg(2) & BIT(24))) {
        report_skip("no hardware walker", "walker of the guest");
        return;
    }
    start();
    make_tables();
    gcsr_write(CSR_PWCH, BIT(24));
    check_whole_walk("walker of the guest");
}

// The root's walker serves misses of the second stage. P and W are what the entry allows, V and D
// are set by the walker.
#define P BIT(7)
#define W BIT(8)
static volatile u64 *walked_leaf;

static void make_root_tables(void)
{
    const u64 dir = 0x9000000, table = 0x9004000;
    for (u64 at = 0; at < 0x8000; at += 8)
        *hpa(dir + at) = 0;
    *hpa(dir) = PAGE_ALL | P | W | BIT(6); // the payload, 32 MiB
    *hpa(dir + (GPA >> 25) * 8) = table;
    walked_leaf = hpa(table + (GPA >> 14 & 0x7ff) * 8);
    csr_write(CSR_PWCL, 14 | 11 << 5 | 25 << 10 | 11 << 15);
    csr_write(CSR_PGDL, dir);
}

static void test_root_walker(void)
{
    if (!(cpucfg(2) & BIT(24))) {
        report_skip("no hardware walker", "walker of the root");
        return;
    }
    start();
    lvz_invalidate(0, 0, 0);
    make_root_tables();
    csr_write(CSR_PWCH, BIT(24));
    *hpa(HPA + OFFSET) = 0x1357;
    *walked_leaf = HPA | P | PAGE_CC;
    csr_write(CSR_TLBRBADV, 0x1111);
    report_outcome(&v, load(CRMD_DA | 3, GPA + OFFSET), EXC_NONE, "walker of the root: a load");
    report_eq(lvz_result(&v), 0x1357, "walker of the root: its data");
    report_eq(csr_read(CSR_TLBRBADV), 0x1111, "walker of the root: no refill");
    report_eq(*walked_leaf, HPA | P | PAGE_CC | PAGE_V, "walker of the root: V is set");
    report_outcome(&v, store(CRMD_DA, GPA + OFFSET, 0x2468), EXC_PME, "walker of the root: W = 0");
    report_eq(v.badv, GPA + OFFSET, "walker of the root: BADV");
    *walked_leaf |= W;
    report_outcome(&v, store(CRMD_DA, GPA + OFFSET, 0x2468), EXC_NONE,
                   "walker of the root: W set, nothing invalidated");
    report_eq(*walked_leaf, HPA | P | W | PAGE_CC | PAGE_V | PAGE_D,
              "walker of the root: D is set");
    report_eq(*hpa(HPA + OFFSET), 0x2468, "walker of the root: stored");
    *walked_leaf = 0;
    lvz_invalidate(0x16, GSTAT_GID(1), GPA);
    report_outcome(&v, load(CRMD_DA, GPA + OFFSET), EXC_PIL, "walker of the root: P = 0, a load");
    report_outcome(&v, store(CRMD_DA, GPA + OFFSET, 0), EXC_PIS, "walker of the root: a store");
    report_outcome(&v, fetch(CRMD_DA, GPA + 0x40), EXC_PIF, "walker of the root: a fetch");
    // Both walkers: each load of the guest's goes through the root's.
    make_tables();
    *walked_leaf = HPA | P | W | PAGE_CC;
    walked_leaf[1] = (HPA + 0x4000) | P | W | PAGE_CC;
    for (unsigned i = 2; i < 8; i++)
        walked_leaf[i] = (HPA + i * 0x4000) | P | W | PAGE_CC;
    gcsr_write(CSR_PWCH, BIT(24));
    lvz_invalidate(0x14, GSTAT_GID(1), 0);
    report_outcome(&v, load(MAPPED3, GVA + 0x4000 + OFFSET), EXC_NONE, "both walkers: a load");
    report_eq(lvz_result(&v), 0xabcd, "both walkers: its data");
    walked_leaf[1] = 0; // the guest's page table
    lvz_invalidate(0x15, GSTAT_GID(1), 0);
    report_outcome(&v, load(MAPPED3, GVA + 0x4000 + OFFSET), EXC_PIL, "both walkers: no table");
    report_eq(v.badv, GPA + 0x4000 + ((GVA + 0x4000) >> 14 & 0x7ff) * 8,
              "both walkers: BADV is the table's entry");
    csr_write(CSR_PWCH, 0);
    lvz_invalidate(0, 0, 0);
}

int main(void)
{
    test_guest_walk();
    test_whole_walk();
    test_root_walker();
    return 0;
}
