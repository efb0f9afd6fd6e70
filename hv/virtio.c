// SPDX-License-Identifier: Apache-2.0
#include "hv/virtio.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/serve.h"
#include "hv/text.h"

// struct virtio_pci_common_cfg, section 4.1.4.3.
enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_VECTOR = 0x10,
    NUM_QUEUES = 0x12,
    DEVICE_STATUS = 0x14,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
    COMMON_END = 0x38,
};

enum { DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 0x40, STATUS_DRIVERS = 0x8f };
#define VERSION_1 BIT(32)

bool virtio_set_template(struct virtio_dev *d, const struct control_virtio *t)
{
    bool is_same = d->is_there && d->offered == t->features && d->n_queues == t->n_queues &&
                   d->config_size == t->config_size &&
                   !memcmp(d->max_size, t->queue_size, t->n_queues * sizeof(u16));
    if (d->status && !is_same)
        return false;
    d->offered = t->features;
    d->n_queues = t->n_queues;
    d->class_code = t->class_code;
    d->config_size = t->config_size;
    memcpy(d->max_size, t->queue_size, sizeof(d->max_size));
    memcpy(d->config, t->config, sizeof(d->config));
    d->is_there = 1;
    if (!d->status)
        virtio_power_on(d);
    return true;
}

static void reset_registers(struct virtio_dev *d)
{
    d->status = d->isr = 0;
    d->wants_reset = 0;
    d->accepted = 0;
    d->offered_half = d->accepted_half = d->selected = 0;
    d->config_vector = VIRTIO_NO_VECTOR;
    d->epoch++;
    for (u32 i = 0; i < CONTROL_MAX_QUEUES; i++)
        d->queue[i] = (struct virtio_queue){.size = d->max_size[i], .vector = VIRTIO_NO_VECTOR};
}

void virtio_power_on(struct virtio_dev *d)
{
    reset_registers(d);
    d->command = d->bar = d->line_register = 0;
    d->msix_control = 0;
    memset(d->msix, 0, sizeof(d->msix));
    d->msix_pending = 0;
    d->line = false;
}

void virtio_state(const struct virtio_dev *d, struct control_virtio_state *out)
{
    *out = (struct control_virtio_state){.status = d->status,
                                         .wants_reset = d->wants_reset,
                                         .epoch = d->epoch,
                                         .n_forced = d->n_forced,
                                         .features = d->accepted};
    for (u32 i = 0; i < d->n_queues; i++) {
        const struct virtio_queue *q = &d->queue[i];
        out->queue[i] =
            (struct control_virtio_queue){q->desc, q->driver, q->device, q->size, q->is_enabled};
    }
}

bool virtio_is_resetting(struct cell *c, struct virtio_dev *d)
{
    if (!d->wants_reset)
        return false;
    if (c->is_served &&
        arch_time() - d->reset_since < arch_time_hz() / 1000 * VIRTIO_RESET_LIMIT_MS)
        return true;
    d->n_forced++;
    reset_registers(d);
    return false;
}

void virtio_ask_reset(struct cell *c, struct virtio_dev *d)
{
    if (d->wants_reset)
        return;
    if (c->is_served && d->status & DRIVER_OK) {
        d->wants_reset = 1;
        d->reset_since = arch_time();
    } else {
        reset_registers(d);
    }
    serve_tell_change(c, d);
}

void virtio_end_reset(struct virtio_dev *d, u32 epoch)
{
    if (d->wants_reset && d->epoch == epoch)
        reset_registers(d);
}

void virtio_need_reset(struct virtio_dev *d)
{
    if (d->status & DRIVER_OK)
        d->status |= NEEDS_RESET;
}

static u32 half(u64 bits, u32 which)
{
    return which < 2 ? (u32)(bits >> (32 * which)) : 0;
}

static void put(u8 *to, u64 value, unsigned n)
{
    memcpy(to, &value, n);
}

static void put_queue(const struct virtio_dev *d, u8 *r)
{
    const struct virtio_queue *q = &d->queue[d->selected];
    put(r + QUEUE_SIZE, q->size, 2);
    put(r + QUEUE_VECTOR, q->vector, 2);
    put(r + QUEUE_ENABLE, q->is_enabled, 2);
    put(r + QUEUE_NOTIFY_OFF, d->selected, 2);
    put(r + QUEUE_DESC, q->desc, 8);
    put(r + QUEUE_DRIVER, q->driver, 8);
    put(r + QUEUE_DEVICE, q->device, 8);
}

static u32 take(const u8 *from, unsigned size)
{
    u32 value = 0;
    memcpy(&value, from, size);
    return value;
}

static u32 read_common(struct cell *c, struct virtio_dev *d, u32 offset, unsigned size)
{
    u8 r[COMMON_END + 4] = {0};
    if (offset >= COMMON_END)
        return 0;
    virtio_is_resetting(c, d);
    put(r + DEVICE_FEATURE_SELECT, d->offered_half, 4);
    put(r + DEVICE_FEATURE, half(d->offered, d->offered_half), 4);
    put(r + DRIVER_FEATURE_SELECT, d->accepted_half, 4);
    put(r + DRIVER_FEATURE, half(d->accepted, d->accepted_half), 4);
    put(r + CONFIG_VECTOR, d->config_vector, 2);
    put(r + NUM_QUEUES, d->n_queues, 2);
    r[DEVICE_STATUS] = d->status;
    put(r + QUEUE_SELECT, d->selected, 2);
    if (d->selected < d->n_queues)
        put_queue(d, r);
    return take(r + offset, size);
}

// Reading the interrupt status takes it back.
static u32 read_isr(struct virtio_dev *d)
{
    u32 isr = d->isr;
    d->isr = 0;
    return isr;
}

u32 virtio_read(struct cell *c, struct virtio_dev *d, u64 offset, unsigned size)
{
    u32 at = (u32)offset & 0xfff;
    switch (offset & ~0xfffULL) {
    case VIRTIO_BAR_COMMON: return read_common(c, d, at, size);
    case VIRTIO_BAR_ISR: return at ? 0 : read_isr(d);
    case VIRTIO_BAR_DEVICE: return at + size <= sizeof(d->config) ? take(d->config + at, size) : 0;
    default: return 0;
    }
}

static bool features_are_good(const struct virtio_dev *d)
{
    return !(d->accepted & ~d->offered) && d->accepted & VERSION_1;
}

// Bits are only taken back by a reset, section 2.1.1.
static void write_status(struct cell *c, struct virtio_dev *d, u8 status)
{
    u8 before = d->status;
    if (!status) {
        virtio_ask_reset(c, d);
        return;
    }
    if (status & FEATURES_OK && !features_are_good(d))
        status &= (u8)~FEATURES_OK;
    if (!((status | before) & FEATURES_OK))
        status &= (u8)~DRIVER_OK;
    d->status |= status & STATUS_DRIVERS;
    if (d->status & ~before & DRIVER_OK)
        serve_tell_change(c, d);
}

static u16 checked_vector(const struct virtio_dev *d, u32 vector)
{
    return vector <= d->n_queues ? (u16)vector : VIRTIO_NO_VECTOR;
}

static void set_half(u64 *to, u32 offset, u32 value)
{
    unsigned shift = 8 * (offset & 4);
    *to = (*to & ~(0xffffffffULL << shift)) | (u64)value << shift;
}

static void write_queue(struct virtio_dev *d, u32 offset, u32 value)
{
    if (d->selected >= d->n_queues)
        return;
    struct virtio_queue *q = &d->queue[d->selected];
    if (offset == QUEUE_VECTOR)
        q->vector = checked_vector(d, value);
    if (q->is_enabled)
        return;
    if (offset == QUEUE_SIZE && is_pow2(value) && value <= d->max_size[d->selected])
        q->size = (u16)value;
    if (offset == QUEUE_ENABLE && value == 1)
        q->is_enabled = 1;
    switch (offset & ~7u) {
    case QUEUE_DESC: set_half(&q->desc, offset, value); break;
    case QUEUE_DRIVER: set_half(&q->driver, offset, value); break;
    case QUEUE_DEVICE: set_half(&q->device, offset, value); break;
    default: break;
    }
}

// Fields are written in their own width, 64-bit ones as two halves (section 4.1.3.1).
static unsigned width_of(u32 offset)
{
    if (offset == DEVICE_STATUS)
        return 1;
    return offset < CONFIG_VECTOR || (offset >= QUEUE_DESC && offset < COMMON_END) ? 4 : 2;
}

static void write_common(struct cell *c, struct virtio_dev *d, u32 offset, u32 value, unsigned size)
{
    if (offset >= COMMON_END || size != width_of(offset) || virtio_is_resetting(c, d))
        return;
    switch (offset) {
    case DEVICE_FEATURE_SELECT: d->offered_half = value; break;
    case DRIVER_FEATURE_SELECT: d->accepted_half = value; break;
    case DRIVER_FEATURE:
        if (d->accepted_half < 2 && !(d->status & FEATURES_OK))
            set_half(&d->accepted, 4 * d->accepted_half, value);
        break;
    case CONFIG_VECTOR: d->config_vector = checked_vector(d, value); break;
    case DEVICE_STATUS: write_status(c, d, (u8)value); break;
    case QUEUE_SELECT: d->selected = (u16)value; break;
    default: write_queue(d, offset, value); break;
    }
}

void virtio_write(struct cell *c, struct virtio_dev *d, u64 offset, u32 value, unsigned size)
{
    u32 at = (u32)offset & 0xfff, queue = at / 4;
    switch (offset & ~0xfffULL) {
    case VIRTIO_BAR_COMMON: write_common(c, d, at, value, size); break;
    case VIRTIO_BAR_NOTIFY:
        if (queue < d->n_queues && d->status & DRIVER_OK && !d->wants_reset)
            serve_tell_kick(c, d, queue);
        break;
    default: break;
    }
}
