// SPDX-License-Identifier: Apache-2.0
#include "dune/signals.h"
#include "dune/entry.h"
#include "dune/frame.h"
#include "dune/native.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"
#include "dune/trace.h"

#include <errno.h>
#include <linux/kvm.h>
#include <linux/resource.h>
#include <stdatomic.h>
#include <string.h>

#define BIT(signal) (1ULL << ((signal)-1))

// Flags that the kernel acts on before a handler runs.
#define FLAGS_OF_KERNEL ((u64)(SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT))

static bool is_function(u64 handler)
{
    return handler != (u64)SIG_DFL && handler != (u64)SIG_IGN;
}

static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
           signal == SIGTRAP;
}

static void set_mask(u64 mask)
{
    raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
}

void signals_block_all(void)
{
    set_mask(~0ULL);
}

// With syscall user dispatch, SIGSYS has to come through whatever the program blocks.
static void use_mask(const struct thread *t)
{
    u64 mask = t->vcpu.native ? t->mask & ~BIT(SIGSYS) : t->mask;
    if (t->vcpu.native)
        t->vcpu.native->mask = mask;
    set_mask(mask);
}

void signals_use_mask(const struct thread *t)
{
    use_mask(t);
}

// The process that entered guest mode by itself; NULL in `lh enter`, whose threads are all guests.
static _Atomic(struct process *) taken_over;

static bool is_stranger(const struct thread *self)
{
    struct process *p = atomic_load(&taken_over);
    const struct thread *t = p ? atomic_load(&p->threads) : NULL;
    while (t && t != self)
        t = t->next;
    return p && (!t || !t->is_used);
}

// To a thread that never entered, or has left.
static void hand_over(int signal, siginfo_t *info, void *context)
{
    struct process *p = atomic_load(&taken_over);
    u64 handler = p->actions[signal].handler;
    if (is_function(handler))
        ((void (*)(int, siginfo_t *, void *))handler)(signal, info, context);
}

// Runs on the monitor's stack of the thread that the kernel chose.
static void note(int signal, siginfo_t *info, void *context)
{
    struct thread *t = thread_self();
    ucontext_t *uc = context;
    if (is_stranger(t)) {
        hand_over(signal, info, context);
        return;
    }
    bool is_from_program = t->vcpu.native && t->vcpu.native->selector;
    bool is_call = signal == SIGSYS && info->si_code == 2;
    if (is_from_program && (is_call || (is_fault(signal) && info->si_code > 0)))
        native_interrupt(t->vcpu.native, signal, info, uc);
    // The monitor faulted: what is wrong is not the program's.
    if (is_fault(signal) && info->si_code > 0)
        signals_die(signal);
    memcpy(&t->info, info, sizeof(t->info));
    atomic_store_explicit(&t->taken, signal, memory_order_relaxed);
    memset(&uc->uc_sigmask, 0xff, 8);
    if (is_from_program)
        native_interrupt(t->vcpu.native, signal, info, uc);
    restartable_interrupt(uc);
    if (t->vcpu.v)
        t->vcpu.v->run->immediate_exit = 1;
}

// Without KVM everything that the program does wrong, and each of its calls, comes as a signal.
static bool is_always_ours(const struct process *p, int signal)
{
    return p->settings->is_native && (is_fault(signal) || signal == SIGSYS);
}

// The kernel's action for what the program asked for.
static long install(struct process *p, int signal, const struct action *a)
{
    struct action host = {.handler = a->handler, .flags = SA_ONSTACK, .mask = ~0ULL};
    if (is_function(a->handler) || is_always_ours(p, signal)) {
        host.handler = (u64)note;
        host.flags |= SA_SIGINFO;
    }
    host.flags |= a->flags & FLAGS_OF_KERNEL;
    action_return(&host);
    return raw(SYS_rt_sigaction, signal, &host, 0, 8);
}

void signals_init(struct process *p, u64 *mask)
{
    u64 all = ~0ULL;
    raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, mask, sizeof(all));
    for (int i = 1; i <= N_SIGNALS; i++) {
        raw(SYS_rt_sigaction, i, 0, &p->actions[i], 8);
        if (is_function(p->actions[i].handler))
            p->actions[i] = (struct action){0};
        if (is_always_ours(p, i))
            install(p, i, &p->actions[i]);
    }
}

void signals_take_over(struct process *p, u64 *mask)
{
    u64 all = ~0ULL;
    raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, mask, sizeof(all));
    atomic_store(&taken_over, p);
    for (int i = 1; i <= N_SIGNALS; i++) {
        struct action a;
        if (raw(SYS_rt_sigaction, i, 0, &a, 8) < 0 || a.handler == (u64)note)
            continue;
        p->actions[i] = a;
        if (is_function(a.handler))
            install(p, i, &a);
    }
}

void signals_give_back(struct process *p)
{
    signals_block_all();
    for (int i = 1; i <= N_SIGNALS; i++)
        if (is_function(p->actions[i].handler))
            raw(SYS_rt_sigaction, i, &p->actions[i], 0, 8);
}

void signals_reset(struct process *p)
{
    for (int i = 1; i <= N_SIGNALS; i++)
        if (is_function(p->actions[i].handler)) {
            p->actions[i] = (struct action){0};
            install(p, i, &p->actions[i]);
        }
}

void signals_die(int signal)
{
    struct action act = {0};
    struct {
        u64 soft, hard;
    } no_core = {0, 0};
    // A core would show the monitor and not the program.
    raw(SYS_prlimit64, 0, RLIMIT_CORE, &no_core, 0);
    raw(SYS_rt_sigaction, signal, &act, 0, 8);
    raw(SYS_tgkill, raw(SYS_getpid), raw(SYS_gettid), signal);
    set_mask(~BIT(signal));
    raw(SYS_exit_group, 128 + signal);
    __builtin_unreachable();
}

// A signal of the program's that has no handler of its own while ours is installed: what the kernel
// would do. Or: the program took its handler back between the signal's coming and now: it is sent
// once more, to the action that the kernel has now.
static void send_again(struct thread *t, int signal)
{
    struct action act = t->process->actions[signal];
    if (is_always_ours(t->process, signal)) {
        if (act.handler == (u64)SIG_DFL)
            signals_die(signal);
        use_mask(t);
        return;
    }
    install(t->process, signal, &act);
    raw(SYS_tgkill, raw(SYS_getpid), raw(SYS_gettid), signal);
    use_mask(t);
}

static void run_handler(struct thread *t, const siginfo_t *info, const struct frame_trap *trap)
{
    struct process *p = t->process;
    int signal = info->si_signo;
    lock_take(&p->lock);
    struct action a = p->actions[signal];
    if (a.flags & SA_RESETHAND && is_function(a.handler)) {
        p->actions[signal].handler = (u64)SIG_DFL;
        install(p, signal, &p->actions[signal]);
    }
    lock_drop(&p->lock);
    COUNT(p->settings, signals);
    if (!is_function(a.handler)) {
        send_again(t, signal);
        return;
    }
    if (frame_push(t, info, &a, trap) < 0)
        signals_die(SIGSEGV);
    t->mask |= a.mask | (a.flags & SA_NODEFER ? 0 : BIT(signal));
    use_mask(t);
}

void signals_deliver(struct thread *t)
{
    int signal;
    if (t->process->lib && lib_defers_signal(t))
        return;
    while ((signal = atomic_load_explicit(&t->taken, memory_order_relaxed))) {
        siginfo_t info = t->info;
        info.si_signo = signal;
        if (t->vcpu.v)
            t->vcpu.v->run->immediate_exit = 0;
        atomic_store_explicit(&t->taken, 0, memory_order_relaxed);
        trace_signal(t, signal, info.si_code, 0);
        run_handler(t, &info, NULL);
    }
}

void signals_force(struct thread *t, int signal, int code, u64 address)
{
    siginfo_t info = {.si_signo = signal, .si_code = code};
    const struct frame_trap trap = {0, 0, address};
    info.si_addr = (void *)address;
    trace_signal(t, signal, code, address);
    u64 handler = t->process->actions[signal].handler;
    if (!is_function(handler) || t->mask & BIT(signal))
        signals_die(signal);
    signals_block_all();
    run_handler(t, &info, &trap);
}

long signals_action(struct thread *t, int signal, u64 action, u64 old, u64 size)
{
    struct process *p = t->process;
    struct action a, before;
    if (size != 8 || signal < 1 || signal > N_SIGNALS)
        return -EINVAL;
    if (action && guest_read(&a, action, sizeof(a)))
        return -EFAULT;
    if (action && (signal == SIGKILL || signal == SIGSTOP))
        return -EINVAL;
    lock_take(&p->lock);
    before = p->actions[signal];
    if (action) {
        a.mask &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
        p->actions[signal] = a;
        install(p, signal, &a);
    }
    lock_drop(&p->lock);
    return old ? guest_write(old, &before, sizeof(before)) : 0;
}

long signals_change_mask(struct thread *t, int how, u64 set, u64 old, u64 size)
{
    u64 change = 0, before = t->mask;
    if (size != 8)
        return -EINVAL;
    if (set && guest_read(&change, set, 8))
        return -EFAULT;
    change &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
    if (set && how == SIG_BLOCK)
        t->mask |= change;
    else if (set && how == SIG_UNBLOCK)
        t->mask &= ~change;
    else if (set && how == SIG_SETMASK)
        t->mask = change;
    else if (set)
        return -EINVAL;
    // A signal that was noted keeps all others out until it is delivered.
    if (set && !atomic_load_explicit(&t->taken, memory_order_relaxed)) {
        use_mask(t);
        if (atomic_load_explicit(&t->taken, memory_order_relaxed))
            signals_block_all();
    }
    return old ? guest_write(old, &before, 8) : 0;
}

static bool is_on_alt_stack(const struct thread *t)
{
    u64 sp = regs_sp(t->regs);
    return t->alt_size && !(t->alt_flags & SS_AUTODISARM) && sp > t->alt_sp &&
           sp - t->alt_sp <= t->alt_size;
}

long signals_alt_stack(struct thread *t, u64 stack, u64 old)
{
    stack_t new, before = {.ss_sp = (void *)t->alt_sp, .ss_size = t->alt_size};
    before.ss_flags = t->alt_size ? (int)t->alt_flags : SS_DISABLE;
    before.ss_flags |= is_on_alt_stack(t) ? SS_ONSTACK : 0;
    if (stack) {
        if (guest_read(&new, stack, sizeof(new)))
            return -EFAULT;
        u32 mode = (u32) new.ss_flags & ~SS_AUTODISARM;
        if (is_on_alt_stack(t))
            return -EPERM;
        if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK)
            return -EINVAL;
        if (mode != SS_DISABLE && new.ss_size < 2048)
            return -ENOMEM;
        t->alt_size = mode == SS_DISABLE ? 0 : new.ss_size;
        t->alt_sp = mode == SS_DISABLE ? 0 : (u64) new.ss_sp;
        t->alt_flags = (u32) new.ss_flags &SS_AUTODISARM;
    }
    return old ? guest_write(old, &before, sizeof(before)) : 0;
}

long signals_return(struct thread *t)
{
    if (frame_pop(t) < 0)
        signals_force(t, SIGSEGV, SI_KERNEL, 0);
    t->mask &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
    if (!atomic_load_explicit(&t->taken, memory_order_relaxed))
        use_mask(t);
    return 0;
}
