// SPDX-License-Identifier: Apache-2.0
// Processors that the host's own processor runs, through /dev/kvm of a LoongArch host with LVZ.
//
// Only in programs built for LoongArch64 Linux. Devices, interrupt controllers included, are ours:
// the kernel hands over every access to them. Counter, timer and `idle` are the kernel's.
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
