// SPDX-License-Identifier: Apache-2.0
#include "host/loop.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static u64 host_now(void *opaque)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (u64)ts.tv_sec * NS_PER_SEC + (u64)ts.tv_nsec;
}

struct seen {
    struct loop *loop;
    struct loop_fd f;
    int pipe[2];
    unsigned n, events;
    struct seen *removes; // what the callback removes
    pthread_mutex_t *lock;
    bool was_locked;
};

static void on_ready(void *opaque, unsigned events)
{
    struct seen *s = opaque;
    s->n++;
    s->events = events;
    if (s->lock)
        s->was_locked = pthread_mutex_trylock(s->lock) == EBUSY;
    if (s->removes)
        loop_remove(s->loop, &s->removes->f);
}

static void seen_open(struct seen *s, struct loop *l, int end)
{
    s->loop = l;
    CHECK(!pipe2(s->pipe, O_CLOEXEC | O_NONBLOCK));
    s->f = (struct loop_fd){.fd = s->pipe[end], .ready = on_ready, .opaque = s};
}

static void seen_close(struct seen *s)
{
    loop_remove(s->loop, &s->f);
    close(s->pipe[0]);
    close(s->pipe[1]);
}

TEST(readable_and_writable_are_told_as_wanted)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    struct seen in = {0}, out = {0};
    seen_open(&in, &l, 0);
    seen_open(&out, &l, 1);
    CHECK_EQ(loop_add(&l, &in.f, LOOP_READ), 0);
    CHECK_EQ(loop_add(&l, &out.f, 0), 0);
    loop_run(&l, 0);
    CHECK_EQ(in.n, 0);
    CHECK_EQ(out.n, 0);
    CHECK_EQ(write(in.pipe[1], "x", 1), 1);
    loop_want(&l, &out.f, LOOP_WRITE);
    loop_run(&l, NS_PER_SEC);
    CHECK_EQ(in.n, 1);
    CHECK_EQ(in.events, LOOP_READ);
    CHECK_EQ(out.n, 1);
    CHECK_EQ(out.events, LOOP_WRITE);
    loop_want(&l, &in.f, 0);
    loop_want(&l, &out.f, 0);
    loop_run(&l, 0);
    CHECK_EQ(in.n + out.n, 2);
    seen_close(&in);
    seen_close(&out);
    loop_free(&l);
}

TEST(a_hang_up_is_told_only_while_something_is_wanted)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    struct seen in = {0};
    seen_open(&in, &l, 0);
    loop_add(&l, &in.f, 0);
    close(in.pipe[1]);
    loop_run(&l, 0);
    CHECK_EQ(in.n, 0);
    loop_want(&l, &in.f, LOOP_READ);
    loop_run(&l, NS_PER_SEC);
    CHECK_EQ(in.n, 1);
    CHECK_EQ(in.events, LOOP_READ);
    loop_remove(&l, &in.f);
    close(in.pipe[0]);
    loop_free(&l);
}

TEST(a_callback_may_remove_another_ready_descriptor)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    struct seen a = {0}, b = {0};
    seen_open(&a, &l, 0);
    seen_open(&b, &l, 0);
    a.removes = &b;
    b.removes = &a;
    loop_add(&l, &a.f, LOOP_READ);
    loop_add(&l, &b.f, LOOP_READ);
    CHECK_EQ(write(a.pipe[1], "x", 1), 1);
    CHECK_EQ(write(b.pipe[1], "x", 1), 1);
    loop_run(&l, NS_PER_SEC);
    CHECK_EQ(a.n + b.n, 1);
    seen_close(&a);
    seen_close(&b);
    loop_free(&l);
}

// The callback removes one and adds another in its slot: what was ready for the old is not told to
// the new.
static void replace(void *opaque, unsigned events)
{
    struct seen *s = opaque;
    s->n++;
    if (s->removes->f.is_added && s->removes->n == 0) {
        loop_remove(s->loop, &s->removes->f);
        loop_add(s->loop, &s->removes[1].f, LOOP_READ);
    }
}

TEST(a_reused_slot_does_not_inherit_events)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    struct seen s[4] = {0};
    for (int i = 0; i < 4; i++)
        seen_open(&s[i], &l, 0);
    s[0].f.ready = replace;
    s[0].removes = &s[1];
    loop_add(&l, &s[0].f, LOOP_READ);
    loop_add(&l, &s[1].f, LOOP_READ);
    unsigned slot = s[1].f.slot;
    CHECK_EQ(write(s[0].pipe[1], "x", 1), 1);
    CHECK_EQ(write(s[1].pipe[1], "x", 1), 1);
    loop_run(&l, NS_PER_SEC);
    CHECK_EQ(s[1].n, 0);
    CHECK(s[2].f.is_added);
    CHECK_EQ(s[2].f.slot, slot);
    CHECK_EQ(s[2].n, 0);
    for (int i = 0; i < 4; i++)
        seen_close(&s[i]);
    loop_free(&l);
}

TEST(what_cannot_be_polled_is_always_ready)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    struct seen s = {.loop = &l};
    s.f = (struct loop_fd){
        .fd = open("/dev/null", O_RDWR | O_CLOEXEC), .ready = on_ready, .opaque = &s};
    CHECK_EQ(loop_add(&l, &s.f, LOOP_READ), 0);
    loop_run(&l, NS_PER_SEC);
    CHECK_EQ(s.n, 1);
    loop_want(&l, &s.f, 0);
    loop_run(&l, 0);
    CHECK_EQ(s.n, 1);
    CHECK_EQ(l.n_unpolled, 0);
    loop_remove(&l, &s.f);
    close(s.f.fd);
    s.f.fd = 12345;
    CHECK_EQ(loop_add(&l, &s.f, LOOP_READ), (u64)-EBADF);
    CHECK(!s.f.is_added);
    loop_free(&l);
}

TEST(many_descriptors)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    struct seen s[100] = {0};
    for (int i = 0; i < 100; i++) {
        seen_open(&s[i], &l, 0);
        loop_add(&l, &s[i].f, LOOP_READ);
        CHECK_EQ(write(s[i].pipe[1], "x", 1), 1);
    }
    for (int i = 0; i < 10; i++)
        loop_run(&l, 0);
    for (int i = 0; i < 100; i++) {
        CHECK(s[i].n > 0);
        seen_close(&s[i]);
    }
    loop_free(&l);
}

struct timed {
    struct timer t;
    unsigned n;
    pthread_mutex_t *lock;
    bool was_locked;
};

static void on_timer(void *opaque)
{
    struct timed *t = opaque;
    t->n++;
    t->was_locked = pthread_mutex_trylock(t->lock) == EBUSY;
}

TEST(callbacks_and_timers_run_with_the_lock_held)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct clock clock = {.now = host_now};
    struct seen s = {.lock = &lock};
    seen_open(&s, &l, 1);
    loop_add(&l, &s.f, LOOP_WRITE);
    loop_bind(&l, &lock, &clock);
    struct timed t = {.lock = &lock};
    timer_init(&t.t, on_timer, &t);
    timer_arm(&clock, &t.t, clock_now(&clock));
    loop_run(&l, NS_PER_SEC);
    CHECK(s.was_locked);
    CHECK_EQ(t.n, 1);
    CHECK(t.was_locked);
    CHECK_EQ(pthread_mutex_trylock(&lock), 0);
    seen_close(&s);
    loop_free(&l);
}

TEST(the_loop_sleeps_until_the_next_deadline)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct clock clock = {.now = host_now};
    loop_bind(&l, &lock, &clock);
    struct timed t = {.lock = &lock};
    timer_init(&t.t, on_timer, &t);
    u64 start = clock_now(&clock);
    timer_arm(&clock, &t.t, start + 5000000);
    while (!t.n && clock_now(&clock) < start + 10 * NS_PER_SEC)
        loop_run(&l, 20 * NS_PER_SEC);
    u64 took = clock_now(&clock) - start;
    CHECK_EQ(t.n, 1);
    CHECK(took >= 5000000);
    CHECK(took < 5 * NS_PER_SEC);
    loop_free(&l);
}

struct other {
    struct loop *loop;
    struct clock *clock;
    struct timer *timer;
    struct loop_event *event;
    pthread_mutex_t *lock;
};

static void tell_loop(void *opaque)
{
    loop_rearm(((struct other *)opaque)->loop);
}

static void *arm_from_elsewhere(void *opaque)
{
    struct other *o = opaque;
    usleep(20000);
    pthread_mutex_lock(o->lock);
    timer_arm(o->clock, o->timer, host_now(NULL) + 1000000);
    pthread_mutex_unlock(o->lock);
    return NULL;
}

TEST(a_timer_armed_by_another_thread_shortens_the_sleep)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct timed t = {.lock = &lock};
    timer_init(&t.t, on_timer, &t);
    struct other o = {.loop = &l, .lock = &lock, .timer = &t.t};
    struct clock clock = {.now = host_now, .rearm = tell_loop, .opaque = &o};
    o.clock = &clock;
    loop_bind(&l, &lock, &clock);
    u64 start = host_now(NULL);
    pthread_t thread;
    REQUIRE(!pthread_create(&thread, NULL, arm_from_elsewhere, &o));
    for (int i = 0; i < 3 && !t.n; i++)
        loop_run(&l, 20 * NS_PER_SEC);
    CHECK_EQ(t.n, 1);
    CHECK(host_now(NULL) - start < 10 * NS_PER_SEC);
    pthread_join(thread, NULL);
    loop_free(&l);
}

static void count(void *opaque)
{
    ++*(unsigned *)opaque;
}

static void *signal_from_elsewhere(void *opaque)
{
    struct other *o = opaque;
    usleep(20000);
    loop_event_signal(o->event);
    return NULL;
}

TEST(events_of_other_threads_wake_and_merge)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    unsigned n = 0;
    struct loop_event ev = {0};
    loop_event_add(&l, &ev, count, &n);
    struct other o = {.loop = &l, .event = &ev};
    u64 start = host_now(NULL);
    pthread_t thread;
    REQUIRE(!pthread_create(&thread, NULL, signal_from_elsewhere, &o));
    loop_run(&l, 20 * NS_PER_SEC);
    pthread_join(thread, NULL);
    CHECK_EQ(n, 1);
    CHECK(host_now(NULL) - start < 10 * NS_PER_SEC);
    loop_event_signal(&ev);
    loop_event_signal(&ev);
    loop_run(&l, 0);
    loop_run(&l, 0);
    CHECK_EQ(n, 2);
    loop_wake(&l);
    loop_run(&l, 20 * NS_PER_SEC);
    CHECK_EQ(n, 2);
    loop_event_remove(&ev);
    loop_event_remove(&ev);
    loop_free(&l);
}

struct pair {
    struct loop_event a, b;
    unsigned n;
};

static void remove_both(void *opaque)
{
    struct pair *p = opaque;
    p->n++;
    loop_event_remove(&p->a);
    loop_event_remove(&p->b);
}

TEST(an_event_may_remove_others)
{
    struct err e = {0};
    struct loop l;
    REQUIRE(loop_init(&l, &e));
    struct pair p = {0};
    loop_event_add(&l, &p.a, remove_both, &p);
    loop_event_add(&l, &p.b, remove_both, &p);
    loop_event_signal(&p.a);
    loop_event_signal(&p.b);
    loop_run(&l, 0);
    CHECK_EQ(p.n, 1);
    CHECK(!l.events);
    loop_free(&l);
}
