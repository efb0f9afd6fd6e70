// SPDX-License-Identifier: Apache-2.0
#include "vmm/accel.h"
#include "vmm/alarm.h"
#include "vmm/host_clock.h"
#include "base/test.h"

#include <semaphore.h>
#include <stdatomic.h>

// A processor that does as told.
struct puppet {
    struct cpu cpu; // first
    _Atomic bool is_broken;
    _Atomic unsigned n_runs, n_kicks, n_failures;
    sem_t failed;
};

static enum cpu_exit run(struct cpu *c, u64 budget)
{
    struct puppet *p = (struct puppet *)c;
    atomic_fetch_add(&p->n_runs, 1);
    if (p->is_broken) {
        err_set(&c->failure, "broken");
        return CPU_EXIT_FAILED;
    }
    return atomic_fetch_and(&c->requests, ~(u32)CPU_REQ_STOP) & CPU_REQ_STOP ? CPU_EXIT_STOP
                                                                             : CPU_EXIT_BUDGET;
}

static void kick(struct cpu *c)
{
    atomic_fetch_add(&((struct puppet *)c)->n_kicks, 1);
}

static const struct cpu_ops puppet_ops = {.run = run, .kick = kick};

static void told(void *opaque, struct cpu *c)
{
    struct puppet *p = opaque;
    CHECK(c == &p->cpu);
    CHECK_STR(c->failure.text, "broken");
    atomic_fetch_add(&p->n_failures, 1);
    sem_post(&p->failed);
}

static void init(struct puppet *p, bool is_broken)
{
    *p = (struct puppet){.cpu = {.ops = &puppet_ops}, .is_broken = is_broken};
    sem_init(&p->failed, 0, 0);
}

TEST(processors_run_between_resume_and_pause)
{
    struct puppet p;
    init(&p, false);
    struct cpu *cpus[] = {&p.cpu};
    struct accel *a = accel_new(cpus, 1, told, &p);
    accel_resume(a);
    while (p.n_runs < 10)
        ;
    accel_pause(a);
    unsigned n = p.n_runs;
    accel_pause(a);
    CHECK_EQ(p.n_runs, n);
    accel_free(a);
    CHECK_EQ(p.n_failures, 0);
    sem_destroy(&p.failed);
}

TEST(a_processor_that_cannot_go_on_is_told_once_and_waits)
{
    struct puppet p;
    init(&p, true);
    struct cpu *cpus[] = {&p.cpu};
    struct accel *a = accel_new(cpus, 1, told, &p);
    for (unsigned round = 1; round <= 2; round++) {
        accel_resume(a);
        sem_wait(&p.failed);
        accel_pause(a);
        CHECK_EQ(p.n_runs, round);
        CHECK_EQ(p.n_failures, round);
    }
    accel_resume(a);
    sem_wait(&p.failed);
    accel_free(a);
    CHECK_EQ(p.n_failures, 3);
    sem_destroy(&p.failed);
}

static void wait_for_alarm(struct cpu *c)
{
    while (!(atomic_fetch_and(&c->requests, ~(u32)CPU_REQ_ALARM) & CPU_REQ_ALARM))
        ;
}

TEST(an_alarm_rings_for_the_earliest_deadline_that_was_asked_for)
{
    struct host_clock clock;
    struct cpu_bus bus = {.clock = &clock.clock};
    struct cpu c = {.bus = &bus};
    host_clock_init(&clock);
    struct alarm *a = alarm_new(&c);
    u64 now = clock_now(&clock.clock), hour = 3600 * NS_PER_SEC;
    c.alarm(c.alarm_opaque, &c, now + hour);
    CHECK_EQ(c.requests, 0);
    c.alarm(c.alarm_opaque, &c, now + 1000000);
    c.alarm(c.alarm_opaque, &c, now + hour); // does not take it back
    c.alarm(c.alarm_opaque, &c, CLOCK_NEVER);
    wait_for_alarm(&c);
    CHECK(clock_now(&clock.clock) >= now + 1000000);
    c.alarm(c.alarm_opaque, &c, now); // is over
    wait_for_alarm(&c);
    alarm_free(a);
    CHECK(c.alarm == NULL);
}

TEST(requests_kick_the_processor)
{
    struct puppet p;
    init(&p, false);
    cpu_request(&p.cpu, CPU_REQ_FLUSH);
    CHECK_EQ(p.n_kicks, 1);
    cpu_set_line(&p.cpu, 2, true);
    cpu_set_line(&p.cpu, 2, true);
    CHECK_EQ(p.n_kicks, 2);
    CHECK_EQ(p.cpu.requests, CPU_REQ_FLUSH | CPU_REQ_IRQ);
    sem_destroy(&p.failed);
}
