// SPDX-License-Identifier: Apache-2.0
// Signals as a program sees them; passes on the host too.
#include "base/test.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int n_seen, last_seen, last_value, last_code;
static volatile u64 last_sp;

static void note(int signal, siginfo_t *info, void *context)
{
    int here;
    n_seen++;
    last_seen = signal;
    last_value = info->si_value.sival_int;
    last_code = info->si_code;
    last_sp = (u64)&here;
}

static void handle(int signal, int flags, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &a, NULL);
    n_seen = 0;
}

static void block(int how, int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, NULL);
}

static void alarm_in(int ms)
{
    struct itimerval in = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &in, NULL);
}

TEST(a_handler_runs_and_returns)
{
    handle(SIGUSR1, 0, note);
    raise(SIGUSR1);
    CHECK_EQ(n_seen, 1);
    CHECK_EQ(last_seen, SIGUSR1);
    CHECK_EQ(last_code, SI_TKILL);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(n_seen, 2);
    CHECK_EQ(last_code, SI_USER);
}

TEST(a_value_comes_along)
{
    handle(SIGRTMIN + 3, 0, note);
    sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 77});
    CHECK_EQ(n_seen, 1);
    CHECK_EQ(last_value, 77);
}

TEST(blocked_signals_wait_and_queue)
{
    sigset_t pending;
    handle(SIGUSR1, 0, note);
    handle(SIGRTMIN + 1, 0, note);
    block(SIG_BLOCK, SIGUSR1);
    block(SIG_BLOCK, SIGRTMIN + 1);
    for (int i = 0; i < 3; i++) {
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGRTMIN + 1);
    }
    CHECK_EQ(n_seen, 0);
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGUSR1));
    block(SIG_UNBLOCK, SIGUSR1);
    CHECK_EQ(n_seen, 1);
    block(SIG_UNBLOCK, SIGRTMIN + 1);
    CHECK_EQ(n_seen, 4);
}

static void nested(int signal, siginfo_t *info, void *context)
{
    n_seen++;
    if (n_seen < 4)
        raise(signal);
    last_value = n_seen;
}

TEST(handlers_nest_or_do_not)
{
    handle(SIGUSR2, SA_NODEFER, nested);
    raise(SIGUSR2);
    CHECK_EQ(n_seen, 4);
    handle(SIGUSR2, 0, nested);
    n_seen = 2; // the inner one comes after the outer has returned
    raise(SIGUSR2);
    CHECK_EQ(n_seen, 4);
}

TEST(a_handler_for_one_time)
{
    struct sigaction now;
    handle(SIGUSR1, SA_RESETHAND, note);
    raise(SIGUSR1);
    CHECK_EQ(n_seen, 1);
    sigaction(SIGUSR1, NULL, &now);
    CHECK(now.sa_handler == SIG_DFL);
}

TEST(the_alternate_stack_is_used)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536}, now;
    sigaltstack(&stack, NULL);
    handle(SIGUSR1, SA_ONSTACK, note);
    raise(SIGUSR1);
    CHECK_EQ(n_seen, 1);
    CHECK(last_sp >= (u64)stack.ss_sp && last_sp < (u64)stack.ss_sp + 65536);
    handle(SIGUSR1, 0, note);
    raise(SIGUSR1);
    CHECK(last_sp < (u64)stack.ss_sp || last_sp >= (u64)stack.ss_sp + 65536);
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, &now);
    CHECK(now.ss_sp == stack.ss_sp);
    CHECK(sysconf(_SC_MINSIGSTKSZ) > 0);
    CHECK_EQ(sigaltstack(&(stack_t){.ss_sp = stack.ss_sp, .ss_size = 100}, NULL), -1);
    CHECK_EQ(errno, ENOMEM);
    free(stack.ss_sp);
}

static volatile bool was_disarmed;

static void look_at_stack(int signal, siginfo_t *info, void *context)
{
    stack_t now;
    sigaltstack(NULL, &now);
    was_disarmed = now.ss_flags == SS_DISABLE;
    note(signal, info, context);
}

TEST(an_alternate_stack_that_disarms_itself)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536, .ss_flags = (int)(1U << 31)}, now;
    if (sigaltstack(&stack, NULL))
        SKIP("an older kernel");
    handle(SIGUSR1, SA_ONSTACK, look_at_stack);
    was_disarmed = false;
    for (int i = 1; i <= 3; i++) {
        raise(SIGUSR1);
        CHECK_EQ(n_seen, i);
        CHECK(last_sp >= (u64)stack.ss_sp && last_sp < (u64)stack.ss_sp + 65536);
        CHECK(was_disarmed);
    }
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, &now);
    CHECK(now.ss_sp == stack.ss_sp && now.ss_size == 65536);
    free(stack.ss_sp);
}

static void overflow(void *opaque)
{
    volatile char frame[4096];
    frame[0] = 1;
    if (opaque != frame)
        overflow((void *)frame);
    frame[1] = 1;
}

TEST(a_stack_that_overflows_is_told_on_the_alternate_one)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    pid_t child = fork();
    int status;
    if (!child) {
        struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigaltstack(&stack, NULL);
        a.sa_handler = (void (*)(int))_exit;
        a.sa_flags = SA_ONSTACK;
        sigaction(SIGSEGV, &a, NULL);
        overflow(NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == SIGSEGV);
    child = fork();
    if (!child) {
        overflow(NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(calls_end_or_go_on)
{
    int fds[2];
    char c;
    REQUIRE(pipe(fds) == 0);
    handle(SIGALRM, 0, note);
    alarm_in(50);
    CHECK_EQ(read(fds[0], &c, 1), -1);
    CHECK_EQ(errno, EINTR);
    handle(SIGALRM, SA_RESTART, note);
    alarm_in(50);
    pid_t child = fork();
    if (!child) {
        usleep(300000);
        _exit(write(fds[1], "x", 1) != 1);
    }
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(n_seen, 1);
    waitpid(child, NULL, 0);
    alarm_in(50);
    CHECK_EQ(poll(NULL, 0, 5000), -1); // never goes on
    CHECK_EQ(errno, EINTR);
    struct timespec rest, time = {5, 0};
    alarm_in(50);
    CHECK_EQ(nanosleep(&time, &rest), -1);
    CHECK(rest.tv_sec == 4);
}

TEST(waiting_for_signals)
{
    sigset_t set, none;
    siginfo_t info;
    handle(SIGALRM, 0, note);
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    alarm_in(30);
    CHECK_EQ(sigsuspend(&none), -1);
    CHECK_EQ(n_seen, 1);
    alarm_in(30);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGALRM);
    CHECK_EQ(n_seen, 1);
    struct timespec soon = {0, 1000000};
    CHECK_EQ(sigtimedwait(&set, NULL, &soon), -1);
    CHECK_EQ(errno, EAGAIN);
    int fd = signalfd(-1, &set, 0);
    struct signalfd_siginfo from;
    alarm_in(30);
    CHECK_EQ(read(fd, &from, sizeof(from)), sizeof(from));
    CHECK_EQ(from.ssi_signo, SIGALRM);
    alarm_in(30);
    CHECK_EQ(ppoll(NULL, 0, &(struct timespec){5, 0}, &none), -1);
    CHECK_EQ(n_seen, 2);
    alarm_in(30);
    CHECK_EQ(pselect(0, NULL, NULL, NULL, &(struct timespec){5, 0}, &none), -1);
    CHECK_EQ(n_seen, 3);
    close(fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

TEST(a_loop_without_calls_is_interrupted)
{
    handle(SIGALRM, 0, note);
    alarm_in(50);
    while (!n_seen)
        ;
    CHECK_EQ(last_seen, SIGALRM);
}

static volatile u64 n_samples, n_inside;
__attribute__((noinline)) static void spin(volatile u64 *until)
{
    while (*until < 20)
        for (volatile int i = 0; i < 1000; i++)
            ;
}

static void sample(int signal, siginfo_t *info, void *context)
{
    u64 pc = machine_pc(context);
    n_samples++;
    n_inside += pc - (u64)spin < 4096;
}

TEST(a_profiler_sees_the_programs_pc)
{
    struct itimerval each = {{0, 2000}, {0, 2000}}, none = {{0}};
    handle(SIGALRM, SA_RESTART, sample);
    setitimer(ITIMER_REAL, &each, NULL);
    spin(&n_samples);
    setitimer(ITIMER_REAL, &none, NULL);
    CHECK(n_inside >= n_samples / 2);
}

static void change_context(int signal, siginfo_t *info, void *context)
{
    machine_skip(context, 4711);
}

TEST(a_handler_changes_registers)
{
    handle(SIGILL, 0, change_context);
    CHECK_EQ(machine_undefined(), 4711);
}

static void mask_now(int signal, siginfo_t *info, void *context)
{
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    last_value = sigismember(&set, SIGUSR1) | sigismember(&set, SIGUSR2) << 1 |
                 sigismember(&set, SIGHUP) << 2;
}

TEST(masks_of_handlers)
{
    struct sigaction a = {.sa_sigaction = mask_now, .sa_flags = SA_SIGINFO};
    sigset_t set;
    sigaddset(&a.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
    CHECK_EQ(last_value, 3);
    sigprocmask(SIG_BLOCK, NULL, &set);
    CHECK(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGUSR2));
}

TEST(exceptions_are_told_apart)
{
    for (int i = 0; i < machine_n_faults; i++) {
        struct trial t = trial_of(machine_fault, &i);
        bool ok = CHECK_EQ(t.signal, machine_faults[i].signal);
        ok &= CHECK_EQ(t.code, machine_faults[i].code);
        if (!ok)
            printf("# exception %d: signal %d, code %d\n", i, t.signal, t.code);
    }
}

TEST(default_actions_are_the_kernels)
{
    static const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGUSR1, SIGPIPE};
    int status;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        signal(signals[i], SIG_DFL);
        pid_t child = fork();
        if (!child) {
            raise(signals[i]);
            _exit(0);
        }
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
    }
    pid_t child = fork();
    if (!child) {
        raise(SIGSTOP);
        _exit(5);
    }
    waitpid(child, &status, WUNTRACED);
    CHECK(WIFSTOPPED(status));
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static void fast(int signal, siginfo_t *info, void *context)
{
    machine_spoil_vectors();
    n_seen++;
}

TEST(vector_registers_survive_handlers)
{
    u32 in[8] = {1, 2, 3, 4, 5, 6, 7, 8}, out[8] = {0};
    if (!machine_has_vectors())
        SKIP("missing AVX2 or LASX");
    handle(SIGALRM, SA_RESTART, fast);
    alarm_in(30);
    n_seen = 0;
    machine_hold_vector(in, out, &n_seen);
    CHECK_EQ(memcmp(in, out, sizeof(in)), 0);
}

static void *storm(void *opaque)
{
    pthread_t to = *(pthread_t *)opaque;
    for (int i = 0; i < 2000; i++)
        pthread_kill(to, SIGUSR1 + 2 * (i & 1));
    return NULL;
}

TEST(a_storm_loses_no_calls)
{
    pthread_t self = pthread_self(), other;
    int fds[2], n = 0;
    REQUIRE(pipe(fds) == 0);
    handle(SIGUSR1, SA_RESTART, note);
    handle(SIGUSR2, SA_RESTART, note);
    pthread_create(&other, NULL, storm, &self);
    for (u32 i = 0; i < 3000; i++) {
        u32 got = 0;
        CHECK_EQ(write(fds[1], &i, sizeof(i)), sizeof(i));
        CHECK_EQ(read(fds[0], &got, sizeof(got)), sizeof(got));
        n += got == i;
    }
    pthread_join(other, NULL);
    CHECK_EQ(n, 3000);
    CHECK(n_seen > 0);
}
