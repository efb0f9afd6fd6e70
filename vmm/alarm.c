// SPDX-License-Identifier: Apache-2.0
// The timer's signal goes to the processor's thread alone and sets the request there: code that
// runs sees it at its next poll, and a system call that it interrupts goes on.
//
// A hypervisor stops its guest's timer at each exit and starts it again at each entry. So an alarm
// that is set is left alone when a later one is wanted: it rings too early, and is set again then.
#include "vmm/alarm.h"
#include "base/bug.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ALARM_SIGNAL (SIGRTMIN + 1)

struct alarm {
    struct cpu *cpu;
    timer_t timer;
    _Atomic u64 armed; // when it rings, on the bus clock; also written by the signal
};

static void ring(int number, siginfo_t *info, void *context)
{
    struct alarm *a = info->si_value.sival_ptr;
    if (info->si_code != SI_TIMER)
        return;
    atomic_store_explicit(&a->armed, CLOCK_NEVER, memory_order_relaxed);
    atomic_fetch_or_explicit(&a->cpu->requests, CPU_REQ_ALARM, memory_order_seq_cst);
    if (a->cpu->wake)
        a->cpu->wake(a->cpu->wake_opaque, a->cpu); // a wait that it interrupts begins again
}

static void set(void *opaque, struct cpu *c, u64 deadline_ns)
{
    struct alarm *a = opaque;
    if (deadline_ns >= atomic_load_explicit(&a->armed, memory_order_relaxed))
        return;
    u64 now = clock_now(c->bus->clock);
    u64 left = deadline_ns > now ? deadline_ns - now : 1; // 0 would disarm it
    struct itimerspec t = {
        .it_value = {.tv_sec = (time_t)(left / NS_PER_SEC), .tv_nsec = (long)(left % NS_PER_SEC)}};
    // In this order: a signal of the old alarm in between makes the next call set it once more.
    atomic_store_explicit(&a->armed, deadline_ns, memory_order_relaxed);
    timer_settime(a->timer, 0, &t, NULL);
}

struct alarm *alarm_new(struct cpu *c)
{
    struct alarm *a = calloc(1, sizeof(*a));
    BUG_ON(!a);
    a->cpu = c;
    a->armed = CLOCK_NEVER;
    struct sigaction act = {.sa_sigaction = ring, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(ALARM_SIGNAL, &act, NULL);
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = ALARM_SIGNAL, .sigev_value.sival_ptr = a};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    BUG_ON(timer_create(CLOCK_MONOTONIC, &event, &a->timer));
    c->alarm_opaque = a;
    c->alarm = set;
    return a;
}

void alarm_free(struct alarm *a)
{
    if (!a)
        return;
    a->cpu->alarm = NULL;
    timer_delete(a->timer);
    // A signal that is on its way finds the structure no more.
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, ALARM_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &only, NULL);
    free(a);
}
