// SPDX-License-Identifier: Apache-2.0
#include "hv/arch/fake/fake.h"
#include "hv/arch.h"
#include "hv/build.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/manage.h"
#include "hv/plat/virt.h"
#include "hv/pool.h"
#include "hv/sync.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define WAIT_NS 1000000

struct fake_cpu {
    struct cpu cpu;
    pthread_t thread;
    sem_t kicks;
    jmp_buf base;
    void (*next)(struct cpu *cpu);
};

// One machine at a time, as in the hypervisor.
static struct {
    u8 *ram;
    struct fake_cpu *cpus;
    u32 n_cpus;
    fake_guest guest;
    u64 n_flushes;
} fake;

u64 build_fingerprint = 0xfa4e;

void plat_print(const char *text)
{
}

void *arch_memory(u64 pa)
{
    if (pa < FAKE_RAM_BASE || pa >= FAKE_RAM_BASE + FAKE_RAM_SIZE)
        abort();
    return fake.ram + (pa - FAKE_RAM_BASE);
}

// Objects of the program have no place in the array: the shared page is given one behind the
// tables.
u64 arch_physical(const void *p)
{
    return FAKE_RAM_BASE + FAKE_TABLE_SIZE;
}

u64 arch_register_read(u64 pa, unsigned size)
{
    return 0;
}

void arch_register_write(u64 pa, u64 value, unsigned size)
{
}

const char *arch_cpu_lacks(void)
{
    return NULL;
}

bool arch_cpu_init(struct cpu *cpu)
{
    return true;
}

struct cpu *arch_cpu_area(u32 id)
{
    return &fake.cpus[id].cpu;
}

void arch_cpu_start(u32 id)
{
}

void arch_cpu_kick(u32 id)
{
    sem_post(&fake.cpus[id].kicks);
}

static void wait_for_kick(struct cpu *cpu)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += WAIT_NS;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    sem_timedwait(&fake.cpus[cpu->id].kicks, &end);
}

void arch_cpu_wait(struct cpu *cpu)
{
    wait_for_kick(cpu);
}

void arch_guest_wait(struct cpu *cpu)
{
    wait_for_kick(cpu);
}

void arch_cpu_abandon(struct cpu *cpu, void (*next)(struct cpu *cpu))
{
    fake.cpus[cpu->id].next = next;
    longjmp(fake.cpus[cpu->id].base, 1);
}

void arch_cpu_halt(void)
{
    pthread_exit(NULL);
}

void arch_root_interrupt(struct hv *hv, u32 vector)
{
    store_u32(&hv->root_vector, vector);
}

u32 plat_management_vector(void)
{
    return 19;
}

void arch_vcpu_reset(struct vcpu *v)
{
    memset(v->cpu->gpr, 0, sizeof(v->cpu->gpr));
    v->cpu->era = v->entry;
}

void arch_vcpu_enter(struct cpu *cpu)
{
    for (;;) {
        fake_guest guest = __atomic_load_n(&fake.guest, __ATOMIC_ACQUIRE);
        if (guest)
            guest(cpu);
        cpu_end_exit(cpu);
        wait_for_kick(cpu);
    }
}

void arch_vcpu_save(struct vcpu *v)
{
    v->registers.era = v->cpu->era;
}

void arch_virq_update(struct vcpu *v)
{
}

void arch_inject_address_error(struct cpu *cpu, u64 address)
{
}

void arch_inject_undefined(struct cpu *cpu)
{
}

void arch_stage2_flush(u32 gid)
{
    __atomic_fetch_add(&fake.n_flushes, 1, __ATOMIC_SEQ_CST);
}

u64 arch_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

u64 arch_time_hz(void)
{
    return 1000000000;
}

void arch_sync_code(void)
{
}

void arch_pause(void)
{
    struct timespec t = {.tv_nsec = 1000};
    nanosleep(&t, NULL);
}

static void *run_cpu(void *opaque)
{
    struct fake_cpu *f = opaque;
    f->next = cpu_park;
    setjmp(f->base);
    f->next(&f->cpu);
    return NULL;
}

static void make_root(struct hv *hv)
{
    struct cell *root = &hv->cell[0];
    for (u32 i = 0; i < HV_MAX_CELLS; i++) {
        hv->cell[i].hv = hv;
        hv->cell[i].id = i;
    }
    strcpy(root->name, "root");
    root->generation = 1;
    root->n_vcpus = HV_MAX_CPUS;
    if (!arch_stage2_new(hv, &root->stage2))
        abort();
    for (u32 i = 0; i < HV_MAX_CPUS; i++)
        root->vcpu[i] = (struct vcpu){.cell = root, .cpu = hv->cpu[i], .index = i};
    for (u32 i = 0; i < fake.n_cpus; i++) {
        root->cpus |= 1u << i;
        hv->cpu[i]->vcpu = &root->vcpu[i];
    }
    root->vcpu[0].state = VCPU_RUNNING;
    root->state = CONTROL_CELL_RUNNING;
    manage_init(hv, root, 0x20000000, 0x40000000, 0x40000000);
}

static void start_cpu(struct hv *hv, u32 id)
{
    struct fake_cpu *f = &fake.cpus[id];
    f->cpu.hv = hv;
    f->cpu.id = id;
    hv->cpu[id] = &f->cpu;
    hv->n_cpus++;
    sem_init(&f->kicks, 0, 0);
}

struct hv *fake_new(u32 n_cpus)
{
    struct hv *hv = calloc(1, sizeof(*hv));
    fake.ram = mmap(NULL, FAKE_RAM_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    fake.cpus = calloc(n_cpus, sizeof(*fake.cpus));
    if (!hv || fake.ram == MAP_FAILED || !fake.cpus)
        abort();
    fake.n_cpus = n_cpus;
    fake.guest = NULL;
    fake.n_flushes = 0;
    hv->pool_base = FAKE_POOL_BASE;
    hv->pool_size = FAKE_POOL_SIZE;
    table_pool_add(hv, FAKE_RAM_BASE, FAKE_TABLE_SIZE);
    for (u32 i = 0; i < n_cpus; i++)
        start_cpu(hv, i);
    make_root(hv);
    hv->cpu[0]->state = CPU_RUNNING;
    for (u32 i = 1; i < n_cpus; i++) {
        pthread_create(&fake.cpus[i].thread, NULL, run_cpu, &fake.cpus[i]);
        while (load_u32(&hv->cpu[i]->state) != CPU_PARKED)
            arch_pause();
    }
    return hv;
}

void fake_free(struct hv *hv)
{
    for (u32 i = 1; i < fake.n_cpus; i++) {
        cpu_request(hv->cpu[i], REQUEST_FREEZE);
        pthread_join(fake.cpus[i].thread, NULL);
    }
    for (u32 i = 0; i < fake.n_cpus; i++)
        sem_destroy(&fake.cpus[i].kicks);
    munmap(fake.ram, FAKE_RAM_SIZE);
    free(fake.cpus);
    free(hv);
}

void fake_set_guest(fake_guest guest)
{
    __atomic_store_n(&fake.guest, guest, __ATOMIC_RELEASE);
}

u64 fake_n_flushes(void)
{
    return __atomic_load_n(&fake.n_flushes, __ATOMIC_SEQ_CST);
}
