// SPDX-License-Identifier: Apache-2.0
// The general registers in the order in which the kernel's signal frames hold them:
// include/uapi/asm/sigcontext.h.
#pragma once

#include "dune/arch/x86_64/regs.h"

enum { CONTEXT_REGISTERS = 18 };

void context_put(u64 to[CONTEXT_REGISTERS], const struct uregs *r);
struct uregs context_take(const u64 from[CONTEXT_REGISTERS]);
