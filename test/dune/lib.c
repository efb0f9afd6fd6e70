// SPDX-License-Identifier: Apache-2.0
// libdune from a program's side.
#include "base/test.h"
#include "include/longhouse/dune.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_kvm(void)
{
    return access("/dev/kvm", R_OK | W_OK) == 0;
}

#define NEED_KVM()                                            \
    do {                                                      \
        if (!has_kvm())                                       \
            SKIP("missing /dev/kvm, or the right to use it"); \
    } while (0)

static u8 *pages(u64 n)
{
    void *at = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(at, 1, n * PAGE);
    return at;
}

TEST(outside_of_guest_mode)
{
    u64 bits = 0;
    CHECK_EQ(dune_active(), 0);
    CHECK_EQ(dune_leave(), -EPERM);
    CHECK_EQ(dune_protect(&bits, PAGE, 0), -EPERM);
    CHECK_EQ(dune_dirty_collect(&bits), -EPERM);
    CHECK_EQ(dune_space_new(), -EPERM);
    CHECK_EQ(dune_on_trap(NULL, NULL), -EPERM);
    CHECK_EQ(dune_end_handler(), -EPERM);
    CHECK_EQ(dune_exits(), -EPERM);
    CHECK_EQ(dune_privileged_call(NULL, 0, &bits, 8, &bits), -EPERM);
}

TEST(what_the_host_offers)
{
    struct dune_info info;
    NEED_KVM();
    CHECK_EQ(dune_check(&info), 0);
    CHECK_EQ(info.kvm_error, 0);
    CHECK(info.exit_ns > 100 && info.entry_ns > 100 && info.exit_ns >= info.entry_ns / 2);
}

TEST(in_and_out_again_and_again)
{
    NEED_KVM();
    volatile double x = 1.5;
    u64 own = 77;
    for (int i = 0; i < 50; i++) {
        if (!CHECK_EQ(dune_enter(), 0))
            return;
        CHECK_EQ(dune_active(), 1);
        CHECK_EQ(dune_enter(), -EALREADY);
        own++;
        x = x * 1.25;
        CHECK_EQ(syscall(SYS_getppid), getppid());
        CHECK_EQ(dune_leave(), 0);
        CHECK_EQ(dune_active(), 0);
    }
    CHECK_EQ(own, 127);
}

TEST(a_rounding_mode_comes_along)
{
    NEED_KVM();
    fesetround(FE_UPWARD);
    REQUIRE(dune_enter() == 0);
    CHECK_EQ(fegetround(), FE_UPWARD);
    fesetround(FE_TOWARDZERO);
    CHECK_EQ(dune_leave(), 0);
    CHECK_EQ(fegetround(), FE_TOWARDZERO);
    fesetround(FE_TONEAREST);
}

TEST(the_c_library_works_inside)
{
    NEED_KVM();
    char text[100];
    REQUIRE(dune_enter() == 0);
    void *p = malloc(10 << 20);
    memset(p, 3, 10 << 20);
    free(p);
    FILE *f = tmpfile();
    fprintf(f, "%d %.3f\n", 42, 1.5);
    rewind(f);
    CHECK(fgets(text, sizeof(text), f) && !strcmp(text, "42 1.500\n"));
    fclose(f);
    CHECK_EQ(system("exit 3"), 3 << 8);
    CHECK_EQ(dune_leave(), 0);
}

static void *count(void *opaque)
{
    u64 n = dune_active() ? 1000 : 0;
    for (int i = 0; i < 20; i++)
        n += syscall(SYS_gettid) != getpid();
    return (void *)n;
}

TEST(threads_and_children_are_inside)
{
    NEED_KVM();
    pthread_t t[8];
    void *n;
    int status;
    REQUIRE(dune_enter() == 0);
    for (int i = 0; i < 8; i++)
        pthread_create(t + i, NULL, count, NULL);
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], &n);
        CHECK_EQ((u64)n, 1020);
    }
    pid_t child = fork();
    if (!child)
        _exit(dune_active() == 1 && dune_leave() == 0 && dune_active() == 0 ? 8 : 9);
    waitpid(child, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 8);
    CHECK_EQ(dune_leave(), 0);
}

static volatile int n_alarms;
static void on_alarm(int signal)
{
    n_alarms++;
}

TEST(signals_come_inside_and_outside)
{
    NEED_KVM();
    struct itimerval in = {.it_value = {0, 20000}};
    signal(SIGALRM, on_alarm);
    REQUIRE(dune_enter() == 0);
    n_alarms = 0;
    setitimer(ITIMER_REAL, &in, NULL);
    while (!n_alarms)
        ;
    u8 *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct trial t = trial_write(none + 8);
    CHECK_EQ(t.signal, SIGSEGV);
    CHECK_EQ(t.code, SEGV_ACCERR);
    CHECK_EQ((u64)t.address, (u64)none + 8);
    CHECK_EQ(trial_read((u8 *)16).code, SEGV_MAPERR);
    CHECK_EQ(dune_leave(), 0);
    setitimer(ITIMER_REAL, &in, NULL);
    while (n_alarms < 2)
        ;
    CHECK_EQ(trial_write(none + 8).signal, SIGSEGV);
    signal(SIGALRM, SIG_DFL);
}

static u64 __attribute__((noinline)) go_down(u64 n)
{
    volatile u8 room[8192] = {0};
    room[n % sizeof(room)] = 1;
    if (n % 10 == 0)
        raise(SIGALRM);
    return n ? go_down(n - 1) + room[n % sizeof(room)] : 0;
}

// Of the thread that the process began with, with frames of signals on it.
TEST(a_stack_grows)
{
    enum { DEPTH = 200 };
    NEED_KVM();
    signal(SIGALRM, on_alarm);
    REQUIRE(dune_enter() == 0);
    n_alarms = 0;
    CHECK_EQ(go_down(DEPTH), DEPTH);
    CHECK_EQ(n_alarms, DEPTH / 10 + 1);
    CHECK_EQ(dune_leave(), 0);
    signal(SIGALRM, SIG_DFL);
}

static volatile u64 n_faults, last_address;

static void give_rights(struct dune_frame *frame, void *opaque)
{
    u64 page = frame->address & ~(u64)(PAGE - 1);
    n_faults++;
    last_address = frame->address;
    if (dune_protect((void *)page, PAGE, PROT_READ | PROT_WRITE))
        _exit(99);
    if (machine_has_vectors())
        machine_spoil_vectors();
}

TEST(a_handler_gives_the_right_that_is_missing)
{
    NEED_KVM();
    u8 *p = pages(16);
    REQUIRE(dune_enter() == 0);
    CHECK_EQ(dune_on_fault(give_rights, NULL), 0);
    CHECK_EQ(dune_protect(p, 16 * PAGE, PROT_READ), 0);
    n_faults = 0;
    u32 sum = 0;
    for (int round = 0; round < 2; round++)
        for (u64 i = 0; i < 16; i++) {
            u32 value = (u32)i + 3;
            sum += machine_store_beside_vector(p + i * PAGE + 7, value) == value;
        }
    CHECK_EQ(n_faults, 16);
    CHECK_EQ(last_address, (u64)p + 15 * PAGE + 7);
    CHECK_EQ(sum, 32);
    CHECK_EQ(p[7], 5);
    CHECK_EQ(dune_on_fault(NULL, NULL), 0);
    CHECK_EQ(dune_protect(p, PAGE, 0), 0);
    CHECK_EQ(trial_read(p + 1).signal, SIGSEGV);
    CHECK_EQ(dune_protect(p, PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(p[7], 5);
    CHECK_EQ(dune_protect(p + 1, PAGE, 0), -EINVAL);
    CHECK_EQ(dune_leave(), 0);
    munmap(p, 16 * PAGE);
}

static void skip_it(struct dune_frame *frame, void *opaque)
{
    machine_skip_store(frame, 99);
}

TEST(a_handler_changes_registers)
{
    NEED_KVM();
    u8 *p = pages(1);
    REQUIRE(dune_enter() == 0);
    dune_on_fault(skip_it, NULL);
    dune_protect(p, PAGE, PROT_READ);
    CHECK_EQ(machine_store_and_keep(p), 99);
    CHECK_EQ(p[0], 1);
    dune_on_fault(NULL, NULL);
    dune_protect(p, PAGE, PROT_READ | PROT_WRITE);
    CHECK_EQ(dune_leave(), 0);
}

static void answer(struct dune_frame *frame, void *opaque)
{
    dune_frame_answer(frame, (u64)opaque + (u64)syscall(SYS_getppid) * 0);
}

TEST(a_handler_answers_system_calls)
{
    NEED_KVM();
    REQUIRE(dune_enter() == 0);
    CHECK_EQ(dune_on_call(SYS_getppid, answer, (void *)4711), 0);
    CHECK_EQ(syscall(SYS_getppid), 4711);
    CHECK_EQ(dune_on_call(SYS_getppid, NULL, NULL), 0);
    CHECK_EQ(syscall(SYS_getppid), getppid());
    CHECK_EQ(dune_on_call(100000, answer, NULL), -EINVAL);
    CHECK_EQ(dune_leave(), 0);
}

TEST(what_is_written_is_logged)
{
    NEED_KVM();
    enum { N = 300 };
    u64 bits[(N + 63) / 64];
    u8 *p = pages(N);
    int zero = open("/dev/zero", O_RDONLY);
    REQUIRE(dune_enter() == 0);
    CHECK_EQ(dune_dirty_begin(p, N * PAGE), 0);
    CHECK_EQ(dune_dirty_begin(p, PAGE), -EBUSY);
    for (u64 i = 0; i < N; i++)
        (void)*(volatile u8 *)(p + i * PAGE); // the first touch may count
    dune_dirty_collect(bits);
    CHECK_EQ(dune_dirty_collect(bits), 0);
    p[0] = p[PAGE * 65 + PAGE - 1] = p[PAGE * 299] = 2;
    CHECK_EQ(dune_dirty_collect(bits), 3);
    CHECK_EQ(bits[0], 1);
    CHECK_EQ(bits[1], 2);
    CHECK_EQ(bits[4], 1ULL << 43);
    CHECK_EQ(read(zero, p + 10 * PAGE + 1, 2 * PAGE), 2 * PAGE); // by the kernel
    CHECK_EQ(dune_dirty_collect(bits), 3);
    CHECK_EQ(bits[0], 7 << 10);
    (void)*(volatile u8 *)(p + PAGE);
    CHECK_EQ(dune_dirty_collect(bits), 0);
    CHECK_EQ(dune_dirty_end(), 0);
    CHECK_EQ(dune_dirty_end(), -EINVAL);
    CHECK_EQ(dune_leave(), 0);
}

static u8 *secret, *shared;

static uint64_t add_up(uint64_t n)
{
    u64 sum = 0;
    for (u64 i = 0; i < n; i++)
        sum += shared[i];
    shared[0] = 9;
    return sum;
}

static uint64_t steal(uint64_t n)
{
    return secret[n];
}

static uint64_t call_out(uint64_t n)
{
    return (u64)syscall(SYS_getpid);
}

static uint64_t crash(uint64_t n)
{
    __builtin_trap();
}

TEST(a_compartment)
{
    NEED_KVM();
    secret = pages(1), shared = pages(1);
    u8 *stack = pages(16);
    u64 result = 0;
    REQUIRE(dune_enter() == 0);
    int s = dune_space_new();
    REQUIRE(s > 0);
    CHECK_EQ(dune_space_protect(s, secret, PAGE, 0), 0);
    CHECK_EQ(dune_space_call(s, add_up, 100, stack, 16 * PAGE, &result), 0);
    CHECK_EQ(result, 100);
    CHECK_EQ(shared[0], 9);
    CHECK_EQ(dune_space_call(s, steal, 5, stack, 16 * PAGE, &result), -EFAULT);
    CHECK_EQ(dune_space_call(s, crash, 5, stack, 16 * PAGE, &result), -EFAULT);
    CHECK_EQ(dune_space_call(s, call_out, 5, stack, 16 * PAGE, &result), 0);
    CHECK_EQ((s64)result, -1);
    CHECK_EQ(secret[5], 1);
    CHECK_EQ(dune_space_free(s), 0);
    CHECK_EQ(dune_space_call(s, add_up, 1, stack, 16 * PAGE, &result), -EINVAL);
    for (int i = 0; i < 100; i++) {
        s = dune_space_new();
        CHECK(s > 0);
        CHECK_EQ(dune_space_free(s), 0);
    }
    CHECK_EQ(dune_leave(), 0);
}
