// SPDX-License-Identifier: Apache-2.0
// A processor on flat RAM, for tests of the semantics alone: no translation, no TLB, no timer,
// control registers that only store. Defines what the semantics call elsewhere, so that it is
// linked instead of the rest of the processor, never with it.
#pragma once

#include "cpu/loongarch64/interp.h"

struct flat_ram {
    u64 base, size;
    u8 *host;
};

#define FLAT_MAX_RAM 4

struct flat {
    struct la_cpu c; // first
    struct cpu_bus bus;
    struct flat_ram ram[FLAT_MAX_RAM];
    unsigned n_ram;
    u64 bad_va;         // of the last exception
    const char *called; // the last of the functions that only say that they were called
    u64 call_args[3];
    u64 iocsr; // what the I/O configuration space holds, at every address
};

// A processor in kernel mode with every unit enabled and every register 0. Never NULL.
struct flat *flat_new(void);
void flat_free(struct flat *f);

// The memory stays the caller's.
void flat_add_ram(struct flat *f, u64 base, void *host, u64 size);
// The host address of [va, va + size), NULL if it is not all RAM.
u8 *flat_host(struct flat *f, u64 va, u64 size);

// Runs the instruction `word` at c.pc. Returns the exception, with nothing else changed, or -1 and
// c.pc at the next instruction.
int flat_step(struct flat *f, u32 word);
