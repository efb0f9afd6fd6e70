// SPDX-License-Identifier: Apache-2.0
#include "hv/cpu.h"
#include "hv/arch.h"
#include "hv/cell.h"
#include "hv/log.h"
#include "hv/sync.h"

#define FLUSH_LIMIT_MS 2000

void cpu_request(struct cpu *target, u32 requests)
{
    __atomic_fetch_or(&target->pending, requests, __ATOMIC_SEQ_CST);
    arch_cpu_kick(target->id);
}

static void serve_flush(struct cpu *cpu)
{
    if (!(__atomic_fetch_and(&cpu->pending, ~(u32)REQUEST_FLUSH, __ATOMIC_SEQ_CST) & REQUEST_FLUSH))
        return;
    u64 wanted = __atomic_load_n(&cpu->n_flushes_wanted, __ATOMIC_SEQ_CST);
    struct vcpu *v = __atomic_load_n(&cpu->vcpu, __ATOMIC_ACQUIRE);
    if (v)
        arch_stage2_flush((u32)(v->cell - v->cell->hv->cell) + 1);
    __atomic_store_n(&cpu->n_flushes, wanted, __ATOMIC_SEQ_CST);
}

void cpu_serve(struct cpu *cpu)
{
    serve_flush(cpu);
    u32 requests = __atomic_fetch_and(&cpu->pending, REQUEST_FLUSH, __ATOMIC_SEQ_CST);
    if (requests & REQUEST_FREEZE) {
        store_u32(&cpu->state, CPU_FROZEN);
        arch_cpu_halt();
    }
    serve_flush(cpu);
    if (requests & REQUEST_STOP)
        cpu->is_stopping = true;
    if (requests & REQUEST_INJECT && cpu->state == CPU_RUNNING)
        arch_virq_update(cpu->vcpu);
}

// From VCPU_STARTING, unless somebody stops it or the cell has ended meanwhile.
static void start_vcpu(struct cpu *cpu, struct vcpu *v)
{
    u32 starting = VCPU_STARTING;
    if (!__atomic_compare_exchange_n(&v->state, &starting, VCPU_RUNNING, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    if (load_u32(&v->cell->ending)) {
        store_u32(&v->state, VCPU_OFF);
        cell_cpu_left(v->cell);
        return;
    }
    store_u32(&cpu->state, CPU_RUNNING);
    arch_vcpu_reset(v);
    arch_virq_update(v);
    arch_vcpu_enter(cpu);
}

void cpu_park(struct cpu *cpu)
{
    struct vcpu *v = __atomic_load_n(&cpu->vcpu, __ATOMIC_ACQUIRE);
    store_u32(&cpu->state, CPU_PARKED);
    if (v)
        cell_cpu_left(v->cell);
    for (;;) {
        cpu_serve(cpu);
        cpu->is_stopping = false;
        v = __atomic_load_n(&cpu->vcpu, __ATOMIC_ACQUIRE);
        if (v)
            start_vcpu(cpu, v);
        arch_cpu_wait(cpu);
    }
}

void cpu_stop(struct cpu *cpu)
{
    arch_vcpu_save(cpu->vcpu);
    store_u32(&cpu->vcpu->state, VCPU_OFF);
    arch_cpu_abandon(cpu, cpu_park);
}

void cpu_end_exit(struct cpu *cpu)
{
    if (unlikely(__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED)))
        cpu_serve(cpu);
    if (unlikely(cpu->is_stopping))
        cpu_stop(cpu);
}

void hv_lock(struct cpu *cpu)
{
    while (!spin_try(&cpu->hv->lock)) {
        serve_flush(cpu);
        if (load_u32(&cpu->pending) & REQUEST_STOP && cpu->state == CPU_RUNNING) {
            cpu_serve(cpu);
            cpu_stop(cpu);
        }
        arch_pause();
    }
}

void hv_unlock(struct cpu *cpu)
{
    spin_unlock(&cpu->hv->lock);
}

bool cpu_wait_until(struct cpu *cpu, bool (*is_done)(void *opaque), void *opaque, u32 ms)
{
    u64 limit = arch_time_hz() / 1000 * ms, start = arch_time();
    while (!is_done(opaque)) {
        serve_flush(cpu);
        if (arch_time() - start > limit)
            return is_done(opaque);
        arch_pause();
    }
    return true;
}

static bool has_flushed(void *opaque)
{
    struct cpu *c = opaque;
    return __atomic_load_n(&c->n_flushes, __ATOMIC_SEQ_CST) >=
           __atomic_load_n(&c->n_flushes_wanted, __ATOMIC_SEQ_CST);
}

bool cpu_sync(struct cpu *cpu, struct cpu *other)
{
    __atomic_fetch_add(&other->n_flushes_wanted, 1, __ATOMIC_SEQ_CST);
    cpu_request(other, REQUEST_FLUSH);
    return cpu_wait_until(cpu, has_flushed, other, FLUSH_LIMIT_MS);
}

bool flush_cell(struct cpu *cpu, struct cell *cell)
{
    bool is_good = true;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (u32 i = 0; i < HV_MAX_CPUS; i++) {
        struct cpu *c = cpu->hv->cpu[i];
        if (!c || c == cpu || !(cell->cpus >> i & 1) || load_u32(&c->state) != CPU_RUNNING)
            continue;
        __atomic_fetch_add(&c->n_flushes_wanted, 1, __ATOMIC_SEQ_CST);
        cpu_request(c, REQUEST_FLUSH);
    }
    if (cpu->vcpu && cpu->vcpu->cell == cell)
        arch_stage2_flush(cell->id + 1);
    for (u32 i = 0; i < HV_MAX_CPUS; i++) {
        struct cpu *c = cpu->hv->cpu[i];
        if (!c || c == cpu || !(cell->cpus >> i & 1))
            continue;
        if (!cpu_wait_until(cpu, has_flushed, c, FLUSH_LIMIT_MS)) {
            hv_log(cpu->hv, "processor %u does not answer a flush", i);
            is_good = false;
        }
    }
    return is_good;
}

void cpu_count(struct cpu *cpu, enum exit_kind kind, u32 info)
{
    struct control_event *e = &cpu->events[cpu->n_events++ % HV_N_EVENTS];
    cpu->n[kind]++;
    e->time = arch_time();
    e->cause = kind;
    e->info = info;
}
