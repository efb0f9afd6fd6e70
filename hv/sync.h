// SPDX-License-Identifier: Apache-2.0
// Locks and single words between processors. Interrupts are off in the hypervisor, so a lock is
// never taken twice by accident of an interrupt.
#pragma once

#include "base/types.h"

static inline bool spin_try(u32 *lock)
{
    return !__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE);
}

// For locks that are held for a few instructions only, without calls.
static inline void spin_lock(u32 *lock)
{
    while (!spin_try(lock))
        while (__atomic_load_n(lock, __ATOMIC_RELAXED))
            ;
}

static inline void spin_unlock(u32 *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static inline u32 load_u32(const u32 *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void store_u32(u32 *p, u32 value)
{
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}
