// SPDX-License-Identifier: Apache-2.0
// Handlers of page faults: what they interrupt goes on as it was, whatever else happens at the same
// time.
#include "test/dune/heap.h"

#include <pthread.h>
#include <string.h>
#include <sys/time.h>

enum { THREADS = 8 };

// Of the signals that come in between: so many that the program still gets on.
#if defined(__loongarch64)
enum { PERIOD_US = 2000 };
#else
enum { PERIOD_US = 150 };
#endif

static volatile u64 n_signals;

static void on_alarm(int signal)
{
    n_signals++;
}

// A signal may come at each instruction between the fault and the program.
TEST(signals_come_at_any_place)
{
    struct itimerval each = {{0, PERIOD_US}, {0, PERIOD_US}}, none = {{0, 0}, {0, 0}};
    n_signals = 0;
    signal(SIGALRM, on_alarm);
    BEGIN(heap_give);
    setitimer(ITIMER_REAL, &each, NULL);
    u64 start = heap_now_ns();
    int expected = 1, n_wrong = 0;
    while (heap_now_ns() - start < 1500000000) {
        dune_protect(heap, HEAP, PROT_READ);
        for (int i = 0; i < PAGES; i++)
            heap[i * PAGE] = (u8)(i + 1);
        for (int i = 0; i < PAGES; i++)
            n_wrong += heap[i * PAGE] != (u8)(i + 1);
        expected += PAGES;
    }
    setitimer(ITIMER_REAL, &none, NULL);
    CHECK_EQ(n_faults, expected);
    CHECK_EQ(n_wrong, 0);
    CHECK(n_signals > 50);
    heap_end();
}

static void *fault_often(void *opaque)
{
    u8 *mine = heap_map(HEAP);
    memset(mine, 1, HEAP);
    for (int round = 0; round < 20; round++) {
        dune_protect(mine, HEAP, PROT_READ);
        for (int i = 0; i < PAGES; i++)
            mine[i * PAGE]++;
    }
    u64 sum = 0;
    for (int i = 0; i < PAGES; i++)
        sum += mine[i * PAGE];
    munmap(mine, HEAP);
    return (void *)sum;
}

TEST(threads_fault_at_the_same_time)
{
    pthread_t threads[THREADS];
    BEGIN(heap_give);
    for (int i = 0; i < THREADS; i++)
        pthread_create(threads + i, NULL, fault_often, NULL);
    for (int i = 0; i < THREADS; i++) {
        void *sum;
        pthread_join(threads[i], &sum);
        CHECK_EQ((u64)sum, PAGES * 21);
    }
    CHECK_EQ(n_faults, THREADS * PAGES * 20 + 1);
    heap_end();
}

static pthread_barrier_t barrier;

static void *write_all(void *opaque)
{
    for (int round = 0; round < 100; round++) {
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < PAGES; i++)
            __atomic_fetch_add(heap + i * PAGE, 1, __ATOMIC_RELAXED);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

// Two threads fault on the same page: the second finds the right given, and just goes on.
TEST(two_threads_want_the_same_page)
{
    pthread_t other;
    BEGIN(heap_give);
    memset(heap, 0, HEAP);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&other, NULL, write_all, NULL);
    int n_wrong = 0;
    for (int round = 1; round <= 100; round++) {
        dune_protect(heap, HEAP, PROT_READ);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < PAGES; i++)
            __atomic_fetch_add(heap + i * PAGE, 1, __ATOMIC_RELAXED);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < PAGES; i++)
            n_wrong += heap[i * PAGE] != (u8)(2 * round);
    }
    pthread_join(other, NULL);
    CHECK_EQ(n_wrong, 0);
    CHECK(n_faults >= 100 * PAGES);
    heap_end();
}

static void fault_again(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    frame->rights = PROT_READ | PROT_WRITE;
    if (frame->address >= (u64)heap + PAGE)
        heap[0] = 1;
}

TEST(a_fault_in_a_handler_is_a_signal)
{
    BEGIN(fault_again);
    pid_t child = fork();
    if (!child) {
        dune_protect(heap + PAGE, PAGE, PROT_READ);
        heap[PAGE] = 1;
        dune_protect(heap, 2 * PAGE, PROT_READ);
        heap[PAGE] = 1;
        _exit(1);
    }
    CHECK_EQ(child_status(child), SIGSEGV);
    heap_end();
}

TEST(children_go_on_with_it)
{
    BEGIN(heap_give);
    for (int round = 0; round < 10; round++) {
        dune_protect(heap, HEAP, PROT_READ);
        pid_t child = fork();
        for (int i = 0; i < PAGES; i++)
            heap[i * PAGE] = (u8)round;
        if (!child)
            _exit(n_faults == (round + 1) * PAGES + 1 ? 7 : 8);
        CHECK_EQ(child_status(child), 7 << 8);
    }
    CHECK_EQ(n_faults, 10 * PAGES + 1);
    heap_end();
}

static void fork_inside(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    pid_t child = fork();
    if (!child)
        _exit(6);
    if (child_status(child) == 6 << 8)
        frame->rights = PROT_READ | PROT_WRITE;
    else
        _exit(5);
}

TEST(a_handler_makes_calls_and_children)
{
    BEGIN(fork_inside);
    dune_protect(heap, 8 * PAGE, PROT_READ);
    for (int i = 0; i < 8; i++)
        heap[i * PAGE] = 3;
    CHECK_EQ(n_faults, 9);
    heap_end();
}

static void give_more(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    frame->rights = PROT_READ | PROT_WRITE | PROT_EXEC;
}

// No right at all, then execution, then none of it again.
TEST(all_kinds_of_rights)
{
    BEGIN(give_more);
    heap[2 * PAGE] = 0xc3;
    dune_protect(heap + 2 * PAGE, PAGE, 0);
    CHECK_EQ(((volatile u8 *)heap)[2 * PAGE], 0xc3);
    CHECK_EQ(n_faults, 2);
    dune_protect(heap + 2 * PAGE, PAGE, PROT_READ);
    heap[2 * PAGE + 1] = 1;
    CHECK_EQ(n_faults, 3);
    heap_end();
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    n_signals++;
    dune_protect(heap, PAGE, PROT_READ | PROT_WRITE);
}

TEST(without_a_handler_a_signal_comes)
{
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    BEGIN(heap_give);
    sigaction(SIGSEGV, &a, &old);
    n_signals = 0;
    dune_on_fault(NULL, NULL);
    dune_protect(heap, PAGE, PROT_READ);
    *(volatile u8 *)heap = 4;
    CHECK_EQ(n_signals, 1);
    CHECK_EQ(heap[0], 4);
    CHECK_EQ(n_faults, 1);
    sigaction(SIGSEGV, &old, NULL);
    heap_end();
}
