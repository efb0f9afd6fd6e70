// SPDX-License-Identifier: Apache-2.0
// What threads and processes wait for each other with, as a program sees it; passes on the host
// too.
#include "base/test.h"
#include "test/dune/fails.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long futex(u32 *word, int op, u32 value, const void *timeout, u32 *second, u32 third)
{
    return syscall(SYS_futex, word, op, value, timeout, second, third);
}

static void *shared(u64 size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

TEST(futexes_that_do_not_wait)
{
    u32 word = 5, other = 0;
    struct timespec soon = {0, 2000000}, bad = {0, 2000000000};
    FAILS(futex(&word, FUTEX_WAIT, 6, NULL, NULL, 0), EAGAIN);
    FAILS(futex(&word, FUTEX_WAIT, 5, &soon, NULL, 0), ETIMEDOUT);
    FAILS(futex(&word, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL);
    FAILS(futex((u32 *)((u8 *)&word + 1), FUTEX_WAIT, 5, NULL, NULL, 0), EINVAL);
    FAILS(futex((u32 *)8, FUTEX_WAIT, 5, NULL, NULL, 0), EFAULT);
    FAILS(futex(&word, 99, 5, NULL, NULL, 0), ENOSYS);
    CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    FAILS(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other, 6), EAGAIN);
    FAILS(futex(&word, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0), EINVAL);
}

static struct {
    u32 word, other;
    atomic_int n_waiting, n_woken;
} room;

static void *wait_in_room(void *opaque)
{
    room.n_waiting++;
    while (__atomic_load_n(&room.word, __ATOMIC_ACQUIRE) == 0)
        futex(&room.word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    room.n_woken++;
    return NULL;
}

TEST(waiters_are_moved_and_woken)
{
    enum { N = 8 };
    pthread_t threads[N];
    memset(&room, 0, sizeof(room));
    for (int i = 0; i < N; i++)
        REQUIRE(pthread_create(threads + i, NULL, wait_in_room, NULL) == 0);
    while (room.n_waiting < N)
        usleep(1000);
    long moved = 0;
    for (int i = 0; i < 500 && moved < N; i++) {
        long n = futex(&room.word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)N, &room.other, 0);
        moved += n > 0 ? n : 0;
        usleep(1000);
    }
    CHECK_EQ(moved, N);
    CHECK_EQ(room.n_woken, 0);
    __atomic_store_n(&room.word, 1, __ATOMIC_RELEASE);
    CHECK_EQ(futex(&room.word, FUTEX_WAKE_PRIVATE, N, NULL, NULL, 0), 0);
    CHECK_EQ(futex(&room.other, FUTEX_WAKE_PRIVATE, 3, NULL, NULL, 0), 3);
    CHECK_EQ(futex(&room.other, FUTEX_WAKE_PRIVATE, 99, NULL, NULL, 0), N - 3);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(room.n_woken, N);
}

struct both {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    u64 counter;
};

TEST(processes_share_a_mutex)
{
    struct both *b = shared(sizeof(*b));
    pthread_mutexattr_t m;
    pthread_condattr_t c;
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&b->mutex, &m);
    pthread_condattr_init(&c);
    pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&b->cond, &c);
    for (int i = 0; i < 6; i++)
        if (!fork()) {
            for (int n = 0; n < 200; n++) {
                pthread_mutex_lock(&b->mutex);
                b->counter++;
                pthread_cond_signal(&b->cond);
                pthread_mutex_unlock(&b->mutex);
            }
            _exit(0);
        }
    pthread_mutex_lock(&b->mutex);
    while (b->counter < 1200)
        pthread_cond_wait(&b->cond, &b->mutex);
    pthread_mutex_unlock(&b->mutex);
    while (wait(NULL) > 0)
        ;
    CHECK_EQ(b->counter, 1200);
    munmap(b, sizeof(*b));
}

static pthread_mutex_t robust;

static void *die_with_it(void *opaque)
{
    pthread_mutex_lock(&robust);
    return NULL;
}

TEST(a_mutex_of_a_thread_that_died)
{
    pthread_mutexattr_t m;
    pthread_t t;
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setrobust(&m, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &m);
    pthread_create(&t, NULL, die_with_it, NULL);
    pthread_join(t, NULL);
    CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&robust), 0);
    CHECK_EQ(pthread_mutex_unlock(&robust), 0);
    CHECK_EQ(pthread_mutex_lock(&robust), 0);
    pthread_mutex_unlock(&robust);
}

TEST(a_mutex_of_a_process_that_was_killed)
{
    struct both *b = shared(sizeof(*b));
    pthread_mutexattr_t m;
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setrobust(&m, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&b->mutex, &m);
    pid_t child = fork();
    if (!child) {
        pthread_mutex_lock(&b->mutex);
        __atomic_store_n(&b->counter, 1, __ATOMIC_RELEASE);
        pause();
    }
    while (!__atomic_load_n(&b->counter, __ATOMIC_ACQUIRE))
        usleep(1000);
    CHECK_EQ(pthread_mutex_trylock(&b->mutex), EBUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK_EQ(pthread_mutex_lock(&b->mutex), EOWNERDEAD);
    munmap(b, sizeof(*b));
}

static pthread_mutex_t inherited;

static void *lock_and_count(void *opaque)
{
    u64 *n = opaque;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&inherited);
        ++*n;
        pthread_mutex_unlock(&inherited);
    }
    return NULL;
}

TEST(a_mutex_with_priorities)
{
    pthread_mutexattr_t m;
    pthread_t threads[6];
    u64 n = 0;
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setprotocol(&m, PTHREAD_PRIO_INHERIT);
    REQUIRE(pthread_mutex_init(&inherited, &m) == 0);
    for (int i = 0; i < 6; i++)
        pthread_create(threads + i, NULL, lock_and_count, &n);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(n, 3000);
}

TEST(semaphores)
{
    sem_t *s = shared(sizeof(*s));
    struct timespec until;
    REQUIRE(sem_init(s, 1, 0) == 0);
    FAILS(sem_trywait(s), EAGAIN);
    clock_gettime(CLOCK_REALTIME, &until);
    FAILS(sem_timedwait(s, &until), ETIMEDOUT);
    pid_t child = fork();
    if (!child) {
        usleep(10000);
        _exit(sem_post(s) || sem_post(s));
    }
    CHECK_EQ(sem_wait(s), 0);
    CHECK_EQ(sem_wait(s), 0);
    waitpid(child, NULL, 0);
    munmap(s, sizeof(*s));
}

TEST(system_v_semaphores_and_messages)
{
    union {
        int value;
        struct semid_ds *ds;
        u16 *array;
    } arg;
    struct semid_ds ds;
    u16 values[2] = {3, 0};
    int id = semget(IPC_PRIVATE, 2, 0600);
    REQUIRE(id >= 0);
    arg.array = values;
    CHECK_EQ(semctl(id, 0, SETALL, arg), 0);
    struct sembuf down = {1, -1, 0}, up = {1, 2, 0}, none = {1, -5, IPC_NOWAIT};
    pid_t child = fork();
    if (!child)
        _exit(semop(id, &down, 1));
    usleep(5000);
    CHECK_EQ(semop(id, &up, 1), 0);
    int status = 1;
    waitpid(child, &status, 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(semctl(id, 1, GETVAL), 1);
    FAILS(semop(id, &none, 1), EAGAIN);
    arg.ds = &ds;
    CHECK_EQ(semctl(id, 0, IPC_STAT, arg), 0);
    CHECK_EQ(ds.sem_nsems, 2);
    CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
    FAILS(semop(id, &up, 1), EINVAL);
    struct {
        long type;
        char text[8];
    } message = {7, "hello"}, got = {0};
    int queue = msgget(IPC_PRIVATE, 0600);
    CHECK_EQ(msgsnd(queue, &message, 6, 0), 0);
    CHECK_EQ(msgrcv(queue, &got, 8, 7, 0), 6);
    CHECK_STR(got.text, "hello");
    FAILS(msgrcv(queue, &got, 8, 0, IPC_NOWAIT), ENOMSG);
    CHECK_EQ(msgctl(queue, IPC_RMID, NULL), 0);
}

static atomic_int ready, published;

static void *publish(void *opaque)
{
    for (int i = 1; i <= 1000; i++) {
        atomic_store_explicit((atomic_int *)opaque, i, memory_order_relaxed);
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
        atomic_store_explicit(&published, i, memory_order_relaxed);
    }
    return NULL;
}

TEST(barriers_for_all_threads)
{
    pthread_t t;
    int n_wrong = 0;
    long offered = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if (offered < 0 || !(offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED))
        SKIP("this kernel has no membarrier");
    CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
    published = 0;
    pthread_create(&t, NULL, publish, &ready);
    for (int seen = 0; seen < 1000;) {
        seen = atomic_load_explicit(&published, memory_order_relaxed);
        __asm__ volatile("" : : : "memory");
        n_wrong += atomic_load_explicit(&ready, memory_order_relaxed) < seen;
    }
    pthread_join(t, NULL);
    CHECK_EQ(n_wrong, 0);
    FAILS(syscall(SYS_membarrier, 0x40000000, 0, 0), EINVAL);
}

static volatile sig_atomic_t n_interrupts;

static void interrupt(int signal)
{
    n_interrupts++;
}

// A wait that a handler interrupts goes on, and its end is not missed.
TEST(interrupted_waits)
{
    struct sigaction a = {.sa_handler = interrupt};
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    struct timespec until;
    sigaction(SIGUSR1, &a, NULL);
    n_interrupts = 0;
    pid_t parent = getpid(), child = fork();
    if (!child) {
        for (int i = 0; i < 50; i++) {
            kill(parent, SIGUSR1);
            usleep(1000);
        }
        _exit(0);
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 200000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&m);
    int ret = 0;
    while (!ret)
        ret = pthread_cond_timedwait(&c, &m, &until);
    pthread_mutex_unlock(&m);
    CHECK_EQ(ret, ETIMEDOUT);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ; // where the child is slower than the wait
    CHECK(n_interrupts > 10);
    signal(SIGUSR1, SIG_DFL);
}

static void *poke(void *opaque)
{
    u64 one = 1;
    for (int i = 0; i < 1000; i++)
        if (write(*(int *)opaque, &one, 8) != 8)
            return opaque;
    return NULL;
}

TEST(events_are_counted)
{
    int fd = eventfd(0, EFD_SEMAPHORE);
    pthread_t threads[4];
    u64 n = 0, one;
    for (int i = 0; i < 4; i++)
        pthread_create(threads + i, NULL, poke, &fd);
    for (int i = 0; i < 4000; i++)
        n += read(fd, &one, 8) == 8 ? one : 1000000;
    CHECK_EQ(n, 4000);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        CHECK(!wrong);
    }
    close(fd);
}
