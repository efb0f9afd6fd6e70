// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/types.h"
#include "dune/arch/loongarch64/native.h"
#include "dune/arch/loongarch64/regs.h"

struct mailbox;
struct pagetable;
struct upcall_plan;
struct vcpu;

// How the guest's kernel exits: a hypercall that KVM hands over when it was asked to, a register of
// the I/O space that nobody has, or an address that nothing is behind.
enum vcpu_door { VCPU_DOOR_UNKNOWN, VCPU_DOOR_HVCL, VCPU_DOOR_IOCSR, VCPU_DOOR_MMIO };

struct vcpu_model {
    struct pagetable *tables; // borrowed
    enum vcpu_door door;
    bool is_probed;
    u8 *stub, *entry; // pages of code: of PLV0, and of the program's level
    u64 stub_gpa, empty_gpa;
    u32 units;                // bits of EUEN
    struct upcall_plan *plan; // for which exceptions handlers are called without an exit, or NULL
};

// At which level the vCPU is, which decides how it returns to the program.
enum vcpu_level { VCPU_IN_PLV3, VCPU_IN_PLV0 };

struct vcpu_state {
    struct vcpu *v; // NULL: the program runs on the host's processor, by
    struct native *native;
    struct vcpu_model *model;
    enum vcpu_level level;
    bool is_at_return;  // in PLV0, and what comes next is the way back
    struct uregs *regs; // in the mailbox
    struct mailbox *box;
    u64 n_changes; // of the page tables, when translations were last dropped
    u64 n_exits;
};
