// SPDX-License-Identifier: Apache-2.0
// Threads as a program sees them; passes on the host too.
#include "base/test.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 64 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static u64 counter;
static __thread u64 own;

static void *count(void *opaque)
{
    own = (u64)opaque;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return (void *)(own + 1);
}

TEST(sixty_four_threads_share_a_lock)
{
    pthread_t threads[MANY];
    counter = 0;
    pthread_barrier_init(&barrier, NULL, MANY);
    for (u64 i = 0; i < MANY; i++)
        REQUIRE(pthread_create(threads + i, NULL, count, (void *)i) == 0);
    for (u64 i = 0; i < MANY; i++) {
        void *result;
        pthread_join(threads[i], &result);
        CHECK_EQ((u64)result, i + 1);
    }
    CHECK_EQ(counter, MANY * 200);
}

static void *nothing(void *opaque)
{
    return opaque;
}

TEST(threads_come_and_go)
{
    for (int i = 0; i < 500; i++) {
        pthread_t t;
        REQUIRE(pthread_create(&t, NULL, nothing, NULL) == 0);
        pthread_join(t, NULL);
    }
}

static void *compute(void *opaque)
{
    double x = (double)(u64)opaque;
    for (int i = 0; i < 20000; i++) {
        x = x * 1.0000001 + 0.5;
        if (i % 100 == 0)
            sched_yield();
    }
    double *result = malloc(sizeof(x));
    *result = x;
    return result;
}

TEST(floating_point_is_each_threads_own)
{
    pthread_t threads[8];
    for (u64 i = 0; i < 8; i++)
        pthread_create(threads + i, NULL, compute, (void *)i);
    for (u64 i = 0; i < 8; i++) {
        double *got, *expected = compute((void *)i);
        pthread_join(threads[i], (void **)&got);
        CHECK(*got == *expected);
        free(got);
        free(expected);
    }
}

static u8 *page;
static volatile int stage;

static void *reader(void *opaque)
{
    while (stage == 0)
        (void)*(volatile u8 *)page;
    return (void *)(u64)trial_write(page).code;
}

TEST(rights_that_one_thread_takes_are_gone_for_all)
{
    pthread_t t;
    void *code;
    page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[0] = 1;
    stage = 0;
    pthread_create(&t, NULL, reader, NULL);
    usleep(20000);
    mprotect(page, PAGE, PROT_READ);
    stage = 1;
    pthread_join(t, &code);
    CHECK_EQ((u64)code, SEGV_ACCERR);
}

static void *sleeper(void *opaque)
{
    sleep(100);
    return NULL;
}

TEST(a_sleeping_thread_is_cancelled)
{
    pthread_t t;
    void *result;
    pthread_create(&t, NULL, sleeper, NULL);
    usleep(20000);
    pthread_cancel(t);
    pthread_join(t, &result);
    CHECK(result == PTHREAD_CANCELED);
}

TEST(the_process_ends_with_threads_running)
{
    int status;
    pid_t child = fork();
    if (!child) {
        pthread_t t;
        for (int i = 0; i < 8; i++)
            pthread_create(&t, NULL, sleeper, NULL);
        _exit(9);
    }
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

static void *forker(void *opaque)
{
    int status = -1;
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (!child)
            _exit(own == 0 ? 3 : 4);
        waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 3)
            return (void *)1;
    }
    return NULL;
}

TEST(threads_fork_at_the_same_time)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(threads + i, NULL, forker, NULL);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        CHECK(!result);
    }
}

// Registers that a call does not use hold anything, pointers of nobody's among them.
TEST(what_a_call_does_not_use_does_not_matter)
{
    u32 word = 0;
    u64 junk = 0x7ff012345678;
    CHECK_EQ(syscall(SYS_futex, &word, 1, 1, junk, junk, junk), 0); // FUTEX_WAKE
    int status;
    long child = syscall(SYS_clone, SIGCHLD, 0, junk, junk, junk);
    if (!child)
        _exit(3);
    CHECK(child > 0);
    CHECK_EQ(waitpid((pid_t)child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 3);
    unsigned cpu;
    CHECK_EQ(syscall(SYS_getcpu, &cpu, NULL, junk), 0);
}

TEST(ids_are_the_kernels)
{
    CHECK_EQ(syscall(SYS_gettid), getpid());
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 0);
    unsigned cpu = 1000000;
    CHECK_EQ(syscall(SYS_getcpu, &cpu, NULL, NULL), 0);
    CHECK(cpu < 100000);
}

TEST(time_goes_forward)
{
    struct timespec before, now;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 100000; i++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        bool later = now.tv_sec > before.tv_sec ||
                     (now.tv_sec == before.tv_sec && now.tv_nsec >= before.tv_nsec);
        if (!CHECK(later))
            return;
        before = now;
    }
    struct timespec by_kernel;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &by_kernel);
    CHECK(by_kernel.tv_sec - now.tv_sec <= 1);
}
