// SPDX-License-Identifier: Apache-2.0
// Control and status registers: what reset leaves in them, which bits can be written, who may.
// Reference Manual, volume 1, section 7.
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/stack.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

// What a register reads as when all ones were written, and all zeros. Those of 32 bits read
// sign-extended.
struct csr {
    const char *name;
    u16 number;
    u64 ones, zeros;
};

// clang-format off
static const struct csr csrs[] = {
    {"PRMD",      CSR_PRMD,      0xf,                0},
    {"EUEN",      CSR_EUEN,      0x7,                0},
    {"MISC",      CSR_MISC,      0x7feee,            0},
    {"ECFG",      CSR_ECFG,      0x71fff,            0},
    {"ERA",       CSR_ERA,       ~0ULL,              0},
    {"BADV",      CSR_BADV,      ~0ULL,              0},
    {"EENTRY",    CSR_EENTRY,    ~0xfffULL,          0},
    {"TLBIDX",    CSR_TLBIDX,    0xffffffffbf000fff, 0},
    {"TLBELO0",   CSR_TLBELO0,   0xe000fffffffff07f, 0},
    {"TLBELO1",   CSR_TLBELO1,   0xe000fffffffff07f, 0},
    {"ASID",      CSR_ASID,      0xa03ff,            0xa0000},
    {"PGDL",      CSR_PGDL,      ~0xfffULL,          0},
    {"PGDH",      CSR_PGDH,      ~0xfffULL,          0},
    {"PWCL",      CSR_PWCL,      ~0ULL,              0},
    {"STLBPS",    CSR_STLBPS,    0x3f,               0},
    {"RVACFG",    CSR_RVACFG,    0xf,                0},
    {"PRCFG1",    CSR_PRCFG1,    0x72f8,             0x72f8},
    {"PRCFG2",    CSR_PRCFG2,    0x3ffff000,         0x3ffff000},
    {"PRCFG3",    CSR_PRCFG3,    0x8073f2,           0x8073f2},
    {"SAVE0",     CSR_SAVE0 + 0, ~0ULL,              0},
    {"SAVE1",     CSR_SAVE0 + 1, ~0ULL,              0},
    {"SAVE2",     CSR_SAVE0 + 2, ~0ULL,              0},
    {"SAVE3",     CSR_SAVE0 + 3, ~0ULL,              0},
    {"SAVE4",     CSR_SAVE0 + 4, ~0ULL,              0},
    {"SAVE5",     CSR_SAVE0 + 5, ~0ULL,              0},
    {"SAVE6",     CSR_SAVE0 + 6, ~0ULL,              0},
    {"SAVE7",     CSR_SAVE0 + 7, ~0ULL,              0},
    {"TID",       CSR_TID,       ~0ULL,              0},
    {"TCFG",      CSR_TCFG,      0x0000ffffffffffff, 0},
    {"CNTC",      CSR_CNTC,      ~0ULL,              0},
    {"TICLR",     CSR_TICLR,     0,                  0},
    {"LLBCTL",    CSR_LLBCTL,    0x4,                0},
    {"TLBRENTRY", CSR_TLBRENTRY, 0x0000fffffffff000, 0},
    {"TLBRBADV",  CSR_TLBRBADV,  ~0ULL,              0},
    {"TLBRERA",   CSR_TLBRERA,   ~2ULL,              0},
    {"TLBRSAVE",  CSR_TLBRSAVE,  ~0ULL,              0},
    {"TLBRELO0",  CSR_TLBRELO0,  0xe000fffffffff07f, 0},
    {"TLBRELO1",  CSR_TLBRELO1,  0xe000fffffffff07f, 0},
    {"MERRENTRY", CSR_MERRENTRY, 0x0000fffffffff000, 0},
    {"MERRERA",   CSR_MERRERA,   ~0ULL,              0},
    {"MERRSAVE",  CSR_MERRSAVE,  ~0ULL,              0},
    {"DMW0",      CSR_DMW0,      0xf00000000000003f, 0},
    {"DMW1",      CSR_DMW1,      0xf00000000000003f, 0},
    {"DMW2",      CSR_DMW2,      0xf00000000000003f, 0},
    {"DMW3",      CSR_DMW3,      0xf00000000000003f, 0},
    {"DERA",      CSR_DERA,      ~0ULL,              0},
    {"DSAVE",     CSR_DSAVE,     ~0ULL,              0},
};

// The bits in `mask` are defined after reset; the manual leaves all others open.
static const struct reset_value {
    const char *name;
    u16 number;
    u64 mask, value;
} resets[] = {
    {"CRMD",             CSR_CRMD,    0x3ff,      0x8},
    {"EUEN",             CSR_EUEN,    0x7,        0},
    {"MISC",             CSR_MISC,    0x7ffff,    0},
    {"ECFG.LIE, VS",     CSR_ECFG,    0x71fff,    0},
    {"ESTAT.SWI",        CSR_ESTAT,   0x3,        0},
    {"ASID.ASIDBITS",    CSR_ASID,    0xff0000,   0xa0000},
    {"RVACFG",           CSR_RVACFG,  0xf,        0},
    {"TCFG.En",          CSR_TCFG,    1,          0},
    {"CNTC",             CSR_CNTC,    ~0ULL,      0},
    {"LLBCTL.KLO",       CSR_LLBCTL,  4,          0},
    {"TLBRERA.IsTLBR",   CSR_TLBRERA, 1,          0},
    {"MERRCTL.IsMERR",   CSR_MERRCTL, 1,          0},
    {"DMW0.PLV",         CSR_DMW0,    0xf,        0},
    {"DMW1.PLV",         CSR_DMW1,    0xf,        0},
    {"DMW2.PLV",         CSR_DMW2,    0xf,        0},
    {"DMW3.PLV",         CSR_DMW3,    0xf,        0},
    {"PWCH.HPTW_En",     CSR_PWCH,    1 << 24,    0},
    {"DBG.DST",          CSR_DBG,     1,          0},
};
// clang-format on

static u64 at_reset[MAX_CPUS][ARRAY_LEN(resets)];
static u64 id_at_reset[MAX_CPUS], timer_id_at_reset[MAX_CPUS];

void start_early(unsigned cpu)
{
    for (unsigned i = 0; i < ARRAY_LEN(resets); i++)
        at_reset[cpu][i] = csr_read_n(resets[i].number);
    id_at_reset[cpu] = csr_read(CSR_CPUID);
    timer_id_at_reset[cpu] = csr_read(CSR_TID);
}

// The parking loop of firmware lets the inter-processor interrupt wake it.
static u64 defined_bits(unsigned cpu, const struct reset_value *r)
{
    return cpu && r->number == CSR_ECFG ? r->mask & ~BIT(LINE_IPI) : r->mask;
}

static void test_reset_of(unsigned cpu)
{
    for (unsigned i = 0; i < ARRAY_LEN(resets); i++) {
        const struct reset_value *r = &resets[i];
        u64 mask = defined_bits(cpu, r);
        report_eq(at_reset[cpu][i] & mask, r->value & mask, "processor %u: %s", cpu, r->name);
    }
    report_eq(id_at_reset[cpu] & 0x1ff, cpu, "processor %u: CPUID.CoreID", cpu);
    report_eq(timer_id_at_reset[cpu], cpu, "processor %u: TID", cpu);
}

static u64 write_back(u64 number, u64 b, u64 c)
{
    csr_write_n((unsigned)number, csr_read_n((unsigned)number));
    return 0;
}

static void test_writable(const struct csr *r)
{
    struct trap t = trap_call(0, write_back, r->number, 0, 0);
    if (t.code != EXC_NONE) {
        report(false, "%s can be written", r->name);
        return;
    }
    u64 before = csr_write_n(r->number, ~0ULL);
    u64 ones = csr_read_n(r->number);
    u64 old = csr_write_n(r->number, 0);
    u64 zeros = csr_read_n(r->number);
    csr_write_n(r->number, before);
    report_eq(ones, r->ones, "%s with all ones written", r->name);
    report_eq(zeros, r->zeros, "%s with all zeros written", r->name);
    report_eq(old, ones, "%s: a write returns the old value", r->name);
}

// The upper bits copy the highest bit of VPPN.
static void test_sign_extended(const char *name, unsigned number, u64 writable)
{
    u64 low = writable & BITS(46, 0);
    u64 before = csr_write_n(number, ~0ULL);
    report_eq(csr_read_n(number), BITS(63, 48) | writable, "%s with all ones written", name);
    csr_write_n(number, low);
    report_eq(csr_read_n(number), low, "%s with bit 47 clear", name);
    csr_write_n(number, before);
}

static void test_walker_enable(void)
{
    u64 enable = cpucfg(2) & BIT(24) ? BIT(24) : 0;
    u64 before = csr_write(CSR_PWCH, ~0ULL);
    report_eq(csr_read(CSR_PWCH) & BITS(24, 0), 0xffffff | enable, "PWCH with all ones written");
    csr_write(CSR_PWCH, before);
}

// With the virtualization extension bit 3 notes that a refill came from a guest.
static void test_refill_mode(void)
{
    u64 from_guest = cpucfg(2) & BIT(10) ? BIT(3) : 0;
    u64 before = csr_write(CSR_TLBRPRMD, ~0ULL);
    report_eq(csr_read(CSR_TLBRPRMD), 0x17 | from_guest, "TLBRPRMD with all ones written");
    csr_write(CSR_TLBRPRMD, before);
}

static void test_estat(void)
{
    csr_write(CSR_ESTAT, ~0ULL);
    report_eq(csr_read(CSR_ESTAT) & BITS(15, 0), 3, "ESTAT: only software interrupts are set");
    csr_write(CSR_ESTAT, 0);
    report_eq(csr_read(CSR_ESTAT) & 3, 0, "ESTAT: and cleared");
}

static void test_read_only(const char *name, unsigned number)
{
    u64 before = csr_read_n(number);
    csr_write_n(number, ~before);
    report_eq(csr_read_n(number), before, "%s is read-only", name);
}

static void test_pgd(void)
{
    csr_write(CSR_PGDL, 0x11000);
    csr_write(CSR_PGDH, 0x22000);
    csr_write(CSR_BADV, 0x1000);
    report_eq(csr_read(CSR_PGD), 0x11000, "PGD is PGDL for a low bad address");
    csr_write(CSR_BADV, ~0ULL);
    report_eq(csr_read(CSR_PGD), 0x22000, "PGD is PGDH for a high bad address");
    csr_write(CSR_TLBRBADV, 0x1000);
    csr_write(CSR_TLBRERA, TLBRERA_IS_TLBR);
    report_eq(csr_read(CSR_PGD), 0x11000, "in a refill PGD goes by TLBRBADV");
    csr_write(CSR_TLBRERA, 0);
}

// Some of these registers would stop the machine with translation on.
static void test_all_writable(void)
{
    start_direct();
    for (unsigned i = 0; i < ARRAY_LEN(csrs); i++)
        test_writable(&csrs[i]);
    test_sign_extended("TLBEHI", CSR_TLBEHI, BITS(47, 13));
    test_sign_extended("TLBREHI", CSR_TLBREHI, BITS(47, 13) | 0x3f);
    test_walker_enable();
    test_refill_mode();
    test_estat();
    test_read_only("CPUID", CSR_CPUID);
    test_read_only("BADI", CSR_BADI);
    test_read_only("TVAL", CSR_TVAL);
    test_read_only("MWPC", CSR_MWPC);
    test_read_only("FWPC", CSR_FWPC);
    test_pgd();
    trap_init();
    start_mapped();
}

static void test_exchange(void)
{
    struct random r = {7};
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < 1000; i++) {
        u64 old = random_next(&r), value = random_next(&r), mask = random_next(&r);
        csr_write(CSR_SAVE0 + 4, old);
        u64 returned = csr_exchange_n(CSR_SAVE0 + 4, value, mask);
        n_wrong += returned != old;
        n_wrong += csr_read(CSR_SAVE0 + 4) != ((old & ~mask) | (value & mask));
    }
    report_eq(n_wrong, 0, "csrxchg writes the masked bits of SAVE4 and returns the old value");
    csr_write(CSR_TCFG, 0);
    csr_exchange(CSR_TCFG, ~0ULL, BITS(63, 0));
    report_eq(csr_read(CSR_TCFG), BITS(47, 0), "csrxchg keeps to the writable bits");
    csr_write(CSR_TCFG, 0);
    csr_write(CSR_TICLR, 1);
}

// The models have no watchpoints; their registers are storage.
static void test_watchpoints(void)
{
    static const u16 first[] = {CSR_MWP0CFG1, CSR_FWP0CFG1};
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(first); i++)
        for (unsigned n = 0; n < 4; n++) {
            csr_write_n(first[i] + n, 0x12345678 + n);
            n_wrong += csr_read_n(first[i] + n) != 0x12345678 + n;
        }
    for (unsigned i = 0; i < ARRAY_LEN(first); i++)
        for (unsigned n = 0; n < 4; n++)
            csr_write_n(first[i] + n, 0);
    report_eq(n_wrong, 0, "registers of watchpoints are storage");
    report_eq(csr_read(CSR_MWPC) & 0x3f, 0, "there are no watchpoints on loads and stores");
    report_eq(csr_read(CSR_FWPC) & 0x3f, 0, "nor on fetches");
}

// Numbers that nothing in the manual or on known processors uses.
static void test_absent(void)
{
    static const u16 numbers[] = {0x9, 0x2f, 0x4f, 0x99, 0x70, 0x9f, 0x17f, 0x5ff};
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        csr_write_n(numbers[i], ~0ULL);
        report_eq(csr_read_n(numbers[i]), 0, "CSR 0x%x, which is absent, reads 0", numbers[i]);
    }
    u64 value = 1;
    __asm__ volatile("csrrd %0, 0x3fff" : "=r"(value));
    report_eq(value, 0, "CSR 0x3fff, which is absent, reads 0");
}

#define PRIVILEGED(name, text)                               \
    static u64 do_##name(u64 a, u64 b, u64 c)                \
    {                                                        \
        __asm__ volatile(text : "+r"(a), "+r"(b)::"memory"); \
        return a;                                            \
    }
PRIVILEGED(csrwr, "csrwr %0, 0x30")
PRIVILEGED(csrxchg, "csrxchg $t0, $t1, 0x30")
PRIVILEGED(csrrd_absent, "csrrd %0, 0x3fff")
PRIVILEGED(iocsrrd, "iocsrrd.w %0, %1")
PRIVILEGED(iocsrwr, "iocsrwr.w %0, %1")
PRIVILEGED(tlbsrch, "tlbsrch")
PRIVILEGED(tlbrd, "tlbrd")
PRIVILEGED(tlbwr, "tlbwr")
PRIVILEGED(tlbfill, "tlbfill")
PRIVILEGED(tlbclr, "tlbclr")
PRIVILEGED(tlbflush, "tlbflush")
PRIVILEGED(invtlb, "invtlb 0, $zero, $zero")
PRIVILEGED(lddir, "lddir %0, %1, 1")
PRIVILEGED(ldpte, "ldpte %1, 0")
PRIVILEGED(ertn, "ertn")
PRIVILEGED(idle, "idle 0")
PRIVILEGED(cacop_index, "cacop 0, %1, 0")

static const struct privileged {
    const char *name;
    trap_function f;
} privileged[] = {
    {"csrwr", do_csrwr},
    {"csrxchg", do_csrxchg},
    {"csrrd of an absent register", do_csrrd_absent},
    {"iocsrrd", do_iocsrrd},
    {"iocsrwr", do_iocsrwr},
    {"tlbsrch", do_tlbsrch},
    {"tlbrd", do_tlbrd},
    {"tlbwr", do_tlbwr},
    {"tlbfill", do_tlbfill},
    {"tlbclr", do_tlbclr},
    {"tlbflush", do_tlbflush},
    {"invtlb", do_invtlb},
    {"lddir", do_lddir},
    {"ldpte", do_ldpte},
    {"ertn", do_ertn},
    {"idle", do_idle},
    {"cacop by index", do_cacop_index},
};

static void test_levels(void)
{
    for (unsigned plv = 1; plv <= 3; plv++) {
        unsigned n_wrong = 0;
        for (unsigned i = 0; i < ARRAY_LEN(csrs); i++) {
            struct trap t = trap_call_at(plv, (u64)csr_read_code(csrs[i].number), 0, 0, 0);
            n_wrong += t.code != EXC_IPE;
        }
        report_eq(n_wrong, 0, "no register can be read at level %u", plv);
        for (unsigned i = 0; i < ARRAY_LEN(privileged); i++) {
            struct trap t = trap_call(plv, privileged[i].f, 0, 0x1000, 0);
            report_trap(&t, EXC_IPE, "%s at level %u", privileged[i].name, plv);
            if (t.code == EXC_IPE && t.badi != *(const u32 *)t.era)
                report(false, "%s at level %u: BADI", privileged[i].name, plv);
        }
    }
}

int main(void)
{
    smp_start_all();
    report_prefix_push("reset");
    for (unsigned i = 0; i < smp_n_cpus(); i++)
        test_reset_of(i);
    report_prefix_pop();
    report_prefix_push("write");
    test_all_writable();
    test_exchange();
    test_watchpoints();
    test_absent();
    report_prefix_pop();
    test_levels();
    return 0;
}
