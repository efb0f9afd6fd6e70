// SPDX-License-Identifier: Apache-2.0
#include "dune/faults.h"
#include "dune/exceptions.h"
#include "dune/message.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"
#include "dune/upcall.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

static u32 wanted(const struct vcpu_why *why)
{
    return why->error & VCPU_FETCH ? PROT_EXEC : why->error & VCPU_WRITE ? PROT_WRITE : PROT_READ;
}

static void serve_page_fault(struct thread *t, const struct vcpu_why *why)
{
    bool has_own_tables = t->lib.space && t->lib.space != LIB_PRIVILEGED;
    if (has_own_tables && lib_space_fault(t, why->address))
        return;
    int code =
        has_own_tables ? SEGV_ACCERR : space_fault(t->process->space, why->address, wanted(why));
    if (code && t->process->lib && lib_fault(t, why))
        return;
    if (code)
        signals_force(t, SIGSEGV, code, why->address);
}

// By the host.
static bool is_mapped(u64 address)
{
    u8 vector;
    return raw(SYS_mincore, address & ~(SPACE_PAGE - 1), 1, &vector) >= 0;
}

// In flat tables all that the kernel refuses comes this way: nothing mapped, or no right to it.
static void serve_flat_error(struct thread *t, struct vcpu_why *why)
{
    if (lib_end_compartment(t) || !exception_find_bus(t, why) || guest_grow_stack(why->address))
        return;
    signals_force(t, SIGSEGV, is_mapped(why->address) ? SEGV_ACCERR : SEGV_MAPERR, why->address);
}

// A file got shorter; or a child of fork was not given what was advised so (MADV_DONTFORK).
static void force_bus_error(struct thread *t, u64 address)
{
    if (is_mapped(address))
        signals_force(t, SIGBUS, BUS_ADRERR, address);
    else
        signals_force(t, SIGSEGV, SEGV_MAPERR, address);
}

// Whether the program may try again: the kernel brings the page, or another thread is changing what
// is mapped there. A kernel before 5.14 does not know how to say.
static bool may_come(u64 address, u32 prot)
{
    int advice = prot & PROT_WRITE ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
    long ret = raw(SYS_madvise, address & ~(SPACE_PAGE - 1), SPACE_PAGE, advice);
    return ret == 0 || ret == -ENOMEM || ret == -EINVAL;
}

// How often in succession, with nothing else that left the guest in between.
static u64 count_tries(struct thread *t)
{
    bool is_next = t->vcpu.n_exits == t->bus_exits + 1;
    t->bus_tries = is_next ? t->bus_tries + 1 : 0;
    return t->bus_tries;
}

// A translation that the processor kept may be older than the tables, and what the host could not
// reach then may be there now: both are asked before a signal says otherwise.
static void serve_bus_error(struct thread *t, struct vcpu_why *why)
{
    enum { MANY = 100 };
    bool is_hopeless = count_tries(t) >= MANY;
    if (exception_find_bus(t, why)) {
        int code = space_fault(t->process->space, why->address, wanted(why));
        if (code)
            signals_force(t, SIGSEGV, code, why->address);
        else if (is_hopeless || !may_come(why->address, wanted(why)))
            force_bus_error(t, why->address);
    }
    t->bus_exits = t->vcpu.n_exits;
}

static _Noreturn void give_up(struct thread *t, const struct vcpu_why *why)
{
    if (why->code == -EAGAIN)
        message("the limit of processes leaves no room for KVM's thread: a process ends");
    else
        message("KVM cannot go on: exit %u, result %ld, at %x, address %x", (u64)why->reason,
                why->code, regs_pc(t->regs), why->address);
    signals_die(SIGKILL);
}

void faults_serve(struct thread *t, struct vcpu_why *why)
{
    COUNT(t->process->settings, faults);
    if (t->process->lib && why->exit != VCPU_PAGE_FAULT && why->exit != VCPU_DEAD &&
        upcall_breaks(t))
        return;
    switch (why->exit) {
    case VCPU_NATIVE_FAULT:
        signals_force(t, (int)why->vector, (int)why->error, why->address);
        break;
    case VCPU_PAGE_FAULT: serve_page_fault(t, why); break;
    case VCPU_BUS:
        if (t->process->space->is_flat)
            serve_flat_error(t, why);
        else
            serve_bus_error(t, why);
        break;
    case VCPU_FAULT:
        if (!lib_end_compartment(t) && !lib_trap(t, why))
            exception_serve(t, why);
        break;
    default:
        if (!lib_end_compartment(t))
            give_up(t, why);
    }
}
