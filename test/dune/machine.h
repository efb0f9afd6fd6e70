// SPDX-License-Identifier: Apache-2.0
// What a test has to know about the processor: machine_x86_64.c, machine_loongarch64.c.
#pragma once

#include "base/types.h"

struct dune_frame;

#if defined(__loongarch64)
enum { PAGE = 16384 };
#else
enum { PAGE = 4096 };
#endif

// What MAP_32BIT is, or 0 where there is no such flag.
extern const int machine_low_flag;

// System calls of the host that a guest has not.
extern const long machine_absent_calls[];
extern const int machine_n_absent_calls;

// Writes a function that returns.
void machine_put_return(u8 *code);
// Writes a function that gives a number below 2048.
void machine_put_number(u8 *code, u32 number);
// clone3 of a child on a stack of its own, which sets *mark to 77 and ends with status 9.
long machine_clone3(const void *arguments, u64 size, volatile int *mark);
// Of a handler's context.
u64 machine_pc(const void *context);
// Executes something undefined, and then gives what a register holds that functions keep. A handler
// goes over the instruction and sets the register.
u64 machine_undefined(void);
void machine_skip(void *context, u64 value);
// rt_sigreturn with a frame at `sp`.
void machine_return_from(void *sp);

// Exceptions: which signal each is. `which` points to an index.
extern const struct machine_fault {
    int signal, code;
} machine_faults[];
extern const int machine_n_faults;
void machine_fault(void *which);
// Instructions that only kernels may execute.
extern const int machine_n_privileged;
void machine_privileged(void *which);

// The widest vector registers: whether there are some, writing other values into them, and holding
// one until *until is not zero.
bool machine_has_vectors(void);
void machine_spoil_vectors(void);
void machine_hold_vector(const u32 in[8], u32 out[8], const volatile int *until);

// With libdune: stores 5 to a byte while a vector register holds a value, which it gives. Then: a
// store of 9 over which a handler goes, and what the kept register holds then.
u32 machine_store_beside_vector(u8 *at, u32 value);
u64 machine_store_and_keep(u8 *at);
void machine_skip_store(struct dune_frame *frame, u64 value);

// Handlers of libdune: destroys what a function may; stores 5 with values in registers, flags,
// vector registers and below the stack pointer, and says whether they are still there; stores 9
// while the stack pointer is `sp`.
void machine_clobber(void);
bool machine_keeps_all(u8 *at);
void machine_write_with_stack(u8 *at, u64 sp);

// Exceptions that a handler of libdune goes over: which they are for the processor, and how often
// one leaves guest mode, or a call with a handler that answers.
extern const int machine_n_traps, machine_exits_per_trap, machine_exits_per_call;
// As many exits take no less time than a fault and its handler.
extern const int machine_exits_worth_a_handler;
void machine_trap(int kind);
u64 machine_trap_number(int kind);
void machine_skip_trap(struct dune_frame *frame);
// Of machine_privileged, how many machine_skip_trap knows.
extern const int machine_n_skippable;

// Code with the privileges of a kernel. The first finds its registers as they should be and gives
// 0; the second does what it may not; the third takes so many milliseconds, and gives 0.
extern const bool machine_has_privileged;
extern const int machine_n_privileged_refused;
u64 machine_privileged_state(void);
u64 machine_privileged_refused(u64 which);
u64 machine_privileged_spin(u64 ms);
