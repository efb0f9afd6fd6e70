// SPDX-License-Identifier: Apache-2.0
// What a person can see of a processor: registers, translation, counters, in words.
//
// All of it is called while no processor of the machine runs, by one thread, without the device
// lock (which looking at memory may take). Nothing that a guest could notice changes.
#pragma once

#include "base/err.h"
#include "base/text.h"
#include "cpu/cpu.h"

// Which set of control registers an address is about, where a processor has more than one.
enum cpu_mode { CPU_MODE_NOW, CPU_MODE_ROOT, CPU_MODE_GUEST };
enum cpu_access { CPU_LOAD, CPU_STORE, CPU_FETCH };

#define CPU_PLV_NOW (~0u)

struct cpu_question {
    u64 address; // virtual
    enum cpu_access access;
    enum cpu_mode mode;
    unsigned plv; // up to cpu_inspect.max_plv, or CPU_PLV_NOW
};

// Something that the monitor's `info NAME` shows.
struct cpu_topic {
    const char *name, *argument, *doc; // argument: "" if it takes none
    // Of cpus[at], or of all where that makes sense. `word` is what follows the name, "" if
    // nothing. False with a message if it means nothing.
    bool (*print)(struct cpu *const *cpus, unsigned n, unsigned at, const char *word,
                  struct text *to, struct err *e);
};

struct cpu_inspect {
    const struct cpu_topic *topics; // ends with a NULL name
    unsigned max_plv;               // privilege levels are 0 to this
    // One line without its end: where it is and in which mode.
    void (*summary)(struct cpu *c, struct text *to);
    // Which interrupts are asked for, and what holds them back; lines.
    void (*interrupts)(struct cpu *c, struct text *to);
    // By the architecture's name, without a '$'; false if there is none.
    bool (*get)(struct cpu *c, const char *name, u64 *value);
    u64 (*pc)(struct cpu *c);
    // False with a message if the processor has no such mode.
    bool (*check)(struct cpu *c, const struct cpu_question *q, struct err *e);
    // The whole way from the virtual address to one on the bus, step by step, with the reason where
    // it ends. True: *bus is where it leads now. The question passed `check`.
    bool (*explain)(struct cpu *c, const struct cpu_question *q, struct text *to, u64 *bus);
    // The same without words, and where no TLB entry matches, by the tables that software keeps.
    bool (*find)(struct cpu *c, const struct cpu_question *q, u64 *bus);
    // The text of the instruction in `bytes` at `address`, as snprintf; all have insn_size bytes.
    unsigned insn_size;
    void (*disassemble)(const u8 *bytes, u64 address, char *text, size_t size);
};
