// SPDX-License-Identifier: Apache-2.0
// What of syscall user dispatch is the same on all processors; registers are the architecture's.
#include "dune/native.h"
#include "dune/raw.h"
#include "dune/vcpu.h"

#include <linux/prctl.h>
#include <string.h>
#include <time.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

enum { DISPATCH_OFF, DISPATCH_ON, SYS_CODE_DISPATCH = 2 };

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

int native_begin(struct native *n)
{
    stack_t stack = {.ss_sp = n->alt_stack, .ss_size = n->alt_size};
    n->selector = 0;
    long ret = raw(SYS_sigaltstack, &stack, 0);
    return ret < 0 ? (int)ret : (int)dispatch(DISPATCH_ON, n);
}

// A call finds its number where it was; its thread blocks what the program does, and after
// everything else nothing may come before that was looked at.
void native_interrupt(struct native *n, int signal, const siginfo_t *info, ucontext_t *uc)
{
    struct vcpu_why *why = n->why;
    u64 all = ~0ULL;
    n->selector = 0;
    native_take(n, uc);
    memset(why, 0, sizeof(*why));
    if (signal == SIGSYS && info->si_code == SYS_CODE_DISPATCH) {
        why->exit = VCPU_CALL;
        regs_set_number(&n->regs, (u32)info->si_syscall);
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
    *native_answer(context) = DISPATCH_OFF;
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
        *selector = DISPATCH_ON;
        native_call(selector);
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
