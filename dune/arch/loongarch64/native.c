// SPDX-License-Identifier: Apache-2.0
#include "dune/native.h"
#include "dune/arch/loongarch64/context.h"
#include "dune/raw.h"
#include "dune/vcpu.h"

#include <errno.h>
#include <linux/prctl.h>
#include <string.h>
#include <time.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

enum { DISPATCH_OFF, DISPATCH_ON, SYS_CODE_DISPATCH = 2, REG_S0 = 23 };

// In native_entry.S. The first keeps the monitor's registers in `kept` and returns from a signal to
// what the frame says; the second goes back to where the first was called.
void native_enter(u64 kept[12], void *frame);
_Noreturn void native_leave(const u64 kept[12]);
extern const char native_allowed[], native_allowed_end[];

static long dispatch(u64 mode, struct native *n)
{
    return raw(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, mode, mode ? native_allowed : 0,
               mode ? (u64)(native_allowed_end - native_allowed) : 0, mode ? &n->selector : 0);
}

int native_check(void)
{
    struct native n = {.selector = 0};
    long ret = dispatch(DISPATCH_ON, &n);
    return ret < 0 ? (int)ret : (int)dispatch(DISPATCH_OFF, NULL);
}

// CPUCFG word 2 says which units there are.
int native_begin(struct native *n)
{
    stack_t stack = {.ss_sp = n->alt_stack, .ss_size = n->alt_size};
    u32 has = (u32)__builtin_loongarch_cpucfg(2);
    n->units = (has & 1) | (has >> 6 & 1) << 1 | (has >> 7 & 1) << 2;
    n->selector = 0;
    long ret = raw(SYS_sigaltstack, &stack, 0);
    return ret < 0 ? (int)ret : (int)dispatch(DISPATCH_ON, n);
}

void native_run(struct native *n, struct vcpu_why *why)
{
    struct {
        struct context_frame head;
        struct context_head unit;
        u64 context[CONTEXT_MOST_WORDS + sizeof(struct context_head) / 8];
    } __attribute__((aligned(16))) frame;
    const struct context_unit *u = context_widest(n->units);
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

void native_interrupt(struct native *n, int signal, const siginfo_t *info, ucontext_t *uc)
{
    struct vcpu_why *why = n->why;
    u64 all = ~0ULL;
    n->selector = 0;
    memcpy(n->regs.gpr, uc->uc_mcontext.__gregs, sizeof(n->regs.gpr));
    n->regs.gpr[0] = 0;
    n->regs.pc = uc->uc_mcontext.__pc;
    take_units(n, uc);
    memset(why, 0, sizeof(*why));
    if (signal == SIGSYS && info->si_code == SYS_CODE_DISPATCH) {
        why->exit = VCPU_CALL;
        n->regs.gpr[REG_A7] = (u64)(u32)info->si_syscall;
        raw(SYS_rt_sigprocmask, SIG_SETMASK, &n->mask, 0, sizeof(n->mask));
    } else {
        why->exit = info->si_code > 0 ? VCPU_NATIVE_FAULT : VCPU_SIGNAL;
        why->vector = (u32)signal;
        why->error = (u32)info->si_code;
        why->address = (u64)info->si_addr;
        raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof(all));
    }
    native_leave(n->kept);
}

// The handler opens the way again before it returns, since returning is a system call too.
static void answer(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    *(volatile u8 *)uc->uc_mcontext.__gregs[REG_S0] = DISPATCH_OFF;
    uc->uc_mcontext.__gregs[REG_A0] = 0;
}

static u64 now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (u64)at.tv_sec * 1000000000 + (u64)at.tv_nsec;
}

static u64 time_rounds(volatile u8 *selector, int rounds)
{
    u64 start = now();
    for (int i = 0; i < rounds; i++) {
        register volatile u8 *s0 __asm__("$s0") = selector;
        register long a7 __asm__("$a7") = SYS_getppid;
        register long a0 __asm__("$a0") = 0;
        *selector = DISPATCH_ON;
        __asm__ volatile("syscall 0"
                         : "+r"(a0)
                         : "r"(a7), "r"(s0)
                         : "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8", "memory");
    }
    return (now() - start) / (u64)rounds;
}

u64 native_time(int rounds)
{
    struct sigaction a = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO}, old;
    struct native n = {.selector = DISPATCH_OFF};
    if (raw(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_ON, 0, 0, &n.selector) < 0)
        return 0;
    sigaction(SIGSYS, &a, &old);
    u64 ns = time_rounds(&n.selector, rounds);
    sigaction(SIGSYS, &old, NULL);
    dispatch(DISPATCH_OFF, NULL);
    return ns;
}
