// SPDX-License-Identifier: Apache-2.0
// The contract of a guest processor, whatever its architecture and whatever runs it.
//
// A vCPU belongs to one thread, which calls cpu_run in a loop. Other threads only use the calls in
// the second group below: they set bits and wake the thread.
#pragma once

#include "base/types.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "mem/space.h"

struct cpu;

// What a processor may use of its machine. Borrowed; outlives the processors.
struct cpu_bus {
    struct mem_space *mem;
    struct clock *clock;
    u64 reset_ns; // when the machine was reset; the counters of all processors begin there
    struct log *log;
    // Per-core I/O configuration space. `core` is the executing core. The device lock is not held:
    // the callee takes it.
    u64 (*iocsr_read)(void *opaque, unsigned core, u32 address, unsigned size);
    void (*iocsr_write)(void *opaque, unsigned core, u32 address, u64 value, unsigned size);
    void *opaque;
    // Where an address that a core puts on the bus leads; NULL: nowhere else. The lock as above.
    // What it answers may change only together with mem_changed.
    u64 (*route)(void *opaque, unsigned core, u64 address);
    // Whether `route` leads anywhere else at present; NULL: never. Changes with mem_changed, too.
    bool (*has_routes)(void *opaque);
    void *route_opaque;
};

// False: `route` changes no address, until the next mem_changed.
static inline bool cpu_bus_may_route(const struct cpu_bus *b)
{
    return b->route && (!b->has_routes || b->has_routes(b->route_opaque));
}

enum cpu_exit {
    CPU_EXIT_BUDGET, // the instruction budget is used up
    CPU_EXIT_IDLE,   // waits for an interrupt; see cpu_idle_deadline
    CPU_EXIT_STOP,   // cpu_request_stop
    CPU_EXIT_FAILED, // what runs the processor cannot go on; cpu->failure says why
};

enum {
    // Bits 1:0 are those of no request: see cpu/loongarch64/targets.c.
    CPU_REQ_STOP = 4,   // leave cpu_run
    CPU_REQ_IRQ = 8,    // an input line changed
    CPU_REQ_FLUSH = 16, // drop cached translations
    CPU_REQ_CODE = 32,  // translated code was dropped; jit/
    CPU_REQ_ALARM = 64, // the alarm rang, perhaps too early: it is to be set again
    CPU_REQ_LINK = 128, // a page has links now: drop what is cached for stores; links.h
    CPU_REQ_ALL = 252,
};

struct cpu_inspect; // cpu/inspect.h

struct cpu_ops {
    void (*reset)(struct cpu *c);
    enum cpu_exit (*run)(struct cpu *c, u64 budget);
    bool (*can_wake)(struct cpu *c);
    u64 (*idle_deadline)(struct cpu *c);
    // Any thread, after a request was set: makes `run` notice. NULL where `run` looks by itself.
    void (*kick)(struct cpu *c);
    void (*report)(struct cpu *c); // what it counted, on the log; may be NULL
    void (*free)(struct cpu *c);
    const struct cpu_inspect *inspect; // NULL: nobody can look into it
};

struct cpu {
    const struct cpu_ops *ops;
    struct cpu_bus *bus;
    unsigned index;
    u64 n_insns;       // retired so far; written by the owning thread, others may see it late
    bool is_uncounted; // n_insns leaves out most of them
    // These are compared as one 32-bit word by translated code, which leaves when it is asked to or
    // in another context.
    _Alignas(4) _Atomic u8 requests; // CPU_REQ_*
    u8 context;                      // the architecture's; of the owning thread
    u16 zero;
    _Atomic u32 lines;  // input lines, one bit each; the number is the architecture's
    struct err failure; // of CPU_EXIT_FAILED
    // Called after a request was set, by the thread that set it; wakes a sleeping owner.
    void (*wake)(void *opaque, struct cpu *c);
    void *wake_opaque;
    // For processors that do not look at their timers by themselves: asks for CPU_REQ_ALARM at
    // `deadline_ns` of the bus clock (CLOCK_NEVER: at no time) in place of what was asked for
    // before, which may be left to ring all the same. Called by the owning thread; NULL where
    // nobody needs it.
    void (*alarm)(void *opaque, struct cpu *c, u64 deadline_ns);
    void *alarm_opaque;
    bool needs_alarm; // it is such a processor; set before its thread starts
};

// The owning thread only.
static inline void cpu_reset(struct cpu *c)
{
    c->ops->reset(c);
}
// Runs `budget` instructions at most; an exception costs as much as an instruction. Translated code
// that does not count them runs until it is asked to stop.
static inline enum cpu_exit cpu_run(struct cpu *c, u64 budget)
{
    return c->ops->run(c, budget);
}
// True if an idle processor has something to wake for.
static inline bool cpu_can_wake(struct cpu *c)
{
    return c->ops->can_wake(c);
}
// The time (ns, bus clock) at which an idle processor wakes by its own timer, or CLOCK_NEVER.
static inline u64 cpu_idle_deadline(struct cpu *c)
{
    return c->ops->idle_deadline(c);
}

// Any thread.
void cpu_request(struct cpu *c, u32 request);
void cpu_set_line(struct cpu *c, unsigned line, bool level);
