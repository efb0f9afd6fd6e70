// SPDX-License-Identifier: Apache-2.0
// A vCPU that runs a program without privileges: page tables of `struct pagetable`, exceptions and
// system calls that end in an exit. The structures are the architecture's:
//
//   struct vcpu_model  what all vCPUs of a VM have in common
//   struct vcpu_extra  the state of a program beyond its general registers
//   struct vcpu_state  a vCPU at work: `v`, `native`, `regs`, `n_exits` are for everybody to see
#pragma once

#include "base/types.h"
#include "dune/arch.h"

struct pagetable;
struct vcpu;
struct vm;

enum vcpu_exit {
    VCPU_CALL,         // the program made a system call
    VCPU_PAGE_FAULT,   // its page tables do not allow what it did: `address`, `error`
    VCPU_FAULT,        // another exception in the program
    VCPU_BUS,          // the host could not reach memory that its page table allows
    VCPU_SIGNAL,       // a signal came
    VCPU_NATIVE_FAULT, // a signal of the host's for what the program did: vector, error are it
    VCPU_DEAD,         // KVM cannot go on: `reason`
};

// Of `error` for a page fault.
enum { VCPU_WRITE = 2, VCPU_FETCH = 16 };

struct vcpu_why {
    enum vcpu_exit exit;
    u32 vector, error;
    u64 address;
    u32 reason; // of KVM, for messages
    long code;
};

// What this kernel's KVM has not and guests need, or NULL.
const char *vcpu_lacks(int kvm_fd);

// How large memory slots should be: where the processor has two stages of translation large ones
// cost little, but for a log of what was written, which is as long as they are.
u64 vcpu_chunk_size(bool has_log);

// The number of a way out of the guest by its name, where there are several; else 0.
int vcpu_door_named(const char *name);
// Before vcpu_model_init: the way to take, or 0 for the best that works.
void vcpu_use_door(struct vcpu_model *m, int door);
// Writes the guest's kernel pages. 0 or -errno.
int vcpu_model_init(struct vcpu_model *m, struct vm *vm, struct pagetable *tables);
// Sets the vCPU up with zeroed registers and the ABI's initial floating-point state. 0 or -errno.
int vcpu_set_up(struct vcpu_state *s, struct vcpu_model *m, struct vcpu *v);
// Finds out, with a vCPU that was set up and by making a system call on it, which way such calls
// leave the guest; what was found out already is not looked for again. 0, or -ENOSYS where none
// will do.
int vcpu_probe(struct vcpu_state *s, struct vcpu_model *m);
// That way, for people.
const char *vcpu_way(const struct vcpu_model *m);
bool vcpu_enters_kernel(const struct vcpu_model *m);
// The next run makes a system call that nobody has to answer.
void vcpu_at_probe(struct vcpu_state *s);

// Whether the vCPU can run at all, without running it: 0, -EAGAIN where a limit of processes leaves
// no room for a thread of KVM's own, or another -errno.
int vcpu_try(struct vcpu_state *s);
// Runs the program until something happens.
void vcpu_run(struct vcpu_state *s, struct vcpu_why *why);

// Lets the vCPU go on with other tables. 0 or -errno.
int vcpu_use_root(struct vcpu_state *s, u64 root_gpa);

// From the next run on the program's code has, or has not, the privileges of the guest's kernel. No
// signal may be delivered meanwhile. 0 or -EOPNOTSUPP.
int vcpu_set_privilege(struct vcpu_state *s, bool on);

// Everything but the general registers, of this vCPU. 0 or -errno.
int vcpu_get_extra(struct vcpu_state *s, struct vcpu_extra *x);
int vcpu_set_extra(struct vcpu_state *s, const struct vcpu_extra *x);
// The same for a thread that has not begun.
int vcpu_give_extra(struct vcpu_state *s, const struct vcpu_extra *x);
// The thread pointer in a state that was saved.
u64 vcpu_saved_tls(const struct uregs *regs, const struct vcpu_extra *x);
void vcpu_save_tls(struct uregs *regs, struct vcpu_extra *x, u64 tls);
// The thread pointer of the program; where there is no vCPU, the calling thread's.
int vcpu_set_tls(struct vcpu_state *s, u64 tls);
// What the calling thread has that is neither in memory nor a general register becomes the
// program's.
int vcpu_adopt_thread(struct vcpu_state *s);

// The vCPU was run by another thread, which is done with it.
void vcpu_take_back(struct vcpu_state *s, const struct vcpu_state *from);
