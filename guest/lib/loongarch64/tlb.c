// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/report.h"

#define TLBIDX_NE BIT(31)

unsigned tlb_asid(void)
{
    return csr_read(CSR_ASID) & BITS(9, 0);
}

void tlb_set_asid(unsigned asid)
{
    csr_exchange(CSR_ASID, asid, BITS(9, 0));
}

static void load_registers(unsigned index, const struct tlb_entry *e)
{
    csr_write(CSR_TLBIDX, (u64)e->ps << 24 | index);
    csr_write(CSR_TLBEHI, e->va);
    csr_write(CSR_TLBELO0, e->elo[0]);
    csr_write(CSR_TLBELO1, e->elo[1]);
}

void tlb_write(unsigned index, const struct tlb_entry *e)
{
    unsigned asid = tlb_asid();
    load_registers(index, e);
    tlb_set_asid(e->asid);
    __asm__ volatile("tlbwr" ::: "memory");
    tlb_set_asid(asid);
}

void tlb_fill(const struct tlb_entry *e)
{
    unsigned asid = tlb_asid();
    load_registers(0, e);
    tlb_set_asid(e->asid);
    __asm__ volatile("tlbfill" ::: "memory");
    tlb_set_asid(asid);
}

void tlb_remove(unsigned index)
{
    csr_write(CSR_TLBIDX, TLBIDX_NE | index);
    __asm__ volatile("tlbwr" ::: "memory");
}

bool tlb_read(unsigned index, struct tlb_entry *e)
{
    unsigned asid = tlb_asid();
    csr_write(CSR_TLBIDX, index);
    __asm__ volatile("tlbrd" ::: "memory");
    u64 idx = csr_read(CSR_TLBIDX);
    *e = (struct tlb_entry){
        .va = csr_read(CSR_TLBEHI),
        .ps = (unsigned)bits_get(idx, 29, 24),
        .asid = tlb_asid(),
        .elo = {csr_read(CSR_TLBELO0), csr_read(CSR_TLBELO1)},
    };
    tlb_set_asid(asid);
    return !(idx & TLBIDX_NE);
}

int tlb_search(u64 va, unsigned asid)
{
    unsigned before = tlb_asid();
    csr_write(CSR_TLBEHI, va);
    csr_write(CSR_TLBIDX, 0);
    tlb_set_asid(asid);
    __asm__ volatile("tlbsrch" ::: "memory");
    tlb_set_asid(before);
    u64 idx = csr_read(CSR_TLBIDX);
    return idx & TLBIDX_NE ? -1 : (int)bits_get(idx, 11, 0);
}

void tlb_invalidate(unsigned op, unsigned asid, u64 va)
{
    u64 a = asid;
    switch (op) {
    case 0: __asm__ volatile("invtlb 0, $zero, $zero" ::: "memory"); break;
    case 1: __asm__ volatile("invtlb 1, $zero, $zero" ::: "memory"); break;
    case 2: __asm__ volatile("invtlb 2, $zero, $zero" ::: "memory"); break;
    case 3: __asm__ volatile("invtlb 3, $zero, $zero" ::: "memory"); break;
    case 4: __asm__ volatile("invtlb 4, %0, $zero" ::"r"(a) : "memory"); break;
    case 5: __asm__ volatile("invtlb 5, %0, %1" ::"r"(a), "r"(va) : "memory"); break;
    case 6: __asm__ volatile("invtlb 6, %0, %1" ::"r"(a), "r"(va) : "memory"); break;
    default: report_bail_out("invtlb %u is not provided for", op);
    }
}

unsigned tlb_stlb_ps(void)
{
    return csr_read(CSR_STLBPS) & 0x3f;
}

void tlb_set_stlb_ps(unsigned ps)
{
    csr_write(CSR_STLBPS, ps);
    tlb_clear();
}

void tlb_map(unsigned slot, u64 va, u64 pa, unsigned ps, u64 flags)
{
    struct tlb_entry e = {
        .va = va,
        .ps = ps,
        .asid = tlb_asid(),
        .elo = {pa | flags, (pa + BIT(ps)) | flags},
    };
    tlb_write(TLB_STLB_ENTRIES + slot, &e);
}

void tlb_map_page(unsigned slot, u64 va, u64 pa, unsigned ps, u64 flags)
{
    struct tlb_entry e = {
        .va = va & ~(u64)BIT(ps),
        .ps = ps,
        .asid = tlb_asid(),
        .elo = {PAGE_ALL & ~PAGE_V, PAGE_ALL & ~PAGE_V},
    };
    e.elo[va >> ps & 1] = pa | flags;
    tlb_write(TLB_STLB_ENTRIES + slot, &e);
}
