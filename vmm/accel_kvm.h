// SPDX-License-Identifier: Apache-2.0
// -accel kvm: processors that the host's own processor runs.
//
// Only programs for LoongArch hosts have it (accel_kvm.c); in the others accel_kvm_new says so
// (accel_no_kvm.c).
#pragma once

#include "base/err.h"
#include "cpu/cpu.h"
#include "mach/machine.h"
#include "vmm/machine_option.h"

struct accel_kvm;

// `cpu_option` is the text of -cpu, NULL for the default; borrowed. NULL with a message.
struct accel_kvm *accel_kvm_new(const char *cpu_option, struct err *e);
// machine_config.cpu_new; opaque is the struct accel_kvm.
struct cpu *accel_kvm_cpu_new(void *opaque, struct cpu_bus *bus, unsigned index, struct err *e);
// The kernel's interrupt controllers for machine_config, or NULL for ours. MACHINE_ON: NULL with a
// message if there are none for that many processors. Owned by the accel_kvm.
const struct machine_irqchip *accel_kvm_irqchip(struct accel_kvm *k, enum machine_choice choice,
                                                unsigned n_cpus, struct err *e);
// After the machine. Accepts NULL.
void accel_kvm_free(struct accel_kvm *k);
