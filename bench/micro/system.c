// SPDX-License-Identifier: Apache-2.0
// What the kernel does for a program: system calls, processes, threads, pages.
#include "bench/micro/workload.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

u64 getppid_run(void *state)
{
    u64 n_same = 0;
    long parent = getppid();
    for (int i = 0; i < 5000; i++)
        n_same += syscall(SYS_getppid) == parent;
    return n_same;
}

void *read_setup(void)
{
    int *fd = get_memory(sizeof(*fd));
    *fd = open("/dev/zero", O_RDONLY);
    return fd;
}

u64 read_run(void *state)
{
    u64 n = 0;
    char c[64];
    for (int i = 0; i < 5000; i++)
        n += (u64)read(*(int *)state, c, sizeof(c));
    return n;
}

static void answer(int from, int to)
{
    for (char c; read(from, &c, 1) == 1;)
        if (write(to, &c, 1) != 1)
            break;
    _exit(0);
}

enum { N_ROUND_TRIPS = 500 };

static u64 play(int to, int from)
{
    u64 sum = 0;
    for (int i = 0; i < N_ROUND_TRIPS; i++) {
        char c = (char)(i & 63);
        if (write(to, &c, 1) != 1 || read(from, &c, 1) != 1)
            break;
        sum += (u64)c;
    }
    return sum;
}

// Two processes send one byte to and fro.
u64 pipe_run(void *state)
{
    int there[2], back[2], status = 1;
    if (pipe(there) || pipe(back))
        return 0;
    pid_t child = fork();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        answer(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    u64 sum = play(there[1], back[0]);
    close(there[1]);
    close(back[0]);
    waitpid(child, &status, 0);
    return status ? 0 : sum;
}

static u64 end_of(pid_t child)
{
    int status = 1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? (u64)WEXITSTATUS(status) : 1000;
}

u64 fork_run(void *state)
{
    u64 sum = 0;
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(i + 1);
        sum += end_of(child);
    }
    return sum;
}

static NOINLINE pid_t start_nothing(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl("/proc/self/exe", "micro", "nothing", (char *)NULL);
        _exit(100);
    }
    return child;
}

u64 exec_run(void *state)
{
    u64 sum = 0;
    for (int i = 0; i < 5; i++)
        sum += 1 + end_of(start_nothing());
    return sum;
}

enum { N_PAGES = 256 };

u64 fault_run(void *state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = N_PAGES * page;
    u8 *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    u64 sum = 0;
    if (p == MAP_FAILED)
        return 0;
    for (size_t i = 0; i < N_PAGES; i++)
        p[i * page] = (u8)(i & 15);
    for (size_t i = 0; i < N_PAGES; i++)
        sum += p[i * page];
    munmap(p, size);
    return sum;
}

void *mprotect_setup(void)
{
    return mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

u64 mprotect_run(void *state)
{
    volatile u8 *p = state;
    u64 sum = 0;
    for (int i = 0; i < 1000; i++) {
        *p = (u8)i;
        sum += (u64)(unsigned)mprotect(state, 1 << 14, PROT_READ);
        sum += *p;
        sum += (u64)(unsigned)mprotect(state, 1 << 14, PROT_READ | PROT_WRITE);
    }
    return sum;
}

static void *add_one(void *at)
{
    ++*(u64 *)at;
    return NULL;
}

u64 thread_run(void *state)
{
    u64 n = 0;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, add_one, &n))
            return 0;
        pthread_join(thread, NULL);
    }
    return n;
}
