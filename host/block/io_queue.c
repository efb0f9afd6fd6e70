// SPDX-License-Identifier: Apache-2.0
// A small pool: a worker is made when a job finds none idle, up to a limit.
//
// Lock order: device lock, then the queue's. A worker that finished a job puts it on the list of
// finished jobs first and takes the device lock afterwards, so that io_cancel, which holds the
// device lock, can wait for running jobs without waiting for a worker that waits for the lock.
#include "host/block/io_queue.h"
#include "base/bug.h"

#include <signal.h>

static void list_init(struct io_list *l)
{
    l->first = NULL;
    l->last = &l->first;
}

static void list_add(struct io_list *l, struct io_job *j)
{
    j->next = NULL;
    *l->last = j;
    l->last = &j->next;
}

static struct io_job *list_take(struct io_list *l)
{
    struct io_job *j = l->first;
    if (j && !(l->first = j->next))
        l->last = &l->first;
    return j;
}

static struct io_job *take_finished(struct io_queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct io_job *j = list_take(&q->finished);
    pthread_mutex_unlock(&q->lock);
    return j;
}

// Device lock held. Completions of other workers are taken along.
static void complete(struct io_queue *q)
{
    for (struct io_job *j; (j = take_finished(q));)
        j->done(j);
}

static void complete_counted(void *opaque)
{
    complete(opaque);
}

void io_queue_init(struct io_queue *q, pthread_mutex_t *device_lock, struct clock *clock)
{
    *q = (struct io_queue){.device_lock = device_lock, .counted = clock->is_counted ? clock : NULL,
                          .max_workers = IO_MAX_WORKERS};
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->work, NULL);
    pthread_cond_init(&q->idle, NULL);
    list_init(&q->waiting);
    list_init(&q->finished);
    timer_init(&q->timer, complete_counted, q);
}

// Queue lock held, let go while the job runs.
static void run_one(struct io_queue *q)
{
    struct io_job *j = list_take(&q->waiting);
    q->n_waiting--;
    q->n_running++;
    pthread_mutex_unlock(&q->lock);
    j->run(j);
    pthread_mutex_lock(&q->lock);
    q->n_running--;
    list_add(&q->finished, j);
    pthread_cond_broadcast(&q->idle);
    pthread_mutex_unlock(&q->lock);

    BUG_ON(pthread_mutex_lock(q->device_lock));
    complete(q);
    BUG_ON(pthread_mutex_unlock(q->device_lock));
    pthread_mutex_lock(&q->lock);
}

static void *work(void *opaque)
{
    struct io_queue *q = opaque;
    pthread_mutex_lock(&q->lock);
    while (!q->is_closing) {
        if (q->waiting.first) {
            run_one(q);
            continue;
        }
        q->n_idle++;
        pthread_cond_wait(&q->work, &q->lock);
        q->n_idle--;
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

// Signals are for the threads that know what to do with them.
static void add_worker(struct io_queue *q)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!pthread_create(&q->workers[q->n_workers], NULL, work, q))
        q->n_workers++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    BUG_ON(!q->n_workers);
}

static void run_counted(struct io_queue *q, struct io_job *j)
{
    j->run(j);
    list_add(&q->finished, j);
    if (q->timer.deadline == CLOCK_NEVER)
        timer_arm(q->counted, &q->timer, clock_now(q->counted) + IO_COUNTED_NS);
}

void io_submit(struct io_queue *q, struct io_job *j)
{
    if (q->counted) {
        run_counted(q, j);
        return;
    }
    pthread_mutex_lock(&q->lock);
    list_add(&q->waiting, j);
    if (++q->n_waiting > q->n_idle && q->n_workers < q->max_workers)
        add_worker(q);
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
}

void io_cancel(struct io_queue *q, void (*dropped)(struct io_job *j))
{
    if (q->counted)
        timer_cancel(q->counted, &q->timer);
    pthread_mutex_lock(&q->lock);
    struct io_list all = q->waiting;
    if (!all.first)
        list_init(&all);
    list_init(&q->waiting);
    q->n_waiting = 0;
    while (q->n_running)
        pthread_cond_wait(&q->idle, &q->lock);
    for (struct io_job *j; (j = list_take(&q->finished));)
        list_add(&all, j);
    pthread_mutex_unlock(&q->lock);
    for (struct io_job *j; (j = list_take(&all));)
        dropped(j);
}

void io_queue_free(struct io_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_closing = true;
    pthread_cond_broadcast(&q->work);
    pthread_mutex_unlock(&q->lock);
    for (unsigned i = 0; i < q->n_workers; i++)
        pthread_join(q->workers[i], NULL);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->work);
    pthread_cond_destroy(&q->idle);
}
