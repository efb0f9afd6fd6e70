// SPDX-License-Identifier: Apache-2.0
// All virtio devices behind their PCI functions, with rings in RAM that the input fills.
//
// Events play a driver, so that an input gets to running devices without having to guess its way
// through the handshake. The disk's I/O is done by worker threads: when it completes is not the
// input's choice.
#include "test/fuzz/mmio.h"
#include "dev/pcie_host.h"
#include "dev/virtio/virtio_pci.h"
#include "host/backends.h"
#include "host/block/block.h"
#include "host/console/console.h"
#include "host/loop.h"
#include "host/net/netdev.h"
#include "base/bits.h"
#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ECAM = 0x20000000, N_DEVICES = 4, REGISTERS = 4, NOTIFY = 0x3000, DISK_SIZE = 1 << 16 };

// Rings of queue q of device i: 4 KiB each from RING_BASE on.
enum { RING_BASE = 0x4000, RING_BYTES = 0x800, DESC = 0, AVAIL = 0x200, USED = 0x400, SIZE = 16 };

struct state {
    struct pcie_host *host;
    struct virtio_pci *devices[N_DEVICES];
    struct backends backends;
    struct loop loop;
    struct console *console;
    struct block disk;
    u8 sectors[DISK_SIZE];
    struct netdev net;
    bool is_net_full;
};

static int disk_read(struct block *b, u64 offset, struct iovec *iov, int n)
{
    struct state *s = container_of(b, struct state, disk);
    for (int i = 0; i < n; offset += iov[i++].iov_len)
        memcpy(iov[i].iov_base, s->sectors + offset, iov[i].iov_len);
    return 0;
}

static int disk_write(struct block *b, u64 offset, struct iovec *iov, int n)
{
    struct state *s = container_of(b, struct state, disk);
    for (int i = 0; i < n; offset += iov[i++].iov_len)
        memcpy(s->sectors + offset, iov[i].iov_base, iov[i].iov_len);
    return 0;
}

static int disk_flush(struct block *b)
{
    return -EIO;
}

static int disk_discard(struct block *b, u64 offset, u64 length)
{
    BUG_ON(offset > DISK_SIZE || length > DISK_SIZE - offset);
    return -EOPNOTSUPP;
}

static int disk_write_zeroes(struct block *b, u64 offset, u64 length, bool may_unmap)
{
    struct state *s = container_of(b, struct state, disk);
    BUG_ON(offset > DISK_SIZE || length > DISK_SIZE - offset);
    memset(s->sectors + offset, 0, length);
    return 0;
}

static void disk_free(struct block *b)
{
}

static const struct block_ops disk_ops = {disk_read,    disk_write,        disk_flush,
                                          disk_discard, disk_write_zeroes, disk_free};

static int net_send(struct netdev *n, const struct iovec *iov, int n_iov)
{
    struct state *s = container_of(n, struct state, net);
    return s->is_net_full ? -EAGAIN : 0;
}

static void net_nothing(struct netdev *n)
{
}

static const struct netdev_ops net_ops = {net_send, net_nothing, net_nothing, net_nothing};

static void make_backends(struct mmio_bench *b, struct state *s)
{
    struct err e = {0};
    s->disk = (struct block){.ops = &disk_ops, .size = DISK_SIZE};
    s->net.ops = &net_ops;
    BUG_ON(!loop_init(&s->loop, &e) || !(s->console = console_open("null", &s->loop, &e)));
    BUG_ON(!backends_add_drive(&s->backends, "d", &s->disk, &e) ||
           !backends_add_netdev(&s->backends, "n", &s->net, &e) ||
           !backends_add_chardev(&s->backends, "c", s->console, &e));
    b->env.backends = &s->backends;
}

static void make(struct mmio_bench *b)
{
    static const char *const types[N_DEVICES][3] = {{"virtio-rng-pci", NULL, NULL},
                                                    {"virtio-blk-pci", "drive", "d"},
                                                    {"virtio-net-pci", "netdev", "n"},
                                                    {"virtio-serial-pci", "chardev", "c"}};
    struct state *s = b->state = calloc(1, sizeof(*s));
    struct err e = {0};
    BUG_ON(!s);
    make_backends(b, s);
    s->host = (struct pcie_host *)mmio_add_device(b, device_type_find("pcie-host"));
    for (unsigned i = 0; i < PCI_N_INTX; i++)
        s->host->bus.intx[i] = mmio_wire(b, i);
    mmio_realize(b, &s->host->d);
    for (unsigned i = 0; i < N_DEVICES; i++) {
        struct device *d = mmio_add_device(b, device_type_find(types[i][0]));
        BUG_ON(types[i][1] && !device_set(d, types[i][1], types[i][2], &e));
        mmio_realize(b, d);
        s->devices[i] = (struct virtio_pci *)d;
        mmio_add_window(b, 0x40000000 + 0x10000 * i, 0x4000);
    }
    mmio_add_window(b, ECAM, 0x28000);
}

static void release(struct mmio_bench *b)
{
    struct state *s = b->state;
    console_close(s->console);
    backends_free(&s->backends);
    loop_free(&s->loop);
}

static void set(struct virtio_pci *t, u64 offset, u64 value, unsigned size)
{
    pci_bar_write(&t->pci, REGISTERS, offset, value, size);
}

static gpa_t ring_of(struct state *s, const struct virtio_pci *t, unsigned queue)
{
    unsigned i = 0;
    while (s->devices[i] != t)
        i++;
    return RING_BASE + (2 * i + queue % 2) * RING_BYTES;
}

// Everything a driver does to start a device. The features are those of `refused` missing.
static void start(struct mmio_bench *b, struct virtio_pci *t, u32 refused)
{
    struct state *s = b->state;
    unsigned i = (unsigned)((ring_of(s, t, 0) - RING_BASE) / (2 * RING_BYTES));
    pci_config_write(&t->pci, PCI_BAR0 + 16, 0x40000000 + 0x10000 * i, 4);
    pci_config_write(&t->pci, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    set(t, 0x14, 0, 1);
    set(t, 0x14, 3, 1);
    for (unsigned half = 0; half < 2; half++) {
        set(t, 8, half, 4);
        set(t, 0xc, (u32)(t->v.offered >> (32 * half)) & ~(half ? 0 : refused), 4);
    }
    set(t, 0x14, 0xb, 1);
    for (unsigned q = 0; q < t->v.n_queues; q++) {
        gpa_t ring = ring_of(s, t, q);
        memset(b->mem.ram[0].host + ring, 0, RING_BYTES);
        set(t, 0x16, q, 2);
        set(t, 0x18, SIZE, 2);
        set(t, 0x20, ring + DESC, 8);
        set(t, 0x28, ring + AVAIL, 8);
        set(t, 0x30, ring + USED, 8);
        set(t, 0x1c, 1, 2);
    }
    set(t, 0x14, 0xf, 1);
}

// 30:28 flags, 27:25 index, 24:22 next, 21:18 where, 17:15 ring, 14:0 length.
static void describe(struct mmio_bench *b, u32 argument)
{
    static const u64 places[16] = {0x8000, 0x9000, 0xa000,     0xb000, 0xc000, 0x8001,
                                   0xfff0, 0x0,    0x4000,     0x4200, 0x4400, 0x4800,
                                   0xd000, 0xe000, 0x40000000, ~15ULL};
    gpa_t ring = RING_BASE + RING_BYTES * bits_get(argument, 17, 15);
    u8 *d = b->mem.ram[0].host + ring + DESC + 16 * bits_get(argument, 27, 25);
    store_le(d, places[bits_get(argument, 21, 18)], 8);
    store_le(d + 8, bits_get(argument, 14, 0), 4);
    store_le(d + 12, bits_get(argument, 30, 28), 2);
    store_le(d + 14, bits_get(argument, 24, 22), 2);
}

static void make_available(struct mmio_bench *b, gpa_t ring, u32 argument)
{
    u8 *avail = b->mem.ram[0].host + ring + AVAIL;
    u16 idx = (u16)load_le(avail + 2, 2);
    store_le(avail + 4 + 2 * (idx % SIZE), argument & 31, 2);
    store_le(avail + 2, idx + 1, 2);
}

static void frame(struct state *s, u32 size)
{
    static const u8 bytes[NETDEV_MAX_FRAME];
    struct netdev_client *c = &s->net.client;
    if (size >= NETDEV_MIN_FRAME && size <= NETDEV_MAX_FRAME)
        c->receive(c->opaque, bytes, size);
}

// The low bits of the argument choose device and queue.
static void event(struct mmio_bench *b, unsigned kind, u32 argument)
{
    struct state *s = b->state;
    struct virtio_pci *t = s->devices[argument % N_DEVICES];
    unsigned queue = argument / N_DEVICES % 2;
    gpa_t ring = ring_of(s, t, queue);
    u32 rest = argument >> 3;
    switch (kind) {
    case 0: start(b, t, rest); break;
    case 1: set(t, NOTIFY + 4 * queue, queue, 2); break;
    case 2:
        make_available(b, ring, rest);
        set(t, NOTIFY + 4 * queue, queue, 2);
        break;
    case 3: make_available(b, ring, rest); break;
    case 4: describe(b, argument); break;
    case 5: frame(s, argument & 0x1ffff); break;
    case 6:
        s->is_net_full = rest & 1;
        if (!s->is_net_full)
            s->net.client.writable(s->net.client.opaque);
        break;
    case 7: // let the disk's threads complete
        mem_unlock(&b->mem);
        usleep(argument & 63);
        mem_lock(&b->mem);
        break;
    }
}

static void settle(struct mmio_bench *b)
{
    ((struct state *)b->state)->is_net_full = false;
}

static void check_queue(struct mmio_bench *b, const struct virtq *q)
{
    const u8 *ram = b->mem.ram[0].host, *end = ram + MMIO_RAM_SIZE;
    BUG_ON(!is_pow2(q->size) || q->size > q->max_size || q->n_in_use > q->size);
    BUG_ON(q->is_enabled &&
           (q->desc < ram || q->desc + 16 * q->size > end || q->avail < ram ||
            q->avail + 6 + 2 * q->size > end || q->used < ram || q->used + 6 + 8 * q->size > end));
}

static void check(struct mmio_bench *b)
{
    struct state *s = b->state;
    for (unsigned i = 0; i < N_DEVICES; i++) {
        struct virtio_pci *t = s->devices[i];
        for (unsigned q = 0; q < t->v.n_queues; q++)
            check_queue(b, &t->v.queues[q]);
        BUG_ON(t->pci.intx_level != (t->isr && !pci_msix_is_on(&t->pci)));
        BUG_ON(t->v.status & VIRTIO_DRIVER_OK && !(t->v.status & VIRTIO_FEATURES_OK));
        BUG_ON(t->v.status & VIRTIO_FEATURES_OK && t->v.accepted & ~t->v.offered);
    }
}

const struct mmio_target fuzz_virtio = {.name = "virtio",
                                        .make = make,
                                        .release = release,
                                        .event = event,
                                        .settle = settle,
                                        .check = check};
