// SPDX-License-Identifier: Apache-2.0
// Page tables: the instructions that help software to walk them (lddir, ldpte: section 5.4.5), page
// attributes, and the hardware walker of later processors.
//
// Directory entries and PGDL/PGDH may hold any virtual alias of a table; only the low PALEN bits
// are an address, and no entry says "none": empty slots point to tables of invalid pages.
#include "cpu/loongarch64/walk.h"
#include "cpu/loongarch64/links.h"
#include "base/bug.h"

#define PTE_HUGE_GLOBAL BIT(12)

struct la_walk_level la_walk_level(const struct la_context *x, unsigned n)
{
    u64 l = x->csr[CSR_PWCL], h = x->csr[CSR_PWCH];
    switch (n) {
    case 0: return (struct la_walk_level){bits_get(l, 4, 0), bits_get(l, 9, 5)};
    case 1: return (struct la_walk_level){bits_get(l, 14, 10), bits_get(l, 19, 15)};
    case 2: return (struct la_walk_level){bits_get(l, 24, 20), bits_get(l, 29, 25)};
    case 3: return (struct la_walk_level){bits_get(h, 5, 0), bits_get(h, 11, 6)};
    default: return (struct la_walk_level){bits_get(h, 17, 12), bits_get(h, 23, 18)};
    }
}

// Entries are 64, 128, 192 or 256 bits apart (PWCL.PTEWidth).
u64 la_walk_entry_size(const struct la_context *x)
{
    return 8 * (bits_get(x->csr[CSR_PWCL], 31, 30) + 1);
}

u64 la_walk_index(struct la_walk_level l, u64 va)
{
    return l.base < 64 ? va >> l.base & (l.width < 64 ? BIT(l.width) - 1 : 0) : 0;
}

u64 la_walk_entry_address(const struct la_cpu *c, const struct la_context *x, u64 table, u64 index)
{
    return ((table & ~7ULL) + index * la_walk_entry_size(x)) & la_physical_mask(c);
}

// Of a GPA no bit 63 is ever set; its walks begin at PGDL, unless the highest bit that it can have
// decides.
bool la_walk_is_high(const struct la_cpu *c, const struct la_context *x, u64 va)
{
    bool by_highest = c->lvz.gpa_refill && x == &c->root;
    return va >> 63 || (by_highest && va >> bits_get(c->cpucfg[1], 19, 12) & 1);
}

// The tables of a guest are in its own memory: each access goes through the second stage. An index
// may lead beyond what a physical address can be.
static u64 table_in_host(struct la_cpu *c, const struct la_context *x, u64 pa,
                         enum la_access access)
{
    pa &= la_physical_mask(c);
    return x == &c->guest ? la_translate_gpa(c, pa, access) : la_route(c, pa);
}

static u64 read_entry(struct la_cpu *c, const struct la_context *x, u64 pa)
{
    return mem_read(c->cpu.bus->mem, table_in_host(c, x, pa, LA_LOAD), 8);
}

u64 la_lddir(struct la_cpu *c, u64 base, unsigned level)
{
    const struct la_context *x = c->context;
    if (base & PTE_HUGE)
        return bits_get(base, 14, 13) ? base : base | (u64)(level & 3) << 13;
    if (level < 1 || level > 4)
        return base;
    u64 index = la_walk_index(la_walk_level(x, level), x->csr[CSR_TLBRBADV]);
    u64 entry = read_entry(c, x, la_walk_entry_address(c, x, base, index));
    return entry & PTE_HUGE ? entry : entry & la_physical_mask(c);
}

// Huge entries keep G in bit 12, where the address of a huge page is zero.
u64 la_walk_huge_to_elo(u64 entry)
{
    u64 global = entry & PTE_HUGE_GLOBAL ? BIT(6) : 0;
    return (entry & ~(PTE_HUGE | PTE_HUGE_GLOBAL | BITS(14, 13))) | global;
}

static void ldpte_huge(struct la_cpu *c, u64 entry, unsigned odd)
{
    unsigned level = bits_get(entry, 14, 13);
    struct la_walk_level l = la_walk_level(c->context, level);
    unsigned ps = l.base + l.width - 1;
    u64 elo = la_walk_huge_to_elo(entry) + (odd ? BIT(ps & 63) : 0);
    c->csr[odd ? CSR_TLBRELO1 : CSR_TLBRELO0] = elo;
    c->csr[CSR_TLBREHI] = bits_set(c->csr[CSR_TLBREHI], 5, 0, ps);
}

void la_ldpte(struct la_cpu *c, u64 base, unsigned odd)
{
    odd &= 1;
    if (base & PTE_HUGE) {
        ldpte_huge(c, base, odd);
        return;
    }
    struct la_walk_level l = la_walk_level(c->context, 0);
    u64 index = (la_walk_index(l, c->csr[CSR_TLBRBADV]) & ~1ULL) + odd;
    u64 entry = read_entry(c, c->context, la_walk_entry_address(c, c->context, base, index));
    c->csr[odd ? CSR_TLBRELO1 : CSR_TLBRELO0] = entry;
    c->csr[CSR_TLBREHI] = bits_set(c->csr[CSR_TLBREHI], 5, 0, l.base);
}

enum la_exception la_page_fault(const struct la_context *x, u64 elo, bool valid, bool writable,
                                enum la_access access)
{
    static const enum la_exception invalid[] = {EXC_PIL, EXC_PIS, EXC_PIF};
    unsigned plv = x->csr[CSR_CRMD] & CRMD_PLV, page_plv = PTE_PLV(elo);
    if (!valid)
        return invalid[access];
    if (access == LA_FETCH && elo & PTE_NX)
        return EXC_PNX;
    if (elo & PTE_RPLV ? plv != page_plv : plv > page_plv)
        return EXC_PPI;
    if (access == LA_LOAD && elo & PTE_NR)
        return EXC_PNR;
    // MISC.DWPLn lets privileged levels write clean pages.
    bool may_write_clean = plv < 3 && x->csr[CSR_MISC] >> (16 + plv) & 1;
    if (access == LA_STORE && !writable && !may_write_clean)
        return EXC_PME;
    return EXC_INT;
}

static _Noreturn void raise_of_view(struct la_cpu *c, const struct la_tlb_view *v,
                                    enum la_exception e, u64 va)
{
    if (v->tlb->kind == LA_TLB_STAGE2)
        la_raise_root(c, e, va);
    la_raise_address(c, e, va);
}

u64 la_page_permissions(const struct la_cpu *c, const struct la_tlb_view *v, u64 elo)
{
    bool has_plv = v->tlb->kind != LA_TLB_STAGE2 || c->lvz.stage2_plv;
    return has_plv ? elo : (elo | 3 << 2) & ~PTE_RPLV;
}

void la_check_page(struct la_cpu *c, const struct la_tlb_view *v, u64 elo, u64 va,
                   enum la_access access)
{
    u64 bits = la_page_permissions(c, v, elo);
    enum la_exception e = la_page_fault(v->context, bits, elo & PTE_V, elo & PTE_D, access);
    if (e != EXC_INT)
        raise_of_view(c, v, e, va);
}

// The hardware walker. For it V means accessed and D dirty; P and W are the permissions.

bool la_walker_is_on(const struct la_tlb_view *v)
{
    return v->context->csr[CSR_PWCH] >> 24 & 1;
}

// Where a translation was found in the tables.
struct leaf {
    u64 pa; // of the entry, or of the even one of a pair
    bool huge;
    unsigned ps;
    u64 odd_offset;
};

static struct leaf find_leaf(struct la_cpu *c, const struct la_context *x, u64 va)
{
    u64 table = x->csr[la_walk_is_high(c, x, va) ? CSR_PGDH : CSR_PGDL];
    for (unsigned n = 4; n >= 1; n--) {
        struct la_walk_level l = la_walk_level(x, n);
        if (!l.width)
            continue;
        u64 pa = la_walk_entry_address(c, x, table, la_walk_index(l, va));
        u64 entry = read_entry(c, x, pa);
        if (entry & PTE_HUGE)
            return (struct leaf){pa, true, l.base - 1, 0};
        table = entry;
    }
    struct la_walk_level l = la_walk_level(x, 0);
    u64 even = la_walk_index(l, va) & ~1ULL;
    return (struct leaf){la_walk_entry_address(c, x, table, even), false, l.base,
                         la_walk_entry_size(x)};
}

static u64 needed_bits(enum la_access access)
{
    return access == LA_STORE ? PTE_V | PTE_D : PTE_V;
}

static enum la_exception walker_fault(const struct la_cpu *c, const struct la_tlb_view *v, u64 pte,
                                      enum la_access access)
{
    u64 bits = la_page_permissions(c, v, pte);
    return la_page_fault(v->context, bits, pte & PTE_PRESENT, pte & PTE_WRITE, access);
}

// Sets bits in an entry that may change under our hands; false: it did, walk again.
static bool set_bits(struct la_cpu *c, const struct la_context *x, u64 pa, u64 old, u64 bits)
{
    if ((old & bits) == bits)
        return true;
    u64 hpa = table_in_host(c, x, pa, LA_STORE) & ~7ULL;
    u64 *host = (u64 *)(void *)mem_ram_page(c->cpu.bus->mem, hpa, 8, true);
    struct la_lines held = la_links_hold(c, hpa, (const u8 *)host, 8);
    bool done = !host || __atomic_compare_exchange_n(host, &old, old | bits, false,
                                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    la_links_let_go(c, held);
    mem_written(c->cpu.bus->mem, hpa, 8);
    return done;
}

// `mine` is the entry of va as it was checked: another processor may have changed it by now.
static struct la_tlb_entry *insert_leaf(struct la_cpu *c, const struct la_tlb_view *v, u64 va,
                                        const struct leaf *w, u64 mine)
{
    unsigned odd = va >> w->ps & 1;
    u64 pte[2];
    if (w->huge) {
        pte[0] = la_walk_huge_to_elo(mine);
        pte[1] = pte[0] + BIT(w->ps);
    } else {
        pte[odd] = mine;
        pte[!odd] = read_entry(c, v->context, w->pa + (odd ? 0 : w->odd_offset));
    }
    struct la_tlb_entry t = {
        .ps = (u8)w->ps,
        .exists = true,
        .vppn = va & BITS(47, 0) & ~((2ULL << w->ps) - 1),
        .asid = v->context->csr[CSR_ASID] & 0x3ff,
        .global = pte[0] & pte[1] & BIT(6),
        .elo = {pte[0] & ~BIT(6), pte[1] & ~BIT(6)},
    };
    return la_tlb_insert(c, v, &t);
}

// A page size the TLB cannot hold comes from nonsense in PWCL/PWCH.
static bool is_sane(struct la_cpu *c, const struct leaf *w)
{
    if (w->ps < 48 && w->ps >= 12)
        return true;
    log_guest(c->cpu.bus->log, "cpu %u: PWCL/PWCH describe pages of 2^%u bytes", c->cpu.index,
              w->ps);
    return false;
}

static struct la_tlb_entry *walk(struct la_cpu *c, const struct la_tlb_view *v, u64 va,
                                 enum la_access access)
{
    for (;;) {
        struct leaf w = find_leaf(c, v->context, va);
        if (!is_sane(c, &w))
            raise_of_view(c, v, access == LA_FETCH ? EXC_PIF : EXC_PIL, va);
        u64 pa = w.pa + (va >> w.ps & 1 ? w.odd_offset : 0);
        u64 pte = read_entry(c, v->context, pa);
        enum la_exception e = walker_fault(c, v, pte, access);
        if (e != EXC_INT)
            raise_of_view(c, v, e, va);
        u64 bits = needed_bits(access);
        if (set_bits(c, v->context, pa, pte, bits))
            return insert_leaf(c, v, va, &w, pte | bits);
    }
}

struct la_tlb_entry *la_walker_check(struct la_cpu *c, const struct la_tlb_view *v,
                                     struct la_tlb_entry *t, u64 va, enum la_access access)
{
    if (!t)
        return walk(c, v, va, access);
    u64 pte = t->elo[va >> t->ps & 1], need = needed_bits(access);
    if (walker_fault(c, v, pte, access) == EXC_INT && (pte & need) == need)
        return t;
    // The tables may say otherwise by now; what the entry says is not held against the access.
    la_tlb_drop(c, v->tlb, t);
    return walk(c, v, va, access);
}
