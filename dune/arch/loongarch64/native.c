// SPDX-License-Identifier: Apache-2.0
#include "dune/native.h"
#include "dune/arch/loongarch64/context.h"
#include "dune/raw.h"
#include "dune/vcpu.h"

#include <string.h>

enum { REG_S0 = 23 };

// CPUCFG word 2 says which units there are.
u32 native_units(void)
{
    u32 has = (u32)__builtin_loongarch_cpucfg(2);
    return (has & 1) | (has >> 6 & 1) << 1 | (has >> 7 & 1) << 2;
}

void native_run(struct native *n, struct vcpu_why *why)
{
    struct {
        struct context_frame head;
        struct context_head unit;
        u64 context[CONTEXT_MOST_WORDS + sizeof(struct context_head) / 8];
    } __attribute__((aligned(16))) frame;
    const struct context_unit *u = context_widest(native_units());
    memset(&frame, 0, sizeof(frame));
    frame.head.stack_sp = (u64)n->alt_stack;
    frame.head.stack_size = n->alt_size;
    frame.head.mask = n->mask;
    frame.head.pc = n->regs.pc;
    memcpy(frame.head.regs + 1, n->regs.gpr + 1, 31 * 8);
    frame.head.flags = CONTEXT_USED_FP;
    frame.unit.magic = u->magic;
    frame.unit.size = (u32)(sizeof(frame.unit) + context_size(u));
    context_pack(frame.context, &n->extra, u);
    n->why = why;
    n->selector = 1;
    native_enter(n->kept, &frame);
}

static void take_units(struct native *n, const ucontext_t *uc)
{
    const u8 *at = (const u8 *)uc->uc_mcontext.__extcontext;
    for (struct context_head h;; at += h.size) {
        memcpy(&h, at, sizeof(h));
        const struct context_unit *u = context_unit_of(h.magic);
        if (!h.magic)
            return;
        if (u)
            context_unpack(&n->extra, (const u64 *)(const void *)(at + sizeof(h)), u);
    }
}

void native_take(struct native *n, const ucontext_t *uc)
{
    memcpy(n->regs.gpr, uc->uc_mcontext.__gregs, sizeof(n->regs.gpr));
    n->regs.gpr[0] = 0;
    n->regs.pc = uc->uc_mcontext.__pc;
    take_units(n, uc);
}

void native_call(volatile u8 *selector)
{
    register volatile u8 *s0 __asm__("$s0") = selector;
    register long a7 __asm__("$a7") = SYS_getppid;
    register long a0 __asm__("$a0") = 0;
    __asm__ volatile("syscall 0"
                     : "+r"(a0)
                     : "r"(a7), "r"(s0)
                     : "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8", "memory");
}

volatile u8 *native_answer(ucontext_t *uc)
{
    uc->uc_mcontext.__gregs[REG_A0] = 0;
    return (volatile u8 *)uc->uc_mcontext.__gregs[REG_S0];
}
