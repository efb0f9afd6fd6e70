// SPDX-License-Identifier: Apache-2.0
// Assembly of the library: see lib_entry.S.
#pragma once

#include "base/types.h"

struct uregs;

// Calls function(registers, opaque) on another stack, where the registers are those with which this
// returns 0 to its caller. Never returns in another way, unless by lib_leave.
int lib_call_on_stack(void *stack, void (*function)(struct uregs *, void *), void *opaque);
// Loads all registers, on the host's processor.
_Noreturn void lib_leave(const struct uregs *regs);
// A system call of the library's own.
long lib_door(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
// In the program: where gates lead for page faults (see upcall.h), and its end.
extern const char lib_upcall[], lib_upcall_end[];
// In the program: where a handler begins and ends, and a compartment's function.
extern const char lib_trampoline[], lib_compartment[];
