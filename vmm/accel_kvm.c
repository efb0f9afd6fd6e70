// SPDX-License-Identifier: Apache-2.0
#include "vmm/accel_kvm.h"
#include "base/bug.h"
#include "cpu/loongarch64/kvm.h"
#include "vmm/cpu_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct accel_kvm {
    struct la_kvm *vm;
    const char *cpu_option; // borrowed
    struct machine_irqchip irqchip;
};

struct accel_kvm *accel_kvm_new(const char *cpu_option, struct err *e)
{
    struct la_kvm *vm = la_kvm_new(e);
    if (!vm)
        return NULL;
    struct accel_kvm *k = malloc(sizeof(*k));
    BUG_ON(!k);
    *k = (struct accel_kvm){.vm = vm, .cpu_option = cpu_option};
    return k;
}

// Whether the user wrote NAME=on.
static bool is_demanded(const char *cpu_option, const char *name)
{
    char wanted[64];
    size_t n = (size_t)snprintf(wanted, sizeof(wanted), ",%s=on", name);
    const char *at = cpu_option ? strstr(cpu_option, wanted) : NULL;
    return at && (!at[n] || at[n] == ',');
}

// What a model has by itself may be missing, as on a host that is older than the model.
static bool check_features(struct accel_kvm *k, struct cpu *c, struct err *e)
{
    for (const struct la_feature *f = la_features; f->name; f++)
        if (is_demanded(k->cpu_option, f->name) && !la_kvm_cpu_has(c, f->word, f->bit))
            return err_set(e, "-cpu: '%s=on': the host's KVM gives no guest this feature", f->name);
    return true;
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
    if (c && !check_features(k, c, e)) {
        c->ops->free(c);
        c = NULL;
    }
    return c;
}

static bool make_irqchip(void *opaque, unsigned n_cpus, gpa_t pic_base, struct err *e)
{
    return la_kvm_irqchip_make(opaque, n_cpus, pic_base, e);
}

const struct machine_irqchip *accel_kvm_irqchip(struct accel_kvm *k, enum machine_choice choice,
                                                unsigned n_cpus, struct err *e)
{
    struct err why = {0};
    if (choice == MACHINE_OFF)
        return NULL;
    if (!la_kvm_has_irqchip(k->vm, n_cpus, &why)) {
        if (choice == MACHINE_ON)
            err_set(e, "-machine: kernel-irqchip=on: %s", why.text);
        return NULL;
    }
    k->irqchip = (struct machine_irqchip){.opaque = k->vm,
                                          .make = make_irqchip,
                                          .set_pin = la_kvm_irqchip_set_pin,
                                          .send_vector = la_kvm_irqchip_send};
    return &k->irqchip;
}

void accel_kvm_free(struct accel_kvm *k)
{
    if (!k)
        return;
    la_kvm_free(k->vm);
    free(k);
}
