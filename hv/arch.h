// SPDX-License-Identifier: Apache-2.0
// What the core of the hypervisor needs of an architecture. arch/loongarch64 is the real one,
// arch/fake runs the core on the host for tests.
//
// Unless said otherwise, "here" means that the calling processor must be the one that is named, and
// nothing waits or allocates.
#pragma once

#include "base/types.h"
#include "hv/hv.h"

// Physical memory as the hypervisor sees it. The address must be RAM of the machine.
void *arch_memory(u64 pa);
// The other way, for an object of the hypervisor's image.
u64 arch_physical(const void *p);
// A device register of the machine, 1, 2, 4 or 8 bytes wide.
u64 arch_register_read(u64 pa, unsigned size);
void arch_register_write(u64 pa, u64 value, unsigned size);

// NULL, or what the calling processor lacks to run guests. Changes nothing.
const char *arch_cpu_lacks(void);
// Takes the calling processor under control: exceptions, stage 2, traps. False: it cannot be done,
// and why has been logged.
bool arch_cpu_init(struct cpu *cpu);
// The place of a processor's struct cpu.
struct cpu *arch_cpu_area(u32 id);
// Makes a processor that waits in firmware begin in the hypervisor. Does not wait for it.
void arch_cpu_start(u32 id);
// Makes another processor look at cpu.pending soon, whether it runs a guest or waits.
void arch_cpu_kick(u32 id);
// Waits until the processor has been kicked. May return early. Here.
void arch_cpu_wait(struct cpu *cpu);
// Waits until the guest has a pending interrupt that it enabled or the processor has been kicked.
// May return early. Here.
void arch_guest_wait(struct cpu *cpu);
// Leaves the present exit for good: calls `next` on an empty stack. Here.
_Noreturn void arch_cpu_abandon(struct cpu *cpu, void (*next)(struct cpu *cpu));
// Stops this processor for ever.
_Noreturn void arch_cpu_halt(void);

// Puts everything that the vCPU can reach on this processor into the state after reset, and makes
// its next entry begin at v->entry with v->args. Here.
void arch_vcpu_reset(struct vcpu *v);
// Into the guest. Here.
_Noreturn void arch_vcpu_enter(struct cpu *cpu);
// Keeps the guest's registers in v->registers. Here, before its processor does anything else.
void arch_vcpu_save(struct vcpu *v);
// Brings the guest's interrupt lines in step with v->ipi_* and the cell's intc. Here.
void arch_virq_update(struct vcpu *v);
// Raises a vector of the machine's interrupt controller, which is the root cell's, until that is
// acknowledged. Any processor; one vector at a time.
void arch_root_interrupt(struct hv *hv, u32 vector);
// The guest sees a bad address / an undefined instruction at its present instruction. Here.
void arch_inject_address_error(struct cpu *cpu, u64 address);
void arch_inject_undefined(struct cpu *cpu);

// Tables of stage 2: pages of HV_PAGE_SIZE and blocks of HV_BLOCK, from the pool of tables. Nothing
// is forgotten by any processor; flush.h does that. `rights` are enum cell_memory_rights.
// False: no table is left; what is mapped so far stays mapped.
bool arch_stage2_new(struct hv *hv, u64 *root);
void arch_stage2_free(struct hv *hv, u64 root);
bool arch_stage2_map(struct hv *hv, u64 root, struct region r, u32 type, u32 rights);
bool arch_stage2_unmap(struct hv *hv, u64 root, u64 gpa, u64 size);
// Where a guest-physical address leads. False: nowhere.
bool arch_stage2_walk(u64 root, u64 gpa, u64 *hpa);
// Forgets everything of the guest with this id on this processor.
void arch_stage2_flush(u32 gid);

u64 arch_time(void);       // a counter at constant rate
u64 arch_time_hz(void);    // that rate
void arch_sync_code(void); // what was stored before may be executed after
void arch_pause(void);
