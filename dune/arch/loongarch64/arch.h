// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dune/arch/loongarch64/native.h"
#include "dune/arch/loongarch64/numbers.h"
#include "dune/arch/loongarch64/pte.h"
#include "dune/arch/loongarch64/raw.h"
#include "dune/arch/loongarch64/regs.h"
#include "dune/arch/loongarch64/state.h"

#define ARCH_CALLS       "dune/calls_loongarch64.def"
#define ARCH_ELF_MACHINE 258 // EM_LOONGARCH
#define ARCH_AUDIT       0xc0000102
#define ARCH_PLATFORM    "loongarch64"
#define ARCH_PAGE        0x4000ULL
#define ARCH_HUGE_PAGE   0x2000000ULL
// Where the kernel's half of addresses begins for mappings: the vDSO may be right below it.
#define ARCH_TASK_END (1ULL << 47)
// Of AT_HWCAP, what a guest has too: all but binary translation, whose registers are not kept, and
// the walk of page tables by the processor.
#define ARCH_HWCAP (~0x3c00ULL)
// Handlers of calls that concern the thread itself and that only this architecture has.
#define ARCH_OWN_HANDLERS
// Whether KVM may run a guest on tables of its own that it derives from the guest's.
#define ARCH_MAY_SHADOW 0
