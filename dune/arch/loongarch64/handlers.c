// SPDX-License-Identifier: Apache-2.0
// Calls that are answered in another way on this architecture: ITIMER_VIRTUAL.
//
// When the kernel counts a tick, KVM no longer says that a guest ran: the tick is the system's, and
// the kernel's ITIMER_VIRTUAL stands still. What the process computes is its time all the same, so
// a timer on the clock of the process takes that one's place. It sends SI_TIMER where the kernel
// sends SI_KERNEL, and ends when another program is executed, which the kernel's does not.
#include "dune/handlers.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static bool is_replaced(const struct thread *t, u64 which)
{
    return which == ITIMER_VIRTUAL && t->process->space->has_vm;
}

// Children have their parent's memory, but none of its timers.
static bool has_timer(const struct process *p)
{
    return p->virtual_timer_pid && p->virtual_timer_pid == p->pid;
}

static long make_timer(struct process *p)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};
    long ret = raw(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &event, &p->virtual_timer);
    if (ret >= 0)
        p->virtual_timer_pid = p->pid;
    return ret;
}

static bool is_time(const struct timeval *v)
{
    return v->tv_sec >= 0 && v->tv_usec >= 0 && v->tv_usec < 1000000;
}

static struct timespec to_ns(const struct timeval *v)
{
    return (struct timespec){v->tv_sec, v->tv_usec * 1000};
}

// What is left is not told to be nothing.
static struct timeval to_us(const struct timespec *n)
{
    long us = (n->tv_nsec + 999) / 1000;
    return (struct timeval){n->tv_sec + us / 1000000, us % 1000000};
}

static long tell(u64 to, const struct itimerspec *ns)
{
    struct itimerval us = {to_us(&ns->it_interval), to_us(&ns->it_value)};
    return guest_write(to, &us, sizeof(us));
}

HANDLER(getitimer)
{
    struct process *p = t->process;
    struct itimerspec left = {0};
    if (!is_replaced(t, a[0]))
        return raw(SYS_getitimer, a[0], a[1]);
    lock_take(&p->lock);
    long ret = has_timer(p) ? raw(SYS_timer_gettime, p->virtual_timer, &left) : 0;
    lock_drop(&p->lock);
    return ret < 0 ? ret : tell(a[1], &left);
}

HANDLER(setitimer)
{
    struct process *p = t->process;
    struct itimerval us = {0};
    struct itimerspec before = {0};
    if (!is_replaced(t, a[0]))
        return raw(SYS_setitimer, a[0], a[1], a[2]);
    if (a[1] && guest_read(&us, a[1], sizeof(us)))
        return -EFAULT;
    if (!is_time(&us.it_interval) || !is_time(&us.it_value))
        return -EINVAL;
    struct itimerspec ns = {to_ns(&us.it_interval), to_ns(&us.it_value)};
    lock_take(&p->lock);
    long ret = has_timer(p) ? 0 : make_timer(p);
    if (ret >= 0)
        ret = raw(SYS_timer_settime, p->virtual_timer, 0, &ns, &before);
    lock_drop(&p->lock);
    return ret < 0 || !a[2] ? ret : tell(a[2], &before);
}
