// SPDX-License-Identifier: Apache-2.0
// A vCPU at work. The program is at PLV3. Whatever it does that needs the monitor enters PLV0,
// where stubs.S puts its registers into the mailbox and exits; the way back loads them from there.
// What the host interrupts in between is in KVM's own registers, which then are copied.
#include "dune/vcpu.h"
#include "dune/arch/loongarch64/layout.h"
#include "dune/arch/loongarch64/mailbox.h"
#include "dune/native.h"
#include "dune/pagetable.h"
#include "dune/raw.h"
#include "dune/space.h"
#include "dune/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

// Section 7.4.8 of the Reference Manual, Volume 1.
enum {
    ECODE_INT = 0,
    ECODE_PIL = 1,
    ECODE_PIS = 2,
    ECODE_PIF = 3,
    ECODE_PME = 4,
    ECODE_PNR = 5,
    ECODE_PNX = 6,
    ECODE_PPI = 7,
    ECODE_ADE = 8,
    ECODE_SYS = 11,
    ECODE_INE = 13,
    ECODE_IPE = 14,
};

static u64 stub_at(const struct vcpu_state *s, const u8 *label)
{
    return GUEST_WINDOW + s->model->stub_gpa + (u64)(label - stub_exception);
}

static bool is_between(u64 at, u64 start, u64 end)
{
    return at >= start && at < end;
}

// Rights that were taken out of tables may still be in the TLB.
static void drop_if_changed(struct vcpu_state *s)
{
    u64 n = __atomic_load_n(&s->model->tables->n_changes, __ATOMIC_ACQUIRE);
    if (n == s->n_changes)
        return;
    s->n_changes = n;
    mailbox_flush(s->box, 0);
}

// The way back is the only place where translations are dropped; a program that was interrupted at
// its own level goes there too when there are any to drop.
static long enter(struct vcpu_state *s)
{
    drop_if_changed(s);
    if (s->level == VCPU_IN_PLV3 && s->box->flush) {
        long ret = mailbox_set_csr(s->v, CSR_CRMD, CRMD_IN_KERNEL);
        if (ret < 0)
            return ret;
        s->level = VCPU_IN_PLV0;
        s->is_at_return = false;
    }
    if (s->level == VCPU_IN_PLV3)
        return vcpu_ioctl(s->v, KVM_SET_REGS, s->regs);
    if (s->is_at_return)
        return 0;
    struct uregs regs = {.pc = stub_at(s, stub_return)};
    s->is_at_return = true;
    return vcpu_ioctl(s->v, KVM_SET_REGS, &regs);
}

// KVM completes an access or a hypercall when the vCPU runs next, whatever was done in between.
static void finish_exit(struct vcpu_state *s)
{
    struct kvm_run *run = s->v->run;
    run->immediate_exit = 1;
    raw(SYS_ioctl, s->v->fd, KVM_RUN, 0);
    run->immediate_exit = 0;
    run->exit_reason = KVM_EXIT_UNKNOWN;
}

// The refill handler was interrupted: the program has not executed its instruction, and will cause
// the same again.
static void undo_refill(struct vcpu_state *s, struct uregs *regs)
{
    u64 pc = 0, t0 = 0;
    mailbox_get_csr(s->v, CSR_TLBRERA, &pc);
    mailbox_get_csr(s->v, CSR_TLBRSAVE, &t0);
    mailbox_set_csr(s->v, CSR_TLBRERA, 0);
    mailbox_set_csr(s->v, CSR_CRMD, CRMD_IN_KERNEL | s->box->level);
    // Its first instruction puts t0 away.
    if (regs->pc != s->model->stub_gpa + STUB_REFILL)
        regs->gpr[REG_T0] = t0;
    regs->pc = pc & ~3ULL;
}

static bool is_refilling(const struct vcpu_state *s, u64 pc)
{
    u64 start = s->model->stub_gpa + STUB_REFILL, mode = 0;
    if (!is_between(pc, start, start + (u64)(stub_refill_end - stub_refill)))
        return false;
    mailbox_get_csr(s->v, CSR_CRMD, &mode);
    return mode & CRMD_DA;
}

static bool is_within(const struct vcpu_state *s, u64 pc, const u8 *start, const u8 *end)
{
    return is_between(pc, stub_at(s, start), stub_at(s, end));
}

// A handler was through; the mailbox takes over what the area has.
static void finish_upcall(struct vcpu_state *s)
{
    struct upcall_area *a = mailbox_area(s->box);
    *s->regs = a->regs;
    if (a->flush)
        mailbox_flush(s->box, a->flush);
    a->state = UPCALL_IDLE;
}

// A signal came. False: an exception was about to be told, to the monitor or to a handler, and goes
// first.
static bool take_interruption(struct vcpu_state *s)
{
    struct uregs regs;
    s->v->run->exit_reason = KVM_EXIT_UNKNOWN;
    if (vcpu_ioctl(s->v, KVM_GET_REGS, &regs) < 0)
        return true;
    if (is_within(s, regs.pc, stub_exception, stub_return) ||
        is_within(s, regs.pc, stub_upcall, stub_upcall_return)) {
        mailbox_area(s->box)->pending = 1;
        return false;
    }
    bool ends_upcall = is_within(s, regs.pc, stub_upcall_return, stub_end);
    if (ends_upcall)
        finish_upcall(s);
    if (ends_upcall || is_within(s, regs.pc, stub_return, stub_exception_end)) {
        s->level = VCPU_IN_PLV0;
        s->is_at_return = false;
        return true;
    }
    if (is_refilling(s, regs.pc))
        undo_refill(s, &regs);
    s->level = VCPU_IN_PLV3;
    *s->regs = regs;
    return true;
}

static void take_page_fault(struct vcpu_state *s, struct vcpu_why *why)
{
    u32 code = why->vector;
    why->exit = VCPU_PAGE_FAULT;
    why->address = s->box->badv;
    why->error = code == ECODE_PIS || code == ECODE_PME   ? VCPU_WRITE
                 : code == ECODE_PIF || code == ECODE_PNX ? VCPU_FETCH
                                                          : 0;
    mailbox_flush(s->box, why->address);
}

// The program's address of memory that the host could not reach.
static u64 address_of(const struct vcpu_state *s, u64 gpa)
{
    const struct slots *slots = s->model->tables->slots;
    for (u32 i = 0; i < slots->n; i++)
        if (gpa - slots->list[i].gpa < slots->list[i].size)
            return slots->list[i].hva + (gpa - slots->list[i].gpa);
    return 0;
}

// What KVM cannot do for a plain access it injects, and then the address is guest-physical. A real
// one is outside of the program's half of the address space.
static bool take_injected(struct vcpu_state *s, struct vcpu_why *why)
{
    u64 va = s->box->badv >> 47 ? 0 : address_of(s, s->box->badv);
    if (!va)
        return false;
    why->exit = VCPU_BUS;
    why->address = va;
    why->error = va - s->regs->pc < 4 ? VCPU_FETCH : 0;
    mailbox_flush(s->box, va);
    return true;
}

// KVM of Linux 7.2 writes the code of what it injects where interrupts are noted, and Ecode is 0.
// Of the two that it injects only an address error has an address, and there was none before.
static u32 ecode_of(const struct mailbox *b)
{
    u32 ecode = (u32)(b->estat >> 16 & 0x3f);
    return ecode != ECODE_INT ? ecode : b->badv == ~0ULL ? ECODE_INE : ECODE_ADE;
}

static void take_exception(struct vcpu_state *s, struct vcpu_why *why)
{
    const struct mailbox *b = s->box;
    s->level = VCPU_IN_PLV0;
    s->is_at_return = true;
    why->vector = ecode_of(b);
    why->error = (u32)(b->estat >> 22 & 0x1ff);
    why->address = b->badv;
    why->exit = (b->prmd & 3) == b->level ? VCPU_FAULT : VCPU_DEAD;
    if (why->exit == VCPU_DEAD)
        return;
    if (why->vector == ECODE_SYS) {
        why->exit = VCPU_CALL;
        s->regs->pc += 4;
    } else if (is_between(why->vector, ECODE_PIL, ECODE_PPI + 1)) {
        take_page_fault(s, why);
    } else if (why->vector == ECODE_ADE) {
        take_injected(s, why);
    }
}

// The program cannot use the door; whoever lets it should say that it is privileged.
static void take_forged_exit(struct vcpu_state *s, struct vcpu_why *why)
{
    s->v->run->exit_reason = KVM_EXIT_UNKNOWN;
    s->level = VCPU_IN_PLV3;
    why->exit = vcpu_ioctl(s->v, KVM_GET_REGS, s->regs) < 0 ? VCPU_DEAD : VCPU_FAULT;
    why->vector = ECODE_IPE;
}

// Memory that the host could not reach, by a plain load or store. For a store KVM has gone on to
// the next instruction already, and a load it would complete.
static void take_access(struct vcpu_state *s, struct vcpu_why *why)
{
    const struct kvm_run *run = s->v->run;
    struct uregs regs = {.pc = 0};
    bool is_write = run->mmio.is_write;
    u64 va = address_of(s, run->mmio.phys_addr);
    bool has_regs = vcpu_ioctl(s->v, KVM_GET_REGS, &regs) == 0;
    why->exit = va && has_regs ? VCPU_BUS : VCPU_DEAD;
    why->address = va ? va : run->mmio.phys_addr;
    why->error = is_write ? VCPU_WRITE : 0;
    regs.pc -= is_write ? 4 : 0;
    finish_exit(s);
    s->level = VCPU_IN_PLV3;
    *s->regs = regs;
    mailbox_flush(s->box, why->address);
}

// Privileged code of the program's asked for what nobody has: it does not go on.
static void abandon(struct vcpu_state *s)
{
    finish_exit(s);
    s->level = VCPU_IN_PLV0;
    s->is_at_return = false;
}

static bool is_door(const struct vcpu_state *s)
{
    const struct kvm_run *run = s->v->run;
    switch (run->exit_reason) {
    case KVM_EXIT_HYPERCALL: return true;
    case KVM_EXIT_LOONGARCH_IOCSR: return run->iocsr_io.is_write;
    case KVM_EXIT_MMIO: return run->mmio.phys_addr == GUEST_DOOR_GPA && run->mmio.is_write;
    }
    return false;
}

static bool take_exit(struct vcpu_state *s, struct vcpu_why *why, long ret)
{
    const struct kvm_run *run = s->v->run;
    *why = (struct vcpu_why){.exit = VCPU_DEAD, .reason = run->exit_reason, .code = ret};
    s->n_exits++;
    if (ret == -EINTR || ret == -EAGAIN) {
        why->exit = VCPU_SIGNAL;
        return take_interruption(s);
    }
    if (ret)
        return true;
    if (!is_door(s)) {
        if (run->exit_reason == KVM_EXIT_MMIO)
            take_access(s, why);
        else if (s->box->level == LEVEL_KERNEL)
            abandon(s);
    } else if (s->box->at_door) {
        s->box->at_door = 0;
        take_exception(s, why);
    } else {
        take_forged_exit(s, why);
    }
    return true;
}

int vcpu_try(struct vcpu_state *s)
{
    s->v->run->immediate_exit = 1;
    long ret = raw(SYS_ioctl, s->v->fd, KVM_RUN, 0);
    s->v->run->immediate_exit = 0;
    return ret == -EINTR ? 0 : (int)ret;
}

void vcpu_run(struct vcpu_state *s, struct vcpu_why *why)
{
    if (s->native) {
        s->n_exits++;
        native_run(s->native, why);
        return;
    }
    long ret = enter(s);
    if (ret < 0) {
        *why = (struct vcpu_why){.exit = VCPU_DEAD, .code = ret};
        return;
    }
    while (!take_exit(s, why, raw(SYS_ioctl, s->v->fd, KVM_RUN, 0)))
        s->v->run->immediate_exit = 0;
}

void vcpu_at_probe(struct vcpu_state *s)
{
    s->regs->pc = GUEST_PROBE;
}

int vcpu_probe(struct vcpu_state *s, struct vcpu_model *m)
{
    struct vcpu_why why;
    if (m->is_probed)
        return 0;
    vcpu_at_probe(s);
    do
        vcpu_run(s, &why);
    while (why.exit == VCPU_SIGNAL);
    m->is_probed = why.exit == VCPU_CALL;
    return m->is_probed ? 0 : -ENOSYS;
}

const char *vcpu_way(const struct vcpu_model *m)
{
    switch (m->door) {
    case VCPU_DOOR_HVCL: return "system calls enter PLV0 and leave it by hvcl";
    case VCPU_DOOR_IOCSR: return "system calls enter PLV0 and leave it by an IOCSR";
    case VCPU_DOOR_MMIO: return "system calls enter PLV0 and leave it by MMIO";
    case VCPU_DOOR_UNKNOWN: break;
    }
    return "system calls have no way out";
}

bool vcpu_enters_kernel(const struct vcpu_model *m)
{
    return m->is_probed;
}

int vcpu_use_root(struct vcpu_state *s, u64 root_gpa)
{
    struct mailbox *b = s->box;
    bool is_first = root_gpa == pagetable_root_gpa(s->model->tables);
    b->root = root_gpa;
    b->upcall = b->has_upcalls && is_first ? (u64)b : 0;
    mailbox_flush(b, 0);
    return 0;
}

void vcpu_take_back(struct vcpu_state *s, const struct vcpu_state *from)
{
    s->level = from->level;
    s->is_at_return = from->is_at_return;
    s->n_changes = from->n_changes;
    s->n_exits = from->n_exits;
}

// What had privileges is at PLV0 however it was left, and only the way back leads from there.
int vcpu_set_privilege(struct vcpu_state *s, bool on)
{
    s->box->level = on ? LEVEL_KERNEL : LEVEL_PROGRAM;
    if (s->level == VCPU_IN_PLV3)
        s->is_at_return = false;
    s->level = VCPU_IN_PLV0;
    return 0;
}
