// SPDX-License-Identifier: Apache-2.0
// Entry into a guest and exits from it: what is saved, what exits and what stays inside, the trap
// controls, and returns in the presence of refills.
//
// Command line: any_plv=1 titp=0 sitp=0 torup=0 toep=1 topp=1 tell how the processor was
// configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/tests/lvz_outcome.h"

#define UNMAPPED      0x5000000ULL // a GPA in no entry
#define NOT_CANONICAL 0x0001000000000000ULL

static struct vcpu v;

static void test_state(void)
{
    lvz_init(&v, 1);
    for (unsigned i = 6; i < 32; i++)
        v.gpr[i] = 0x1111111111111111ULL * (i % 15) + i;
    u64 crmd = csr_read(CSR_CRMD);
    unsigned found = lvz_word(&v, CRMD_DA, HVCL_WORD(0x7abc), 4, 5);
    report_outcome(&v, found, EXC_HVC, "hvcl exits");
    report_eq(v.era, (u64)lvz_word_address(), "ERA is where hvcl is");
    report_eq(v.badi, HVCL_WORD(0x7abc), "BADI is the instruction");
    report_eq(v.crmd, crmd, "CRMD: level 0, interrupts off, still mapped");
    report_eq(v.gstat, (csr_read(CSR_GSTAT) & BITS(9, 4)) | GSTAT_PGM | GSTAT_GID(1),
              "GSTAT: PGM set, VM clear");
    report_eq(v.entry, 0, "entry at EENTRY");
    report_eq(gcsr_read(CSR_CRMD), CRMD_DA, "the guest's CRMD is as it was");
    unsigned n_wrong = 0;
    for (unsigned i = 7; i < 32; i++)
        n_wrong += v.gpr[i] != 0x1111111111111111ULL * (i % 15) + i;
    report_eq(n_wrong, 0, "general registers go through");
    n_wrong = 0;
    for (u64 prmd = 0; prmd < 16; prmd++) {
        v.entry_prmd = prmd;
        n_wrong += lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0) != EXC_HVC || v.prmd != prmd ||
                   v.crmd != crmd;
    }
    v.entry_prmd = CRMD_IE;
    report_eq(n_wrong, 0, "PRMD is what it was at the entry, whatever that was");
    csr_write(CSR_BADV, 0x1234);
    csr_write(CSR_TLBRBADV, 0x5678);
    lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0);
    report(v.badv == 0x1234 && v.tlbrbadv == 0x5678, "bad addresses stay");
}

static void test_instructions(void)
{
    unsigned hvcl_plv3 = args_number("any_plv", 0) ? EXC_HVC : GUEST(EXC_IPE);
    const struct outcome cases[] = {
        {"cpucfg", WORD("cpucfg $t0, $a0"), EXC_GSPR, EXC_GSPR},
        {"idle", WORD("idle 0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrrd.b", WORD("iocsrrd.b $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrrd.h", WORD("iocsrrd.h $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrrd.w", WORD("iocsrrd.w $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrrd.d", WORD("iocsrrd.d $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrwr.b", WORD("iocsrwr.b $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrwr.h", WORD("iocsrwr.h $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrwr.w", WORD("iocsrwr.w $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"iocsrwr.d", WORD("iocsrwr.d $t0, $a0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"cacop by index", WORD("cacop 0x8, $a0, 0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"cacop by address", WORD("cacop 0x10, $a0, 0"), EXC_GSPR, EXC_GSPR},
        {"csrwr of SAVE0", WORD("csrwr $t0, 0x30"), EXC_NONE, GUEST(EXC_IPE)},
        {"csrxchg of GCFG", WORD("csrxchg $t0, $t1, 0x51"), EXC_GSPR, GUEST(EXC_IPE)},
        {"csrwr of GSTAT", WORD("csrwr $t0, 0x50"), EXC_GSPR, GUEST(EXC_IPE)},
        {"rdtime.d", WORD("rdtime.d $t0, $t1"), EXC_NONE, EXC_NONE},
        {"rdtimel.w", WORD("rdtimel.w $t0, $t1"), EXC_NONE, EXC_NONE},
        {"rdtimeh.w", WORD("rdtimeh.w $t0, $t1"), EXC_NONE, EXC_NONE},
        {"csrrd of TVAL", WORD("csrrd $t0, 0x42"), EXC_NONE, GUEST(EXC_IPE)},
        {"csrwr of TICLR", WORD("csrwr $zero, 0x44"), EXC_NONE, GUEST(EXC_IPE)},
        {"tlbsrch", WORD("tlbsrch"), EXC_NONE, GUEST(EXC_IPE)},
        {"tlbrd", WORD("tlbrd"), EXC_NONE, GUEST(EXC_IPE)},
        {"tlbwr", WORD("tlbwr"), EXC_NONE, GUEST(EXC_IPE)},
        {"tlbfill", WORD("tlbfill"), EXC_NONE, GUEST(EXC_IPE)},
        {"tlbclr", WORD("tlbclr"), EXC_NONE, GUEST(EXC_IPE)},
        {"tlbflush", WORD("tlbflush"), EXC_NONE, GUEST(EXC_IPE)},
        {"invtlb 0", WORD("invtlb 0, $zero, $zero"), EXC_NONE, GUEST(EXC_IPE)},
        {"invtlb 6", WORD("invtlb 6, $zero, $zero"), EXC_NONE, GUEST(EXC_IPE)},
        {"invtlb 7", WORD_INVTLB(7, 0, 0), GUEST(EXC_INE), GUEST(EXC_IPE)},
        {"invtlb 9", WORD_INVTLB(9, 0, 0), EXC_GSPR, GUEST(EXC_IPE)},
        {"invtlb 0x12", WORD_INVTLB(0x12, 0, 0), EXC_GSPR, GUEST(EXC_IPE)},
        {"invtlb 0x16", WORD_INVTLB(0x16, 4, 5), EXC_GSPR, GUEST(EXC_IPE)},
        {"lddir", WORD("lddir $t0, $a0, 1"), EXC_NONE, GUEST(EXC_IPE)},
        {"ldpte", WORD("ldpte $a0, 0"), EXC_NONE, GUEST(EXC_IPE)},
        {"ertn", WORD("ertn"), EXC_NONE, GUEST(EXC_IPE)},
        {"gcsrrd", WORD_GCSRRD(12, 0), EXC_GSPR, GUEST(EXC_IPE)},
        {"gcsrwr", WORD_GCSRWR(12, 0x30), EXC_GSPR, GUEST(EXC_IPE)},
        {"gcsrxchg", WORD_GCSRRD(12, 0x30) | 13 << 5, EXC_GSPR, GUEST(EXC_IPE)},
        {"gtlbclr", WORD_GTLBCLR, EXC_GSPR, GUEST(EXC_IPE)},
        {"gtlbflush", WORD_GTLBFLUSH, EXC_GSPR, GUEST(EXC_IPE)},
        {"gtlbsrch", WORD_GTLBSRCH, EXC_GSPR, GUEST(EXC_IPE)},
        {"gtlbrd", WORD_GTLBRD, EXC_GSPR, GUEST(EXC_IPE)},
        {"gtlbwr", WORD_GTLBWR, EXC_GSPR, GUEST(EXC_IPE)},
        {"gtlbfill", WORD_GTLBFILL, EXC_GSPR, GUEST(EXC_IPE)},
        {"hvcl", HVCL_WORD(0x100), EXC_HVC, hvcl_plv3},
        {"dbcl", 0x002a8000, EXC_GSPR, GUEST(EXC_IPE)},
        {"syscall", WORD("syscall 0"), GUEST(EXC_SYS), GUEST(EXC_SYS)},
        {"break", WORD("break 0"), GUEST(EXC_BRK), GUEST(EXC_BRK)},
        {"an undefined word", 0, GUEST(EXC_INE), GUEST(EXC_INE)},
        {"ibar", WORD("ibar 0"), EXC_NONE, EXC_NONE},
        {"dbar", WORD("dbar 0"), EXC_NONE, EXC_NONE},
        {"preld", WORD("preld 0, $a0, 0"), EXC_NONE, EXC_NONE},
    };
    lvz_init(&v, 1);
    // ertn goes on behind itself, and where tables and caches are meant there is memory.
    gcsr_write(CSR_ERA, (u64)lvz_guest_return);
    gcsr_write(CSR_TLBIDX, BIT(31));
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        if (cases[i].word == WORD("ertn"))
            gcsr_write(CSR_ERA, (u64)lvz_guest_return);
        check_outcomes(&v, &cases[i], 1, physical_of(&v));
    }
}

static bool is_of_guest(unsigned n)
{
    return n <= 8 || n == 0xc || (n >= 0x10 && n <= 0x13) || (n >= 0x18 && n <= 0x23) ||
           (n >= 0x30 && n <= 0x3f) || (n >= 0x40 && n <= 0x44) || n == 0x60 ||
           (n >= 0x88 && n <= 0x8f) || (n >= 0x180 && n <= 0x183);
}

static bool is_of_root_only(unsigned n)
{
    return n == 0x15 || n == 0x16 || (n >= 0x50 && n <= 0x53) || (n >= 0x80 && n <= 0x82) ||
           (n >= 0x90 && n <= 0x95) || n == 0x98 || (n >= 0xc0 && n <= 0xff) ||
           (n >= 0x100 && n <= 0x109) || (n >= 0x500 && n <= 0x502);
}

// Performance counters and watchpoints, none of which is lent.
static bool is_unit_of_root(unsigned n)
{
    return (n >= 0x200 && n <= 0x207) || (n >= 0x300 && n <= 0x32f) || (n >= 0x380 && n <= 0x3cf);
}

// Every number there is.
static void test_csr_numbers(void)
{
    unsigned n_inside = 0, n_exits = 0, n_other = 0, n_kept = 0;
    bool absent_exits = args_number("torup", 1);
    lvz_init(&v, 1);
    for (unsigned n = 0; n < 0x4000; n++) {
        unsigned found = lvz_word(&v, CRMD_DA, 0x04000004 | n << 10, 0x5a5a, 0);
        bool is_lent = is_unit_of_root(n) || is_of_root_only(n);
        if (is_of_guest(n))
            n_inside += found != EXC_NONE;
        else if (is_lent)
            n_exits += found != EXC_GSPR || v.badi != (0x04000004 | n << 10);
        else
            n_other += found != (absent_exits ? EXC_GSPR : EXC_NONE);
        n_kept += found == EXC_GSPR && v.gpr[4] != 0x5a5a;
        n_kept += found == EXC_NONE && !is_of_guest(n) && v.gpr[4] != 0;
    }
    report_eq(n_inside, 0, "the guest reads its own registers without an exit");
    report_eq(n_exits, 0, "each register of the root alone exits");
    report_eq(n_other, 0, "each absent register %s", absent_exits ? "exits" : "does not exit");
    report_eq(n_kept, 0, "and what exits has no effect");
    unsigned n_wrong = 0;
    for (unsigned n = 0; n < 0x600; n++)
        if (is_of_root_only(n)) {
            u64 before = csr_read_n(n);
            n_wrong += lvz_word(&v, CRMD_DA, 0x04000024 | n << 10, ~before, 0) != EXC_GSPR;
            n_wrong += n != CSR_GSTAT && csr_read_n(n) != before;
            n_wrong += lvz_word(&v, CRMD_DA, 0x04000084 | n << 10, ~before, ~0ULL) != EXC_GSPR;
        }
    report_eq(n_wrong, 0, "writes of the root's registers exit and do nothing");
}

// What the guest's own checks refuse is its own exception.
static void test_guest_exceptions(void)
{
    const u64 mapped = CRMD_PG, mapped3 = CRMD_PG | 3;
    const struct {
        const char *name;
        u32 word;
        u64 crmd, a;
        unsigned code;
        bool has_badv;
    } cases[] = {
        {"syscall", WORD("syscall 0x123"), CRMD_DA, 0, EXC_SYS},
        {"break", WORD("break 0x77"), CRMD_DA, 0, EXC_BRK},
        {"an undefined word", 0, CRMD_DA, 0, EXC_INE},
        {"an undefined word at level 3", 0, PLV3_DIRECT, 0, EXC_INE},
        {"a privileged instruction", WORD("csrrd $t0, 0x30"), mapped3, 0, EXC_IPE},
        {"a misaligned ll.w", WORD("ll.w $t0, $a0, 0"), CRMD_DA, 2, EXC_ALE, true},
        {"a misaligned am", WORD("amadd.d $t0, $t1, $a0"), mapped3, WINDOW_MEMORY | 4, EXC_ALE,
         true},
        {"an address out of range", WORD("ld.d $t0, $a0, 0"), mapped, NOT_CANONICAL, EXC_ADEM,
         true},
        {"a store out of range", WORD("st.b $t0, $a0, 0"), mapped3, NOT_CANONICAL + 5, EXC_ADEM,
         true},
        {"a bound check", WORD("ldgt.d $t0, $a0, $a0"), CRMD_DA, 0x200000, EXC_BCE},
        {"floating point off", WORD("fadd.d $f0, $f0, $f0"), CRMD_DA, 0, EXC_FPD},
    };
    lvz_init(&v, 1);
    lvz_open_window();
    csr_write(CSR_BADV, 0x1111);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        gcsr_write(CSR_BADV, 0);
        unsigned found = lvz_word(&v, cases[i].crmd, cases[i].word, cases[i].a, 0);
        bool saved = gcsr_read(CSR_ERA) == (u64)lvz_word_address() &&
                     gcsr_read(CSR_BADI) == cases[i].word &&
                     gcsr_read(CSR_PRMD) == (cases[i].crmd & 3) &&
                     gcsr_read(CSR_CRMD) == (cases[i].crmd & ~3ULL);
        bool badv = !cases[i].has_badv || gcsr_read(CSR_BADV) == cases[i].a;
        report_outcome(&v, found, GUEST(cases[i].code), "%s is the guest's exception",
                       cases[i].name);
        report(saved && badv && v.badv == 0x1111, "%s: saved in the guest's registers",
               cases[i].name);
    }
    unsigned found = lvz_call_at(&v, mapped, NOT_CANONICAL, 0, 0, 0);
    report_outcome(&v, found, GUEST(EXC_ADEF), "a jump out of range is the guest's exception");
}

// A guest that deals with its exceptions: SAVE1 counts them, SAVE0 keeps $t0.
__asm__(".pushsection .text.guest_handler, \"ax\"\n"
        ".balign 0x1000\n"
        ".globl guest_handler, guest_program\n"
        "guest_handler:\n"
        "csrwr $t0, 0x30\n"
        "csrrd $t0, 0x31\n"
        "addi.d $t0, $t0, 1\n"
        "csrwr $t0, 0x31\n"
        "csrrd $t0, 0x6\n"
        "addi.d $t0, $t0, 4\n"
        "csrwr $t0, 0x6\n"
        "csrrd $t0, 0x30\n"
        "ertn\n"
        "guest_program:\n"
        "li.w $a1, 100\n"
        "1: syscall 1\n"
        "break 2\n"
        ".word 0\n"
        "addi.d $a0, $a0, 1\n"
        "addi.d $a1, $a1, -1\n"
        "bnez $a1, 1b\n"
        "ret\n"
        ".popsection\n");
extern const char guest_handler[], guest_program[];

static void test_inside(void)
{
    lvz_init(&v, 1);
    lvz_open_window();
    gcsr_write(CSR_EENTRY, (u64)guest_handler);
    unsigned found = lvz_call_at(&v, CRMD_DA, (u64)guest_program, 5, 0, 0);
    report_outcome(&v, found, EXC_NONE, "a guest with a handler runs through");
    report_eq(gcsr_read(CSR_SAVE0 + 1), 300, "its exceptions came to it, without an exit");
    report_eq(lvz_result(&v), 105, "and it went on");
    found = lvz_call_at(&v, CRMD_PG, (u64)guest_program, 5, 0, 0);
    report_outcome(&v, found, EXC_NONE, "the same in mapped mode");
    report_eq(gcsr_read(CSR_SAVE0 + 1), 600, "exceptions in mapped mode");
    report_eq(gcsr_read(CSR_CRMD), CRMD_PG, "its mode is as it was");
}

static void test_vectors(void)
{
    lvz_init(&v, 1);
    lvz_stage2_map(1, 0, UNMAPPED, UNMAPPED, 14, 0);
    unsigned n_wrong = 0, n_guest = 0;
    for (u64 vs = 0; vs < 8; vs++) {
        u64 size = vs ? 4ULL << vs : 0;
        csr_write(CSR_ECFG, vs << 16 | BIT(LINE_SWI0 + 1));
        n_wrong += lvz_word(&v, CRMD_DA, HVCL_WORD(0), 0, 0) != EXC_HVC;
        n_wrong += v.entry != size * EXC_HVC;
        n_wrong += lvz_word(&v, CRMD_DA, WORD("idle 0"), 0, 0) != EXC_GSPR;
        n_wrong += v.entry != size * EXC_GSPR;
        n_wrong += lvz_word(&v, CRMD_DA, WORD("ld.d $t0, $a0, 0"), UNMAPPED, 0) != EXC_PIL;
        n_wrong += v.entry != size * EXC_PIL;
        lvz_word(&v, CRMD_DA, WORD("ld.d $t0, $a0, 0"), UNMAPPED + 0x100000, 0);
        n_wrong += !v.is_refill || v.entry;
        csr_write(CSR_ESTAT, 2);
        n_wrong += lvz_word(&v, CRMD_DA, WORD("ibar 0"), 0, 0) != EXC_INT;
        n_wrong += v.entry != size * 65 || v.era != (u64)lvz_word_address();
        csr_write(CSR_ESTAT, 0);
        csr_write(CSR_ECFG, 0);
        gcsr_write(CSR_ECFG, vs << 16 | 2);
        n_guest += lvz_word(&v, CRMD_DA, WORD("syscall 0"), 0, 0) != GUEST(EXC_SYS);
        n_guest += v.era != (u64)lvz_guest_vectors + size * EXC_SYS;
        gcsr_write(CSR_ESTAT, 2);
        n_guest += lvz_word(&v, CRMD_DA | CRMD_IE, WORD("ibar 0"), 0, 0) != GUEST(EXC_INT);
        n_guest += v.era != (u64)lvz_guest_vectors + size * 65;
        gcsr_write(CSR_ESTAT, 0);
    }
    report_eq(n_wrong, 0, "exits enter at the root's vectors with each spacing");
    report_eq(n_guest, 0, "the guest's exceptions at its own with each of its spacings");
}

static bool fill_identity(struct vcpu *u, u64 gpa)
{
    struct tlb_entry e = {align_down(gpa, 0x8000), 14, 0, {0, 0}};
    e.elo[0] = e.va | PAGE_ALL;
    e.elo[1] = (e.va + 0x4000) | PAGE_ALL;
    lvz_stage2_fill(u->gid, &e);
    return true;
}

static void test_refill_returns(void)
{
    lvz_init(&v, 1);
    *(u64 *)memory_at(UNMAPPED) = 0x7777;
    lvz_word(&v, CRMD_DA, WORD("ld.d $a0, $a0, 0"), UNMAPPED, 0);
    report(v.is_refill && v.tlbrera == ((u64)lvz_word_address() | 1) &&
               v.tlbrprmd == (CRMD_IE | TLBRPRMD_PGM),
           "a refill of the second stage notes PGM");
    report(!(csr_read(CSR_TLBRERA) & 1), "IsTLBR cleared by hand");
    lvz_stage2_map(1, 0, UNMAPPED, UNMAPPED, 14, PAGE_ALL);
    report_outcome(&v, lvz_outcome(&v), EXC_NONE, "the general return then goes by ERA");
    report_eq(lvz_result(&v), 0x7777, "and the access is done");
    lvz_invalidate(0x12, 0, 0);
    lvz_map_payload(&v);
    v.refill = fill_identity;
    report_outcome(&v, lvz_word(&v, CRMD_DA, WORD("ld.d $a0, $a0, 0"), UNMAPPED, 0), EXC_NONE,
                   "the return of the refill goes into the guest");
    report(lvz_result(&v) == 0x7777 && v.n_refills == 1, "and restarts the access");
}

// Between PGM = 1 and ertn the root itself may miss in its TLB.
static u64 refill_prmd;
static unsigned n_root_refills;

static bool on_root_refill(struct trap_frame *f, unsigned code)
{
    struct tlb_entry e = {align_down(f->badv, 0x8000), 14, tlb_asid(), {0, 0}};
    refill_prmd = f->prmd;
    n_root_refills++;
    csr_write(CSR_TLBREHI, e.va | e.ps);
    csr_write(CSR_TLBRELO0, SCRATCH_BASE | PAGE_ALL);
    csr_write(CSR_TLBRELO1, (SCRATCH_BASE + 0x4000) | PAGE_ALL);
    __asm__ volatile("tlbfill" ::: "memory");
    return true;
}

static void test_root_refill_before_entry(void)
{
    lvz_init(&v, 1);
    *(u64 *)memory_at(SCRATCH_BASE) = 0x4242;
    trap_set_handler(EXC_TLBR, on_root_refill);
    csr_set(CSR_GSTAT, GSTAT_PGM);
    u64 value = *(volatile u64 *)0x40000000;
    report_eq(value, 0x4242, "a refill of the root with PGM set returns to the root");
    report_eq(n_root_refills, 1, "it came once");
    report_eq(refill_prmd & TLBRPRMD_PGM, 0, "TLBRPRMD.PGM is clear in it");
    report(csr_read(CSR_GSTAT) & GSTAT_PGM, "GSTAT.PGM is still set");
    report_outcome(&v, lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0), EXC_HVC, "then the guest runs");
    csr_clear(CSR_GSTAT, GSTAT_PGM);
    trap_set_handler(EXC_TLBR, NULL);
    lvz_invalidate(0, 0, 0);
}

static u64 undefined(u64 a, u64 b, u64 c)
{
    csr_set(CSR_GSTAT, GSTAT_PGM);
    __asm__ volatile(".word 0");
    return 0;
}

static void test_root_exception(void)
{
    struct trap t = trap_call(0, undefined, 0, 0, 0);
    report_trap(&t, EXC_INE, "an exception of the root with PGM set");
    report(!(csr_read(CSR_GSTAT) & GSTAT_PGM), "clears PGM: it came from the root");
}

// Root and guest share what is not banked.
static void test_shared(void)
{
    lvz_init(&v, 1);
    u64 asid = tlb_asid(), dsave = csr_write(CSR_DSAVE, 0x1234567);
    lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0);
    report_eq(tlb_asid(), asid, "the root's ASID stays");
    report_eq(csr_read(CSR_DSAVE), 0x1234567, "DSAVE is storage of the root");
    csr_write(CSR_DSAVE, dsave);
    csr_write(CSR_GSTAT, BIT(2) | BIT(0));
    report_eq(csr_read(CSR_GSTAT) & (BIT(2) | BIT(0)), 0, "other bits of GSTAT are ignored");
}

int main(void)
{
    test_state();
    report_prefix_push("outcome");
    test_instructions();
    test_csr_numbers();
    report_prefix_pop();
    test_guest_exceptions();
    test_inside();
    test_vectors();
    test_refill_returns();
    test_root_refill_before_entry();
    test_root_exception();
    test_shared();
    return 0;
}
