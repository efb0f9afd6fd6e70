// SPDX-License-Identifier: Apache-2.0
// The registers of a modern virtio PCI function. Fields are accessed in their own width, 64-bit
// ones as two halves (section 4.1.3.1); other writes are ignored.
#include "dev/virtio/virtio_pci.h"
#include "base/bits.h"

#include <string.h>

enum { MSIX_BAR = 1, REGISTER_BAR = 4, REGISTER_BAR_SIZE = 0x4000 };
enum { COMMON = 0x0000, ISR = 0x1000, DEVICE = 0x2000, NOTIFY = 0x3000, BLOCK_SIZE = 0x1000 };
enum { NOTIFY_MULTIPLIER = 4 };

// struct virtio_pci_common_cfg, section 4.1.4.3.
enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_VECTOR = 0x10,
    NUM_QUEUES = 0x12,
    DEVICE_STATUS = 0x14,
    CONFIG_GENERATION = 0x15, // 0: no configuration changes
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
    COMMON_SIZE = 0x38,
};

// struct virtio_pci_cap, section 4.1.4.
enum {
    CAP_COMMON = 1,
    CAP_NOTIFY = 2,
    CAP_ISR = 3,
    CAP_DEVICE = 4,
    CAP_PCI = 5,
    CAP_LEN = 2,
    CAP_TYPE = 3,
    CAP_BAR = 4,
    CAP_OFFSET = 8,
    CAP_LENGTH = 12,
    CAP_EXTRA = 16,
};

enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

static struct virtio_pci *pci_of(struct virtio *v)
{
    return container_of(v, struct virtio_pci, v);
}

// The status bits are kept with MSI-X too, but then the wire does not show them.
static void update_intx(struct virtio_pci *t)
{
    pci_set_intx(&t->pci, t->isr && !pci_msix_is_on(&t->pci));
}

static void interrupt(struct virtio_pci *t, u8 isr, u16 vector)
{
    t->isr |= isr;
    update_intx(t);
    if (vector != VIRTIO_NO_VECTOR)
        pci_msix_send(&t->pci, vector);
}

static void queue_interrupt(struct virtio *v, unsigned queue)
{
    interrupt(pci_of(v), ISR_QUEUE, pci_of(v)->vectors[queue]);
}

static void config_interrupt(struct virtio *v)
{
    interrupt(pci_of(v), ISR_CONFIG, pci_of(v)->config_vector);
}

static bool may_dma(const struct virtio *v)
{
    return pci_is_master(&container_of(v, const struct virtio_pci, v)->pci);
}

static const struct virtio_transport transport = {queue_interrupt, config_interrupt, may_dma};

// The selected queue, or NULL: then its registers read as zero and ignore writes.
static struct virtq *selected(struct virtio_pci *t)
{
    return t->selected < t->v.n_queues ? &t->v.queues[t->selected] : NULL;
}

static void fill_queue(struct virtio_pci *t, const struct virtq *q, u8 *r)
{
    store_le(r + QUEUE_SIZE, q->size, 2);
    store_le(r + QUEUE_VECTOR, t->vectors[t->selected], 2);
    store_le(r + QUEUE_ENABLE, q->is_enabled, 2);
    store_le(r + QUEUE_NOTIFY_OFF, t->selected, 2);
    store_le(r + QUEUE_DESC, q->desc_gpa, 8);
    store_le(r + QUEUE_DRIVER, q->avail_gpa, 8);
    store_le(r + QUEUE_DEVICE, q->used_gpa, 8);
}

static u64 half(u64 features, u32 which)
{
    return which < 2 ? bits_get(features, 32 * which + 31, 32 * which) : 0;
}

static u64 common_read(struct virtio_pci *t, unsigned offset, unsigned size)
{
    u8 r[COMMON_SIZE + 8] = {0};
    if (offset >= COMMON_SIZE)
        return 0;
    store_le(r + DEVICE_FEATURE_SELECT, t->device_feature_half, 4);
    store_le(r + DEVICE_FEATURE, half(t->v.offered, t->device_feature_half), 4);
    store_le(r + DRIVER_FEATURE_SELECT, t->driver_feature_half, 4);
    store_le(r + DRIVER_FEATURE, half(t->v.accepted, t->driver_feature_half), 4);
    store_le(r + CONFIG_VECTOR, t->config_vector, 2);
    store_le(r + NUM_QUEUES, t->v.n_queues, 2);
    r[DEVICE_STATUS] = t->v.status;
    store_le(r + QUEUE_SELECT, t->selected, 2);
    if (selected(t))
        fill_queue(t, selected(t), r);
    return load_le(r + offset, size);
}

// A vector that is not there reads back as none, section 4.1.5.1.2.
static u16 checked_vector(const struct virtio_pci *t, u32 vector)
{
    return vector < t->pci.msix.n_vectors ? (u16)vector : VIRTIO_NO_VECTOR;
}

static void reset_registers(struct virtio_pci *t)
{
    t->device_feature_half = t->driver_feature_half = 0;
    t->selected = 0;
    t->config_vector = VIRTIO_NO_VECTOR;
    for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
        t->vectors[i] = VIRTIO_NO_VECTOR;
    t->isr = 0;
    update_intx(t);
}

static void set_status(struct virtio_pci *t, u32 status)
{
    virtio_set_status(&t->v, (u8)status);
    if (!(u8)status)
        reset_registers(t);
}

static void set_queue_size(struct virtio_pci *t, struct virtq *q, u32 size)
{
    if (is_pow2(size) && size <= q->max_size)
        q->size = (u16)size;
    else
        log_guest(t->v.env->log, "%s: queue size %u", t->v.ops->name, size);
}

static gpa_t *ring_address(struct virtq *q, unsigned offset)
{
    switch (offset & ~7u) {
    case QUEUE_DESC: return &q->desc_gpa;
    case QUEUE_DRIVER: return &q->avail_gpa;
    case QUEUE_DEVICE: return &q->used_gpa;
    default: return NULL;
    }
}

static void queue_write(struct virtio_pci *t, unsigned offset, u32 value)
{
    struct virtq *q = selected(t);
    if (!q)
        return;
    if (offset == QUEUE_VECTOR) {
        t->vectors[t->selected] = checked_vector(t, value);
        return;
    }
    if (q->is_enabled) {
        if (offset != QUEUE_ENABLE || value != 1)
            log_guest(t->v.env->log, "%s: write to an enabled queue", t->v.ops->name);
        return;
    }
    gpa_t *ring = ring_address(q, offset);
    if (offset == QUEUE_SIZE)
        set_queue_size(t, q, value);
    else if (offset == QUEUE_ENABLE && value == 1)
        virtio_enable_queue(&t->v, t->selected);
    else if (ring)
        *ring = bits_set(*ring, 8 * (offset & 4) + 31, 8 * (offset & 4), value);
}

static unsigned width_of(unsigned offset)
{
    if (offset == DEVICE_STATUS)
        return 1;
    return offset < CONFIG_VECTOR || offset >= QUEUE_DESC ? 4 : 2;
}

static void common_write(struct virtio_pci *t, unsigned offset, u32 value, unsigned size)
{
    if (offset >= COMMON_SIZE || size != width_of(offset) || offset % size) {
        log_guest(t->v.env->log, "%s: write of %u bytes to common configuration + 0x%x",
                  t->v.ops->name, size, offset);
        return;
    }
    switch (offset) {
    case DEVICE_FEATURE_SELECT: t->device_feature_half = value; break;
    case DRIVER_FEATURE_SELECT: t->driver_feature_half = value; break;
    case DRIVER_FEATURE: virtio_set_features(&t->v, t->driver_feature_half, value); break;
    case CONFIG_VECTOR: t->config_vector = checked_vector(t, value); break;
    case DEVICE_STATUS: set_status(t, value); break;
    case QUEUE_SELECT: t->selected = (u16)value; break;
    default: queue_write(t, offset, value);
    }
}

static u64 isr_read(struct virtio_pci *t)
{
    u8 isr = t->isr;
    t->isr = 0;
    update_intx(t);
    return isr;
}

static u64 device_read(struct virtio_pci *t, unsigned offset, unsigned size)
{
    return offset + size <= t->v.config_size ? load_le(t->v.config + offset, size) : 0;
}

static void device_write(struct virtio_pci *t, unsigned offset, u32 value, unsigned size)
{
    if (offset + size <= t->v.config_size && t->v.ops->config_write)
        t->v.ops->config_write(&t->v, offset, value, size);
}

static u64 register_read(void *opaque, u64 at, unsigned size)
{
    struct virtio_pci *t = opaque;
    unsigned offset = at % BLOCK_SIZE;
    switch (at - offset) {
    case COMMON: return common_read(t, offset, size);
    case ISR: return offset ? 0 : isr_read(t);
    case DEVICE: return device_read(t, offset, size);
    default: return 0;
    }
}

static void register_write(void *opaque, u64 at, u64 value, unsigned size)
{
    struct virtio_pci *t = opaque;
    unsigned offset = at % BLOCK_SIZE;
    switch (at - offset) {
    case COMMON: common_write(t, offset, (u32)value, size); break;
    case DEVICE: device_write(t, offset, (u32)value, size); break;
    case NOTIFY: virtio_kick(&t->v, offset / NOTIFY_MULTIPLIER); break;
    }
}

static const struct mem_io_ops register_ops = {
    .read = register_read, .write = register_write, .max_size = 4};

static unsigned add_cap(struct pci_device *p, u8 type, u32 offset, u32 length, unsigned size)
{
    unsigned at = pci_add_capability(p, PCI_CAP_VENDOR, size);
    u8 *cap = &p->config[at];
    cap[CAP_LEN] = (u8)size;
    cap[CAP_TYPE] = type;
    cap[CAP_BAR] = REGISTER_BAR;
    store_le(cap + CAP_OFFSET, offset, 4);
    store_le(cap + CAP_LENGTH, length, 4);
    return at;
}

// Section 4.1.4.9: an access to the capability's data is one to the BAR place it names.
static bool window(struct virtio_pci *t, unsigned *bar, u32 *offset, u32 *length)
{
    const u8 *cap = &t->pci.config[t->window_cap];
    *bar = cap[CAP_BAR];
    *offset = (u32)load_le(cap + CAP_OFFSET, 4);
    *length = (u32)load_le(cap + CAP_LENGTH, 4);
    return (*length == 1 || *length == 2 || *length == 4) && *offset % *length == 0;
}

static bool touches_window(const struct virtio_pci *t, unsigned offset, unsigned size)
{
    unsigned data = t->window_cap + CAP_EXTRA;
    return offset < data + 4 && data < offset + size;
}

static void config_reads(struct pci_device *p, unsigned offset, unsigned size)
{
    struct virtio_pci *t = (struct virtio_pci *)p;
    unsigned bar;
    u32 at, length;
    if (touches_window(t, offset, size) && window(t, &bar, &at, &length))
        store_le(&p->config[t->window_cap + CAP_EXTRA], pci_bar_read(p, bar, at, length), length);
}

static void config_written(struct pci_device *p, unsigned offset, unsigned size)
{
    struct virtio_pci *t = (struct virtio_pci *)p;
    unsigned bar;
    u32 at, length;
    if (touches_window(t, offset, size) && window(t, &bar, &at, &length))
        pci_bar_write(p, bar, at, load_le(&p->config[t->window_cap + CAP_EXTRA], length), length);
    update_intx(t); // MSI-X may have been switched
}

static void master_on(struct pci_device *p)
{
    virtio_kick_all(&((struct virtio_pci *)p)->v);
}

static const struct pci_ops pci_ops = {config_reads, config_written, master_on};

static void add_caps(struct virtio_pci *t)
{
    struct pci_device *p = &t->pci;
    add_cap(p, CAP_COMMON, COMMON, BLOCK_SIZE, 16);
    add_cap(p, CAP_ISR, ISR, BLOCK_SIZE, 16);
    add_cap(p, CAP_DEVICE, DEVICE, BLOCK_SIZE, 16);
    unsigned at = add_cap(p, CAP_NOTIFY, NOTIFY, BLOCK_SIZE, 20);
    store_le(&p->config[at + CAP_EXTRA], NOTIFY_MULTIPLIER, 4);
    at = add_cap(p, CAP_PCI, 0, 0, 20);
    p->config[at + CAP_BAR] = 0;
    p->writable[at + CAP_BAR] = 0xff;
    memset(&p->writable[at + CAP_OFFSET], 0xff, 12);
    t->window_cap = (u8)at;
}

bool virtio_pci_realize(struct virtio_pci *t, u32 class_code, struct err *e)
{
    struct pci_ids ids = {.vendor = 0x1af4,
                          .device = (u16)(0x1040 + t->v.ops->id),
                          .subsystem_vendor = 0x1af4,
                          .subsystem = 0x1100,
                          .class_code = class_code,
                          .revision = 1};
    if (!t->is_modern_only)
        return err_set(e, "property 'disable-legacy': only 'on' is there");
    if (!t->wants_indirect)
        t->v.offered &= ~BIT(VIRTIO_F_INDIRECT_DESC);
    if (!t->wants_event_idx)
        t->v.offered &= ~BIT(VIRTIO_F_EVENT_IDX);
    t->v.transport = &transport;
    if (!pci_realize(&t->pci, &ids, &pci_ops, e))
        return false;
    pci_add_bar(&t->pci, REGISTER_BAR, PCI_BAR_MEM64_PREFETCH, REGISTER_BAR_SIZE, &register_ops, t);
    pci_use_intx(&t->pci);
    pci_add_msix(&t->pci, MSIX_BAR, t->v.n_queues + 1);
    add_caps(t);
    pci_add_express(&t->pci);
    reset_registers(t);
    return true;
}

void virtio_pci_reset(struct virtio_pci *t)
{
    virtio_reset(&t->v);
    reset_registers(t);
    pci_reset(&t->pci);
}

void virtio_pci_free(struct virtio_pci *t)
{
    if (!t->v.ops)
        return; // realize did not come that far
    // Other threads may still complete what the device does.
    mem_lock(t->pci.d.env->mem);
    virtio_reset(&t->v);
    pci_free(&t->pci);
    mem_unlock(t->pci.d.env->mem);
}
