// SPDX-License-Identifier: Apache-2.0
// What the files of this architecture share.
#pragma once

#include "hv/hv.h"

// Entered from entry.S, with interrupts off.
void on_interrupt(struct cpu *cpu);
void on_hypercall(struct cpu *cpu);
void on_sensitive(struct cpu *cpu);
void on_other(struct cpu *cpu);
_Noreturn void on_root_fault(struct cpu *cpu);
void wait_for_interrupt(void);
void start_other(void);
extern u8 cpu_areas[], exit_vectors[], refill_vector[];

// Vectors, tables and traps of the processor are set; the guest of `gid` is the next to run.
void processor_select(u32 gid, u64 stage2, u64 time_offset, bool has_devices);

// Privileged instructions of guests. `insn` is the instruction's word.
enum exit_kind sensitive_emulate(struct cpu *cpu, u32 insn);

// I/O configuration space of a vCPU; sizes 1 to 8.
u64 iocsr_emulate_read(struct cpu *cpu, u32 address, unsigned size);
void iocsr_emulate_write(struct cpu *cpu, u32 address, u64 value, unsigned size);

// Which of HWI0-7 a vector that the hypervisor raises for the root cell drives on this processor.
// While there is one, the short path to the controller's status is closed.
u32 iocsr_root_pins(struct cpu *cpu);

// CPUCFG as guests see it.
u64 cpucfg_for_guest(u32 word, u64 real);
