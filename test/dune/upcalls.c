// SPDX-License-Identifier: Apache-2.0
// Handlers of page faults that are reached inside the guest: what they interrupt goes on as it was,
// whatever else happens at the same time.
#include "base/test.h"
#include "include/longhouse/dune.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64, THREADS = 8 };

static _Atomic int n_faults;
static u8 *heap;

static u8 *map(u64 size)
{
    u8 *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void give(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    frame->rights = PROT_READ | PROT_WRITE;
}

// Guest mode with a handler; the first fault of a thread still goes by way of the monitor.
static bool begin(dune_fault_fn *handler)
{
    heap = map(PAGES * PAGE);
    memset(heap, 1, PAGES * PAGE);
    n_faults = 0;
    if (dune_enter())
        return false;
    dune_on_fault(handler, NULL);
    dune_protect(heap, PAGE, PROT_READ);
    heap[0] = 2;
    return true;
}

static void end(void)
{
    dune_on_fault(NULL, NULL);
    dune_leave();
    munmap(heap, PAGES * PAGE);
}

#define BEGIN(handler)   \
    if (!begin(handler)) \
    SKIP("missing guest mode")

static u64 now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

TEST(a_handler_costs_less_than_an_exit)
{
    struct dune_info info = {0};
    u64 best = ~0ULL;
    dune_check(&info);
    BEGIN(give);
    for (int round = 0; round < 60; round++) {
        dune_protect(heap, PAGES * PAGE, PROT_READ);
        u64 start = now();
        for (int i = 0; i < PAGES; i++)
            heap[i * PAGE] = (u8)i;
        u64 took = (now() - start) / PAGES;
        best = took < best ? took : best;
    }
    CHECK_EQ(n_faults, 60 * PAGES + 1);
    end();
    printf("# a fault, its handler and back: %llu ns; an exit: %llu ns\n", (unsigned long long)best,
           (unsigned long long)info.exit_ns);
    CHECK(best < info.exit_ns);
}

static void clobber(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    frame->rights = PROT_READ | PROT_WRITE;
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm15, %%xmm15; fninit; std; cld"
                     :
                     :
                     : "xmm0", "xmm15", "cc", "memory");
}

// Red zone, general registers, flags and vectors.
TEST(nothing_else_changes)
{
    u64 r[10] = {0}, x[2] = {0x1122334455667788, 42}, y[2] = {0};
    BEGIN(clobber);
    for (int i = 0; i < PAGES; i++) {
        dune_protect(heap + i * PAGE, PAGE, PROT_READ);
        __asm__ volatile("movdqu %[x], %%xmm15\n movq $77, -8(%%rsp)\n movq $78, -128(%%rsp)\n"
                         "mov $1, %%eax\n mov $2, %%ebx\n mov $3, %%ecx\n mov $4, %%edx\n"
                         "mov $8, %%r8d\n mov $11, %%r11d\n mov $15, %%r15d\n"
                         "stc\n std\n movb $5, (%[at])\n"
                         "pushfq\n pop %%r9\n cld\n"
                         "mov %%rax, 0(%[r])\n mov %%rbx, 8(%[r])\n mov %%rcx, 16(%[r])\n"
                         "mov %%rdx, 24(%[r])\n mov %%r8, 32(%[r])\n mov %%r11, 40(%[r])\n"
                         "mov %%r15, 48(%[r])\n mov %%r9, 56(%[r])\n"
                         "mov -128(%%rsp), %%rax\n mov %%rax, 72(%[r])\n movdqu %%xmm15, %[y]"
                         : [y] "=m"(y)
                         : [x] "m"(x), [at] "S"(heap + i * PAGE), [r] "D"(r)
                         : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r11", "r15", "xmm15", "memory",
                           "cc");
        CHECK(r[0] == 1 && r[1] == 2 && r[2] == 3 && r[3] == 4 && r[4] == 8 && r[5] == 11 &&
              r[6] == 15 && r[9] == 78);
        CHECK_EQ(r[7] & 0x401, 0x401); // carry and direction
        CHECK(!memcmp(x, y, sizeof(x)));
        CHECK_EQ(heap[i * PAGE], 5);
    }
    CHECK_EQ(n_faults, PAGES + 1);
    end();
}

static volatile u64 n_signals;

static void on_alarm(int signal)
{
    n_signals++;
}

// A signal may come at each instruction between the fault and the program.
TEST(signals_come_at_any_place)
{
    struct itimerval each = {{0, 150}, {0, 150}}, none = {{0, 0}, {0, 0}};
    n_signals = 0;
    signal(SIGALRM, on_alarm);
    BEGIN(give);
    setitimer(ITIMER_REAL, &each, NULL);
    u64 start = now();
    int expected = 1, n_wrong = 0;
    while (now() - start < 1500000000) {
        dune_protect(heap, PAGES * PAGE, PROT_READ);
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
    end();
}

static void *fault_often(void *opaque)
{
    u8 *mine = map(PAGES * PAGE);
    memset(mine, 1, PAGES * PAGE);
    for (int round = 0; round < 20; round++) {
        dune_protect(mine, PAGES * PAGE, PROT_READ);
        for (int i = 0; i < PAGES; i++)
            mine[i * PAGE]++;
    }
    u64 sum = 0;
    for (int i = 0; i < PAGES; i++)
        sum += mine[i * PAGE];
    munmap(mine, PAGES * PAGE);
    return (void *)sum;
}

TEST(threads_fault_at_the_same_time)
{
    pthread_t threads[THREADS];
    BEGIN(give);
    for (int i = 0; i < THREADS; i++)
        pthread_create(threads + i, NULL, fault_often, NULL);
    for (int i = 0; i < THREADS; i++) {
        void *sum;
        pthread_join(threads[i], &sum);
        CHECK_EQ((u64)sum, PAGES * 21);
    }
    CHECK_EQ(n_faults, THREADS * PAGES * 20 + 1);
    end();
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
    BEGIN(give);
    memset(heap, 0, PAGES * PAGE);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&other, NULL, write_all, NULL);
    int n_wrong = 0;
    for (int round = 1; round <= 100; round++) {
        dune_protect(heap, PAGES * PAGE, PROT_READ);
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
    end();
}

static void write_with_stack(u8 *at, u64 sp)
{
    __asm__ volatile("mov %%rsp, %%rbx\n mov %1, %%rsp\n movb $9, (%0)\n mov %%rbx, %%rsp"
                     :
                     : "r"(at), "r"(sp)
                     : "rbx", "memory");
}

TEST(a_stack_that_nothing_has_touched)
{
    BEGIN(give);
    for (u64 i = 1; i < 20; i++) {
        // Far from everything: the guest's tables have nothing there yet.
        u8 *stack = mmap((void *)(0x100000000000 + (i << 30)), 1 << 20, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        dune_protect(heap, PAGE, PROT_READ);
        write_with_stack(heap, (u64)stack + (1 << 20));
        CHECK_EQ(heap[0], 9);
        munmap(stack, 1 << 20);
    }
    CHECK_EQ(n_faults, 20);
    end();
}

static int status_of(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

TEST(a_stack_that_is_none)
{
    BEGIN(give);
    dune_protect(heap, PAGE, PROT_READ);
    pid_t child = fork();
    if (!child) {
        heap[0] = 1; // this vCPU is new: by way of the monitor
        dune_protect(heap, PAGE, PROT_READ);
        write_with_stack(heap, 0x1000);
        _exit(1);
    }
    CHECK_EQ(status_of(child), SIGSEGV);
    end();
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
    CHECK_EQ(status_of(child), SIGSEGV);
    end();
}

TEST(children_go_on_with_it)
{
    BEGIN(give);
    for (int round = 0; round < 10; round++) {
        dune_protect(heap, PAGES * PAGE, PROT_READ);
        pid_t child = fork();
        for (int i = 0; i < PAGES; i++)
            heap[i * PAGE] = (u8)round;
        if (!child)
            _exit(n_faults == (round + 1) * PAGES + 1 ? 7 : 8);
        CHECK_EQ(status_of(child), 7 << 8);
    }
    CHECK_EQ(n_faults, 10 * PAGES + 1);
    end();
}

static void fork_inside(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    pid_t child = fork();
    if (!child)
        _exit(6);
    if (status_of(child) == 6 << 8)
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
    end();
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
    heap[2 * PAGE] = 0xc3; // ret
    dune_protect(heap + 2 * PAGE, PAGE, 0);
    CHECK_EQ(((volatile u8 *)heap)[2 * PAGE], 0xc3);
    CHECK_EQ(n_faults, 2);
    dune_protect(heap + 2 * PAGE, PAGE, PROT_READ);
    heap[2 * PAGE + 1] = 1;
    CHECK_EQ(n_faults, 3);
    end();
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    n_signals++;
    dune_protect(heap, PAGE, PROT_READ | PROT_WRITE);
}

TEST(without_a_handler_a_signal_comes)
{
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    BEGIN(give);
    sigaction(SIGSEGV, &a, &old);
    n_signals = 0;
    dune_on_fault(NULL, NULL);
    dune_protect(heap, PAGE, PROT_READ);
    *(volatile u8 *)heap = 4;
    CHECK_EQ(n_signals, 1);
    CHECK_EQ(heap[0], 4);
    CHECK_EQ(n_faults, 1);
    sigaction(SIGSEGV, &old, NULL);
    end();
}
