// SPDX-License-Identifier: Apache-2.0
#include "host/block/io_queue.h"
#include "base/test.h"

#include <unistd.h>

struct count {
    struct io_queue q;
    struct clock clock;
    u64 now;
    pthread_mutex_t device_lock;
    _Atomic unsigned n_run;
    unsigned n_done, n_dropped, n_to_resubmit; // device lock
};

struct job {
    struct io_job job;
    struct count *c;
    unsigned us;
};

static void run(struct io_job *j)
{
    struct job *x = container_of(j, struct job, job);
    usleep(x->us);
    x->c->n_run++;
}

// Some come again: a device may submit from `done`.
static void done(struct io_job *j)
{
    struct count *c = container_of(j, struct job, job)->c;
    c->n_done++;
    if (c->n_to_resubmit) {
        c->n_to_resubmit--;
        io_submit(&c->q, j);
    }
}

static void dropped(struct io_job *j)
{
    container_of(j, struct job, job)->c->n_dropped++;
}

static u64 now(void *opaque)
{
    return ((struct count *)opaque)->now;
}

static void start_with(struct count *c, bool is_counted)
{
    memset(c, 0, sizeof(*c));
    c->clock = (struct clock){.now = now, .opaque = c, .is_counted = is_counted};
    pthread_mutex_init(&c->device_lock, NULL);
    io_queue_init(&c->q, &c->device_lock, &c->clock);
}

static void start(struct count *c)
{
    start_with(c, false);
}

static void submit(struct count *c, struct job *jobs, unsigned n, unsigned us)
{
    for (unsigned i = 0; i < n; i++) {
        jobs[i] = (struct job){.job = {run, done, NULL}, .c = c, .us = us};
        io_submit(&c->q, &jobs[i].job);
    }
}

static unsigned wait_done(struct count *c, unsigned n)
{
    unsigned n_done = 0;
    for (int i = 0; i < 5000 && n_done < n; i++) {
        usleep(1000);
        pthread_mutex_lock(&c->device_lock);
        n_done = c->n_done;
        pthread_mutex_unlock(&c->device_lock);
    }
    return n_done;
}

TEST(all_jobs_run_and_complete_once)
{
    struct count c;
    struct job jobs[100];
    start(&c);
    c.n_to_resubmit = 50;
    pthread_mutex_lock(&c.device_lock);
    submit(&c, jobs, 100, 0);
    pthread_mutex_unlock(&c.device_lock);
    CHECK_EQ(wait_done(&c, 150), 150);
    CHECK_EQ(c.n_run, 150);
    CHECK(c.q.n_workers <= IO_MAX_WORKERS);
    io_queue_free(&c.q);
}

TEST(cancel_leaves_the_queue_at_rest)
{
    struct count c;
    struct job jobs[40];
    start(&c);
    for (int round = 0; round < 10; round++) {
        pthread_mutex_lock(&c.device_lock);
        c.n_run = c.n_done = c.n_dropped = 0;
        submit(&c, jobs, 40, 200);
        pthread_mutex_unlock(&c.device_lock);
        usleep(300 * (unsigned)round);
        pthread_mutex_lock(&c.device_lock);
        io_cancel(&c.q, dropped);
        CHECK_EQ(c.n_done + c.n_dropped, 40);
        unsigned n_run = c.n_run;
        pthread_mutex_unlock(&c.device_lock);
        usleep(1000);
        CHECK_EQ(c.n_run, n_run);
    }
    // It works as before.
    pthread_mutex_lock(&c.device_lock);
    c.n_done = 0;
    submit(&c, jobs, 40, 0);
    pthread_mutex_unlock(&c.device_lock);
    CHECK_EQ(wait_done(&c, 40), 40);
    io_queue_free(&c.q);
}

TEST(a_queue_without_jobs_is_freed)
{
    struct count c;
    start(&c);
    io_cancel(&c.q, dropped);
    io_queue_free(&c.q);
}

// Without threads: run at once, done later, in order; what is submitted from `done` as well.
TEST(counted_jobs_run_at_once_and_are_done_at_their_time)
{
    struct count c;
    struct job jobs[3];
    start_with(&c, true);
    c.now = 1000;
    submit(&c, jobs, 2, 0);
    CHECK_EQ(c.n_run, 2);
    CHECK_EQ(c.q.n_workers, 0);
    CHECK_EQ(clock_next_deadline(&c.clock), 1000 + IO_COUNTED_NS);
    clock_fire_due(&c.clock);
    CHECK_EQ(c.n_done, 0);
    c.now += IO_COUNTED_NS;
    clock_fire_due(&c.clock);
    CHECK_EQ(c.n_done, 2);
    CHECK_EQ(clock_next_deadline(&c.clock), CLOCK_NEVER);
    submit(&c, jobs, 3, 0);
    io_cancel(&c.q, dropped);
    CHECK_EQ(c.n_dropped, 3);
    CHECK_EQ(clock_next_deadline(&c.clock), CLOCK_NEVER);
    c.n_to_resubmit = 2;
    submit(&c, jobs, 1, 0);
    c.now += 10 * IO_COUNTED_NS;
    clock_fire_due(&c.clock);
    CHECK_EQ(c.n_done, 5);
    io_queue_free(&c.q);
}
