// SPDX-License-Identifier: Apache-2.0
// Every exception that software can provoke: what is saved, where it enters, with each spacing of
// the entries. Reference Manual, volume 1, 6.2.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

// Pages of the TLB: slot n of the MTLB is at VA(n), two pages of 16 KiB.
#define PS       14
#define VA(slot) (0x10000000ULL + (u64)(slot)*0x100000)
#define PA(slot) (SCRATCH_BASE + (u64)(slot)*0x100000)
enum { SLOT_FREE, SLOT_INVALID, SLOT_CLEAN, SLOT_NR, SLOT_NX, SLOT_KERNEL, N_SLOTS };

#define NOT_CANONICAL 0x0001000000000000ULL
#define SENTINEL      0x5e5e5e5e5e5e5e5eULL

#define CODE(name, text)                                              \
    static u64 name(u64 a, u64 b, u64 c)                              \
    {                                                                 \
        __asm__ volatile(text : "+r"(a), "+r"(b), "+r"(c)::"memory"); \
        return a;                                                     \
    }
CODE(do_syscall, "syscall 0x123")
CODE(do_break, "break 0x321")
CODE(do_undefined, ".word 0xffffffff")
CODE(do_privileged, "csrrd %0, 0")
CODE(do_fp, "fadd.d $f0, $f0, $f0")
CODE(do_lsx, "vadd.b $vr0, $vr0, $vr0")
CODE(do_lasx, "xvadd.b $xr0, $xr0, $xr0")
CODE(do_ll_w, "ll.w %0, %0, 0")
CODE(do_ll_d, "ll.d %0, %0, 0")
CODE(do_sc_w, "sc.w %1, %0, 0")
CODE(do_sc_d, "sc.d %1, %0, 0")
CODE(do_amadd_w, "amadd.w $zero, %1, %0")
CODE(do_amswap_d, "amswap.d $zero, %1, %0")
CODE(do_ldgt_d, "ldgt.d %1, %0, %2")
CODE(do_ldle_w, "ldle.w %1, %0, %2")
CODE(do_stgt_b, "stgt.b %1, %0, %2")
CODE(do_stle_d, "stle.d %1, %0, %2")
CODE(do_asrtle, "asrtle.d %0, %1")
CODE(do_asrtgt, "asrtgt.d %0, %1")
CODE(do_fdiv, "movgr2fr.d $f1, $zero; movgr2fr.d $f2, %0; fdiv.d $f0, $f2, $f1")
CODE(do_vfdiv, "vxor.v $vr1, $vr1, $vr1; vreplgr2vr.d $vr2, %0; vfdiv.d $vr0, $vr2, $vr1")
CODE(do_am_same, ".word 0x38618000 | 13 << 10 | 12 << 5 | 12") // amadd.d $t0, $t1, $t0

// How an exception is provoked. `fetch`: by going to `a`; else by calling `f` with a, b and c.
struct cause {
    const char *name;
    trap_function f;
    u64 a, b, c;
    unsigned plv;
    unsigned code;
    bool has_badv; // BADV is `a`
    u64 euen;
};

#define UNITS (EUEN_FPE | EUEN_SXE | EUEN_ASXE)

// clang-format off
static const struct cause causes[] = {
    {"syscall",                    do_syscall,     0, 0, 0, 3, EXC_SYS},
    {"break",                      do_break,       0, 0, 0, 3, EXC_BRK},
    {"undefined instruction",      do_undefined,   0, 0, 0, 3, EXC_INE},
    {"am* with rd = rj",           do_am_same,     0, 0, 0, 0, EXC_INE},
    {"privileged instruction",     do_privileged,  0, 0, 0, 3, EXC_IPE},
    {"floating point off",         do_fp,          0, 0, 0, 3, EXC_FPD},
    {"LSX off",                    do_lsx,         0, 0, 0, 3, EXC_SXD,  false, EUEN_FPE},
    {"LASX off",                   do_lasx,        0, 0, 0, 3, EXC_ASXD, false, EUEN_FPE | EUEN_SXE},
    {"misaligned ll.w",            do_ll_w,        WINDOW_MEMORY | (SCRATCH_BASE + 2), 0, 0, 3, EXC_ALE, true},
    {"misaligned ll.d",            do_ll_d,        WINDOW_MEMORY | (SCRATCH_BASE + 4), 0, 0, 3, EXC_ALE, true},
    {"misaligned sc.w",            do_sc_w,        WINDOW_MEMORY | (SCRATCH_BASE + 1), 0, 0, 3, EXC_ALE, true},
    {"misaligned sc.d",            do_sc_d,        WINDOW_MEMORY | (SCRATCH_BASE + 4), 0, 0, 3, EXC_ALE, true},
    {"misaligned amadd.w",         do_amadd_w,     WINDOW_MEMORY | (SCRATCH_BASE + 3), 0, 0, 3, EXC_ALE, true},
    {"misaligned amswap.d",        do_amswap_d,    WINDOW_MEMORY | (SCRATCH_BASE + 4), 0, 0, 3, EXC_ALE, true},
    {"misaligned ldgt.d",          do_ldgt_d,      WINDOW_MEMORY | (SCRATCH_BASE + 4), 0, 0, 3, EXC_ALE, true},
    {"misaligned PC",              NULL,           WINDOW_MEMORY | (SCRATCH_BASE + 2), 0, 0, 0, EXC_ADEF, true},
    {"PC not canonical",           NULL,           NOT_CANONICAL, 0, 0, 3, EXC_ADEF, true},
    {"load not canonical",         access_load64,  NOT_CANONICAL, 0, 0, 3, EXC_ADEM, true},
    {"store not canonical",        access_store8,  ~NOT_CANONICAL, 0, 0, 0, EXC_ADEM, true},
    {"window of another level",    access_load8,   WINDOW_DEVICE | SCRATCH_BASE, 0, 0, 3, EXC_ADEM, true},
    {"ldgt out of bounds",         do_ldgt_d,      0x1000, 0, 0x1000, 3, EXC_BCE, true},
    {"ldle out of bounds",         do_ldle_w,      0x1000, 0, 0xfff, 3, EXC_BCE, true},
    {"stgt out of bounds",         do_stgt_b,      0x1001, 0, 0x1001, 3, EXC_BCE, true},
    {"stle out of bounds",         do_stle_d,      0x1000, 0, ~0ULL, 3, EXC_BCE, true},
    {"asrtle fails",               do_asrtle,      5, 4, 0, 3, EXC_BCE, true},
    {"asrtgt fails",               do_asrtgt,      4, 4, 0, 3, EXC_BCE, true},
    {"division by zero, FP",       do_fdiv,        0x3ff0000000000000, 0, 0, 3, EXC_FPE, false, UNITS},
    {"division by zero, LSX",      do_vfdiv,       0x3ff0000000000000, 0, 0, 3, EXC_VFPE, false, UNITS},
    {"load from an invalid page",  access_load32,  VA(SLOT_INVALID) + 0x4004, 0, 0, 3, EXC_PIL, true},
    {"store to an invalid page",   access_store32, VA(SLOT_INVALID) + 8, 0, 0, 3, EXC_PIS, true},
    {"fetch from an invalid page", NULL,           VA(SLOT_INVALID) + 12, 0, 0, 3, EXC_PIF, true},
    {"store to a clean page",      access_store64, VA(SLOT_CLEAN) + 0x4008, 0, 0, 3, EXC_PME, true},
    {"load from a page with NR",   access_load8,   VA(SLOT_NR) + 1, 0, 0, 3, EXC_PNR, true},
    {"fetch from a page with NX",  NULL,           VA(SLOT_NX) + 4, 0, 0, 3, EXC_PNX, true},
    {"page of another level",      access_load16,  VA(SLOT_KERNEL) + 2, 0, 0, 1, EXC_PPI, true},
    {"fetch from another level",   NULL,           VA(SLOT_KERNEL) + 0x40, 0, 0, 1, EXC_PPI, true},
    {"load, no entry",             access_load64,  VA(SLOT_FREE) + 0x10, 0, 0, 3, EXC_TLBR, true},
    {"store, no entry",            access_store8,  VA(SLOT_FREE) + 0x7fff, 0, 0, 2, EXC_TLBR, true},
    {"fetch, no entry",            NULL,           VA(SLOT_FREE) + 0x14, 0, 0, 1, EXC_TLBR, true},
};
// clang-format on

static void map_pages(void)
{
    tlb_clear();
    tlb_map(SLOT_INVALID, VA(SLOT_INVALID), PA(SLOT_INVALID), PS, PAGE_ALL & ~PAGE_V);
    tlb_map(SLOT_CLEAN, VA(SLOT_CLEAN), PA(SLOT_CLEAN), PS, PAGE_ALL & ~PAGE_D);
    tlb_map(SLOT_NR, VA(SLOT_NR), PA(SLOT_NR), PS, PAGE_ALL | PAGE_NR);
    tlb_map(SLOT_NX, VA(SLOT_NX), PA(SLOT_NX), PS, PAGE_ALL | PAGE_NX);
    tlb_map(SLOT_KERNEL, VA(SLOT_KERNEL), PA(SLOT_KERNEL), PS, PAGE_V | PAGE_D | PAGE_CC);
}

// The registers that an exception of this kind must leave alone hold the sentinel beforehand.
static void set_sentinels(void)
{
    csr_write(CSR_BADV, SENTINEL);
    csr_write(CSR_TLBRBADV, SENTINEL);
    csr_write(CSR_TLBEHI, 0x776000);
    csr_write(CSR_TLBREHI, 0x776000);
}

static struct trap provoke(const struct cause *c, u64 mode)
{
    csr_write(CSR_EUEN, c->euen);
    if (c->euen & EUEN_FPE)
        __asm__ volatile("movgr2fcsr $fcsr0, %0" ::"r"(BIT(3))); // enable Z
    set_sentinels();
    struct trap t = c->f ? trap_call_mode(mode | c->plv, c->f, c->a, c->b, c->c)
                         : trap_call_mode(mode | c->plv, (trap_function)c->a, 0, 0, 0);
    csr_write(CSR_EUEN, 0);
    return t;
}

static bool is_page_fault(unsigned code)
{
    return code >= EXC_PIL && code <= EXC_PPI;
}

static u64 expected_entry(unsigned code, unsigned vs)
{
    return code == EXC_TLBR || !vs ? 0 : (u64)(code & 0x3f) << (vs + 2);
}

// PWE is bit 3 in PRMD and bit 4 in TLBRPRMD.
static u64 expected_prmd(const struct cause *c, u64 mode)
{
    u64 prmd = mode | c->plv;
    if (c->code == EXC_TLBR && prmd & 8)
        prmd = (prmd & ~8ULL) | 16;
    return prmd;
}

static u64 expected_crmd(const struct cause *c)
{
    u64 datfm = csr_read(CSR_CRMD) & BITS(8, 5);
    return datfm | (c->code == EXC_TLBR ? CRMD_DA : CRMD_PG);
}

// For instructions, ERA points to the word that BADI tells; for fetches, to where it led.
static void check_address(const struct cause *c, const struct trap *t)
{
    if (!c->f)
        report_eq(t->era, c->code == EXC_TLBR ? c->a & ~3ULL : c->a, "%s: ERA", c->name);
    else if (t->era >> 60 == 9)
        report_eq(t->badi, *(const u32 *)t->era, "%s: BADI is what ERA points to", c->name);
    else
        report(false, "%s: ERA is in the code", c->name);
}

static void check_registers(const struct cause *c, const struct trap *t, u64 mode)
{
    bool refill = c->code == EXC_TLBR;
    report_eq(t->badv, c->has_badv ? c->a : SENTINEL, "%s: BADV", c->name);
    report_eq(t->prmd, expected_prmd(c, mode), "%s: PRMD", c->name);
    report_eq(t->crmd, expected_crmd(c), "%s: CRMD", c->name);
    if (is_page_fault(c->code))
        report_eq(csr_read(CSR_TLBEHI), c->a & BITS(47, 13), "%s: TLBEHI", c->name);
    else
        report_eq(csr_read(CSR_TLBEHI), 0x776000, "%s: TLBEHI is left alone", c->name);
    if (refill)
        report_eq(csr_read(CSR_TLBREHI) & BITS(47, 13), c->a & BITS(47, 13), "%s: TLBREHI",
                  c->name);
    if (refill)
        report_eq(csr_read(CSR_BADV), SENTINEL, "%s: BADV is left alone", c->name);
}

static void test_all_causes(unsigned vs, u64 mode)
{
    csr_exchange(CSR_ECFG, (u64)vs << 16, 7 << 16);
    for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
        const struct cause *c = &causes[i];
        struct trap t = provoke(c, mode);
        if (!report_trap(&t, c->code, "%s", c->name))
            continue;
        report_eq(t.entry, expected_entry(c->code, vs), "%s: entry", c->name);
        check_address(c, &t);
        check_registers(c, &t, mode);
    }
    csr_exchange(CSR_ECFG, 0, 7 << 16);
}

// With the other spacings it is enough to see where things enter.
static void test_spacing(void)
{
    for (unsigned vs = 1; vs < 7; vs++) {
        csr_exchange(CSR_ECFG, (u64)vs << 16, 7 << 16);
        unsigned n_wrong = 0;
        for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
            struct trap t = provoke(&causes[i], 0);
            n_wrong += t.code != causes[i].code || t.entry != expected_entry(t.code, vs);
        }
        report_eq(n_wrong, 0, "entries with VS %u", vs);
    }
    csr_exchange(CSR_ECFG, 0, 7 << 16);
}

// When two apply: ALE, then ADEM, then BCE, then what the TLB says.
static void test_priority(void)
{
    u64 unmapped = VA(SLOT_FREE);
    struct trap t = trap_call(0, do_ll_d, NOT_CANONICAL + 1, 0, 0);
    report_trap(&t, EXC_ALE, "misaligned and not canonical");
    t = trap_call(0, do_ldgt_d, unmapped + 1, 0, unmapped + 1);
    report_trap(&t, EXC_ALE, "misaligned and out of bounds");
    t = trap_call(0, do_ldgt_d, NOT_CANONICAL, 0, ~0ULL >> 1);
    report_trap(&t, EXC_ADEM, "not canonical and out of bounds");
    t = trap_call(0, do_ldgt_d, unmapped, 0, unmapped);
    report_trap(&t, EXC_BCE, "out of bounds and unmapped");
    t = trap_call(0, do_ll_d, unmapped + 1, 0, 0);
    report_trap(&t, EXC_ALE, "misaligned and unmapped");
    csr_write(CSR_EUEN, 0);
    t = trap_call(3, do_undefined, 0, 0, 0);
    report_trap(&t, EXC_INE, "undefined, with all units off");
}

static u64 read_fcsr(void)
{
    u64 value;
    __asm__ volatile("movfcsr2gr %0, $fcsr0" : "=r"(value));
    return value;
}

// The result is not written and the flag not set: only the cause tells.
static void test_fp_trap(void)
{
    u64 result;
    csr_write(CSR_EUEN, EUEN_FPE);
    __asm__ volatile("movgr2fcsr $fcsr0, %0" ::"r"(BIT(3)));
    __asm__ volatile("movgr2fr.d $f0, %0" ::"r"(SENTINEL));
    struct trap t = trap_call(0, do_fdiv, 0x3ff0000000000000, 0, 0);
    report_trap(&t, EXC_FPE, "FP division by zero");
    report_eq(read_fcsr() >> 24 & 0x1f, 1 << 3, "FCSR0.Cause is Z");
    report_eq(read_fcsr() >> 16 & 0x1f, 0, "FCSR0.Flags is not touched");
    __asm__ volatile("movfr2gr.d %0, $f0" : "=r"(result));
    report_eq(result, SENTINEL, "the destination is not written");
    __asm__ volatile("movgr2fcsr $fcsr0, $zero");
    t = trap_call(0, do_fdiv, 0x3ff0000000000000, 0, 0);
    report_trap(&t, EXC_NONE, "not enabled");
    report_eq(read_fcsr() >> 16 & 0x1f, 1 << 3, "then FCSR0.Flags gets Z");
    __asm__ volatile("movfr2gr.d %0, $f0" : "=r"(result));
    report_eq(result, 0x7ff0000000000000, "and the result is infinity");
    csr_write(CSR_EUEN, 0);
}

int main(void)
{
    map_pages();
    report_prefix_push("VS 0");
    test_all_causes(0, 0);
    report_prefix_pop();
    report_prefix_push("VS 7, IE and WE set");
    test_all_causes(7, CRMD_IE | 8);
    report_prefix_pop();
    test_spacing();
    report_prefix_push("priority");
    test_priority();
    report_prefix_pop();
    report_prefix_push("FCSR");
    test_fp_trap();
    report_prefix_pop();
    return 0;
}
