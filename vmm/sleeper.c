// SPDX-License-Identifier: Apache-2.0
#include "vmm/sleeper.h"
#include "base/clock.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOKS_MIN_NS   8000
#define OFFERS_EACH_NS 10000 // between two offers of the processor to others
#define IS_TAKEN_NS    200000
#define N_RESTS        4000 // short sleeps after that, before it looks again

void sleeper_wake(struct sleeper *s)
{
    if (!atomic_load_explicit(&s->sleeps, memory_order_seq_cst))
        return;
    if (atomic_exchange_explicit(&s->sleeps, 0, memory_order_seq_cst))
        syscall(SYS_futex, &s->sleeps, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

// Until somebody wakes, a signal comes, or the time is over.
static void lie_down(struct sleeper *s, u64 ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / NS_PER_SEC), .tv_nsec = (long)(ns % NS_PER_SEC)};
    syscall(SYS_futex, &s->sleeps, FUTEX_WAIT_PRIVATE, 1, ns == ~0ULL ? NULL : &t, NULL, 0);
}

static u64 host_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

// True: somebody took it who needs it for long, not just to pass something on.
static bool offer_processor(u64 before)
{
    sched_yield();
    return host_ns() - before > IS_TAKEN_NS;
}

// True: there is a reason.
static bool look(struct sleeper *s, bool (*has_reason)(void *opaque), void *opaque, u64 began)
{
    u64 next_offer = began + OFFERS_EACH_NS;
    for (u64 now = began; now < began + s->looks_ns; now = host_ns()) {
        if (has_reason(opaque))
            return true;
        if (now < next_offer)
            continue;
        if (offer_processor(now)) {
            s->looks_ns = 0;
            s->n_rests = N_RESTS;
            break;
        }
        next_offer = now + OFFERS_EACH_NS;
    }
    return has_reason(opaque);
}

static void lie_until(struct sleeper *s, bool (*has_reason)(void *opaque),
                      u64 (*left_ns)(void *opaque), void *opaque)
{
    for (;;) {
        atomic_store_explicit(&s->sleeps, 1, memory_order_seq_cst);
        if (has_reason(opaque))
            break;
        lie_down(s, left_ns(opaque));
    }
    atomic_store_explicit(&s->sleeps, 0, memory_order_seq_cst);
}

// Who was woken soon would have done better to look.
void sleeper_learn(struct sleeper *s, u64 slept_ns)
{
    if (slept_ns > SLEEPER_LOOKS_MAX_NS)
        s->looks_ns = 0;
    else if (s->n_rests)
        s->n_rests--;
    else if (s->looks_ns < SLEEPER_LOOKS_MAX_NS / 2)
        s->looks_ns = s->looks_ns ? 2 * s->looks_ns : LOOKS_MIN_NS;
    else
        s->looks_ns = SLEEPER_LOOKS_MAX_NS;
}

void sleeper_sleep(struct sleeper *s, bool (*has_reason)(void *opaque),
                   u64 (*left_ns)(void *opaque), void *opaque)
{
    u64 began = host_ns();
    if (s->looks_ns && look(s, has_reason, opaque, began))
        return;
    lie_until(s, has_reason, left_ns, opaque);
    sleeper_learn(s, host_ns() - began);
}
