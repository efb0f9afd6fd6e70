// SPDX-License-Identifier: Apache-2.0
// Processors that the host's own processor runs, through /dev/kvm of a LoongArch host with LVZ.
//
// Only in programs built for LoongArch64 Linux. Devices are ours: the kernel hands over every
// access to them. Counter, timer and `idle` are the kernel's; so are the interrupt controllers, if
// we choose.
#pragma once

#include "cpu/cpu.h"
#include "cpu/loongarch64/state.h"

struct la_kvm;

// A virtual machine of the kernel's. NULL with a message when there is no KVM, it may not be used,
// or it lacks what we need. One at a time: its kick signal belongs to the process.
struct la_kvm *la_kvm_new(struct err *e);
// After the processors are freed. Accepts NULL.
void la_kvm_free(struct la_kvm *k);

// Processor `index` of the machine, in its reset state, with those features of `like` that the
// host has; `like` is only read. NULL with a message.
struct cpu *la_kvm_cpu_new(struct la_kvm *k, const struct la_cpu *like, struct cpu_bus *bus,
                           unsigned index, struct err *e);
// Whether that processor has what CPUCFG says in this bit.
bool la_kvm_cpu_has(struct cpu *c, unsigned word, unsigned bit);

// The kernel's interrupt controllers: for inter-processor interrupts, the processor's extended I/O
// controller, and the bridge's of 32 pins. False with a message if it has none for that many
// processors.
bool la_kvm_has_irqchip(struct la_kvm *k, unsigned n_cpus, struct err *e);
// Before the processors; from then on the kernel answers the guest's accesses to them, the bridge's
// at `pic_base`. They are reset with processor 0.
bool la_kvm_irqchip_make(struct la_kvm *k, unsigned n_cpus, u64 pic_base, struct err *e);
// A pin of the bridge's controller, and a message for a vector. Both fit struct irq; opaque is the
// struct la_kvm. One thread at a time.
void la_kvm_irqchip_set_pin(void *opaque, unsigned pin, bool level);
void la_kvm_irqchip_send(void *opaque, unsigned vector, bool level);
