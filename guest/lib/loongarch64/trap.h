// SPDX-License-Identifier: Apache-2.0
// Taking exceptions, and calling functions that are expected to raise them.
//
//     static u64 undefined(u64 a, u64 b, u64 c) { __asm__ volatile(".word 0"); return 0; }
//     struct trap t = trap_call(3, undefined, 0, 0, 0);
//     report(t.code == EXC_INE, "...");
//
// All exceptions enter through one table of slots whatever ECFG.VS is; which slot it was is told.
#pragma once

#include "base/types.h"
#include "guest/lib/loongarch64/exception.h"

// The interrupted program. Changes to gpr, era and prmd hold when the handler returns; for a
// refill the last two are TLBRERA (without its low bits) and TLBRPRMD.
struct trap_frame {
    u64 gpr[32];
    u64 entry;  // address of the slot that was entered
    u64 refill; // EXC_TLBR, EXC_MERR, or 0
    u64 era, prmd, crmd, estat, badv, badi;
};

// What was found when an exception came.
struct trap {
    unsigned code; // EXC_*; EXC_NONE: the function returned
    u64 value;     // what it returned
    u64 entry;     // offset from EENTRY; for a refill from TLBRENTRY
    u64 era, prmd, crmd, estat, badv, badi;
};

typedef u64 (*trap_function)(u64 a, u64 b, u64 c);

// A handler returns true when the exception is dealt with: the program goes on at frame->era.
typedef bool (*trap_handler)(struct trap_frame *frame, unsigned code);

// Calls `f` at privilege level `plv` with interrupts off. The first exception that no handler
// takes ends it. ertn has been executed before and an exception after, so no LL/SC pair spans it.
struct trap trap_call(unsigned plv, trap_function f, u64 a, u64 b, u64 c);
// The same with PRMD as given: PPLV, PIE, PWE.
struct trap trap_call_mode(u64 prmd, trap_function f, u64 a, u64 b, u64 c);
// Code at any address instead of a function: entered with a in $a0, b in $a1, c in $a2.
struct trap trap_call_at(unsigned plv, u64 address, u64 a, u64 b, u64 c);

// The handler of one code on this processor; NULL takes it away. EXC_INT is interrupts.
void trap_set_handler(unsigned code, trap_handler handler);

// Start-up code, once on each processor.
void trap_init(void);

extern const char trap_vectors[]; // 64 KiB, each 8 bytes an entry
extern const char trap_refill_vector[], trap_error_vector[];

// report_eq of the exception, with both names told.
__attribute__((format(printf, 3, 4))) bool report_trap(const struct trap *t, unsigned expected,
                                                       const char *format, ...);
