// SPDX-License-Identifier: Apache-2.0
// A tracer of system calls in the process itself: which calls a piece of a program makes, how
// often, and how long they take. The host's way is ptrace, which is measured beside it.
#include "dune/examples/clock.h"
#include "include/longhouse/dune.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WATCHED = 334, CALLS = 20 };

static struct {
    unsigned long n;
    uint64_t ns;
} seen[WATCHED];

// Runs in guest mode in place of the call, and makes it.
static void watch(struct dune_frame *frame, void *opaque)
{
    long number = (long)opaque;
    uint64_t start = clock_now();
    uint64_t a[6];
    dune_frame_arguments(frame, a);
    long ret = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    dune_frame_answer(frame, ret == -1 ? (uint64_t)-errno : (uint64_t)ret);
    seen[number].n++;
    seen[number].ns += clock_now() - start;
}

static void watched_part(void *opaque)
{
    for (int i = 0; i < CALLS; i++)
        syscall(SYS_getppid);
}

static void some_work(void)
{
    int fds[2];
    char c = 'x';
    if (pipe2(fds, 0) || write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
        abort();
    close(fds[0]);
    close(fds[1]);
}

static double time_ptrace(void)
{
    int status;
    pid_t child = fork();
    if (!child) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        for (int i = 0; i < 50; i++)
            watched_part(NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);
    double best = 1e18;
    uint64_t start = clock_now();
    for (int i = 1; !WIFEXITED(status); i++) {
        ptrace(PTRACE_SYSCALL, child, NULL, NULL);
        waitpid(child, &status, 0);
        if (i % (2 * CALLS) == 0) {
            double ns = (double)(clock_now() - start) / CALLS;
            best = ns < best ? ns : best;
            start = clock_now();
        }
    }
    return best;
}

int main(void)
{
    static const long watched[] = {SYS_read, SYS_write, SYS_close, SYS_pipe2, SYS_getppid};
    double host = time_ptrace();
    int ret = dune_enter();
    if (ret) {
        fprintf(stderr, "tracer: guest mode: %s\n", strerror(-ret));
        return CLOCK_SKIPPED;
    }
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
        dune_on_call(watched[i], watch, (void *)watched[i]);
    some_work();
    bool ok = seen[SYS_read].n == 1 && seen[SYS_write].n == 1 && seen[SYS_close].n == 2;
    double guest = clock_best(watched_part, NULL, 50, CALLS);
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
        dune_on_call(watched[i], NULL, NULL);
    dune_leave();
    printf("seen: %lu read, %lu write, %lu close, %lu getppid\n", seen[SYS_read].n,
           seen[SYS_write].n, seen[SYS_close].n, seen[SYS_getppid].n);
    clock_tell("a call that is watched and made", guest, "ptrace", host);
    return !ok || seen[SYS_getppid].n != 50 * CALLS;
}
