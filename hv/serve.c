// SPDX-License-Identifier: Apache-2.0
#include "hv/serve.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/cpu.h"
#include "hv/manage_state.h"
#include "hv/plat/virt.h"
#include "hv/sync.h"
#include "hv/text.h"
#include "hv/virtio.h"
#include "hv/vpci.h"

// The interrupt is armed by the program and comes once, so that one that is busy is left alone.
static void interrupt_root(struct hv *hv)
{
    struct manage *m = hv->manage;
    u32 vector;
    if (!__atomic_exchange_n(&m->is_armed, 0, __ATOMIC_SEQ_CST))
        return;
    store_u32(&m->has_event, 1);
    vector = plat_management_vector();
    if (vector)
        arch_root_interrupt(hv, vector);
}

static struct control_events *events_of(struct cell *c, const struct virtio_dev *d)
{
    return &c->hv->manage->shared->events[c->id][d - c->pci.slot];
}

// The root cell may write these words at any time; they are added to and never looked at.
static void count(struct cell *c, u32 *event)
{
    __atomic_fetch_add(event, 1, __ATOMIC_SEQ_CST);
    interrupt_root(c->hv);
}

void serve_tell_kick(struct cell *c, const struct virtio_dev *d, u32 queue)
{
    if (c->is_served)
        count(c, &events_of(c, d)->kicks[queue]);
}

void serve_tell_change(struct cell *c, const struct virtio_dev *d)
{
    if (c->is_served)
        count(c, &events_of(c, d)->changes);
}

void serve_arm(struct hv *hv)
{
    store_u32(&hv->manage->has_event, 0);
    store_u32(&hv->manage->is_armed, 1);
}

static struct region served_region(const struct manage *m, const struct region *r)
{
    return (struct region){.gpa = m->mapped[CONTROL_BAR_SERVED] + (r->served - 1) * HV_BLOCK,
                           .hpa = r->hpa,
                           .size = r->size};
}

static void map(struct hv *hv, const struct region *r)
{
    struct region at = served_region(hv->manage, r);
    if (r->served && hv->manage->mapped[CONTROL_BAR_SERVED])
        arch_stage2_map(hv, hv->cell[0].stage2, at, CELL_MEMORY_RAM, CELL_READ | CELL_WRITE);
}

void serve_map(struct hv *hv)
{
    for (u32 i = 1; i < HV_MAX_CELLS; i++)
        for (u32 k = 0; k < hv->cell[i].n_regions; k++)
            map(hv, &hv->cell[i].region[k]);
}

// A row of free blocks of the BAR; 0: there is none, else 1 + the first.
static u32 find_blocks(const struct manage *m, u32 n)
{
    u32 run = 0;
    for (u32 i = 0; i < ARRAY_LEN(m->served); i++) {
        run = m->served[i] ? 0 : run + 1;
        if (run == n)
            return i - n + 2;
    }
    return 0;
}

static bool place(struct cell *c, struct region *r)
{
    struct manage *m = c->hv->manage;
    u32 n = (u32)(r->size / HV_BLOCK);
    r->served = find_blocks(m, n);
    for (u32 i = 0; r->served && i < n; i++)
        m->served[r->served - 1 + i] = (u8)c->id;
    return r->served;
}

s32 serve_open(struct cpu *cpu, struct cell *c, u64 where[HV_N_REGIONS], struct why *w)
{
    if (!serve_close(cpu, c))
        return cell_refuse(w, REFUSE_TIMEOUT, "a flush failed");
    for (u32 i = 0; i < CONTROL_MAX_SLOTS; i++)
        c->pci.slot[i].n_forced = 0;
    for (u32 i = 0; i < c->n_regions; i++) {
        struct region *r = &c->region[i];
        where[i] = ~0ULL;
        if (r->tag)
            continue;
        if (!place(c, r)) {
            serve_close(cpu, c);
            return cell_refuse(w, REFUSE_NOSPC,
                               "memory at %lx: of the %u MiB for cells whose devices are served no "
                               "%lu are left in one piece",
                               r->gpa, CONTROL_SERVED_SIZE >> 20, r->size >> 20);
        }
        where[i] = (r->served - 1) * HV_BLOCK;
        map(c->hv, r);
    }
    store_u32(&c->is_served, 1);
    return flush_cell(cpu, &c->hv->cell[0]) ? 0 : cell_refuse(w, REFUSE_TIMEOUT, "a flush failed");
}

bool serve_close(struct cpu *cpu, struct cell *c)
{
    struct manage *m = c->hv->manage;
    bool had_some = false;
    for (u32 i = 0; i < CONTROL_MAX_SLOTS; i++)
        if (c->pci.slot[i].is_there)
            serve_tell_change(c, &c->pci.slot[i]);
    store_u32(&c->is_served, 0);
    for (u32 i = 0; i < c->n_regions; i++) {
        struct region *r = &c->region[i], at = served_region(m, r);
        if (!r->served)
            continue;
        if (m->mapped[CONTROL_BAR_SERVED])
            arch_stage2_unmap(c->hv, c->hv->cell[0].stage2, at.gpa, at.size);
        r->served = 0;
        had_some = true;
    }
    for (u32 i = 0; i < ARRAY_LEN(m->served); i++)
        m->served[i] = m->served[i] == c->id ? 0 : m->served[i];
    return !had_some || flush_cell(cpu, &c->hv->cell[0]);
}

// A program that has lost sight of the memory has no say any more.
static struct virtio_dev *device_of(struct cell *c, u64 slot, struct why *w)
{
    if (!c->is_served)
        cell_refuse(w, REFUSE_NOENT, "cell '%s' is not served", c->name);
    else if (slot < CONTROL_MAX_SLOTS && c->pci.slot[slot].kind)
        return &c->pci.slot[slot];
    else
        cell_refuse(w, REFUSE_NOENT, "slot %lu: cell '%s' has no device there", slot, c->name);
    return NULL;
}

static bool is_good(const struct virtio_dev *d, const struct control_virtio *t)
{
    bool is_right = t->n_queues && t->n_queues <= CONTROL_MAX_QUEUES &&
                    t->config_size <= sizeof(t->config) && t->class_code <= 0xffffff;
    for (u32 i = 0; is_right && i < t->n_queues; i++)
        is_right = is_pow2(t->queue_size[i]);
    return is_right;
}

s32 serve_set(struct cell *c, u64 slot, const struct control_virtio *t, struct why *w)
{
    struct virtio_dev *d = device_of(c, slot, w);
    if (!d)
        return REFUSE_NOENT;
    if (!is_good(d, t))
        return cell_refuse(w, REFUSE_INVAL, "slot %lu: no device can be like that", slot);
    spin_lock(&c->pci.lock);
    bool is_set = virtio_set_template(d, t);
    spin_unlock(&c->pci.lock);
    return is_set
               ? 0
               : cell_refuse(w, REFUSE_BUSY,
                             "slot %lu: cell '%s' uses a device there that offers something else",
                             slot, c->name);
}

s32 serve_get(struct cell *c, u64 slot, struct control_virtio_state *out, struct why *w)
{
    struct virtio_dev *d = device_of(c, slot, w);
    if (!d)
        return REFUSE_NOENT;
    spin_lock(&c->pci.lock);
    virtio_state(d, out);
    spin_unlock(&c->pci.lock);
    return 0;
}

s32 serve_let_go(struct cell *c, u64 slot, u64 epoch, struct why *w)
{
    struct virtio_dev *d = device_of(c, slot, w);
    if (!d)
        return REFUSE_NOENT;
    spin_lock(&c->pci.lock);
    virtio_end_reset(d, (u32)epoch);
    spin_unlock(&c->pci.lock);
    return 0;
}

s32 serve_broken(struct cell *c, u64 slot, struct why *w)
{
    struct virtio_dev *d = device_of(c, slot, w);
    if (!d)
        return REFUSE_NOENT;
    spin_lock(&c->pci.lock);
    virtio_need_reset(d);
    spin_unlock(&c->pci.lock);
    vpci_raise(c, (u32)slot, VIRTIO_CONFIG_CHANGE);
    return 0;
}

void serve_raise(struct hv *hv, u32 value)
{
    u32 id = value >> 12 & 0xf, slot = value >> 8 & 0xf, queue = value & 0xff;
    struct cell *c = id && id < HV_MAX_CELLS ? &hv->cell[id] : NULL;
    if (c && c->is_served && slot < CONTROL_MAX_SLOTS && cell_state(c) == CONTROL_CELL_RUNNING &&
        (c->generation & 0xffff) == value >> 16)
        vpci_raise(c, slot, queue);
}
