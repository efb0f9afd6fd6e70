// SPDX-License-Identifier: Apache-2.0
// A virtual machine of KVM that has this process's memory, and its vCPUs, which are kept for other
// threads when one ends: KVM never takes one back.
#pragma once

#include "base/types.h"
#include "dune/raw.h"
#include "dune/slots.h"

struct hidden;
struct kvm_run;

enum { VM_MAX_VCPUS = 1000 };

struct vcpu {
    int fd; // -1: never made
    u32 id;
    bool is_taken, is_set_up;
    struct kvm_run *run;
    u8 *page; // the arch's page of this vCPU, kept when a vCPU is made again after fork
    u64 page_gva;
};

struct vm {
    int kvm_fd, vm_fd;
    u64 run_size;
    struct hidden *hidden; // borrowed: where descriptors are put
    struct lock lock;      // of the list of vCPUs
    u32 n_vcpus;
    struct vcpu vcpus[VM_MAX_VCPUS];
};

// `kvm_fd` is an open /dev/kvm, borrowed. 0 or -errno.
int vm_open(struct vm *vm, int kvm_fd, struct hidden *hidden);
// In a child of fork: lets go of the parent's VM and makes another one. 0 or -errno.
int vm_open_again(struct vm *vm);
// Lets go of the VM and its vCPUs.
void vm_close(struct vm *vm);
// For slots_init; the opaque pointer is the VM.
int vm_add_slot(void *opaque, u32 index, const struct slot *slot);

// A vCPU that nobody else runs, or NULL; and back.
struct vcpu *vm_take_vcpu(struct vm *vm);
void vm_give_vcpu(struct vm *vm, struct vcpu *v);

long vcpu_ioctl(const struct vcpu *v, unsigned long request, void *argument);
