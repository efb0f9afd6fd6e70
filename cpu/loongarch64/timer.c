// SPDX-License-Identifier: Apache-2.0
// The stable counter (rdtime) and the timer of one core: section 7.6 of the Reference Manual.
#include "cpu/loongarch64/state.h"

// CPUCFG words 4 and 5 tell software 100 MHz.
#define NS_PER_TICK 10

u64 la_counter(const struct la_cpu *c)
{
    return (clock_now(c->cpu.bus->clock) - c->counter_base) / NS_PER_TICK;
}

static u64 initial_ticks(const struct la_cpu *c)
{
    return c->csr[CSR_TCFG] & ~3ULL;
}

// After TCFG was written. Switched off, the timer stops where it is.
void la_timer_configure(struct la_cpu *c)
{
    u64 left = la_timer_value(c);
    if (c->csr[CSR_TCFG] & TCFG_EN) {
        c->timer_deadline = la_counter(c) + initial_ticks(c);
    } else {
        c->timer_deadline = CLOCK_NEVER;
        c->timer_left = left;
    }
    la_timer_poll(c);
}

u64 la_timer_value(struct la_cpu *c)
{
    if (c->timer_deadline == CLOCK_NEVER)
        return c->timer_left;
    u64 now = la_counter(c);
    return now < c->timer_deadline ? c->timer_deadline - now : 0;
}

// One shot: TVAL then reads as all ones and nothing counts until TCFG is written (what KVM's
// save and restore of the timer relies on). Periodic: no period is lost in the long run.
static void expire(struct la_cpu *c, u64 now)
{
    u64 period = initial_ticks(c);
    c->timer_fired = true;
    if (c->csr[CSR_TCFG] & TCFG_PERIODIC && period) {
        c->timer_deadline += period * ((now - c->timer_deadline) / period + 1);
    } else {
        c->timer_deadline = CLOCK_NEVER;
        c->timer_left = ~0ULL;
    }
    la_check_interrupts_soon(c);
}

void la_timer_poll(struct la_cpu *c)
{
    if (c->timer_deadline == CLOCK_NEVER)
        return;
    u64 now = la_counter(c);
    if (now >= c->timer_deadline)
        expire(c, now);
}

u64 la_timer_deadline_ns(const struct la_cpu *c)
{
    if (c->timer_deadline == CLOCK_NEVER)
        return CLOCK_NEVER;
    return c->counter_base + c->timer_deadline * NS_PER_TICK;
}
