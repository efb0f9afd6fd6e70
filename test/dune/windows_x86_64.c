// SPDX-License-Identifier: Apache-2.0
#include "test/dune/windows.h"

#include <linux/kvm.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

const int window_stride = 11;

void window_prepare(pid_t child)
{
}

static struct user_regs_struct registers(pid_t child)
{
    struct user_regs_struct r = {0};
    ptrace(PTRACE_GETREGS, child, NULL, &r);
    return r;
}

u64 window_pc(pid_t child)
{
    return registers(child).rip;
}

void window_set_pc(pid_t child, u64 pc)
{
    struct user_regs_struct r = registers(child);
    r.rip = pc;
    ptrace(PTRACE_SETREGS, child, NULL, &r);
}

bool window_enters_guest(pid_t child)
{
    struct user_regs_struct r = registers(child);
    return (window_peek(child, r.rip) & 0xffff) == 0x050f && r.rax == SYS_ioctl && r.rsi == KVM_RUN;
}

bool window_step(pid_t child)
{
    int status;
    return !ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status) && (WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGCHLD);
}

bool window_settles(pid_t child, int status)
{
    return false;
}
