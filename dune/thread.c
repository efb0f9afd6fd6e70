// SPDX-License-Identifier: Apache-2.0
#include "dune/thread.h"
#include "dune/calls.h"
#include "dune/entry.h"
#include "dune/faults.h"
#include "dune/message.h"
#include "dune/native.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/stats.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

enum {
    GUARD = ARCH_PAGE,
    HEAD = (sizeof(struct thread) + ARCH_PAGE - 1) & ~(ARCH_PAGE - 1),
    ALT_STACK = 64 << 10
};

static struct thread *reuse(struct process *p)
{
    for (struct thread *t = atomic_load(&p->threads); t; t = t->next) {
        u32 is_free = 0;
        if (atomic_compare_exchange_strong(&t->is_used, &is_free, 1))
            return t;
    }
    return NULL;
}

// Aligned to its size: the structure, a page without rights, a stack for handlers of signals that
// interrupt a program on the host's processor, another such page, and the stack.
static struct thread *map_one(void)
{
    u8 *at = raw_pages(2 * THREAD_STACK);
    if (!at)
        return NULL;
    u64 start = ((u64)at + THREAD_STACK - 1) & ~(u64)(THREAD_STACK - 1);
    raw_pages_free(start > (u64)at ? at : NULL, start - (u64)at);
    raw_pages_free((u8 *)start + THREAD_STACK, (u64)at + THREAD_STACK - start);
    raw(SYS_mprotect, start + HEAD, GUARD, PROT_NONE);
    raw(SYS_mprotect, start + HEAD + GUARD + ALT_STACK, GUARD, PROT_NONE);
    return (struct thread *)start;
}

struct thread *thread_new(struct process *p)
{
    struct thread *t = reuse(p), *next;
    if (t) {
        next = t->next;
        *t = (struct thread){.is_used = 1, .next = next, .process = p};
        return t;
    }
    t = map_one();
    if (!t)
        return NULL;
    t->is_used = 1;
    t->process = p;
    t->next = atomic_load(&p->threads);
    while (!atomic_compare_exchange_weak(&p->threads, &t->next, t))
        ;
    return t;
}

void thread_free(struct thread *t)
{
    atomic_store(&t->is_used, 0);
}

bool thread_be_native(struct thread *t)
{
    t->native.alt_stack = (u8 *)t + HEAD + GUARD;
    t->native.alt_size = ALT_STACK;
    t->vcpu = (struct vcpu_state){.native = &t->native, .regs = &t->native.regs};
    t->regs = t->vcpu.regs;
    return true;
}

void *thread_stack_top(struct thread *t)
{
    return (u8 *)t + THREAD_STACK;
}

static void serve(struct thread *t)
{
    if (t->process->lib)
        lib_serve(t);
    else
        calls_serve(t);
}

void thread_run(struct thread *t)
{
    struct vcpu_why why;
    u64 n_exits = t->vcpu.n_exits;
    if (t->vcpu.native && native_begin(t->vcpu.native) < 0) {
        message("syscall user dispatch failed in a new thread");
        signals_die(SIGKILL);
    }
    signals_use_mask(t);
    for (;;) {
        signals_deliver(t);
        vcpu_run(&t->vcpu, &why);
        if (t->process->settings->stats)
            __atomic_fetch_add((u64 *)&t->process->settings->stats->exits,
                               t->vcpu.n_exits - n_exits, __ATOMIC_RELAXED);
        n_exits = t->vcpu.n_exits;
        if (why.exit == VCPU_CALL)
            serve(t);
        else if (why.exit != VCPU_SIGNAL)
            faults_serve(t, &why);
    }
}

void thread_exit(struct thread *t, int status)
{
    if (atomic_fetch_sub(&t->process->n_threads, 1) == 1)
        stats_print_at_end(t->process);
    signals_block_all();
    if (t->vcpu.v && !t->borrows)
        vm_give_vcpu(&t->process->space->vm, t->vcpu.v);
    entry_vanish(&t->is_used, status);
}

void thread_exit_process(struct thread *t, int status)
{
    stats_print_at_end(t->process);
    raw(SYS_exit_group, status);
    __builtin_unreachable();
}

static int move(long number, void *ours, u64 theirs, u64 size)
{
    struct iovec local = {ours, size}, remote = {(void *)theirs, size};
    if (!size)
        return 0;
    if (!space_holds(theirs, size))
        return -EFAULT;
    long n = raw(number, raw(SYS_gettid), &local, 1, &remote, 1, 0);
    return n == (long)size ? 0 : -EFAULT;
}

int guest_read(void *to, u64 from, u64 size)
{
    return move(SYS_process_vm_readv, to, from, size);
}

int guest_write(u64 to, const void *from, u64 size)
{
    int ret = move(SYS_process_vm_writev, (void *)(u64)from, to, size);
    if (ret && guest_grow_stack(to))
        ret = move(SYS_process_vm_writev, (void *)(u64)from, to, size);
    return ret;
}

// The call reads its set before it finds that there is no such way to use it.
bool guest_grow_stack(u64 at)
{
    enum { NO_WAY = 99 };
    u8 vector;
    return space_holds(at, 8) && raw(SYS_mincore, at & ~(ARCH_PAGE - 1), 1, &vector) == -ENOMEM &&
           raw(SYS_rt_sigprocmask, NO_WAY, at & ~7ULL, 0, 8) == -EINVAL;
}

// Page by page: what lies behind the text may not be mapped.
long guest_text(char *to, u64 from, u64 size)
{
    for (u64 n = 0; n < size;) {
        u64 part = ARCH_PAGE - ((from + n) & (ARCH_PAGE - 1));
        part = part < size - n ? part : size - n;
        if (guest_read(to + n, from + n, part))
            return -EFAULT;
        char *end = memchr(to + n, 0, part);
        if (end)
            return end - to;
        n += part;
    }
    return -ENAMETOOLONG;
}
