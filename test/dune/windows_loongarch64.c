// SPDX-License-Identifier: Apache-2.0
// Kernels step by a hardware breakpoint, which not every processor has. So instructions that stop
// the child are put wherever the next one may lead, and taken away again.
#include "test/dune/windows.h"

#include <linux/elf.h>
#include <linux/kvm.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

const int window_stride = 41;

enum { A1 = 5, A7 = 11, N_REGISTERS = 45, PC = 33, SYSCALL = 0x002b0000, MOST = 4 };

struct registers {
    u64 r[N_REGISTERS];
};

// Places that the next instruction may lead to.
struct places {
    int n;
    u64 at[MOST], kept[MOST];
};

static struct registers registers(pid_t child)
{
    struct registers r = {{0}};
    struct iovec v = {&r, sizeof(r)};
    ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &v);
    return r;
}

u64 window_pc(pid_t child)
{
    return registers(child).r[PC];
}

void window_set_pc(pid_t child, u64 pc)
{
    struct registers r = registers(child);
    struct iovec v = {&r, sizeof(r)};
    r.r[PC] = pc;
    ptrace(PTRACE_SETREGSET, child, (void *)NT_PRSTATUS, &v);
}

static u32 word_at(pid_t child, u64 at)
{
    return (u32)window_peek(child, at);
}

bool window_enters_guest(pid_t child)
{
    struct registers r = registers(child);
    return word_at(child, r.r[PC]) == SYSCALL && r.r[A7] == SYS_ioctl && r.r[A1] == KVM_RUN;
}

static u64 offset(u64 bits, u32 n)
{
    return (u64)((s64)(bits << (64 - n)) >> (64 - n)) << 2;
}

static void add(struct places *p, u64 at)
{
    for (int i = 0; i < p->n; i++)
        if (p->at[i] == at)
            return;
    if (p->n < MOST)
        p->at[p->n++] = at;
}

// Of an instruction at `at` in the order of the program.
static void add_successors(struct places *p, u32 word, u64 at, const struct registers *r)
{
    u64 near = offset(word >> 10 & 0xffff, 16);
    u64 middle = offset((word >> 10 & 0xffff) | (word & 0x1f) << 16, 21);
    u64 far = offset((word >> 10 & 0xffff) | (word & 0x3ff) << 16, 26);
    switch (word >> 26) {
    case 0x10:
    case 0x11:
    case 0x12: add(p, at + middle); break;
    case 0x13: add(p, r->r[word >> 5 & 31] + near); return;
    case 0x14:
    case 0x15: add(p, at + far); return;
    case 0x16:
    case 0x17:
    case 0x18:
    case 0x19:
    case 0x1a:
    case 0x1b: add(p, at + near); break;
    }
    add(p, at + 4);
}

static bool begins_pair(u32 word)
{
    return word >> 24 == 0x20 || word >> 24 == 0x22;
}

static bool ends_pair(u32 word)
{
    return word >> 24 == 0x21 || word >> 24 == 0x23;
}

// What is between ll and sc is one step with the branch behind it: a stop would undo it for ever.
static void add_ends_of_pair(struct places *p, pid_t child, u64 start)
{
    enum { LONGEST = 16 };
    const struct registers none = {{0}};
    struct places all = {0};
    u64 end = start;
    while (end < start + 4 * LONGEST && !ends_pair(word_at(child, end)))
        end += 4;
    for (u64 at = start; at <= end + 4; at += 4)
        add_successors(&all, word_at(child, at), at, &none);
    for (int i = 0; i < all.n; i++)
        if (all.at[i] < start || all.at[i] > end + 4)
            add(p, all.at[i]);
    add(p, end + 8);
}

static struct places next_places(pid_t child)
{
    struct registers r = registers(child);
    u32 word = word_at(child, r.r[PC]);
    struct places p = {0};
    if (begins_pair(word))
        add_ends_of_pair(&p, child, r.r[PC]);
    else
        add_successors(&p, word, r.r[PC], &r);
    return p;
}

static void put_breaks(pid_t child, struct places *p)
{
    for (int i = 0; i < p->n; i++) {
        p->kept[i] = window_peek(child, p->at[i]);
        window_poke(child, p->at[i], WINDOW_BREAK_WORD, 0xffffffff);
    }
}

static void take_breaks(pid_t child, const struct places *p)
{
    for (int i = p->n - 1; i >= 0; i--)
        window_poke(child, p->at[i], p->kept[i], 0xffffffff);
}

void window_prepare(pid_t child)
{
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACEFORK);
}

// A child of the child's has a copy of the text, with what stops it.
static bool let_go_of_fork(pid_t child, int status, const struct places *p)
{
    unsigned long born = 0;
    if (status >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8))
        return false;
    ptrace(PTRACE_GETEVENTMSG, child, NULL, &born);
    waitpid((pid_t)born, &status, __WALL);
    take_breaks((pid_t)born, p);
    ptrace(PTRACE_DETACH, (pid_t)born, NULL, NULL);
    return true;
}

bool window_settles(pid_t child, int status)
{
    const struct places none = {0};
    return let_go_of_fork(child, status, &none);
}

bool window_step(pid_t child)
{
    struct places p = next_places(child);
    int status = 0;
    bool is_running = true;
    put_breaks(child, &p);
    while (is_running)
        is_running = !ptrace(PTRACE_CONT, child, NULL, NULL) &&
                     waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
                     (let_go_of_fork(child, status, &p) || WSTOPSIG(status) == SIGCHLD);
    if (WIFSTOPPED(status))
        take_breaks(child, &p);
    return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}
