// SPDX-License-Identifier: Apache-2.0
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

static void set_timer(struct rig *r, u64 tcfg)
{
    la_csr_write(r->c, CSR_TCFG, tcfg, ~0ULL);
}

static bool is_pending(struct rig *r)
{
    la_timer_poll(r->c);
    return la_csr_read(r->c, CSR_ESTAT) >> LINE_TI & 1;
}

TEST(one_shot_counts_down_fires_once_and_reads_all_ones)
{
    struct rig r;
    rig_init(&r, "la464");
    set_timer(&r, 1000 | TCFG_EN);
    CHECK_EQ(la_csr_read(r.c, CSR_TVAL), 1000);
    r.now_ns += 400 * 10;
    CHECK_EQ(la_csr_read(r.c, CSR_TVAL), 600);
    CHECK(!is_pending(&r));
    r.now_ns += 600 * 10;
    CHECK(is_pending(&r));
    CHECK_EQ(la_csr_read(r.c, CSR_TVAL), ~0ULL);
    la_csr_write(r.c, CSR_TICLR, 1, 1);
    r.now_ns += 1000000;
    CHECK(!is_pending(&r));
    CHECK_EQ(la_csr_read(r.c, CSR_TVAL), ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_TCFG) & TCFG_EN, TCFG_EN);
    rig_free(&r);
}

struct alarms {
    unsigned n;
    u64 last;
};

static void note_alarm(void *opaque, struct cpu *c, u64 deadline_ns)
{
    struct alarms *a = opaque;
    a->n++;
    a->last = deadline_ns;
}

// However short its period: until the latch is cleared nothing can be seen of it.
TEST(a_latched_timer_asks_for_no_alarm)
{
    struct rig r;
    struct alarms a = {0};
    rig_init(&r, "max");
    r.c->cpu.alarm = note_alarm;
    r.c->cpu.alarm_opaque = &a;
    la_gcsr_write(r.c, CSR_TCFG, 8 | TCFG_EN | TCFG_PERIODIC, ~0ULL);
    CHECK_EQ(a.last, 80);
    r.now_ns = 85;
    la_timer_poll(r.c);
    CHECK_EQ(a.last, CLOCK_NEVER);
    a.n = 0;
    for (unsigned i = 0; i < 100; i++) {
        r.now_ns += 80;
        la_timer_poll(r.c);
    }
    CHECK_EQ(a.n, 0);
    r.now_ns = 80 * 200 + 30;
    CHECK_EQ(la_gcsr_read(r.c, CSR_TVAL), 5); // it goes on counting
    la_gcsr_write(r.c, CSR_TICLR, 1, ~0ULL);
    CHECK(!r.c->guest.timer.fired);
    CHECK_EQ(a.last, 80 * 201);
    r.now_ns = 80 * 201;
    la_timer_poll(r.c);
    CHECK(r.c->guest.timer.fired);
    la_gcsr_write(r.c, CSR_ESTAT, 0, BIT(LINE_TI));
    CHECK_EQ(a.last, 80 * 202);
    rig_free(&r);
}

// A period shorter than a look at it would keep the processor from ever executing anything.
TEST(a_latched_timer_makes_no_more_requests)
{
    struct rig r;
    enum cpu_exit why;
    rig_init(&r, "max");
    la_gcsr_write(r.c, CSR_TCFG, 4 | TCFG_EN | TCFG_PERIODIC, ~0ULL);
    r.now_ns += 40;
    la_timer_poll(r.c);
    CHECK(r.c->cpu.requests != 0);
    r.now_ns += 40;
    CHECK(la_serve_requests(r.c, &why));
    CHECK_EQ(r.c->cpu.requests, 0);
    rig_free(&r);
}

// One alarm is left to ring for an earlier deadline than the present one.
TEST(an_alarm_that_rang_is_set_again)
{
    struct rig r;
    enum cpu_exit why;
    struct alarms a = {0};
    rig_init(&r, "max");
    la_gcsr_write(r.c, CSR_TCFG, 1000 | TCFG_EN, ~0ULL);
    r.c->cpu.alarm = note_alarm;
    r.c->cpu.alarm_opaque = &a;
    CHECK(la_serve_requests(r.c, &why));
    CHECK_EQ(a.n, 0);
    cpu_request(&r.c->cpu, CPU_REQ_ALARM);
    CHECK(la_serve_requests(r.c, &why));
    CHECK_EQ(a.n, 1);
    CHECK_EQ(a.last, 10000);
    rig_free(&r);
}

TEST(periodic_keeps_its_beat)
{
    struct rig r;
    rig_init(&r, "la464");
    set_timer(&r, 1000 | TCFG_EN | TCFG_PERIODIC);
    r.now_ns += 3500 * 10; // three beats late
    CHECK(is_pending(&r));
    la_csr_write(r.c, CSR_TICLR, 1, 1);
    CHECK(!is_pending(&r));
    CHECK_EQ(la_csr_read(r.c, CSR_TVAL), 500);
    r.now_ns += 500 * 10;
    CHECK(is_pending(&r));
    rig_free(&r);
}

TEST(switched_off_it_stands_still)
{
    struct rig r;
    rig_init(&r, "la464");
    set_timer(&r, 1000 | TCFG_EN);
    r.now_ns += 300 * 10;
    set_timer(&r, 1000);
    r.now_ns += 3000 * 10;
    CHECK(!is_pending(&r));
    CHECK_EQ(la_csr_read(r.c, CSR_TVAL), 700);
    rig_free(&r);
}

TEST(zero_fires_at_once)
{
    struct rig r;
    rig_init(&r, "la464");
    set_timer(&r, TCFG_EN);
    CHECK(is_pending(&r));
    rig_free(&r);
}

TEST(the_timer_wakes_idle_at_its_deadline)
{
    struct rig r;
    rig_init(&r, "la464");
    r.c->csr[CSR_ECFG] = 1 << LINE_TI;
    set_timer(&r, 1000 | TCFG_EN);
    rig_program(&r, "idle 0;nop");
    CHECK_EQ(cpu_run(&r.c->cpu, 100), CPU_EXIT_IDLE);
    CHECK_EQ(cpu_idle_deadline(&r.c->cpu), 1000 * 10);
    r.now_ns = 1000 * 10;
    CHECK(cpu_can_wake(&r.c->cpu));
    la_csr_write(r.c, CSR_ECFG, 0, ~0ULL);
    CHECK_EQ(cpu_idle_deadline(&r.c->cpu), CLOCK_NEVER);
    rig_free(&r);
}

TEST(the_counter_starts_at_reset_and_takes_the_offset)
{
    struct rig r;
    rig_init(&r, "la464");
    r.now_ns += 12340;
    rig_run(&r, "rdtime.d $a0, $a1");
    CHECK_EQ(r.c->gpr[4], 1234);
    la_csr_write(r.c, CSR_CNTC, (u64)-1000, ~0ULL);
    rig_run(&r, "rdtime.d $a0, $a1");
    CHECK_EQ(r.c->gpr[4], 234);
    r.bus.reset_ns = r.now_ns; // as the machine does
    cpu_reset(&r.c->cpu);
    CHECK_EQ(la_counter(r.c), 0);
    rig_free(&r);
}

TEST(counters_of_all_processors_agree)
{
    struct rig r;
    rig_init(&r, "la464");
    r.now_ns += 70000; // the second processor is reset later than the first
    struct la_cpu *second = la_cpu_new(r.c->model, &r.bus, 1);
    CHECK_EQ(la_counter(r.c), 7000);
    CHECK_EQ(la_counter(second), 7000);
    la_cpu_free(second);
    rig_free(&r);
}
