// SPDX-License-Identifier: Apache-2.0
// In place of accel_kvm.c, in programs for hosts that are no LoongArch machines.
#include "vmm/accel_kvm.h"
#include "base/bug.h"

#include <sys/utsname.h>

struct accel_kvm *accel_kvm_new(const char *cpu_option, struct err *e)
{
    struct utsname host;
    uname(&host);
    err_set(e,
            "KVM runs LoongArch machines on LoongArch hosts only, and this one is %s; leave "
            "the option out",
            host.machine);
    return NULL;
}

struct cpu *accel_kvm_cpu_new(void *opaque, struct cpu_bus *bus, unsigned index, struct err *e)
{
    BUG_ON(true);
    return NULL;
}

const struct machine_irqchip *accel_kvm_irqchip(struct accel_kvm *k, enum machine_choice choice,
                                                unsigned n_cpus, struct err *e)
{
    BUG_ON(true);
    return NULL;
}

void accel_kvm_free(struct accel_kvm *k)
{
}
