// SPDX-License-Identifier: Apache-2.0
// Life of a virtio device: reset, negotiation, running, broken.
#include "dev/virtio/virtio.h"
#include "base/bits.h"
#include "base/bug.h"

static void kick_rest(void *opaque)
{
    struct virtio *v = opaque;
    u32 queues = v->to_kick;
    v->to_kick = 0;
    for (unsigned i = 0; i < v->n_queues; i++)
        if (queues & BIT(i))
            virtio_kick(v, i);
}

void virtio_init(struct virtio *v, const struct virtio_ops *ops, struct device_env *env,
                 u64 features)
{
    v->ops = ops;
    v->env = env;
    v->offered =
        features | BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_INDIRECT_DESC) | BIT(VIRTIO_F_EVENT_IDX);
    timer_init(&v->again, kick_rest, v);
}

void virtio_add_queue(struct virtio *v, unsigned size)
{
    BUG_ON(v->n_queues == VIRTIO_MAX_QUEUES);
    virtq_init(&v->queues[v->n_queues++], v->env->mem, (u16)size);
}

bool virtio_is_running(const struct virtio *v)
{
    return v->status & VIRTIO_DRIVER_OK && !(v->status & VIRTIO_NEEDS_RESET) &&
           v->transport->may_dma(v);
}

void virtio_fail(struct virtio *v, const char *why)
{
    if (v->status & VIRTIO_NEEDS_RESET)
        return;
    log_guest(v->env->log, "%s needs a reset: %s", v->ops->name, why);
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK)
        v->transport->config_interrupt(v);
}

bool virtio_pop(struct virtio *v, unsigned queue, struct virtq_buffer *b)
{
    if (!virtio_is_running(v))
        return false;
    int n = virtq_pop(&v->queues[queue], b);
    if (n < 0)
        virtio_fail(v, v->queues[queue].fault);
    return n > 0;
}

void virtio_kick_later(struct virtio *v, unsigned queue)
{
    v->to_kick |= (u32)BIT(queue);
    timer_arm(v->env->clock, &v->again, clock_now(v->env->clock));
}

void virtio_serve(struct virtio *v, unsigned queue,
                  bool (*serve)(struct virtio *v, unsigned queue, const struct virtq_buffer *b))
{
    struct virtq *q = &v->queues[queue];
    struct virtq_buffer b;
    for (unsigned budget = 2u * q->size; budget; budget--) {
        if (!virtio_pop(v, queue, &b)) {
            if (!virtio_is_running(v) || !virtq_want_kick(q, 0))
                return;
        } else if (!serve(v, queue, &b)) {
            virtq_unpop(q, 1);
            return;
        }
    }
    virtio_kick_later(v, queue);
}

void virtio_interrupt(struct virtio *v, unsigned queue)
{
    if (virtq_must_interrupt(&v->queues[queue]))
        v->transport->interrupt(v, queue);
}

void virtio_push(struct virtio *v, unsigned queue, u16 head, u32 written)
{
    virtq_push(&v->queues[queue], head, written);
    virtio_interrupt(v, queue);
}

void virtio_reset(struct virtio *v)
{
    if (v->ops->reset)
        v->ops->reset(v);
    timer_cancel(v->env->clock, &v->again);
    v->to_kick = 0;
    v->status = 0;
    v->accepted = 0;
    for (unsigned i = 0; i < v->n_queues; i++)
        virtq_reset(&v->queues[i]);
}

void virtio_set_features(struct virtio *v, u32 half, u32 bits)
{
    // Drivers write all the words that they know; there are no features in the later ones.
    if (half > 1 && !bits)
        return;
    if (v->status & VIRTIO_FEATURES_OK || half > 1) {
        log_guest(v->env->log, "%s: features 0x%x, half %u: too late or not there", v->ops->name,
                  bits, half);
        return;
    }
    v->accepted = bits_set(v->accepted, 32 * half + 31, 32 * half, bits);
}

static bool features_are_ok(const struct virtio *v)
{
    return !(v->accepted & ~v->offered) && virtio_has(v, VIRTIO_F_VERSION_1);
}

// Section 3.1.1: the driver reads the status back to see whether we took its features.
static u8 accepted_status(struct virtio *v, u8 status)
{
    u8 added = status & (u8)~v->status & (u8)~VIRTIO_NEEDS_RESET;
    if (added & VIRTIO_FEATURES_OK && !features_are_ok(v)) {
        log_guest(v->env->log, "%s: features 0x%llx are not a subset of 0x%llx with version 1",
                  v->ops->name, (unsigned long long)v->accepted, (unsigned long long)v->offered);
        added &= (u8)~VIRTIO_FEATURES_OK;
    }
    if (added & VIRTIO_DRIVER_OK && !((v->status | added) & VIRTIO_FEATURES_OK)) {
        log_guest(v->env->log, "%s: DRIVER_OK before FEATURES_OK", v->ops->name);
        added &= (u8)~VIRTIO_DRIVER_OK;
    }
    return added;
}

// Bits are only taken back by a reset, section 2.1.1.
void virtio_set_status(struct virtio *v, u8 status)
{
    if (!status) {
        virtio_reset(v);
        return;
    }
    u8 added = accepted_status(v, status);
    v->status |= added;
    if (!(added & VIRTIO_DRIVER_OK))
        return;
    if (v->ops->start)
        v->ops->start(v);
    virtio_kick_all(v);
}

void virtio_enable_queue(struct virtio *v, unsigned queue)
{
    struct virtq *q = &v->queues[queue];
    if (q->is_enabled)
        return;
    q->has_indirect = virtio_has(v, VIRTIO_F_INDIRECT_DESC);
    q->has_event_idx = virtio_has(v, VIRTIO_F_EVENT_IDX);
    if (!virtq_enable(q))
        virtio_fail(v, q->fault);
}

void virtio_kick(struct virtio *v, unsigned queue)
{
    if (queue < v->n_queues && v->queues[queue].is_enabled && virtio_is_running(v))
        v->ops->kick(v, queue);
}

void virtio_kick_all(struct virtio *v)
{
    for (unsigned i = 0; i < v->n_queues; i++)
        virtio_kick(v, i);
}
