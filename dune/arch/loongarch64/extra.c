// SPDX-License-Identifier: Apache-2.0
// What a program has beyond its general registers: floating-point and vector registers, which KVM
// gives a vCPU when it first uses them. The monitor uses none.
#include "dune/native.h"
#include "dune/raw.h"
#include "dune/vcpu.h"
#include "dune/vm.h"

#include <linux/kvm.h>
#include <string.h>

_Static_assert(sizeof(struct vcpu_extra) == sizeof(struct kvm_fpu), "as KVM has it");

int vcpu_get_extra(struct vcpu_state *s, struct vcpu_extra *x)
{
    memset(x, 0, sizeof(*x));
    if (s->native)
        *x = s->native->extra;
    return s->native ? 0 : (int)vcpu_ioctl(s->v, KVM_GET_FPU, x);
}

int vcpu_set_extra(struct vcpu_state *s, const struct vcpu_extra *x)
{
    if (s->native)
        s->native->extra = *x;
    return s->native ? 0 : (int)vcpu_ioctl(s->v, KVM_SET_FPU, (void *)(u64)x);
}

int vcpu_give_extra(struct vcpu_state *s, const struct vcpu_extra *x)
{
    return vcpu_set_extra(s, x);
}

u64 vcpu_saved_tls(const struct uregs *regs, const struct vcpu_extra *x)
{
    return regs->gpr[REG_TP];
}

void vcpu_save_tls(struct uregs *regs, struct vcpu_extra *x, u64 tls)
{
    regs->gpr[REG_TP] = tls;
}

int vcpu_set_tls(struct vcpu_state *s, u64 tls)
{
    s->regs->gpr[REG_TP] = tls;
    return 0;
}

// The thread pointer is a general register. Of the others a function keeps f24 to f31.
int vcpu_adopt_thread(struct vcpu_state *s)
{
    struct vcpu_extra x = {0};
    __asm__ volatile("movfcsr2gr %0, $fcsr0" : "=r"(x.fcsr));
#define KEEP(n) __asm__ volatile("fst.d $f" #n ", %0, 0" : : "r"(x.regs[n]) : "memory")
    KEEP(24);
    KEEP(25);
    KEEP(26);
    KEEP(27);
    KEEP(28);
    KEEP(29);
    KEEP(30);
    KEEP(31);
#undef KEEP
    return vcpu_set_extra(s, &x);
}
