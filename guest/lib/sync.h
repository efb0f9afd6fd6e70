// SPDX-License-Identifier: Apache-2.0
// What processors wait for each other with: a lock and a barrier. No fairness, no sleep.
#pragma once

#include "base/types.h"

struct spinlock {
    u32 is_held;
};

static inline void spin_lock(struct spinlock *l)
{
    while (__atomic_exchange_n(&l->is_held, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&l->is_held, __ATOMIC_RELAXED))
            ;
}

static inline void spin_unlock(struct spinlock *l)
{
    __atomic_store_n(&l->is_held, 0, __ATOMIC_RELEASE);
}

// `n` processors meet as often as they like.
struct barrier {
    u32 n, n_arrived, turn;
};

static inline void barrier_wait(struct barrier *b)
{
    u32 turn = __atomic_load_n(&b->turn, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&b->n_arrived, 1, __ATOMIC_SEQ_CST) == b->n) {
        __atomic_store_n(&b->n_arrived, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&b->turn, turn + 1, __ATOMIC_SEQ_CST);
        return;
    }
    while (__atomic_load_n(&b->turn, __ATOMIC_SEQ_CST) == turn)
        ;
}
