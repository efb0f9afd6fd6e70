// SPDX-License-Identifier: Apache-2.0
// Two threads beside one: each of two does what the one does, so that on two processors both take
// the same time. The table of ratios divides them.
#include "bench/micro/workload.h"

#include <pthread.h>

struct share {
    u64 table[1024], random, sum;
};

// Loads, stores and arithmetic in a memory of its own.
static void *work(void *at)
{
    struct share *s = at;
    u64 sum = 0;
    for (u32 i = 0; i < 1024; i++)
        s->table[i] = i;
    for (u32 i = 0; i < 400000; i++) {
        u64 r = next_random(&s->random);
        sum += s->table[r & 1023] ^ r;
        s->table[r >> 20 & 1023] = sum;
    }
    s->sum = sum;
    return NULL;
}

static u64 run_threads(struct share *shares, unsigned n)
{
    pthread_t threads[2];
    u64 sum = 0;
    for (unsigned i = 0; i < n; i++) {
        shares[i].random = 73;
        if (pthread_create(&threads[i], NULL, work, &shares[i]))
            return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        sum = mix_in(sum, shares[i].sum);
    }
    return sum;
}

void *pair_setup(void)
{
    return get_memory(2 * sizeof(struct share));
}

u64 one_thread_run(void *state)
{
    return run_threads(state, 1);
}

u64 two_threads_run(void *state)
{
    return run_threads(state, 2);
}

static void *count_up(void *at)
{
    for (u32 i = 0; i < 50000; i++)
        __atomic_fetch_add((u64 *)at, i, __ATOMIC_SEQ_CST);
    return NULL;
}

// Both add to one number.
u64 contended_run(void *state)
{
    pthread_t other;
    u64 total = 0;
    if (pthread_create(&other, NULL, count_up, &total))
        return 0;
    count_up(&total);
    pthread_join(other, NULL);
    return total;
}
