// SPDX-License-Identifier: Apache-2.0
// Work to be measured on the host and in guest mode: enter_load KIND; prints nanoseconds.
#include "base/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static u64 now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (u64)at.tv_sec * 1000000000 + (u64)at.tv_nsec;
}

// Best of many short rounds, each of n.
static double best_of(void (*act)(void), int rounds, int n)
{
    u64 best = ~0ULL;
    for (int i = 0; i < rounds; i++) {
        u64 start = now(CLOCK_MONOTONIC);
        act();
        u64 took = now(CLOCK_MONOTONIC) - start;
        best = took < best ? took : best;
    }
    return (double)best / n;
}

static void call(void)
{
    for (int i = 0; i < 20; i++)
        syscall(SYS_getppid);
}

static void fork_once(void)
{
    pid_t child = fork();
    if (!child)
        _exit(0);
    waitpid(child, NULL, 0);
}

static volatile u64 sink;

static void arithmetic(void)
{
    u64 x = 88172645463325252ULL;
    double d = 1;
    for (int i = 0; i < 400000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        d = d * 1.0000001 + (double)(x & 7);
    }
    sink = x + (u64)d;
}

enum { WORDS = 8 << 20 };
static u64 *memory;

static void random_reads(void)
{
    u64 x = 1, sum = 0;
    for (int i = 0; i < 20000; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        sum += memory[x >> 41];
    }
    sink = sum;
}

static void touch(void)
{
    enum { PAGES = 64 };
    u8 *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PAGES; i++)
        p[i * 4096] = 1;
    munmap(p, PAGES * 4096);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    double ns = -1;
    memory = mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!strcmp(kind, "call"))
        ns = best_of(call, 200, 20);
    else if (!strcmp(kind, "fork"))
        ns = best_of(fork_once, 40, 1);
    else if (!strcmp(kind, "arithmetic"))
        ns = best_of(arithmetic, 100, 1);
    else if (!strcmp(kind, "touch"))
        ns = best_of(touch, 100, 64);
    else if (!strcmp(kind, "reads")) {
        memset(memory, 1, WORDS * 8);
        ns = best_of(random_reads, 200, 1);
    }
    if (ns < 0)
        return 1;
    printf("%.1f\n", ns);
    return 0;
}
