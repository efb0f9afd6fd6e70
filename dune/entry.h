// SPDX-License-Identifier: Apache-2.0
// Ways in and out of the monitor's threads, in assembly.
#pragma once

#include "base/types.h"
#include "dune/arch.h"

// As the kernel says "call me again" to itself.
#define RESTART_CALL (-512L)

// Makes a system call unless *flag is set, without a moment in between at which a signal would be
// missed: a handler for signals calls restartable_interrupt. RESTART_CALL if the call was not made.
long restartable_call(const _Atomic int *flag, u64 number, const u64 arguments[6]);
extern const char restartable_begin[], restartable_end[], restartable_abort[];

static inline void restartable_interrupt(ucontext_t *context)
{
    u64 pc = context_pc(context);
    if (pc >= (u64)restartable_begin && pc < (u64)restartable_end)
        context_set_pc(context, (u64)restartable_abort);
}

// clone(2) of a thread or process with this one's memory, on another stack, that calls `function`,
// which does not return. What the kernel says.
long entry_spawn(u64 flags, void *stack, u64 parent_tid, u64 child_tid, void (*function)(void *),
                 void *argument);
// Goes on on another stack.
_Noreturn void entry_switch(void *stack, void (*function)(void *), void *argument);
// Writes zero to the flag and ends the thread, without touching its stack in between.
_Noreturn void entry_vanish(_Atomic u32 *flag, int status);
