// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/page_fault.h"
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/tlb.h"

unsigned page_fault_expected(u64 elo, enum page_access access, unsigned plv, u64 misc)
{
    static const u16 invalid[] = {EXC_PIL, EXC_PIS, EXC_PIF};
    unsigned page_plv = elo >> 2 & 3;
    bool checks_dirty = plv == 3 || !(misc >> (16 + plv) & 1); // MISC.DWPL
    if (!(elo & PAGE_V))
        return invalid[access];
    if (access == PAGE_FETCH && elo & PAGE_NX)
        return EXC_PNX;
    if (elo & PAGE_RPLV ? plv != page_plv : plv > page_plv)
        return EXC_PPI;
    if (access == PAGE_LOAD && elo & PAGE_NR)
        return EXC_PNR;
    if (access == PAGE_STORE && !(elo & PAGE_D) && checks_dirty)
        return EXC_PME;
    return EXC_NONE;
}

struct trap page_access_do(enum page_access access, unsigned plv, u64 va, u64 value)
{
    switch (access) {
    case PAGE_LOAD: return trap_call(plv, access_load64, va, 0, 0);
    case PAGE_STORE: return trap_call(plv, access_store64, va, value, 0);
    default: return trap_call_at(plv, va, value, 0, 0);
    }
}
