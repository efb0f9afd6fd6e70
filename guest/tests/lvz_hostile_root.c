// SPDX-License-Identifier: Apache-2.0
// What a guest must not change: the root's control registers, memory and TLB entries; and the state
// that an exit has to leave.
#include "guest/tests/lvz_hostile.h"

#define ROOT_VA    0x7000000000ULL // mapped by the root's entries to the canaries
#define N_MTLB     8
#define N_STLB     8
#define N_ENTRIES  (N_MTLB + N_STLB)
#define ENTRY_STEP BIT(26)
#define STLB_PS    14
#define CSR_UCAWIN 0x100
#define CSR_PMCFG0 0x200

extern const char text_begin[], text_end[]; // payload.lds

// Changed by exits themselves, or by the library between them, are CRMD, PRMD, ESTAT, ERA, BADV,
// BADI, TLBEHI, TLBRBADV, TLBRERA, TLBREHI, TLBRPRMD, TLBRSAVE, TVAL, GSTAT and SAVE2 to SAVE4.
static const u16 watched[] = {
    CSR_EUEN,      CSR_MISC,       CSR_ECFG,      CSR_TLBIDX,    CSR_TLBELO0,    CSR_TLBELO1,
    CSR_GTLBC,     CSR_TRGP,       CSR_ASID,      CSR_PGDL,      CSR_PGDH,       CSR_PWCL,
    CSR_PWCH,      CSR_STLBPS,     CSR_RVACFG,    CSR_CPUID,     CSR_PRCFG1,     CSR_PRCFG2,
    CSR_PRCFG3,    CSR_SAVE0,      CSR_SAVE0 + 1, CSR_SAVE0 + 5, CSR_SAVE0 + 6,  CSR_SAVE0 + 7,
    CSR_SAVE0 + 8, CSR_SAVE0 + 15, CSR_TID,       CSR_TCFG,      CSR_CNTC,       CSR_GCFG,
    CSR_GINTC,     CSR_GCNTC,      CSR_LLBCTL,    CSR_IMPCTL1,   CSR_TLBRELO0,   CSR_TLBRELO1,
    CSR_MERRCTL,   CSR_MERRINFO1,  CSR_MERRINFO2, CSR_MERRENTRY, CSR_MERRERA,    CSR_MERRSAVE,
    CSR_CTAG,      CSR_DMW0,       CSR_DMW1,      CSR_DMW2,      CSR_DMW3,       CSR_DBG,
    CSR_DERA,      CSR_DSAVE,      CSR_UCAWIN,    CSR_PMCFG0,    CSR_PMCFG0 + 1,
};
// Those of them that nothing acts on hold numbers that nobody guesses.
static const u16 plain[] = {
    CSR_PGDL,      CSR_PGDH,      CSR_PWCL,      CSR_SAVE0,      CSR_SAVE0 + 1, CSR_SAVE0 + 5,
    CSR_SAVE0 + 6, CSR_SAVE0 + 7, CSR_SAVE0 + 8, CSR_SAVE0 + 15, CSR_TID,       CSR_IMPCTL1,
    CSR_TLBRELO0,  CSR_TLBRELO1,  CSR_MERRINFO1, CSR_MERRINFO2,  CSR_MERRERA,   CSR_MERRSAVE,
    CSR_CTAG,      CSR_DERA,      CSR_DSAVE,     CSR_PMCFG0 + 1,
};
static const u64 canaries[N_CANARIES] = {CANARY_BEFORE, CANARY_AFTER, CANARY_HIGH};

static u64 expected[ARRAY_LEN(watched)], badv;
static struct tlb_entry entries[N_ENTRIES];
static u64 text_sum;
// Where checks look is not the guest's choice.
static struct random where = {0x2545f4914f6cdd1d};

static u64 canary(u64 address)
{
    return address * 0x9e3779b97f4a7c15 ^ 0x0123456789abcdef;
}

static u64 sum_text(void)
{
    u64 sum = 0;
    for (const u64 *p = (const u64 *)(const void *)text_begin; (const char *)p < text_end; p++)
        sum = (sum << 5 | sum >> 59) ^ *p;
    return sum;
}

static unsigned entry_index(unsigned n)
{
    return n < N_MTLB ? TLB_STLB_ENTRIES + n
                      : (n - N_MTLB) * TLB_STLB_SETS + lvz_stlb_set(entries[n].va, STLB_PS);
}

// Entry n maps two pages of a canary, some for all address spaces.
static void make_entry(unsigned n)
{
    u64 pa = canaries[n % N_CANARIES], flags = PAGE_ALL | (n & 1 ? PAGE_G : 0);
    entries[n] = (struct tlb_entry){
        .va = ROOT_VA + n * ENTRY_STEP,
        .ps = n < N_MTLB ? 12 : STLB_PS,
        .asid = n & 2 ? 0x155 : 0,
        .elo = {pa | flags, (pa + 0x8000) | flags},
    };
    tlb_write(entry_index(n), &entries[n]);
}

void root_note(unsigned csr)
{
    for (unsigned i = 0; i < ARRAY_LEN(watched); i++)
        if (watched[i] == csr)
            expected[i] = csr_read_n(csr);
}

void root_note_tlb_registers(void)
{
    static const u16 changed[] = {CSR_TLBIDX,   CSR_TLBELO0,  CSR_TLBELO1, CSR_TRGP,
                                  CSR_TLBRELO0, CSR_TLBRELO1, CSR_ASID};
    for (unsigned i = 0; i < ARRAY_LEN(changed); i++)
        root_note(changed[i]);
}

void root_set_badv(u64 value)
{
    badv = value;
}

u64 root_badv(void)
{
    return badv;
}

void root_init(void)
{
    text_sum = sum_text();
    for (unsigned n = 0; n < N_CANARIES; n++)
        for (u64 a = canaries[n]; a < canaries[n] + CANARY_SIZE; a += 8)
            *(u64 *)memory_at(a) = canary(a);
    tlb_set_asid(0x155);
    for (unsigned n = 0; n < N_ENTRIES; n++)
        make_entry(n);
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
        csr_write_n(plain[i], canary(plain[i]));
    for (unsigned i = 0; i < ARRAY_LEN(watched); i++)
        expected[i] = csr_read_n(watched[i]);
    badv = csr_read(CSR_BADV);
}

static void check_csrs(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(watched); i++) {
        u64 found = csr_read_n(watched[i]);
        if (found == expected[i])
            continue;
        note_wrong(WRONG_CSR, "root CSR", watched[i], found, expected[i]);
        expected[i] = found;
    }
}

static void check_word(u64 address)
{
    u64 found = *(volatile u64 *)memory_at(address);
    if (found == canary(address))
        return;
    note_wrong(WRONG_MEMORY, "root memory", address, found, canary(address));
    *(u64 *)memory_at(address) = canary(address);
}

static void check_entry(unsigned n)
{
    struct tlb_entry e;
    bool exists = tlb_read(entry_index(n), &e);
    if (!exists || e.va != entries[n].va || e.ps != entries[n].ps || e.asid != entries[n].asid ||
        e.elo[0] != entries[n].elo[0] || e.elo[1] != entries[n].elo[1]) {
        note_wrong(WRONG_TLB, "root TLB entry", n, e.va, entries[n].va);
        make_entry(n);
    }
    root_note_tlb_registers();
}

// By the entries of this address space and the global ones: what is cached of them counts, too.
static void check_mapped(unsigned n)
{
    u64 offset = where.state & 0xff8;
    u64 va = entries[n].va + (where.state >> 63 ? BIT(entries[n].ps) + offset : offset);
    u64 pa = (entries[n].elo[where.state >> 63] & BITS(47, 12)) + offset;
    u64 found = *(volatile u64 *)va;
    if (found != canary(pa))
        note_wrong(WRONG_MEMORY, "root memory, mapped", va, found, canary(pa));
}

static void check_mode(bool is_refill)
{
    u64 mode = CRMD_DA | CRMD_PG | CRMD_PLV | CRMD_IE | CRMD_WE;
    u64 wanted = is_refill ? CRMD_DA : CRMD_PG;
    if ((v.crmd & mode) != wanted)
        note_wrong(WRONG_EXIT, "CRMD", 0, v.crmd, wanted);
    if (v.prmd != v.entry_prmd)
        note_wrong(WRONG_EXIT, "PRMD", 0, v.prmd, v.entry_prmd);
    if ((v.gstat & (1 | GSTAT_PGM | GSTAT_GID(0xff))) != (GSTAT_PGM | GSTAT_GID(v.gid)))
        note_wrong(WRONG_EXIT, "GSTAT", 0, v.gstat, GSTAT_PGM | GSTAT_GID(v.gid));
    if (is_refill && v.tlbrprmd != (TLBRPRMD_PGM | v.entry_prmd))
        note_wrong(WRONG_EXIT, "TLBRPRMD", 0, v.tlbrprmd, TLBRPRMD_PGM | v.entry_prmd);
}

static bool is_exit(unsigned code)
{
    return code <= EXC_PPI || (code >= EXC_FPD && code <= EXC_ASXD) || code == EXC_GSPR ||
           code == EXC_HVC || code == EXC_GCSC || code == EXC_GCHC || code == EXC_TLBR;
}

// Of a second-stage exception, the guest-physical address; of others what was there before.
static void check_address(unsigned code)
{
    bool has_address = code >= EXC_PIL && code <= EXC_PPI;
    u64 found = code == EXC_TLBR ? v.tlbrbadv : v.badv;
    if (has_address || code == EXC_TLBR) {
        if (found >> 48)
            note_wrong(WRONG_EXIT, "bad address", code, found, found & BITS(47, 0));
    } else if (found != badv) {
        note_wrong(WRONG_EXIT, "BADV", code, found, badv);
    }
    badv = v.badv;
}

void root_check_exit(unsigned code, u64 pc)
{
    if (!is_exit(code))
        note_wrong(WRONG_EXIT, "exception in the root", code, pc, 0);
    if (code == EXC_HVC && (v.badi & ~0x7fffULL) != HVCL_WORD(0))
        note_wrong(WRONG_EXIT, "BADI of hvcl", code, v.badi, HVCL_WORD(0));
    check_mode(code == EXC_TLBR);
    check_address(code);
    check_csrs();
    u64 r = random_next(&where);
    check_word(canaries[r % N_CANARIES] + (r >> 8 & (CANARY_SIZE - 8)));
    check_word(canaries[(r >> 4) % N_CANARIES] + (r >> 32 & (CANARY_SIZE - 8)));
    if (code == EXC_TLBR) // its registers are the refill's
        return;
    check_entry((unsigned)(r >> 48) % N_ENTRIES);
    check_mapped((unsigned)(r >> 56) % N_ENTRIES | 2);
}

void root_check_all(void)
{
    for (unsigned n = 0; n < N_CANARIES; n++)
        for (u64 a = canaries[n]; a < canaries[n] + CANARY_SIZE; a += 8)
            check_word(a);
    for (unsigned n = 0; n < N_ENTRIES; n++)
        check_entry(n);
}

void root_check_text(void)
{
    u64 sum = sum_text();
    if (sum != text_sum)
        note_wrong(WRONG_MEMORY, "the payload's own code", 0, sum, text_sum);
}
