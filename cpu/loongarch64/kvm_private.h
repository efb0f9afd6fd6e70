// SPDX-License-Identifier: Apache-2.0
// Between the files kvm*.c only.
#pragma once

#include "cpu/loongarch64/kvm.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>

// Ends KVM_RUN of the thread that it is sent to. Nobody sends it by hand.
#define KVM_KICK_SIGNAL SIGRTMIN

#define KVM_MAX_ROMS 16

// Direct memory that the kernel maps read-only.
struct kvm_rom {
    struct mem_direct_range range;
    u8 *copy; // whole pages with the range in them, where the range itself has no whole pages
};

struct kvm_memory {
    u64 page_size;
    bool has_ram;
    struct kvm_rom roms[KVM_MAX_ROMS]; // slot MEM_MAX_RAM + index; range.size 0: free
};

// The kernel's interrupt controllers.
enum { KVM_INTC_IPI, KVM_INTC_EXTIOI, KVM_INTC_PIC, KVM_INTC_N };

struct kvm_intc {
    unsigned n_cpus; // 0: they are ours instead
    int fd[KVM_INTC_N];
    u64 input; // levels of the pins
};

struct la_kvm {
    int fd;          // of the virtual machine
    size_t run_size; // of the area shared with the kernel, per processor
    struct kvm_memory memory;
    struct kvm_intc intc;
    struct sigaction old_kick;
};

struct la_kvm_cpu {
    struct cpu cpu; // first
    struct la_kvm *kvm;
    int fd;
    struct kvm_run *run;
    bool is_unfinished; // the kernel has to complete the access that it last handed over
    u32 cpucfg[LA_N_CPUCFG];
    // The thread in `run`, while has_thread.
    pthread_t thread;
    _Atomic bool has_thread;
    pthread_mutex_t lines_lock;
    u32 lines_told; // the input lines as the kernel knows them
};

static inline struct la_kvm_cpu *la_kvm_of(struct cpu *c)
{
    return container_of(c, struct la_kvm_cpu, cpu);
}

// kvm_memory.c: makes the kernel's view of memory that of `m`. Takes the device lock.
bool kvm_memory_update(struct la_kvm *k, struct mem_space *m, struct err *e);
void kvm_memory_free(struct kvm_memory *memory);

// kvm_irqchip.c: the state after reset, if they are in use; after all processors were made.
bool kvm_irqchip_reset(struct la_kvm *k, struct err *e);
void kvm_irqchip_free(struct kvm_intc *c);

// kvm_state.c. CPUCFG words: the model's as far as kernel and host have them.
bool kvm_state_set_cpucfg(struct la_kvm_cpu *c, const u32 *wanted, struct err *e);
// Registers as after reset. The counter of the machine starts anew with processor 0.
bool kvm_state_reset(struct la_kvm_cpu *c, struct err *e);
