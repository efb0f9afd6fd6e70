// SPDX-License-Identifier: Apache-2.0
#include "vmm/turns.h"
#include "base/test.h"

// A processor that runs until it has retired `idle_at` instructions, then idles until `wakes_at`
// ns.
struct puppet {
    struct cpu cpu; // first
    struct clock *clock;
    u64 idle_at, wakes_at;
    u64 stop_at;              // retired instructions after which it stops the turns
    u64 arm_at;               // retired instructions after which it arms the bench's timer ...
    u64 arm_for;              // ... for this time
    bool is_broken, is_stuck; // stuck: exceptions raise themselves
    unsigned n_runs;
    u64 ran[8]; // instructions of the first runs
};

struct bench {
    struct insn_clock clock;
    struct cpu_bus bus;
    pthread_mutex_t lock;
    struct turns *turns;
    struct timer timer;
    unsigned n_fired;
    u64 fired_at;
    struct puppet p[2];
    struct cpu *cpus[2];
};

static struct bench *bench_of(struct puppet *p)
{
    return container_of(p->clock, struct bench, clock.clock);
}

// The event before which it runs, if that is within [now, end).
static u64 first_event(const struct puppet *p, u64 end)
{
    const u64 events[] = {p->idle_at, p->stop_at, p->arm_at}, now = p->cpu.n_insns;
    for (unsigned i = 0; i < ARRAY_LEN(events); i++)
        if (events[i] >= now && events[i] < end)
            end = events[i];
    return end;
}

static bool is_stopped(struct puppet *p)
{
    return __atomic_fetch_and(&p->cpu.requests, ~(u32)CPU_REQ_STOP, __ATOMIC_SEQ_CST) &
           CPU_REQ_STOP;
}

static enum cpu_exit run(struct cpu *c, u64 budget)
{
    struct puppet *p = (struct puppet *)c;
    struct bench *b = bench_of(p);
    if (p->is_broken)
        return CPU_EXIT_FAILED;
    if (is_stopped(p))
        return CPU_EXIT_STOP;
    if (p->is_stuck)
        return CPU_EXIT_BUDGET;
    u64 end = c->n_insns + budget, until = first_event(p, end);
    if (p->n_runs < ARRAY_LEN(p->ran))
        p->ran[p->n_runs++] = until - c->n_insns;
    c->n_insns = until;
    if (until == end)
        return CPU_EXIT_BUDGET;
    if (until == p->idle_at)
        return CPU_EXIT_IDLE;
    c->n_insns++;
    if (until == p->stop_at)
        turns_stop(b->turns);
    else
        timer_arm(p->clock, &b->timer, p->arm_for);
    return is_stopped(p) ? CPU_EXIT_STOP : CPU_EXIT_BUDGET;
}

static bool can_wake(struct cpu *c)
{
    struct puppet *p = (struct puppet *)c;
    if (clock_now(p->clock) < p->wakes_at)
        return false;
    p->idle_at = ~0ULL;
    return true;
}

static u64 idle_deadline(struct cpu *c)
{
    return ((struct puppet *)c)->wakes_at;
}

static const struct cpu_ops puppet_ops = {
    .run = run, .can_wake = can_wake, .idle_deadline = idle_deadline};

static void fired(void *opaque)
{
    struct bench *b = opaque;
    b->n_fired++;
    b->fired_at = clock_now(&b->clock.clock);
    CHECK(pthread_mutex_trylock(&b->lock)); // the caller has it
}

static void start(struct bench *b, unsigned n_cpus, unsigned shift)
{
    memset(b, 0, sizeof(*b));
    pthread_mutex_init(&b->lock, NULL);
    insn_clock_init(&b->clock, shift);
    b->bus.clock = &b->clock.clock;
    for (unsigned i = 0; i < 2; i++) {
        b->p[i] = (struct puppet){.cpu = {.ops = &puppet_ops, .bus = &b->bus, .index = i},
                                  .clock = &b->clock.clock,
                                  .idle_at = ~0ULL,
                                  .wakes_at = CLOCK_NEVER,
                                  .stop_at = ~0ULL,
                                  .arm_at = ~0ULL};
        b->cpus[i] = &b->p[i].cpu;
    }
    timer_init(&b->timer, fired, b);
    b->turns = turns_new(b->cpus, n_cpus, &b->clock, &b->lock);
}

static void end(struct bench *b)
{
    turns_free(b->turns);
    pthread_mutex_destroy(&b->lock);
}

TEST(an_instruction_takes_its_time)
{
    struct bench b;
    start(&b, 2, 3);
    CHECK(b.clock.clock.is_counted);
    CHECK_EQ(clock_now(&b.clock.clock), 0);
    b.p[0].cpu.n_insns = 5;
    b.p[1].cpu.n_insns = 2;
    CHECK_EQ(clock_now(&b.clock.clock), 7 * 8);
    CHECK_EQ(insn_clock_insns_until(&b.clock, 56), 1);
    CHECK_EQ(insn_clock_insns_until(&b.clock, 57), 1);
    CHECK_EQ(insn_clock_insns_until(&b.clock, 64), 1);
    CHECK_EQ(insn_clock_insns_until(&b.clock, 65), 2);
    insn_clock_skip_to(&b.clock, 100);
    insn_clock_skip_to(&b.clock, 90);
    CHECK_EQ(clock_now(&b.clock.clock), 100);
    end(&b);
    CHECK_EQ(clock_now(&b.clock.clock), 100);
}

TEST(turns_are_of_one_length)
{
    struct bench b;
    start(&b, 2, 0);
    CHECK_EQ(turns_run(b.turns), TURNS_GO_ON);
    CHECK_EQ(b.p[0].ran[0], 10000);
    CHECK_EQ(b.p[0].ran[7], 10000);
    CHECK_EQ(b.p[0].cpu.n_insns, 100000);
    CHECK_EQ(b.p[1].cpu.n_insns, 100000);
    end(&b);
}

TEST(a_timer_fires_after_the_instruction_of_its_time)
{
    struct bench b;
    start(&b, 2, 0);
    timer_arm(&b.clock.clock, &b.timer, 12345);
    turns_run(b.turns);
    CHECK_EQ(b.n_fired, 1);
    CHECK_EQ(b.fired_at, 12345);
    CHECK_EQ(b.p[1].ran[0], 2345);
    CHECK_EQ(b.p[1].ran[1], 10000 - 2345); // the rest of the turn
    end(&b);
}

TEST(a_timer_that_is_armed_by_the_running_processor_is_not_late)
{
    struct bench b;
    start(&b, 1, 0);
    b.p[0].arm_at = 99;
    b.p[0].arm_for = 300;
    turns_run(b.turns);
    CHECK_EQ(b.fired_at, 300);
    CHECK_EQ(b.p[0].ran[0], 99);
    CHECK_EQ(b.p[0].ran[1], 200);
    CHECK_EQ(b.p[0].ran[2], 10000 - 300);
    end(&b);
}

TEST(the_processor_looks_at_its_own_timer_in_time)
{
    struct bench b;
    start(&b, 1, 2);
    b.p[0].cpu.alarm(b.p[0].cpu.alarm_opaque, &b.p[0].cpu, 4002);
    turns_run(b.turns);
    CHECK_EQ(b.p[0].ran[0], 1001);
    CHECK_EQ(b.p[0].ran[1], 10000 - 1001);
    end(&b);
}

TEST(idle_time_is_skipped)
{
    struct bench b;
    start(&b, 2, 0);
    b.p[0].idle_at = 1000;
    b.p[1].idle_at = 500;
    b.p[0].wakes_at = 7 * NS_PER_SEC;
    timer_arm(&b.clock.clock, &b.timer, 3 * NS_PER_SEC);
    CHECK_EQ(turns_run(b.turns), TURNS_GO_ON);
    CHECK_EQ(b.fired_at, 3 * NS_PER_SEC);
    CHECK_EQ(b.p[1].cpu.n_insns, 500);
    CHECK_EQ(b.p[0].ran[0], 1000);
    CHECK_EQ(b.p[0].ran[1], 10000);
    CHECK_EQ(clock_now(&b.clock.clock), 7 * NS_PER_SEC + b.p[0].cpu.n_insns - 1000);
    end(&b);
}

TEST(nothing_to_wait_for)
{
    struct bench b;
    start(&b, 2, 0);
    b.p[0].idle_at = b.p[1].idle_at = 10;
    CHECK_EQ(turns_run(b.turns), TURNS_ASLEEP);
    CHECK_EQ(turns_run(b.turns), TURNS_ASLEEP);
    CHECK_EQ(clock_now(&b.clock.clock), 20);
    b.p[1].wakes_at = 0; // an interrupt
    CHECK_EQ(turns_run(b.turns), TURNS_GO_ON);
    CHECK_EQ(b.p[0].cpu.n_insns, 10);
    CHECK(b.p[1].cpu.n_insns > 100000);
    end(&b);
}

TEST(turns_stop_at_once_and_go_on_from_there)
{
    struct bench b;
    start(&b, 2, 0);
    b.p[0].stop_at = 4000;
    CHECK_EQ(turns_run(b.turns), TURNS_GO_ON);
    CHECK_EQ(b.p[0].cpu.n_insns, 4001);
    CHECK_EQ(b.p[1].cpu.n_insns, 0);
    turns_run(b.turns);
    CHECK_EQ(b.p[0].ran[1], 10000 - 4001);
    CHECK_EQ(b.p[1].ran[0], 10000);
    b.p[0].stop_at = b.p[0].cpu.n_insns + 4000;
    turns_run(b.turns);
    turns_reset(b.turns);
    b.p[0].n_runs = 0;
    turns_run(b.turns);
    CHECK_EQ(b.p[0].ran[0], 10000);
    end(&b);
}

TEST(a_processor_without_progress_holds_nobody)
{
    struct bench b;
    start(&b, 2, 0);
    b.p[0].is_stuck = true;
    CHECK_EQ(turns_run(b.turns), TURNS_GO_ON);
    CHECK_EQ(b.p[1].cpu.n_insns, 200000);
    b.p[1].is_stuck = true;
    CHECK_EQ(turns_run(b.turns), TURNS_GO_ON);
    end(&b);
}

TEST(a_processor_that_cannot_go_on_is_told)
{
    struct bench b;
    start(&b, 2, 0);
    b.p[1].is_broken = true;
    CHECK_EQ(turns_run(b.turns), TURNS_FAILED);
    CHECK(turns_failed(b.turns) == &b.p[1].cpu);
    CHECK_EQ(b.p[0].cpu.n_insns, 10000);
    end(&b);
}
