// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/exception.h"

const char *exception_name(unsigned code)
{
    static const char *const names[] = {
        [EXC_INT] = "INT",   [EXC_PIL] = "PIL",   [EXC_PIS] = "PIS",   [EXC_PIF] = "PIF",
        [EXC_PME] = "PME",   [EXC_PNR] = "PNR",   [EXC_PNX] = "PNX",   [EXC_PPI] = "PPI",
        [EXC_ADEF] = "ADEF", [EXC_ALE] = "ALE",   [EXC_BCE] = "BCE",   [EXC_SYS] = "SYS",
        [EXC_BRK] = "BRK",   [EXC_INE] = "INE",   [EXC_IPE] = "IPE",   [EXC_FPD] = "FPD",
        [EXC_SXD] = "SXD",   [EXC_ASXD] = "ASXD", [EXC_FPE] = "FPE",   [EXC_MERR] = "MERR",
        [EXC_TLBR] = "TLBR", [EXC_ADEM] = "ADEM", [EXC_VFPE] = "VFPE", [EXC_GSPR] = "GSPR",
        [EXC_HVC] = "HVC",   [EXC_GCSC] = "GCSC", [EXC_GCHC] = "GCHC",
    };
    if (code == EXC_NONE)
        return "none";
    return code < ARRAY_LEN(names) && names[code] ? names[code] : "?";
}
