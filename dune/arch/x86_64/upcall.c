// SPDX-License-Identifier: Apache-2.0
#include "dune/upcall.h"
#include "dune/arch/x86_64/layout.h"
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
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

enum { IDLE, BUSY, IN_HANDLER };

// In the vCPU's page; lib_entry.S knows the offsets.
struct area {
    struct uregs regs;
    u64 address, error;
    u32 state, pending;
    u64 live_address, live_rcx, live_r11;
    struct process *process;
    u64 function, opaque;
};
_Static_assert(offsetof(struct area, address) == 0x90, "lib_entry.S");
_Static_assert(offsetof(struct area, state) == 0xa0, "lib_entry.S");
_Static_assert(offsetof(struct area, live_address) == 0xa8, "lib_entry.S");
_Static_assert(offsetof(struct area, function) == 0xc8, "lib_entry.S");

// The end of that page: what the gate returns by, what it saved, and the processor's frame.
struct top {
    u64 iret[5];
    u64 rax, error, rip, cs, rflags, rsp, ss;
};
_Static_assert(SPACE_PAGE - sizeof(struct top) - GUEST_UPCALL_AREA == 0x1a0, "lib_entry.S");

// As the header of the library shows it.
struct frame {
    struct uregs regs;
    u64 address, error, rights;
};

static struct area *area_of(const struct thread *t)
{
    return t->vcpu.upcall_root ? (struct area *)(void *)(t->vcpu.v->page + GUEST_UPCALL_AREA)
                               : NULL;
}

static struct top *top_of(const struct thread *t)
{
    return (struct top *)(void *)(t->vcpu.v->page + SPACE_PAGE - sizeof(struct top));
}

static u64 page_seen_at(const struct thread *t)
{
    return GUEST_UPCALL_PAGES + (u64)t->vcpu.v->id * SPACE_PAGE;
}

static int map_area(struct thread *t, u64 at)
{
    struct pagetable *pt = &t->process->space->tables;
    u64 gpa = pagetable_page_gpa(pt, t->vcpu.v->page);
    int ret = vcpu_map_upcall_gates(pt);
    ret = ret ? ret : pagetable_map(pt, at, gpa, PTE_USER | PTE_WRITE | PTE_NX);
    // A fault on the code that faults lead to would lead there again.
    ret = ret ? ret : pagetable_fill_page(pt, (u64)lib_upcall);
    return ret ? ret : pagetable_fill_page(pt, (u64)lib_upcall_end);
}

int upcall_enable(struct thread *t)
{
    struct space *space = t->process->space;
    if (t->vcpu.upcall_root)
        return 0;
    u64 at = page_seen_at(t);
    lock_take(&space->lock);
    int ret = map_area(t, at);
    lock_drop(&space->lock);
    ret = ret ? ret : vcpu_use_upcalls(&t->vcpu, pagetable_root_gpa(&space->tables));
    if (ret)
        return ret;
    *area_of(t) = (struct area){.process = t->process};
    const u64 iret[5] = {(u64)lib_upcall, SELECTOR_USER_CODE, 0x202, at + GUEST_UPCALL_AREA,
                         SELECTOR_USER_DATA};
    memcpy(top_of(t)->iret, iret, sizeof(iret));
    return 0;
}

bool upcall_in_handler(const struct thread *t)
{
    const struct area *a = area_of(t);
    return t->lib.in_handler || (a && a->state == IN_HANDLER);
}

void upcall_set_in_handler(struct thread *t, bool on)
{
    struct area *a = area_of(t);
    t->lib.in_handler = on;
    if (a)
        a->state = on ? IN_HANDLER : IDLE;
}

// The last instructions are on the program's stack, with registers that are still being loaded.
bool upcall_defers_signal(struct thread *t)
{
    struct area *a = t->process->lib ? area_of(t) : NULL;
    if (!a || (a->state != BUSY && t->regs->rsp - page_seen_at(t) >= SPACE_PAGE))
        return false;
    a->pending = 1;
    t->vcpu.v->run->immediate_exit = 0;
    return true;
}

static void take_live(struct thread *t, const struct area *a, struct vcpu_why *why)
{
    const struct top *top = top_of(t);
    t->regs->rax = top->rax;
    t->regs->rcx = a->live_rcx;
    t->regs->r11 = a->live_r11;
    t->regs->rip = top->rip;
    t->regs->rsp = top->rsp;
    t->regs->rflags = top->rflags;
    why->address = a->live_address;
    why->error = (u32)top->error;
}

// The program's stack, or a table, is not there yet. When it is not to be had, the fault that the
// handler was to be called for is what the program did.
static void serve_nested(struct thread *t, struct area *a, const struct vcpu_why *why)
{
    int code = space_fault(t->process->space, why->address,
                           why->error & VCPU_WRITE ? PROT_WRITE : PROT_READ);
    if (!code)
        return;
    *t->regs = a->regs;
    a->state = IDLE;
    signals_force(t, SIGSEGV, code, a->address);
}

long upcall_take(struct thread *t, bool is_saved)
{
    struct area *a = area_of(t);
    struct vcpu_why why = {.exit = VCPU_PAGE_FAULT, .vector = 14};
    if (!a)
        return -ENOSYS;
    if (is_saved) {
        *t->regs = a->regs;
        why.address = a->address;
        why.error = (u32)a->error;
        a->state = IDLE;
    } else {
        take_live(t, a, &why);
    }
    if (a->state == BUSY)
        serve_nested(t, a, &why);
    else
        faults_serve(t, &why);
    return CALL_DONE;
}

int upcall_enable_for_all(struct thread *t)
{
    return 0;
}

int upcall_handlers_changed(struct thread *t)
{
    return 0;
}

bool upcall_resume(struct thread *t)
{
    return false;
}

bool upcall_breaks(struct thread *t)
{
    struct area *a = area_of(t);
    if (!a || a->state != BUSY)
        return false;
    if (guest_grow_stack(regs_sp(&a->regs) - UPCALL_FRAME))
        return true;
    *t->regs = a->regs;
    a->state = IDLE;
    signals_force(t, SIGSEGV, SEGV_ACCERR, a->address);
    return true;
}

// From here on the program's own code: in ring 3, before its floating-point registers are saved.
#define IN_GUEST __attribute__((target("general-regs-only"), used))

// What lib_entry.S ends with: rcx, flags and the address, below the red zone.
IN_GUEST static u64 put_return(const struct uregs *r)
{
    u64 *words = (u64 *)(r->rsp - 128 - 24);
    words[0] = r->rcx;
    words[1] = (r->rflags & 0x244dd5) | 0x202;
    words[2] = r->rip;
    return (u64)words;
}

static inline bool allows(u64 entry, u64 error)
{
    return entry & PTE_PRESENT && (!(error & VCPU_WRITE) || entry & PTE_WRITE) &&
           (!(error & VCPU_FETCH) || !(entry & PTE_NX));
}

IN_GUEST static u64 put_frame(const struct area *a)
{
    struct frame *f = (struct frame *)(((a->regs.rsp - 128 - sizeof(struct frame)) & ~63ULL) - 64);
    const u64 *from = (const u64 *)&a->regs;
    for (volatile u32 i = 0; i < sizeof(a->regs) / 8; i++)
        ((u64 *)&f->regs)[i] = from[i];
    f->address = a->address;
    f->error = a->error;
    f->rights = 0;
    return (u64)f;
}

u64 upcall_decide(struct area *a);
u64 upcall_finish(const struct frame *f, const struct area *a);

// 0: the monitor's affair. 1: another thread gave the right meanwhile, and regs.rsp is where to
// return from. Else the frame for the handler.
IN_GUEST u64 upcall_decide(struct area *a)
{
    const struct lib_handler *h = &a->process->lib->on_fault;
    const u64 *entry =
        h->function && space_holds(a->address, 1)
            ? pagetable_entry(&a->process->space->tables, a->address & ~(u64)(SPACE_PAGE - 1))
            : NULL;
    if (!entry || !(*entry & PTE_ADDRESS))
        return 0;
    if (allows(*entry, a->error)) {
        a->regs.rsp = put_return(&a->regs);
        return 1;
    }
    a->function = h->function;
    a->opaque = h->opaque;
    return put_frame(a);
}

// The handler is through. More rights are an entry's affair; less, or a right that the table has no
// entry for, is the monitor's: 0.
u64 upcall_finish(const struct frame *f, const struct area *a)
{
    _Atomic u64 *entry = NULL;
    if (f->rights)
        entry = (_Atomic u64 *)pagetable_entry(&a->process->space->tables,
                                               f->address & ~(u64)(SPACE_PAGE - 1));
    if (f->rights && (!entry || !(f->rights & PROT_WRITE) || f->rights & ~7ULL))
        return 0;
    if (entry) {
        u64 old = atomic_load(entry), new = old | PTE_PRESENT | PTE_WRITE;
        if (!(f->rights & PROT_EXEC) && !(old & PTE_NX) && old & PTE_PRESENT)
            return 0;
        new = f->rights &PROT_EXEC ? new & ~PTE_NX : new | PTE_NX;
        atomic_store(entry, new);
    }
    return put_return(&f->regs);
}
