// SPDX-License-Identifier: Apache-2.0
// Random instructions, mostly such that a guest has no right to, and the values they find in
// registers.
#include "guest/tests/lvz_hostile.h"

#define N_POOL       4096
#define N_PRIVILEGED 16 // of the forms

// The bits of `random` are random: registers, offsets, codes.
struct form {
    u32 word, random;
};

static const struct form forms[] = {
    {0x06482000, 0x00001c01}, // tlbclr to tlbfill, gtlb*
    {0x06483800, 0},          // ertn
    {0x06488000, 0x00007fff}, // idle
    {0x06498000, 0x00007fff}, // invtlb
    {0x06498000, 0x00007c06}, // of those for everybody
    {0x06000000, 0x003fffff}, // cacop
    {0x06400000, 0x0003ffff}, // lddir
    {0x06440000, 0x0003ffe0}, // ldpte
    {0x06480000, 0x00001fff}, // iocsr*
    {0x002b8000, 0x00007fff}, // hvcl
    {0x002b0000, 0x00007fff}, // syscall
    {0x002a0000, 0x00007fff}, // break
    {0x002a8000, 0x00007fff}, // dbcl
    {0x00006c00, 0x000003ff}, // cpucfg
    {0x00006000, 0x00000bff}, // rdtime*
    {0x38720000, 0x0000ffff}, // dbar, ibar
    {0x20000000, 0x07ffffff}, // ll, sc, ldptr, stptr
    {0x28000000, 0x01ffffff}, // ld.b to ld.d
    {0x29000000, 0x00ffffff}, // st.b to st.d
    {0x2a000000, 0x00ffffff}, // unsigned loads, preld
    {0x2b000000, 0x00ffffff}, // floating-point loads and stores
    {0x2c000000, 0x00ffffff}, // vector loads and stores
    {0x38000000, 0x007fffff}, // indexed, atomics, acquire and release
    {0x40000000, 0x0c003fff}, // conditional branches, near
    {0x50000000, 0x08003c00}, // b, bl, near
    {0x4c000000, 0x0000ffff}, // jirl
    {0x00100000, 0x0000ffff}, // add
    {0x00110000, 0x0000ffff}, // sub
    {0x00140000, 0x0001ffff}, // nor, and, or, xor
    {0x00170000, 0x0001ffff}, // shifts
    {0x001c0000, 0x0001ffff}, // multiplications
    {0x02000000, 0x01ffffff}, // with immediates
    {0x02800000, 0x007fffff}, // addi.w, addi.d
    {0x03000000, 0x00ffffff}, // lu52i.d, andi, ori, xori
    {0x14000000, 0x0dffffff}, // lu12i.w, lu32i.d, pcadd*
    {0x01010000, 0x00047fff}, // floating point
    {0x700a0000, 0x0001ffff}, // vectors
};

static const u16 known_csrs[] = {
    CSR_CRMD,     CSR_CRMD,    CSR_PRMD,     CSR_EUEN,      CSR_MISC,     CSR_ECFG,    CSR_ESTAT,
    CSR_ERA,      CSR_BADV,    CSR_EENTRY,   CSR_TLBIDX,    CSR_TLBEHI,   CSR_TLBELO0, CSR_TLBELO1,
    CSR_GTLBC,    CSR_TRGP,    CSR_ASID,     CSR_PGDL,      CSR_PGDH,     CSR_PGD,     CSR_PWCL,
    CSR_PWCH,     CSR_STLBPS,  CSR_RVACFG,   CSR_CPUID,     CSR_SAVE0,    CSR_TID,     CSR_TCFG,
    CSR_TVAL,     CSR_CNTC,    CSR_TICLR,    CSR_GSTAT,     CSR_GCFG,     CSR_GINTC,   CSR_GCNTC,
    CSR_LLBCTL,   CSR_IMPCTL1, CSR_IMPCTL2,  CSR_TLBRENTRY, CSR_TLBRBADV, CSR_TLBRERA, CSR_TLBRERA,
    CSR_TLBRELO0, CSR_TLBREHI, CSR_TLBRPRMD, CSR_MERRCTL,   CSR_MERRERA,  CSR_CTAG,    CSR_DMW0,
    CSR_DMW1,     CSR_DMW3,    CSR_DBG,      CSR_DERA,      CSR_DSAVE,    0x200,       0x201,
};

static u32 pool[N_POOL];

// csrrd, csrwr, csrxchg and the forms for the guest's registers, which are the root's to use.
static u32 csr_word(u64 r)
{
    u32 number = r >> 40 & 7 ? known_csrs[(r >> 16) % ARRAY_LEN(known_csrs)] : r >> 16 & 0x3fff;
    u32 top = (r >> 50 & 7) == 0 ? 0x05000000 : 0x04000000;
    return top | number << 10 | (u32)(r >> 54 & 0x3ff);
}

static u32 form_word(const struct form *f, u64 r)
{
    return f->word | ((u32)(r >> 32) & f->random);
}

u32 code_random_word(bool is_busy)
{
    u64 r = random_next(&rng);
    unsigned kind = r & 15, form = r >> 8 & 0xffff;
    if (is_busy && kind > 1)
        return form_word(&forms[N_PRIVILEGED + form % (ARRAY_LEN(forms) - N_PRIVILEGED)], r);
    if (kind == 0 || (kind == 1 && !is_busy))
        return (u32)(r >> 32);
    return kind < 6 ? csr_word(r) : form_word(&forms[form % ARRAY_LEN(forms)], r);
}

void code_init(void)
{
    for (unsigned i = 0; i < N_POOL; i++)
        pool[i] = code_random_word(i & 64);
}

u64 code_random_gpa(void)
{
    u64 r = random_next(&rng);
    u64 gpa = (r >> 16) & BITS(25, 2);
    switch (r & 15) {
    case 0: return CANARY_BEFORE + (gpa & (CANARY_SIZE - 1));
    case 1: return CANARY_HIGH + (gpa & (CANARY_SIZE - 1));
    case 2: return physical_of(&v) + (gpa & 0x1ff);
    case 3: return 0x200000 + (gpa & 0x3ffff); // the payload
    case 4: return BOARD_CHIP + (gpa & 0xfff);
    case 5: return gpa << 22;
    default: return gpa;
    }
}

u64 code_random_value(void)
{
    u64 r = random_next(&rng);
    switch (r >> 60) {
    case 0: return r & BITS(63, 0);
    case 1: return r & 63;
    case 2: return ~(r & 0xfff);
    case 3: return WINDOW_MEMORY | code_random_gpa();
    case 4: return WINDOW_DEVICE | BOARD_UART | (r & 7);
    case 5: return GSTAT_GID(r >> 8 & 3) | (r & 0x3ff);
    case 6: return BIT(r & 63);
    case 7: return CRMD_DA | (r & 7);
    case 8: return (code_random_gpa() & ~0xfffULL) | (r & 0x1ff); // half a TLB entry
    case 9: return (u64)(12 + (r & 15)) << 24 | (r >> 8 & 0xfff); // TLBIDX
    default: return code_random_gpa();
    }
}

// Half of it instructions, each time others first; then addresses; then what the guest left.
void code_fill_arena(void)
{
    u64 *to = memory_at(ARENA);
    const u64 *from = (const u64 *)(const void *)pool;
    unsigned n = ARENA_SIZE / 8, first = (unsigned)random_below(&rng, N_POOL / 2);
    for (unsigned i = 0; i < n / 2; i++)
        to[i] = from[(first + i) % (N_POOL / 2)];
    for (unsigned i = n / 2; i < n; i++)
        to[i] = 0x0000100000000000 * (i & 7) + i * 0x1003;
    for (unsigned i = 0; i < 64; i++)
        to[n / 2 + random_below(&rng, n / 2)] = code_random_value();
}

bool code_ends_sequence(u32 word)
{
    return (word >> 26 >= 0x10 && word >> 26 <= 0x1b) || word == 0x06483800 || word >> 24 == 4;
}

// Those of the root alone that no version of the extension gives to guests.
static bool is_root_csr(unsigned n)
{
    return n == CSR_GTLBC || n == CSR_TRGP || (n >= CSR_GSTAT && n <= CSR_GCNTC) ||
           n == CSR_IMPCTL1 || n == CSR_IMPCTL2 || (n >= CSR_MERRCTL && n <= CSR_CTAG) ||
           (n >= CSR_DBG && n <= CSR_DSAVE);
}

bool code_must_exit(u32 word)
{
    static const struct form exits[] = {
        {0x00006c00, 0x000003ff}, // cpucfg
        {0x06480000, 0x00001fff}, // iocsr*
        {0x06488000, 0x00007fff}, // idle
        {0x002b8000, 0x00007fff}, // hvcl
        {0x002a8000, 0x00007fff}, // dbcl
        {0x05000000, 0x00ffffff}, // gcsr*
    };
    for (unsigned i = 0; i < ARRAY_LEN(exits); i++)
        if ((word & ~exits[i].random) == exits[i].word)
            return true;
    bool is_gtlb = (word & ~0x1c00u) == 0x06482001 && word <= WORD_GTLBFILL;
    bool is_wide_invtlb = word >> 15 == 0x06498000 >> 15 && (word & 31) > 6;
    return is_gtlb || (is_wide_invtlb && lvz_invalidation_exists(word & 31)) ||
           (word >> 24 == 4 && is_root_csr(word >> 10 & 0x3fff));
}
