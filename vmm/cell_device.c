// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_device.h"
#include "base/bits.h"
#include "base/bug.h"
#include "base/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONSOLE_EMERGENCY_WRITE = 2 }; // is a write to the configuration, which is not passed on

static struct cell_device *device_of(struct virtio *v)
{
    struct cell_devices *all = v->env->opaque;
    for (unsigned i = 0; i < CONTROL_MAX_SLOTS; i++)
        if (all->slot[i].v == v)
            return &all->slot[i];
    BUG_ON(true);
}

static void interrupt(struct virtio *v, unsigned queue)
{
    struct cell_device *d = device_of(v);
    d->raise(d->opaque, d->slot, queue);
}

// The only change is that it is broken, which is a register of the hypervisor's.
static void config_interrupt(struct virtio *v)
{
    device_of(v)->is_broken = true;
}

static bool may_dma(const struct virtio *v)
{
    return true;
}

static const struct virtio_transport transport = {interrupt, config_interrupt, may_dma};

static bool set_properties(struct device *d, const char *properties, struct err *e)
{
    char *words = strdup(properties), *rest = *words ? words : NULL;
    bool is_good = true;
    BUG_ON(!words);
    while (is_good && rest) {
        char *name = option_next(&rest);
        is_good = device_set(d, name, option_value(name), e);
    }
    free(words);
    return is_good;
}

bool cell_device_make(struct cell_devices *all, unsigned slot, const char *type,
                      const char *properties, struct device_env *env, struct err *e)
{
    struct cell_device *d = &all->slot[slot];
    char addr[8];
    snprintf(addr, sizeof(addr), "%x", slot);
    env->opaque = all;
    d->d = device_new(device_type_find(type), env);
    d->slot = (u8)slot;
    if (!device_set(d->d, "addr", addr, e) || !set_properties(d->d, properties, e) ||
        !device_realize(d->d, e))
        return false;
    d->v = &((struct virtio_pci *)d->d)->v;
    d->v->transport = &transport;
    return true;
}

void cell_device_free(struct cell_device *d)
{
    device_free(d->d);
    memset(d, 0, sizeof(*d));
}

void cell_device_template(const struct cell_device *d, struct control_virtio *t)
{
    const struct virtio *v = d->v;
    const u8 *config = ((const struct virtio_pci *)d->d)->pci.config;
    *t = (struct control_virtio){.features = v->offered,
                                 .n_queues = v->n_queues,
                                 .config_size = v->config_size,
                                 .class_code = (u32)load_le(config + PCI_CLASS, 3)};
    if (v->ops->id == VIRTIO_ID_CONSOLE)
        t->features &= ~BIT(CONSOLE_EMERGENCY_WRITE);
    for (unsigned i = 0; i < v->n_queues; i++)
        t->queue_size[i] = v->queues[i].max_size;
    memcpy(t->config, v->config, sizeof(t->config));
}

static void set_up_queue(struct virtio *v, unsigned i, const struct control_virtio_queue *s)
{
    struct virtq *q = &v->queues[i];
    if (!s->is_enabled)
        return;
    if (!is_pow2(s->size) || s->size > q->max_size) {
        virtio_fail(v, "queue of an impossible size");
        return;
    }
    q->size = (u16)s->size;
    q->desc_gpa = s->desc;
    q->avail_gpa = s->driver;
    q->used_gpa = s->device;
    virtio_enable_queue(v, i);
    if (!q->is_broken)
        virtq_resume(q);
}

// Requests that a predecessor had begun are begun again: they are those behind the last one that it
// handed back. Its last interrupts may have been lost with it.
static void start(struct cell_device *d, const struct control_virtio_state *s)
{
    struct virtio *v = d->v;
    virtio_reset(v);
    virtio_set_features(v, 0, (u32)s->features);
    virtio_set_features(v, 1, (u32)(s->features >> 32));
    virtio_set_status(v, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    for (unsigned i = 0; i < v->n_queues; i++)
        set_up_queue(v, i, &s->queue[i]);
    d->is_running = true;
    d->is_broken = v->status & VIRTIO_NEEDS_RESET;
    virtio_set_status(v, v->status | VIRTIO_DRIVER_OK);
    for (unsigned i = 0; i < v->n_queues; i++)
        if (v->queues[i].next_used)
            d->raise(d->opaque, d->slot, i);
}

bool cell_device_follow(struct cell_device *d, const struct control_virtio_state *s)
{
    bool is_over = d->is_running && (s->wants_reset || d->epoch != s->epoch);
    if (is_over) {
        virtio_reset(d->v);
        d->is_running = false;
    }
    d->epoch = s->epoch;
    if (s->wants_reset)
        return true;
    if (!d->is_running && s->status & VIRTIO_DRIVER_OK)
        start(d, s);
    return false;
}

bool cell_device_poll(struct cell_device *d, const volatile struct control_events *e)
{
    u32 changes = e->changes;
    for (unsigned i = 0; i < d->v->n_queues; i++) {
        u32 kicks = e->kicks[i];
        if (kicks == d->kicks[i])
            continue;
        d->kicks[i] = kicks;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        virtio_kick(d->v, i);
    }
    if (changes == d->changes)
        return false;
    d->changes = changes;
    return true;
}
