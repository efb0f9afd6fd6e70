// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dune/arch/x86_64/native.h"
#include "dune/arch/x86_64/numbers.h"
#include "dune/arch/x86_64/pte.h"
#include "dune/arch/x86_64/raw.h"
#include "dune/arch/x86_64/regs.h"
#include "dune/arch/x86_64/state.h"

#define ARCH_CALLS       "dune/calls_x86_64.def"
#define ARCH_ELF_MACHINE 62 // EM_X86_64
#define ARCH_AUDIT       0xc000003e
#define ARCH_PLATFORM    "x86_64"
#define ARCH_PAGE        4096ULL
#define ARCH_HUGE_PAGE   0x200000ULL
// Where the kernel's half of addresses begins for mappings: it keeps a page free below its own.
#define ARCH_TASK_END ((1ULL << 47) - ARCH_PAGE)
// Of AT_HWCAP, what a guest has too.
#define ARCH_HWCAP (~0ULL)
// Handlers of calls that concern the thread itself and that only this architecture has.
#define ARCH_OWN_HANDLERS call_arch_prctl, call_fork, call_vfork,
// Whether KVM may run a guest on tables of its own that it derives from the guest's.
#define ARCH_MAY_SHADOW 1
