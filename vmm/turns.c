// SPDX-License-Identifier: Apache-2.0
// What decides when a processor stops are numbers of instructions and the guest's own timers, never
// the host: a turn goes on after each of its slices, whatever made the slice end.
#include "vmm/turns.h"
#include "base/bug.h"

#include <stdlib.h>

#define TURN 10000 // instructions
// Between two looks at the event loop.
#define LOOK       200000 // instructions
#define MAX_ROUNDS 64

struct player {
    struct turns *turns;
    struct cpu *cpu;
    u64 alarm; // when it has to look at its timer; ns or CLOCK_NEVER
    bool is_idle;
};

struct turns {
    struct insn_clock *clock;
    pthread_mutex_t *device_lock;
    struct cpu *failed;
    bool is_stopped;
    u64 left;    // of the turn of players[at]
    unsigned at; // whose turn it is
    unsigned n;
    struct player players[];
};

// cpu.alarm
static void set_alarm(void *opaque, struct cpu *c, u64 deadline_ns)
{
    struct player *p = opaque;
    p->alarm = deadline_ns;
    if (p->turns->clock->running == c)
        insn_clock_notice(p->turns->clock, deadline_ns);
}

struct turns *turns_new(struct cpu *const *cpus, unsigned n, struct insn_clock *clock,
                        pthread_mutex_t *device_lock)
{
    struct turns *t = calloc(1, sizeof(*t) + n * sizeof(t->players[0]));
    BUG_ON(!t);
    t->clock = clock;
    t->device_lock = device_lock;
    t->n = n;
    for (unsigned i = 0; i < n; i++) {
        struct player *p = &t->players[i];
        *p = (struct player){.turns = t, .cpu = cpus[i]};
        p->cpu->alarm = set_alarm;
        p->cpu->alarm_opaque = p;
    }
    insn_clock_bind(clock, cpus, n);
    turns_reset(t);
    return t;
}

void turns_free(struct turns *t)
{
    if (!t)
        return;
    t->clock->skipped_ns = clock_now(&t->clock->clock);
    insn_clock_bind(t->clock, NULL, 0);
    for (unsigned i = 0; i < t->n; i++)
        t->players[i].cpu->alarm = NULL;
    free(t);
}

void turns_reset(struct turns *t)
{
    t->at = 0;
    t->left = TURN;
    for (unsigned i = 0; i < t->n; i++) {
        t->players[i].is_idle = false;
        t->players[i].alarm = CLOCK_NEVER;
    }
}

void turns_stop(struct turns *t)
{
    t->is_stopped = true;
    if (t->clock->running)
        cpu_request(t->clock->running, CPU_REQ_STOP);
}

struct cpu *turns_failed(const struct turns *t)
{
    return t->failed;
}

static void fire_timers(struct turns *t)
{
    if (clock_next_deadline(&t->clock->clock) > clock_now(&t->clock->clock))
        return;
    BUG_ON(pthread_mutex_lock(t->device_lock));
    clock_fire_due(&t->clock->clock);
    BUG_ON(pthread_mutex_unlock(t->device_lock));
}

// Instructions until something is due, or the end of the turn.
static u64 slice(struct turns *t, struct player *p)
{
    u64 now = clock_now(&t->clock->clock);
    // It looks when it begins to run, and sets the next one then.
    if (p->alarm <= now)
        p->alarm = CLOCK_NEVER;
    u64 due = clock_next_deadline(&t->clock->clock);
    due = due < p->alarm ? due : p->alarm;
    u64 n = due == CLOCK_NEVER ? t->left : insn_clock_insns_until(t->clock, due);
    n = n < t->left ? n : t->left;
    t->clock->running_until = now + (n << t->clock->shift);
    return n;
}

static enum cpu_exit run_slice(struct turns *t, struct player *p)
{
    struct cpu *c = p->cpu;
    fire_timers(t);
    u64 before = c->n_insns, n = slice(t, p);
    t->clock->running = c;
    enum cpu_exit why = cpu_run(c, n);
    t->clock->running = NULL;
    // Exceptions count in what it may run, or one that raises itself would take for ever.
    t->left -= why == CPU_EXIT_BUDGET ? n : c->n_insns - before;
    return why;
}

static void next_player(struct turns *t)
{
    t->at = (t->at + 1) % t->n;
    t->left = TURN;
}

// False: it idles, or cannot go on.
static bool take_turn(struct turns *t, struct player *p)
{
    if (p->is_idle && !cpu_can_wake(p->cpu)) {
        next_player(t);
        return false;
    }
    enum cpu_exit why = CPU_EXIT_BUDGET;
    while (t->left && !t->is_stopped && (why == CPU_EXIT_BUDGET || why == CPU_EXIT_STOP))
        why = run_slice(t, p);
    p->is_idle = why == CPU_EXIT_IDLE;
    if (why == CPU_EXIT_FAILED) {
        t->failed = p->cpu;
        t->is_stopped = true;
    }
    if (!t->left || p->is_idle)
        next_player(t);
    return !p->is_idle;
}

// True: somebody ran to the end of a turn.
static bool take_round(struct turns *t)
{
    bool any = false;
    for (unsigned i = 0; i < t->n && !t->is_stopped; i++)
        any |= take_turn(t, &t->players[t->at]);
    return any;
}

// True: something is due now.
static bool skip_idle_time(struct turns *t)
{
    u64 first = clock_next_deadline(&t->clock->clock);
    for (unsigned i = 0; i < t->n; i++) {
        u64 deadline = cpu_idle_deadline(t->players[i].cpu);
        first = deadline < first ? deadline : first;
    }
    if (first == CLOCK_NEVER)
        return false;
    insn_clock_skip_to(t->clock, first);
    fire_timers(t);
    return true;
}

static bool can_anyone_wake(const struct turns *t)
{
    for (unsigned i = 0; i < t->n; i++)
        if (!t->players[i].is_idle || cpu_can_wake(t->players[i].cpu))
            return true;
    return false;
}

enum turns_end turns_run(struct turns *t)
{
    u64 end = insn_clock_insns(t->clock) + LOOK;
    t->is_stopped = false;
    // Rounds are counted as well: exceptions that raise themselves retire nothing.
    for (unsigned n = 0; n < MAX_ROUNDS && !t->is_stopped && insn_clock_insns(t->clock) < end;
         n++) {
        if (take_round(t) || t->is_stopped || can_anyone_wake(t))
            continue;
        if (!skip_idle_time(t))
            return TURNS_ASLEEP;
    }
    return t->failed ? TURNS_FAILED : TURNS_GO_ON;
}
