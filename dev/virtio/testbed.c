// SPDX-License-Identifier: Apache-2.0
#include "dev/virtio/testbed.h"
#include "base/bits.h"
#include "base/bug.h"
#include "base/option.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMON_AT(d, field) ((d)->common + offsetof(struct virtio_pci_common_cfg, field))

static u64 doorbell_read(void *opaque, u64 offset, unsigned size)
{
    return 0;
}

static void doorbell_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct bed *b = opaque;
    b->n_messages[value % 16]++;
}

static const struct mem_io_ops doorbell_ops = {doorbell_read, doorbell_write, .takes_msi = true};

static void set_wire(void *opaque, unsigned pin, bool level)
{
    ((struct bed *)opaque)->wires[pin] = level;
}

static u64 bed_now(void *opaque)
{
    return ((struct bed *)opaque)->now;
}

static void drop_line(void *opaque, const char *line)
{
    if (getenv("LH_TEST_LOG"))
        printf("# %s\n", line);
}

void bed_init(struct bed *b)
{
    struct err e = {0};
    memset(b, 0, sizeof(*b));
    b->log = (struct log){.enabled = 1u << LOG_GUEST, .sink = drop_line};
    mem_space_init(&b->mem, &b->log);
    BUG_ON(!mem_add_ram(&b->mem, 0, BED_RAM, "low", &e));
    BUG_ON(!mem_add_ram(&b->mem, BED_HIGH_RAM, 0x10000, "high", &e));
    b->ram = mem_ram_page(&b->mem, 0, 0x10000, true);
    b->clock = (struct clock){.now = bed_now, .opaque = b};
    b->env = (struct device_env){
        .mem = &b->mem, .clock = &b->clock, .log = &b->log, .backends = &b->backends};
    b->doorbell = (struct mem_region){
        .base = BED_DOORBELL, .size = 8, .ops = &doorbell_ops, .opaque = b, .name = "doorbell"};
    mem_add_region(&b->mem, &b->doorbell);
    b->host = (struct pcie_host *)device_new(device_type_find("pcie-host"), &b->env);
    for (unsigned i = 0; i < PCI_N_INTX; i++)
        b->host->bus.intx[i] = (struct irq){set_wire, b, i};
    BUG_ON(!device_realize(&b->host->d, &e));
}

void bed_free(struct bed *b)
{
    for (unsigned i = 0; i < b->n_devices; i++)
        device_free(b->devices[i]);
    device_free(&b->host->d);
    backends_free(&b->backends);
    mem_space_free(&b->mem);
}

struct device *bed_device(struct bed *b, const char *text, struct err *e)
{
    char *words = strdup(text), *rest = words;
    struct device *d = device_new(device_type_find(option_next(&rest)), &b->env);
    b->devices[b->n_devices++] = d;
    bool ok = true;
    while (ok && rest) {
        char *name = option_next(&rest), *value = option_value(name);
        ok = device_set(d, name, value, e);
    }
    free(words);
    return ok && device_realize(d, e) ? d : NULL;
}

void bed_run_timers(struct bed *b)
{
    mem_lock(&b->mem);
    clock_fire_due(&b->clock);
    mem_unlock(&b->mem);
}

u64 driver_get(const struct driver *d, u64 address, unsigned size)
{
    return mem_read(&d->bed->mem, address, size);
}

void driver_set(const struct driver *d, u64 address, u64 value, unsigned size)
{
    mem_write(&d->bed->mem, address, value, size);
}

u64 driver_config(const struct driver *d, unsigned offset, unsigned size)
{
    return driver_get(d, BED_ECAM + (d->devfn << 12) + offset, size);
}

void driver_set_config(const struct driver *d, unsigned offset, u64 value, unsigned size)
{
    driver_set(d, BED_ECAM + (d->devfn << 12) + offset, value, size);
}

unsigned driver_find_cap(const struct driver *d, u8 id, unsigned after)
{
    unsigned at = after ? after + 1 : PCI_CAPABILITY_LIST;
    for (int i = 0; i < 48; i++) {
        at = (unsigned)driver_config(d, at, 1);
        if (!at || driver_config(d, at, 1) == id)
            return at;
        at++;
    }
    return 0;
}

// 64 KiB per function; BAR 4 at its start, BAR 1 in its second half.
static u64 bar_address(const struct driver *d, unsigned bar)
{
    return 0x40000000 + ((u64)d->devfn << 16) + (bar == 4 ? 0 : 0x8000);
}

static void find_structures(struct driver *d)
{
    for (unsigned at = 0; (at = driver_find_cap(d, PCI_CAP_ID_VNDR, at));) {
        u64 where = bar_address(d, (unsigned)driver_config(d, at + VIRTIO_PCI_CAP_BAR, 1)) +
                    driver_config(d, at + VIRTIO_PCI_CAP_OFFSET, 4);
        switch (driver_config(d, at + VIRTIO_PCI_CAP_CFG_TYPE, 1)) {
        case VIRTIO_PCI_CAP_COMMON_CFG: d->common = where; break;
        case VIRTIO_PCI_CAP_ISR_CFG: d->isr = where; break;
        case VIRTIO_PCI_CAP_DEVICE_CFG: d->config = where; break;
        case VIRTIO_PCI_CAP_NOTIFY_CFG:
            d->notify = where;
            d->notify_multiplier = (u32)driver_config(d, at + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
            break;
        }
    }
}

bool driver_probe(struct driver *d, struct bed *b, unsigned devfn)
{
    *d = (struct driver){.bed = b, .devfn = devfn};
    find_structures(d);
    driver_set_config(d, PCI_BASE_ADDRESS_1, bar_address(d, 1), 4);
    driver_set_config(d, PCI_BASE_ADDRESS_4, bar_address(d, 4), 4);
    driver_set_config(d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    return CHECK_EQ(driver_config(d, PCI_VENDOR_ID, 2), 0x1af4) && CHECK(d->common) &&
           CHECK(d->isr) && CHECK(d->config) && CHECK(d->notify) && CHECK(d->notify_multiplier);
}

u8 driver_status(const struct driver *d)
{
    return (u8)driver_get(d, COMMON_AT(d, device_status), 1);
}

void driver_reset(struct driver *d)
{
    driver_set(d, COMMON_AT(d, device_status), 0, 1);
}

static void add_status(const struct driver *d, u8 bit)
{
    driver_set(d, COMMON_AT(d, device_status), driver_status(d) | bit, 1);
}

static bool negotiate(struct driver *d, u64 wanted)
{
    u64 offered = 0;
    for (unsigned half = 0; half < 2; half++) {
        driver_set(d, COMMON_AT(d, device_feature_select), half, 4);
        offered |= driver_get(d, COMMON_AT(d, device_feature), 4) << (32 * half);
    }
    d->features = offered & wanted;
    for (unsigned half = 0; half < 2; half++) {
        driver_set(d, COMMON_AT(d, guest_feature_select), half, 4);
        driver_set(d, COMMON_AT(d, guest_feature), (u32)(d->features >> (32 * half)), 4);
    }
    add_status(d, VIRTIO_CONFIG_S_FEATURES_OK);
    return driver_status(d) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static void set_address(struct driver *d, u64 at, gpa_t gpa)
{
    driver_set(d, at, (u32)gpa, 4);
    driver_set(d, at + 4, gpa >> 32, 4);
}

// Message data 1 + queue, vector likewise; the configuration's is 0.
static void set_vector(struct driver *d, unsigned vector)
{
    u64 entry = bar_address(d, 1) + 16 * vector;
    driver_set(d, entry, BED_DOORBELL, 8);
    driver_set(d, entry + 8, vector, 4);
    driver_set(d, entry + 12, 0, 4);
}

static void set_up_ring(struct driver *d, unsigned q)
{
    struct ring *r = &d->rings[q];
    *r = (struct ring){.gpa = 0x10000 + (gpa_t)q * RING_BYTES};
    memset(d->bed->ram + r->gpa, 0, RING_BYTES);
    driver_set(d, COMMON_AT(d, queue_select), q, 2);
    u64 offered = driver_get(d, COMMON_AT(d, queue_size), 2);
    r->size = offered < RING_SIZE ? (unsigned)offered : RING_SIZE;
    driver_set(d, COMMON_AT(d, queue_size), r->size, 2);
    set_address(d, COMMON_AT(d, queue_desc_lo), r->gpa + RING_DESC);
    set_address(d, COMMON_AT(d, queue_avail_lo), r->gpa + RING_AVAIL);
    set_address(d, COMMON_AT(d, queue_used_lo), r->gpa + RING_USED);
    if (d->uses_msix) {
        set_vector(d, 1 + q);
        driver_set(d, COMMON_AT(d, queue_msix_vector), 1 + q, 2);
        CHECK_EQ(driver_get(d, COMMON_AT(d, queue_msix_vector), 2), 1 + q);
    }
    driver_set(d, COMMON_AT(d, queue_enable), 1, 2);
}

static void set_up_msix(struct driver *d)
{
    unsigned cap = driver_find_cap(d, PCI_CAP_ID_MSIX, 0);
    driver_set_config(d, cap + PCI_MSIX_FLAGS, d->uses_msix ? PCI_MSIX_FLAGS_ENABLE : 0, 2);
    if (!d->uses_msix)
        return;
    set_vector(d, 0);
    driver_set(d, COMMON_AT(d, msix_config), 0, 2);
}

bool driver_start(struct driver *d, u64 wanted, bool use_msix)
{
    driver_reset(d);
    d->uses_msix = use_msix;
    set_up_msix(d);
    add_status(d, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    add_status(d, VIRTIO_CONFIG_S_DRIVER);
    if (!CHECK(negotiate(d, wanted | BIT(VIRTIO_F_VERSION_1))))
        return false;
    d->n_rings = (unsigned)driver_get(d, COMMON_AT(d, num_queues), 2);
    for (unsigned q = 0; q < d->n_rings; q++)
        set_up_ring(d, q);
    add_status(d, VIRTIO_CONFIG_S_DRIVER_OK);
    return CHECK_EQ(driver_status(d), 15);
}

void driver_set_desc(struct driver *d, unsigned queue, unsigned i, u64 addr, u32 len, u16 flags,
                     u16 next)
{
    u8 *p = d->bed->ram + d->rings[queue].gpa + RING_DESC + 16 * i;
    store_le(p, addr, 8);
    store_le(p + 8, len, 4);
    store_le(p + 12, flags, 2);
    store_le(p + 14, next, 2);
}

void driver_make_available(struct driver *d, unsigned queue, u16 head)
{
    struct ring *r = &d->rings[queue];
    u8 *avail = d->bed->ram + r->gpa + RING_AVAIL;
    store_le(avail + 4 + 2 * (r->next_avail % r->size), head, 2);
    __atomic_store_n((u16 *)(void *)(avail + 2), ++r->next_avail, __ATOMIC_RELEASE);
}

u16 driver_add(struct driver *d, unsigned queue, const struct piece *p, unsigned n)
{
    struct ring *r = &d->rings[queue];
    u16 head = r->next_desc;
    for (unsigned i = 0; i < n; i++) {
        u16 at = r->next_desc, next = (u16)((at + 1) % r->size);
        u16 flags = (p[i].is_write ? VRING_DESC_F_WRITE : 0) | (i + 1 < n ? VRING_DESC_F_NEXT : 0);
        driver_set_desc(d, queue, at, p[i].gpa, p[i].size, flags, next);
        r->next_desc = next;
    }
    driver_make_available(d, queue, head);
    return head;
}

void driver_kick(struct driver *d, unsigned queue)
{
    driver_set(d, COMMON_AT(d, queue_select), queue, 2);
    u64 off = driver_get(d, COMMON_AT(d, queue_notify_off), 2);
    driver_set(d, d->notify + off * d->notify_multiplier, queue, 2);
}

u16 driver_n_used(const struct driver *d, unsigned queue)
{
    const u8 *used = d->bed->ram + d->rings[queue].gpa + RING_USED;
    u16 idx = __atomic_load_n((const u16 *)(const void *)(used + 2), __ATOMIC_ACQUIRE);
    return (u16)(idx - d->rings[queue].next_used);
}

s64 driver_wait(struct driver *d, unsigned queue, u16 *head)
{
    struct ring *r = &d->rings[queue];
    for (int i = 0; i < 25000 && !driver_n_used(d, queue); i++)
        usleep(200);
    if (!driver_n_used(d, queue))
        return -1;
    // The interrupt follows the index; who completes holds the lock until it is sent.
    mem_lock(&d->bed->mem);
    mem_unlock(&d->bed->mem);
    const u8 *entry = d->bed->ram + r->gpa + RING_USED + 4 + 8 * (r->next_used++ % r->size);
    if (head)
        *head = (u16)load_le(entry, 4);
    // With event indexes: tell me about the next one.
    if (d->features & BIT(VIRTIO_RING_F_EVENT_IDX))
        __atomic_store_n((u16 *)(void *)(d->bed->ram + r->gpa + RING_AVAIL + 4 + 2 * r->size),
                         r->next_used, __ATOMIC_RELAXED);
    return (s64)load_le(entry + 4, 4);
}

s64 driver_do(struct driver *d, unsigned queue, const struct piece *p, unsigned n)
{
    u16 head = driver_add(d, queue, p, n), used = 0;
    driver_kick(d, queue);
    s64 length = driver_wait(d, queue, &used);
    CHECK_EQ(used, head);
    return length;
}

u32 driver_n_interrupts(const struct driver *d, unsigned queue)
{
    return d->uses_msix ? d->bed->n_messages[1 + queue] : d->bed->wires[(d->devfn >> 3) % 4];
}
