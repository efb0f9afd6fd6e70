// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/log.h"
#include "base/test.h"

static u64 now_of(void *opaque)
{
    return *(u64 *)opaque;
}

static void count(void *opaque)
{
    (*(int *)opaque)++;
}

TEST(timers_fire_in_order_and_once)
{
    u64 now = 0;
    int n_early = 0, n_late = 0;
    struct clock c = {.now = now_of, .opaque = &now};
    struct timer early, late;
    timer_init(&early, count, &n_early);
    timer_init(&late, count, &n_late);
    timer_arm(&c, &late, 200);
    timer_arm(&c, &early, 100);
    CHECK_EQ(clock_next_deadline(&c), 100);
    now = 150;
    clock_fire_due(&c);
    clock_fire_due(&c);
    CHECK_EQ(n_early, 1);
    CHECK_EQ(n_late, 0);
    timer_arm(&c, &late, 500);
    now = 300;
    clock_fire_due(&c);
    CHECK_EQ(n_late, 0);
    timer_cancel(&c, &late);
    CHECK_EQ(clock_next_deadline(&c), CLOCK_NEVER);
}

struct again {
    struct clock *c;
    struct timer t;
    int n;
};

static void arm_in_the_past(void *opaque)
{
    struct again *a = opaque;
    a->n++;
    timer_arm(a->c, &a->t, 0);
}

TEST(a_timer_that_arms_itself_in_the_past_does_not_hang)
{
    u64 now = 10;
    struct clock c = {.now = now_of, .opaque = &now};
    struct again a = {.c = &c};
    timer_init(&a.t, arm_in_the_past, &a);
    timer_arm(&c, &a.t, 5);
    clock_fire_due(&c);
    CHECK_EQ(a.n, 1);
    clock_fire_due(&c);
    CHECK_EQ(a.n, 2);
}

static void count_line(void *opaque, const char *line)
{
    (*(int *)opaque)++;
    CHECK(strchr(line, '\n') == NULL);
}

TEST(a_guest_cannot_flood_the_log)
{
    int n = 0;
    struct log l = {.sink = count_line, .opaque = &n, .enabled = 1u << LOG_GUEST};
    for (int i = 0; i < 5000; i++)
        log_guest(&l, "bad %d", i);
    CHECK_EQ(n, LOG_GUEST_LIMIT);
    CHECK_EQ(l.n_guest, 5000);
    CHECK_EQ(log_class_find("in_asm"), LOG_IN_ASM);
    CHECK_EQ(log_class_find("nothing"), (u64)-1);
}
