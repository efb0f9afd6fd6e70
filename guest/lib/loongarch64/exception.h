// SPDX-License-Identifier: Apache-2.0
// Exceptions: Ecode | EsubCode << 6, section 6.2 of the Reference Manual.
#pragma once

#include "base/types.h"

enum exception {
    EXC_INT = 0,
    EXC_PIL = 1,
    EXC_PIS = 2,
    EXC_PIF = 3,
    EXC_PME = 4,
    EXC_PNR = 5,
    EXC_PNX = 6,
    EXC_PPI = 7,
    EXC_ADEF = 8,
    EXC_ADEM = 8 | 1 << 6,
    EXC_ALE = 9,
    EXC_BCE = 0xa,
    EXC_SYS = 0xb,
    EXC_BRK = 0xc,
    EXC_INE = 0xd,
    EXC_IPE = 0xe,
    EXC_FPD = 0xf,
    EXC_SXD = 0x10,
    EXC_ASXD = 0x11,
    EXC_FPE = 0x12,
    EXC_VFPE = 0x12 | 1 << 6,
    // Exits of guests.
    EXC_GSPR = 0x16,
    EXC_HVC = 0x17,
    EXC_GCSC = 0x18,
    EXC_GCHC = 0x18 | 1 << 6,
    // Not in ESTAT: they have entries of their own.
    EXC_MERR = 0x3e,
    EXC_TLBR = 0x3f,
    EXC_NONE = 0x1000,
};

const char *exception_name(unsigned code);
