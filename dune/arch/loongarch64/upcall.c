// SPDX-License-Identifier: Apache-2.0
// Handlers that are called without an exit. PLV0 (stubs.S) puts the program's registers into the
// area, which is in the vCPU's page and which this process can reach like all of its memory, and
// returns to lib_upcall at PLV3. That asks the functions at the end of this file, calls the
// handler, and goes back by a system call that PLV0 answers itself.
//
// An exception while the area is in use is told to the monitor as ever, which needs no area.
#include "dune/upcall.h"
#include "dune/arch/loongarch64/mailbox.h"
#include "dune/calls.h"
#include "dune/faults.h"
#include "dune/lib.h"
#include "dune/lib_entry.h"
#include "dune/pagetable.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

_Static_assert(offsetof(struct upcall_area, regs.pc) == AREA_PC - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, address) == AREA_ADDRESS - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, ecode) == AREA_ECODE - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, state) == AREA_STATE - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, pending) == AREA_PENDING - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, flush) == AREA_FLUSH - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, entry) == AREA_ENTRY - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, function) == AREA_FUNCTION - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_area, opaque) == AREA_OPAQUE - AREA, "for assembly");
_Static_assert(offsetof(struct upcall_plan, calls) == PLAN_CALLS, "for stubs.S");
_Static_assert(PLAN_N_CALLS == LIB_CALLS, "all that may have a handler");
_Static_assert(ARCH_PAGE == AREA_PAGE, "for lib_entry.S");

// Section 7.4.8 of the Reference Manual, Volume 1.
enum { PIL = 1, PIS = 2, PIF = 3, PME = 4, PNX = 6, PPI = 7, SYS = 11 };
// ALE, BCE, BRK, INE, IPE, FPE, WPE. Not ADE, which may be KVM's way to say something else.
#define TRAPS       (1ULL << 9 | 1ULL << 10 | 1ULL << 12 | 1ULL << 13 | 1ULL << 14 | 3ULL << 18)
#define PAGE_FAULTS 0xfeULL

// As the header of the library shows it.
struct frame {
    struct uregs regs;
    u64 address, error, rights;
};

static struct upcall_area *area_of(const struct thread *t)
{
    const struct vcpu_state *s = &t->vcpu;
    return s->v && s->box->has_upcalls ? mailbox_area(s->box) : NULL;
}

static void write_plan(struct upcall_plan *plan, const struct lib *lib)
{
    u64 codes = (lib->on_fault.function ? PAGE_FAULTS : 0) | (lib->on_trap.function ? TRAPS : 0);
    for (u32 i = 0; i < LIB_CALLS; i++) {
        plan->calls[i] = lib->on_call[i].function != 0;
        codes |= plan->calls[i] ? 1ULL << SYS : 0;
    }
    // LIB_RESUME is answered even when the last handler was taken back meanwhile.
    __atomic_store_n(&plan->codes, codes | (codes ? 1ULL << SYS : 0), __ATOMIC_RELEASE);
}

static int make_plan(struct space *space, const struct lib *lib)
{
    lock_take(&space->lock);
    if (!space->model.plan)
        space->model.plan = pagetable_page(&space->tables);
    if (space->model.plan)
        write_plan(space->model.plan, lib);
    lock_drop(&space->lock);
    return space->model.plan ? 0 : -ENOMEM;
}

int upcall_enable(struct thread *t)
{
    struct space *space = t->process->space;
    struct mailbox *box = t->vcpu.box;
    if (area_of(t) || !t->vcpu.v)
        return 0;
    int ret = space->model.plan ? 0 : make_plan(space, t->process->lib);
    if (ret)
        return ret;
    *mailbox_area(box) =
        (struct upcall_area){.entry = (u64)lib_upcall,
                             .state = t->lib.in_handler ? UPCALL_IN_HANDLER : UPCALL_IDLE,
                             .process = t->process};
    box->plan = GUEST_WINDOW + pagetable_page_gpa(&space->tables, space->model.plan);
    box->has_upcalls = true;
    return vcpu_use_root(&t->vcpu, box->root);
}

int upcall_enable_for_all(struct thread *t)
{
    return upcall_enable(t);
}

int upcall_handlers_changed(struct thread *t)
{
    int ret = make_plan(t->process->space, t->process->lib);
    return ret ? ret : upcall_enable(t);
}

bool upcall_in_handler(const struct thread *t)
{
    const struct upcall_area *a = area_of(t);
    return t->lib.in_handler || (a && a->state == UPCALL_IN_HANDLER);
}

void upcall_set_in_handler(struct thread *t, bool on)
{
    struct upcall_area *a = area_of(t);
    t->lib.in_handler = on;
    if (a)
        a->state = on ? UPCALL_IN_HANDLER : UPCALL_IDLE;
}

bool upcall_defers_signal(struct thread *t)
{
    struct upcall_area *a = area_of(t);
    bool is_between = a && (a->state == UPCALL_BEGINS || a->state == UPCALL_ENDS);
    if (a)
        a->pending = is_between;
    if (is_between)
        t->vcpu.v->run->immediate_exit = 0;
    return is_between;
}

static bool is_page_fault(u64 ecode)
{
    return ecode >= PIL && ecode <= PPI;
}

static u32 error_of(u64 ecode)
{
    return ecode == PIS || ecode == PME   ? VCPU_WRITE
           : ecode == PIF || ecode == PNX ? VCPU_FETCH
                                          : 0;
}

// A call that no handler is for after all.
static void make_call(struct thread *t)
{
    t->regs->pc += 4;
    t->lib.in_handler = true;
    lib_serve(t);
    t->lib.in_handler = false;
}

long upcall_take(struct thread *t, bool is_saved)
{
    struct upcall_area *a = area_of(t);
    if (!a || a->state != UPCALL_BEGINS)
        return -ENOSYS;
    struct vcpu_why why = {.address = a->address, .vector = (u32)a->ecode};
    *t->regs = a->regs;
    a->state = UPCALL_IDLE;
    why.exit = is_page_fault(a->ecode) ? VCPU_PAGE_FAULT : VCPU_FAULT;
    why.error = error_of(a->ecode);
    if (a->ecode == SYS) {
        make_call(t);
        return CALL_DONE;
    }
    mailbox_flush(t->vcpu.box, a->address);
    faults_serve(t, &why);
    return CALL_DONE;
}

bool upcall_resume(struct thread *t)
{
    struct upcall_area *a = area_of(t);
    if (!a || a->state != UPCALL_ENDS)
        return false;
    *t->regs = a->regs;
    regs_make_harmless(t->regs);
    if (a->flush)
        mailbox_flush(t->vcpu.box, a->flush);
    upcall_set_in_handler(t, false);
    return true;
}

bool upcall_breaks(struct thread *t)
{
    struct upcall_area *a = area_of(t);
    if (!a || (a->state != UPCALL_BEGINS && a->state != UPCALL_ENDS))
        return false;
    if (guest_grow_stack(regs_sp(&a->regs) - UPCALL_FRAME))
        return true;
    bool is_call = a->state == UPCALL_BEGINS && a->ecode == SYS;
    *t->regs = a->regs;
    regs_make_harmless(t->regs);
    a->state = UPCALL_IDLE;
    if (is_call)
        make_call(t);
    else
        signals_force(t, SIGSEGV, SEGV_ACCERR, a->address);
    return true;
}

// From here on the program's own code, at PLV3 on the area's stack. The program's floating-point
// registers are still in their places: this is compiled without vectors, as all of the monitor, and
// calls nothing that is not.
u64 upcall_decide(struct upcall_area *a);
u64 upcall_finish(struct frame *f, const struct upcall_area *a);

static const struct lib_handler *handler_of(const struct upcall_area *a)
{
    const struct lib *lib = a->process->lib;
    if (is_page_fault(a->ecode))
        return &lib->on_fault;
    if (a->ecode != SYS)
        return &lib->on_trap;
    return lib->on_call + (regs_number(&a->regs) & (LIB_CALLS - 1));
}

static u64 *entry_of(const struct upcall_area *a, u64 address)
{
    return space_holds(address, 1)
               ? pagetable_entry(&a->process->space->tables, address & ~(u64)(SPACE_PAGE - 1))
               : NULL;
}

static u64 put_frame(const struct upcall_area *a)
{
    struct frame *f =
        (struct frame *)(((regs_free_stack(&a->regs) - sizeof(struct frame)) & ~63ULL) - 64);
    bool is_call = a->ecode == SYS;
    for (volatile u32 i = 0; i < 32; i++) // the C library's way has vectors
        f->regs.gpr[i] = a->regs.gpr[i];
    f->regs.pc = a->regs.pc + (is_call ? 4 : 0);
    f->address = is_call ? 0 : a->address;
    f->error = is_page_fault(a->ecode) ? error_of(a->ecode) : is_call ? 0 : a->ecode;
    f->rights = 0;
    return (u64)f;
}

static u32 wanted(const struct upcall_area *a)
{
    u32 error = error_of(a->ecode);
    return error & VCPU_FETCH ? PROT_EXEC : error & VCPU_WRITE ? PROT_WRITE : PROT_READ;
}

// 0: the monitor's affair. 1: another thread gave the right meanwhile, and the program goes on.
// Else the frame for the handler.
u64 upcall_decide(struct upcall_area *a)
{
    const struct lib_handler *h = handler_of(a);
    if (!h->function)
        return 0;
    if (is_page_fault(a->ecode)) {
        const u64 *entry = entry_of(a, a->address);
        if (!entry || !(*entry & PTE_ADDRESS))
            return 0;
        if (pte_grants(*entry, wanted(a))) {
            a->flush = a->address;
            return 1;
        }
    }
    a->function = h->function;
    a->opaque = h->opaque;
    return put_frame(a);
}

// The handler is through. More rights are an entry's affair; less, or a right that the table has no
// entry for, is the monitor's: 0.
u64 upcall_finish(struct frame *f, const struct upcall_area *a)
{
    if (!f->rights)
        return 1;
    _Atomic u64 *entry = (_Atomic u64 *)entry_of(a, f->address);
    u64 old = entry ? atomic_load(entry) : 0;
    bool takes_execution = pte_grants(old, PROT_EXEC) && !(f->rights & PROT_EXEC);
    if (!(old & PTE_ADDRESS) || !(f->rights & PROT_WRITE) || f->rights & ~7ULL || takes_execution)
        return 0;
    atomic_store(entry, pte_with(old & PTE_ADDRESS, f->rights));
    f->rights = 0;
    return 1;
}
