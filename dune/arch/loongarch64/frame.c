// SPDX-License-Identifier: Apache-2.0
// include/uapi/asm/ucontext.h and sigcontext.h: behind the general registers come contexts of other
// units, each with a head that says what it is and how long, and a head of zeros at the end.
#include "dune/frame.h"
#include "dune/arch/loongarch64/layout.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define FPU_MAGIC  0x46505501
#define LSX_MAGIC  0x53580001
#define LASX_MAGIC 0x41535801
#define USED_FP    1

struct head {
    u32 magic, size; // with the head itself
    u64 pad;
};

struct frame {
    siginfo_t info;
    u64 uc_flags, uc_link;
    u64 stack_sp;
    u32 stack_flags, pad;
    u64 stack_size;
    u64 mask, unused[15], pad2;
    u64 pc, regs[32];
    u32 flags, pad3;
    struct head units[];
};
_Static_assert(offsetof(struct frame, uc_flags) == 128, "as the kernel lays it out");
_Static_assert(offsetof(struct frame, pc) == 128 + 176, "as the kernel lays it out");
_Static_assert(sizeof(struct frame) == 576, "as the kernel lays it out");

// The units from the narrowest on: words of a register, and how the context is aligned.
static const struct unit {
    u32 magic, words, align;
} units[] = {{FPU_MAGIC, 1, 16}, {LSX_MAGIC, 2, 16}, {LASX_MAGIC, 4, 32}};

enum { MOST_WORDS = 32 * 4 + 2 };

// The widest that the vCPU has holds the others.
static const struct unit *widest(const struct thread *t)
{
    u32 euen = t->vcpu.model ? t->vcpu.model->units : 1;
    return units + (euen & 4 ? 2 : euen & 2 ? 1 : 0);
}

static u64 size_of(const struct unit *u)
{
    return 8 * (32 * u->words + 2); // registers, fcc, fcsr
}

static void pack(u64 *to, const struct vcpu_extra *x, u32 words)
{
    for (u32 i = 0; i < 32; i++)
        memcpy(to + i * words, x->regs[i], 8 * words);
    to[32 * words] = x->fcc;
    to[32 * words + 1] = x->fcsr;
}

static void unpack(struct vcpu_extra *x, const u64 *from, u32 words)
{
    for (u32 i = 0; i < 32; i++)
        memcpy(x->regs[i], from + i * words, 8 * words);
    x->fcc = from[32 * words];
    x->fcsr = (u32)from[32 * words + 1];
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
    u64 context[MOST_WORDS];
    const struct unit *u = widest(t);
    u64 end = *sp - sizeof(struct head), at = (end - size_of(u)) & ~(u64)(u->align - 1);
    struct head last = {0}, first = {.magic = u->magic};
    if (vcpu_get_extra(&t->vcpu, &x) < 0)
        return -EFAULT;
    pack(context, &x, u->words);
    *sp = at - sizeof(first);
    first.size = (u32)(end - *sp);
    int ret = guest_write(end, &last, sizeof(last));
    ret = ret ? ret : guest_write(at, context, size_of(u));
    return ret ? ret : guest_write(*sp, &first, sizeof(first));
}

int frame_push(struct thread *t, const siginfo_t *info, const struct action *a,
               const struct frame_trap *trap)
{
    struct uregs *r = t->regs;
    struct frame f = {.info = *info,
                      .stack_sp = t->alt_sp,
                      .stack_flags = t->alt_size ? t->alt_flags : SS_DISABLE,
                      .stack_size = t->alt_size,
                      .mask = t->mask,
                      .pc = r->pc,
                      .flags = USED_FP};
    memcpy(f.regs + 1, r->gpr + 1, 31 * 8);
    u64 sp = stack_for(t, a);
    if (write_units(t, &sp))
        return -EFAULT;
    sp -= sizeof(f);
    if (guest_write(sp, &f, sizeof(f)))
        return -EFAULT;
    regs_enter(r, a->handler, sp, (u64)info->si_signo, sp + offsetof(struct frame, info),
               sp + offsetof(struct frame, uc_flags));
    r->gpr[REG_RA] = GUEST_SIGRETURN;
    if (t->alt_flags & SS_AUTODISARM)
        t->alt_size = 0;
    return 0;
}

static int read_unit(struct thread *t, const struct unit *u, u64 at, u32 size)
{
    struct vcpu_extra x;
    u64 context[MOST_WORDS];
    if (size < sizeof(struct head) + size_of(u) - 4 || vcpu_get_extra(&t->vcpu, &x) < 0 ||
        guest_read(context, at + sizeof(struct head), size_of(u)))
        return -EFAULT;
    unpack(&x, context, u->words);
    // Bits that would raise the exception at once were never answered.
    x.fcsr &= ~((x.fcsr & 0x1f) << 24);
    return vcpu_set_extra(&t->vcpu, &x) < 0 ? -EFAULT : 0;
}

static const struct unit *unit_of(u32 magic)
{
    for (u32 i = 0; i < ARRAY_LEN(units); i++)
        if (units[i].magic == magic)
            return units + i;
    return NULL;
}

static int read_units(struct thread *t, u64 at)
{
    enum { MOST = 8 };
    struct head h;
    for (int i = 0; i < MOST; i++, at += h.size) {
        if (guest_read(&h, at, sizeof(h)))
            return -EFAULT;
        if (!h.magic)
            return 0;
        const struct unit *u = unit_of(h.magic);
        if (!u || read_unit(t, u, at, h.size))
            return -EFAULT;
    }
    return -EFAULT;
}

int frame_pop(struct thread *t)
{
    struct frame f;
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
