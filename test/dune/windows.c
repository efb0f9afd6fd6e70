// SPDX-License-Identifier: Apache-2.0
// A signal at each instruction of the ways into and out of guest mode that libdune goes on the
// host: a child goes in and out, and its tracer lets it go so many steps before the signal comes.
// Its handler has to run once, and everything has to be as without it.
#include "base/test.h"
#include "dune/handlers.h"
#include "dune/lib_entry.h"
#include "dune/signals.h"
#include "include/longhouse/dune.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_S = 100, STUCK = 100000 };

static struct shared {
    volatile int n_handled, n_wrong;
    volatile bool forks;
} * shared;

static void handle(int signal)
{
    shared->n_handled++;
    shared->n_wrong += syscall(SYS_getppid) != getppid();
}

static void expect(bool ok)
{
    shared->n_wrong += !ok;
}

static void fork_once(void)
{
    int status = -1;
    pid_t child = fork();
    if (!child)
        _exit(3);
    expect(waitpid(child, &status, 0) == child && status == 3 << 8);
}

static void round_trip(u64 n)
{
    volatile u64 own = n;
    sigset_t mask;
    expect(dune_enter() == 0);
    expect(own == n);
    if (shared->forks)
        fork_once();
    expect(dune_leave() == 0);
    expect(own == n && dune_active() == 0);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    expect(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGTERM));
}

static _Noreturn void travel(void)
{
    signal(SIGUSR1, handle);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    round_trip(0);
    for (u64 n = 1;; n++) {
        __asm__ volatile("int3" : : : "memory");
        round_trip(n);
    }
}

static struct user_regs_struct registers(pid_t child)
{
    struct user_regs_struct r = {0};
    ptrace(PTRACE_GETREGS, child, NULL, &r);
    return r;
}

static long word_at(pid_t child, u64 at)
{
    errno = 0;
    return ptrace(PTRACE_PEEKTEXT, child, (void *)at, NULL);
}

// Goes on until the next int3; signals that come are delivered. False: it ended.
static bool go_on(pid_t child)
{
    long signal = 0;
    for (int status; ptrace(PTRACE_CONT, child, NULL, (void *)signal) == 0;
         signal = WSTOPSIG(status))
        if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
            return false;
        else if (WSTOPSIG(status) == SIGTRAP)
            return true;
    return false;
}

static bool go_to(pid_t child, u64 at)
{
    long word = word_at(child, at);
    ptrace(PTRACE_POKETEXT, child, (void *)at, (void *)((word & ~0xffL) | 0xcc));
    bool ok = go_on(child);
    ptrace(PTRACE_POKETEXT, child, (void *)at, (void *)word);
    struct user_regs_struct r = registers(child);
    ok &= r.rip == at + 1;
    r.rip = at;
    ptrace(PTRACE_SETREGS, child, NULL, &r);
    return ok;
}

// The guest is entered next, or the round trip is over.
static bool is_at_end(pid_t child)
{
    struct user_regs_struct r = registers(child);
    long word = word_at(child, r.rip);
    bool is_call = (word & 0xffff) == 0x050f;
    return (word & 0xff) == 0xcc || (is_call && r.rax == SYS_ioctl && r.rsi == KVM_RUN);
}

// At most n steps; how many there were until the end of the window.
static int step(pid_t child, int n)
{
    int i = 0, status;
    for (; i < n && !is_at_end(child); i++)
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) || waitpid(child, &status, 0) < 0 ||
            !WIFSTOPPED(status) || (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGCHLD))
            return STUCK;
    return i;
}

// One round trip with a signal after n steps of the window that begins at `at`. The steps.
static int disturb(pid_t child, u64 at, int n)
{
    if (!go_to(child, at))
        return STUCK;
    int took = step(child, n);
    shared->n_handled = shared->n_wrong = 0;
    syscall(SYS_tgkill, child, child, SIGUSR1);
    return go_on(child) ? took : STUCK;
}

static void disturb_all(const void *at, int stride, bool forks)
{
    if (access("/dev/kvm", R_OK | W_OK))
        SKIP("missing /dev/kvm, or the right to use it");
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared->forks = forks;
    pid_t child = fork();
    if (!child) {
        alarm(LIMIT_S);
        travel();
    }
    int status, n = 0, took;
    CHECK_EQ(waitpid(child, &status, 0), child);
    bool ok = CHECK(WIFSTOPPED(status) && (WSTOPSIG(status) == SIGTRAP || go_on(child)));
    for (; ok; n += stride) {
        took = disturb(child, (u64)at, n);
        ok = CHECK_EQ(shared->n_handled, 1) && CHECK_EQ(shared->n_wrong, 0) && CHECK(took != STUCK);
        if (!ok)
            printf("# after %d steps\n", n);
        if (took < n)
            break;
    }
    CHECK(n > 5 * stride);
    printf("# a signal after each of %d steps, %d apart\n", n, stride);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    munmap(shared, 4096);
}

TEST(signals_are_taken_over)
{
    disturb_all(signals_take_over, 11, false);
}

TEST(the_stack_is_changed_and_the_guest_is_entered)
{
    disturb_all(lib_call_on_stack, 1, false);
}

TEST(signals_are_given_back)
{
    disturb_all(signals_give_back, 11, false);
}

TEST(the_guest_was_left_and_the_stack_is_changed)
{
    disturb_all(lib_leave, 1, false);
}

// The signal is the parent's alone.
TEST(a_process_forks)
{
    disturb_all(call_clone, 11, true);
}
