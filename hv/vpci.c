// SPDX-License-Identifier: Apache-2.0
#include "hv/vpci.h"
#include "base/bits.h"
#include "hv/cell.h"
#include "hv/sync.h"
#include "hv/vintc.h"
#include "hv/virtio.h"

#define CONFIG_SIZE 0x10000ULL

enum { REG_ID = 0x00, REG_COMMAND = 0x04, REG_CLASS = 0x08, REG_BAR0 = 0x10, REG_SUBSYSTEM = 0x2c };
enum { REG_CAPABILITIES = 0x34, REG_INTERRUPT = 0x3c };
enum { COMMAND_MEMORY = 2, COMMAND_INTX_OFF = 0x400, COMMAND_WRITABLE = 0x406 };
enum { STATUS_INTX = 1 << 3, STATUS_CAPABILITIES = 1 << 4, PIN_A = 1 };
enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_FIRST = 0x1040 };

// Capabilities: three of 16 bytes, one of 20, and MSI-X.
enum { CAP_COMMON = 0x40, CAP_ISR = 0x50, CAP_DEVICE = 0x60, CAP_NOTIFY = 0x70, CAP_MSIX = 0x84 };
enum { ID_VENDOR = 0x09, ID_MSIX = 0x11, MSIX_ON = 0x8000, MSIX_MASKED = 0x4000, ENTRY_MASKED = 1 };
enum { NOTIFY_MULTIPLIER = 4 };

// MSI-X table and pending bits are in the page of the interrupt status.
enum { MSIX_TABLE = VIRTIO_BAR_ISR + 0x800, MSIX_PENDING = VIRTIO_BAR_ISR + 0xc00 };

static u32 virtio_capability(u32 next, u32 length, u32 type, u32 word, u32 offset)
{
    switch (word) {
    case 0: return ID_VENDOR | next << 8 | length << 16 | type << 24;
    case 8: return offset;
    case 12: return 0x1000;
    case 16: return NOTIFY_MULTIPLIER;
    default: return 0;
    }
}

static u32 capability(const struct virtio_dev *d, u32 at)
{
    if (at < CAP_ISR)
        return virtio_capability(CAP_ISR, 16, 1, at - CAP_COMMON, VIRTIO_BAR_COMMON);
    if (at < CAP_DEVICE)
        return virtio_capability(CAP_DEVICE, 16, 3, at - CAP_ISR, VIRTIO_BAR_ISR);
    if (at < CAP_NOTIFY)
        return virtio_capability(CAP_NOTIFY, 16, 4, at - CAP_DEVICE, VIRTIO_BAR_DEVICE);
    if (at < CAP_MSIX)
        return virtio_capability(CAP_MSIX, 20, 2, at - CAP_NOTIFY, VIRTIO_BAR_NOTIFY);
    switch (at - CAP_MSIX) {
    case 0: return ID_MSIX | (d->msix_control | d->n_queues) << 16;
    case 4: return MSIX_TABLE;
    case 8: return MSIX_PENDING;
    default: return 0;
    }
}

static u32 config_word(const struct virtio_dev *d, u32 at)
{
    switch (at) {
    case REG_ID: return (VIRTIO_FIRST + d->kind) << 16 | VIRTIO_VENDOR;
    case REG_COMMAND:
        return (u32)(STATUS_CAPABILITIES | (d->isr ? STATUS_INTX : 0)) << 16 | d->command;
    case REG_CLASS: return d->class_code << 8 | 1;
    case REG_BAR0: return d->bar;
    case REG_SUBSYSTEM: return (0x40 + d->kind) << 16 | VIRTIO_VENDOR;
    case REG_CAPABILITIES: return CAP_COMMON;
    case REG_INTERRUPT: return PIN_A << 8 | d->line_register;
    default: return at >= CAP_COMMON ? capability(d, at) : 0;
    }
}

// Of a slot's function 0, NULL if there is none.
static struct virtio_dev *configured(struct cell *c, u64 offset)
{
    u64 slot = offset >> 11;
    if (offset & 0x700 || slot >= CONTROL_MAX_SLOTS || !c->pci.slot[slot].is_there)
        return NULL;
    return &c->pci.slot[slot];
}

static void write_config(struct virtio_dev *d, u32 at, u32 value, unsigned size)
{
    if (at == REG_COMMAND)
        d->command = (u16)(value & COMMAND_WRITABLE);
    else if (at == REG_BAR0 && size == 4)
        d->bar = value & ~(u32)(VIRTIO_BAR_SIZE - 1);
    else if (at == REG_INTERRUPT)
        d->line_register = (u8)value;
    else if (at == CAP_MSIX + 2 && size == 2)
        d->msix_control = (u16)(value & (MSIX_ON | MSIX_MASKED));
}

// The function whose BAR has the address.
static struct virtio_dev *placed(struct cell *c, u64 gpa)
{
    for (u32 i = 0; i < CONTROL_MAX_SLOTS; i++) {
        struct virtio_dev *d = &c->pci.slot[i];
        if (d->is_there && d->command & COMMAND_MEMORY && gpa - d->bar < VIRTIO_BAR_SIZE)
            return d;
    }
    return NULL;
}

static u32 *msix_word(struct virtio_dev *d, u64 offset)
{
    u64 at = offset - MSIX_TABLE;
    return offset >= MSIX_TABLE && at / 16 <= d->n_queues ? &d->msix[at / 16][at % 16 / 4] : NULL;
}

static void send(struct cell *c, struct virtio_dev *d, u32 vector)
{
    bool is_masked = d->msix_control & MSIX_MASKED || d->msix[vector][3] & ENTRY_MASKED;
    d->msix_pending = (d->msix_pending & ~(u32)BIT(vector)) | (u32)is_masked << vector;
    if (!is_masked)
        vintc_send(c, d->msix[vector][2] & 0xff);
}

// What masks and the wire show may have changed.
static void update(struct cell *c, struct virtio_dev *d)
{
    bool is_msix = d->msix_control & MSIX_ON;
    bool level = d->isr && !is_msix && !(d->command & COMMAND_INTX_OFF);
    for (u32 left = is_msix ? d->msix_pending : 0; left; left &= left - 1)
        send(c, d, (u32)__builtin_ctz(left));
    if (level == d->line)
        return;
    d->line = level;
    vintc_set_line(c, c->pci.vector + (u32)(d - c->pci.slot), level);
}

static u32 read_word(struct cell *c, u64 offset, unsigned size)
{
    struct virtio_dev *d = offset < CONFIG_SIZE ? configured(c, offset) : NULL;
    if (d)
        return config_word(d, (u32)offset & 0xfc) >> (8 * (offset & 3));
    d = offset < VPCI_BARS ? NULL : placed(c, c->pci.gpa + offset);
    if (!d)
        return ~0u;
    u64 at = c->pci.gpa + offset - d->bar;
    const u32 *word = msix_word(d, at);
    if (word)
        return *word >> (8 * (at & 3));
    u32 value = at == MSIX_PENDING ? d->msix_pending : virtio_read(c, d, at, size);
    update(c, d);
    return value;
}

static void write_word(struct cell *c, u64 offset, u32 value, unsigned size)
{
    struct virtio_dev *d = offset < CONFIG_SIZE ? configured(c, offset) : NULL;
    if (d) {
        write_config(d, (u32)offset & 0xff, value, size);
    } else {
        d = offset < VPCI_BARS ? NULL : placed(c, c->pci.gpa + offset);
        if (!d)
            return;
        u64 at = c->pci.gpa + offset - d->bar;
        u32 *word = msix_word(d, at);
        if (word && size == 4)
            *word = value;
        else if (!word)
            virtio_write(c, d, at, value, size);
    }
    update(c, d);
}

static u64 read(struct cpu *cpu, struct vdev *v, u64 offset, unsigned size)
{
    struct cell *c = cpu->vcpu->cell;
    spin_lock(&c->pci.lock);
    u64 value = read_word(c, offset, size == 8 ? 4 : size);
    if (size == 8)
        value |= (u64)read_word(c, offset + 4, 4) << 32;
    spin_unlock(&c->pci.lock);
    return value & ~0ULL >> (64 - 8 * size);
}

static void write(struct cpu *cpu, struct vdev *v, u64 offset, u64 value, unsigned size)
{
    struct cell *c = cpu->vcpu->cell;
    spin_lock(&c->pci.lock);
    write_word(c, offset, (u32)value, size == 8 ? 4 : size);
    if (size == 8)
        write_word(c, offset + 4, (u32)(value >> 32), 4);
    spin_unlock(&c->pci.lock);
}

void vpci_add(struct cell *c, u64 gpa, u32 vector)
{
    struct vdev *v = cell_add_vdev(c, gpa, CELL_PCI_SIZE);
    if (!v)
        return;
    v->read = read;
    v->write = write;
    c->pci.gpa = gpa;
    c->pci.vector = vector;
}

void vpci_power_on(struct cell *c)
{
    for (u32 i = 0; i < CONTROL_MAX_SLOTS; i++)
        virtio_power_on(&c->pci.slot[i]);
}

bool vpci_quiesce(struct cell *c)
{
    bool is_waiting = false;
    spin_lock(&c->pci.lock);
    for (u32 i = 0; i < CONTROL_MAX_SLOTS; i++) {
        struct virtio_dev *d = &c->pci.slot[i];
        if (d->status)
            virtio_ask_reset(c, d);
        is_waiting = virtio_is_resetting(c, d) || is_waiting;
    }
    spin_unlock(&c->pci.lock);
    return is_waiting;
}

void vpci_raise(struct cell *c, u32 slot, u32 queue)
{
    struct virtio_dev *d = &c->pci.slot[slot];
    bool is_config = queue == VIRTIO_CONFIG_CHANGE;
    spin_lock(&c->pci.lock);
    if (d->is_there && (is_config || queue < d->n_queues) && d->status) {
        u16 vector = is_config ? d->config_vector : d->queue[queue].vector;
        d->isr |= is_config ? 2 : 1;
        if (d->msix_control & MSIX_ON && vector != VIRTIO_NO_VECTOR)
            send(c, d, vector);
        update(c, d);
    }
    spin_unlock(&c->pci.lock);
}
