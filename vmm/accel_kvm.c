// SPDX-License-Identifier: Apache-2.0
#include "vmm/accel_kvm.h"
#include "base/bug.h"
#include "cpu/loongarch64/kvm.h"
#include "vmm/cpu_option.h"

#include <stdlib.h>

struct accel_kvm {
    struct la_kvm *vm;
    const char *cpu_option; // borrowed
};

struct accel_kvm *accel_kvm_new(const char *cpu_option, struct err *e)
{
    struct la_kvm *vm = la_kvm_new(e);
    if (!vm)
        return NULL;
    struct accel_kvm *k = malloc(sizeof(*k));
    BUG_ON(!k);
    *k = (struct accel_kvm){vm, cpu_option};
    return k;
}

// The interpreter's processor knows what the options mean; it is made for that alone.
struct cpu *accel_kvm_cpu_new(void *opaque, struct cpu_bus *bus, unsigned index, struct err *e)
{
    struct accel_kvm *k = opaque;
    struct cpu *like = cpu_option_new((void *)(uintptr_t)k->cpu_option, bus, index, e);
    if (!like)
        return NULL;
    struct cpu *c = la_kvm_cpu_new(k->vm, container_of(like, struct la_cpu, cpu), bus, index, e);
    like->ops->free(like);
    return c;
}

void accel_kvm_free(struct accel_kvm *k)
{
    if (!k)
        return;
    la_kvm_free(k->vm);
    free(k);
}
