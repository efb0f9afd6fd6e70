// SPDX-License-Identifier: Apache-2.0
// The functions of longhouse/dune.h. Those that are for guest mode ask the monitor by a system call
// that Linux does not have: outside of guest mode the kernel says so itself.
#include "include/longhouse/dune.h"
#include "dune/check.h"
#include "dune/entry.h"
#include "dune/launch.h"
#include "dune/lib.h"
#include "dune/lib_entry.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/rseq.h>
#include <unistd.h>

// One per process: what was set up when a thread first entered.
static _Atomic(struct process *) the_process;

int dune_check(struct dune_info *info)
{
    struct check c;
    check_host(&c);
    *info = (struct dune_info){.kvm_error = c.kvm_error,
                               .enters_ring0 = c.enters_kernel,
                               .exit_ns = c.exit_ns,
                               .entry_ns = c.run_ns,
                               .dispatch_ns = c.sud_error ? 0 : c.sud_ns};
    return 0;
}

static int open_settings(struct settings *s)
{
    s->self_fd = s->trace_fd = s->stats_fd = s->policy_fd = -1;
    int ret = hidden_init(&s->hidden);
    int fd = ret < 0 ? ret : open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return ret < 0 ? ret : -errno;
    s->kvm_fd = hidden_move(&s->hidden, fd);
    return s->kvm_fd < 0 ? s->kvm_fd : 0;
}

// Everything below TASK_SIZE is the program's in this mode, and shown when it is touched.
static int open_process(struct process *p, struct settings *s, struct space *space, struct lib *lib)
{
    const char *what;
    *p = (struct process){.settings = s, .space = space, .lib = lib, .pid = getpid()};
    int ret = open_settings(s);
    if (ret < 0)
        return ret;
    space_open_border();
    space->is_flat = true;
    return space_open_vm(space, s->kvm_fd, &s->hidden, vcpu_chunk_size(true), &what);
}

static int get_process(struct process **to)
{
    *to = atomic_load(&the_process);
    if (*to)
        return 0;
    struct process *p = raw_pages(sizeof(*p));
    struct settings *s = raw_pages(sizeof(*s));
    struct space *space = raw_pages(sizeof(*space));
    struct lib *lib = raw_pages(sizeof(*lib));
    int ret = p && s && space && lib ? open_process(p, s, space, lib) : -ENOMEM;
    if (ret < 0)
        return ret;
    atomic_store(&the_process, p);
    *to = p;
    return 0;
}

static int set_up_thread(struct thread *t)
{
    struct space *space = t->process->space;
    lock_take(&space->lock);
    struct vcpu *v = vm_take_vcpu(&space->vm);
    int ret = v ? vcpu_set_up(&t->vcpu, &space->model, v) : -EAGAIN;
    if (!ret)
        ret = vcpu_probe(&t->vcpu, &space->model);
    lock_drop(&space->lock);
    if (ret < 0)
        return ret;
    t->regs = t->vcpu.regs;
    t->tid = (int)raw(SYS_gettid);
    return vcpu_adopt_thread(&t->vcpu);
}

static void run(struct uregs *regs, void *opaque)
{
    struct thread *t = opaque;
    *t->regs = *regs;
    thread_run(t);
}

// The area of restartable sequences that the C library registered; they would not restart in a
// guest.
#pragma weak __rseq_offset
#pragma weak __rseq_size

static void set_rseq(bool on)
{
    enum { AREA_SIZE = 32, UNREGISTER = 1 };
    if (&__rseq_offset && __rseq_size)
        raw(SYS_rseq, (u8 *)__builtin_thread_pointer() + __rseq_offset, AREA_SIZE,
            on ? 0 : UNREGISTER, RSEQ_SIG);
}

int dune_enter(void)
{
    struct process *p;
    if (dune_active())
        return -EALREADY;
    int ret = get_process(&p);
    struct thread *t = ret < 0 ? NULL : thread_new(p);
    if (!t)
        return ret < 0 ? ret : -ENOMEM;
    ret = set_up_thread(t);
    if (ret < 0) {
        thread_free(t);
        return ret;
    }
    p->n_threads++;
    set_rseq(false);
    signals_take_over(p, &t->mask);
    return lib_call_on_stack(thread_stack_top(t), run, t);
}

static int ask(u64 number, u64 a, u64 b, u64 c, u64 d)
{
    long ret = lib_door(number, a, b, c, d, 0, 0);
    return ret == -ENOSYS ? -EPERM : (int)ret;
}

int dune_active(void)
{
    return lib_door(LIB_ACTIVE, 0, 0, 0, 0, 0, 0) == 1;
}

int dune_leave(void)
{
    int ret = ask(LIB_LEAVE, 0, 0, 0, 0);
    if (!ret)
        set_rseq(true);
    return ret;
}

int dune_protect(void *at, size_t size, int rights)
{
    return ask(LIB_PROTECT, (u64)at, size, (u32)rights, 0);
}

int dune_on_fault(dune_fault_fn *handler, void *opaque)
{
    return ask(LIB_ON_FAULT, (u64)handler, (u64)opaque, (u64)lib_trampoline, 0);
}

int dune_on_trap(dune_fault_fn *handler, void *opaque)
{
    return ask(LIB_ON_TRAP, (u64)handler, (u64)opaque, (u64)lib_trampoline, 0);
}

int dune_end_handler(void)
{
    return ask(LIB_END_HANDLER, 0, 0, 0, 0);
}

long dune_exits(void)
{
    long ret = lib_door(LIB_EXITS, 0, 0, 0, 0, 0, 0);
    return ret == -ENOSYS ? -EPERM : ret;
}

int dune_on_call(long number, dune_call_fn *handler, void *opaque)
{
    return ask(LIB_ON_CALL, (u64)handler, (u64)opaque, (u64)lib_trampoline, (u64)number);
}

int dune_dirty_begin(void *at, size_t size)
{
    return ask(LIB_DIRTY_BEGIN, (u64)at, size, 0, 0);
}

long dune_dirty_collect(uint64_t *bitmap)
{
    long ret = lib_door(LIB_DIRTY_COLLECT, (u64)bitmap, 0, 0, 0, 0, 0);
    return ret == -ENOSYS ? -EPERM : ret;
}

int dune_dirty_end(void)
{
    return ask(LIB_DIRTY_END, 0, 0, 0, 0);
}

int dune_space_new(void)
{
    return ask(LIB_SPACE_NEW, 0, 0, 0, 0);
}

int dune_space_protect(int space, void *at, size_t size, int rights)
{
    return ask(LIB_SPACE_PROTECT, (u64)space, (u64)at, size, (u32)rights);
}

int dune_space_free(int space)
{
    return ask(LIB_SPACE_FREE, (u64)space, 0, 0, 0);
}

int dune_space_call(int space, uint64_t (*function)(uint64_t), uint64_t argument, void *stack,
                    size_t stack_size, uint64_t *result)
{
    long ret = lib_door(LIB_SPACE_CALL, (u64)space, (u64)function, argument,
                        (u64)stack + stack_size, (u64)result, (u64)lib_compartment);
    return ret == -ENOSYS ? -EPERM : (int)ret;
}

int dune_privileged_call(uint64_t (*function)(uint64_t), uint64_t argument, void *stack,
                         size_t stack_size, uint64_t *result)
{
    long ret = lib_door(LIB_PRIVILEGED_CALL, 0, (u64)function, argument, (u64)stack + stack_size,
                        (u64)result, (u64)lib_compartment);
    return ret == -ENOSYS ? -EPERM : (int)ret;
}
