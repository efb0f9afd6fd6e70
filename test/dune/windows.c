// SPDX-License-Identifier: Apache-2.0
// A signal at each instruction of the ways into and out of guest mode that libdune goes on the
// host: a child goes in and out, and its tracer lets it go so many steps before the signal comes.
// Its handler has to run once, and everything has to be as without it.
#include "base/test.h"
#include "dune/handlers.h"
#include "dune/lib_entry.h"
#include "dune/signals.h"
#include "include/longhouse/dune.h"
#include "test/dune/windows.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
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
        __asm__ volatile(WINDOW_BREAK : : : "memory");
        round_trip(n);
    }
}

u64 window_peek(pid_t child, u64 at)
{
    u64 shift = at % 8 * 8;
    errno = 0;
    u64 low = (u64)ptrace(PTRACE_PEEKTEXT, child, (void *)(at & ~7ULL), NULL);
    u64 high =
        shift > 32 ? (u64)ptrace(PTRACE_PEEKTEXT, child, (void *)((at & ~7ULL) + 8), NULL) : 0;
    return low >> shift | (shift > 32 ? high << (64 - shift) : 0);
}

// What is within one word.
void window_poke(pid_t child, u64 at, u64 bytes, u64 mask)
{
    u64 shift = at % 8 * 8, word = window_peek(child, at & ~7ULL);
    word = (word & ~(mask << shift)) | (bytes & mask) << shift;
    ptrace(PTRACE_POKETEXT, child, (void *)(at & ~7ULL), (void *)word);
}

#define BREAK_MASK ((1ULL << 8 * WINDOW_BREAK_SIZE) - 1)

// Goes on until the next break; signals that come are delivered. False: it ended.
static bool go_on(pid_t child)
{
    long signal = 0;
    for (int status; ptrace(PTRACE_CONT, child, NULL, (void *)signal) == 0;) {
        if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
            return false;
        bool is_settled = window_settles(child, status);
        if (!is_settled && WSTOPSIG(status) == SIGTRAP)
            return true;
        signal = is_settled ? 0 : WSTOPSIG(status);
    }
    return false;
}

static void pass_break(pid_t child)
{
    window_set_pc(child, window_pc(child) - WINDOW_BEHIND_BREAK + WINDOW_BREAK_SIZE);
}

// Until the round trip is over, and behind that break.
static bool finish(pid_t child)
{
    bool ok = go_on(child);
    pass_break(child);
    return ok;
}

static bool go_to(pid_t child, u64 at)
{
    u64 word = window_peek(child, at);
    window_poke(child, at, WINDOW_BREAK_WORD, BREAK_MASK);
    bool ok = go_on(child);
    window_poke(child, at, word, BREAK_MASK);
    ok &= window_pc(child) == at + WINDOW_BEHIND_BREAK;
    window_set_pc(child, at);
    return ok;
}

// The guest is entered next, or the round trip is over.
static bool is_at_end(pid_t child)
{
    return (window_peek(child, window_pc(child)) & BREAK_MASK) == WINDOW_BREAK_WORD ||
           window_enters_guest(child);
}

// At most n steps; how many there were until the end of the window.
static int step(pid_t child, int n)
{
    int i = 0;
    for (; i < n && !is_at_end(child); i++)
        if (!window_step(child))
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
    return finish(child) ? took : STUCK;
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
    window_prepare(child);
    bool ok = CHECK(WIFSTOPPED(status));
    if (ok && WSTOPSIG(status) == SIGTRAP)
        pass_break(child);
    else
        ok = ok && CHECK(finish(child));
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
    disturb_all(signals_take_over, window_stride, false);
}

TEST(the_stack_is_changed_and_the_guest_is_entered)
{
    disturb_all(lib_call_on_stack, 1, false);
}

TEST(signals_are_given_back)
{
    disturb_all(signals_give_back, window_stride, false);
}

TEST(the_guest_was_left_and_the_stack_is_changed)
{
    disturb_all(lib_leave, 1, false);
}

// The signal is the parent's alone.
TEST(a_process_forks)
{
    disturb_all(call_clone, window_stride, true);
}
