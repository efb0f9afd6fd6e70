// SPDX-License-Identifier: Apache-2.0
// Making children and waiting for them, and groups, as a program sees them; passes on the host too.
#include "base/test.h"
#include "test/dune/child.h"
#include "test/dune/fails.h"
#include "test/dune/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static u64 now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000 + (u64)t.tv_nsec / 1000;
}

TEST(a_thousand_forks)
{
    int n_good = 0;
    for (int i = 0; i < 1000; i++) {
        pid_t child = fork();
        if (!child)
            _exit(i & 127);
        n_good += child_status(child) == (i & 127) << 8;
    }
    CHECK_EQ(n_good, 1000);
}

TEST(all_ways_to_wait)
{
    siginfo_t info = {0};
    struct rusage use;
    int status;
    pid_t child = fork();
    if (!child)
        _exit(42);
    CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    CHECK(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 42);
    CHECK_EQ(wait4(child, &status, 0, &use), child);
    CHECK(WEXITSTATUS(status) == 42 && use.ru_maxrss > 0);
    FAILS(waitpid(child, &status, 0), ECHILD);
    FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
    child = fork();
    if (!child)
        pause();
    CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
    kill(child, SIGSTOP);
    CHECK_EQ(waitid(P_PID, (id_t)child, &info, WSTOPPED), 0);
    CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
    kill(child, SIGCONT);
    CHECK_EQ(waitid(P_PID, (id_t)child, &info, WCONTINUED), 0);
    CHECK_EQ(info.si_code, CLD_CONTINUED);
    kill(child, SIGKILL);
    CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED), 0);
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
}

TEST(a_descriptor_of_a_process)
{
    pid_t child = fork();
    if (!child) {
        usleep(20000);
        _exit(3);
    }
    int fd = (int)syscall(434, child, 0); // pidfd_open
    struct pollfd p = {fd, POLLIN, 0};
    siginfo_t info = {0};
    REQUIRE(fd >= 0);
    CHECK_EQ(poll(&p, 1, 10000), 1);
    CHECK_EQ(waitid(3, (id_t)fd, &info, WEXITED), 0); // P_PIDFD
    CHECK_EQ(info.si_status, 3);
    FAILS(syscall(424, fd, 0, NULL, 0), ESRCH); // pidfd_send_signal
    close(fd);
}

TEST(clone3_makes_children)
{
    int fd = -1, tid = 0;
    struct clone_args a = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
                           .pidfd = (u64)&fd,
                           .parent_tid = (u64)&tid,
                           .exit_signal = SIGCHLD};
    long child = syscall(435, &a, sizeof(a));
    if (!child)
        _exit(8);
    CHECK(child > 0 && tid == child && fd >= 0);
    CHECK_EQ(child_status((pid_t)child), 8 << 8);
    close(fd);
    a.exit_signal = 200;
    FAILS(syscall(435, &a, sizeof(a)), EINVAL);
    a = (struct clone_args){.flags = CLONE_THREAD, .exit_signal = 0};
    FAILS(syscall(435, &a, sizeof(a)), EINVAL);
    FAILS(syscall(435, &a, 8), EINVAL);
    FAILS(syscall(435, (void *)8, sizeof(a)), EFAULT);
}

// As posix_spawn does it: the memory is the parent's, the stack is not, and handlers are reset.
TEST(clone3_borrows_memory)
{
    u8 *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static volatile int mark;
    struct clone_args a = {.flags = CLONE_VM | CLONE_VFORK | (1ULL << 32), // CLONE_CLEAR_SIGHAND
                           .exit_signal = SIGCHLD,
                           .stack = (u64)stack,
                           .stack_size = 65536};
    signal(SIGUSR1, exit);
    long child = machine_clone3(&a, sizeof(a), &mark);
    CHECK_EQ(mark, 77);
    CHECK_EQ(child_status((pid_t)child), 9 << 8);
    signal(SIGUSR1, SIG_DFL);
    munmap(stack, 65536);
}

static volatile int n_handled;

static void count(int signal)
{
    n_handled++;
}

TEST(vfork_and_signals)
{
    int status;
    signal(SIGUSR1, count);
    n_handled = 0;
    for (int i = 0; i < 50; i++) {
        pid_t parent = getpid(), child = vfork();
        if (!child) {
            kill(parent, SIGUSR1); // comes when the parent goes on
            _exit(n_handled == i ? 5 : 6);
        }
        CHECK_EQ(n_handled, i + 1);
        waitpid(child, &status, 0);
        if (!CHECK_EQ(WEXITSTATUS(status), 5))
            break;
    }
    signal(SIGUSR1, SIG_DFL);
}

static void *spawner(void *opaque)
{
    volatile u64 n_good = 0;
    for (int i = 0; i < 10; i++) {
        pid_t child = vfork();
        if (!child)
            execl("/bin/true", "true", NULL);
        n_good += child_status(child) == 0;
    }
    return (void *)n_good;
}

TEST(threads_vfork_at_the_same_time)
{
    pthread_t threads[6];
    void *good;
    for (int i = 0; i < 6; i++)
        REQUIRE(pthread_create(threads + i, NULL, spawner, NULL) == 0);
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], &good);
        CHECK_EQ((u64)good, 10);
    }
}

TEST(groups_and_sessions)
{
    int fds[2];
    pid_t seen[3] = {0};
    REQUIRE(pipe(fds) == 0);
    pid_t child = fork();
    if (!child) {
        pid_t said[3] = {setsid(), getpgrp(), getsid(0)};
        _exit(write(fds[1], said, sizeof(said)) != sizeof(said));
    }
    CHECK_EQ(read(fds[0], seen, sizeof(seen)), sizeof(seen));
    CHECK(seen[0] == child && seen[1] == child && seen[2] == child);
    CHECK_EQ(child_status(child), 0);
    child = fork();
    if (!child)
        pause();
    CHECK_EQ(setpgid(child, 0), 0);
    CHECK_EQ(getpgid(child), child);
    CHECK_EQ(killpg(child, SIGTERM), 0);
    CHECK_EQ(child_status(child), SIGTERM);
    FAILS(setpgid(1, 0), ESRCH);
    close(fds[0]);
    close(fds[1]);
}

TEST(settings_of_a_process)
{
    char name[16] = "";
    int value = 0;
    CHECK_EQ(prctl(PR_SET_NAME, "renamed"), 0);
    CHECK_EQ(prctl(PR_GET_NAME, name), 0);
    CHECK_STR(name, "renamed");
    CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR2), 0);
    CHECK_EQ(prctl(PR_GET_PDEATHSIG, &value), 0);
    CHECK_EQ(value, SIGUSR2);
    prctl(PR_SET_PDEATHSIG, 0);
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &value), 0);
    CHECK_EQ(value, 1);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    FAILS(prctl(9999, 0, 0, 0, 0), EINVAL);
    errno = 0;
    value = getpriority(PRIO_PROCESS, 0); // not 0 where the tests run below it
    CHECK_EQ(errno, 0);
    if (value < 19) {
        CHECK_EQ(setpriority(PRIO_PROCESS, 0, value + 1), 0);
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), value + 1);
    }
    cpu_set_t set;
    CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
    CHECK(CPU_COUNT(&set) > 0);
    CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

// An orphan's parent's death is told, and so is the death of a parent by SIGKILL.
TEST(a_parents_death_is_told)
{
    int fds[2];
    char got = 0;
    REQUIRE(pipe(fds) == 0);
    pid_t parent = fork();
    if (!parent) {
        if (!fork()) {
            sigset_t set;
            int which;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR1);
            sigprocmask(SIG_BLOCK, &set, NULL);
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            if (write(fds[1], "r", 1) != 1 || sigwait(&set, &which))
                _exit(1);
            _exit(write(fds[1], "d", 1) != 1);
        }
        pause();
    }
    CHECK_EQ(read(fds[0], &got, 1), 1);
    kill(parent, SIGKILL);
    CHECK_EQ(child_status(parent), SIGKILL);
    CHECK_EQ(read(fds[0], &got, 1), 1);
    CHECK_EQ(got, 'd');
    close(fds[0]);
    close(fds[1]);
}

TEST(programs_by_descriptor)
{
    int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
    pid_t child = fork();
    if (!child) {
        fexecve(fd, (char *[]){"true", NULL}, (char *[]){NULL});
        _exit(99);
    }
    CHECK_EQ(child_status(child), 0);
    child = fork();
    if (!child) {
        syscall(SYS_execveat, AT_FDCWD, "/bin/sh", (char *[]){"sh", "-c", "exit 4", NULL}, NULL, 0);
        _exit(99);
    }
    CHECK_EQ(child_status(child), 4 << 8);
    FAILS(syscall(SYS_execveat, fd, "x", (char *[]){"x", NULL}, NULL, 0), ENOTDIR);
    close(fd);
}

// What a program is given stays what it is when another one takes its place.
TEST(what_survives_exec)
{
    char text[] = "trap '' INT; test \"$(ulimit -c)\" = 5 && "
                  "test \"$(grep SigIgn /proc/self/status | tail -c 4)\" = 202 && exit 6";
    struct rlimit five = {5 * 512, RLIM_INFINITY};
    getrlimit(RLIMIT_CORE, &five);
    if (five.rlim_max < 5 * 512)
        SKIP("the limit of core files is too low");
    pid_t child = fork();
    if (!child) {
        sigset_t set;
        sigemptyset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
        for (int i = 1; i < 65; i++)
            signal(i, SIG_DFL);
        signal(SIGUSR1, SIG_IGN);
        five.rlim_cur = 5 * 512;
        setrlimit(RLIMIT_CORE, &five);
        execl("/bin/sh", "sh", "-c", text, NULL);
        _exit(99);
    }
    CHECK_EQ(child_status(child), 6 << 8);
}

static int told;

static void tell(int signal)
{
    if (write(told, "h", 1) != 1)
        abort();
}

// A child that has a handler executes a program that has none: 1 if the signal that came `us` after
// it said so was handled or ended it, 0 if it was lost.
static int signal_at_exec(int us)
{
    int ready[2], handled[2], status;
    char byte;
    if (pipe(ready) || pipe2(handled, O_NONBLOCK))
        return 0;
    pid_t child = fork();
    if (!child) {
        told = handled[1];
        signal(SIGUSR1, tell);
        if (write(ready[1], "r", 1) == 1)
            execl("/bin/sleep", "sleep", "0.1", NULL);
        _exit(99);
    }
    int ok = read(ready[0], &byte, 1) == 1;
    for (u64 start = now_us(); now_us() < start + (u64)us;)
        ;
    kill(child, SIGUSR1);
    status = child_status(child);
    ok &= status == SIGUSR1 || (status == 0 && read(handled[0], &byte, 1) == 1);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(handled[i]);
    }
    return ok;
}

TEST(no_signal_is_lost_by_exec)
{
    int n_good = 0;
    for (int i = 0; i < 80; i++)
        n_good += signal_at_exec(i * 13);
    CHECK_EQ(n_good, 80);
}
