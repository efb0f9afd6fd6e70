// SPDX-License-Identifier: Apache-2.0
// Control and status registers, configuration words and I/O configuration space of the executing
// processor. Names as in the Reference Manual, volume 1, section 7.
#pragma once

#include "base/bits.h"

enum {
    CSR_CRMD = 0x0,
    CSR_PRMD = 0x1,
    CSR_EUEN = 0x2,
    CSR_MISC = 0x3,
    CSR_ECFG = 0x4,
    CSR_ESTAT = 0x5,
    CSR_ERA = 0x6,
    CSR_BADV = 0x7,
    CSR_BADI = 0x8,
    CSR_EENTRY = 0xc,
    CSR_TLBIDX = 0x10,
    CSR_TLBEHI = 0x11,
    CSR_TLBELO0 = 0x12,
    CSR_TLBELO1 = 0x13,
    CSR_ASID = 0x18,
    CSR_PGDL = 0x19,
    CSR_PGDH = 0x1a,
    CSR_PGD = 0x1b,
    CSR_PWCL = 0x1c,
    CSR_PWCH = 0x1d,
    CSR_STLBPS = 0x1e,
    CSR_RVACFG = 0x1f,
    CSR_CPUID = 0x20,
    CSR_PRCFG1 = 0x21,
    CSR_PRCFG2 = 0x22,
    CSR_PRCFG3 = 0x23,
    CSR_SAVE0 = 0x30,
    CSR_TID = 0x40,
    CSR_TCFG = 0x41,
    CSR_TVAL = 0x42,
    CSR_CNTC = 0x43,
    CSR_TICLR = 0x44,
    CSR_LLBCTL = 0x60,
    CSR_IMPCTL1 = 0x80,
    CSR_IMPCTL2 = 0x81,
    CSR_GNMI = 0x82,
    CSR_TLBRENTRY = 0x88,
    CSR_TLBRBADV = 0x89,
    CSR_TLBRERA = 0x8a,
    CSR_TLBRSAVE = 0x8b,
    CSR_TLBRELO0 = 0x8c,
    CSR_TLBRELO1 = 0x8d,
    CSR_TLBREHI = 0x8e,
    CSR_TLBRPRMD = 0x8f,
    CSR_MERRCTL = 0x90,
    CSR_MERRINFO1 = 0x91,
    CSR_MERRINFO2 = 0x92,
    CSR_MERRENTRY = 0x93,
    CSR_MERRERA = 0x94,
    CSR_MERRSAVE = 0x95,
    CSR_CTAG = 0x98,
    CSR_DMW0 = 0x180,
    CSR_DMW1 = 0x181,
    CSR_DMW2 = 0x182,
    CSR_DMW3 = 0x183,
    CSR_MWPC = 0x300,
    CSR_MWPS = 0x301,
    CSR_MWP0CFG1 = 0x310,
    CSR_FWPC = 0x380,
    CSR_FWPS = 0x381,
    CSR_FWP0CFG1 = 0x390,
    CSR_DBG = 0x500,
    CSR_DERA = 0x501,
    CSR_DSAVE = 0x502,
};

enum {
    CRMD_PLV = 3,
    CRMD_IE = 1 << 2,
    CRMD_DA = 1 << 3,
    CRMD_PG = 1 << 4,
    CRMD_WE = 1 << 9,
};
enum { EUEN_FPE = 1, EUEN_SXE = 2, EUEN_ASXE = 4 };
enum { TCFG_EN = 1, TCFG_PERIODIC = 2 };
enum { LLBCTL_ROLLB = 1, LLBCTL_WCLLB = 2, LLBCTL_KLO = 4 };
enum { TLBRERA_IS_TLBR = 1, MERRCTL_IS_MERR = 1 };

// Bits of ESTAT.IS and ECFG.LIE.
enum { LINE_SWI0 = 0, LINE_SWI1 = 1, LINE_HWI0 = 2, LINE_TI = 11, LINE_IPI = 12 };

// With a number known at compile time. Reads and writes are not reordered with memory accesses.
#define csr_read(number)                                      \
    ({                                                        \
        __asm__ volatile("" ::: "memory");                    \
        u64 csr_value_ = __builtin_loongarch_csrrd_d(number); \
        csr_value_;                                           \
    })
// Returns the old value.
#define csr_write(number, value)                                            \
    ({                                                                      \
        __asm__ volatile("" ::: "memory");                                  \
        u64 csr_old_ = __builtin_loongarch_csrwr_d((u64)(value), (number)); \
        __asm__ volatile("" ::: "memory");                                  \
        csr_old_;                                                           \
    })
// Writes the bits of `mask`; returns the old value of all.
#define csr_exchange(number, value, mask)                                                  \
    ({                                                                                     \
        __asm__ volatile("" ::: "memory");                                                 \
        u64 csr_old_ = __builtin_loongarch_csrxchg_d((u64)(value), (u64)(mask), (number)); \
        __asm__ volatile("" ::: "memory");                                                 \
        csr_old_;                                                                          \
    })
#define csr_set(number, bits)   csr_exchange((number), ~0ULL, (bits))
#define csr_clear(number, bits) csr_exchange((number), 0, (bits))

// With a number known at run time, below CSR_TABLE_N: csr_table.S.
#define CSR_TABLE_N 0x600
u64 csr_read_n(unsigned number);
u64 csr_write_n(unsigned number, u64 value);
u64 csr_exchange_n(unsigned number, u64 value, u64 mask);
// The instruction `csrrd $a0, number` with a return behind it, to be called at another level.
const void *csr_read_code(unsigned number);

static inline u64 cpucfg(u32 word)
{
    u64 value;
    __asm__ volatile("cpucfg %0, %1" : "=r"(value) : "r"((u64)word));
    return value;
}

// The stable counter with this processor's offset.
static inline u64 rdtime(void)
{
    u64 value;
    __asm__ volatile("rdtime.d %0, $zero" : "=r"(value)::"memory");
    return value;
}

#define IOCSR_ACCESS(letter, type)                                                                 \
    static inline u64 iocsr_read_##letter(u32 address)                                             \
    {                                                                                              \
        u64 value;                                                                                 \
        __asm__ volatile("iocsrrd." #letter " %0, %1"                                              \
                         : "=r"(value)                                                             \
                         : "r"((u64)address)                                                       \
                         : "memory");                                                              \
        return value;                                                                              \
    }                                                                                              \
    static inline void iocsr_write_##letter(u32 address, u64 value)                                \
    {                                                                                              \
        __asm__ volatile("iocsrwr." #letter " %0, %1" ::"r"(value), "r"((u64)address) : "memory"); \
    }
IOCSR_ACCESS(b, s8)
IOCSR_ACCESS(h, s16)
IOCSR_ACCESS(w, s32)
IOCSR_ACCESS(d, s64)
#undef IOCSR_ACCESS
