// SPDX-License-Identifier: Apache-2.0
// New threads and processes.
//
// A thread gets a vCPU and a monitor stack of its own. A child of fork has a copy of everything
// and makes a VM of its own, since one belongs to the memory that it was made with. A child of
// vfork, which uses this memory while its parent waits, borrows the parent's vCPU.
#include "dune/calls.h"
#include "dune/entry.h"
#include "dune/handlers.h"
#include "dune/message.h"
#include "dune/native.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <signal.h>
#include <string.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

struct birth {
    u64 flags, stack, parent_tid, child_tid, pidfd, tls;
};

// Everything but the general registers that a child begins with.
struct saved {
    struct uregs regs;
    struct vcpu_extra extra;
};

static int save(struct thread *t, struct saved *s)
{
    s->regs = *t->regs;
    return vcpu_get_extra(&t->vcpu, &s->extra);
}

static void restore(struct thread *t, const struct saved *s)
{
    if (vcpu_set_extra(&t->vcpu, &s->extra) < 0)
        signals_die(SIGKILL);
    *t->regs = s->regs;
}

static void prepare(struct thread *child, const struct saved *s)
{
    if (vcpu_give_extra(&child->vcpu, &s->extra) < 0)
        signals_die(SIGKILL);
    *child->regs = s->regs;
}

// The child's side of the call: result 0, its own stack and thread pointer.
static void become_child(struct saved *s, const struct birth *b)
{
    regs_set_result(&s->regs, 0);
    if (b->stack)
        regs_set_sp(&s->regs, b->stack);
    if (b->flags & CLONE_SETTLS)
        vcpu_save_tls(&s->regs, &s->extra, b->tls);
}

static bool wants_both(const struct birth *b)
{
    return b->flags & CLONE_PIDFD && b->flags & CLONE_PARENT_SETTID;
}

// What the kernel does for the child; the rest is done here.
static u64 host_flags(const struct birth *b)
{
    u64 ours = CLONE_SETTLS | CLONE_CLEAR_SIGHAND | CLONE_DETACHED;
    return b->flags & ~(wants_both(b) ? ours | CLONE_PARENT_SETTID : ours);
}

static u64 host_parent_tid(const struct birth *b)
{
    return b->flags & CLONE_PIDFD ? b->pidfd : b->parent_tid;
}

// clone, by which the kernel is asked, has one argument for both.
static long tell_parent(const struct birth *b, long tid)
{
    u32 id = (u32)tid;
    if (tid > 0 && wants_both(b))
        guest_write(b->parent_tid, &id, sizeof(id));
    return tid;
}

static void inherit_stack(struct thread *child, const struct thread *t)
{
    child->alt_sp = t->alt_sp;
    child->alt_size = t->alt_size;
    child->alt_flags = t->alt_flags;
}

static void start(void *opaque)
{
    struct thread *t = opaque;
    t->tid = (int)raw(SYS_gettid);
    if (t->vcpu.native)
        vcpu_set_tls(&t->vcpu, t->tls);
    thread_run(t);
}

static void start_borrower(void *opaque)
{
    struct thread *t = opaque;
    t->process->pid = (int)raw(SYS_getpid);
    if (t->resets_signals)
        signals_reset(t->process);
    start(t);
}

static struct thread *make_thread(struct thread *t, struct process *p)
{
    struct thread *child = thread_new(t->process);
    if (!child)
        return NULL;
    child->process = p;
    child->mask = t->mask;
    return child;
}

// With the space's lock held: a vCPU that is new takes a page of the guest's kernel.
static bool give_vcpu(struct thread *child, struct space *space)
{
    if (!space->has_vm)
        return thread_be_native(child);
    struct vcpu *v = vm_take_vcpu(&space->vm);
    if (v && vcpu_set_up(&child->vcpu, &space->model, v) == 0) {
        child->regs = child->vcpu.regs;
        return true;
    }
    if (v)
        vm_give_vcpu(&space->vm, v);
    return false;
}

static long new_thread(struct thread *t, const struct birth *b)
{
    struct process *p = t->process;
    struct thread *child = make_thread(t, p);
    struct saved s;
    lock_take(&p->space->lock);
    bool has_vcpu = child && give_vcpu(child, p->space);
    lock_drop(&p->space->lock);
    if (!has_vcpu || save(t, &s) < 0) {
        if (child)
            thread_free(child);
        return -EAGAIN;
    }
    become_child(&s, b);
    prepare(child, &s);
    child->tls = vcpu_saved_tls(&s.regs, &s.extra);
    COUNT(p->settings, threads);
    __atomic_fetch_add((u32 *)&p->n_threads, 1, __ATOMIC_RELAXED);
    signals_block_all();
    long ret = entry_spawn(host_flags(b), thread_stack_top(child), b->parent_tid, b->child_tid,
                           start, child);
    if (ret < 0) {
        __atomic_fetch_sub((u32 *)&p->n_threads, 1, __ATOMIC_RELAXED);
        if (child->vcpu.v)
            vm_give_vcpu(&p->space->vm, child->vcpu.v);
        thread_free(child);
    }
    signals_use_mask(t);
    return ret;
}

static void lend_vcpu(struct thread *t, struct thread *child, const struct saved *s)
{
    if (t->vcpu.native) {
        thread_be_native(child);
        vcpu_set_extra(&child->vcpu, &s->extra);
    } else {
        child->vcpu = t->vcpu;
        child->regs = t->regs;
    }
    *child->regs = s->regs;
    child->tls = vcpu_saved_tls(&s->regs, &s->extra);
}

// The child has the parent's vCPU until it executes a program or ends, and the parent waits so
// long; what it left in the vCPU is put right afterwards.
static long new_borrower(struct thread *t, const struct birth *b)
{
    struct process *p = raw_pages(sizeof(*p));
    struct thread *child = p ? make_thread(t, p) : NULL;
    struct saved parent, s;
    if (!child || save(t, &parent) < 0) {
        raw_pages_free(p, sizeof(*p));
        return -EAGAIN;
    }
    *p = (struct process){.settings = t->process->settings,
                          .space = t->process->space,
                          .lib = t->process->lib,
                          .n_threads = 1};
    memcpy(p->actions, t->process->actions, sizeof(p->actions));
    s = parent;
    become_child(&s, b);
    inherit_stack(child, t);
    child->borrows = true;
    child->resets_signals = b->flags & CLONE_CLEAR_SIGHAND;
    lend_vcpu(t, child, &s);
    if (b->flags & CLONE_SETTLS)
        vcpu_set_tls(&child->vcpu, b->tls);
    COUNT(p->settings, forks);
    signals_block_all();
    long ret = entry_spawn(host_flags(b), thread_stack_top(child), host_parent_tid(b), b->child_tid,
                           start_borrower, child);
    if (t->vcpu.v) {
        vcpu_take_back(&t->vcpu, &child->vcpu);
        t->vcpu.v->run->immediate_exit = 0;
    }
    restore(t, &parent);
    raw_pages_free(child->scratch, child->scratch_size);
    raw_pages_free(child->plan, child->plan_size);
    thread_free(child);
    raw_pages_free(p, sizeof(*p));
    signals_use_mask(t);
    return tell_parent(b, ret);
}

static void forget_threads(struct thread *t)
{
    for (struct thread *other = t->process->threads; other; other = other->next)
        if (other != t)
            other->is_used = 0;
    t->process->n_threads = 1;
}

static _Noreturn void child_cannot_run(const char *what, long ret)
{
    message("in a child of fork: %s: error %ld", what, -ret);
    signals_die(SIGKILL);
}

// A child that cannot have a virtual machine is a fork that failed: its parent waits for the word
// that there is one, by a pipe that ends with the child.
static void open_report(int report[2], const struct birth *b, const struct space *space)
{
    report[0] = report[1] = -1;
    if (space->has_vm && !(b->flags & CLONE_FILES) && raw(SYS_pipe2, report, O_CLOEXEC) < 0)
        report[0] = report[1] = -1; // no descriptor is left
}

static void give_report(const int report[2])
{
    if (report[0] < 0)
        return;
    raw(SYS_write, report[1], "", 1);
    raw(SYS_close, report[0]);
    raw(SYS_close, report[1]);
}

static long take_report(const int report[2], const struct birth *b, long child)
{
    char byte;
    int pidfd;
    if (report[0] < 0)
        return child;
    raw(SYS_close, report[1]);
    long n = child > 0 ? raw(SYS_read, report[0], &byte, 1) : 1;
    raw(SYS_close, report[0]);
    if (n != 0)
        return child;
    raw(SYS_wait4, child, 0, __WALL, 0);
    if (b->flags & CLONE_PIDFD && guest_read(&pidfd, b->pidfd, sizeof(pidfd)) == 0)
        raw(SYS_close, pidfd);
    return -EAGAIN;
}

static void open_child(struct thread *t, struct saved *s, const int report[2])
{
    struct space *space = t->process->space;
    const char *what = space->has_vm ? "create a virtual machine" : "dispatch system calls";
    t->process->pid = t->tid = (int)raw(SYS_getpid);
    forget_threads(t);
    long ret = space->has_vm ? space_open_vm_again(space) : native_begin(&t->native);
    lock_drop(&space->vm.lock);
    if (ret >= 0 && space->has_vm) {
        what = "run a vCPU";
        ret = give_vcpu(t, space) ? vcpu_try(&t->vcpu) : -EAGAIN;
    }
    if (ret < 0 && report[0] >= 0)
        raw(SYS_exit_group, 1);
    if (ret < 0)
        child_cannot_run(what, ret);
    restore(t, s);
    give_report(report);
}

static long new_process(struct thread *t, const struct birth *b)
{
    struct process *p = t->process;
    struct space *space = p->space;
    struct saved s;
    int report[2];
    if (save(t, &s) < 0)
        return -EAGAIN;
    // A signal that was noted would be the child's as well.
    signals_block_all();
    if (t->taken)
        return RESTART_CALL;
    COUNT(p->settings, forks);
    open_report(report, b, space);
    lock_take(&p->lock);
    lock_take(&space->lock);
    lock_take(&space->vm.lock);
    lock_take(&p->settings->hidden.lock);
    long ret = raw(SYS_clone, host_flags(b), 0, host_parent_tid(b), b->child_tid, 0);
    lock_drop(&p->settings->hidden.lock);
    if (ret == 0) {
        become_child(&s, b);
        open_child(t, &s, report);
        if (b->flags & CLONE_CLEAR_SIGHAND)
            signals_reset(p);
    } else {
        lock_drop(&space->vm.lock);
    }
    lock_drop(&space->lock);
    lock_drop(&p->lock);
    ret = ret ? take_report(report, b, ret) : 0;
    signals_use_mask(t);
    return ret ? tell_parent(b, ret) : CALL_DONE;
}

// Namespaces and cgroups of a child are the kernel's affair; what shares memory without waiting
// or being a thread is nobody's.
static long give_birth(struct thread *t, const struct birth *b)
{
    // Registers that the flags do not ask for hold anything.
    if (!space_holds(b->parent_tid, 4) || !space_holds(b->child_tid, 4) ||
        !space_holds(b->pidfd, 4) || (b->flags & CLONE_SETTLS && b->tls >> 47))
        return -EFAULT;
    if (b->flags & CLONE_THREAD)
        return b->flags & CLONE_PIDFD ? -EINVAL : new_thread(t, b);
    if (!(b->flags & CLONE_VM))
        return new_process(t, b);
    return b->flags & CLONE_VFORK ? new_borrower(t, b) : -EINVAL;
}

HANDLER(clone)
{
    bool uses_parent = a[0] & (CLONE_PARENT_SETTID | CLONE_PIDFD);
    bool uses_child = a[0] & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
    struct birth b = {.flags = a[0] & 0xffffffff,
                      .stack = a[1],
                      .parent_tid = uses_parent ? a[2] : 0,
                      .pidfd = a[0] & CLONE_PIDFD ? a[2] : 0,
                      .child_tid = uses_child ? a[3] : 0,
                      .tls = a[4]};
    return wants_both(&b) ? -EINVAL : give_birth(t, &b);
}

struct clone3_arguments {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    u64 set_tid, set_tid_size, cgroup;
};

HANDLER(clone3)
{
    struct clone3_arguments c = {0};
    if (a[1] < 64 || a[1] > 4096)
        return -EINVAL;
    if (guest_read(&c, a[0], a[1] < sizeof(c) ? a[1] : sizeof(c)))
        return -EFAULT;
    if (c.set_tid_size || c.flags >> 33 || c.flags & CSIGNAL || c.exit_signal > 64 ||
        !c.stack != !c.stack_size)
        return -EINVAL;
    struct birth b = {.flags = c.flags | c.exit_signal,
                      .stack = c.stack ? c.stack + c.stack_size : 0,
                      .parent_tid = c.flags & CLONE_PARENT_SETTID ? c.parent_tid : 0,
                      .child_tid = c.child_tid,
                      .pidfd = c.flags & CLONE_PIDFD ? c.pidfd : 0,
                      .tls = c.tls};
    return give_birth(t, &b);
}
