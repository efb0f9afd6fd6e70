// SPDX-License-Identifier: Apache-2.0
// Where the known sources of the extension leave its behaviour open, the processor can be told what
// to do: one test for each such property, that shows which way it went. Those that larger tests
// meet anyway are in these.
//
// Command line: NAME=0 or NAME=1, by the names at the end of this file, tell what differs from the
// default; so do gidbits=N, gmtlb=N and tlb_keep=N.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/tests/lvz_outcome.h"
#include "guest/tests/lvz_stages.h"

#define GUEST_ON  (CRMD_DA | CRMD_IE)
#define TI        BIT(LINE_TI)
#define MERR_PGM  BIT(5)
#define USEVMID   BIT(14)
#define ALL_LINES 0x1fff

static u64 gtlbc_at_reset;

void start_early(unsigned cpu)
{
    if (!cpu)
        gtlbc_at_reset = csr_read(CSR_GTLBC);
}

// At both levels, and at level 0 of mapped mode, where translated code does most.
static void check(const char *name, u32 word, unsigned plv0, unsigned plv3)
{
    const struct outcome o = {name, word, plv0, plv3};
    u64 address = physical_of(&v);
    check_outcomes(&v, &o, 1, address);
    report_outcome(&v, lvz_word(&v, MAPPED, word, WINDOW_MEMORY | address, 0), plv0,
                   "%s in mapped mode", name);
}

// What traps ------------------------------------------------------------------------------------

static void test_sit_ertn(bool on)
{
    const u32 ertn = WORD("ertn");
    csr_write(CSR_GCFG, GCFG_SIT);
    gcsr_write(CSR_ERA, (u64)lvz_guest_return);
    report_outcome(&v, lvz_word(&v, CRMD_DA, ertn, 0, 0), on ? EXC_GSPR : EXC_NONE,
                   "ertn under SIT");
    report_outcome(&v, lvz_word(&v, PLV3_DIRECT, ertn, 0, 0), GUEST(EXC_IPE),
                   "ertn under SIT at level 3");
    report_outcome(&v, lvz_word(&v, CRMD_DA, WORD("csrrd $t0, 0x30"), 0, 0), EXC_GSPR,
                   "csrrd under SIT");
}

static void test_toti_walk(bool on)
{
    unsigned walk = on ? EXC_GSPR : EXC_NONE;
    csr_set(CSR_GTLBC, GTLBC_TOTI);
    check("lddir under TOTI", WORD("lddir $t0, $a0, 1"), walk, GUEST(EXC_IPE));
    check("ldpte under TOTI", WORD("ldpte $a0, 0"), walk, GUEST(EXC_IPE));
    check("tlbsrch under TOTI", WORD("tlbsrch"), EXC_GSPR, GUEST(EXC_IPE));
    csr_clear(CSR_GTLBC, GTLBC_TOTI);
}

static void test_root_insn_ine(bool on)
{
    unsigned code = on ? GUEST(EXC_INE) : EXC_GSPR;
    check("gcsrrd", WORD_GCSRRD(12, 0), code, GUEST(EXC_IPE));
    check("gcsrwr", WORD_GCSRWR(12, 0x30), code, GUEST(EXC_IPE));
    check("gcsrxchg", WORD_GCSRRD(12, 0x30) | 13 << 5, code, GUEST(EXC_IPE));
    check("gtlbsrch", WORD_GTLBSRCH, code, GUEST(EXC_IPE));
    check("gtlbfill", WORD_GTLBFILL, code, GUEST(EXC_IPE));
    check("invtlb 9", WORD_INVTLB(9, 0, 0), code, GUEST(EXC_IPE));
    check("invtlb 0x16", WORD_INVTLB(0x16, 4, 5), code, GUEST(EXC_IPE));
    check("iocsrrd.w", WORD("iocsrrd.w $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE));
}

static void test_dbcl_ine(bool on)
{
    check("dbcl", 0x002a8000, on ? GUEST(EXC_INE) : EXC_GSPR, GUEST(EXC_IPE));
}

// Whether what does not exist is invalid or sensitive.
static void test_gspr_first(bool on)
{
    unsigned code = on ? EXC_GSPR : GUEST(EXC_INE);
    check("invtlb 7", WORD_INVTLB(7, 0, 0), code, GUEST(EXC_IPE));
    check("invtlb 0x1f", WORD_INVTLB(0x1f, 4, 5), code, GUEST(EXC_IPE));
    csr_set(CSR_GTLBC, GTLBC_TOTI);
    check("invtlb 7 under TOTI", WORD_INVTLB(7, 0, 0), code, GUEST(EXC_IPE));
    csr_clear(CSR_GTLBC, GTLBC_TOTI);
}

static void test_barriers_exit(bool on)
{
    unsigned code = on ? EXC_GSPR : EXC_NONE;
    check("dbar 0", WORD("dbar 0"), code, code);
    check("dbar 0x700", WORD("dbar 0x700"), code, code);
    check("ibar 0", WORD("ibar 0"), code, code);
    check("preld", WORD("preld 0, $a0, 0"), code, code);
    check("preldx", WORD("preldx 0, $a0, $zero"), code, code);
}

// Registers -------------------------------------------------------------------------------------

static void test_save16(bool on)
{
    unsigned n_guest = 0, n_root = 0, n_kept = 0;
    for (unsigned n = 0x38; n < 0x40; n++) {
        u64 before = csr_write_n(n, 0x5a5a0000 + n);
        n_root += csr_read_n(n) == 0x5a5a0000 + n;
        csr_write_n(n, before);
        gcsr_write(n, 0x123400 + n);
        n_guest += gcsr_read(n) == 0x123400 + n;
        u32 csrwr = 0x04000024 | n << 10;
        n_kept += lvz_word(&v, CRMD_DA, csrwr, n, 0) == EXC_NONE && gcsr_read(n) == n;
    }
    report_eq(n_root, on ? 8 : 0, "SAVE8 to SAVE15 of the root");
    report_eq(n_guest, on ? 8 : 0, "those of the guest, from the root");
    report_eq(n_kept, on ? 8 : 0, "by the guest, without an exit");
    u32 csrrd = 0x04000004 | 0x3f << 10;
    report_outcome(&v, lvz_word(&v, CRMD_DA, csrrd, 0, 0), on ? EXC_NONE : EXC_GSPR, "csrrd");
}

static u64 other_cpuid;

static void read_cpuid(void *unused)
{
    other_cpuid = gcsr_read(CSR_CPUID);
}

static void test_guest_cpuid(bool on)
{
    report_eq(gcsr_read(CSR_CPUID), 0, "CPUID of the guest of processor 0");
    if (smp_n_cpus() < 2 || !smp_start_all())
        return;
    smp_begin(1, read_cpuid, NULL);
    smp_finish(1);
    report_eq(other_cpuid, on ? 1 : 0, "CPUID of the guest of processor 1, after reset");
}

static void test_estat_hwi(bool on)
{
    const u64 lines = BIT(LINE_HWI0) | BIT(LINE_HWI0 + 5);
    const u32 word = WORD("csrxchg $a0, $a1, 0x0");
    gcsr_write(CSR_ECFG, ALL_LINES);
    gcsr_write(CSR_ESTAT, lines);
    report_eq(gcsr_read(CSR_ESTAT) & BITS(9, 2), on ? lines : 0, "HWI bits written to ESTAT");
    report_outcome(&v, lvz_word(&v, GUEST_ON, WORD("addi.d $a0, $a0, 1"), 0, 0),
                   on ? GUEST(EXC_INT) : EXC_NONE, "who has interrupts on takes them");
    report_outcome(&v, lvz_word(&v, MAPPED, word, CRMD_IE, CRMD_IE), on ? GUEST(EXC_INT) : EXC_NONE,
                   "who turns them on, too");
    csr_write(CSR_GINTC, GINTC_HWIS(2));
    gcsr_write(CSR_ESTAT, 0);
    report_eq(gcsr_read(CSR_ESTAT) & BITS(9, 2), BIT(LINE_HWI0 + 1), "GINTC is not changed");
    csr_write(CSR_GINTC, 0);
}

static void test_gid_kept(bool on)
{
    unsigned gidbits = (unsigned)args_number("gidbits", 8);
    u64 low = BIT(gidbits) - 1, stored = on ? 0xf5 : 0xf5 & low;
    csr_write(CSR_GSTAT, GSTAT_GID(0xf5));
    report_eq(csr_read(CSR_GSTAT) & BITS(23, 16), GSTAT_GID(stored), "GSTAT.GID");
    lvz_set_target(0xf5);
    report_eq(csr_read(CSR_GTLBC) & BITS(23, 16), GTLBC_TGID(stored), "GTLBC.TGID");
    lvz_set_target(0);
    *hpa(HPA) = 0x1515;
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    if (gidbits == 8)
        return;
    v.gid = 1 + (1U << gidbits);
    report_outcome(&v, load(CRMD_DA, GPA), EXC_NONE, "an id of too many bits is the low ones");
    report_eq(lvz_result(&v), 0x1515, "and sees what they see");
    lvz_invalidate(0x16, GSTAT_GID(v.gid), GPA);
    report_outcome(&v, load(CRMD_DA, GPA), on ? EXC_TLBR : EXC_NONE, "invtlb of such an id");
}

static void test_trgp(bool on)
{
    struct tlb_entry e;
    lvz_stage2_map(1, 7, GPA, HPA, 14, PAGE_ALL);
    lvz_set_target(1);
    bool found = tlb_read(TLB_STLB_ENTRIES + 7, &e);
    lvz_set_target(0);
    report(found && e.va == GPA, "tlbrd of a second-stage entry");
    report_eq(csr_read(CSR_TRGP), on ? 1 | 1 << 16 : 0, "TRGP");
}

// Entry and exit --------------------------------------------------------------------------------

// As lvz_run does, with GSTAT and TGID as given and nothing else set.
static unsigned enter(u64 gstat, unsigned target)
{
    u64 eentry = csr_write(CSR_EENTRY, lvz_vectors);
    u64 tlbrentry = csr_write(CSR_TLBRENTRY, physical_of(lvz_refill_vector));
    csr_write(CSR_GSTAT, gstat);
    lvz_set_target(target);
    lvz_enter(&v);
    lvz_set_target(0);
    if (v.is_refill) {
        csr_write(CSR_TLBRERA, 0);
        csr_exchange(CSR_CRMD, CRMD_PG, CRMD_DA | CRMD_PG);
    }
    csr_clear(CSR_GSTAT, GSTAT_PGM);
    csr_write(CSR_EENTRY, eentry);
    csr_write(CSR_TLBRENTRY, tlbrentry);
    return v.is_refill ? EXC_TLBR : (unsigned)bits_get(v.estat, 21, 16);
}

static void test_entry_clears_pgm(bool on)
{
    load(CRMD_DA, GPA);
    report(v.is_refill, "a refill of the root");
    u64 expected = on && !args_number("one_pgm", 0) ? 0 : GSTAT_PGM;
    report_eq(v.gstat & GSTAT_PGM, expected, "GSTAT.PGM in a refill");
    report_outcome(&v, lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0), EXC_HVC, "an exit");
    report_eq(v.gstat & GSTAT_PGM, GSTAT_PGM, "GSTAT.PGM in an exit");
}

static u64 pgm_found;

// Whoever leaves PGM set goes on in the guest.
static bool on_undefined(struct trap_frame *f, unsigned code)
{
    pgm_found = csr_read(CSR_GSTAT) & GSTAT_PGM;
    csr_clear(CSR_GSTAT, GSTAT_PGM);
    f->era += 4;
    return true;
}

static void test_pgm_kept(bool on)
{
    trap_set_handler(EXC_INE, on_undefined);
    csr_set(CSR_GSTAT, GSTAT_PGM);
    __asm__ volatile(".word 0" ::: "memory");
    trap_set_handler(EXC_INE, NULL);
    report_eq(pgm_found, on ? GSTAT_PGM : 0, "PGM in an exception of the root");
}

static bool on_root_refill(struct trap_frame *f, unsigned code)
{
    struct tlb_entry e = {align_down(f->badv, 0x8000), 14, tlb_asid(), {0, 0}};
    csr_write(CSR_TLBREHI, e.va | e.ps);
    csr_write(CSR_TLBRELO0, HPA | PAGE_ALL);
    csr_write(CSR_TLBRELO1, (HPA + 0x4000) | PAGE_ALL);
    __asm__ volatile("tlbfill" ::: "memory");
    return true;
}

// A guest by the return from a machine error: CRMD as it is, PGM where the processor has it.
static unsigned enter_by_error(bool on)
{
    u64 crmd = csr_read(CSR_CRMD), merrctl = csr_read(CSR_MERRCTL);
    lvz_word(&v, CRMD_DA, HVCL_WORD(5), 0, 0);
    csr_write(CSR_MERRERA, (u64)lvz_word_address());
    csr_write(CSR_MERRCTL, 1 | bits_get(crmd, 8, 3) << 7 | MERR_PGM);
    unsigned found = enter(GSTAT_GID(1) | (on ? GSTAT_PGM : 0), 1);
    csr_write(CSR_MERRCTL, merrctl);
    return found;
}

static void test_one_pgm(bool on)
{
    u64 merrctl = csr_write(CSR_MERRCTL, MERR_PGM);
    report_eq(csr_read(CSR_MERRCTL) & MERR_PGM, on ? 0 : MERR_PGM, "MERRCTL.PGM");
    csr_write(CSR_MERRCTL, merrctl);
    csr_write(CSR_TLBRPRMD, ~0ULL);
    report_eq(csr_read(CSR_TLBRPRMD), on ? 0x17 : 0x1f, "TLBRPRMD.PGM");
    csr_write(CSR_TLBRPRMD, 0);
    load(CRMD_DA, GPA);
    report(v.is_refill, "a refill of the root");
    report_eq(v.tlbrprmd & TLBRPRMD_PGM, on ? 0 : TLBRPRMD_PGM, "TLBRPRMD.PGM in it");
    bool is_cleared = !on && args_number("entry_clears_pgm", 0);
    report_eq(v.gstat & GSTAT_PGM, is_cleared ? 0 : GSTAT_PGM, "GSTAT.PGM in it");
    v.refill = on_refill;
    report_outcome(&v, load(CRMD_DA, GPA), EXC_NONE, "it returns to the guest");
    v.refill = NULL;
    trap_set_handler(EXC_TLBR, on_root_refill);
    csr_set(CSR_GSTAT, GSTAT_PGM);
    *hpa(HPA) = 0x4242;
    report_eq(*(volatile u64 *)0x40000000, 0x4242, "one of the root returns to the root");
    report_eq(csr_read(CSR_GSTAT) & GSTAT_PGM, on ? 0 : GSTAT_PGM, "and leaves GSTAT.PGM, or not");
    csr_clear(CSR_GSTAT, GSTAT_PGM);
    trap_set_handler(EXC_TLBR, NULL);
    report_outcome(&v, enter_by_error(on), EXC_HVC, "the return from a machine error enters");
    report_eq(v.badi, HVCL_WORD(5), "and runs the guest");
}

// Interrupts, timer -----------------------------------------------------------------------------

// The lines are down.
static void test_hwic_clears(bool on)
{
    bool plain = args_number("hwic_plain", 0);
    csr_write(CSR_GINTC, GINTC_HWIS(3));
    csr_set(CSR_GINTC, GINTC_HWIC(1));
    report_eq(csr_read(CSR_GINTC), GINTC_HWIS(plain ? 3 : 2) | (on ? 0 : GINTC_HWIC(1)),
              "a bit of HWIC written");
    csr_set(CSR_GINTC, GINTC_HWIS(1));
    report_eq(csr_read(CSR_GINTC) & 3, on || plain ? 3 : 2, "injected again");
    csr_write(CSR_GINTC, 0);
}

static u64 spin(u64 a, u64 b, u64 c)
{
    for (;;)
        __asm__ volatile("");
}

static u64 ticks_of_ms(u64 ms)
{
    return align_down(ms * time_ticks_per_ms(), 4);
}

static void wait_ms(u64 ms)
{
    u64 deadline = time_after_ms(ms);
    while (!time_is_past(deadline))
        ;
}

static void test_timer_stops(bool on)
{
    const u64 period = ticks_of_ms(3);
    gcsr_write(CSR_ECFG, TI);
    gcsr_write(CSR_TCFG, period | TCFG_EN);
    u64 value = gcsr_read(CSR_TVAL);
    wait_ms(8);
    report_eq(!!(gcsr_read(CSR_ESTAT) & TI), !on, "TI after the root has waited");
    report(!on || (value <= period && gcsr_read(CSR_TVAL) == value), "TVAL stands still, or not");
    report_outcome(&v, lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0), GUEST(EXC_INT),
                   "in the guest it expires");
    gcsr_write(CSR_TICLR, 1);
    gcsr_write(CSR_TCFG, period | TCFG_EN);
    gcsr_write(CSR_TVAL, 0);
    report(gcsr_read(CSR_ESTAT) & TI, "TVAL := 0 lets it expire at once");
    gcsr_write(CSR_TCFG, ticks_of_ms(3600000) | TCFG_EN);
    gcsr_write(CSR_TVAL, ticks_of_ms(600000));
    u64 before = gcsr_read(CSR_TVAL);
    lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0);
    value = gcsr_read(CSR_TVAL);
    wait_ms(1);
    report(value <= before && before <= ticks_of_ms(600000), "it counts on after an entry");
    report_eq(gcsr_read(CSR_TVAL) == value, on, "and stands still after the exit, or not");
    gcsr_write(CSR_TCFG, 0);
    gcsr_write(CSR_TICLR, 1);
}

static void test_timer_ends_en(bool on)
{
    u64 cfg = ticks_of_ms(1) | TCFG_EN;
    gcsr_write(CSR_ECFG, TI);
    gcsr_write(CSR_TCFG, cfg);
    report_eq(gcsr_read(CSR_TCFG), cfg, "TCFG while it counts");
    report_outcome(&v, lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0), GUEST(EXC_INT), "expired");
    report_eq(gcsr_read(CSR_TCFG), on ? cfg & ~(u64)TCFG_EN : cfg, "TCFG then");
    gcsr_write(CSR_TCFG, 0);
    gcsr_write(CSR_TICLR, 1);
}

static void test_tval_writable(bool on)
{
    const u64 hour = ticks_of_ms(3600000), quarter = ticks_of_ms(900000);
    gcsr_write(CSR_TCFG, hour | TCFG_EN);
    report_outcome(&v, lvz_word(&v, CRMD_DA, WORD("csrwr $a0, 0x42"), quarter, 0), EXC_NONE,
                   "csrwr of TVAL by the guest");
    u64 value = gcsr_read(CSR_TVAL);
    report(on ? value <= quarter && value > quarter / 2 : value > hour / 2, "TVAL then");
    report_eq(gcsr_read(CSR_TCFG), hour | TCFG_EN, "TCFG is as it was");
    gcsr_write(CSR_TCFG, 0);
}

// Translation -----------------------------------------------------------------------------------

static void test_stage2_plv(bool on)
{
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_V | PAGE_D | PAGE_RPLV | PAGE_PLV(3));
    report_outcome(&v, load(CRMD_DA, GPA), on ? EXC_PPI : EXC_NONE, "a page of level 3 alone");
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_V | PAGE_D);
    v.entry_prmd = CRMD_IE | 3;
    lvz_stage2_map(1, 63, 0, 0, 24, PAGE_ALL);
    report_outcome(&v, load(CRMD_DA, GPA), on ? EXC_PPI : EXC_NONE,
                   "a page of level 0, the root at level 3");
    v.entry_prmd = CRMD_IE;
    report_outcome(&v, load(PLV3_DIRECT, GPA), EXC_NONE, "the guest's level never counts");
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_V);
    report_outcome(&v, store(CRMD_DA, GPA, 0), EXC_PME, "D does");
}

static u64 pgd_in_refill;

static bool note_pgd(struct vcpu *u, u64 gpa)
{
    struct tlb_entry e = pages(align_down(gpa, 0x8000), HPA, 14, PAGE_ALL);
    pgd_in_refill = csr_read(CSR_PGD);
    lvz_stage2_fill(u->gid, &e);
    return true;
}

static void test_gpa_refill(bool on)
{
    const u64 high = 0x0000800000000040;
    u64 pgdl = csr_write(CSR_PGDL, 0x11000), pgdh = csr_write(CSR_PGDH, 0x22000);
    report_outcome(&v, load(CRMD_DA, high), on ? EXC_TLBR : EXC_PIL, "a load far up");
    report_eq(on ? v.tlbrbadv : v.badv, high, "its GPA");
    report_outcome(&v, fetch(CRMD_DA, high), on ? EXC_TLBR : EXC_PIF, "a fetch far up");
    v.refill = note_pgd;
    *hpa(HPA + 0x40) = 0x9191;
    report_outcome(&v, load(CRMD_DA, high), on ? EXC_NONE : EXC_PIL, "a load, refilled");
    report(!on || lvz_result(&v) == 0x9191, "its data");
    report(!on || pgd_in_refill == 0x22000, "PGD is PGDH in the refill");
    v.refill = NULL;
    csr_write(CSR_PGDL, pgdl);
    csr_write(CSR_PGDH, pgdh);
}

// By code that is itself at a short address.
static unsigned load_direct(u64 va)
{
    load(MAPPED, WINDOW_MEMORY | (GPA + 0x10));
    return lvz_call_at(&v, CRMD_DA, physical_of(lvz_word_address()), va, 0, 0);
}

static void test_da_masked(bool on)
{
    const u64 high = 0xabcd000000000000 | GPA;
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    *hpa(HPA + 0x10) = 0x55aa;
    *(volatile u32 *)hpa(HPA + 0x20) = LVZ_WORD_RETURN;
    for (unsigned n = 0; n < 3; n++) {
        report_outcome(&v, load_direct(high + 0x10), on ? EXC_NONE : EXC_PIL,
                       "a long direct address: load");
        report(on ? lvz_result(&v) == 0x55aa : v.badv == high + 0x10, "its data or BADV");
        report_outcome(&v, fetch(CRMD_DA, high + 0x20), on ? EXC_NONE : EXC_PIF,
                       "a long direct address: fetch");
        report_outcome(&v, load_direct(GPA + 0x10), EXC_NONE, "a short one");
    }
    report_outcome(&v, load(MAPPED, WINDOW_MEMORY | (GPA + 0x10)), EXC_NONE, "in a window");
}

static void test_cross_partial(bool on)
{
    const u64 before = 0x1122334455667788;
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    lvz_stage1_map(1, 10, GVA, GPA, 14, PAGE_ALL);
    lvz_stage1_map(1, 11, GVA + 0x8000, GPA + 0x8000, 14, PAGE_ALL);
    for (unsigned n = 0; n < 4; n++) {
        bool is_mapped = n & 1;
        *hpa(HPA + 0x7ff8) = before;
        store(is_mapped ? MAPPED3 : CRMD_DA, (is_mapped ? GVA : GPA) + 0x7ffc, ~0ULL);
        report(v.is_refill && v.tlbrbadv == GPA + 0x8000, "a store across pages: the second");
        report_eq(*hpa(HPA + 0x7ff8), on ? 0xffffffff55667788 : before, "what is stored by then");
    }
    lvz_stage2_map(1, 1, GPA + 0x8000, HPA + 0x8000, 14, PAGE_ALL);
    *hpa(HPA + 0x8000) = before;
    report_outcome(&v, store(MAPPED3, GVA + 0x7ffc, ~0ULL), EXC_NONE, "with both");
    report(*hpa(HPA + 0x7ff8) == 0xffffffff55667788 && *hpa(HPA + 0x8000) == 0x11223344ffffffff,
           "all of it is stored");
}

static void test_tlb_shared(bool on)
{
    struct tlb_entry e;
    lvz_stage2_map(1, 7, GPA, HPA, 14, PAGE_ALL);
    report_outcome(&v, load(CRMD_DA, GPA), EXC_NONE, "a second-stage entry");
    bool found = tlb_read(TLB_STLB_ENTRIES + 7, &e);
    report_eq(found, on, "tlbrd of the root at its index");
    report_eq(csr_read(CSR_TRGP), on ? 1 | 1 << 16 : 0, "TRGP");
    tlb_map(7, 0x40000000, HPA, 14, PAGE_ALL);
    report_outcome(&v, load(CRMD_DA, GPA), on ? EXC_TLBR : EXC_NONE, "an entry of the root there");
    lvz_stage2_map(1, 7, GPA, HPA, 14, PAGE_ALL);
    report_eq(tlb_search(0x40000000, tlb_asid()) < 0, on, "which goes when another comes");
    lvz_stage1_map(1, 7, GVA, GPA, 14, PAGE_ALL);
    report_outcome(&v, load(MAPPED, GVA), on ? EXC_TLBR : EXC_NONE, "one of the first stage there");
    tlb_clear();
}

static void test_gmtlb(bool unused)
{
    report_eq(gtlbc_at_reset & BITS(5, 0), args_number("gmtlb", 0), "GMTLBNum after reset");
}

static bool guest_finds(u64 va)
{
    gcsr_write(CSR_TLBEHI, va);
    lvz_word(&v, CRMD_DA, WORD("tlbsrch"), 0, 0);
    return !(gcsr_read(CSR_TLBIDX) & BIT(31));
}

// More of the guest's entries than a small TLB holds, in the order of their addresses.
enum { N_FILLED = 20 };

static u64 many(unsigned n)
{
    return GVA + n * 0x100000;
}

static void fill_many(void)
{
    for (unsigned n = 0; n < N_FILLED; n++) {
        struct tlb_entry e = pages(many(n), GPA, 16, PAGE_ALL);
        lvz_stage1_fill(1, &e);
    }
}

static void test_gmtlb_counts(bool on)
{
    unsigned n_found = 0, n_high = 0;
    if (args_number("tlb_keep", 0))
        return;
    csr_exchange(CSR_GTLBC, 3, BITS(5, 0));
    fill_many();
    for (unsigned n = 0; n < N_FILLED; n++)
        if (guest_finds(many(n))) {
            n_found++;
            n_high += (gcsr_read(CSR_TLBIDX) & 0xfff) >= TLB_STLB_ENTRIES + 4;
        }
    report_eq(n_found, on ? 4 : N_FILLED, "entries with GMTLBNum 3");
    report_eq(n_high, on ? 0 : 16, "of them at indexes above it");
    csr_exchange(CSR_GTLBC, 1, BITS(5, 0));
    n_found = 0;
    for (unsigned n = 0; n < N_FILLED; n++)
        n_found += guest_finds(many(n));
    report_eq(n_found, on ? 2 : N_FILLED, "entries with GMTLBNum 1");
    csr_exchange(CSR_GTLBC, 0, BITS(5, 0));
}

// What is filled last is what stays.
static void test_tlb_keep(bool unused)
{
    u64 n_kept = args_number("tlb_keep", 0), n_found = 0, n_last = 0;
    fill_many();
    for (unsigned n = 0; n < N_FILLED; n++)
        if (guest_finds(many(n))) {
            n_found++;
            n_last += n >= N_FILLED - n_kept;
        }
    report_eq(n_found, n_kept ? n_kept : N_FILLED, "entries of 20 filled");
    report_eq(n_last, n_kept, "they are the last");
}

static u64 load_under(unsigned target)
{
    lvz_word(&v, CRMD_DA, WORD("ld.d $a0, $a0, 0"), GPA, 0);
    gcsr_write(CSR_CRMD, CRMD_DA);
    v.gpr[4] = GPA;
    csr_write(CSR_ERA, (u64)lvz_word_address());
    csr_write(CSR_PRMD, CRMD_IE);
    return enter(GSTAT_GID(1) | GSTAT_PGM, target) == EXC_GSPR ? v.gpr[4] : 0;
}

static void test_usevmid(bool on)
{
    *hpa(HPA) = 0x1111;
    *hpa(HPA + 0x100000) = 0x3333;
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    lvz_stage2_map(3, 1, GPA, HPA + 0x100000, 14, PAGE_ALL);
    lvz_stage2_map(3, 62, 0, 0, 24, PAGE_ALL);
    report_eq(load_under(3), 0x1111, "the second stage has the id of GSTAT");
    csr_set(CSR_GTLBC, USEVMID);
    report_eq(csr_read(CSR_GTLBC) & USEVMID, on ? USEVMID : 0, "USEVMID can be set");
    report_eq(load_under(3), on ? 0x3333 : 0x1111, "then that of TGID");
    report_eq(load_under(1), 0x1111, "which may be the same");
    report_eq(load_under(3), on ? 0x3333 : 0x1111, "or not");
    lvz_stage2_map(3, 1, GPA, HPA, 14, PAGE_ALL);
    report_eq(load_under(3), 0x1111, "an entry that takes another's place is seen");
    csr_clear(CSR_GTLBC, USEVMID);
}

static void test_invtlb_aligned(bool on)
{
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    load(CRMD_DA, GPA);
    lvz_invalidate(0x16, GSTAT_GID(1), GPA + 0x4000);
    report_outcome(&v, load(CRMD_DA, GPA), on ? EXC_NONE : EXC_TLBR, "invtlb 0x16 of an odd page");
    lvz_stage2_map(1, 0, GPA, HPA, 14, PAGE_ALL);
    lvz_invalidate(0x16, GSTAT_GID(1), GPA);
    report_outcome(&v, load(CRMD_DA, GPA), EXC_TLBR, "of an even one");
    lvz_stage2_map(1, 0, 0, HPA, 25, PAGE_ALL);
    lvz_map_payload(&v);
    lvz_stage2_map(1, 0, 0x8000000, HPA, 25, PAGE_ALL);
    lvz_invalidate(0x16, GSTAT_GID(1), 0x8108000);
    report_outcome(&v, load(CRMD_DA, 0x8000000), EXC_TLBR, "of a part of a huge one");
}

static const struct choice {
    const char *name;
    void (*test)(bool on);
    bool initial;
} choices[] = {
    {"guest_cpuid", test_guest_cpuid, false}, // before anybody writes it
    {"gmtlb", test_gmtlb, false},
    {"sit_ertn", test_sit_ertn, true},
    {"toti_walk", test_toti_walk, true},
    {"root_insn_ine", test_root_insn_ine, false},
    {"dbcl_ine", test_dbcl_ine, false},
    {"gspr_first", test_gspr_first, false},
    {"barriers_exit", test_barriers_exit, false},
    {"save16", test_save16, true},
    {"estat_hwi", test_estat_hwi, false},
    {"gid_kept", test_gid_kept, false},
    {"trgp", test_trgp, true},
    {"entry_clears_pgm", test_entry_clears_pgm, false},
    {"pgm_kept", test_pgm_kept, false},
    {"one_pgm", test_one_pgm, false},
    {"hwic_clears", test_hwic_clears, false},
    {"timer_stops", test_timer_stops, false},
    {"timer_ends_en", test_timer_ends_en, false},
    {"tval_writable", test_tval_writable, false},
    {"stage2_plv", test_stage2_plv, true},
    {"gpa_refill", test_gpa_refill, false},
    {"da_masked", test_da_masked, true},
    {"cross_partial", test_cross_partial, false},
    {"tlb_shared", test_tlb_shared, false},
    {"gmtlb_counts", test_gmtlb_counts, false},
    {"tlb_keep", test_tlb_keep, false},
    {"usevmid", test_usevmid, false},
    {"invtlb_aligned", test_invtlb_aligned, false},
};

static void run(const struct choice *x, bool on)
{
    report_prefix_push(x->name);
    if (x->test != test_guest_cpuid)
        start();
    csr_set(CSR_GTLBC, BITS(5, 0));
    x->test(on);
    report_prefix_pop();
}

// Guests of the library begin at long direct addresses: with da_masked=0 there is this one test.
int main(void)
{
    bool has_long = args_number("da_masked", 1);
    for (unsigned i = 0; i < ARRAY_LEN(choices); i++)
        if (has_long || choices[i].test == test_da_masked)
            run(&choices[i], args_number(choices[i].name, choices[i].initial));
    return 0;
}
