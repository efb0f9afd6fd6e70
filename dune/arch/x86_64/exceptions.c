// SPDX-License-Identifier: Apache-2.0
#include "dune/exceptions.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

// Which signal and code an exception becomes; page faults and floating point know more.
static const struct {
    int signal, code;
} kinds[32] = {
    [0] = {SIGFPE, FPE_INTDIV},  [1] = {SIGTRAP, TRAP_TRACE}, [3] = {SIGTRAP, SI_KERNEL},
    [4] = {SIGSEGV, SI_KERNEL},  [5] = {SIGSEGV, SI_KERNEL},  [6] = {SIGILL, ILL_ILLOPN},
    [7] = {SIGSEGV, SI_KERNEL},  [10] = {SIGSEGV, SI_KERNEL}, [11] = {SIGBUS, SI_KERNEL},
    [12] = {SIGBUS, SI_KERNEL},  [13] = {SIGSEGV, SI_KERNEL}, [16] = {SIGFPE, 0},
    [17] = {SIGBUS, BUS_ADRALN}, [19] = {SIGFPE, 0},
};

// From the status bits that are not masked, in the kernel's order.
static int floating_point_code(struct thread *t, u32 vector)
{
    struct kvm_xsave x;
    if (vcpu_ioctl(t->vcpu.v, KVM_GET_XSAVE, &x) < 0)
        return FPE_FLTINV;
    u32 mxcsr = x.region[6], control = x.region[0] & 0xffff, status = x.region[0] >> 16;
    u32 raised = vector == 19 ? mxcsr & ~(mxcsr >> 7) : status & ~control;
    return raised & 1    ? FPE_FLTINV
           : raised & 4  ? FPE_FLTDIV
           : raised & 8  ? FPE_FLTOVF
           : raised & 18 ? FPE_FLTUND
           : raised & 32 ? FPE_FLTRES
                         : 0;
}

static bool host_reaches(u64 at)
{
    u8 byte;
    return guest_read(&byte, at, 1) == 0;
}

// KVM does not say which address the host could not reach. So the instruction is run again on
// tables that show nothing but the code: the exceptions name its operands one after the other,
// and each that the host can reach is shown too. Behind it the trap flag ends the run.
static bool find_operand(struct thread *t, struct space *space, struct pagetable *probe,
                         struct vcpu_why *why)
{
    u64 pc = regs_pc(t->regs);
    for (int i = 0; i < 16; i++) {
        vcpu_run(&t->vcpu, why);
        if (why->exit == VCPU_SIGNAL) {
            t->vcpu.v->run->immediate_exit = 0;
            continue;
        }
        if (why->exit != VCPU_PAGE_FAULT || regs_pc(t->regs) != pc)
            return false;
        u64 page = why->address & ~(SPACE_PAGE - 1);
        if (!host_reaches(why->address) ||
            pagetable_map(probe, page, slots_gpa(&space->slots, page), PTE_USER | PTE_WRITE))
            return true;
    }
    return false;
}

// The program's code is what may be executed.
static void show_page(struct pagetable *pt, struct pagetable *probe, u64 va)
{
    const u64 *entry = pagetable_entry(pt, va);
    if (entry && pte_grants(*entry, PROT_EXEC))
        pagetable_map(probe, va, *entry & PTE_ADDRESS, PTE_USER);
}

static int show_code(struct pagetable *pt, struct pagetable *probe, u64 pc)
{
    int ret = pagetable_probe(pt, probe);
    if (ret < 0)
        return ret;
    pc &= ~(SPACE_PAGE - 1);
    show_page(pt, probe, pc);
    show_page(pt, probe, pc + SPACE_PAGE);
    return 0;
}

static bool find_on_probe(struct thread *t, struct space *space, struct vcpu_why *why)
{
    struct pagetable probe = space->tables;
    bool found = false;
    lock_take(&space->lock);
    u64 used = space->tables.pool_used;
    if (show_code(&space->tables, &probe, regs_pc(t->regs)) == 0 &&
        vcpu_use_root(&t->vcpu, pagetable_root_gpa(&probe)) == 0)
        found = find_operand(t, space, &probe, why);
    vcpu_use_root(&t->vcpu, pagetable_root_gpa(&space->tables));
    memset(space->tables.pool + used, 0, probe.pool_used - used);
    lock_drop(&space->lock);
    return found;
}

// The instruction went through. Where its page came back meanwhile it may be one that ends in
// something else: a call is made again, and an exception is served.
static void serve_other_end(struct thread *t, const struct vcpu_why *why, bool was_stepping)
{
    enum { DEBUG = 1, CALL_SIZE = 2 };
    if (why->exit == VCPU_CALL)
        t->regs->rip -= CALL_SIZE;
    else if (why->exit == VCPU_FAULT && (why->vector != DEBUG || was_stepping))
        exception_serve(t, why);
}

// Signals that come meanwhile are noted and delivered behind this one.
bool exception_find_bus(struct thread *t, struct vcpu_why *why)
{
    enum { TRAP_FLAG = 0x100 };
    bool was_stepping = t->regs->rflags & TRAP_FLAG;
    signals_block_all();
    t->regs->rflags |= TRAP_FLAG;
    bool found = find_on_probe(t, t->process->space, why);
    if (!was_stepping)
        t->regs->rflags &= ~(u64)TRAP_FLAG;
    if (!t->taken)
        signals_use_mask(t);
    if (!found)
        serve_other_end(t, why, was_stepping);
    return found;
}

void exception_serve(struct thread *t, const struct vcpu_why *why)
{
    u32 v = why->vector;
    if (v < 32 && kinds[v].signal)
        signals_force(t, kinds[v].signal,
                      v == 16 || v == 19 ? floating_point_code(t, v) : kinds[v].code,
                      v == 0 || v == 6 || v == 16 || v == 19 ? regs_pc(t->regs) : 0);
    else
        signals_force(t, SIGSEGV, SI_KERNEL, 0);
}
