// SPDX-License-Identifier: Apache-2.0
// What the kernel puts on a stack for a handler of signals: include/uapi/asm/ucontext.h and
// sigcontext.h. Behind the general registers come contexts of other units, each with a head that
// says what it is and how long, and a head of zeros at the end.
#pragma once

#include "base/types.h"
#include "dune/arch/loongarch64/state.h"

#include <signal.h>

struct context_head {
    u32 magic, size; // with the head itself
    u64 pad;
};

struct context_frame {
    siginfo_t info;
    u64 uc_flags, uc_link;
    u64 stack_sp;
    u32 stack_flags, pad;
    u64 stack_size;
    u64 mask, unused[15], pad2;
    u64 pc, regs[32];
    u32 flags, pad3;
};

enum { CONTEXT_USED_FP = 1, CONTEXT_MOST_WORDS = 32 * 4 + 2 };

// A unit with 32 registers of so many words, whose context is aligned so.
struct context_unit {
    u32 magic, words, align;
};

// The widest of what bits of EUEN allow holds the others.
const struct context_unit *context_widest(u32 euen);
// NULL for one that is not known.
const struct context_unit *context_unit_of(u32 magic);
u64 context_size(const struct context_unit *u);
void context_pack(u64 *to, const struct vcpu_extra *x, const struct context_unit *u);
// Leaves wider parts of registers as they are.
void context_unpack(struct vcpu_extra *x, const u64 *from, const struct context_unit *u);
