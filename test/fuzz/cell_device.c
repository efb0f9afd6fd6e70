// SPDX-License-Identifier: Apache-2.0
// Any bytes as the memory and the registers that a cell left for the program that serves its
// devices: nothing outside of the cell's memory is touched, and everything ends.
#include "base/bits.h"
#include "base/bug.h"
#include "dev/pcie_host.h"
#include "host/backends.h"
#include "host/block/block.h"
#include "host/console/console.h"
#include "host/net/netdev.h"
#include "vmm/cell_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LOW = 0x20000, HIGH = 0x10000, DISK = 64 << 10, HEAD = 12 + 2 * 28, SLOT = 1 };
enum { MAX_RAISED = 100000 };
#define HIGH_BASE 0x80000000ULL

struct bed {
    struct mem_space mem;
    struct clock clock;
    u64 now;
    struct device_env env;
    struct backends backends;
    struct loop loop;
    struct pcie_host *host;
    struct console *console;
    struct cell_devices devices;
    unsigned n_raised;
    u8 *low, *high;
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 now(void *opaque)
{
    return ((struct bed *)opaque)->now++;
}

static void raise_interrupt(void *opaque, unsigned slot, unsigned queue)
{
    struct bed *b = opaque;
    BUG_ON(slot != SLOT || queue >= CONTROL_MAX_QUEUES);
    BUG_ON(++b->n_raised > MAX_RAISED);
}

static int drop_frame(struct netdev *n, const struct iovec *iov, int n_iov)
{
    volatile u8 sum = 0;
    for (int i = 0; i < n_iov; i++)
        for (size_t k = 0; k < iov[i].iov_len; k++)
            sum ^= ((const u8 *)iov[i].iov_base)[k];
    return 0;
}

static void do_nothing(struct netdev *n)
{
}

static void free_netdev(struct netdev *n)
{
    free(n);
}

static const struct netdev_ops netdev_ops = {drop_frame, do_nothing, do_nothing, free_netdev};

static void add_disk(struct bed *b)
{
    struct err e = {0};
    char path[64];
    int fd = memfd_create("disk", 0);
    BUG_ON(fd < 0 || ftruncate(fd, DISK));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct block *block = block_open_raw(path, false, &e);
    BUG_ON(!block || !backends_add_drive(&b->backends, "x", block, &e));
    close(fd);
}

static void make_device(struct bed *b, unsigned kind)
{
    static const char *const types[] = {"virtio-blk-pci", "virtio-net-pci", "virtio-serial-pci"};
    static const char *const words[] = {"drive=x,in-order=on", "netdev=x", "chardev=x"};
    struct err e = {0};
    if (kind == 0) {
        add_disk(b);
    } else if (kind == 1) {
        struct netdev *n = calloc(1, sizeof(*n));
        n->ops = &netdev_ops;
        BUG_ON(!backends_add_netdev(&b->backends, "x", n, &e));
    } else {
        b->console = console_open("null", &b->loop, &e);
        BUG_ON(!b->console || !backends_add_chardev(&b->backends, "x", b->console, &e));
    }
    BUG_ON(!cell_device_make(&b->devices, SLOT, types[kind], words[kind], &b->env, &e));
    b->devices.slot[SLOT].raise = raise_interrupt;
    b->devices.slot[SLOT].opaque = b;
}

static void begin(struct bed *b, unsigned kind)
{
    struct err e = {0};
    b->low = aligned_alloc(4096, LOW);
    b->high = aligned_alloc(4096, HIGH);
    BUG_ON(!b->low || !b->high);
    memset(b->low, 0, LOW);
    memset(b->high, 0, HIGH);
    mem_space_init(&b->mem, NULL);
    BUG_ON(!mem_lend_ram(&b->mem, 0, LOW, b->low, &e));
    BUG_ON(!mem_lend_ram(&b->mem, HIGH_BASE, HIGH, b->high, &e));
    b->clock = (struct clock){.now = now, .opaque = b};
    b->env = (struct device_env){.mem = &b->mem, .clock = &b->clock, .backends = &b->backends};
    BUG_ON(!loop_init(&b->loop, &e));
    b->host = (struct pcie_host *)device_new(device_type_find("pcie-host"), &b->env);
    BUG_ON(!device_realize(&b->host->d, &e));
    make_device(b, kind);
}

static void end(struct bed *b)
{
    cell_device_free(&b->devices.slot[SLOT]);
    device_free(&b->host->d);
    if (b->console)
        console_close(b->console);
    backends_free(&b->backends);
    loop_free(&b->loop);
    mem_space_free(&b->mem);
    free(b->low);
    free(b->high);
}

// The head: kind, enabled queues, status, wants_reset; features; two queues. The rest is memory.
static struct control_virtio_state state_of(const u8 *data)
{
    struct control_virtio_state s = {
        .status = data[2], .wants_reset = data[3] & 1, .features = load_le(data + 4, 8)};
    for (unsigned i = 0; i < 2; i++) {
        const u8 *q = data + 12 + 28 * i;
        s.queue[i] =
            (struct control_virtio_queue){load_le(q, 8), load_le(q + 8, 8), load_le(q + 16, 8),
                                          (u32)load_le(q + 24, 4), data[1] >> i & 1};
    }
    return s;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < HEAD)
        return 0;
    static struct bed b;
    struct control_events events = {.kicks = {1, 1, 1, 1}, .changes = 1};
    memset(&b, 0, sizeof(b));
    begin(&b, data[0] % 3);
    struct control_virtio_state s = state_of(data);
    struct cell_device *d = &b.devices.slot[SLOT];
    size_t n = size - HEAD, low = n < LOW ? n : LOW;
    memcpy(b.low, data + HEAD, low);
    memcpy(b.high, data + HEAD + low, n - low < HIGH ? n - low : HIGH);
    mem_lock(&b.mem);
    cell_device_follow(d, &s);
    for (unsigned i = 0; i < 3; i++) {
        cell_device_poll(d, &events);
        events.kicks[i]++;
        clock_fire_due(&b.clock);
    }
    // A driver that resets and comes again.
    s.epoch++;
    cell_device_follow(d, &s);
    mem_unlock(&b.mem);
    end(&b);
    return 0;
}
