// SPDX-License-Identifier: Apache-2.0
#include "dune/lib.h"
#include "dune/calls.h"
#include "dune/entry.h"
#include "dune/handlers.h"
#include "dune/lib_entry.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"
#include "dune/upcall.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

// As the header of the library shows it.
struct frame {
    struct uregs regs;
    u64 address, error, rights;
};

// The handler's code keeps what registers it must.
static bool enter_handler(struct thread *t, const struct lib_handler *h, u64 address, u64 error)
{
    struct frame f = {*t->regs, address, error, 0};
    u64 at = ((regs_free_stack(t->regs) - sizeof(f)) & ~63ULL) - 64;
    if (guest_write(at, &f, sizeof(f)))
        return false;
    upcall_set_in_handler(t, true);
    regs_enter(t->regs, h->trampoline, at, at, h->opaque, h->function);
    return true;
}

static long resume(struct thread *t, u64 at)
{
    struct frame f;
    if (upcall_resume(t))
        return CALL_DONE;
    if (guest_read(&f, at, sizeof(f)))
        signals_die(SIGSEGV);
    if (f.rights && lib_set_rights(t, &t->process->space->tables, f.address & ~(SPACE_PAGE - 1),
                                   SPACE_PAGE, f.rights))
        signals_die(SIGSEGV);
    *t->regs = f.regs;
    regs_make_harmless(t->regs);
    upcall_set_in_handler(t, false);
    return CALL_DONE;
}

bool lib_fault(struct thread *t, const struct vcpu_why *why)
{
    const struct lib *lib = t->process->lib;
    if (lib_end_compartment(t))
        return true;
    if (upcall_breaks(t))
        return true;
    if (!lib->on_fault.function || upcall_in_handler(t))
        return false;
    upcall_enable(t); // where it cannot be, each fault comes here
    return enter_handler(t, &lib->on_fault, why->address, why->error);
}

bool lib_trap(struct thread *t, const struct vcpu_why *why)
{
    const struct lib *lib = t->process->lib;
    if (!lib || !lib->on_trap.function || upcall_in_handler(t))
        return false;
    upcall_enable_for_all(t);
    return enter_handler(t, &lib->on_trap, why->address, why->vector);
}

bool lib_defers_signal(struct thread *t)
{
    if (t->lib.space != LIB_PRIVILEGED)
        return upcall_defers_signal(t);
    t->vcpu.v->run->immediate_exit = 0;
    return true;
}

bool lib_end_compartment(struct thread *t)
{
    if (!t->process->lib || !t->lib.space)
        return false;
    lib_space_return(t, 0, -EFAULT);
    return true;
}

// Other tables than the present ones are lib_space_protect's.
static long protect(struct thread *t, u64 at, u64 size, u64 rights)
{
    return lib_set_rights(t, &t->process->space->tables, at, size, rights);
}

static long set_handler(struct thread *t, struct lib_handler *h, const u64 a[6])
{
    *h = (struct lib_handler){a[0], a[1], a[2]};
    return upcall_handlers_changed(t);
}

static long set_call_handler(struct thread *t, const u64 a[6])
{
    return a[3] < LIB_CALLS ? set_handler(t, t->process->lib->on_call + a[3], a) : -EINVAL;
}

static long end_handler(struct thread *t)
{
    upcall_set_in_handler(t, false);
    return 0;
}

// The thread is on the host again when this returns to it: with the kernel's own actions, and the
// registers that the guest had. A signal that was noted is the guest's still.
static long leave(struct thread *t)
{
    struct uregs regs = *t->regs;
    struct vcpu_extra extra;
    signals_block_all();
    if (t->taken)
        return RESTART_CALL;
    if (vcpu_get_extra(&t->vcpu, &extra) < 0)
        signals_die(SIGKILL);
    signals_give_back(t->process);
    vm_give_vcpu(&t->process->space->vm, t->vcpu.v);
    __atomic_fetch_sub((u32 *)&t->process->n_threads, 1, __ATOMIC_RELAXED);
    lib_leave(&regs, &extra, &t->is_used, t->mask);
}

static long serve_own(struct thread *t, u64 number, u64 a[6])
{
    struct lib *lib = t->process->lib;
    switch (number) {
    case LIB_ACTIVE: return 1;
    case LIB_LEAVE: return leave(t);
    case LIB_PROTECT: return protect(t, a[0], a[1], a[2]);
    case LIB_ON_FAULT: return set_handler(t, &lib->on_fault, a);
    case LIB_ON_TRAP: return set_handler(t, &lib->on_trap, a);
    case LIB_ON_CALL: return set_call_handler(t, a);
    case LIB_END_HANDLER: return end_handler(t);
    case LIB_EXITS: return (long)t->vcpu.n_exits;
    case LIB_RESUME: return resume(t, a[0]);
    case LIB_DIRTY_BEGIN: return lib_dirty_begin(t, a[0], a[1]);
    case LIB_DIRTY_COLLECT: return lib_dirty_collect(t, a[0]);
    case LIB_DIRTY_END: return lib_dirty_end(t);
    case LIB_SPACE_NEW: return lib_space_new(t);
    case LIB_SPACE_PROTECT: return lib_space_protect(t, a[0], a[1], a[2], a[3]);
    case LIB_SPACE_FREE: return lib_space_free(t, a[0]);
    case LIB_SPACE_CALL: return lib_space_call(t, a);
    case LIB_PRIVILEGED_CALL: return lib_privileged_call(t, a);
    case LIB_FAULT: return upcall_take(t, false);
    case LIB_FAULT_SAVED: return upcall_take(t, true);
    }
    return -ENOSYS;
}

static bool is_own(long (*serve)(struct thread *, u64, u64 *))
{
    static long (*const own[])(struct thread *, u64, u64 *) = {
        ARCH_OWN_HANDLERS call_rt_sigaction,
        call_rt_sigprocmask,
        call_rt_sigreturn,
        call_sigaltstack,
        call_clone,
        call_clone3,
        call_exit,
    };
    for (u32 i = 0; i < ARRAY_LEN(own); i++)
        if (own[i] == serve)
            return true;
    return false;
}

// What concerns the thread itself is served as for any guest; everything else is the process's own
// affair, whose memory and descriptors are all its own.
static long serve_program(struct thread *t, u64 number, u64 a[6])
{
    const struct call *c = calls_find(number);
    if (c && is_own(c->serve))
        return c->serve(t, number, a);
    // Restartable sequences do not restart in a guest. A C library that has them in its first
    // thread ends the process when a new one cannot have them; without a processor number it uses
    // none.
    if (number == SYS_rseq)
        return 0;
    long ret = calls_forward(t, number, a);
    lib_dirty_note(t, number, a, ret);
    return ret;
}

static bool call_handler(struct thread *t, u64 number)
{
    const struct lib *lib = t->process->lib;
    if (number >= LIB_CALLS || !lib->on_call[number].function || upcall_in_handler(t))
        return false;
    upcall_enable_for_all(t);
    return enter_handler(t, &lib->on_call[number], 0, 0);
}

void lib_serve(struct thread *t)
{
    u64 number = regs_number(t->regs), a[6];
    long ret;
    regs_arguments(t->regs, a);
    if (t->lib.space)
        ret = number == LIB_SPACE_RETURN ? lib_space_return(t, a[0], 0) : -EPERM;
    else if (number >= LIB_FIRST && number < LIB_END)
        ret = serve_own(t, number, a);
    else if (call_handler(t, number))
        ret = CALL_DONE;
    else
        ret = serve_program(t, number, a);
    if (ret == RESTART_CALL)
        regs_rewind(t->regs, number);
    else if (ret != CALL_DONE)
        regs_set_result(t->regs, (u64)ret);
}
