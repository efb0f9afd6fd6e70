// SPDX-License-Identifier: Apache-2.0
// Clocks and timers as a program sees them; passes on the host too.
#include "base/test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000000 };

static s64 ns_of(const struct timespec *t)
{
    return t->tv_sec * 1000000000LL + t->tv_nsec;
}

static s64 by_library(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return ns_of(&t);
}

static s64 by_call(clockid_t clock)
{
    struct timespec t = {0};
    syscall(SYS_clock_gettime, clock, &t);
    return ns_of(&t);
}

// The C library asks the vDSO, which reads the counter and the kernel's page by itself.
TEST(the_vdso_and_the_kernel_agree)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
                                       CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE};
    for (int round = 0; round < 200; round++)
        for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
            s64 before = by_call(clocks[i]), here = by_library(clocks[i]),
                after = by_call(clocks[i]);
            if (!CHECK(before <= here && here <= after))
                return;
        }
}

TEST(seconds_and_microseconds_agree)
{
    struct timeval now;
    s64 before = by_call(CLOCK_REALTIME);
    CHECK_EQ(gettimeofday(&now, NULL), 0);
    s64 here = now.tv_sec * 1000000000LL + now.tv_usec * 1000LL;
    CHECK(here >= before - 1000 && here <= by_call(CLOCK_REALTIME));
    time_t second = time(NULL);
    CHECK(second >= before / 1000000000 - 1 && second <= before / 1000000000 + 2);
}

static void *watch(void *opaque)
{
    s64 last = 0;
    for (int i = 0; i < 50000; i++) {
        s64 now = by_library(CLOCK_MONOTONIC);
        if (now < last)
            return opaque;
        last = now;
    }
    return NULL;
}

TEST(time_does_not_go_back_for_any_thread)
{
    pthread_t threads[4];
    void *wrong;
    for (int i = 0; i < 4; i++)
        REQUIRE(pthread_create(threads + i, NULL, watch, &threads) == 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        CHECK(!wrong);
    }
}

TEST(a_sleep_takes_its_time)
{
    struct timespec nap = {0, 20 * MS}, until;
    s64 start = by_library(CLOCK_MONOTONIC);
    CHECK_EQ(nanosleep(&nap, NULL), 0);
    CHECK(by_library(CLOCK_MONOTONIC) - start >= 20 * MS);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += until.tv_nsec < 900 * MS ? 20 * MS : 0;
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
    CHECK(by_library(CLOCK_MONOTONIC) >= ns_of(&until));
    nap.tv_nsec = 1000 * MS;
    CHECK_EQ(nanosleep(&nap, NULL), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &until, NULL), EINVAL);
}

// What runs in guest mode is this process's time and no one else's.
TEST(the_processors_time_is_the_programs)
{
    struct rusage before, after;
    volatile u64 x = 0;
    getrusage(RUSAGE_SELF, &before);
    s64 start = by_call(CLOCK_PROCESS_CPUTIME_ID), own = by_call(CLOCK_THREAD_CPUTIME_ID);
    while (by_call(CLOCK_PROCESS_CPUTIME_ID) - start < 60 * MS)
        for (int i = 0; i < 10000; i++)
            x += (u64)i;
    CHECK(by_call(CLOCK_THREAD_CPUTIME_ID) - own >= 50 * MS);
    getrusage(RUSAGE_SELF, &after);
    s64 us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
              before.ru_stime.tv_sec) *
                 1000000LL +
             after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
             before.ru_stime.tv_usec;
    CHECK(us >= 40000);
    struct tms t;
    CHECK(times(&t) != (clock_t)-1 && t.tms_utime + t.tms_stime > 0);
}

static volatile int n_ticks, last_value;

static void tick(int signal, siginfo_t *info, void *context)
{
    n_ticks++;
    last_value = info->si_value.sival_int;
}

static void on(int signal)
{
    struct sigaction a = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(signal, &a, NULL);
    n_ticks = 0;
}

TEST(timers_send_signals)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec each = {{0, 2 * MS}, {0, 2 * MS}}, left;
    event.sigev_value.sival_int = 4711;
    on(SIGRTMIN);
    REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK_EQ(timer_settime(timer, 0, &each, NULL), 0);
    while (n_ticks < 5)
        ;
    CHECK_EQ(last_value, 4711);
    CHECK_EQ(timer_gettime(timer, &left), 0);
    CHECK_EQ(left.it_interval.tv_nsec, 2 * MS);
    CHECK(timer_getoverrun(timer) >= 0);
    CHECK_EQ(timer_delete(timer), 0);
    CHECK_EQ(timer_gettime(timer, &left), -1);
    CHECK_EQ(errno, EINVAL);
}

static volatile int n_notified;

static void notified(union sigval value)
{
    n_notified += value.sival_int;
}

TEST(timers_start_threads)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notified};
    struct itimerspec once = {.it_value = {0, 2 * MS}};
    event.sigev_value.sival_int = 1;
    REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK_EQ(timer_settime(timer, 0, &once, NULL), 0);
    for (int i = 0; i < 500 && !n_notified; i++)
        usleep(2000);
    CHECK_EQ(n_notified, 1);
    timer_delete(timer);
}

TEST(the_processes_timers)
{
    struct itimerval each = {{0, 3000}, {0, 3000}}, old, none = {{0, 0}, {0, 0}};
    on(SIGVTALRM);
    CHECK_EQ(setitimer(ITIMER_VIRTUAL, &each, NULL), 0);
    while (n_ticks < 3)
        ;
    CHECK_EQ(setitimer(ITIMER_VIRTUAL, &none, &old), 0);
    CHECK_EQ(old.it_interval.tv_usec, 3000);
    on(SIGPROF);
    CHECK_EQ(setitimer(ITIMER_PROF, &each, NULL), 0);
    while (n_ticks < 3)
        getppid();
    setitimer(ITIMER_PROF, &none, NULL);
    CHECK_EQ(alarm(50), 0);
    CHECK_EQ(alarm(0), 50);
}

TEST(timers_are_read)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec each = {{0, 3 * MS}, {0, 3 * MS}};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    u64 n = 0;
    CHECK_EQ(read(fd, &n, 8), -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(timerfd_settime(fd, 0, &each, NULL), 0);
    CHECK_EQ(poll(&p, 1, 5000), 1);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK(n >= 1);
    usleep(20000);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK(n >= 5);
    close(fd);
}

TEST(clocks_that_do_not_exist)
{
    struct timespec t;
    CHECK_EQ(clock_gettime(77, &t), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(clock_getres(CLOCK_MONOTONIC, &t), 0);
    CHECK(t.tv_sec == 0 && t.tv_nsec >= 1);
    CHECK_EQ(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8), -1);
    CHECK_EQ(errno, EFAULT);
}
