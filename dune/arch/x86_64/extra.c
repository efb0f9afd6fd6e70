// SPDX-License-Identifier: Apache-2.0
// What a program has beyond its general registers: segment bases and the XSAVE area.
#include "dune/native.h"
#include "dune/raw.h"
#include "dune/vcpu.h"
#include "dune/vm.h"

#include <asm/prctl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>

static int native_base(u64 *fs, u64 *gs)
{
    raw(SYS_arch_prctl, ARCH_GET_FS, fs);
    raw(SYS_arch_prctl, ARCH_GET_GS, gs);
    return 0;
}

int vcpu_get_base(struct vcpu_state *s, u64 *fs, u64 *gs)
{
    struct kvm_sregs sregs;
    if (s->native)
        return native_base(fs, gs);
    long ret = vcpu_ioctl(s->v, KVM_GET_SREGS, &sregs);
    *fs = sregs.fs.base;
    *gs = sregs.gs.base;
    return (int)ret;
}

static int set_native_base(const u64 *fs, const u64 *gs)
{
    long ret = fs ? raw(SYS_arch_prctl, ARCH_SET_FS, *fs) : 0;
    return (int)(gs && !ret ? raw(SYS_arch_prctl, ARCH_SET_GS, *gs) : ret);
}

int vcpu_set_base(struct vcpu_state *s, const u64 *fs, const u64 *gs)
{
    struct kvm_sregs sregs;
    if (s->native)
        return set_native_base(fs, gs);
    long ret = vcpu_ioctl(s->v, KVM_GET_SREGS, &sregs);
    if (ret < 0)
        return (int)ret;
    sregs.fs.base = fs ? *fs : sregs.fs.base;
    sregs.gs.base = gs ? *gs : sregs.gs.base;
    return (int)vcpu_ioctl(s->v, KVM_SET_SREGS, &sregs);
}

int vcpu_get_xsave(struct vcpu_state *s, void *area)
{
    if (s->native)
        memcpy(area, s->native->xsave, sizeof(s->native->xsave));
    return s->native ? 0 : (int)vcpu_ioctl(s->v, KVM_GET_XSAVE, area);
}

int vcpu_set_xsave(struct vcpu_state *s, const void *area)
{
    if (s->native)
        native_set_xsave(s->native, area);
    return s->native ? 0 : (int)vcpu_ioctl(s->v, KVM_SET_XSAVE, (void *)(u64)area);
}

_Static_assert(offsetof(struct vcpu_extra, xsave) == 64, "lib_entry.S");

int vcpu_get_extra(struct vcpu_state *s, struct vcpu_extra *x)
{
    int ret = vcpu_get_base(s, &x->fs_base, &x->gs_base);
    x->xsave_size = s->native ? s->native->xsave_size : sizeof(x->xsave);
    return ret < 0 ? ret : vcpu_get_xsave(s, x->xsave);
}

int vcpu_set_extra(struct vcpu_state *s, const struct vcpu_extra *x)
{
    int ret = vcpu_set_base(s, &x->fs_base, &x->gs_base);
    if (s->native) {
        s->native->xsave_size = x->xsave_size;
        memcpy(s->native->xsave, x->xsave, sizeof(s->native->xsave));
        return ret;
    }
    return ret < 0 ? ret : vcpu_set_xsave(s, x->xsave);
}

int vcpu_give_extra(struct vcpu_state *s, const struct vcpu_extra *x)
{
    if (!s->native)
        return vcpu_set_extra(s, x);
    // The thread pointer on the host's processor is the calling thread's own.
    s->native->xsave_size = x->xsave_size;
    memcpy(s->native->xsave, x->xsave, sizeof(s->native->xsave));
    return 0;
}

u64 vcpu_saved_tls(const struct uregs *regs, const struct vcpu_extra *x)
{
    return x->fs_base;
}

void vcpu_save_tls(struct uregs *regs, struct vcpu_extra *x, u64 tls)
{
    x->fs_base = tls;
}

int vcpu_set_tls(struct vcpu_state *s, u64 tls)
{
    return vcpu_set_base(s, &tls, NULL);
}

int vcpu_adopt_thread(struct vcpu_state *s)
{
    enum { X87_AND_SSE = 3 };
    u8 area[4096] __attribute__((aligned(64)));
    u64 fs = 0, gs = 0;
    native_base(&fs, &gs);
    int ret = vcpu_set_base(s, &fs, &gs);
    ret = ret < 0 ? ret : vcpu_get_xsave(s, area);
    __asm__ volatile("fnstcw %0\n stmxcsr %1" : "=m"(*(u16 *)area), "=m"(*(u32 *)(area + 24)));
    *(u64 *)(area + 512) |= X87_AND_SSE;
    return ret < 0 ? ret : vcpu_set_xsave(s, area);
}

void vcpu_take_back(struct vcpu_state *s, const struct vcpu_state *from)
{
    s->ring = from->ring;
    s->n_exits = from->n_exits;
}
