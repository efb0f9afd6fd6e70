// SPDX-License-Identifier: Apache-2.0
// The entries of the TLBs, one line each with both pages.
#include "cpu/loongarch64/probe.h"
#include "cpu/loongarch64/walk.h"

#include <string.h>

static const char *const tlb_names[] = {
    [LA_TLB_ROOT] = "root", [LA_TLB_STAGE1] = "stage1", [LA_TLB_STAGE2] = "stage2"};

void la_print_attributes(u64 elo, bool by_walker, struct text *to)
{
    text_add(to, "PA 0x%llx V=%u D=%u PLV=%u MAT=%u", (unsigned long long)(elo & BITS(47, 12)),
             !!(elo & PTE_V), !!(elo & PTE_D), (unsigned)PTE_PLV(elo),
             (unsigned)bits_get(elo, 5, 4));
    if (by_walker)
        text_add(to, " P=%u W=%u", !!(elo & PTE_PRESENT), !!(elo & PTE_WRITE));
    text_add(to, "%s%s%s", elo & PTE_NR ? " NR" : "", elo & PTE_NX ? " NX" : "",
             elo & PTE_RPLV ? " RPLV" : "");
}

static void print_page(u64 elo, bool by_walker, struct text *to)
{
    text_add(to, " | ");
    if (elo)
        la_print_attributes(elo, by_walker, to);
    else
        text_add(to, "no page");
}

// An entry keeps 48 bits; those above a virtual address's highest are as that one.
static void print_entry(const struct la_tlb *tlb, unsigned i, bool by_walker, struct text *to)
{
    const struct la_tlb_entry *t = &tlb->entries[i];
    u64 address = tlb->kind == LA_TLB_STAGE2 ? t->vppn : (u64)sign_extend(t->vppn, 48);
    text_add(to, i < LA_STLB_ENTRIES ? "STLB[%u]" : "MTLB[%u]", i);
    text_pad(to, 11);
    text_add(to, "0x%012llx PS %u ASID %u%s GID %u", (unsigned long long)address, t->ps, t->asid,
             t->global ? " G" : "", t->gid);
    print_page(t->elo[0], by_walker, to);
    print_page(t->elo[1], by_walker, to);
    text_add(to, "\n");
}

static unsigned count(const struct la_tlb *tlb)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
        n += tlb->entries[i].exists;
    return n;
}

static void print_tlb(const struct la_cpu *c, enum la_tlb_kind kind, struct text *to)
{
    const struct la_tlb *tlb = &c->tlb[kind];
    const struct la_context *x = kind == LA_TLB_STAGE1 ? &c->guest : &c->root;
    bool by_walker = x->csr[CSR_PWCH] >> 24 & 1;
    text_add(to, "%s: %u entries, STLBPS %u\n", tlb_names[kind], count(tlb),
             (unsigned)x->csr[CSR_STLBPS] & 0x3f);
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
        if (tlb->entries[i].exists)
            print_entry(tlb, i, by_walker, to);
}

bool la_print_tlb(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                  struct text *to, struct err *e)
{
    const struct la_cpu *c = la_of(cpus[at]);
    bool found = false;
    for (unsigned kind = 0; kind < LA_N_TLBS; kind++) {
        bool is_asked = !*word || !strcmp(word, tlb_names[kind]);
        found |= is_asked;
        if (is_asked && (kind == LA_TLB_ROOT || la_has_lvz(c)))
            print_tlb(c, kind, to);
    }
    return found || err_set(e, "'%.40s': there are the TLBs root, stage1 and stage2", word);
}
