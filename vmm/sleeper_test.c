// SPDX-License-Identifier: Apache-2.0
#include "vmm/sleeper.h"
#include "base/clock.h"
#include "base/test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

static u64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

// Has a reason when it was given one, or when its time has come.
struct waiting {
    struct sleeper sleeper;
    _Atomic unsigned n_given;
    unsigned n_taken;
    u64 until;
};

static bool has_reason(void *opaque)
{
    struct waiting *w = opaque;
    return atomic_load(&w->n_given) > w->n_taken || now_ns() >= w->until;
}

static u64 left_ns(void *opaque)
{
    struct waiting *w = opaque;
    u64 now = now_ns();
    return w->until == CLOCK_NEVER ? ~0ULL : w->until > now ? w->until - now : 0;
}

static void wait(struct waiting *w)
{
    sleeper_sleep(&w->sleeper, has_reason, left_ns, w);
    CHECK(has_reason(w));
    CHECK_EQ(w->sleeper.sleeps, 0);
    w->n_taken += atomic_load(&w->n_given) > w->n_taken;
}

static void give(struct waiting *w)
{
    atomic_fetch_add(&w->n_given, 1);
    sleeper_wake(&w->sleeper);
}

TEST(nobody_sleeps_who_has_a_reason)
{
    struct waiting w = {.until = CLOCK_NEVER};
    sleeper_wake(&w.sleeper);
    give(&w);
    wait(&w);
    CHECK_EQ(w.n_taken, 1);
}

TEST(a_sleep_ends_with_its_time)
{
    struct waiting w = {.until = now_ns() + 2000000};
    wait(&w);
    CHECK_EQ(w.sleeper.looks_ns, 0);
}

#define N_ROUNDS 20000

struct players {
    struct waiting here, there;
};

static void *answer(void *opaque)
{
    struct players *p = opaque;
    for (unsigned i = 0; i < N_ROUNDS; i++) {
        wait(&p->there);
        give(&p->here);
    }
    return NULL;
}

// It would hang if a wake was lost.
TEST(two_threads_wake_each_other)
{
    struct players p = {{.until = CLOCK_NEVER}, {.until = CLOCK_NEVER}};
    pthread_t other;
    REQUIRE(!pthread_create(&other, NULL, answer, &p));
    for (unsigned i = 0; i < N_ROUNDS; i++) {
        give(&p.there);
        wait(&p.here);
    }
    pthread_join(other, NULL);
    CHECK_EQ(p.here.n_taken, N_ROUNDS);
}

static struct waiting *rung;

static void ring(int signal)
{
    give(rung);
}

// The wait that a signal interrupts would begin again.
TEST(a_signal_of_the_thread_itself_wakes_it)
{
    struct waiting w = {.until = CLOCK_NEVER};
    struct sigaction act = {.sa_handler = ring, .sa_flags = SA_RESTART}, old;
    rung = &w;
    sigaction(SIGALRM, &act, &old);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_t timer;
    REQUIRE(!timer_create(CLOCK_MONOTONIC, &event, &timer));
    for (unsigned i = 0; i < 50; i++) {
        struct itimerspec soon = {.it_value.tv_nsec = 1 + 20000 * i};
        timer_settime(timer, 0, &soon, NULL);
        wait(&w);
    }
    timer_delete(timer);
    sigaction(SIGALRM, &old, NULL);
    CHECK_EQ(w.n_taken, 50);
}

TEST(who_is_woken_soon_looks_before_it_sleeps)
{
    struct sleeper s = {0};
    sleeper_learn(&s, 20000);
    CHECK(s.looks_ns > 0 && s.looks_ns < SLEEPER_LOOKS_MAX_NS);
    for (unsigned i = 0; i < 10; i++)
        sleeper_learn(&s, SLEEPER_LOOKS_MAX_NS);
    CHECK_EQ(s.looks_ns, SLEEPER_LOOKS_MAX_NS);
    sleeper_learn(&s, SLEEPER_LOOKS_MAX_NS + 1);
    CHECK_EQ(s.looks_ns, 0);
}

TEST(who_is_in_the_way_of_others_rests)
{
    struct sleeper s = {.n_rests = 2};
    sleeper_learn(&s, 20000);
    sleeper_learn(&s, 20000);
    CHECK_EQ(s.looks_ns, 0);
    sleeper_learn(&s, 20000);
    CHECK(s.looks_ns > 0);
}

// Reasons come while it looks, too.
TEST(who_looks_finds_its_reason)
{
    struct waiting w = {0};
    for (unsigned i = 0; i < 100; i++) {
        w.sleeper.looks_ns = SLEEPER_LOOKS_MAX_NS;
        w.until = now_ns() + 20000;
        wait(&w);
    }
}
