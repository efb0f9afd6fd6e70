// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/types.h"
#include "dune/arch/x86_64/regs.h"

struct native;
struct pagetable;
struct vcpu;

enum vcpu_flavour { VCPU_UNKNOWN, VCPU_RING0_ENTRY, VCPU_RING3_ENTRY };

struct vcpu_model {
    struct pagetable *tables; // borrowed
    void *cpuid;              // struct kvm_cpuid2
    enum vcpu_flavour flavour;
    bool may_smep;
};

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

// Gates for page faults that return to ring 3, see upcall.h: in the tables, and for a vCPU as long
// as it uses those. 0 or -errno.
int vcpu_map_upcall_gates(struct pagetable *pt);
int vcpu_use_upcalls(struct vcpu_state *s, u64 root_gpa);

// The whole floating-point state, as the XSAVE instruction lays it out, 4096 bytes.
int vcpu_get_xsave(struct vcpu_state *s, void *area);
int vcpu_set_xsave(struct vcpu_state *s, const void *area);
int vcpu_get_base(struct vcpu_state *s, u64 *fs, u64 *gs);
int vcpu_set_base(struct vcpu_state *s, const u64 *fs, const u64 *gs);
