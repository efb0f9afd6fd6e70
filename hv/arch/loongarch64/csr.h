// SPDX-License-Identifier: Apache-2.0
// Control and status registers of the root and of the guest, and I/O configuration space. Names as
// in the Reference Manual; numbers are those of both contexts.
#pragma once

#include "base/bits.h"

#define CSR_CRMD      0x0
#define CSR_PRMD      0x1
#define CSR_EUEN      0x2
#define CSR_MISC      0x3
#define CSR_ECFG      0x4
#define CSR_ESTAT     0x5
#define CSR_ERA       0x6
#define CSR_BADV      0x7
#define CSR_BADI      0x8
#define CSR_EENTRY    0xc
#define CSR_GTLBC     0x15
#define CSR_ASID      0x18
#define CSR_PGDL      0x19
#define CSR_PGDH      0x1a
#define CSR_PWCL      0x1c
#define CSR_PWCH      0x1d
#define CSR_STLBPS    0x1e
#define CSR_RVACFG    0x1f
#define CSR_CPUID     0x20
#define CSR_PRCFG1    0x21
#define CSR_PRCFG2    0x22
#define CSR_PRCFG3    0x23
#define CSR_SAVE0     0x30 // the processor's struct cpu
#define CSR_SAVE1     0x31 // scratch of the entry code
#define CSR_TCFG      0x41
#define CSR_TVAL      0x42
#define CSR_TICLR     0x44
#define CSR_GSTAT     0x50
#define CSR_GCFG      0x51
#define CSR_GINTC     0x52
#define CSR_GCNTC     0x53
#define CSR_LLBCTL    0x60
#define CSR_TLBRENTRY 0x88
#define CSR_MERRENTRY 0x93
#define CSR_DMW0      0x180
#define CSR_DMW1      0x181
#define CSR_DMW2      0x182
#define CSR_DMW3      0x183

#define CRMD_PLV  3ULL
#define CRMD_IE   BIT(2)
#define CRMD_DA   BIT(3)
#define CRMD_PG   BIT(4)
#define PRMD_PIE  BIT(2)
#define TCFG_EN   1ULL
#define TICLR_CLR 1ULL

#define GSTAT_PVM        BIT(1)
#define GSTAT_GIDBITS(v) bits_get(v, 9, 4)
#define GSTAT_GID(id)    ((u64)(id) << 16)
#define GTLBC_USETGID    BIT(12)
#define GTLBC_TGID(id)   ((u64)(id) << 16)
#define GCFG_MATP_ROOT   BIT(1)
#define GCFG_MATC_ROOT   (1ULL << 4)
#define GCFG_GCIP_SECURE BIT(18)
#define GCFG_GCI_SECURE  (2ULL << 20)
#define GINTC_PIP_ALL    0xff00ULL
#define LLBCTL_WCLLB     BIT(1)

// Bits of ESTAT.IS and ECFG.LIE.
#define LINE_HWI_ALL BITS(9, 2)
#define LINE_TI      BIT(11)
#define LINE_IPI     BIT(12)
#define LINE_ALL     BITS(12, 0)

enum {
    ECODE_PIL = 1,
    ECODE_PIS = 2,
    ECODE_PIF = 3,
    ECODE_PME = 4,
    ECODE_ADE = 8,
    ECODE_INE = 13,
    ECODE_GSPR = 22,
    ECODE_HVC = 23,
};

// The number has to be a constant where it is called.
#define CSR_ACCESS(name, letter)                                                        \
    static inline __attribute__((always_inline)) u64 name##_read(const unsigned number) \
    {                                                                                   \
        u64 value;                                                                      \
        __asm__ volatile(#letter "rd %0, %1" : "=r"(value) : "i"(number) : "memory");   \
        return value;                                                                   \
    }                                                                                   \
    static inline __attribute__((always_inline))                                        \
    u64 name##_write(const unsigned number, u64 value)                                  \
    {                                                                                   \
        __asm__ volatile(#letter "wr %0, %1" : "+r"(value) : "i"(number) : "memory");   \
        return value;                                                                   \
    }                                                                                   \
    /* Writes the bits of `bits`. All but the reads return the old value. */            \
    static inline __attribute__((always_inline))                                        \
    u64 name##_change(const unsigned number, u64 value, u64 bits)                       \
    {                                                                                   \
        __asm__ volatile(#letter "xchg %0, %1, %2"                                      \
                         : "+r"(value)                                                  \
                         : "r"(bits), "i"(number)                                       \
                         : "memory");                                                   \
        return value;                                                                   \
    }
CSR_ACCESS(csr, csr)
CSR_ACCESS(gcsr, gcsr)
#undef CSR_ACCESS

#define invtlb(op, info, address)                                                         \
    __asm__ volatile("invtlb %0, %1, %2" ::"i"(op), "r"((u64)(info)), "r"((u64)(address)) \
                     : "memory")
#define INVTLB_ALL   0x0
#define INVTLB_GUEST 0x15 // both stages of a GID

static inline u64 cpucfg_word(u64 word)
{
    u64 value;
    __asm__ volatile("cpucfg %0, %1" : "=r"(value) : "r"(word));
    return value;
}

static inline u64 iocsr_read32(u64 address)
{
    u64 value;
    __asm__ volatile("iocsrrd.w %0, %1" : "=r"(value) : "r"(address) : "memory");
    return value & 0xffffffff;
}

static inline u64 iocsr_read64(u64 address)
{
    u64 value;
    __asm__ volatile("iocsrrd.d %0, %1" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void iocsr_write32(u64 address, u64 value)
{
    __asm__ volatile("iocsrwr.w %0, %1" ::"r"(value), "r"(address) : "memory");
}

static inline void iocsr_write64(u64 address, u64 value)
{
    __asm__ volatile("iocsrwr.d %0, %1" ::"r"(value), "r"(address) : "memory");
}

static inline u64 rdtime(void)
{
    u64 value;
    __asm__ volatile("rdtime.d %0, $zero" : "=r"(value)::"memory");
    return value;
}
