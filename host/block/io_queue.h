// SPDX-License-Identifier: Apache-2.0
// Worker threads that run a device's blocking I/O while the machine goes on.
//
//     device (lock held)   io_submit ---------> a worker, without the lock: job->run
//     device (lock held)   job->done <--------- the worker took the lock
//
// Jobs run at the same time and in any order. Where time is counted in instructions there are no
// workers: a job runs within io_submit, with the device lock held, and is done IO_COUNTED_NS later,
// in the order of submission.
#pragma once

#include "base/clock.h"
#include "base/types.h"

#include <pthread.h>

struct io_job {
    void (*run)(struct io_job *j);  // on a worker, no lock
    void (*done)(struct io_job *j); // device lock held; the job belongs to the device again
    struct io_job *next;
};

struct io_list {
    struct io_job *first, **last;
};

#define IO_MAX_WORKERS 4
#define IO_COUNTED_NS  50000

struct io_queue {
    pthread_mutex_t *device_lock; // borrowed
    pthread_mutex_t lock;         // protects what follows; taken inside of the device lock
    pthread_cond_t work, idle;
    struct io_list waiting, finished;
    unsigned n_waiting, n_running, n_workers, n_idle;
    unsigned max_workers; // with one, jobs are done in the order of submission
    bool is_closing;
    pthread_t workers[IO_MAX_WORKERS];
    struct clock *counted; // NULL: workers run the jobs
    struct timer timer;    // when the finished jobs are done
};

// Threads start when there is work for them. The clock, the machine's, is borrowed.
void io_queue_init(struct io_queue *q, pthread_mutex_t *device_lock, struct clock *clock);
// Ends the threads. Nothing is submitted any more, and io_cancel was called. The device lock is not
// held.
void io_queue_free(struct io_queue *q);

// The rest: device lock held.
void io_submit(struct io_queue *q, struct io_job *j);

// Jobs that have not started never run; waits for those that have. All that were not done yet are
// given to `dropped` instead; afterwards the queue is empty and at rest.
void io_cancel(struct io_queue *q, void (*dropped)(struct io_job *j));
