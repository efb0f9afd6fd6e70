// SPDX-License-Identifier: Apache-2.0
#include "dune/frame.h"
#include "dune/arch/x86_64/context.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4
#define FP_MAGIC1            0x46505853u
#define FP_MAGIC2            0x46505845u

// include/uapi/asm/sigcontext.h and ucontext.h.
struct context {
    u64 registers[CONTEXT_REGISTERS];
    u16 cs, gs, fs, ss;
    u64 error, vector, old_mask, cr2;
    u64 fp;
    u64 reserved[8];
};

struct frame {
    u64 restorer;
    u64 uc_flags, uc_link;
    u64 stack_sp;
    u32 stack_flags, pad;
    u64 stack_size;
    struct context context;
    u64 mask;
    siginfo_t info;
};
_Static_assert(offsetof(struct frame, context) == 48, "as the kernel lays it out");
_Static_assert(sizeof(struct frame) == 440, "as the kernel lays it out");

struct fp_area {
    u8 xsave[4096];
};

// What the kernel writes into bytes 464 and up of the old part of the area.
struct fp_software {
    u32 magic1, extended_size;
    u64 features;
    u32 size, pad[7];
};

// The size of the area for the features that the host's process has: beyond the 64-bit part of the
// header each component's place is fixed.
static u32 xsave_size(void)
{
    u32 a = 0xd, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b < 4096 ? b : 4096;
}

static u64 xsave_features(void)
{
    u32 low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((u64)high << 32 | low) & 0xe7;
}

static void mark_area(u8 *xsave, u32 size)
{
    struct fp_software mark = {
        .magic1 = FP_MAGIC1, .extended_size = size + 4, .features = xsave_features(), .size = size};
    memcpy(xsave + 464, &mark, sizeof(mark));
}

static void put_context(struct context *c, const struct uregs *r, const struct frame_trap *trap,
                        u64 mask)
{
    *c = (struct context){.cs = 0x33, .ss = 0x2b, .old_mask = mask};
    context_put(c->registers, r);
    if (trap) {
        c->error = trap->error;
        c->vector = trap->vector;
        c->cr2 = trap->address;
    }
}

static bool is_on(const struct thread *t, u64 sp)
{
    return t->alt_size && sp > t->alt_sp && sp - t->alt_sp <= t->alt_size;
}

static u64 stack_for(const struct thread *t, const struct action *a)
{
    u64 sp = t->regs->rsp - 128; // the red zone
    bool has_alt = t->alt_size && !(t->alt_flags & SS_DISABLE);
    if (a->flags & SA_ONSTACK && has_alt && !is_on(t, t->regs->rsp))
        sp = t->alt_sp + t->alt_size;
    return sp;
}

static int write_fp(struct thread *t, u64 *sp)
{
    struct fp_area area;
    u32 size = xsave_size(), magic2 = FP_MAGIC2;
    if (vcpu_get_xsave(&t->vcpu, area.xsave) < 0)
        return -EFAULT;
    mark_area(area.xsave, size);
    *sp = (*sp - size - 4) & ~63ULL;
    int ret = guest_write(*sp, area.xsave, size);
    return ret ? ret : guest_write(*sp + size, &magic2, sizeof(magic2));
}

int frame_push(struct thread *t, const siginfo_t *info, const struct action *a,
               const struct frame_trap *trap)
{
    struct uregs *r = t->regs;
    struct frame f = {.restorer = a->restorer,
                      .uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
                      .stack_sp = t->alt_sp,
                      .stack_flags = t->alt_size ? t->alt_flags : SS_DISABLE,
                      .stack_size = t->alt_size,
                      .mask = t->mask,
                      .info = *info};
    u64 sp = stack_for(t, a);
    if (write_fp(t, &sp))
        return -EFAULT;
    put_context(&f.context, r, trap, t->mask);
    f.context.fp = sp;
    sp = ((sp - sizeof(f)) & ~15ULL) - 8;
    if (guest_write(sp, &f, sizeof(f)))
        return -EFAULT;
    r->rdi = (u64)info->si_signo;
    r->rsi = sp + offsetof(struct frame, info);
    r->rdx = sp + offsetof(struct frame, uc_flags);
    r->rax = 0;
    r->rsp = sp;
    r->rip = a->handler;
    r->rflags &= ~0x10500ULL; // direction, trap and resume
    if (t->alt_flags & SS_AUTODISARM)
        t->alt_size = 0;
    return 0;
}

// What a program may set of the flags: arithmetic, trap, direction, alignment, id.
static struct uregs take_context(const struct context *c)
{
    const u64 may = 0x254dd5ULL & ~0x300ULL;
    struct uregs r = context_take(c->registers);
    r.rflags = (r.rflags & may) | 0x202;
    return r;
}

static int read_fp(struct thread *t, u64 from)
{
    struct fp_area area = {{0}};
    u64 features;
    if (!from)
        return 0;
    if (guest_read(area.xsave, from, xsave_size()))
        return -EFAULT;
    // Bits that this process does not have, and a compacted format, would be refused as a whole.
    memcpy(&features, area.xsave + 512, 8);
    features &= xsave_features();
    memcpy(area.xsave + 512, &features, 8);
    memset(area.xsave + 520, 0, 56);
    u32 control;
    memcpy(&control, area.xsave + 24, 4);
    control &= 0xffff;
    memcpy(area.xsave + 24, &control, 4);
    return vcpu_set_xsave(&t->vcpu, area.xsave) < 0 ? -EFAULT : 0;
}

int frame_pop(struct thread *t)
{
    struct frame f;
    if (guest_read(&f, t->regs->rsp - 8, sizeof(f)) || read_fp(t, f.context.fp))
        return -EFAULT;
    *t->regs = take_context(&f.context);
    t->mask = f.mask;
    if (!(f.stack_flags & SS_DISABLE) && f.stack_size) {
        t->alt_sp = f.stack_sp;
        t->alt_size = f.stack_size;
        t->alt_flags = f.stack_flags & SS_AUTODISARM;
    }
    return 0;
}
