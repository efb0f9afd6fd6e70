// SPDX-License-Identifier: Apache-2.0
#include "hv/cell.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/blob.h"
#include "hv/console.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/mmio.h"
#include "hv/pool.h"
#include "hv/power.h"
#include "hv/share.h"
#include "hv/sync.h"
#include "hv/text.h"
#include "hv/vpci.h"

#define STOP_LIMIT_MS 2000
#define PORTS_SIZE    0x4000

s32 cell_refuse(struct why *w, s32 error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_format_list(w->text, w->size, format, args);
    va_end(args);
    return error;
}

u32 cell_state(const struct cell *c)
{
    return load_u32(&c->state);
}

bool cell_find(const struct cell *c, u64 gpa, u64 *hpa, u64 *left)
{
    for (u32 i = 0; i < c->n_regions; i++) {
        u64 offset = gpa - c->region[i].gpa;
        if (gpa < c->region[i].gpa || offset >= c->region[i].size)
            continue;
        *hpa = c->region[i].hpa + offset;
        *left = c->region[i].size - offset;
        return true;
    }
    return false;
}

struct vdev *cell_add_vdev(struct cell *c, u64 gpa, u64 size)
{
    if (c->n_vdevs == ARRAY_LEN(c->vdev))
        return NULL;
    struct vdev *d = &c->vdev[c->n_vdevs++];
    *d = (struct vdev){.gpa = gpa, .size = size};
    return d;
}

// A processor can be given if it is the root cell's and the root cell does not use it.
static s32 check_cpu(struct hv *hv, u32 id, struct why *w)
{
    struct cpu *cpu = id < HV_MAX_CPUS ? hv->cpu[id] : NULL;
    if (!cpu || load_u32(&cpu->state) == CPU_ABSENT)
        return cell_refuse(w, REFUSE_NOENT,
                           "processor %u: this machine has none, or it was never online", id);
    for (u32 i = 1; i < HV_MAX_CELLS; i++)
        if (hv->cell[i].state != CONTROL_CELL_NONE && hv->cell[i].cpus >> id & 1)
            return cell_refuse(w, REFUSE_BUSY, "processor %u: is that of cell '%s'", id,
                               hv->cell[i].name);
    struct vcpu *v = &hv->cell[0].vcpu[id];
    u32 state = load_u32(&v->state);
    if (state != VCPU_OFF && !(state == VCPU_IDLE && load_u32(&v->is_offline)))
        return cell_refuse(w, REFUSE_BUSY,
                           "processor %u: the root cell uses it; it has to be taken offline there",
                           id);
    return 0;
}

static s32 check_resources(struct hv *hv, const struct blob *b, struct why *w)
{
    for (u32 i = 1; i < HV_MAX_CELLS; i++)
        if (hv->cell[i].state != CONTROL_CELL_NONE &&
            !memcmp(hv->cell[i].name, b->head->name, CELL_NAME_SIZE))
            return cell_refuse(w, REFUSE_BUSY,
                               "there is a cell '%s' already; it has to be destroyed first",
                               b->head->name);
    u64 ram = 0;
    for (u32 i = 0; i < b->head->n_memory; i++)
        ram += b->memory[i].type == CELL_MEMORY_RAM ? b->memory[i].size : 0;
    if (ram > pool_free_size(hv))
        return cell_refuse(w, REFUSE_NOMEM, "memory: %lu MiB wanted, the pool has %lu MiB free",
                           ram >> 20, pool_free_size(hv) >> 20);
    for (u32 i = 0; i < b->head->n_cpus; i++) {
        s32 error = check_cpu(hv, b->cpus[i].id, w);
        if (error)
            return error;
    }
    return 0;
}

static bool cpu_is_parked(void *opaque)
{
    return load_u32(&((struct cpu *)opaque)->state) == CPU_PARKED;
}

// Everything but the record's number and its count of lives.
static void clear_cell(struct cell *c)
{
    struct hv *hv = c->hv;
    u32 id = c->id, generation = c->generation;
    memset(c, 0, sizeof(*c));
    c->hv = hv;
    c->id = id;
    c->generation = generation;
}

static void release(struct cell *c)
{
    if (c->stage2)
        arch_stage2_free(c->hv, c->stage2);
    share_leave(c);
    pool_give_back(c->hv, c->id);
    clear_cell(c);
}

static s32 take_region(struct cell *c, const struct cell_blob_memory *m, u64 *hpa, struct why *w)
{
    if (m->type == CELL_MEMORY_SHARED)
        return share_join(c, m->tag, m->size, hpa, w);
    if (pool_take(c->hv, m->size, c->id, hpa))
        return 0;
    return cell_refuse(w, REFUSE_NOMEM, "memory at %lx: the pool has no %lu MiB in one piece",
                       m->gpa, m->size >> 20);
}

static s32 take_memory(struct cell *c, const struct blob *b, struct why *w)
{
    if (!arch_stage2_new(c->hv, &c->stage2))
        return cell_refuse(w, REFUSE_NOSPC, "the hypervisor has no table left");
    for (u32 i = 0; i < b->head->n_memory; i++) {
        const struct cell_blob_memory *m = &b->memory[i];
        struct region *r = &c->region[c->n_regions];
        *r = (struct region){.gpa = m->gpa, .size = m->size, .tag = m->tag};
        s32 error = take_region(c, m, &r->hpa, w);
        if (error)
            return error;
        c->n_regions++;
        if (!arch_stage2_map(c->hv, c->stage2, *r, CELL_MEMORY_RAM, m->rights))
            return cell_refuse(w, REFUSE_NOSPC, "memory at %lx: the hypervisor has no table left",
                               m->gpa);
    }
    return 0;
}

static void add_devices(struct cell *c, const struct blob *b)
{
    for (u32 i = 0; i < b->head->n_devices; i++) {
        const struct cell_blob_device *d = &b->devices[i];
        switch (d->kind) {
        case CELL_DEVICE_UART: console_add(c, d->gpa, d->vector); break;
        case CELL_DEVICE_POWER: power_add(c, d->gpa); break;
        case CELL_DEVICE_PCI: vpci_add(c, d->gpa, d->vector); break;
        case CELL_DEVICE_VIRTIO_NET: c->pci.slot[d->slot].kind = 1; break;
        case CELL_DEVICE_VIRTIO_BLOCK: c->pci.slot[d->slot].kind = 2; break;
        case CELL_DEVICE_VIRTIO_CONSOLE: c->pci.slot[d->slot].kind = 3; break;
        case CELL_DEVICE_DOORBELL: doorbell_add(c, d->gpa, d->tag, d->vector); break;
        default: mmio_add_absent(c, d->gpa, PORTS_SIZE); break;
        }
    }
}

// From the root cell, where it is off or waits offline, to the new one.
static s32 take_cpu(struct cpu *self, struct cell *c, u32 id, struct why *w)
{
    struct cpu *cpu = c->hv->cpu[id];
    if (load_u32(&cpu->state) == CPU_RUNNING) {
        cpu_request(cpu, REQUEST_STOP);
        if (!cpu_wait_until(self, cpu_is_parked, cpu, STOP_LIMIT_MS))
            return cell_refuse(w, REFUSE_TIMEOUT, "processor %u does not stop", id);
    }
    struct cell *root = &c->hv->cell[0];
    struct vcpu *v = &c->vcpu[c->n_vcpus];
    u32 off = VCPU_OFF;
    if (!__atomic_compare_exchange_n(&root->vcpu[id].state, &off, VCPU_LENT, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return cell_refuse(w, REFUSE_BUSY, "processor %u: the root cell started it again", id);
    root->cpus &= ~(u32)BIT(id);
    *v = (struct vcpu){.cell = c, .cpu = cpu, .index = c->n_vcpus};
    c->n_vcpus++;
    c->cpus |= BIT(id);
    __atomic_store_n(&cpu->vcpu, v, __ATOMIC_RELEASE);
    return 0;
}

// The root cell finds it as after reset: off, until it starts it.
static void return_cpu(struct cell *c, u32 id)
{
    struct cell *root = &c->hv->cell[0];
    struct vcpu *v = &root->vcpu[id];
    v->ipi_status = v->ipi_enable = v->is_offline = 0;
    memset(v->mailbox, 0, sizeof(v->mailbox));
    store_u32(&v->state, VCPU_OFF);
    root->cpus |= BIT(id);
    c->cpus &= ~(u32)BIT(id);
    __atomic_store_n(&c->hv->cpu[id]->vcpu, v, __ATOMIC_RELEASE);
}

// A processor that has parked may still be looking at the cell that it left. False: one does not
// come to an end with that.
static bool sync_cpus(struct cpu *self, struct cell *c)
{
    bool is_good = true;
    for (u32 i = 0; i < c->n_vcpus; i++)
        is_good = cpu_sync(self, c->vcpu[i].cpu) && is_good;
    return is_good;
}

static bool return_cpus(struct cpu *self, struct cell *c)
{
    for (u32 id = 0; id < HV_MAX_CPUS; id++)
        if (c->cpus >> id & 1)
            return_cpu(c, id);
    return sync_cpus(self, c);
}

static struct cell *free_cell(struct hv *hv)
{
    for (u32 i = 1; i < HV_MAX_CELLS; i++)
        if (hv->cell[i].state == CONTROL_CELL_NONE)
            return &hv->cell[i];
    return NULL;
}

static s32 fill(struct cpu *cpu, struct cell *c, const struct blob *b, struct why *w)
{
    const struct cell_blob *h = b->head;
    memcpy(c->name, h->name, CELL_NAME_SIZE);
    c->flags = h->flags;
    c->entry = h->entry;
    memcpy(c->args, h->args, sizeof(c->args));
    s32 error = take_memory(c, b, w);
    add_devices(c, b);
    for (u32 i = 0; !error && i < h->n_cpus; i++)
        error = take_cpu(cpu, c, b->cpus[i].id, w);
    return error;
}

s32 cell_create(struct cpu *cpu, const void *data, u32 size, struct why *w)
{
    struct hv *hv = cpu->hv;
    struct blob b;
    if (!blob_check(&b, data, size, w->text, w->size))
        return REFUSE_INVAL;
    if (b.head->kind != CELL_BLOB_CELL)
        return cell_refuse(w, REFUSE_INVAL, "'%s' describes a system, no cell", b.head->name);
    struct cell *c = free_cell(hv);
    if (!c)
        return cell_refuse(w, REFUSE_NOSPC, "there are %u cells already", HV_MAX_CELLS - 1);
    s32 error = check_resources(hv, &b, w);
    if (error)
        return error;
    clear_cell(c);
    c->generation++;
    error = fill(cpu, c, &b, w);
    if (error) {
        if (return_cpus(cpu, c))
            release(c);
        return error;
    }
    store_u32(&c->state, CONTROL_CELL_CREATED);
    hv_log(hv, "cell %u '%s' made", c->id, c->name);
    return (s32)c->id;
}

bool cell_scrub(struct cell *c, u64 *at, u64 n)
{
    u64 before = 0;
    for (u32 i = 0; i < c->n_regions; before += c->region[i++].size) {
        const struct region *r = &c->region[i];
        u64 offset = *at - before, left = r->size - offset;
        if (*at < before || offset >= r->size)
            continue;
        bool is_others = r->tag && share_has_others(c, r->tag);
        n = is_others || n > left ? left : n;
        if (!is_others)
            memset(arch_memory(r->hpa + offset), 0, n);
        *at += n;
        return n == left && i + 1 == c->n_regions;
    }
    return true;
}

// All but its state, which its processor looks at, and which is VCPU_OFF.
static void clear_vcpu(struct vcpu *v)
{
    v->entry = 0;
    v->ipi_status = v->ipi_enable = v->is_offline = 0;
    memset(v->args, 0, sizeof(v->args));
    memset(v->mailbox, 0, sizeof(v->mailbox));
    memset(&v->registers, 0, sizeof(v->registers));
}

s32 cell_start(struct cpu *cpu, struct cell *c, struct why *w)
{
    u32 state = cell_state(c);
    if (state == CONTROL_CELL_RUNNING)
        return cell_refuse(w, REFUSE_BUSY, "cell '%s' runs already", c->name);
    if (!sync_cpus(cpu, c))
        return cell_refuse(w, REFUSE_TIMEOUT, "a processor of cell '%s' does not answer", c->name);
    for (u32 i = 0; i < c->n_vcpus; i++)
        clear_vcpu(&c->vcpu[i]);
    memset(&c->intc, 0, sizeof(c->intc));
    console_reset(c);
    vpci_power_on(c);
    c->ending = c->wants_restart = c->wants_shutdown = 0;
    c->cause[0] = 0;
    c->starts++;
    c->time_offset = -arch_time();
    store_u32(&c->state, CONTROL_CELL_RUNNING);
    memcpy(c->vcpu[0].args, c->args, sizeof(c->args));
    c->vcpu[0].entry = c->entry;
    store_u32(&c->vcpu[0].state, VCPU_STARTING);
    cpu_request(c->vcpu[0].cpu, REQUEST_START);
    return 0;
}

static bool all_parked(void *opaque)
{
    struct cell *c = opaque;
    for (u32 i = 0; i < c->n_vcpus; i++)
        if (load_u32(&c->vcpu[i].state) != VCPU_OFF ||
            load_u32(&c->vcpu[i].cpu->state) != CPU_PARKED)
            return false;
    return true;
}

s32 cell_stop(struct cpu *cpu, struct cell *c, struct why *w)
{
    u32 none = 0;
    if (cell_state(c) != CONTROL_CELL_RUNNING)
        return 0;
    if (__atomic_compare_exchange_n(&c->ending, &none, CONTROL_CELL_STOPPED, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        text_copy(c->cause, sizeof(c->cause), "stopped by command");
    for (u32 i = 0; i < c->n_vcpus; i++) {
        struct vcpu *v = &c->vcpu[i];
        u32 starting = VCPU_STARTING;
        __atomic_compare_exchange_n(&v->state, &starting, VCPU_OFF, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
        cpu_request(v->cpu, REQUEST_STOP);
    }
    if (!cpu_wait_until(cpu, all_parked, c, STOP_LIMIT_MS))
        return cell_refuse(w, REFUSE_TIMEOUT, "a processor of cell '%s' does not stop", c->name);
    cell_cpu_left(c);
    return 0;
}

s32 cell_destroy(struct cpu *cpu, struct cell *c, struct why *w)
{
    s32 error = cell_stop(cpu, c, w);
    if (error)
        return error;
    if (!return_cpus(cpu, c))
        return cell_refuse(w, REFUSE_TIMEOUT, "a processor of cell '%s' does not answer", c->name);
    hv_log(c->hv, "cell %u '%s' destroyed", c->id, c->name);
    release(c);
    return 0;
}

s32 cell_ask_shutdown(struct cpu *cpu, struct cell *c, struct why *w)
{
    if (cell_state(c) != CONTROL_CELL_RUNNING)
        return cell_refuse(w, REFUSE_INVAL, "cell '%s' does not run", c->name);
    store_u32(&c->wants_shutdown, 1);
    for (u32 i = 0; i < c->n_vcpus; i++)
        cpu_request(c->vcpu[i].cpu, REQUEST_INJECT);
    return 0;
}

void cell_cpu_left(struct cell *c)
{
    u32 end = load_u32(&c->ending);
    if (end && all_parked(c))
        store_u32(&c->state, end);
}

// The root cell has vCPUs without a processor, and some whose processor is lent.
static bool runs_here(struct vcpu *v)
{
    return v->cpu && __atomic_load_n(&v->cpu->vcpu, __ATOMIC_ACQUIRE) == v;
}

void cell_end(struct cpu *cpu, u32 state, const char *format, ...)
{
    struct cell *c = cpu->vcpu->cell;
    u32 none = 0;
    va_list args;
    cpu->is_stopping = true;
    if (!__atomic_compare_exchange_n(&c->ending, &none, state, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    c->fault_era = cpu->era;
    va_start(args, format);
    text_format_list(c->cause, sizeof(c->cause), format, args);
    va_end(args);
    hv_log(c->hv, "cell %u '%s': %s", c->id, c->name, c->cause);
    for (u32 i = 0; i < c->n_vcpus; i++)
        if (c->vcpu[i].cpu != cpu && runs_here(&c->vcpu[i]))
            cpu_request(c->vcpu[i].cpu, REQUEST_STOP);
}

void cell_start_vcpu(struct cell *c, u32 index, u64 entry)
{
    struct vcpu *v = &c->vcpu[index];
    u32 off = VCPU_OFF;
    if (index >= c->n_vcpus || !runs_here(v) || load_u32(&v->state) != VCPU_OFF ||
        load_u32(&c->ending))
        return;
    v->entry = entry;
    memset(v->args, 0, sizeof(v->args));
    if (__atomic_compare_exchange_n(&v->state, &off, VCPU_STARTING, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        if (load_u32(&v->cpu->state) == CPU_ABSENT)
            arch_cpu_start(v->cpu->id);
        cpu_request(v->cpu, REQUEST_START);
    }
}
