// SPDX-License-Identifier: Apache-2.0
#include "dune/native.h"
#include "dune/raw.h"
#include "dune/vcpu.h"

#include <errno.h>
#include <linux/prctl.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

enum { DISPATCH_OFF, DISPATCH_ON, SYS_CODE_DISPATCH = 2, FRAME_XSTATE = 1, FRAME_SS = 6 };

// In native_entry.S. The first keeps the monitor's registers in `kept` and returns from a signal to
// what the frame says; the second goes back to where the first was called.
void native_enter(u64 kept[8], void *frame);
_Noreturn void native_leave(const u64 kept[8]);
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

int native_begin(struct native *n)
{
    stack_t stack = {.ss_sp = n->alt_stack, .ss_size = n->alt_size};
    n->selector = 0;
    long ret = raw(SYS_sigaltstack, &stack, 0);
    return ret < 0 ? (int)ret : (int)dispatch(DISPATCH_ON, n);
}

// What rt_sigreturn takes from the stack: the same as the kernel puts there for a handler.
struct return_frame {
    u64 flags, link;
    stack_t stack;
    struct sigcontext context;
    u64 mask;
};

static void fill_context(struct sigcontext *c, const struct uregs *r)
{
    *c = (struct sigcontext){.r8 = r->r8,
                             .r9 = r->r9,
                             .r10 = r->r10,
                             .r11 = r->r11,
                             .r12 = r->r12,
                             .r13 = r->r13,
                             .r14 = r->r14,
                             .r15 = r->r15,
                             .rdi = r->rdi,
                             .rsi = r->rsi,
                             .rbp = r->rbp,
                             .rbx = r->rbx,
                             .rdx = r->rdx,
                             .rax = r->rax,
                             .rcx = r->rcx,
                             .rsp = r->rsp,
                             .rip = r->rip,
                             .eflags = r->rflags,
                             .cs = 0x33,
                             .__pad0 = 0x2b};
}

void native_run(struct native *n, struct vcpu_why *why)
{
    struct return_frame frame = {.flags = FRAME_XSTATE | FRAME_SS,
                                 .stack = {.ss_sp = n->alt_stack, .ss_size = n->alt_size}};
    fill_context(&frame.context, &n->regs); // glibc calls the stack segment padding
    frame.mask = n->mask;
    frame.context.fpstate = n->xsave_size ? (void *)n->xsave : NULL;
    n->why = why;
    n->selector = 1;
    native_enter(n->kept, &frame);
}

static void take_context(struct uregs *r, const greg_t *g)
{
    *r = (struct uregs){.r8 = (u64)g[REG_R8],
                        .r9 = (u64)g[REG_R9],
                        .r10 = (u64)g[REG_R10],
                        .r11 = (u64)g[REG_R11],
                        .r12 = (u64)g[REG_R12],
                        .r13 = (u64)g[REG_R13],
                        .r14 = (u64)g[REG_R14],
                        .r15 = (u64)g[REG_R15],
                        .rdi = (u64)g[REG_RDI],
                        .rsi = (u64)g[REG_RSI],
                        .rbp = (u64)g[REG_RBP],
                        .rbx = (u64)g[REG_RBX],
                        .rdx = (u64)g[REG_RDX],
                        .rax = (u64)g[REG_RAX],
                        .rcx = (u64)g[REG_RCX],
                        .rsp = (u64)g[REG_RSP],
                        .rip = (u64)g[REG_RIP],
                        .rflags = (u64)g[REG_EFL]};
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

void native_interrupt(struct native *n, int signal, const siginfo_t *info, ucontext_t *uc)
{
    struct vcpu_why *why = n->why;
    u64 all = ~0ULL;
    n->selector = 0;
    take_context(&n->regs, uc->uc_mcontext.gregs);
    take_floating_point(n, uc->uc_mcontext.fpregs);
    memset(why, 0, sizeof(*why));
    if (signal == SIGSYS && info->si_code == SYS_CODE_DISPATCH) {
        // As the instruction leaves them for a kernel, and the call's number where it was.
        why->exit = VCPU_CALL;
        n->regs.rax = (u64)(u32)info->si_syscall;
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

// The handler opens the way again before it returns, since returning is a system call too.
static void answer(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    *(volatile u8 *)uc->uc_mcontext.gregs[REG_RBX] = DISPATCH_OFF;
    uc->uc_mcontext.gregs[REG_RAX] = 0;
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
        long ret;
        *selector = DISPATCH_ON;
        __asm__ volatile("syscall"
                         : "=a"(ret)
                         : "a"(SYS_getppid), "b"(selector)
                         : "rcx", "r11", "memory");
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
