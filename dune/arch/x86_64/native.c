// SPDX-License-Identifier: Apache-2.0
#include "dune/native.h"
#include "dune/arch/x86_64/context.h"
#include "dune/raw.h"
#include "dune/vcpu.h"

#include <string.h>

enum { FRAME_XSTATE = 1, FRAME_SS = 6, SELECTOR_CODE = 0x33, SELECTOR_STACK = 0x2b };

// What rt_sigreturn takes from the stack: the same as the kernel puts there for a handler.
struct return_frame {
    u64 flags, link;
    stack_t stack;
    u64 registers[CONTEXT_REGISTERS];
    u16 cs, gs, fs, ss;
    u64 error, vector, old_mask, cr2;
    void *xsave;
    u64 reserved[8];
    u64 mask;
};

void native_run(struct native *n, struct vcpu_why *why)
{
    struct return_frame frame = {.flags = FRAME_XSTATE | FRAME_SS,
                                 .stack = {.ss_sp = n->alt_stack, .ss_size = n->alt_size},
                                 .cs = SELECTOR_CODE,
                                 .ss = SELECTOR_STACK,
                                 .xsave = n->xsave_size ? n->xsave : NULL,
                                 .mask = n->mask};
    context_put(frame.registers, &n->regs);
    n->why = why;
    n->selector = 1;
    native_enter(n->kept, &frame);
}

// The kernel marks the area's size behind the registers of old.
static void take_floating_point(struct native *n, const void *area)
{
    struct _fpx_sw_bytes mark;
    memcpy(&mark, (const u8 *)area + 464, sizeof(mark));
    u32 size = mark.magic1 == FP_XSTATE_MAGIC1 ? mark.extended_size : 512;
    n->xsave_size = size < sizeof(n->xsave) ? size : sizeof(n->xsave);
    memcpy(n->xsave, area, n->xsave_size);
}

void native_take(struct native *n, const ucontext_t *uc)
{
    u64 words[CONTEXT_REGISTERS];
    memcpy(words, uc->uc_mcontext.gregs, sizeof(words));
    n->regs = context_take(words);
    take_floating_point(n, uc->uc_mcontext.fpregs);
}

void native_set_xsave(struct native *n, const void *area)
{
    enum { MARK_AT = 464, MARK_SIZE = 48, END_SIZE = 4 };
    u8 mark[MARK_SIZE], end[END_SIZE];
    u32 end_at = n->xsave_size - END_SIZE;
    memcpy(mark, n->xsave + MARK_AT, sizeof(mark));
    memcpy(end, n->xsave + end_at, sizeof(end));
    memcpy(n->xsave, area, sizeof(n->xsave));
    memcpy(n->xsave + MARK_AT, mark, sizeof(mark));
    memcpy(n->xsave + end_at, end, sizeof(end));
}

void native_call(volatile u8 *selector)
{
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(SYS_getppid), "b"(selector)
                     : "rcx", "r11", "memory");
}

volatile u8 *native_answer(ucontext_t *uc)
{
    uc->uc_mcontext.gregs[REG_RAX] = 0;
    return (volatile u8 *)uc->uc_mcontext.gregs[REG_RBX];
}
