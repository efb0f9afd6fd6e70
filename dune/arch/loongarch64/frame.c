// SPDX-License-Identifier: Apache-2.0
#include "dune/frame.h"
#include "dune/arch/loongarch64/context.h"
#include "dune/arch/loongarch64/layout.h"
#include "dune/process.h"
#include "dune/native.h"
#include "dune/thread.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

// What the processor has that the program uses.
static u32 units_of(const struct thread *t)
{
    return t->vcpu.native ? native_units() : t->vcpu.model->units;
}

static bool is_on(const struct thread *t, u64 sp)
{
    return t->alt_size && sp > t->alt_sp && sp - t->alt_sp <= t->alt_size;
}

static u64 stack_for(const struct thread *t, const struct action *a)
{
    u64 sp = regs_sp(t->regs);
    bool has_alt = t->alt_size && !(t->alt_flags & SS_DISABLE);
    if (a->flags & SA_ONSTACK && has_alt && !is_on(t, sp))
        sp = t->alt_sp + t->alt_size;
    return sp & ~15ULL;
}

// From the top down: the last head, the context of the unit and its head.
static int write_units(struct thread *t, u64 *sp)
{
    struct vcpu_extra x;
    u64 context[CONTEXT_MOST_WORDS];
    const struct context_unit *u = context_widest(units_of(t));
    u64 end = *sp - sizeof(struct context_head);
    u64 at = (end - context_size(u)) & ~(u64)(u->align - 1);
    struct context_head last = {0}, first = {.magic = u->magic};
    if (vcpu_get_extra(&t->vcpu, &x) < 0)
        return -EFAULT;
    context_pack(context, &x, u);
    *sp = at - sizeof(first);
    first.size = (u32)(end - *sp);
    int ret = guest_write(end, &last, sizeof(last));
    ret = ret ? ret : guest_write(at, context, context_size(u));
    return ret ? ret : guest_write(*sp, &first, sizeof(first));
}

int frame_push(struct thread *t, const siginfo_t *info, const struct action *a,
               const struct frame_trap *trap)
{
    struct uregs *r = t->regs;
    struct context_frame f = {.info = *info,
                              .stack_sp = t->alt_sp,
                              .stack_flags = t->alt_size ? t->alt_flags : SS_DISABLE,
                              .stack_size = t->alt_size,
                              .mask = t->mask,
                              .pc = r->pc,
                              .flags = CONTEXT_USED_FP};
    memcpy(f.regs + 1, r->gpr + 1, 31 * 8);
    u64 sp = stack_for(t, a);
    if (write_units(t, &sp))
        return -EFAULT;
    sp -= sizeof(f);
    if (guest_write(sp, &f, sizeof(f)))
        return -EFAULT;
    regs_enter(r, a->handler, sp, (u64)info->si_signo, sp + offsetof(struct context_frame, info),
               sp + offsetof(struct context_frame, uc_flags));
    r->gpr[REG_RA] = t->vcpu.native ? (u64)native_sigreturn : GUEST_SIGRETURN;
    if (t->alt_flags & SS_AUTODISARM)
        t->alt_size = 0;
    return 0;
}

static int read_unit(struct thread *t, const struct context_unit *u, u64 at, u32 size)
{
    struct vcpu_extra x;
    u64 context[CONTEXT_MOST_WORDS];
    if (size < sizeof(struct context_head) + context_size(u) - 4 ||
        vcpu_get_extra(&t->vcpu, &x) < 0 ||
        guest_read(context, at + sizeof(struct context_head), context_size(u)))
        return -EFAULT;
    context_unpack(&x, context, u);
    // Bits that would raise the exception at once were never answered.
    x.fcsr &= ~((x.fcsr & 0x1f) << 24);
    return vcpu_set_extra(&t->vcpu, &x) < 0 ? -EFAULT : 0;
}

static int read_units(struct thread *t, u64 at)
{
    enum { MOST = 8 };
    struct context_head h;
    for (int i = 0; i < MOST; i++, at += h.size) {
        if (guest_read(&h, at, sizeof(h)))
            return -EFAULT;
        if (!h.magic)
            return 0;
        const struct context_unit *u = context_unit_of(h.magic);
        if (!u || read_unit(t, u, at, h.size))
            return -EFAULT;
    }
    return -EFAULT;
}

int frame_pop(struct thread *t)
{
    struct context_frame f;
    u64 sp = regs_sp(t->regs);
    if (guest_read(&f, sp, sizeof(f)) || read_units(t, sp + sizeof(f)))
        return -EFAULT;
    memcpy(t->regs->gpr + 1, f.regs + 1, 31 * 8);
    t->regs->pc = f.pc;
    t->mask = f.mask;
    if (!(f.stack_flags & SS_DISABLE) && f.stack_size) {
        t->alt_sp = f.stack_sp;
        t->alt_size = f.stack_size;
        t->alt_flags = f.stack_flags & SS_AUTODISARM;
    }
    return 0;
}
