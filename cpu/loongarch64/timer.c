// SPDX-License-Identifier: Apache-2.0
// The stable counter (rdtime) and the timer of one core: section 7.6 of the Reference Manual.
#include "cpu/loongarch64/state.h"

// CPUCFG words 4 and 5 tell software 100 MHz.
#define NS_PER_TICK 10

u64 la_counter(const struct la_cpu *c)
{
    return (clock_now(c->cpu.bus->clock) - c->cpu.bus->reset_ns) / NS_PER_TICK;
}

u64 la_counter_of_context(const struct la_cpu *c)
{
    u64 root = c->root.csr[CSR_CNTC];
    if (!la_in_guest(c))
        return la_counter(c) + root;
    u64 offset = c->root.csr[CSR_GCNTC] + (c->lvz.root_cntc ? root : 0);
    return la_counter(c) + offset + c->guest.csr[CSR_CNTC];
}

static u64 initial_ticks(const struct la_context *x)
{
    return x->csr[CSR_TCFG] & ~3ULL;
}

// A latch that is set hides what its timer does. With a short period an alarm each time would leave
// the processor no time for anything else.
static u64 next_latch_ns(const struct la_cpu *c, const struct la_context *x)
{
    return x->timer.fired ? CLOCK_NEVER : la_timer_deadline_ns(c, x);
}

static void set_alarm(struct la_cpu *c)
{
    if (!c->cpu.alarm)
        return;
    u64 root = next_latch_ns(c, &c->root), guest = next_latch_ns(c, &c->guest);
    c->cpu.alarm(c->cpu.alarm_opaque, &c->cpu, root < guest ? root : guest);
}

// A model may let the guest's timer count in the guest only. TVAL stays readable meanwhile.
static void hold(struct la_cpu *c, struct la_context *x)
{
    bool stops = c->lvz.timer_stops && x == &c->guest && !la_in_guest(c);
    if (!stops || x->timer.deadline == CLOCK_NEVER)
        return;
    x->timer.left = la_timer_value(c, x);
    x->timer.deadline = CLOCK_NEVER;
    x->timer.is_held = true;
}

static void let_go(struct la_cpu *c, struct la_context *x)
{
    if (x->timer.is_held)
        x->timer.deadline = la_counter(c) + x->timer.left;
    x->timer.is_held = false;
}

void la_timer_context_changed(struct la_cpu *c)
{
    if (la_in_guest(c)) {
        let_go(c, &c->guest);
    } else {
        la_timer_poll(c);
        hold(c, &c->guest);
    }
    set_alarm(c);
}

void la_timer_rang(struct la_cpu *c)
{
    la_timer_poll(c);
    set_alarm(c);
}

// After TCFG was written. Switched off, the timer stops where it is.
void la_timer_configure(struct la_cpu *c, struct la_context *x)
{
    x->timer.is_held = false;
    if (x->csr[CSR_TCFG] & TCFG_EN) {
        x->timer.deadline = la_counter(c) + initial_ticks(x);
    } else {
        x->timer.left = la_timer_value(c, x);
        x->timer.deadline = CLOCK_NEVER;
    }
    if (!initial_ticks(x))
        la_timer_poll(c);
    hold(c, x);
    set_alarm(c);
}

u64 la_timer_value(const struct la_cpu *c, const struct la_context *x)
{
    if (x->timer.deadline == CLOCK_NEVER)
        return x->timer.left;
    u64 now = la_counter(c), period = initial_ticks(x);
    if (now < x->timer.deadline)
        return x->timer.deadline - now;
    return x->csr[CSR_TCFG] & TCFG_PERIODIC && period ? period - (now - x->timer.deadline) % period
                                                      : 0;
}

// 0 lets a running timer expire at once, which is how KVM restores one that has.
void la_timer_set_value(struct la_cpu *c, struct la_context *x, u64 ticks)
{
    ticks &= BITS(47, 0);
    x->timer.is_held = false;
    if (x->csr[CSR_TCFG] & TCFG_EN)
        x->timer.deadline = la_counter(c) + ticks;
    else
        x->timer.left = ticks;
    la_timer_poll(c);
    hold(c, x);
    set_alarm(c);
}

// One shot: TVAL then reads as all ones and nothing counts until TCFG is written (what KVM's
// save and restore of the timer relies on). Periodic: no period is lost in the long run.
static void expire(struct la_cpu *c, struct la_context *x, u64 now)
{
    struct la_timer *t = &x->timer;
    u64 period = initial_ticks(x);
    bool was_latched = t->fired;
    t->fired = true;
    if (x->csr[CSR_TCFG] & TCFG_PERIODIC && period) {
        t->deadline += period * ((now - t->deadline) / period + 1);
    } else {
        t->deadline = CLOCK_NEVER;
        t->left = ~0ULL;
        if (c->lvz.timer_ends_en && x == &c->guest)
            x->csr[CSR_TCFG] &= ~(u64)TCFG_EN;
    }
    if (was_latched)
        return; // no news: with a short period there would be no end of it
    set_alarm(c);
    la_check_interrupts_soon(c);
}

static void poll(struct la_cpu *c, struct la_context *x, u64 now)
{
    if (x->timer.deadline != CLOCK_NEVER && now >= x->timer.deadline)
        expire(c, x, now);
}

void la_timer_poll(struct la_cpu *c)
{
    if (c->root.timer.deadline == CLOCK_NEVER && c->guest.timer.deadline == CLOCK_NEVER)
        return;
    u64 now = la_counter(c);
    poll(c, &c->root, now);
    poll(c, &c->guest, now);
}

// What the timer did meanwhile was hidden by the latch.
void la_timer_latch(struct la_cpu *c, struct la_context *x, bool fired)
{
    la_timer_poll(c);
    x->timer.fired = fired;
    set_alarm(c);
}

u64 la_timer_deadline_ns(const struct la_cpu *c, const struct la_context *x)
{
    if (x->timer.deadline == CLOCK_NEVER)
        return CLOCK_NEVER;
    return c->cpu.bus->reset_ns + x->timer.deadline * NS_PER_TICK;
}
