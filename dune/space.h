// SPDX-License-Identifier: Apache-2.0
// The guest's part of the process's address space, [0, SPACE_END): its mappings, the VM that runs
// on them and the page tables that show them. Shared by all threads, and by a child of vfork.
//
// The monitor's program, stacks and tables are all above SPACE_END, and nothing of the guest is.
// A pointer of the guest is good for the kernel exactly if it is below; whether something is mapped
// there is the kernel's to find out.
#pragma once

#include "base/types.h"
#include "dune/arch.h"
#include "dune/pagetable.h"
#include "dune/raw.h"
#include "dune/slots.h"
#include "dune/vcpu.h"
#include "dune/vm.h"
#include "dune/vma.h"

#define SPACE_END    0x500000000000ULL
#define SPACE_START  0x10000ULL
#define SPACE_PAGE   ARCH_PAGE
#define SPACE_SHARED 256

struct space {
    struct lock lock; // everything below but `vm`, which has its own
    struct vma_map vmas;
    struct slots slots;
    struct pagetable tables;
    struct vcpu_model model;
    struct vm vm;
    bool is_flat;        // page tables show everything that is touched; there is no account
    bool has_vm;         // false: the program runs on the host's processor
    u64 brk_start, brk;  // page-aligned start, current end
    u64 map_top;         // mappings are placed below it
    u64 vdso, vdso_size; // the kernel's pages of code and time, outside the guest's part; or 0
    struct attachment {
        u64 at, size;
    } shared[SPACE_SHARED]; // of System V
};

// Whether all of that is below the border, which is SPACE_END until a process that entered guest
// mode by itself opens it for good: there everything is the program's.
bool space_holds(u64 at, u64 size);
void space_open_border(void);

static inline u64 space_page_up(u64 size)
{
    return (size + SPACE_PAGE - 1) & ~(SPACE_PAGE - 1);
}

// Places and makes a mapping; the arguments are mmap's. Its address or -errno.
long space_map(struct space *s, u64 at, u64 size, int prot, int flags, int fd, u64 offset);
long space_unmap(struct space *s, u64 at, u64 size);
long space_protect(struct space *s, u64 at, u64 size, int prot);
long space_remap(struct space *s, u64 at, u64 old_size, u64 size, int flags, u64 to);
long space_brk(struct space *s, u64 to);
long space_attach(struct space *s, int id, u64 at, int flags);
long space_detach(struct space *s, u64 at);

// What a fault at `at` means: 0 when the program may go on, else SEGV_MAPERR or SEGV_ACCERR.
int space_fault(struct space *s, u64 at, u32 prot_wanted);

// Opens the VM and makes tables, with slots of `chunk_size`. 0 or -errno; `what` says what failed.
int space_open_vm(struct space *s, int kvm_fd, struct hidden *hidden, u64 chunk_size,
                  const char **what);
// In a child of fork, with the lock held.
int space_open_vm_again(struct space *s);
