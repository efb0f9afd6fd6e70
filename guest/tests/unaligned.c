// SPDX-License-Identifier: Apache-2.0
// Misaligned accesses of every kind at every offset across a page border, with faults on either
// side: whole or not at all. Reference Manual, volume 1, 2.1.9 and 7.4.4 (MISC.ALCL).
//
// The border is between two entries of the TLB, and the physical pages are not neighbours.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

#define PS     12
#define PAGE   0x1000u
#define BORDER 0x20002000ULL // between the odd page of slot 0 and the even one of slot 1
#define FIRST  (BORDER - PAGE)
#define PA1    (SCRATCH_BASE + 0x9000) // of the page before the border
#define PA2    (SCRATCH_BASE + 0x4000) // of the one behind it

// Copies between the address under test ($a0) and an aligned buffer ($a1); $a2 is 0.
#define COPY(name, in, out)                                                               \
    static u64 name(u64 va, u64 buffer, u64 zero)                                         \
    {                                                                                     \
        __asm__ volatile(in "; " out ::"r"(va), "r"(buffer), "r"(zero) : "memory", "t0"); \
        return 0;                                                                         \
    }
#define KIND(name, load, store, reg)                                   \
    COPY(load_##name, load " " reg ", %0, 0", store " " reg ", %1, 0") \
    COPY(store_##name, load " " reg ", %1, 0", store " " reg ", %0, 0")
#define KIND_INDEXED(name, load, store, reg)                             \
    COPY(load_##name, load " " reg ", %0, %2", store " " reg ", %1, %2") \
    COPY(store_##name, load " " reg ", %1, %2", store " " reg ", %0, %2")
KIND(h, "ld.h", "st.h", "$t0")
KIND(hu, "ld.hu", "st.h", "$t0")
KIND(w, "ld.w", "st.w", "$t0")
KIND(wu, "ld.wu", "st.w", "$t0")
KIND(d, "ld.d", "st.d", "$t0")
KIND(ptr_w, "ldptr.w", "stptr.w", "$t0")
KIND(ptr_d, "ldptr.d", "stptr.d", "$t0")
KIND_INDEXED(x_h, "ldx.hu", "stx.h", "$t0")
KIND_INDEXED(x_w, "ldx.wu", "stx.w", "$t0")
KIND_INDEXED(x_d, "ldx.d", "stx.d", "$t0")
KIND(fs, "fld.s", "fst.s", "$f0")
KIND(fd, "fld.d", "fst.d", "$f0")
KIND_INDEXED(fx_d, "fldx.d", "fstx.d", "$f0")
KIND(v, "vld", "vst", "$vr0")
KIND_INDEXED(vx, "vldx", "vstx", "$vr0")
KIND(xv, "xvld", "xvst", "$xr0")
KIND_INDEXED(xvx, "xvldx", "xvstx", "$xr0")

static const struct kind {
    const char *name;
    unsigned size;
    trap_function load, store;
    unsigned needs; // bit of CPUCFG2; 0: none
} kinds[] = {
    {"ld.h", 2, load_h, store_h, 0},
    {"ld.hu", 2, load_hu, store_hu, 0},
    {"ld.w", 4, load_w, store_w, 0},
    {"ld.wu", 4, load_wu, store_wu, 0},
    {"ld.d", 8, load_d, store_d, 0},
    {"ldptr.w", 4, load_ptr_w, store_ptr_w, 0},
    {"ldptr.d", 8, load_ptr_d, store_ptr_d, 0},
    {"ldx.hu", 2, load_x_h, store_x_h, 0},
    {"ldx.wu", 4, load_x_w, store_x_w, 0},
    {"ldx.d", 8, load_x_d, store_x_d, 0},
    {"fld.s", 4, load_fs, store_fs, 0},
    {"fld.d", 8, load_fd, store_fd, 0},
    {"fldx.d", 8, load_fx_d, store_fx_d, 0},
    {"vld", 16, load_v, store_v, 6},
    {"vldx", 16, load_vx, store_vx, 6},
    {"xvld", 32, load_xv, store_xv, 7},
    {"xvldx", 32, load_xvx, store_xvx, 7},
};

static u8 buffer[64] __attribute__((aligned(64)));

// A byte that its address tells.
static u8 pattern(u64 va)
{
    return (u8)(va * 7 + (va >> 8) + 0x35);
}

// The memory behind an address on either side of the border.
static volatile u8 *place(u64 va)
{
    u64 pa = va < BORDER ? PA1 + (va - FIRST) : PA2 + (va - BORDER);
    return memory_at(pa);
}

static void fill_pages(void)
{
    for (u64 va = BORDER - 64; va < BORDER + 64; va++)
        *place(va) = pattern(va);
}

static unsigned n_changed(u64 from, u64 to)
{
    unsigned n = 0;
    for (u64 va = BORDER - 64; va < BORDER + 64; va++)
        n += (va < from || va >= to) && *place(va) != pattern(va);
    return n;
}

// `first` and `second` are attributes of the pages; 0: no entry.
static void map_pages(u64 first, u64 second)
{
    tlb_clear();
    if (first)
        tlb_map_page(0, FIRST, PA1, PS, first);
    if (second)
        tlb_map_page(1, BORDER, PA2, PS, second);
}

static bool load_is_right(const struct kind *k, u64 va)
{
    memset(buffer, 0, sizeof(buffer));
    struct trap t = trap_call(3, k->load, va, (u64)buffer, 0);
    unsigned n_wrong = t.code != EXC_NONE;
    for (unsigned i = 0; i < k->size; i++)
        n_wrong += buffer[i] != pattern(va + i);
    return !n_wrong;
}

static bool store_is_right(const struct kind *k, u64 va)
{
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < k->size; i++)
        buffer[i] = (u8)(0xf0 - i);
    struct trap t = trap_call(3, k->store, va, (u64)buffer, 0);
    for (unsigned i = 0; i < k->size; i++)
        n_wrong += *place(va + i) != (u8)(0xf0 - i);
    n_wrong += t.code != EXC_NONE || n_changed(va, va + k->size);
    fill_pages();
    return !n_wrong;
}

static void test_success(const struct kind *k)
{
    unsigned n_loads = 0, n_stores = 0;
    map_pages(PAGE_ALL, PAGE_ALL);
    for (u64 va = BORDER - k->size - 1; va <= BORDER + 1; va++) {
        n_loads += !load_is_right(k, va);
        n_stores += !store_is_right(k, va);
    }
    report_eq(n_loads, 0, "%s at every offset", k->name);
    report_eq(n_stores, 0, "%s: the store at every offset", k->name);
}

// Attributes of both pages and what a load and a store across the border then raise, where.
static const struct fault {
    u64 first, second;
    u16 load, store;
    u64 load_page, store_page;
} faults[] = {
    {PAGE_ALL, 0, EXC_TLBR, EXC_TLBR, BORDER, BORDER},
    {0, PAGE_ALL, EXC_TLBR, EXC_TLBR, FIRST, FIRST},
    {0, 0, EXC_TLBR, EXC_TLBR, FIRST, FIRST},
    {PAGE_ALL, PAGE_ALL & ~PAGE_V, EXC_PIL, EXC_PIS, BORDER, BORDER},
    {PAGE_ALL & ~PAGE_V, PAGE_ALL, EXC_PIL, EXC_PIS, FIRST, FIRST},
    {PAGE_ALL, PAGE_ALL & ~PAGE_D, EXC_NONE, EXC_PME, 0, BORDER},
    {PAGE_ALL & ~PAGE_D, PAGE_ALL, EXC_NONE, EXC_PME, 0, FIRST},
    {PAGE_ALL, PAGE_ALL | PAGE_NR, EXC_PNR, EXC_NONE, BORDER, 0},
    {PAGE_ALL, PAGE_ALL & ~PAGE_PLV(3), EXC_PPI, EXC_PPI, BORDER, BORDER},
    {PAGE_ALL & ~PAGE_D, PAGE_ALL & ~PAGE_V, EXC_PIL, EXC_PME, BORDER, FIRST},
};

static bool fault_is_right(const struct trap *t, unsigned code, u64 page)
{
    return t->code == code && (code == EXC_NONE || (t->badv & ~(u64)(PAGE - 1)) == page);
}

static void test_faults(const struct kind *k)
{
    unsigned n_loads = 0, n_stores = 0, n_stored = 0;
    for (unsigned f = 0; f < ARRAY_LEN(faults); f++)
        for (u64 va = BORDER - k->size + 1; va < BORDER; va++) {
            map_pages(faults[f].first, faults[f].second);
            struct trap t = trap_call(3, k->load, va, (u64)buffer, 0);
            n_loads += !fault_is_right(&t, faults[f].load, faults[f].load_page);
            memset(buffer, 0xee, sizeof(buffer));
            map_pages(faults[f].first, faults[f].second);
            t = trap_call(3, k->store, va, (u64)buffer, 0);
            n_stores += !fault_is_right(&t, faults[f].store, faults[f].store_page);
            n_stored += faults[f].store != EXC_NONE && n_changed(0, 0);
            fill_pages();
        }
    report_eq(n_loads, 0, "%s: faults on either side", k->name);
    report_eq(n_stores, 0, "%s: faults of the store on either side", k->name);
    report_eq(n_stored, 0, "%s: nothing is stored then", k->name);
}

// The destination of a load that faults half-way keeps its value.
static u64 load_keeping(u64 va, u64 old, u64 c)
{
    register u64 result __asm__("$a0") = va;
    register u64 kept __asm__("$s0") = old;
    __asm__ volatile("move $t0, %0; ld.d %1, $t0, 0" : "+r"(result), "+r"(kept)::"t0");
    return kept;
}

static bool on_fault(struct trap_frame *f, unsigned code)
{
    f->era += 4;
    return true;
}

static void test_destination(void)
{
    map_pages(PAGE_ALL, PAGE_ALL & ~PAGE_V);
    trap_set_handler(EXC_PIL, on_fault);
    struct trap t = trap_call(3, load_keeping, BORDER - 3, 0x1234567, 0);
    trap_set_handler(EXC_PIL, NULL);
    report_eq(t.value, 0x1234567, "a load that faults does not write its register");
}

// MISC.ALCLn makes level n strict, for loads and stores that are not of vectors.
static void test_strict(bool has_ual)
{
    map_pages(PAGE_ALL, PAGE_ALL);
    for (unsigned plv = 0; plv < 4; plv++) {
        unsigned n_scalar = 0, n_vector = 0, n_aligned = 0, n_others = 0;
        if (has_ual)
            csr_write(CSR_MISC, BIT(12 + plv));
        for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
            const struct kind *k = &kinds[i];
            if (k->needs && !(cpucfg(2) >> k->needs & 1))
                continue;
            for (u64 va = BORDER - 64; va < BORDER - 64 + k->size; va++) {
                struct trap load = trap_call(plv, k->load, va, (u64)buffer, 0);
                struct trap store = trap_call(plv, k->store, va, (u64)buffer, 0);
                bool traps = load.code == EXC_ALE && store.code == EXC_ALE && load.badv == va;
                bool passes = load.code == EXC_NONE && store.code == EXC_NONE;
                if (va % k->size == 0)
                    n_aligned += !passes;
                else if (k->size > 8)
                    n_vector += !passes;
                else
                    n_scalar += !traps;
            }
            struct trap t = trap_call(plv ^ 1, k->load, BORDER - 63, (u64)buffer, 0);
            n_others += t.code != EXC_NONE;
        }
        report_eq(n_aligned, 0, "strict level %u: aligned accesses pass", plv);
        report_eq(n_scalar, 0, "strict level %u: misaligned ones trap", plv);
        if (has_ual)
            report_eq(n_vector, 0, "strict level %u: but not those of vectors", plv);
        if (has_ual)
            report_eq(n_others, 0, "strict level %u: other levels are not", plv);
        if (has_ual)
            csr_write(CSR_MISC, 0);
    }
}

int main(void)
{
    bool has_ual = cpucfg(1) >> 20 & 1;
    csr_write(CSR_EUEN, EUEN_FPE | (cpucfg(2) & BIT(6) ? EUEN_SXE : 0) |
                            (cpucfg(2) & BIT(7) ? EUEN_ASXE : 0));
    fill_pages();
    for (unsigned i = 0; i < ARRAY_LEN(kinds) && has_ual; i++) {
        if (kinds[i].needs && !(cpucfg(2) >> kinds[i].needs & 1)) {
            report_skip("this model does not have it", "%s", kinds[i].name);
            continue;
        }
        test_success(&kinds[i]);
        test_faults(&kinds[i]);
    }
    if (has_ual)
        test_destination();
    else
        report_eq(csr_read(CSR_MISC) >> 12 & 0xf, 0xf, "MISC.ALCL is fixed at 1");
    test_strict(has_ual);
    return 0;
}
