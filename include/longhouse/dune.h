// SPDX-License-Identifier: Apache-2.0
// libdune: a process in guest mode of KVM, on the plain KVM API of Linux.
//
//     if (dune_enter() == 0) {      // from here on this thread runs in guest mode
//         dune_protect(heap, size, PROT_READ);
//         ...                       // system calls work as ever
//         dune_leave();             // and from here on it does not
//     }
//
// Memory is the process's own, at the same addresses. System calls are forwarded to the kernel one
// by one; threads and children that a thread in guest mode makes are in guest mode too. What guest
// mode adds is a set of page tables of the process's own, on top of the kernel's: rights that can
// be taken and given without the kernel's knowing, a log of what was written, and compartments.
//
// Functions give 0 or what they name, and -errno when something is wrong. Those marked [guest] want
// a thread in guest mode and give -EPERM elsewhere. A process enters with one thread; other threads
// that exist already stay outside, and may not be in calls of this library at the same time.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dune_info {
    int kvm_error;        // 0: guest mode works here; else an errno
    int enters_ring0;     // where a system call in a guest leads to: ring 0 or PLV0, or else ring 3
    uint64_t exit_ns;     // one system call's way out of guest mode and back
    uint64_t entry_ns;    // entering guest mode and doing nothing
    uint64_t dispatch_ns; // the same way by syscall user dispatch; 0: not there
};

// Finds out what this host can do, which takes some milliseconds.
int dune_check(struct dune_info *info);

// The calling thread goes on in guest mode. -EALREADY when it is there.
int dune_enter(void);
// [guest] It goes on outside.
int dune_leave(void);
// 1 in guest mode, else 0.
int dune_active(void);

// [guest] Which rights (PROT_READ, PROT_WRITE, PROT_EXEC, or 0) guest mode has to whole pages of
// private memory that the process can read and write. Never more than the kernel's own.
int dune_protect(void *at, size_t size, int rights);

// What a handler is given. It may change everything but `address` and `error`, and what it leaves
// there is what the thread goes on with.
struct dune_frame {
#if defined(__loongarch64)
    uint64_t r[32], pc;
#else
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags;
#endif
    uint64_t address; // that was accessed
    uint64_t error;   // bit 1: a write; bit 4: execution; of a trap, the processor's number for it
    uint64_t rights;  // 0; what a handler of faults puts here, the page of the address gets when it
                      // returns: as dune_protect, without another way out of guest mode
};

// Of a system call: its arguments, and its result, which is -errno when something is wrong.
static inline void dune_frame_arguments(const struct dune_frame *f, uint64_t a[6])
{
#if defined(__loongarch64)
    for (int i = 0; i < 6; i++)
        a[i] = f->r[4 + i];
#else
    a[0] = f->rdi, a[1] = f->rsi, a[2] = f->rdx, a[3] = f->r10, a[4] = f->r8, a[5] = f->r9;
#endif
}

static inline void dune_frame_answer(struct dune_frame *f, uint64_t result)
{
#if defined(__loongarch64)
    f->r[4] = result;
#else
    f->rax = result;
#endif
}

// [guest] Calls `handler` in guest mode, on the stack of the thread, when a right is missing that
// dune_protect took. Without one, or when a handler is running, SIGSEGV comes as for mprotect. NULL
// takes it back.
typedef void dune_fault_fn(struct dune_frame *frame, void *opaque);
int dune_on_fault(dune_fault_fn *handler, void *opaque);

// [guest] The same for other exceptions, of which `error` is the number that the processor gives
// them: the vector on x86-64, Ecode on LoongArch64. Where the thread goes on is the frame's program
// counter, which on LoongArch64 is at the instruction that caused it. Memory that the kernel cannot
// reach is a signal as ever.
int dune_on_trap(dune_fault_fn *handler, void *opaque);

// [guest] The handler that runs will not return, but goes on elsewhere, by longjmp for example. One
// that leaves guest mode does not return either, and need not say so.
int dune_end_handler(void);

// [guest] How often the thread has left guest mode since it entered, with this call.
long dune_exits(void);

// [guest] Calls `handler` in guest mode in place of a system call of that number. It answers by
// dune_frame_answer; calls that it makes itself are made. NULL takes it back.
typedef void dune_call_fn(struct dune_frame *frame, void *opaque);
int dune_on_call(long number, dune_call_fn *handler, void *opaque);

// [guest] A log of the pages that are written, one region at a time. A page that guest mode touches
// for the first time may count even if it was only read. Seen are writes of threads in
// guest mode and of system calls that they make; not seen are those of other threads and processes,
// and of what the kernel does later (asynchronous I/O).
int dune_dirty_begin(void *at, size_t size);
// Sets a bit of the bitmap for each page of the region that was written since the last time, clears
// the others, and begins anew. The number of pages written.
long dune_dirty_collect(uint64_t *bitmap);
int dune_dirty_end(void);

// [guest] A compartment: a copy of the present page tables, whose rights may be changed apart.
// Its number, 1 and up.
int dune_space_new(void);
int dune_space_protect(int space, void *at, size_t size, int rights);
int dune_space_free(int space);
// Calls function(argument) in the compartment, on a stack of `stack_size` bytes at `stack`. Until
// it returns, no system call is made for it: each gives EPERM. *result is what it returned. -EFAULT
// when it touched what it may not, or did something else that ends a program.
int dune_space_call(int space, uint64_t (*function)(uint64_t), uint64_t argument, void *stack,
                    size_t stack_size, uint64_t *result);

// [guest] Calls function(argument) with the privileges of the guest's kernel, on a stack as above:
// on LoongArch64 at PLV0, where it may read and write the guest's control registers. Those that the
// library needs it leaves as they are: SAVE0, SAVE1 and those of exceptions, addresses and page
// tables. No system call is made for it (EPERM), signals wait, and what it does wrong ends it with
// -EFAULT. -EOPNOTSUPP on x86-64.
int dune_privileged_call(uint64_t (*function)(uint64_t), uint64_t argument, void *stack,
                         size_t stack_size, uint64_t *result);

#ifdef __cplusplus
}
#endif
