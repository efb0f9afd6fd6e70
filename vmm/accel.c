// SPDX-License-Identifier: Apache-2.0
// A vCPU thread runs its processor until it idles or is told to stop. An idle one sleeps until
// whoever sets a request wakes it (sleeper.h); one that is told to stop waits on its own condition.
#include "vmm/accel.h"
#include "vmm/alarm.h"
#include "vmm/sleeper.h"
#include "base/bug.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdatomic.h>

enum wish { WISH_PAUSE, WISH_RUN, WISH_END };

struct accel;

struct vcpu {
    struct accel *accel;
    struct cpu *cpu;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; // wish or is_parked
    _Atomic enum wish wish; // written with the lock held
    bool is_parked;
    struct sleeper sleeper;
};

struct accel {
    void (*failed)(void *opaque, struct cpu *c);
    void *opaque;
    unsigned n;
    struct vcpu vcpus[];
};

static void wake(void *opaque, struct cpu *c)
{
    struct vcpu *v = opaque;
    sleeper_wake(&v->sleeper);
}

static bool has_reason(void *opaque)
{
    struct vcpu *v = opaque;
    return atomic_load_explicit(&v->wish, memory_order_seq_cst) != WISH_RUN ||
           atomic_load_explicit(&v->cpu->requests, memory_order_seq_cst) || cpu_can_wake(v->cpu);
}

// To the processor's own timer, also where an alarm rings then: its signal may come late, as it does
// under a sanitizer that keeps signals until it is called.
static u64 left_ns(void *opaque)
{
    struct vcpu *v = opaque;
    u64 deadline = cpu_idle_deadline(v->cpu);
    if (deadline == CLOCK_NEVER)
        return ~0ULL;
    u64 now = clock_now(v->cpu->bus->clock);
    return deadline > now ? deadline - now : 0;
}

// Waits while the wish is to pause. False: end.
static bool park(struct vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    while (v->wish == WISH_PAUSE) {
        v->is_parked = true;
        pthread_cond_broadcast(&v->changed);
        pthread_cond_wait(&v->changed, &v->lock);
    }
    v->is_parked = false;
    bool goes_on = v->wish == WISH_RUN;
    pthread_mutex_unlock(&v->lock);
    return goes_on;
}

// A processor that cannot go on waits until nobody wants it to.
static void give_up(struct vcpu *v)
{
    if (v->accel->failed)
        v->accel->failed(v->accel->opaque, v->cpu);
    pthread_mutex_lock(&v->lock);
    while (v->wish == WISH_RUN)
        pthread_cond_wait(&v->changed, &v->lock);
    pthread_mutex_unlock(&v->lock);
}

static void *vcpu_thread(void *opaque)
{
    struct vcpu *v = opaque;
    struct alarm *alarm = v->cpu->needs_alarm ? alarm_new(v->cpu) : NULL;
    while (park(v)) {
        enum cpu_exit why = CPU_EXIT_BUDGET;
        while (why != CPU_EXIT_STOP && why != CPU_EXIT_FAILED) {
            why = cpu_run(v->cpu, ~0ULL >> 1);
            if (why == CPU_EXIT_IDLE)
                sleeper_sleep(&v->sleeper, has_reason, left_ns, v);
        }
        if (why == CPU_EXIT_FAILED)
            give_up(v);
    }
    alarm_free(alarm);
    return NULL;
}

static void start_vcpu(struct accel *a, struct cpu *cpu, unsigned index)
{
    struct vcpu *v = &a->vcpus[index];
    v->accel = a;
    v->cpu = cpu;
    v->wish = WISH_PAUSE;
    cpu->wake = wake;
    cpu->wake_opaque = v;
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->changed, NULL);
    BUG_ON(pthread_create(&v->thread, NULL, vcpu_thread, v));
    char name[16];
    snprintf(name, sizeof(name), "vcpu%u", index);
    pthread_setname_np(v->thread, name);
}

struct accel *accel_new(struct cpu *const *cpus, unsigned n,
                        void (*failed)(void *opaque, struct cpu *c), void *opaque)
{
    struct accel *a = calloc(1, sizeof(*a) + n * sizeof(a->vcpus[0]));
    BUG_ON(!a);
    a->n = n;
    a->failed = failed;
    a->opaque = opaque;
    for (unsigned i = 0; i < n; i++)
        start_vcpu(a, cpus[i], i);
    accel_pause(a);
    return a;
}

static void set_wish(struct vcpu *v, enum wish wish)
{
    pthread_mutex_lock(&v->lock);
    atomic_store_explicit(&v->wish, wish, memory_order_seq_cst);
    pthread_cond_broadcast(&v->changed);
    pthread_mutex_unlock(&v->lock);
    sleeper_wake(&v->sleeper);
}

void accel_resume(struct accel *a)
{
    for (unsigned i = 0; i < a->n; i++) {
        // A request to stop that nobody has seen yet would stop it at once.
        atomic_fetch_and_explicit(&a->vcpus[i].cpu->requests, ~(u32)CPU_REQ_STOP,
                                  memory_order_seq_cst);
        set_wish(&a->vcpus[i], WISH_RUN);
    }
}

static void wait_parked(struct vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    while (!v->is_parked)
        pthread_cond_wait(&v->changed, &v->lock);
    pthread_mutex_unlock(&v->lock);
}

void accel_pause(struct accel *a)
{
    for (unsigned i = 0; i < a->n; i++) {
        set_wish(&a->vcpus[i], WISH_PAUSE);
        cpu_request(a->vcpus[i].cpu, CPU_REQ_STOP);
    }
    for (unsigned i = 0; i < a->n; i++)
        wait_parked(&a->vcpus[i]);
}

static void end_vcpu(struct vcpu *v)
{
    set_wish(v, WISH_END);
    pthread_join(v->thread, NULL);
    v->cpu->wake = NULL;
    pthread_cond_destroy(&v->changed);
    pthread_mutex_destroy(&v->lock);
}

void accel_free(struct accel *a)
{
    if (!a)
        return;
    accel_pause(a);
    for (unsigned i = 0; i < a->n; i++)
        end_vcpu(&a->vcpus[i]);
    free(a);
}
