// SPDX-License-Identifier: Apache-2.0
// Assembly of the library: see lib_entry.S.
#pragma once

#include "base/types.h"

struct uregs;
struct vcpu_extra;

// Calls function(registers, opaque) on another stack, where the registers are those with which this
// returns 0 to its caller. Never returns in another way, unless by lib_leave.
int lib_call_on_stack(void *stack, void (*function)(struct uregs *, void *), void *opaque);
// On the host's processor: loads the registers that functions keep, and returns 0. Only where the
// stack that this is called on is not used any more does it clear `in_use`, and then uses the mask.
_Noreturn void lib_leave(const struct uregs *regs, const struct vcpu_extra *extra,
                         _Atomic u32 *in_use, u64 mask);
// A system call of the library's own.
long lib_door(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
// In the program, where upcall_enable works: where gates lead for page faults, and its end.
extern const char lib_upcall[], lib_upcall_end[];
// In the program: where a handler begins and ends, and a compartment's function.
extern const char lib_trampoline[], lib_compartment[];
