// SPDX-License-Identifier: Apache-2.0
// Registers of the virtualization extension: reset values, fixed fields, and the guest's own file
// of control registers as the root and the guest itself reach it. On a processor without the
// extension: that nothing of it is there.
//
// Command line: gidbits=N titp=0 sitp=0 torup=0 toep=1 topp=1 tell how the processor was
// configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

// clang-format off
static const struct reset_value {
    const char *name;
    u16 number;
    u64 mask, value;
} guest_resets[] = {
    {"CRMD",            CSR_CRMD,    ~0ULL,    CRMD_DA},
    {"EUEN",            CSR_EUEN,    ~0ULL,    0},
    {"ECFG",            CSR_ECFG,    ~0ULL,    0},
    {"ASID.ASIDBITS",   CSR_ASID,    0xff0000, 0xa0000},
    {"CPUID",           CSR_CPUID,   ~0ULL,    0},
    {"TCFG.En",         CSR_TCFG,    1,        0},
    {"LLBCTL",          CSR_LLBCTL,  ~0ULL,    0},
    {"TLBRERA.IsTLBR",  CSR_TLBRERA, 1,        0},
    {"DMW0",            CSR_DMW0,    ~0ULL,    0},
    {"DMW1",            CSR_DMW1,    ~0ULL,    0},
    {"DMW2",            CSR_DMW2,    ~0ULL,    0},
    {"DMW3",            CSR_DMW3,    ~0ULL,    0},
};

// What each register keeps of all ones written, by the guest and from the root; `fixed` is set in
// any case. Values that would stop the guest are written from the root only.
static const struct guest_csr {
    const char *name;
    u16 number;
    u64 of_guest, of_root, fixed;
    bool is_live;
} guest_csrs[] = {
    {"CRMD",      CSR_CRMD,      0x3ff,              0x3ff,              0, true},
    {"PRMD",      CSR_PRMD,      0xf,                0xf,                0},
    {"EUEN",      CSR_EUEN,      0x7,                0x7,                0},
    {"MISC",      CSR_MISC,      0x7feee,            0x7feee,            0},
    {"ECFG",      CSR_ECFG,      0x71fff,            0x71fff,            0},
    {"ESTAT",     CSR_ESTAT,     0x3,                0x7fff5c03,         0},
    {"ERA",       CSR_ERA,       ~0ULL,              ~0ULL,              0},
    {"BADV",      CSR_BADV,      ~0ULL,              ~0ULL,              0},
    {"BADI",      CSR_BADI,      0,                  ~0ULL,              0},
    {"EENTRY",    CSR_EENTRY,    ~0xfffULL,          ~0xfffULL,          0},
    {"TLBIDX",    CSR_TLBIDX,    0xffffffffbf000fff, 0xffffffffbf000fff, 0},
    {"TLBELO0",   CSR_TLBELO0,   0xe000fffffffff07f, 0xe000fffffffff07f, 0},
    {"TLBELO1",   CSR_TLBELO1,   0xe000fffffffff07f, 0xe000fffffffff07f, 0},
    {"ASID",      CSR_ASID,      0x3ff,              0x3ff,              0xa0000},
    {"PGDL",      CSR_PGDL,      ~0xfffULL,          ~0xfffULL,          0},
    {"PGDH",      CSR_PGDH,      ~0xfffULL,          ~0xfffULL,          0},
    {"PWCL",      CSR_PWCL,      ~0ULL,              ~0ULL,              0},
    {"STLBPS",    CSR_STLBPS,    0x3f,               0x3f,               0},
    {"RVACFG",    CSR_RVACFG,    0xf,                0xf,                0},
    {"CPUID",     CSR_CPUID,     0,                  0x1ff,              0},
    {"SAVE0",     CSR_SAVE0 + 0, ~0ULL,              ~0ULL,              0},
    {"SAVE1",     CSR_SAVE0 + 1, ~0ULL,              ~0ULL,              0},
    {"SAVE2",     CSR_SAVE0 + 2, ~0ULL,              ~0ULL,              0},
    {"SAVE3",     CSR_SAVE0 + 3, ~0ULL,              ~0ULL,              0},
    {"SAVE4",     CSR_SAVE0 + 4, ~0ULL,              ~0ULL,              0},
    {"SAVE5",     CSR_SAVE0 + 5, ~0ULL,              ~0ULL,              0},
    {"SAVE6",     CSR_SAVE0 + 6, ~0ULL,              ~0ULL,              0},
    {"SAVE7",     CSR_SAVE0 + 7, ~0ULL,              ~0ULL,              0},
    {"SAVE8",     CSR_SAVE0 + 8, ~0ULL,              ~0ULL,              0},
    {"SAVE15",    CSR_SAVE0 + 15, ~0ULL,             ~0ULL,              0},
    {"TID",       CSR_TID,       ~0ULL,              ~0ULL,              0},
    {"TCFG",      CSR_TCFG,      0xffffffffffff,     0xffffffffffff,     0},
    {"CNTC",      CSR_CNTC,      ~0ULL,              ~0ULL,              0},
    {"TICLR",     CSR_TICLR,     0,                  0,                  0},
    {"LLBCTL",    CSR_LLBCTL,    0x4,                0x4,                0},
    {"TLBRENTRY", CSR_TLBRENTRY, 0x0000fffffffff000, 0x0000fffffffff000, 0},
    {"TLBRBADV",  CSR_TLBRBADV,  ~0ULL,              ~0ULL,              0},
    {"TLBRERA",   CSR_TLBRERA,   ~2ULL,              ~2ULL,              0},
    {"TLBRSAVE",  CSR_TLBRSAVE,  ~0ULL,              ~0ULL,              0},
    {"TLBRELO0",  CSR_TLBRELO0,  0xe000fffffffff07f, 0xe000fffffffff07f, 0},
    {"TLBRELO1",  CSR_TLBRELO1,  0xe000fffffffff07f, 0xe000fffffffff07f, 0},
    {"DMW0",      CSR_DMW0,      0xf00000000000003f, 0xf00000000000003f, 0},
    {"DMW1",      CSR_DMW1,      0xf00000000000003f, 0xf00000000000003f, 0},
    {"DMW2",      CSR_DMW2,      0xf00000000000003f, 0xf00000000000003f, 0},
    {"DMW3",      CSR_DMW3,      0xf00000000000003f, 0xf00000000000003f, 0},
};
// clang-format on

static bool has_lvz(void)
{
    return cpucfg(2) & BIT(10);
}

static u64 at_reset[ARRAY_LEN(guest_resets)];
static struct {
    u64 gstat, gcfg, gintc, gcntc, gtlbc, trgp, prcfg[3];
} root_at_reset;

void start_early(unsigned cpu)
{
    if (!has_lvz())
        return;
    for (unsigned i = 0; i < ARRAY_LEN(guest_resets); i++)
        at_reset[i] = gcsr_read(guest_resets[i].number);
    root_at_reset.gstat = csr_read(CSR_GSTAT);
    root_at_reset.gcfg = csr_read(CSR_GCFG);
    root_at_reset.gintc = csr_read(CSR_GINTC);
    root_at_reset.gcntc = csr_read(CSR_GCNTC);
    root_at_reset.gtlbc = csr_read(CSR_GTLBC);
    root_at_reset.trgp = csr_read(CSR_TRGP);
    for (unsigned i = 0; i < 3; i++)
        root_at_reset.prcfg[i] = gcsr_read(CSR_PRCFG1 + i);
}

static u64 gcfg_capabilities(void)
{
    u64 value = BITS(2, 0) | BITS(18, 16); // each value of MATC and of GCI
    value |= args_number("sitp", 1) ? GCFG_SITP : 0;
    value |= args_number("titp", 1) ? GCFG_TITP : 0;
    value |= args_number("torup", 1) ? GCFG_TORUP : 0;
    value |= args_number("toep", 0) ? GCFG_TOEP : 0;
    value |= args_number("topp", 0) ? GCFG_TOPP : 0;
    return value;
}

static void test_reset(void)
{
    report_eq(root_at_reset.gstat, args_number("gidbits", 8) << 4, "GSTAT");
    report_eq(root_at_reset.gcfg, gcfg_capabilities(), "GCFG");
    report_eq(root_at_reset.gintc, 0, "GINTC");
    report_eq(root_at_reset.gcntc, 0, "GCNTC");
    report_eq(root_at_reset.gtlbc & ~BITS(5, 0), 0, "GTLBC beside GMTLBNum");
    report_eq(root_at_reset.trgp, 0, "TRGP");
    for (unsigned i = 0; i < ARRAY_LEN(guest_resets); i++)
        report_eq(at_reset[i] & guest_resets[i].mask, guest_resets[i].value, "guest %s",
                  guest_resets[i].name);
    for (unsigned i = 0; i < 3; i++)
        report_eq(root_at_reset.prcfg[i], csr_read_n(CSR_PRCFG1 + i), "guest PRCFG%u is the root's",
                  i + 1);
}

static void check_fields(const char *name, unsigned number, u64 ones, u64 zeros)
{
    csr_write_n(number, ~0ULL);
    report_eq(csr_read_n(number), ones, "%s with all ones written", name);
    csr_write_n(number, 0);
    report_eq(csr_read_n(number), zeros, "%s with all zeros written", name);
}

static void test_fields(void)
{
    u64 gidbits = args_number("gidbits", 8), capabilities = gcfg_capabilities();
    u64 controls =
        BITS(5, 4) | BITS(21, 20) | (capabilities & GCFG_SITP ? GCFG_SIT : 0) |
        (capabilities & GCFG_TITP ? GCFG_TIT : 0) | (capabilities & GCFG_TORUP ? GCFG_TORU : 0) |
        (capabilities & GCFG_TOEP ? GCFG_TOE : 0) | (capabilities & GCFG_TOPP ? GCFG_TOP : 0);
    check_fields("GSTAT", CSR_GSTAT, gidbits << 4 | GSTAT_PGM | (BIT(gidbits) - 1) << 16,
                 gidbits << 4);
    check_fields("GCFG", CSR_GCFG, capabilities | controls, capabilities);
    check_fields("GCNTC", CSR_GCNTC, ~0ULL, 0);
    csr_write(CSR_GTLBC, ~0ULL);
    report_eq(csr_read(CSR_GTLBC), 0x303f | (BIT(gidbits) - 1) << 16,
              "GTLBC with all ones written");
    csr_write(CSR_GTLBC, GTLBC_USETGID);
    csr_write(CSR_GTLBC, 0);
    report_eq(csr_read(CSR_GTLBC), 0, "GTLBC cleared");
    check_fields("TRGP", CSR_TRGP, 0, 0);
    csr_write(CSR_GINTC, 0xffff);
    report_eq(csr_read(CSR_GINTC), 0xffff, "GINTC.HWIS and HWIP");
    csr_write(CSR_GINTC, 0);
    report_eq(csr_read(CSR_GINTC), 0, "GINTC cleared");
    csr_write(CSR_GTLBC, GTLBC_USETGID | GTLBC_TGID(1));
    csr_write(CSR_GTLBC, GTLBC_TGID(2));
    csr_write(CSR_GTLBC, GTLBC_TGID(3));
    report(csr_read(CSR_GTLBC) != GTLBC_TGID(3), "TGID cannot be written without USETGID");
    csr_write(CSR_GTLBC, GTLBC_USETGID);
    report_eq(csr_read(CSR_GTLBC), GTLBC_USETGID, "TGID cleared");
    csr_write(CSR_GTLBC, 0);
}

// The hidden PGM bits of the root.
static void test_hidden_fields(void)
{
    csr_write(CSR_TLBRPRMD, ~0ULL);
    report_eq(csr_read(CSR_TLBRPRMD), 0x1f, "root TLBRPRMD has PGM");
    csr_write(CSR_TLBRPRMD, 0);
    u64 merrctl = csr_write(CSR_MERRCTL, BIT(5));
    report_eq(csr_read(CSR_MERRCTL) & BIT(5), BIT(5), "root MERRCTL has PGM");
    csr_write(CSR_MERRCTL, merrctl);
}

static u64 roots[0x184];

static unsigned root_changes(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(roots); i++)
        if (i != CSR_TVAL && csr_read_n(i) != roots[i]) {
            report_note("root CSR 0x%x is 0x%lx, was 0x%lx", i, csr_read_n(i), roots[i]);
            n++;
        }
    return n;
}

static void note_roots(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(roots); i++)
        roots[i] = csr_read_n(i);
}

static void test_from_root(void)
{
    note_roots();
    for (unsigned i = 0; i < ARRAY_LEN(guest_csrs); i++) {
        const struct guest_csr *r = &guest_csrs[i];
        u64 before = gcsr_write(r->number, ~0ULL), ones = gcsr_read(r->number);
        u64 returned = gcsr_write(r->number, 0);
        u64 zeros = gcsr_read(r->number);
        gcsr_write(r->number, before);
        bool ti_matters = r->number == CSR_ESTAT; // TI is stored as well
        report_eq(ones, r->of_root | r->fixed | (ti_matters ? BIT(LINE_TI) : 0),
                  "guest %s from the root with all ones written", r->name);
        report_eq(zeros, r->fixed, "guest %s with all zeros written", r->name);
        report_eq(returned, ones, "guest %s: a write returns the old value", r->name);
    }
    report_eq(root_changes(), 0, "the root's registers are as before");
}

// The guest writes its registers by its own instructions.
static void test_from_guest(struct vcpu *v)
{
    unsigned n_outcomes = 0, n_values = 0, n_reads = 0;
    for (unsigned i = 0; i < ARRAY_LEN(guest_csrs); i++) {
        const struct guest_csr *r = &guest_csrs[i];
        if (r->is_live)
            continue;
        u64 before = gcsr_write(r->number, 0);
        u32 csrwr = 0x04000020u | (u32)r->number << 10 | 4, csrrd = csrwr & ~BITS(9, 5);
        n_outcomes += lvz_word(v, CRMD_DA, csrwr, ~0ULL, 0) != EXC_NONE;
        u64 found = gcsr_read(r->number);
        if (found != (r->of_guest | r->fixed)) {
            report_note("guest %s is 0x%lx", r->name, found);
            n_values++;
        }
        n_outcomes += lvz_word(v, CRMD_DA, csrrd, 0, 0) != EXC_NONE;
        n_reads += lvz_result(v) != found;
        gcsr_write(r->number, before);
    }
    report_eq(n_outcomes, 0, "the guest reaches its registers without an exit");
    report_eq(n_values, 0, "and writes the bits that software may");
    report_eq(n_reads, 0, "and reads what the root reads");
}

static void test_exchange(void)
{
    struct random r = {11};
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < 1000; i++) {
        u64 old = random_next(&r), value = random_next(&r), mask = random_next(&r);
        gcsr_write(CSR_SAVE0 + 3, old);
        n_wrong += gcsr_exchange(CSR_SAVE0 + 3, value, mask) != old;
        n_wrong += gcsr_read(CSR_SAVE0 + 3) != ((old & ~mask) | (value & mask));
    }
    report_eq(n_wrong, 0, "gcsrxchg writes the masked bits and returns the old value");
}

static void test_pgd(void)
{
    gcsr_write(CSR_PGDL, 0x11000);
    gcsr_write(CSR_PGDH, 0x22000);
    gcsr_write(CSR_BADV, 0x1000);
    report_eq(gcsr_read(CSR_PGD), 0x11000, "guest PGD for a low bad address");
    gcsr_write(CSR_BADV, ~0ULL);
    report_eq(gcsr_read(CSR_PGD), 0x22000, "guest PGD for a high bad address");
    gcsr_write(CSR_TLBRERA, TLBRERA_IS_TLBR);
    gcsr_write(CSR_TLBRBADV, 0);
    report_eq(gcsr_read(CSR_PGD), 0x11000, "guest PGD in the guest's refill");
    gcsr_write(CSR_TLBRERA, 0);
}

// Registers of the root alone, and numbers that nothing uses.
static void test_absent_in_guest(void)
{
    static const u16 numbers[] = {0x15,  0x16,  0x50, 0x51, 0x52,  0x53,  0x80,  0x81,
                                  0x82,  0x90,  0x93, 0x98, 0x100, 0x200, 0x300, 0x380,
                                  0x500, 0x502, 0x9,  0x2f, 0x70,  0x17f, 0x5ff};
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        gcsr_write(numbers[i], ~0ULL);
        n_wrong += gcsr_read(numbers[i]) != 0;
    }
    report_eq(n_wrong, 0, "registers that the guest has not got read 0");
}

#define PRIVILEGED(name, text)                               \
    static u64 do_##name(u64 a, u64 b, u64 c)                \
    {                                                        \
        __asm__ volatile(".word " text : "+r"(a)::"memory"); \
        return a;                                            \
    }
PRIVILEGED(gcsrrd, "0x05000004")
PRIVILEGED(gcsrwr, "0x0500c024")
PRIVILEGED(gcsrxchg, "0x0500c1ac")
PRIVILEGED(gtlbclr, "0x06482001")
PRIVILEGED(gtlbflush, "0x06482401")
PRIVILEGED(gtlbsrch, "0x06482801")
PRIVILEGED(gtlbrd, "0x06482c01")
PRIVILEGED(gtlbwr, "0x06483001")
PRIVILEGED(gtlbfill, "0x06483401")
PRIVILEGED(invtlb_12, "0x06498012")
PRIVILEGED(hvcl, "0x002b8000")

static const struct {
    const char *name;
    trap_function f;
} privileged[] = {
    {"gcsrrd", do_gcsrrd},         {"gcsrwr", do_gcsrwr},       {"gcsrxchg", do_gcsrxchg},
    {"gtlbclr", do_gtlbclr},       {"gtlbflush", do_gtlbflush}, {"gtlbsrch", do_gtlbsrch},
    {"gtlbrd", do_gtlbrd},         {"gtlbwr", do_gtlbwr},       {"gtlbfill", do_gtlbfill},
    {"invtlb 0x12", do_invtlb_12},
};

static void test_levels(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(privileged); i++) {
        struct trap t = trap_call(3, privileged[i].f, 0, 0, 0);
        report_trap(&t, EXC_IPE, "%s at level 3 of the root", privileged[i].name);
        t = trap_call(0, privileged[i].f, 0, 0, 0);
        report_trap(&t, EXC_NONE, "%s at level 0 of the root", privileged[i].name);
    }
    struct trap t = trap_call(0, do_hvcl, 0, 0, 0);
    report_trap(&t, EXC_INE, "hvcl in the root");
}

static u64 invalidate(u64 op, u64 b, u64 c)
{
    lvz_invalidate((unsigned)op, 0, 0);
    return 0;
}

static void test_reserved_invtlb(void)
{
    unsigned n_wrong = 0;
    for (unsigned op = 0; op < 32; op++) {
        bool reserved = op == 7 || op == 8 || op == 0xf || op >= 0x17;
        bool extended = op >= 9 && !reserved;
        struct trap t = trap_call(0, invalidate, op, 0, 0);
        n_wrong += t.code != (reserved || (extended && !has_lvz()) ? EXC_INE : EXC_NONE);
    }
    report_eq(n_wrong, 0, "reserved operations of invtlb do not exist");
}

// Without the extension.
static void test_nothing(void)
{
    static const u16 numbers[] = {CSR_GTLBC, CSR_TRGP, CSR_GSTAT, CSR_GCFG, CSR_GINTC, CSR_GCNTC};
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        csr_write_n(numbers[i], ~0ULL);
        report_eq(csr_read_n(numbers[i]), 0, "CSR 0x%x is not there", numbers[i]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(privileged); i++) {
        struct trap t = trap_call(0, privileged[i].f, 0, 0, 0);
        report_trap(&t, EXC_INE, "%s does not exist", privileged[i].name);
    }
    csr_write(CSR_TLBRPRMD, ~0ULL);
    report_eq(csr_read(CSR_TLBRPRMD), 0x17, "TLBRPRMD has no PGM");
    csr_write(CSR_TLBRPRMD, 0);
    test_reserved_invtlb();
}

int main(void)
{
    static struct vcpu v;
    if (!has_lvz()) {
        test_nothing();
        return 0;
    }
    report_prefix_push("reset");
    test_reset();
    report_prefix_pop();
    test_fields();
    test_hidden_fields();
    lvz_init(&v, 1);
    test_from_root();
    test_from_guest(&v);
    test_exchange();
    test_pgd();
    test_absent_in_guest();
    test_levels();
    test_reserved_invtlb();
    return 0;
}
