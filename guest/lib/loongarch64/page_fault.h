// SPDX-License-Identifier: Apache-2.0
// What an access to a page must raise: section 5.4.3 of the Reference Manual in plain C, for tests
// to compare with.
#pragma once

#include "base/types.h"
#include "guest/lib/loongarch64/trap.h"

enum page_access { PAGE_LOAD, PAGE_STORE, PAGE_FETCH };

// EXC_NONE or the exception, given the half of the entry (TLBELO) and the registers that matter.
unsigned page_fault_expected(u64 elo, enum page_access access, unsigned plv, u64 misc);

// The access itself: 8 bytes, or a call that returns its argument (the page then holds INSN_RET).
struct trap page_access_do(enum page_access access, unsigned plv, u64 va, u64 value);
