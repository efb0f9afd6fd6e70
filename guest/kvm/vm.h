// SPDX-License-Identifier: Apache-2.0
// Virtual machines with tiny guests, made through /dev/kvm of LoongArch Linux.
//
// A guest is a piece of assembly in this program (GUEST_CODE) that is copied into the memory of a
// VM and started in direct-address mode, with arguments in a0..a7. It ends, or calls back, with
// `hvcl 0x102`, the hypercall for user space, whose arguments are a0..a5.
#pragma once

#include "base/test.h"

#include <linux/kvm.h>

#include <asm/kvm_para.h>
#include <stdint.h>

// Guest code, position-independent. Names of CSRs stand between the strings: "csrrd $a0, " ESTAT.
// The symbols are global: lld 19 loses the addend that a local symbol's place in the GOT needs.
#define GUEST_CODE(name, ...)                                             \
    extern const u8 name[], name##_end[];                                 \
    __asm__(".pushsection .rodata.guest, \"a\"\n.globl " #name ", " #name \
            "_end\n.balign 8\n" #name ":\n" __VA_ARGS__ "\n" #name "_end:\n.popsection\n")
#define CALL_USER "hvcl 0x102\n"

#define CRMD      "0x0"
#define PRMD      "0x1"
#define EUEN      "0x2"
#define ECFG      "0x4"
#define ESTAT     "0x5"
#define ERA       "0x6"
#define BADV      "0x7"
#define BADI      "0x8"
#define EENTRY    "0xc"
#define STLBPS    "0x1e"
#define CPUID     "0x20"
#define SAVE0     "0x30"
#define TCFG      "0x41"
#define TVAL      "0x42"
#define TICLR     "0x44"
#define TLBRENTRY "0x88"
#define TLBRBADV  "0x89"
#define TLBRSAVE  "0x8b"
#define TLBRELO0  "0x8c"
#define TLBRELO1  "0x8d"
#define TLBREHI   "0x8e"

enum {
    VM_PAGE = 0x4000,
    VM_SIZE = 4 << 20,       // of the memory at guest address 0
    VM_VECTORS = 0x10000,    // see vm_put_vectors
    VM_CODE = 0x40000,       // where vcpu_start puts code: one page per vCPU
    VM_DATA = 0x100000,      // the tests' own, up to the end
    VM_NOTHING = 0x10000000, // an address without memory
    HVCL_USER = 0x102,
};

struct vm {
    int fd;
    u8 *memory; // VM_SIZE bytes, slot 0
};

struct vcpu {
    int fd;
    unsigned id;
    struct vm *vm;
    struct kvm_run *run; // what KVM_RUN tells
    size_t run_size;
};

// All of them check what they do and report failures as failed checks of the running test.

// A VM with memory and without vCPUs. False: the test cannot go on, nothing is held.
bool vm_open(struct vm *vm);
void vm_close(struct vm *vm);
// A vCPU with every feature that the host has for it, its CPUID register set to `id`.
bool vcpu_open(struct vcpu *cpu, struct vm *vm, unsigned id);
void vcpu_close(struct vcpu *cpu);
// A VM and vCPU 0 at once.
bool vm_open_one(struct vm *vm, struct vcpu *cpu);
void vm_close_one(struct vm *vm, struct vcpu *cpu);

// An ioctl's result, or -errno.
int kvm_call(int fd, unsigned long request, const void *argument);

// Adds or changes a slot; 0 or -errno.
int vm_set_slot(struct vm *vm, unsigned slot, unsigned flags, u64 address, u64 size, void *memory);
void vm_put(struct vm *vm, u64 address, const u8 *code, const u8 *end);
// Vectors at VM_VECTORS, 512 bytes each (ECFG.VS = 7), that call user space with
// a0 = ESTAT, a1 = ERA, a2 = BADV, a3 = BADI, a4 = the vector's number.
void vm_put_vectors(struct vm *vm);
u64 *vm_words(struct vm *vm, u64 address);

// One register: an identifier of asm/kvm.h. 0 or -errno.
int vcpu_try_get(struct vcpu *cpu, u64 id, u64 *value);
int vcpu_try_set(struct vcpu *cpu, u64 id, u64 value);
u64 vcpu_get(struct vcpu *cpu, u64 id);
void vcpu_set(struct vcpu *cpu, u64 id, u64 value);
u64 vcpu_get_csr(struct vcpu *cpu, unsigned number);
void vcpu_set_csr(struct vcpu *cpu, unsigned number, u64 value);

// Puts the code into the vCPU's page and lets the next vcpu_run begin with it, interrupts off,
// a0..a3 as given, other registers 0.
#define vcpu_start(cpu, name, ...) vcpu_start_code((cpu), name, name##_end, (u64[4]){__VA_ARGS__})
void vcpu_start_code(struct vcpu *cpu, const u8 *code, const u8 *end, const u64 arguments[4]);
// Enters the guest. The exit reason, or -errno; -EINTR after some seconds, however long the guest
// keeps silent.
int vcpu_run(struct vcpu *cpu);
// Enters the guest, which is to call user space; a0 of that call.
u64 vcpu_run_to_call(struct vcpu *cpu);
// vcpu_start and vcpu_run_to_call.
#define vcpu_call(cpu, name, ...) (vcpu_start(cpu, name, __VA_ARGS__), vcpu_run_to_call(cpu))

// Ticks per second of the stable counter, and the counter.
u64 counter_frequency(void);
u64 counter_read(void);
