// SPDX-License-Identifier: Apache-2.0
// Calls about the process itself: signals, ending, limits, thread pointers.
#include "dune/calls.h"
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

HANDLER(exit)
{
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

// The program's limit of open files is lower than the kernel's by what the monitor keeps.
static void show_limit(const struct hidden *h, struct limit *l)
{
    u64 first = (u64)h->first;
    if (l->hard != ~0ULL)
        l->hard = l->hard > first + HIDDEN_MAX ? l->hard - HIDDEN_MAX : first;
    if (l->soft == (u64)h->end)
        l->soft = first;
    else if (l->soft > l->hard)
        l->soft = l->hard;
}

static void hide_limit(const struct hidden *h, struct limit *l)
{
    if (l->hard < ~0ULL - HIDDEN_MAX)
        l->hard += HIDDEN_MAX;
    if (l->soft >= (u64)h->first)
        l->soft = l->soft == (u64)h->first ? (u64)h->end : l->soft + HIDDEN_MAX;
    if (l->hard < l->soft)
        l->hard = l->soft;
}

static long change_limit(struct thread *t, u64 pid, u64 resource, u64 new, u64 old)
{
    const struct hidden *h = &t->process->settings->hidden;
    struct limit to, before;
    if (new &&guest_read(&to, new, sizeof(to)))
        return -EFAULT;
    if (new &&to.soft > to.hard)
        return -EINVAL;
    if (new &&resource == RLIMIT_NOFILE)
        hide_limit(h, &to);
    long ret = raw(SYS_prlimit64, pid, resource, new ? &to : 0, old ? &before : 0);
    if (ret < 0 || !old)
        return ret;
    if (resource == RLIMIT_NOFILE)
        show_limit(h, &before);
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
