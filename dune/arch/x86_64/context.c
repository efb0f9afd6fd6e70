// SPDX-License-Identifier: Apache-2.0
#include "dune/arch/x86_64/context.h"

#include <stddef.h>

#define PLACE(name) offsetof(struct uregs, name) / 8

// Of each word of a context.
static const u8 places[CONTEXT_REGISTERS] = {
    PLACE(r8),  PLACE(r9),  PLACE(r10), PLACE(r11), PLACE(r12), PLACE(r13),
    PLACE(r14), PLACE(r15), PLACE(rdi), PLACE(rsi), PLACE(rbp), PLACE(rbx),
    PLACE(rdx), PLACE(rax), PLACE(rcx), PLACE(rsp), PLACE(rip), PLACE(rflags),
};

void context_put(u64 to[CONTEXT_REGISTERS], const struct uregs *r)
{
    for (u32 i = 0; i < CONTEXT_REGISTERS; i++)
        to[i] = ((const u64 *)r)[places[i]];
}

struct uregs context_take(const u64 from[CONTEXT_REGISTERS])
{
    struct uregs r;
    for (u32 i = 0; i < CONTEXT_REGISTERS; i++)
        ((u64 *)&r)[places[i]] = from[i];
    return r;
}
