// SPDX-License-Identifier: Apache-2.0
// What the root can have trapped of a guest: GCFG's controls and GTLBC.TOTI.
//
// Command line: titp=0 sitp=0 toep=1 topp=1 tell how the processor was configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/tests/lvz_outcome.h"

#define UNMAPPED      0x5000000ULL // a GPA in no entry
#define NOT_CANONICAL 0x0001000000000000ULL

static struct vcpu v;

static bool is_of_guest(unsigned n)
{
    return n <= 8 || n == 0xc || (n >= 0x10 && n <= 0x13) || (n >= 0x18 && n <= 0x23) ||
           (n >= 0x30 && n <= 0x3f) || (n >= 0x40 && n <= 0x44) || n == 0x60 ||
           (n >= 0x88 && n <= 0x8f) || (n >= 0x180 && n <= 0x183);
}

static void test_cache_operations(void)
{
    static const u8 kinds_that_run[] = {0, 1 << 2, 1 << 2 | 1 << 1};
    lvz_init(&v, 1);
    for (unsigned gci = 0; gci < 3; gci++) {
        unsigned n_wrong = 0;
        csr_write(CSR_GCFG, GCFG_GCI(gci));
        for (u32 op = 0; op < 32; op++) {
            bool runs = kinds_that_run[gci] >> (op >> 3) & 1;
            u32 word = 0x06000080 | op;
            n_wrong +=
                lvz_word(&v, CRMD_DA, word, physical_of(&v), 0) != (runs ? EXC_NONE : EXC_GSPR);
        }
        report_eq(n_wrong, 0, "cacop with GCI %u", gci);
    }
    csr_write(CSR_GCFG, GCFG_GCI(2));
    lvz_word(&v, CRMD_DA, WORD("cacop 0x10, $a0, 0"), UNMAPPED, 0);
    report(v.is_refill && v.tlbrbadv == UNMAPPED, "cacop by address goes through both stages");
}

// Of the numbers 0 to 0x5ff, those whose outcome is not as `exits` says.
static unsigned csr_outcomes_wrong(bool (*exits)(unsigned n))
{
    unsigned n_wrong = 0;
    for (unsigned n = 0; n < 0x600; n++)
        if (is_of_guest(n))
            n_wrong += lvz_word(&v, CRMD_DA, 0x04000004 | n << 10, 0, 0) !=
                       (exits(n) ? EXC_GSPR : EXC_NONE);
    return n_wrong;
}

static bool is_timer_csr(unsigned n)
{
    return n >= CSR_TID && n <= CSR_TICLR;
}

static bool is_tlb_csr(unsigned n)
{
    return (n >= 0x10 && n <= 0x13) || (n >= 0x18 && n <= 0x1f);
}

static bool is_any(unsigned n)
{
    return true;
}

static bool is_none(unsigned n)
{
    return false;
}

static void test_timer_trap(void)
{
    bool traps = args_number("titp", 1);
    unsigned now = traps ? EXC_GSPR : EXC_NONE;
    const struct outcome cases[] = {
        {"rdtime.d", WORD("rdtime.d $t0, $t1"), now, now},
        {"rdtimel.w", WORD("rdtimel.w $t0, $t1"), now, now},
        {"rdtimeh.w", WORD("rdtimeh.w $t0, $t1"), now, now},
        {"csrwr of TCFG", WORD("csrwr $zero, 0x41"), now, GUEST(EXC_IPE)},
        {"csrwr of TICLR", WORD("csrwr $zero, 0x44"), now, GUEST(EXC_IPE)},
        {"csrxchg of CNTC", WORD("csrxchg $zero, $a0, 0x43"), now, GUEST(EXC_IPE)},
        {"csrwr of SAVE0", WORD("csrwr $t0, 0x30"), EXC_NONE, GUEST(EXC_IPE)},
        {"tlbsrch", WORD("tlbsrch"), EXC_NONE, GUEST(EXC_IPE)},
    };
    lvz_init(&v, 1);
    csr_write(CSR_GCFG, GCFG_TIT);
    check_outcomes(&v, cases, ARRAY_LEN(cases), 0);
    report_eq(csr_outcomes_wrong(traps ? is_timer_csr : is_none), 0,
              "reads of registers: those of the timer exit if they can be trapped");
    gcsr_write(CSR_MISC, BIT(7));
    report_outcome(&v, lvz_word(&v, PLV3_DIRECT, WORD("rdtime.d $t0, $t1"), 0, 0), GUEST(EXC_IPE),
                   "the guest's DRDTL comes first");
    gcsr_write(CSR_MISC, 0);
    csr_write(CSR_GCFG, 0);
}

static void test_tlb_trap(void)
{
    const struct outcome cases[] = {
        {"tlbsrch", WORD("tlbsrch"), EXC_GSPR, GUEST(EXC_IPE)},
        {"tlbrd", WORD("tlbrd"), EXC_GSPR, GUEST(EXC_IPE)},
        {"tlbwr", WORD("tlbwr"), EXC_GSPR, GUEST(EXC_IPE)},
        {"tlbfill", WORD("tlbfill"), EXC_GSPR, GUEST(EXC_IPE)},
        {"tlbclr", WORD("tlbclr"), EXC_GSPR, GUEST(EXC_IPE)},
        {"tlbflush", WORD("tlbflush"), EXC_GSPR, GUEST(EXC_IPE)},
        {"invtlb 0", WORD("invtlb 0, $zero, $zero"), EXC_GSPR, GUEST(EXC_IPE)},
        {"invtlb 6", WORD("invtlb 6, $zero, $zero"), EXC_GSPR, GUEST(EXC_IPE)},
        {"lddir", WORD("lddir $t0, $a0, 1"), EXC_GSPR, GUEST(EXC_IPE)},
        {"ldpte", WORD("ldpte $a0, 0"), EXC_GSPR, GUEST(EXC_IPE)},
        {"csrwr of ASID", WORD("csrwr $zero, 0x18"), EXC_GSPR, GUEST(EXC_IPE)},
        {"rdtime.d", WORD("rdtime.d $t0, $t1"), EXC_NONE, EXC_NONE},
    };
    lvz_init(&v, 1);
    csr_set(CSR_GTLBC, GTLBC_TOTI);
    check_outcomes(&v, cases, ARRAY_LEN(cases), 0);
    report_eq(csr_outcomes_wrong(is_tlb_csr), 0, "reads of registers: those of the TLB exit");
    csr_clear(CSR_GTLBC, GTLBC_TOTI);
}

static void test_privileged_trap(void)
{
    unsigned now = args_number("sitp", 1) ? EXC_GSPR : EXC_NONE;
    const struct outcome cases[] = {
        {"csrrd of CRMD", WORD("csrrd $t0, 0"), now, GUEST(EXC_IPE)},
        {"csrwr of SAVE0", WORD("csrwr $t0, 0x30"), now, GUEST(EXC_IPE)},
        {"csrxchg of SAVE0", WORD("csrxchg $t0, $t1, 0x30"), now, GUEST(EXC_IPE)},
        {"tlbsrch", WORD("tlbsrch"), now, GUEST(EXC_IPE)},
        {"tlbfill", WORD("tlbfill"), now, GUEST(EXC_IPE)},
        {"invtlb 0", WORD("invtlb 0, $zero, $zero"), now, GUEST(EXC_IPE)},
        {"lddir", WORD("lddir $t0, $a0, 1"), now, GUEST(EXC_IPE)},
        {"ldpte", WORD("ldpte $a0, 0"), now, GUEST(EXC_IPE)},
        {"ertn", WORD("ertn"), now, GUEST(EXC_IPE)},
        {"rdtime.d", WORD("rdtime.d $t0, $t1"), EXC_NONE, EXC_NONE},
        {"add.d", WORD("add.d $t0, $t1, $t1"), EXC_NONE, EXC_NONE},
        {"syscall", WORD("syscall 0"), GUEST(EXC_SYS), GUEST(EXC_SYS)},
    };
    lvz_init(&v, 1);
    csr_write(CSR_GCFG, GCFG_SIT);
    gcsr_write(CSR_TLBIDX, BIT(31));
    gcsr_write(CSR_ERA, (u64)lvz_guest_return);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        gcsr_write(CSR_ERA, (u64)lvz_guest_return);
        check_outcomes(&v, &cases[i], 1, 0);
    }
    report_eq(csr_outcomes_wrong(now == EXC_GSPR ? is_any : is_none), 0, "reads of registers");
    csr_write(CSR_GCFG, 0);
}

// Exceptions and returns inside the guest, told to the root when they have happened.
static void test_hardware_changes(void)
{
    bool tells = args_number("toep", 0);
    lvz_init(&v, 1);
    csr_write(CSR_GCFG, GCFG_TOE);
    unsigned found = lvz_word(&v, CRMD_DA, WORD("syscall 3"), 0, 0);
    if (tells) {
        report_outcome(&v, found, EXC_GCHC, "TOE: an exception of the guest");
        report_eq(v.era, (u64)lvz_guest_vectors, "TOE: it goes on at its vector");
        report(gcsr_read(CSR_ERA) == (u64)lvz_word_address() && gcsr_code() == EXC_SYS,
               "TOE: its registers say what happened");
        found = lvz_outcome(&v);
    }
    report_outcome(&v, found, GUEST(EXC_SYS), "TOE: the guest at its vector");
    gcsr_write(CSR_ERA, (u64)lvz_guest_return);
    gcsr_write(CSR_PRMD, 3);
    found = lvz_word(&v, CRMD_DA, WORD("ertn"), 0, 0);
    if (tells) {
        report_outcome(&v, found, EXC_GCHC, "TOE: ertn of the guest");
        report(v.era == (u64)lvz_guest_return && gcsr_read(CSR_CRMD) == PLV3_DIRECT,
               "TOE: it has returned");
        found = lvz_outcome(&v);
    }
    report_outcome(&v, found, EXC_NONE, "TOE: the guest where ertn leads");
    gcsr_write(CSR_TLBRERA, 0);
    lvz_open_window();
    found = lvz_word(&v, CRMD_PG, WORD("ld.d $t0, $a0, 0"), 0x10000, 0);
    report_outcome(&v, found, tells ? EXC_GCHC : GUEST(EXC_TLBR), "TOE: a refill of the guest");
    report_eq(gcsr_read(CSR_TLBRBADV), 0x10000, "TOE: its TLBRBADV");
    csr_write(CSR_GCFG, 0);
}

// A change of the guest's level by itself, told before it happens.
static void test_software_changes(void)
{
    unsigned code = args_number("topp", 0) ? EXC_GCSC : EXC_NONE;
    lvz_init(&v, 1);
    csr_write(CSR_GCFG, GCFG_TOP);
    u32 csrwr = WORD("csrwr $a0, 0x0"), csrxchg = WORD("csrxchg $a0, $a1, 0x0");
    unsigned found = lvz_word(&v, CRMD_DA, csrwr, PLV3_DIRECT, 0);
    report_outcome(&v, found, code, "TOP: csrwr that changes the level");
    report_eq(gcsr_read(CSR_CRMD), code == EXC_NONE ? PLV3_DIRECT : CRMD_DA,
              "TOP: CRMD is not changed yet");
    if (code != EXC_NONE)
        report(v.era == (u64)lvz_word_address() && v.badi == csrwr, "TOP: ERA and BADI");
    found = lvz_word(&v, CRMD_DA, csrxchg, 2, 3);
    report_outcome(&v, found, code, "TOP: csrxchg that changes the level");
    found = lvz_word(&v, CRMD_DA, csrxchg, 3, CRMD_IE);
    report_outcome(&v, found, EXC_NONE, "TOP: csrxchg of other fields");
    found = lvz_word(&v, CRMD_DA, csrwr, CRMD_DA | CRMD_IE, 0);
    report_outcome(&v, found, EXC_NONE, "TOP: csrwr with the same level");
    csr_write(CSR_GCFG, 0);
}

int main(void)
{
    report_prefix_push("GCI");
    test_cache_operations();
    report_prefix_pop();
    report_prefix_push("TIT");
    test_timer_trap();
    report_prefix_pop();
    report_prefix_push("TOTI");
    test_tlb_trap();
    report_prefix_pop();
    report_prefix_push("SIT");
    test_privileged_trap();
    report_prefix_pop();
    test_hardware_changes();
    test_software_changes();
    return 0;
}
