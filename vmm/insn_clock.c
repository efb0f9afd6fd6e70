// SPDX-License-Identifier: Apache-2.0
#include "vmm/insn_clock.h"

// 2026-01-01 00:00:00 UTC: late enough for certificates, and for programs that take an early date
// for a clock without a battery.
#define EPOCH_S 1767225600ULL

u64 insn_clock_insns(const struct insn_clock *c)
{
    u64 n = 0;
    for (unsigned i = 0; i < c->n_cpus; i++)
        n += c->cpus[i]->n_insns;
    return n;
}

static u64 now(void *opaque)
{
    const struct insn_clock *c = opaque;
    return (insn_clock_insns(c) << c->shift) + c->skipped_ns;
}

static void rearm(void *opaque)
{
    struct insn_clock *c = opaque;
    insn_clock_notice(c, clock_next_deadline(&c->clock));
}

void insn_clock_init(struct insn_clock *c, unsigned shift)
{
    *c = (struct insn_clock){
        .clock = {.now = now,
                  .rearm = rearm,
                  .opaque = c,
                  .epoch_ns = EPOCH_S * NS_PER_SEC,
                  .is_counted = true},
        .shift = shift,
    };
}

void insn_clock_bind(struct insn_clock *c, struct cpu *const *cpus, unsigned n)
{
    c->cpus = cpus;
    c->n_cpus = n;
}

u64 insn_clock_insns_until(const struct insn_clock *c, u64 ns)
{
    u64 t = clock_now(&c->clock);
    if (ns <= t)
        return 1;
    return ((ns - t - 1) >> c->shift) + 1;
}

void insn_clock_notice(struct insn_clock *c, u64 ns)
{
    if (c->running && ns < c->running_until)
        cpu_request(c->running, CPU_REQ_STOP);
}

void insn_clock_skip_to(struct insn_clock *c, u64 ns)
{
    u64 t = clock_now(&c->clock);
    if (ns > t)
        c->skipped_ns += ns - t;
}
