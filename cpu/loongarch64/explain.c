// SPDX-License-Identifier: Apache-2.0
// The way of an address, in words: window or TLB entry or page table, stage by stage, until it is
// on the bus or an exception ends it.
//
// The decisions are those of mmu.c, tlb.c and walk.c, asked on a copy of the processor; only their
// order is here again, because those functions raise and this one goes on. The test holds every
// verdict against the processor itself. Page tables are read without asking devices.
#include "cpu/loongarch64/probe.h"
#include "cpu/loongarch64/tlb.h"
#include "cpu/loongarch64/walk.h"
#include "mem/place.h"

#include <string.h>

struct way {
    struct la_cpu *c; // a probe
    struct text *to;
    enum la_access access;
    bool by_tables; // where no entry matches, go on by the tables
    struct la_verdict verdict;
};

#define say(w, ...) text_add((w)->to, __VA_ARGS__)
#define X(n)        ((unsigned long long)(n))

// Ends the way. Always false.
static bool fail(struct way *w, enum la_exception what, u64 bad_va, bool in_root)
{
    w->verdict = (struct la_verdict){.what = what, .bad_va = bad_va, .in_root = in_root};
    return false;
}

static bool is_stage2(const struct la_tlb_view *v)
{
    return v->tlb->kind == LA_TLB_STAGE2;
}

static const char *stage_name(const struct la_tlb_view *v)
{
    static const char *const names[] = {"root", "stage 1", "stage 2"};
    return names[v->tlb->kind];
}

static const char *address_name(const struct la_tlb_view *v)
{
    static const char *const names[] = {"VA", "GVA", "GPA"};
    return names[v->tlb->kind];
}

// Why an entry refuses the access, in the order of la_page_fault.
static void say_refusal(struct way *w, const struct la_tlb_view *v, u64 elo, bool by_walker,
                        enum la_exception e)
{
    unsigned plv = v->context->csr[CSR_CRMD] & CRMD_PLV, page = PTE_PLV(elo);
    switch (e) {
    case EXC_PIL:
    case EXC_PIS:
    case EXC_PIF: say(w, "it is not valid: %s is 0", by_walker ? "P (bit 7)" : "V (bit 0)"); break;
    case EXC_PNX: say(w, "NX (bit 62) forbids fetches"); break;
    case EXC_PNR: say(w, "NR (bit 61) forbids loads"); break;
    case EXC_PPI:
        say(w,
            elo & PTE_RPLV ? "RPLV is set, so that PLV %u is allowed and %u is not"
                           : "it is for PLV 0 to %u, not for %u",
            page, plv);
        break;
    default:
        say(w, "it is not writable: %s is 0", by_walker ? "W (bit 8)" : "D (bit 1)");
        if (plv < 3)
            say(w, ", and so is MISC.DWPL%u", plv);
        break;
    }
    say(w, "\n");
}

static const char *result_name(const struct la_tlb_view *v)
{
    return v->tlb->kind == LA_TLB_STAGE1 ? "GPA" : "PA";
}

// An entry that matches, of the TLB or made of tables: 0 or the exception.
static enum la_exception judge(struct way *w, const struct la_tlb_view *v,
                               const struct la_tlb_entry *t, u64 va, bool by_walker,
                               enum la_access access)
{
    u64 elo = t->elo[va >> t->ps & 1];
    bool valid = elo & (by_walker ? PTE_PRESENT : PTE_V);
    bool writable = elo & (by_walker ? PTE_WRITE : PTE_D);
    u64 bits = la_page_permissions(w->c, v, elo);
    return la_page_fault(v->context, bits, valid, writable, access);
}

static void say_entry(struct way *w, const struct la_tlb_view *v, const struct la_tlb_entry *t,
                      u64 va)
{
    size_t i = (size_t)(t - v->tlb->entries);
    if (i < LA_STLB_ENTRIES)
        say(w, "  TLB: STLB[%zu] (set %zu, way %zu)", i, i % LA_STLB_SETS, i / LA_STLB_SETS);
    else
        say(w, "  TLB: MTLB[%zu]", i);
    say(w, " VPPN 0x%llx PS %u ASID %u G=%u GID %u, %s page: ", X(t->vppn >> 13), t->ps, t->asid,
        t->global, t->gid, va >> t->ps & 1 ? "odd" : "even");
    la_print_attributes(t->elo[va >> t->ps & 1], la_walker_is_on(v), w->to);
    say(w, "\n");
}

// Entries that would have matched but for one thing.
static void say_near_misses(struct way *w, const struct la_tlb_view *v, u64 va)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LA_TLB_ENTRIES && n < 8; i++) {
        const struct la_tlb_entry *t = &v->tlb->entries[i];
        if (!la_tlb_covers(t, va))
            continue;
        n++;
        say(w, "       entry %u is for it, but ", i);
        if (t->gid != v->gid)
            say(w, "has GID %u\n", t->gid);
        else if (v->has_asid && !t->global && t->asid != (v->context->csr[CSR_ASID] & 0x3ff))
            say(w, "has ASID %u and is not global\n", t->asid);
        else
            say(w, "is in a place where it is not looked for\n");
    }
}

static void say_miss(struct way *w, const struct la_tlb_view *v, u64 va)
{
    say(w, "  TLB: no entry matches VPPN 0x%llx",
        X((va & BITS(47, 0)) >> 13)); // of the smallest pages
    if (v->has_asid)
        say(w, " ASID %u", (unsigned)(v->context->csr[CSR_ASID] & 0x3ff));
    if (v->tlb->kind != LA_TLB_ROOT)
        say(w, " GID %u", v->gid);
    say(w, "\n");
    say_near_misses(w, v, va);
}

static bool stage_two(struct way *w, u64 gpa, enum la_access access, u64 *bus);

// A table in the memory of a guest is itself behind the second stage. The inner way is told only
// where it ends.
static bool table_on_bus(struct way *w, const struct la_tlb_view *v, u64 pa, enum la_access access,
                         u64 *bus)
{
    *bus = la_route(w->c, pa);
    if (v->tlb->kind != LA_TLB_STAGE1)
        return true;
    struct text inner = {0};
    struct way way = {.c = w->c, .to = &inner, .by_tables = w->by_tables};
    bool ok = stage_two(&way, pa, access, bus);
    if (!ok) {
        say(w, "    the table at GPA 0x%llx cannot be %s:\n%s", X(pa),
            access == LA_STORE ? "written" : "read", text_string(&inner));
        w->verdict = way.verdict;
    }
    text_free(&inner);
    return ok;
}

// Reads an entry of a table; false if the way ends there.
static bool read_entry(struct way *w, const struct la_tlb_view *v, u64 pa, u64 *entry)
{
    u8 bytes[8];
    u64 bus;
    if (!table_on_bus(w, v, pa, LA_LOAD, &bus))
        return false;
    if (!mem_peek(w->c->cpu.bus->mem, bus, bytes, sizeof(bytes))) {
        say(w, "    the table at 0x%llx is not in memory\n", X(pa));
        *entry = ~0ULL; // what the bus reads where nothing is
        return true;
    }
    *entry = load_le(bytes, 8);
    return true;
}

static u64 top_table(struct way *w, const struct la_tlb_view *v, u64 va)
{
    bool high = la_walk_is_high(w->c, v->context, va);
    u64 table = v->context->csr[high ? CSR_PGDH : CSR_PGDL];
    say(w, "    %s%s 0x%llx\n", is_stage2(v) ? "root's " : "", high ? "PGDH" : "PGDL", X(table));
    return table;
}

// Down the directories. True: *pa is the last entry's address (of a pair the even one's), *ps its
// page size; is_huge: it is an entry of a directory.
struct leaf {
    u64 pa, entry;
    unsigned ps;
    bool is_huge;
};

static bool find_leaf(struct way *w, const struct la_tlb_view *v, u64 va, struct leaf *leaf)
{
    const struct la_context *x = v->context;
    u64 table = top_table(w, v, va);
    for (unsigned n = 4; n >= 1; n--) {
        struct la_walk_level l = la_walk_level(x, n);
        if (!l.width)
            continue;
        u64 index = la_walk_index(l, va), pa = la_walk_entry_address(w->c, x, table, index);
        if (!read_entry(w, v, pa, &table))
            return false;
        say(w, "    Dir%u[%llu] at 0x%llx is 0x%llx%s\n", n, X(index), X(pa), X(table),
            table & PTE_HUGE ? ", a huge page" : "");
        if (table & PTE_HUGE) {
            *leaf = (struct leaf){pa, table, l.base - 1, true};
            return true;
        }
    }
    struct la_walk_level l = la_walk_level(x, 0);
    u64 even = la_walk_index(l, va) & ~1ULL;
    *leaf = (struct leaf){la_walk_entry_address(w->c, x, table, even), 0, l.base, false};
    return true;
}

// The entry that a refill would make, or the hardware walker.
static bool make_entry(struct way *w, const struct la_tlb_view *v, u64 va, const struct leaf *leaf,
                       struct la_tlb_entry *t)
{
    *t = (struct la_tlb_entry){.ps = (u8)leaf->ps, .exists = true};
    if (leaf->is_huge) {
        t->elo[0] = la_walk_huge_to_elo(leaf->entry);
        t->elo[1] = t->elo[0] + BIT(leaf->ps);
        return true;
    }
    unsigned odd = va >> leaf->ps & 1;
    u64 pa = leaf->pa + odd * la_walk_entry_size(v->context);
    if (!read_entry(w, v, pa, &t->elo[odd]))
        return false;
    say(w, "    PT[%llu] at 0x%llx is 0x%llx", X(la_walk_index(la_walk_level(v->context, 0), va)),
        X(pa), X(t->elo[odd]));
    if (t->elo[odd]) {
        say(w, ": ");
        la_print_attributes(t->elo[odd], la_walker_is_on(v), w->to);
    }
    say(w, "\n");
    return true;
}

static bool use_tables(struct way *w, const struct la_tlb_view *v, u64 va, enum la_access access,
                       u64 *pa)
{
    struct leaf leaf;
    struct la_tlb_entry t;
    bool by_walker = la_walker_is_on(v);
    enum la_exception none = access == LA_FETCH ? EXC_PIF : EXC_PIL;
    if (!find_leaf(w, v, va, &leaf))
        return false;
    if (leaf.ps < 12 || leaf.ps >= 48) {
        say(w, "    PWCL and PWCH describe pages of 2^%d bytes, which there are not\n",
            (int)leaf.ps);
        return fail(w, none, va, is_stage2(v));
    }
    if (!make_entry(w, v, va, &leaf, &t))
        return false;
    enum la_exception e = judge(w, v, &t, va, by_walker, access);
    if (e != EXC_INT) {
        say(w, "    the entry does not allow it: ");
        say_refusal(w, v, t.elo[va >> t.ps & 1], by_walker, e);
        return fail(w, e, va, is_stage2(v));
    }
    u64 need = access == LA_STORE ? PTE_V | PTE_D : PTE_V, bus;
    u64 pte = leaf.pa + (leaf.is_huge ? 0 : (va >> t.ps & 1) * la_walk_entry_size(v->context));
    // The walker notes the access in the table.
    if (by_walker && (t.elo[va >> t.ps & 1] & need) != need &&
        !table_on_bus(w, v, pte, LA_STORE, &bus))
        return false;
    *pa = la_mmu_page_address(w->c, &t, va);
    return true;
}

// Software fills this TLB: the tables are what its refill handler will most likely find. They do
// not change the verdict unless asked to.
static bool miss(struct way *w, const struct la_tlb_view *v, u64 va, enum la_access access, u64 *pa)
{
    bool high = la_walk_is_high(w->c, v->context, va);
    const char *zero = !v->context->csr[CSR_PWCL]                    ? "PWCL"
                       : v->context->csr[high ? CSR_PGDH : CSR_PGDL] ? NULL
                       : high                                        ? "PGDH"
                                                                     : "PGDL";
    struct la_verdict before = w->verdict;
    if (zero)
        say(w, "  tables: not known: %s%s is 0\n", is_stage2(v) ? "root's " : "", zero);
    else
        say(w, "  tables, not in TLB: what a refill by PWCL and PWCH finds\n");
    bool found = !zero && use_tables(w, v, va, access, pa);
    if (found)
        say(w, "    -> %s 0x%llx\n", result_name(v), X(*pa));
    if (w->by_tables)
        return found || fail(w, EXC_TLBR, va, is_stage2(v));
    w->verdict = before;
    return fail(w, EXC_TLBR, va, is_stage2(v));
}

// With the hardware walker on, an entry that does not allow an access is not the last word.
static bool walk(struct way *w, const struct la_tlb_view *v, const struct la_tlb_entry *t, u64 va,
                 enum la_access access, u64 *pa)
{
    u64 need = access == LA_STORE ? PTE_V | PTE_D : PTE_V;
    if (t && judge(w, v, t, va, true, access) == EXC_INT &&
        (t->elo[va >> t->ps & 1] & need) == need) {
        *pa = la_mmu_page_address(w->c, t, va);
        return true;
    }
    say(w, t ? "  the entry does not allow it yet; the hardware walker looks at the tables\n"
             : "  tables: the hardware walker is on (PWCH.HPTW_En)\n");
    return use_tables(w, v, va, access, pa);
}

static bool by_tlb(struct way *w, const struct la_tlb_view *v, u64 va, enum la_access access,
                   u64 *pa)
{
    const struct la_tlb_entry *t = la_tlb_find(w->c, v, va);
    if (t)
        say_entry(w, v, t, va);
    else
        say_miss(w, v, va);
    if (la_walker_is_on(v)) {
        if (!walk(w, v, t, va, access, pa))
            return false;
    } else if (!t) {
        return miss(w, v, va, access, pa);
    } else {
        enum la_exception e = judge(w, v, t, va, false, access);
        if (e != EXC_INT) {
            say(w, "  the entry does not allow it: ");
            say_refusal(w, v, t->elo[va >> t->ps & 1], false, e);
            return fail(w, e, va, is_stage2(v));
        }
        *pa = la_mmu_page_address(w->c, t, va);
    }
    say(w, "  -> %s 0x%llx\n", result_name(v), X(*pa));
    return true;
}

static bool by_window(struct way *w, u64 va, u64 *pa)
{
    const struct la_cpu *c = w->c;
    const char *result = la_in_guest(c) ? "GPA" : "PA";
    int n = la_mmu_window(c, va);
    if (!(c->csr[CSR_CRMD] & CRMD_DA) && n < 0)
        return false;
    *pa = c->csr[CSR_CRMD] & CRMD_DA ? la_mmu_direct(c, va) : va & la_physical_mask(c);
    if (c->csr[CSR_CRMD] & CRMD_DA)
        say(w, "  direct mode (CRMD.DA)");
    else
        say(w, "  window: DMW%d is 0x%llx and holds segment 0x%llx at PLV %u", n,
            X(c->csr[CSR_DMW0 + n]), X(va >> 60), la_plv(c));
    say(w, "\n  -> %s 0x%llx\n", result, X(*pa));
    return true;
}

static bool stage_own(struct way *w, u64 va, u64 *pa)
{
    struct la_cpu *c = w->c;
    struct la_tlb_view v = la_tlb_own(c);
    if (la_mmu_is_va32(c) && va >> 32) {
        va &= 0xffffffff;
        say(w, "MISC.VA32L%u is set: the address is cut to 0x%llx\n", la_plv(c), X(va));
    }
    say(w, "%s: %s 0x%llx\n", stage_name(&v), address_name(&v), X(va));
    if (by_window(w, va, pa))
        return true;
    if (!la_mmu_is_canonical(c, va)) {
        say(w, "  no window holds it, and its upper bits are not all the same\n");
        return fail(w, w->access == LA_FETCH ? EXC_ADEF : EXC_ADEM, va, false);
    }
    return by_tlb(w, &v, va, w->access, pa);
}

static u64 route(struct way *w, u64 pa)
{
    u64 bus = la_route(w->c, pa);
    if (bus != pa)
        say(w, "address windows of the chip: 0x%llx -> 0x%llx\n", X(pa), X(bus));
    return bus;
}

static bool stage_two(struct way *w, u64 gpa, enum la_access access, u64 *bus)
{
    static const enum la_exception invalid[] = {EXC_PIL, EXC_PIS, EXC_PIF};
    struct la_tlb_view v = la_tlb_stage2(w->c);
    u64 pa;
    say(w, "%s: %s 0x%llx, GID %u\n", stage_name(&v), address_name(&v), X(gpa), v.gid);
    if (!la_mmu_is_gpa(w->c, gpa)) {
        say(w, "  no second-stage table can hold it: it is too long\n");
        return fail(w, invalid[access], gpa, true);
    }
    if (!by_tlb(w, &v, gpa, access, &pa))
        return false;
    *bus = route(w, pa);
    return true;
}

static bool go(struct way *w, u64 va)
{
    u64 pa, bus;
    if (w->access == LA_FETCH && va & 3) {
        say(w, "instructions lie at multiples of 4\n");
        return fail(w, EXC_ADEF, va, false);
    }
    if (!stage_own(w, va, &pa) || (la_in_guest(w->c) && !stage_two(w, pa, w->access, &bus)))
        return false;
    if (!la_in_guest(w->c))
        bus = route(w, pa);
    w->verdict = (struct la_verdict){.is_there = true, .bus = bus};
    return true;
}

static void say_mode(struct way *w, const struct cpu_question *q)
{
    static const char *const accesses[] = {"load from", "store to", "fetch from"};
    const struct la_cpu *c = w->c;
    say(w, "%s", la_in_guest(c) ? "guest" : "root");
    if (la_in_guest(c))
        say(w, " (GID %u)", la_guest_gid(c));
    say(w, ", PLV %u, %s 0x%llx\n", la_plv(c), accesses[w->access], X(q->address));
}

static void say_end(struct way *w)
{
    const struct la_verdict *v = &w->verdict;
    if (v->is_there)
        say(w, "leads to 0x%llx\n", X(v->bus));
    else
        say(w, "raises %s%s for 0x%llx\n", la_exception_name(v->what),
            v->in_root ? ", an exit to the root," : "", X(v->bad_va));
}

struct la_verdict la_explain_verdict(const struct la_cpu *c, const struct cpu_question *q,
                                     struct text *to)
{
    struct la_cpu *probe = la_probe_new(c, q);
    struct way w = {.c = probe, .to = to, .access = (enum la_access)q->access};
    say_mode(&w, q);
    go(&w, q->address);
    say_end(&w);
    la_probe_free(probe);
    return w.verdict;
}

bool la_explain(struct cpu *cpu, const struct cpu_question *q, struct text *to, u64 *bus)
{
    struct la_verdict v = la_explain_verdict(la_of(cpu), q, to);
    *bus = v.bus;
    return v.is_there;
}

bool la_find(struct cpu *cpu, const struct cpu_question *q, u64 *bus)
{
    struct text unread = {0};
    struct la_cpu *probe = la_probe_new(la_of(cpu), q);
    struct way w = {
        .c = probe, .to = &unread, .access = (enum la_access)q->access, .by_tables = true};
    bool ok = go(&w, q->address);
    *bus = w.verdict.bus;
    la_probe_free(probe);
    text_free(&unread);
    return ok;
}
