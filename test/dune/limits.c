// SPDX-License-Identifier: Apache-2.0
// Limits of processes and threads, of a user and of a control group, and storms against them, as a
// program sees them; passes on the host too.
#include "base/test.h"
#include "test/dune/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void *wait_here(void *opaque)
{
    pthread_mutex_lock(opaque);
    pthread_mutex_unlock(opaque);
    return NULL;
}

// Limits count all processes of a user; nobody else is the one that this process becomes.
static bool become_another(rlim_t limit)
{
    uid_t user = 30000 + (uid_t)getpid() % 30000;
    return !setgid(user) && !setuid(user) &&
           !setrlimit(RLIMIT_NPROC, &(struct rlimit){limit, limit});
}

// Threads until the limit; and it goes on when they end.
static int storm_of_threads(void)
{
    static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[200];
    int n = 0, n_refused = 0;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 200; i++) {
        int ret = pthread_create(threads + n, NULL, wait_here, &gate);
        n += ret == 0;
        n_refused += ret == EAGAIN;
    }
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    if (n < 20 || n + n_refused != 200)
        return 3;
    return pthread_create(threads, NULL, wait_here, &gate) || pthread_join(threads[0], NULL);
}

TEST(limits_stop_a_storm_of_threads)
{
    if (geteuid())
        SKIP("only root can become another user, whose processes are counted");
    pid_t child = fork();
    if (!child)
        _exit(become_another(60) ? storm_of_threads() : 2);
    CHECK_EQ(child_status(child), 0);
}

// Forks are refused at the limit, and what was made before lives on.
static int fork_to_the_limit(void)
{
    int n = 0, n_refused = 0, n_good = 0, status;
    if (!become_another(40))
        return 2;
    for (int i = 0; i < 60; i++) {
        pid_t child = fork();
        if (!child) {
            usleep(2500000);
            _exit(0);
        }
        n += child > 0;
        n_refused += child < 0 && errno == EAGAIN;
    }
    while (wait(&status) > 0)
        n_good += status == 0;
    return n < 10 || n + n_refused != 60 || n_refused < 20 || n_good != n;
}

TEST(a_limit_refuses_forks_and_kills_nobody)
{
    if (geteuid())
        SKIP("only root can become another user, whose processes are counted");
    pid_t child = fork();
    if (!child)
        _exit(fork_to_the_limit());
    CHECK_EQ(child_status(child), 0);
}

static pthread_mutex_t crowd = PTHREAD_MUTEX_INITIALIZER;

static void take_places(void)
{
    pthread_t thread;
    while (pthread_create(&thread, NULL, wait_here, &crowd) == 0)
        pthread_detach(thread);
}

// Each place that becomes free is taken while the child executes programs.
static int execute_in_a_crowd(void)
{
    int gate[2], status;
    char byte = 'x';
    pid_t child;
    if (pipe(gate))
        return -1;
    while ((child = fork()) < 0 && errno == EAGAIN)
        usleep(1000); // the last crowd is still leaving
    if (!child) {
        if (read(gate[0], &byte, 1) == 1)
            execl("/bin/sh", "sh", "-c", "exec sh -c 'exec sh -c \"exit 3\"'", NULL);
        _exit(99);
    }
    pthread_mutex_lock(&crowd);
    take_places();
    bool ok = write(gate[1], &byte, 1) == 1;
    while (waitpid(child, &status, WNOHANG) == 0)
        take_places();
    pthread_mutex_unlock(&crowd);
    close(gate[0]);
    close(gate[1]);
    return ok ? status : -1;
}

static int execute_at_the_limit(void)
{
    int n_good = 0;
    if (!become_another(60))
        return 2;
    for (int i = 0; i < 5; i++)
        n_good += execute_in_a_crowd() == 3 << 8;
    return n_good == 5 ? 0 : 10 + n_good;
}

// To execute a program takes no place of a process, so it works where there is none.
TEST(programs_are_executed_at_the_limit)
{
    if (geteuid())
        SKIP("only root can become another user, whose processes are counted");
    pid_t child = fork();
    if (!child)
        _exit(execute_at_the_limit());
    CHECK_EQ(child_status(child), 0);
}

static void fork_for_ever(int depth)
{
    for (int i = 0; i < 4; i++)
        if (fork() == 0 && depth < 8)
            fork_for_ever(depth + 1);
    pause();
}

// Each child goes on forking, until the limit; and one signal ends them all.
TEST(a_fork_bomb_is_stopped_and_cleaned_up)
{
    int status, n_reaped = 0;
    if (geteuid())
        SKIP("only root can become another user, whose processes are counted");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (!child) {
        setpgid(0, 0);
        if (!become_another(50))
            _exit(2);
        fork_for_ever(0);
    }
    usleep(700000);
    CHECK_EQ(kill(-child, SIGKILL), 0);
    while (wait(&status) > 0)
        n_reaped += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    CHECK(n_reaped >= 10 && n_reaped <= 50);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

// Where groups are made: of the unified hierarchy, or of the older one for processes.
static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/pids"};

static bool put(const char *directory, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

static int count_in(const char *group)
{
    char path[256], text[32] = "";
    snprintf(path, sizeof(path), "%s/pids.current", group);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    close(fd);
    return n > 0 ? atoi(text) : -1;
}

static bool make_at(const char *place, char group[128], const char *limit)
{
    snprintf(group, 128, "%s/limits-%d", place, getpid());
    put(place, "cgroup.subtree_control", "+pids");
    if (mkdir(group, 0755))
        return false;
    if (put(group, "pids.max", limit))
        return true;
    rmdir(group);
    return false;
}

static bool group_make(char group[128], const char *limit)
{
    return make_at(places[0], group, limit) || make_at(places[1], group, limit);
}

// Whoever was in it has ended; the kernel takes its time to see that.
static bool group_remove(const char *group)
{
    for (int i = 0; i < 1000 && count_in(group) > 0; i++)
        usleep(10000);
    return rmdir(group) == 0;
}

#define IN_A_GROUP(limit)          \
    char group[128];               \
    if (!group_make(group, limit)) \
    SKIP("no control group of processes can be made here")

// As many as there is room for; each lives until the pipe is closed.
static int fill(int gate[2], int *n_refused)
{
    int n = 0;
    char byte;
    for (int i = 0; i < 60; i++) {
        pid_t child = fork();
        if (!child) {
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) != 0);
        }
        n += child > 0;
        *n_refused += child < 0 && errno == EAGAIN;
    }
    return n;
}

static int reap_well(void)
{
    int n = 0, status;
    while (wait(&status) > 0)
        n += status == 0;
    return n;
}

static int fork_in_a_full_group(const char *group)
{
    int gate[2], n_refused = 0;
    if (!put(group, "cgroup.procs", "0") || pipe(gate))
        return 2;
    int n = fill(gate, &n_refused);
    if (n < 5 || n + n_refused != 60 || n_refused < 40)
        return 3;
    close(gate[1]);
    if (reap_well() != n)
        return 4;
    pid_t child = fork(); // there is room again
    if (!child)
        _exit(0);
    return child < 0 || child_status(child);
}

TEST(a_full_group_refuses_forks_and_kills_nobody)
{
    IN_A_GROUP("20");
    pid_t child = fork();
    if (!child)
        _exit(fork_in_a_full_group(group));
    CHECK_EQ(child_status(child), 0);
    CHECK(group_remove(group));
}

// The last one that there was room for executes a program, and that one another.
static int execute_in_a_full_group(const char *group)
{
    int gate[2], go[2], n_refused = 0;
    char byte = 'x';
    if (!put(group, "cgroup.procs", "0") || pipe(gate) || pipe(go))
        return 2;
    pid_t child = fork();
    if (!child) {
        close(gate[1]);
        if (read(go[0], &byte, 1) == 1)
            execl("/bin/sh", "sh", "-c", "exec sh -c 'exec sh -c \"exit 3\"'", NULL);
        _exit(99);
    }
    int n = fill(gate, &n_refused);
    if (n < 5 || !n_refused || write(go[1], &byte, 1) != 1)
        return 3;
    int status = child_status(child);
    close(gate[1]);
    return reap_well() != n ? 4 : status == 3 << 8 ? 0 : 5;
}

TEST(programs_are_executed_in_a_full_group)
{
    IN_A_GROUP("20");
    pid_t child = fork();
    if (!child)
        _exit(execute_in_a_full_group(group));
    CHECK_EQ(child_status(child), 0);
    CHECK(group_remove(group));
}

TEST(a_full_group_refuses_threads)
{
    IN_A_GROUP("40");
    pid_t child = fork();
    if (!child)
        _exit(put(group, "cgroup.procs", "0") ? storm_of_threads() : 2);
    CHECK_EQ(child_status(child), 0);
    CHECK(group_remove(group));
}

TEST(a_fork_bomb_fills_its_group_only)
{
    IN_A_GROUP("50");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int n_reaped = 0, status;
    pid_t child = fork();
    if (!child) {
        setpgid(0, 0);
        if (!put(group, "cgroup.procs", "0"))
            _exit(2);
        fork_for_ever(0);
    }
    for (int i = 0; i < 500 && count_in(group) < 45; i++)
        usleep(10000);
    CHECK(count_in(group) >= 45);
    CHECK_EQ(kill(-child, SIGKILL), 0);
    while (wait(&status) > 0)
        n_reaped += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    CHECK(n_reaped >= 10 && n_reaped <= 50);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    CHECK(group_remove(group));
}
