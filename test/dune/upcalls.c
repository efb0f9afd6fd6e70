// SPDX-License-Identifier: Apache-2.0
// Handlers that are reached without an exit: what that costs, and what the way there must not
// change. heap_faults.c has what is true of all handlers of page faults.
#include "test/dune/heap.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>

// Ways out of guest mode between here and the last time, without the one that asks.
static long exits_since(long before)
{
    return dune_exits() - before - 1;
}

TEST(what_a_handler_costs)
{
    struct dune_info info = {0};
    u64 best = ~0ULL;
    dune_check(&info);
    BEGIN(heap_give);
    for (int round = 0; round < 60; round++) {
        dune_protect(heap, HEAP, PROT_READ);
        u64 start = heap_now_ns();
        for (int i = 0; i < PAGES; i++)
            heap[i * PAGE] = (u8)i;
        u64 took = (heap_now_ns() - start) / PAGES;
        best = took < best ? took : best;
    }
    CHECK_EQ(n_faults, 60 * PAGES + 1);
    heap_end();
    printf("# a fault, its handler and back: %llu ns; an exit: %llu ns\n", (unsigned long long)best,
           (unsigned long long)info.exit_ns);
    CHECK(best < (u64)machine_exits_worth_a_handler * info.exit_ns);
}

TEST(faults_and_their_handlers_need_no_exit)
{
    BEGIN(heap_give);
    for (int round = 0; round < 20; round++) {
        dune_protect(heap, HEAP, PROT_READ);
        long before = dune_exits();
        for (int i = 0; i < PAGES; i++)
            heap[i * PAGE] = (u8)i;
        CHECK_EQ(exits_since(before), 0);
    }
    CHECK_EQ(n_faults, 20 * PAGES + 1);
    heap_end();
}

static volatile int n_traps;
static volatile u64 last_trap;

static void skip_trap(struct dune_frame *frame, void *opaque)
{
    n_traps++;
    last_trap = frame->error;
    machine_skip_trap(frame);
}

TEST(traps_have_handlers)
{
    enum { ROUNDS = 50 };
    BEGIN(heap_give);
    n_traps = 0;
    CHECK_EQ(dune_on_trap(skip_trap, NULL), 0);
    for (int kind = 0; kind < machine_n_traps; kind++) {
        machine_trap(kind);
        long before = dune_exits();
        for (int i = 0; i < ROUNDS; i++)
            machine_trap(kind);
        CHECK(exits_since(before) <= machine_exits_per_trap * ROUNDS);
        CHECK_EQ(last_trap, machine_trap_number(kind));
        CHECK_EQ(n_traps, (kind + 1) * (ROUNDS + 1));
    }
    CHECK_EQ(dune_on_trap(NULL, NULL), 0);
    pid_t child = fork();
    if (!child) {
        machine_trap(0);
        _exit(0);
    }
    CHECK(WIFSIGNALED(child_status(child)));
    heap_end();
}

static void skip_bad_store(struct dune_frame *frame, void *opaque)
{
    n_traps++;
    machine_skip_store(frame, 99);
}

// An address that no program has.
TEST(a_trap_by_way_of_the_monitor)
{
    BEGIN(heap_give);
    n_traps = 0;
    dune_on_trap(skip_bad_store, NULL);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(machine_store_and_keep((u8 *)0xdead000000000000), 99);
    CHECK_EQ(n_traps, 10);
    dune_on_trap(NULL, NULL);
    heap_end();
}

static volatile int n_calls;

static void answer(struct dune_frame *frame, void *opaque)
{
    u64 a[6];
    n_calls++;
    dune_frame_arguments(frame, a);
    dune_frame_answer(frame, (u64)opaque + a[0] + a[5]);
}

TEST(calls_have_handlers)
{
    enum { ROUNDS = 50 };
    int n_wrong = 0;
    BEGIN(heap_give);
    n_calls = 0;
    CHECK_EQ(dune_on_call(SYS_getppid, answer, (void *)4000), 0);
    syscall(SYS_getppid, 0, 0, 0, 0, 0, 0);
    long before = dune_exits();
    for (int i = 0; i < ROUNDS; i++)
        n_wrong += syscall(SYS_getppid, i, 0, 0, 0, 0, 7) != 4007 + i;
    long exits = exits_since(before);
    printf("# exits for a call that its handler answers: %ld of %d\n", exits, ROUNDS);
    CHECK(exits <= machine_exits_per_call * ROUNDS);
    CHECK_EQ(n_wrong, 0);
    CHECK_EQ(n_calls, ROUNDS + 1);
    before = dune_exits();
    CHECK(syscall(SYS_gettid) > 0); // has none
    CHECK_EQ(exits_since(before), 1);
    CHECK_EQ(dune_on_call(SYS_getppid, NULL, NULL), 0);
    CHECK_EQ(syscall(SYS_getppid), getppid());
    heap_end();
}

static void *call_often(void *opaque)
{
    enum { ROUNDS = 50 };
    u64 n_wrong = syscall(SYS_getppid, 0, 0, 0, 0, 0, 0) != 4000;
    long before = dune_exits();
    for (int i = 0; i < ROUNDS; i++)
        n_wrong += syscall(SYS_getppid, i, 0, 0, 0, 0, 0) != 4000 + i;
    n_wrong += exits_since(before) > machine_exits_per_call * ROUNDS;
    return (void *)n_wrong;
}

TEST(calls_of_threads_have_handlers)
{
    pthread_t threads[4];
    BEGIN(heap_give);
    dune_on_call(SYS_getppid, answer, (void *)4000);
    for (u32 i = 0; i < ARRAY_LEN(threads); i++)
        pthread_create(threads + i, NULL, call_often, NULL);
    for (u32 i = 0; i < ARRAY_LEN(threads); i++) {
        void *n_wrong = threads;
        pthread_join(threads[i], &n_wrong);
        CHECK(!n_wrong);
    }
    dune_on_call(SYS_getppid, NULL, NULL);
    heap_end();
}

static void make_it(struct dune_frame *frame, void *opaque)
{
    n_calls++;
    dune_frame_answer(frame, (u64)syscall(SYS_getppid) + 1);
}

TEST(a_handler_makes_the_call_itself)
{
    BEGIN(heap_give);
    pid_t parent = getppid();
    n_calls = 0;
    dune_on_call(SYS_getppid, make_it, NULL);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(syscall(SYS_getppid), parent + 1);
    CHECK_EQ(n_calls, 10);
    dune_on_call(SYS_getppid, NULL, NULL);
    heap_end();
}

static void clobber(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    frame->rights = PROT_READ | PROT_WRITE;
    machine_clobber();
}

// General registers, what is below the stack pointer if the ABI keeps that, flags and vectors.
TEST(nothing_else_changes)
{
    BEGIN(clobber);
    for (int i = 0; i < PAGES; i++) {
        dune_protect(heap + i * PAGE, PAGE, PROT_READ);
        CHECK(machine_keeps_all(heap + i * PAGE));
        CHECK_EQ(heap[i * PAGE], 5);
    }
    CHECK_EQ(n_faults, PAGES + 1);
    if (machine_has_vectors()) {
        const u32 in[8] = {1, 2, 3, 4, 5, 6, 7, 8};
        u32 out[8] = {0};
        dune_protect(heap, PAGE, 0);
        machine_hold_vector(in, out, (const int *)(const void *)(heap + 4));
        CHECK(!memcmp(in, out, sizeof(in)));
    }
    heap_end();
}

TEST(a_stack_that_nothing_has_touched)
{
    BEGIN(heap_give);
    for (u64 i = 1; i < 20; i++) {
        // Far from everything: the guest's tables have nothing there yet.
        u8 *stack = mmap((void *)(0x100000000000 + (i << 30)), 1 << 20, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        dune_protect(heap, PAGE, PROT_READ);
        machine_write_with_stack(heap, (u64)stack + (1 << 20));
        CHECK_EQ(heap[0], 9);
        munmap(stack, 1 << 20);
    }
    CHECK_EQ(n_faults, 20);
    heap_end();
}

// Nothing mapped, and addresses that no program has.
TEST(stacks_that_are_none)
{
    static const u64 stacks[] = {0x1000,        0, 64, 1ULL << 63, 0x9000000000000000, ~15ULL,
                                 0x7ffffffffff0};
    BEGIN(heap_give);
    for (u32 i = 0; i < ARRAY_LEN(stacks); i++) {
        dune_protect(heap, PAGE, PROT_READ);
        pid_t child = fork();
        if (!child) {
            heap[0] = 1; // this vCPU is new: by way of the monitor
            dune_protect(heap, PAGE, PROT_READ);
            machine_write_with_stack(heap, stacks[i]);
            _exit(1);
        }
        int status = child_status(child);
        CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS));
    }
    heap_end();
}

static sigjmp_buf back;

static void go_elsewhere(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    dune_end_handler();
    siglongjmp(back, 1);
}

static void __attribute__((noinline)) fault_deep_down(volatile u8 *at)
{
    volatile u8 room[4096] = {0};
    room[77] = 1;
    *at = room[77];
}

TEST(a_handler_goes_elsewhere)
{
    BEGIN(heap_give);
    dune_on_fault(go_elsewhere, NULL);
    n_faults = 0;
    for (volatile int i = 0; i < 30; i++) {
        dune_protect(heap, HEAP, PROT_READ);
        if (sigsetjmp(back, 1) == 0) {
            if (i % 2)
                fault_deep_down(heap);
            else
                heap[0] = 3;
            CHECK(false);
        }
    }
    CHECK_EQ(n_faults, 30);
    dune_on_fault(heap_give, NULL);
    heap[0] = 4;
    CHECK_EQ(n_faults, 31);
    heap_end();
}

static void leave_guest_mode(struct dune_frame *frame, void *opaque)
{
    dune_leave();
    siglongjmp(back, 1);
}

TEST(a_handler_leaves_guest_mode)
{
    for (volatile int i = 0; i < 5; i++) {
        BEGIN(heap_give);
        dune_on_fault(leave_guest_mode, NULL);
        dune_protect(heap, PAGE, PROT_READ);
        if (sigsetjmp(back, 1) == 0) {
            heap[0] = 5;
            CHECK(false);
        }
        CHECK_EQ(dune_active(), 0);
        heap[0] = 6; // the kernel's rights
        CHECK_EQ(dune_enter(), 0);
        dune_on_fault(heap_give, NULL);
        dune_protect(heap, PAGE, PROT_READ);
        heap[0] = 7;
        CHECK_EQ(n_faults, 2);
        heap_end();
    }
}

static volatile int n_signals;

static void on_signal(int signal)
{
    n_signals++;
    heap[2 * PAGE] = (u8)n_signals; // has its rights
}

static void raise_inside(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    raise(SIGUSR1);
    frame->rights = PROT_READ | PROT_WRITE;
}

TEST(a_signal_comes_in_a_handler)
{
    signal(SIGUSR1, on_signal);
    BEGIN(raise_inside);
    n_signals = 0;
    for (int i = 0; i < 20; i++) {
        dune_protect(heap, PAGE, PROT_READ);
        *(volatile u8 *)heap = (u8)i;
        CHECK_EQ(n_signals, i + 1);
        CHECK_EQ(heap[0], i);
    }
    heap_end();
}

static u64 own_stack;

// On the thread's stack, wherever it was interrupted.
static void count_alarm(int signal)
{
    enum { MOST = 1 << 20 };
    u64 here = (u64)__builtin_frame_address(0);
    n_signals += own_stack - here < MOST ? 1 : 1000000;
}

// Traps and calls, at each instruction of whose ways a signal may come.
TEST(signals_come_on_the_way_to_handlers)
{
    struct itimerval each = {{0, 1500}, {0, 1500}}, none = {{0, 0}, {0, 0}};
    own_stack = (u64)__builtin_frame_address(0);
    signal(SIGALRM, count_alarm);
    BEGIN(heap_give);
    dune_on_trap(skip_trap, NULL);
    dune_on_call(SYS_getppid, answer, (void *)5);
    n_signals = n_traps = n_calls = 0;
    setitimer(ITIMER_REAL, &each, NULL);
    u64 start = heap_now_ns();
    int n = 0, n_wrong = 0;
    for (; heap_now_ns() - start < 1000000000; n += 50)
        for (int i = 0; i < 50; i++) {
            n_wrong += syscall(SYS_getppid, i, 0, 0, 0, 0, 0) != 5 + i;
            machine_trap(0);
        }
    setitimer(ITIMER_REAL, &none, NULL);
    CHECK_EQ(n_traps, n);
    CHECK_EQ(n_calls, n);
    CHECK_EQ(n_wrong, 0);
    CHECK(n_signals > 20 && n_signals < 1000000);
    dune_on_trap(NULL, NULL);
    dune_on_call(SYS_getppid, NULL, NULL);
    heap_end();
}

static void skip_store(struct dune_frame *frame, void *opaque)
{
    machine_skip_store(frame, 99);
}

static int n_wrong_in_a_round(void)
{
    int before = n_traps, n_wrong = syscall(SYS_getppid, 1, 0, 0, 0, 0, 0) != 6;
    machine_trap(0);
    n_wrong += n_traps != before + 1;
    n_wrong += syscall(SYS_getpid) != getpid(); // are forwarded
    return n_wrong + (machine_store_and_keep(heap) != 99);
}

// A timer that ends 10 ns later each time. Where time is counted in instructions, and one takes
// longer than that, a signal comes at each of them.
TEST(signals_come_at_each_phase)
{
    enum { FIRST_NS = 40000, STEP_NS = 10 };
    const char *wanted = getenv("LH_DUNE_PHASES");
    int n_phases = wanted ? atoi(wanted) : 100, n_wrong = 0, n_lost = 0;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_t timer;
    own_stack = (u64)__builtin_frame_address(0);
    signal(SIGALRM, count_alarm);
    BEGIN(heap_give);
    dune_on_fault(skip_store, NULL);
    dune_protect(heap, PAGE, PROT_READ);
    REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    dune_on_trap(skip_trap, NULL);
    dune_on_call(SYS_getppid, answer, (void *)5);
    for (int i = 0; i < n_phases; i++) {
        struct itimerspec at = {.it_value.tv_nsec = FIRST_NS + STEP_NS * i};
        n_signals = 0;
        timer_settime(timer, 0, &at, NULL);
        while (!n_signals)
            n_wrong += n_wrong_in_a_round();
        n_lost += n_signals != 1;
    }
    CHECK_EQ(n_wrong, 0);
    CHECK_EQ(n_lost, 0);
    timer_delete(timer);
    dune_on_trap(NULL, NULL);
    dune_on_call(SYS_getppid, NULL, NULL);
    heap_end();
}

static int __attribute__((noinline)) fault_at_each_depth(int n)
{
    volatile u8 room[8192] = {0};
    room[n] = machine_store_and_keep(heap) == 99;
    return n ? fault_at_each_depth(n - 1) + room[n] : room[n];
}

// There is room for a function, but not for the frame of a handler.
TEST(a_stack_that_has_to_grow)
{
    enum { DEPTH = 200 };
    BEGIN(heap_give);
    dune_on_fault(skip_store, NULL);
    dune_protect(heap, PAGE, PROT_READ);
    CHECK_EQ(fault_at_each_depth(DEPTH), DEPTH + 1);
    heap_end();
}

static uint64_t look(uint64_t n)
{
    return machine_privileged_state() + n;
}

static uint64_t touch_all(uint64_t n)
{
    u64 sum = 0;
    for (u64 i = 0; i < PAGES; i++)
        sum += heap[i * PAGE] += 1;
    return sum;
}

static uint64_t write_what_is_not_there(uint64_t at)
{
    *(volatile u8 *)at = 1;
    return 0;
}

static uint64_t make_call(uint64_t n)
{
    return (u64)syscall(SYS_getppid);
}

static uint64_t stop_there(uint64_t n)
{
    __builtin_trap();
}

// Where there is no such code, everything is refused.
TEST(privileged_code)
{
    u64 result = 0;
    BEGIN(heap_give);
    u8 *stack = heap_map(4 * HEAP);
    memset(heap, 1, HEAP);
    if (!machine_has_privileged) {
        CHECK_EQ(dune_privileged_call(look, 1, stack, 4 * HEAP, &result), -EOPNOTSUPP);
        heap_end();
        return;
    }
    n_faults = 0;
    CHECK_EQ(dune_privileged_call(look, 1, stack, 4 * HEAP, &result), 0);
    CHECK_EQ(result, 1);
    CHECK_EQ(dune_privileged_call(touch_all, 1, stack, 4 * HEAP, &result), 0);
    CHECK_EQ(result, 2 * PAGES);
    CHECK_EQ(dune_privileged_call(make_call, 1, stack, 4 * HEAP, &result), 0);
    CHECK_EQ((s64)result, -1);
    CHECK_EQ(dune_privileged_call(stop_there, 1, stack, 4 * HEAP, &result), -EFAULT);
    dune_protect(heap, PAGE, PROT_READ);
    CHECK_EQ(dune_privileged_call(write_what_is_not_there, (u64)heap, stack, 4 * HEAP, &result),
             -EFAULT);
    for (int i = 0; i < machine_n_privileged_refused; i++)
        CHECK_EQ(dune_privileged_call(machine_privileged_refused, (u64)i, stack, 4 * HEAP, &result),
                 -EFAULT);
    CHECK_EQ(n_faults, 0);
    heap[0] = 3;
    CHECK_EQ(n_faults, 1);
    CHECK_EQ(syscall(SYS_getppid), getppid());
    munmap(stack, 4 * HEAP);
    heap_end();
}

// The same instructions elsewhere are the trap handler's.
TEST(privileged_instructions_of_a_program)
{
    BEGIN(heap_give);
    n_traps = 0;
    dune_on_trap(skip_trap, NULL);
    for (int i = 0; i < machine_n_skippable; i++) {
        machine_privileged(&i);
        CHECK_EQ(n_traps, i + 1);
    }
    dune_on_trap(NULL, NULL);
    CHECK_EQ(syscall(SYS_getppid), getppid());
    heap_end();
}

TEST(signals_wait_for_privileged_code)
{
    u64 result = 0;
    struct itimerval once = {{0, 0}, {0, 20000}};
    if (!machine_has_privileged)
        return;
    own_stack = (u64)__builtin_frame_address(0);
    signal(SIGALRM, count_alarm);
    BEGIN(heap_give);
    u8 *stack = heap_map(HEAP);
    n_signals = 0;
    setitimer(ITIMER_REAL, &once, NULL);
    CHECK_EQ(dune_privileged_call(machine_privileged_spin, 100, stack, HEAP, &result), 0);
    CHECK_EQ(result, 0);
    CHECK_EQ(n_signals, 1);
    munmap(stack, HEAP);
    heap_end();
}
