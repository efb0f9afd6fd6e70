// SPDX-License-Identifier: Apache-2.0
// Virtio functions as a cell's kernel finds and drives them, and what the root cell sees of that.
#include "base/test.h"
#include "hv/arch.h"
#include "hv/arch/fake/fake.h"
#include "hv/manage.h"
#include "hv/manage_state.h"
#include "hv/mmio.h"
#include "hv/serve.h"
#include "hv/vintc.h"
#include "hv/virtio.h"
#include "hv/vpci.h"

#include <stdlib.h>

#define PCI    0x40000000ULL
#define BAR    (PCI + VPCI_BARS)
#define SLOT   2
#define CONFIG (PCI + (SLOT << 11))
#define WIRE   (48 + SLOT)

static const struct control_virtio disk = {.features = 1ULL << 32 | 1 << 9,
                                           .class_code = 0x010000,
                                           .n_queues = 2,
                                           .config_size = 8,
                                           .queue_size = {256, 64},
                                           .config = {1, 2, 3, 4, 5, 6, 7, 8}};

static struct virtio_dev *device(struct hv *hv)
{
    return &hv->cell[1].pci.slot[SLOT];
}

// A cell on processor 0 that has a disk in slot 2, whose server is there.
static struct hv *with_disk(void)
{
    struct hv *hv = fake_new(1);
    struct cell *c = &hv->cell[1];
    struct why why = {(char[160]){""}, 160};
    u64 where[HV_N_REGIONS];
    c->generation = 7;
    c->n_vcpus = 1;
    c->vcpu[0] = (struct vcpu){.cell = c, .cpu = hv->cpu[0]};
    c->state = CONTROL_CELL_RUNNING;
    c->n_regions = 1;
    c->region[0] = (struct region){0, FAKE_POOL_BASE, 2 * HV_BLOCK, 0, 0};
    vpci_add(c, PCI, 48);
    c->pci.slot[SLOT].kind = 2;
    CHECK_EQ(serve_set(c, SLOT, &disk, &why), REFUSE_NOENT);
    CHECK_EQ(serve_open(hv->cpu[0], c, where, &why), 0);
    CHECK_EQ(serve_set(c, SLOT, &disk, &why), 0);
    hv->cpu[0]->vcpu = &c->vcpu[0];
    return hv;
}

static u64 in(struct hv *hv, u64 gpa, unsigned size)
{
    struct access a = {.gpa = gpa, .size = (u8)size};
    CHECK(mmio_access(hv->cpu[0], &a));
    return a.value;
}

static void out(struct hv *hv, u64 gpa, unsigned size, u64 value)
{
    struct access a = {.gpa = gpa, .size = (u8)size, .is_write = true, .value = value};
    CHECK(mmio_access(hv->cpu[0], &a));
}

static void enable(struct hv *hv)
{
    out(hv, CONFIG + 0x10, 4, BAR);
    out(hv, CONFIG + 4, 2, 6);
}

static u8 status(struct hv *hv)
{
    return (u8)in(hv, BAR + 0x14, 1);
}

static void drive(struct hv *hv)
{
    enable(hv);
    out(hv, BAR + 0x08, 4, 1);
    out(hv, BAR + 0x0c, 4, 1);
    out(hv, BAR + 0x14, 1, 3);
    out(hv, BAR + 0x14, 1, 0xb);
    out(hv, BAR + 0x16, 2, 0);
    out(hv, BAR + 0x18, 2, 128);
    out(hv, BAR + 0x20, 4, 0x10000);
    out(hv, BAR + 0x28, 4, 0x20000);
    out(hv, BAR + 0x30, 4, 0x30000);
    out(hv, BAR + 0x34, 4, 1);
    out(hv, BAR + 0x1c, 2, 1);
    out(hv, BAR + 0x14, 1, 0xf);
}

static struct control_events *events(struct hv *hv)
{
    return &hv->manage->shared->events[1][SLOT];
}

static bool is_pending(struct hv *hv, u32 vector)
{
    return hv->cell[1].intc.pending[vector / 64] >> (vector % 64) & 1;
}

TEST(a_function_is_found_and_placed)
{
    struct hv *hv = with_disk();
    CHECK_EQ(in(hv, CONFIG, 4), 0x10421af4);
    CHECK_EQ(in(hv, CONFIG + 8, 4), 0x01000001);
    CHECK_EQ(in(hv, CONFIG + (1 << 8), 4), ~0u);
    CHECK_EQ(in(hv, PCI + (1 << 11), 4), ~0u);
    CHECK_EQ(in(hv, PCI, 2), 0xffff);
    out(hv, CONFIG + 0x10, 4, ~0u);
    CHECK_EQ(in(hv, CONFIG + 0x10, 4), ~0u << 14);
    CHECK_EQ(in(hv, BAR + 0x12, 2), 0xffff);
    enable(hv);
    CHECK_EQ(in(hv, BAR + 0x12, 2), 2);
    CHECK_EQ(in(hv, BAR + 0x2000, 4), 0x04030201);
    CHECK_EQ(in(hv, BAR + 0x203c, 4), 0);
    CHECK_EQ(in(hv, BAR + 4, 4), 1 << 9);
    unsigned n = 0, cap = (u8)in(hv, CONFIG + 0x34, 1);
    for (; cap && n < 20; n++)
        cap = (u8)in(hv, CONFIG + cap + 1, 1);
    CHECK_EQ(n, 5);
    fake_free(hv);
}

TEST(features_that_were_not_offered_are_not_accepted)
{
    struct hv *hv = with_disk();
    enable(hv);
    out(hv, BAR + 0x08, 4, 0);
    out(hv, BAR + 0x0c, 4, 1);
    out(hv, BAR + 0x14, 1, 0xb);
    CHECK_EQ(status(hv), 3);
    out(hv, BAR + 0x14, 1, 7);
    CHECK_EQ(status(hv), 3);
    fake_free(hv);
}

TEST(the_server_is_told_what_the_driver_did)
{
    struct hv *hv = with_disk();
    struct why why = {(char[160]){""}, 160};
    struct control_virtio_state s;
    u32 changes = events(hv)->changes;
    drive(hv);
    CHECK_EQ(status(hv), 0xf);
    CHECK(events(hv)->changes != changes);
    CHECK_EQ(serve_get(&hv->cell[1], SLOT, &s, &why), 0);
    CHECK_EQ(s.features, 1ULL << 32);
    CHECK_EQ(s.queue[0].size, 128);
    CHECK_EQ(s.queue[0].desc, 0x10000);
    CHECK_EQ(s.queue[0].device, 0x100030000);
    CHECK_EQ(s.queue[0].is_enabled, 1);
    CHECK_EQ(s.queue[1].is_enabled, 0);
    serve_arm(hv);
    out(hv, BAR + 0x3004, 2, 1);
    CHECK_EQ(events(hv)->kicks[1], 1);
    CHECK_EQ(hv->root_vector, 19);
    hv->root_vector = 0;
    out(hv, BAR + 0x3000, 2, 0);
    CHECK_EQ(events(hv)->kicks[0], 1);
    CHECK_EQ(hv->root_vector, 0);
    out(hv, BAR + 0x3008, 2, 2);
    CHECK_EQ(events(hv)->kicks[2], 0);
    fake_free(hv);
}

TEST(interrupts_by_wire_and_by_message)
{
    struct hv *hv = with_disk();
    drive(hv);
    serve_raise(hv, CONTROL_RAISE_VALUE(7, 1, SLOT, 0));
    CHECK(is_pending(hv, WIRE));
    CHECK_EQ(in(hv, BAR + 0x1000, 1), 1);
    CHECK(!is_pending(hv, WIRE));
    serve_raise(hv, CONTROL_RAISE_VALUE(6, 1, SLOT, 0));
    serve_raise(hv, CONTROL_RAISE_VALUE(7, 1, SLOT, 9));
    serve_raise(hv, CONTROL_RAISE_VALUE(7, 1, 3, 0));
    serve_raise(hv, CONTROL_RAISE_VALUE(7, 15, SLOT, 0));
    CHECK(!is_pending(hv, WIRE));
    out(hv, CONFIG + 0x84 + 2, 2, 0x8000);
    out(hv, BAR + 0x1818, 4, 130);
    out(hv, BAR + 0x16, 2, 0);
    out(hv, BAR + 0x1a, 2, 1);
    out(hv, BAR + 0x181c, 4, 1);
    serve_raise(hv, CONTROL_RAISE_VALUE(7, 1, SLOT, 0));
    CHECK(!is_pending(hv, 130));
    CHECK_EQ(in(hv, BAR + 0x1c00, 4), 2);
    out(hv, BAR + 0x181c, 4, 0);
    CHECK(is_pending(hv, 130));
    CHECK_EQ(in(hv, BAR + 0x1c00, 4), 0);
    CHECK(!is_pending(hv, WIRE));
    fake_free(hv);
}

TEST(a_reset_waits_for_the_server_and_not_for_ever)
{
    struct hv *hv = with_disk();
    struct why why = {(char[160]){""}, 160};
    struct virtio_dev *d = device(hv);
    drive(hv);
    u32 epoch = d->epoch;
    out(hv, BAR + 0x14, 1, 0);
    CHECK_EQ(status(hv), 0xf);
    CHECK_EQ(serve_let_go(&hv->cell[1], SLOT, epoch - 1, &why), 0);
    CHECK_EQ(status(hv), 0xf);
    CHECK_EQ(serve_let_go(&hv->cell[1], SLOT, epoch, &why), 0);
    CHECK_EQ(status(hv), 0);
    drive(hv);
    out(hv, BAR + 0x14, 1, 0);
    d->reset_since -= arch_time_hz() * 3;
    CHECK_EQ(status(hv), 0);
    CHECK_EQ(d->n_forced, 1);
    drive(hv);
    CHECK(serve_close(hv->cpu[0], &hv->cell[1]));
    CHECK_EQ(serve_broken(&hv->cell[1], SLOT, &why), REFUSE_NOENT);
    serve_raise(hv, CONTROL_RAISE_VALUE(7, 1, SLOT, 0));
    CHECK(!is_pending(hv, WIRE));
    out(hv, BAR + 0x14, 1, 0);
    CHECK_EQ(status(hv), 0);
    fake_free(hv);
}

TEST(the_memory_that_is_served_is_seen_while_it_is)
{
    struct hv *hv = with_disk();
    struct why why = {(char[160]){""}, 160};
    u64 where[HV_N_REGIONS], hpa, bars = 0x50000000, root = hv->cell[0].stage2;
    hv->cpu[0]->vcpu = &hv->cell[0].vcpu[0];
    out(hv, 0x200f8000 + 0x1c, 4, 0x60000000);
    out(hv, 0x200f8000 + 0x10, 4, bars);
    out(hv, 0x200f8000 + 4, 2, 2);
    CHECK(arch_stage2_walk(root, 0x60000000 + HV_BLOCK, &hpa));
    CHECK_EQ(hpa, FAKE_POOL_BASE + HV_BLOCK);
    CHECK(!arch_stage2_walk(root, 0x60000000 + 2 * HV_BLOCK, &hpa));
    hv->cell[2].n_regions = 1;
    hv->cell[2].id = 2;
    hv->cell[2].region[0] = (struct region){0, FAKE_POOL_BASE + 2 * HV_BLOCK, HV_BLOCK, 0, 0};
    CHECK_EQ(serve_open(hv->cpu[0], &hv->cell[2], where, &why), 0);
    CHECK_EQ(where[0], 2 * HV_BLOCK);
    hv->cell[2].region[0].size = CONTROL_SERVED_SIZE;
    CHECK_EQ(serve_open(hv->cpu[0], &hv->cell[2], where, &why), REFUSE_NOSPC);
    CHECK(serve_close(hv->cpu[0], &hv->cell[1]));
    CHECK(!arch_stage2_walk(root, 0x60000000, &hpa));
    fake_free(hv);
}

TEST(templates_that_cannot_be_are_refused)
{
    struct hv *hv = with_disk();
    struct why why = {(char[160]){""}, 160};
    struct control_virtio t = disk;
    CHECK_EQ(serve_set(&hv->cell[1], 3, &t, &why), REFUSE_NOENT);
    CHECK_EQ(serve_set(&hv->cell[1], 99, &t, &why), REFUSE_NOENT);
    t.n_queues = 9;
    CHECK_EQ(serve_set(&hv->cell[1], SLOT, &t, &why), REFUSE_INVAL);
    t = disk;
    t.queue_size[1] = 3;
    CHECK_EQ(serve_set(&hv->cell[1], SLOT, &t, &why), REFUSE_INVAL);
    t = disk;
    drive(hv);
    CHECK_EQ(serve_set(&hv->cell[1], SLOT, &t, &why), 0);
    t.features |= 2;
    CHECK_EQ(serve_set(&hv->cell[1], SLOT, &t, &why), REFUSE_BUSY);
    fake_free(hv);
}

// Whatever a cell does to the registers, and whatever its server answers.
TEST(accesses_at_random_do_no_harm)
{
    struct hv *hv = with_disk();
    struct why why = {(char[160]){""}, 160};
    srand(5);
    for (int i = 0; i < 300000; i++) {
        unsigned size = 1u << (rand() % 4);
        u64 at = PCI + (u64)(rand() % 3 ? SLOT << 11 : rand()) % 0x10000 + (u64)(rand() % 0x100);
        if (rand() % 4)
            at = BAR + (u64)(rand() % 4) * 0x1000 + (u64)(rand() % (rand() % 2 ? 0x40 : 0x1000));
        at &= ~(u64)(size - 1);
        if (rand() % 2)
            in(hv, at, size);
        else
            out(hv, at, size, rand() % 2 ? (u64)rand() << 32 | (u64)rand() : (u64)(rand() % 16));
        if (rand() % 64 == 0)
            enable(hv);
        if (rand() % 64 == 0)
            serve_raise(hv, CONTROL_RAISE_VALUE(7, 1, SLOT, (u32)rand() % 256));
        if (rand() % 64 == 0)
            serve_let_go(&hv->cell[1], SLOT, device(hv)->epoch, &why);
        if (rand() % 256 == 0)
            drive(hv);
    }
    CHECK_EQ(device(hv)->n_queues, 2);
    fake_free(hv);
}
