// SPDX-License-Identifier: Apache-2.0
// Calls about the process itself: signals, ending, limits, thread pointers.
#include "dune/calls.h"
#include "dune/entry.h"
#include "dune/handlers.h"
#include "dune/policy.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <string.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

HANDLER(rt_sigaction)
{
    return signals_action(t, (int)a[0], a[1], a[2], a[3]);
}

HANDLER(rt_sigprocmask)
{
    return signals_change_mask(t, (int)a[0], a[1], a[2], a[3]);
}

HANDLER(rt_sigreturn)
{
    signals_return(t);
    return CALL_DONE;
}

// While it waits the kernel has another mask, which it takes back itself.
HANDLER(rt_sigsuspend)
{
    return calls_forward(t, number, a);
}

HANDLER(sigaltstack)
{
    return signals_alt_stack(t, a[0], a[1]);
}

// What was noted and not delivered yet would be lost.
HANDLER(exit)
{
    signals_block_all();
    if (t->taken)
        return RESTART_CALL;
    thread_exit(t, (int)a[0]);
}

HANDLER(exit_group)
{
    thread_exit_process(t, (int)a[0]);
}

// What changes how the kernel treats the monitor is not the program's to ask for.
static bool is_refused(u64 option)
{
    return option == PR_SET_MM || option == PR_SET_SECCOMP || option == PR_SET_TSC ||
           option == PR_SET_SYSCALL_USER_DISPATCH || option == 65 /* PR_SET_MDWE */ ||
           option == 0x53564d61 /* PR_SET_VMA */ || option == 71 /* PR_SET_SHADOW_STACK_STATUS */;
}

HANDLER(prctl)
{
    if (is_refused(a[0]))
        return -EINVAL;
    for (int i = 1; i < 5; i++)
        if (a[i] > SPACE_END && a[i] >> 47 == 0)
            return -EFAULT;
    return calls_forward(t, number, a);
}

HANDLER(personality)
{
    enum { READ_IMPLIES_EXEC = 0x400000 };
    if ((u32)a[0] != 0xffffffff && a[0] & READ_IMPLIES_EXEC)
        return -EINVAL;
    return calls_forward(t, number, a);
}

struct limit {
    u64 soft, hard;
};

// Of another process nobody knows what it is told; its hard limit stays.
static long change_files(struct thread *t, u64 pid, const struct limit *to, struct limit *before)
{
    struct hidden *h = &t->process->settings->hidden;
    bool is_own = !pid || (int)pid == t->process->pid;
    u64 hard = is_own ? h->hard : (u64)h->first;
    long ret = raw(SYS_prlimit64, pid, RLIMIT_NOFILE, 0, before);
    struct limit kept = {to ? to->soft : 0, before->hard};
    if (ret < 0)
        return ret;
    before->hard = before->hard < hard ? before->hard : hard;
    before->soft = before->soft < before->hard ? before->soft : before->hard;
    if (to && !is_own)
        return to->hard > hard ? -EPERM : raw(SYS_prlimit64, pid, RLIMIT_NOFILE, &kept, 0);
    return to ? hidden_change_limit(h, (const u64[2]){to->soft, to->hard}) : 0;
}

static long change_limit(struct thread *t, u64 pid, u64 resource, u64 new, u64 old)
{
    struct limit to, before;
    if (new &&guest_read(&to, new, sizeof(to)))
        return -EFAULT;
    if (new &&to.soft > to.hard)
        return -EINVAL;
    long ret = resource == RLIMIT_NOFILE
                   ? change_files(t, pid, new ? &to : NULL, &before)
                   : raw(SYS_prlimit64, pid, resource, new ? &to : 0, old ? &before : 0);
    if (ret < 0 || !old)
        return ret;
    return guest_write(old, &before, sizeof(before));
}

HANDLER(getrlimit)
{
    return change_limit(t, 0, a[0], 0, a[1]);
}

HANDLER(setrlimit)
{
    return change_limit(t, 0, a[0], a[1], 0);
}

HANDLER(prlimit64)
{
    return change_limit(t, a[0], a[1], a[2], a[3]);
}

HANDLER(kill)
{
    return calls_forward(t, number, a);
}

HANDLER(tgkill)
{
    return calls_forward(t, number, a);
}

// The kernel reads its own copy of what was looked at; there is nothing in it that it follows.
HANDLER(sigqueue)
{
    return calls_forward(t, number, a);
}

HANDLER(sigqueue2)
{
    return calls_forward(t, number, a);
}

HANDLER(pidfd_signal)
{
    return calls_forward(t, number, a);
}
