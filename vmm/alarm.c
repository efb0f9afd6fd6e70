// SPDX-License-Identifier: Apache-2.0
// The timer's signal goes to the processor's thread alone and sets the request there: code that
// runs sees it at its next poll, and a system call that it interrupts goes on.
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
};

static void ring(int number, siginfo_t *info, void *context)
{
    struct alarm *a = info->si_value.sival_ptr;
    if (info->si_code == SI_TIMER)
        atomic_fetch_or_explicit(&a->cpu->requests, CPU_REQ_IRQ, memory_order_seq_cst);
}

static void set(void *opaque, struct cpu *c, u64 deadline_ns)
{
    struct alarm *a = opaque;
    struct itimerspec t = {0};
    if (deadline_ns != CLOCK_NEVER) {
        u64 now = clock_now(c->bus->clock);
        u64 left = deadline_ns > now ? deadline_ns - now : 1; // 0 would disarm it
        t.it_value.tv_sec = (time_t)(left / NS_PER_SEC);
        t.it_value.tv_nsec = (long)(left % NS_PER_SEC);
    }
    timer_settime(a->timer, 0, &t, NULL);
}

struct alarm *alarm_new(struct cpu *c)
{
    struct alarm *a = calloc(1, sizeof(*a));
    BUG_ON(!a);
    a->cpu = c;
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
