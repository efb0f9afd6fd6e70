// SPDX-License-Identifier: Apache-2.0
// A disk of a cell, driven through memory as its kernel would.
#include "vmm/cell_device.h"
#include "base/bits.h"
#include "base/test.h"
#include "dev/pcie_host.h"
#include "host/backends.h"
#include "host/block/block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RAM = 0x20000, DESC = 0, AVAIL = 0x400, USED = 0x800, HEADER = 0x1000, STATUS = 0x1800 };
enum { DATA = 0x2000, SLOT = 3, N = 16, NEXT = 1, WRITE = 2, READS = 0, WRITES = 1, GETS_ID = 8 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, WAIT_MS = 5000 };

struct bed {
    struct mem_space mem;
    struct clock clock;
    struct device_env env;
    struct backends backends;
    struct pcie_host *host;
    struct cell_devices devices;
    struct control_virtio_state state;
    struct control_events events;
    unsigned n_raised;
    u16 n_made;
    u8 *ram;
    int disk;
};

static u64 now(void *opaque)
{
    return 0;
}

static void count(void *opaque, unsigned slot, unsigned queue)
{
    struct bed *b = opaque;
    CHECK_EQ(slot, SLOT);
    CHECK_EQ(queue, 0);
    b->n_raised++;
}

static struct cell_device *device(struct bed *b)
{
    return &b->devices.slot[SLOT];
}

// Another program on the same memory and the same disk.
static void begin_server(struct bed *b)
{
    struct err e = {0};
    char path[64];
    b->backends = (struct backends){0};
    mem_space_init(&b->mem, NULL);
    CHECK(mem_lend_ram(&b->mem, 0, RAM, b->ram, &e));
    b->clock = (struct clock){.now = now};
    b->env = (struct device_env){.mem = &b->mem, .clock = &b->clock, .backends = &b->backends};
    b->host = (struct pcie_host *)device_new(device_type_find("pcie-host"), &b->env);
    CHECK(device_realize(&b->host->d, &e));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", b->disk);
    struct block *block = block_open_raw(path, false, &e);
    CHECK(block && backends_add_drive(&b->backends, "x", block, &e));
    CHECK(
        cell_device_make(&b->devices, SLOT, "virtio-blk-pci", "drive=x,in-order=on", &b->env, &e));
    device(b)->raise = count;
    device(b)->opaque = b;
}

static void end_server(struct bed *b)
{
    cell_device_free(device(b));
    device_free(&b->host->d);
    backends_free(&b->backends);
    mem_space_free(&b->mem);
}

static void begin(struct bed *b)
{
    memset(b, 0, sizeof(*b));
    b->ram = aligned_alloc(4096, RAM);
    memset(b->ram, 0, RAM);
    b->disk = memfd_create("disk", 0);
    CHECK(!ftruncate(b->disk, 64 << 10));
    b->state = (struct control_virtio_state){.status = 0xf, .epoch = 5, .features = BIT(32)};
    b->state.queue[0] = (struct control_virtio_queue){DESC, AVAIL, USED, N, 1};
    begin_server(b);
}

static void end(struct bed *b)
{
    end_server(b);
    free(b->ram);
    close(b->disk);
}

static void set_desc(struct bed *b, unsigned i, u64 at, u32 size, u16 flags)
{
    u8 *d = b->ram + DESC + 16 * i;
    store_le(d, at, 8);
    store_le(d + 8, size, 4);
    store_le(d + 12, flags, 2);
    store_le(d + 14, i + 1, 2);
}

// A request of one sector in descriptors 0 to 2.
static void make_request(struct bed *b, u32 type, u64 sector)
{
    store_le(b->ram + HEADER, type, 4);
    store_le(b->ram + HEADER + 8, sector, 8);
    b->ram[STATUS] = 0xee;
    set_desc(b, 0, HEADER, 16, NEXT);
    set_desc(b, 1, DATA, 512, (u16)(NEXT | (type == WRITES ? 0 : WRITE)));
    set_desc(b, 2, STATUS, 1, WRITE);
    store_le(b->ram + AVAIL + 4 + 2 * (b->n_made % N), 0, 2);
    store_le(b->ram + AVAIL + 2, ++b->n_made, 2);
}

static void follow(struct bed *b, bool lets_go)
{
    mem_lock(&b->mem);
    CHECK_EQ(cell_device_follow(device(b), &b->state), lets_go);
    mem_unlock(&b->mem);
}

static u16 n_used(struct bed *b)
{
    return __atomic_load_n((u16 *)(void *)(b->ram + USED + 2), __ATOMIC_ACQUIRE);
}

static void kick(struct bed *b)
{
    b->events.kicks[0]++;
    mem_lock(&b->mem);
    CHECK(!cell_device_poll(device(b), &b->events));
    mem_unlock(&b->mem);
    for (int ms = 0; ms < WAIT_MS && n_used(b) != b->n_made; ms++)
        usleep(1000);
}

TEST(a_request_is_done)
{
    struct bed b;
    begin(&b);
    follow(&b, false);
    memset(b.ram + DATA, 0x5a, 512);
    make_request(&b, WRITES, 7);
    kick(&b);
    CHECK_EQ(b.ram[STATUS], OK);
    memset(b.ram + DATA, 0, 512);
    make_request(&b, READS, 7);
    kick(&b);
    CHECK_EQ(n_used(&b), 2);
    CHECK_EQ(b.ram[STATUS], OK);
    CHECK_EQ(b.ram[DATA + 511], 0x5a);
    make_request(&b, READS, 1 << 20);
    kick(&b);
    CHECK_EQ(b.ram[STATUS], IOERR);
    make_request(&b, 99, 0);
    kick(&b);
    CHECK_EQ(b.ram[STATUS], UNSUPP);
    CHECK(b.n_raised > 0);
    CHECK(!device(&b)->is_broken);
    end(&b);
}

// What nobody answered is answered by the next program; what was answered is not done again.
TEST(a_successor_goes_on)
{
    struct bed b;
    begin(&b);
    follow(&b, false);
    make_request(&b, READS, 0);
    kick(&b);
    CHECK_EQ(n_used(&b), 1);
    end_server(&b);
    memset(b.ram + DATA, 0xa5, 512);
    make_request(&b, WRITES, 1);
    begin_server(&b);
    b.n_raised = 0;
    follow(&b, false);
    for (int ms = 0; ms < WAIT_MS && n_used(&b) != 2; ms++)
        usleep(1000);
    CHECK_EQ(n_used(&b), 2);
    CHECK_EQ(b.ram[STATUS], OK);
    CHECK(b.n_raised > 0);
    u8 byte = 0;
    CHECK_EQ(pread(b.disk, &byte, 1, 512), 1);
    CHECK_EQ(byte, 0xa5);
    end(&b);
}

TEST(a_reset_lets_go)
{
    struct bed b;
    begin(&b);
    follow(&b, false);
    CHECK(device(&b)->is_running);
    b.state.wants_reset = 1;
    follow(&b, true);
    CHECK(!device(&b)->is_running);
    make_request(&b, READS, 0);
    b.events.kicks[0]++;
    mem_lock(&b.mem);
    cell_device_poll(device(&b), &b.events);
    mem_unlock(&b.mem);
    CHECK_EQ(n_used(&b), 0);
    // Somebody else ended that reset, and there is a new driver.
    b.state.wants_reset = 0;
    b.state.epoch++;
    follow(&b, false);
    CHECK(device(&b)->is_running);
    end(&b);
}

TEST(a_broken_queue_is_told)
{
    struct bed b;
    begin(&b);
    b.state.queue[0].size = 7;
    follow(&b, false);
    CHECK(device(&b)->is_broken);
    b.state.epoch++;
    b.state.queue[0] = (struct control_virtio_queue){RAM - 16, AVAIL, USED, N, 1};
    follow(&b, false);
    CHECK(device(&b)->is_broken);
    b.state.epoch++;
    b.state.queue[0] = (struct control_virtio_queue){DESC, AVAIL, USED, N, 1};
    device(&b)->is_broken = false;
    follow(&b, false);
    CHECK(!device(&b)->is_broken);
    make_request(&b, READS, 0);
    set_desc(&b, 1, RAM - 1, 512, NEXT | WRITE);
    b.events.kicks[0]++;
    mem_lock(&b.mem);
    cell_device_poll(device(&b), &b.events);
    mem_unlock(&b.mem);
    CHECK(device(&b)->is_broken);
    end(&b);
}

TEST(what_is_offered)
{
    struct bed b;
    struct control_virtio t;
    begin(&b);
    cell_device_template(device(&b), &t);
    CHECK_EQ(t.class_code, 0x010000);
    CHECK_EQ(t.n_queues, 1);
    CHECK_EQ(t.queue_size[0], 256);
    CHECK_EQ(load_le(t.config, 8), 128);
    CHECK(t.features & BIT(32));
    end(&b);
}
