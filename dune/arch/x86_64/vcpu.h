// SPDX-License-Identifier: Apache-2.0
// A vCPU that runs a program in ring 3: long mode, page tables of `struct pagetable`, exceptions
// and system calls that end in an exit.
//
// How `syscall` enters the kernel decides what may stand at its target. Where it enters ring 0 the
// target is a page for ring 0 with `hlt`. Some software virtualizations leave the privilege level
// at 3: there the target is a page for ring 3 that writes to a door without memory behind it. The
// second on the first kind of host would leave the program in ring 0; so it is found out, by
// executing `syscall` with the safe target, before the program's first instruction.
#pragma once

#include "base/types.h"
#include "dune/arch/x86_64/regs.h"

struct native;
struct pagetable;
struct vcpu;
struct vm;

enum vcpu_flavour { VCPU_UNKNOWN, VCPU_RING0_ENTRY, VCPU_RING3_ENTRY };

enum vcpu_exit {
    VCPU_CALL,         // the program made a system call
    VCPU_FAULT,        // an exception in the program
    VCPU_BUS,          // the host could not reach memory that its page table allows
    VCPU_SIGNAL,       // a signal came
    VCPU_NATIVE_FAULT, // a signal of the host's for what the program did: vector, error are it
    VCPU_DEAD,         // KVM cannot go on: `reason`
};

struct vcpu_why {
    enum vcpu_exit exit;
    u32 vector, error;
    u64 address;
    u32 reason; // of KVM, for messages
    long code;
};

// What all vCPUs of a VM have in common.
struct vcpu_model {
    struct pagetable *tables; // borrowed
    void *cpuid;              // struct kvm_cpuid2
    enum vcpu_flavour flavour;
    bool may_smep;
};

// The state of a vCPU beyond its general registers.
struct vcpu_extra {
    u64 fs_base, gs_base;
    u32 xsave_size;
    u8 xsave[4096] __attribute__((aligned(64)));
};

// How the vCPU left the program, which decides how it returns.
enum vcpu_ring { VCPU_IN_RING3, VCPU_IN_RING0 };

struct vcpu_state {
    struct vcpu *v; // NULL: the program runs on the host's processor, by
    struct native *native;
    enum vcpu_ring ring;
    struct uregs *regs;  // shared with KVM
    struct uregs before; // what `regs` said before an entry through ring 0
    u64 n_exits;
    u64 upcall_root; // the tables on which page faults lead to ring 3, or 0
};

// What this kernel's KVM has not and guests need, or NULL.
const char *vcpu_lacks(int kvm_fd);
// Writes the guest's kernel pages. 0 or -errno.
int vcpu_model_init(struct vcpu_model *m, struct vm *vm, struct pagetable *tables);
// Sets the vCPU up in ring 3 with zeroed registers and the ABI's initial floating-point state.
// 0 or -errno.
int vcpu_set_up(struct vcpu_state *s, struct vcpu_model *m, struct vcpu *v);
// Finds the flavour with a vCPU that was set up. 0, or -ENOSYS where neither fits.
int vcpu_probe(struct vcpu_state *s, struct vcpu_model *m);

// Whether the vCPU can run at all, without running it: 0, -EAGAIN where a limit of processes leaves
// no room for KVM's own thread, or another -errno.
int vcpu_try(struct vcpu_state *s);
// Runs the program until something happens.
void vcpu_run(struct vcpu_state *s, struct vcpu_why *why);

// Lets the vCPU go on with other tables. 0 or -errno.
int vcpu_use_root(struct vcpu_state *s, u64 root_gpa);

// Gates for page faults that return to ring 3, see upcall.h: in the tables, and for a vCPU as long
// as it uses those. 0 or -errno.
int vcpu_map_upcall_gates(struct pagetable *pt);
int vcpu_use_upcalls(struct vcpu_state *s, u64 root_gpa);

// The whole floating-point state, as the XSAVE instruction lays it out, 4096 bytes.
int vcpu_get_xsave(struct vcpu_state *s, void *area);
int vcpu_set_xsave(struct vcpu_state *s, const void *area);
int vcpu_get_extra(struct vcpu_state *s, struct vcpu_extra *x);
int vcpu_set_extra(struct vcpu_state *s, const struct vcpu_extra *x);
int vcpu_get_base(struct vcpu_state *s, u64 *fs, u64 *gs);
int vcpu_set_base(struct vcpu_state *s, const u64 *fs, const u64 *gs);
