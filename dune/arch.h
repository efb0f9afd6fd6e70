// SPDX-License-Identifier: Apache-2.0
// The architecture that this is built for. Each has a directory with these headers:
//
//   raw.h      raw_six, a system call
//   numbers.h  names of system calls and flags that Linux has elsewhere only
//   regs.h     struct uregs, a program's registers, and what calls take from them
//   pte.h      entries of page tables
//   state.h    struct vcpu_model, vcpu_extra and vcpu_state
//   native.h   struct native, a program on the host's own processor
//   arch.h     all of them, and ARCH_ constants
//
// and, beside its assembly, vcpu.c, exceptions.c, frame.c, native.c and upcall.c, which are
// behind vcpu.h, exceptions.h, frame.h, native.h and upcall.h of this folder.
#pragma once

#if defined(__x86_64__)
#include "dune/arch/x86_64/arch.h"
#elif defined(__loongarch64)
#include "dune/arch/loongarch64/arch.h"
#else
#error "not written for this architecture"
#endif
