// SPDX-License-Identifier: Apache-2.0
// What payloads about translation in two stages share: a guest of theirs, an address of each stage,
// and single accesses.
#pragma once

#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/lvz.h"

#define GUEST(code) (LVZ_GUEST | (code))
#define GPA         0x5000000ULL // in no entry at first
#define HPA         0x6000000ULL
#define GVA         0x120000000ULL
#define MAPPED      CRMD_PG
#define MAPPED3     (CRMD_PG | 3)
#define OFFSET      0x1238

static struct vcpu v;

static inline void start(void)
{
    lvz_init(&v, 1);
    lvz_open_window();
}

static inline struct tlb_entry pages(u64 va, u64 pa, unsigned ps, u64 flags)
{
    return (struct tlb_entry){va, ps, 0, {pa | flags, (pa + BIT(ps)) | flags}};
}

static inline volatile u64 *hpa(u64 address)
{
    return memory_at(address);
}

static inline unsigned load(u64 crmd, u64 va)
{
    return lvz_word(&v, crmd, WORD("ld.d $a0, $a0, 0"), va, 0);
}

static inline unsigned store(u64 crmd, u64 va, u64 value)
{
    return lvz_word(&v, crmd, WORD("st.d $a1, $a0, 0"), va, value);
}

static inline unsigned fetch(u64 crmd, u64 va)
{
    return lvz_call_at(&v, crmd, va, 0, 0, 0);
}

static inline void fill_pages(u64 gpa)
{
    struct tlb_entry e = pages(align_down(gpa, 0x8000), HPA, 14, PAGE_ALL);
    lvz_stage2_fill(v.gid, &e);
}

static inline bool on_refill(struct vcpu *u, u64 gpa)
{
    fill_pages(gpa);
    return true;
}
