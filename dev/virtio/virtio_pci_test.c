// SPDX-License-Identifier: Apache-2.0
// The transport, seen by a driver: identity, registers, negotiation, interrupts, resets. The random
// number generator stands for all devices.
#include "dev/virtio/testbed.h"
#include "dev/virtio/virtio_pci.h"
#include "base/bits.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

enum { DATA = 0x30000 };

#define COMMON(d, field) ((d)->common + offsetof(struct virtio_pci_common_cfg, field))

static bool probe(struct bed *b, struct driver *d, const char *options)
{
    struct err e = {0};
    char text[128];
    bed_init(b);
    snprintf(text, sizeof(text), "virtio-rng-pci%s", options);
    return CHECK(bed_device(b, text, &e) != NULL) && driver_probe(d, b, 1 << 3);
}

// Four buffers of 16 bytes in one chain; more than zeros must come back.
static bool works(struct driver *d)
{
    struct piece p[4];
    for (unsigned i = 0; i < 4; i++)
        p[i] = (struct piece){DATA + 64 * i, 16, true};
    memset(d->bed->ram + DATA, 0, 256);
    u8 any = 0;
    bool ok = CHECK_EQ(driver_do(d, 0, p, 4), 64);
    for (unsigned i = 0; i < 256; i++) {
        any |= d->bed->ram[DATA + i];
        if (i % 64 >= 16)
            ok &= CHECK_EQ(d->bed->ram[DATA + i], 0);
    }
    return ok && CHECK(any);
}

TEST(function_looks_like_a_modern_virtio_device)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    CHECK_EQ(driver_config(&d, PCI_VENDOR_ID, 4), 0x10441af4);
    CHECK_EQ(driver_config(&d, PCI_REVISION_ID, 1), 1);
    CHECK_EQ(driver_config(&d, PCI_CLASS_DEVICE, 2), 0x00ff);
    CHECK_EQ(driver_config(&d, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
    CHECK_EQ(driver_config(&d, PCI_INTERRUPT_PIN, 1), 1);
    CHECK(driver_find_cap(&d, PCI_CAP_ID_MSIX, 0));
    CHECK(driver_find_cap(&d, PCI_CAP_ID_EXP, 0));
    unsigned n = 0, types = 0;
    for (unsigned at = 0; (at = driver_find_cap(&d, PCI_CAP_ID_VNDR, at)); n++)
        types |= 1u << driver_config(&d, at + VIRTIO_PCI_CAP_CFG_TYPE, 1);
    CHECK_EQ(n, 5);
    CHECK_EQ(types, 0x3e);
    bed_free(&b);
}

TEST(buffers_are_served_with_any_features)
{
    static const u64 sets[] = {0, BIT(VIRTIO_RING_F_EVENT_IDX), BIT(VIRTIO_RING_F_INDIRECT_DESC),
                               ~0ULL};
    for (unsigned i = 0; i < 2 * ARRAY_LEN(sets); i++) {
        struct bed b;
        struct driver d;
        REQUIRE(probe(&b, &d, ""));
        REQUIRE(driver_start(&d, sets[i / 2], i % 2));
        for (int round = 0; round < 20; round++)
            CHECK(works(&d));
        CHECK(driver_n_interrupts(&d, 0) > 0);
        bed_free(&b);
    }
}

TEST(properties_withdraw_features)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ",indirect_desc=off,event_idx=off"));
    REQUIRE(driver_start(&d, ~0ULL, false));
    CHECK_EQ(d.features, BIT(VIRTIO_F_VERSION_1));
    CHECK(works(&d));
    bed_free(&b);
}

TEST(features_that_do_not_fit_are_refused)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    static const u32 wrong[][2] = {{0, 0}, {1, 1}, {0, 3}};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        driver_reset(&d);
        driver_set(&d, COMMON(&d, device_status), 3, 1);
        for (u32 half = 0; half < 2; half++) {
            driver_set(&d, COMMON(&d, guest_feature_select), half, 4);
            driver_set(&d, COMMON(&d, guest_feature), wrong[i][half], 4);
        }
        driver_set(&d, COMMON(&d, device_status), 0xb, 1);
        CHECK_EQ(driver_status(&d), 3);
        driver_set(&d, COMMON(&d, device_status), 0xf, 1); // not without FEATURES_OK
        CHECK_EQ(driver_status(&d), 3);
    }
    driver_set(&d, COMMON(&d, guest_feature_select), 7, 4); // there is no such half
    driver_set(&d, COMMON(&d, guest_feature), 0xffffffff, 4);
    driver_set(&d, COMMON(&d, device_feature_select), 7, 4);
    CHECK_EQ(driver_get(&d, COMMON(&d, device_feature), 4), 0);
    CHECK_EQ(driver_get(&d, COMMON(&d, guest_feature), 4), 0);
    REQUIRE(driver_start(&d, 0, false));
    driver_set(&d, COMMON(&d, guest_feature), 0, 4); // too late
    CHECK_EQ(driver_get(&d, COMMON(&d, guest_feature), 4), 1);
    CHECK(works(&d));
    bed_free(&b);
}

TEST(registers_keep_what_they_should)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    CHECK_EQ(driver_get(&d, COMMON(&d, num_queues), 2), 1);
    CHECK_EQ(driver_get(&d, COMMON(&d, msix_config), 2), 0xffff);
    driver_set(&d, COMMON(&d, msix_config), 2, 2); // vectors are 0 and 1
    CHECK_EQ(driver_get(&d, COMMON(&d, msix_config), 2), 0xffff);
    driver_set(&d, COMMON(&d, msix_config), 1, 2);
    CHECK_EQ(driver_get(&d, COMMON(&d, msix_config), 2), 1);
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_size), 2), 64);
    static const u16 sizes[] = {0, 3, 128, 0xffff};
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        driver_set(&d, COMMON(&d, queue_size), sizes[i], 2);
        CHECK_EQ(driver_get(&d, COMMON(&d, queue_size), 2), 64);
    }
    driver_set(&d, COMMON(&d, queue_size), 1, 2);
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_size), 2), 1);
    driver_set(&d, COMMON(&d, queue_desc_lo), 0x1122334455667788, 8); // halves are written
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_desc_lo), 8), 0x1122334455667788);
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_desc_hi), 4), 0x11223344);
    driver_set(&d, COMMON(&d, queue_desc_lo), 0, 2); // not in its width
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_desc_lo), 4), 0x55667788);
    driver_set(&d, COMMON(&d, queue_select), 1, 2); // there is no such queue
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_size), 2), 0);
    driver_set(&d, COMMON(&d, queue_size), 4, 2);
    driver_set(&d, COMMON(&d, queue_enable), 1, 2);
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_enable), 2), 0);
    driver_set(&d, d.notify + 4, 1, 2);
    driver_set(&d, d.notify + 0xffc, 1, 4);
    driver_set(&d, d.notify, 0, 2); // queue 0 is not enabled
    CHECK_EQ(driver_get(&d, d.notify, 4), 0);
    CHECK_EQ(driver_get(&d, d.config, 4), 0); // no configuration
    CHECK_EQ(driver_get(&d, d.common + 0x38, 8), 0);
    CHECK_EQ(driver_get(&d, d.common + 0xff8, 8), 0);
    CHECK_EQ(driver_status(&d), 0);
    REQUIRE(driver_start(&d, 0, false));
    driver_set(&d, COMMON(&d, queue_size), 4, 2); // an enabled queue does not change
    driver_set(&d, COMMON(&d, queue_used_lo), 0, 4);
    driver_set(&d, COMMON(&d, queue_enable), 0, 2);
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_size), 2), RING_SIZE);
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_enable), 2), 1);
    CHECK(works(&d));
    bed_free(&b);
}

TEST(rings_outside_of_ram_are_refused)
{
    static const struct {
        u64 desc, avail, used;
    } cases[] = {
        {0x10008, 0x10400, 0x10800}, // misaligned
        {0x10000, 0x10401, 0x10800},      {0x10000, 0x10400, 0x10802},
        {BED_RAM - 16, 0x10400, 0x10800}, // across the end
        {0x10000, BED_RAM - 8, 0x10800},  {0x10000, 0x10400, BED_RAM - 4},
        {0x40000000, 0x10400, 0x10800}, // registers
        {~0ULL << 4, 0x10400, 0x10800},   {0x10000, ~1ULL, 0x10800},
        {0x10000, 0x10400, ~3ULL},
    };
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        driver_reset(&d);
        driver_set(&d, COMMON(&d, device_status), 3, 1);
        driver_set(&d, COMMON(&d, guest_feature_select), 1, 4);
        driver_set(&d, COMMON(&d, guest_feature), 1, 4);
        driver_set(&d, COMMON(&d, device_status), 0xb, 1);
        driver_set(&d, COMMON(&d, queue_desc_lo), cases[i].desc, 8);
        driver_set(&d, COMMON(&d, queue_avail_lo), cases[i].avail, 8);
        driver_set(&d, COMMON(&d, queue_used_lo), cases[i].used, 8);
        driver_set(&d, COMMON(&d, queue_enable), 1, 2);
        CHECK_EQ(driver_get(&d, COMMON(&d, queue_enable), 2), 0);
        CHECK_EQ(driver_status(&d), 0xb | VIRTIO_CONFIG_S_NEEDS_RESET);
        driver_set(&d, COMMON(&d, device_status), 0xf, 1);
        driver_set(&d, d.notify, 0, 2);
    }
    REQUIRE(driver_start(&d, 0, false));
    CHECK(works(&d));
    bed_free(&b);
}

TEST(masked_vectors_wait_and_no_vector_is_silent)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    REQUIRE(driver_start(&d, 0, true));
    u64 table = 0x40000000 + (1 << 19) + 0x8000;
    driver_set(&d, table + 16 + 12, 1, 4);
    CHECK(works(&d));
    CHECK(works(&d));
    CHECK_EQ(driver_n_interrupts(&d, 0), 0);
    unsigned cap = driver_find_cap(&d, PCI_CAP_ID_MSIX, 0);
    u64 pba = table + (driver_config(&d, cap + PCI_MSIX_PBA, 4) & PCI_MSIX_PBA_OFFSET);
    CHECK_EQ(driver_get(&d, pba, 8), 2);
    driver_set(&d, table + 16 + 12, 0, 4);
    CHECK_EQ(driver_n_interrupts(&d, 0), 1);
    CHECK_EQ(driver_get(&d, pba, 8), 0);
    driver_set(&d, COMMON(&d, queue_msix_vector), 0xffff, 2);
    CHECK(works(&d));
    CHECK_EQ(driver_n_interrupts(&d, 0), 1);
    CHECK(!b.wires[1]);
    // Without MSI-X the wire shows what happened, until somebody looks.
    driver_set_config(&d, cap + PCI_MSIX_FLAGS, 0, 2);
    CHECK(b.wires[1]);
    driver_set_config(&d, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
    CHECK(!b.wires[1]);
    driver_set_config(&d, cap + PCI_MSIX_FLAGS, 0, 2);
    CHECK_EQ(driver_get(&d, d.isr, 1), 1);
    CHECK(!b.wires[1]);
    bed_free(&b);
}

TEST(the_driver_says_when_it_wants_interrupts)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    REQUIRE(driver_start(&d, 0, true));
    store_le(b.ram + d.rings[0].gpa + RING_AVAIL, VRING_AVAIL_F_NO_INTERRUPT, 2);
    CHECK(works(&d));
    CHECK_EQ(driver_n_interrupts(&d, 0), 0);
    store_le(b.ram + d.rings[0].gpa + RING_AVAIL, 0, 2);
    CHECK(works(&d));
    CHECK_EQ(driver_n_interrupts(&d, 0), 1);

    REQUIRE(driver_start(&d, BIT(VIRTIO_RING_F_EVENT_IDX), true));
    u8 *used_event = b.ram + d.rings[0].gpa + RING_AVAIL + 4 + 2 * RING_SIZE;
    CHECK(works(&d));
    CHECK_EQ(driver_n_interrupts(&d, 0), 2);
    store_le(used_event, 3, 2); // the fourth from now on
    for (unsigned i = 1; i < 6; i++) {
        struct piece p = {DATA, 8, true};
        driver_add(&d, 0, &p, 1);
        driver_kick(&d, 0);
        CHECK_EQ(driver_n_interrupts(&d, 0), i < 3 ? 2 : 3);
    }
    // The device asks to be told about the next buffer.
    u8 *avail_event = b.ram + d.rings[0].gpa + RING_USED + 4 + 8 * RING_SIZE;
    CHECK_EQ(load_le(avail_event, 2), 6);
    bed_free(&b);
}

TEST(nothing_moves_without_bus_mastering_or_before_driver_ok)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    REQUIRE(driver_start(&d, 0, true));
    struct piece p = {DATA, 8, true};
    driver_set_config(&d, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    driver_add(&d, 0, &p, 1);
    driver_kick(&d, 0);
    CHECK_EQ(driver_n_used(&d, 0), 0);
    driver_set_config(&d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    CHECK_EQ(driver_n_used(&d, 0), 1);
    CHECK_EQ(driver_n_interrupts(&d, 0), 1);
    // Buffers from before DRIVER_OK are found without a kick.
    driver_reset(&d);
    driver_set(&d, COMMON(&d, device_status), 3, 1);
    driver_set(&d, COMMON(&d, guest_feature_select), 1, 4);
    driver_set(&d, COMMON(&d, guest_feature), 1, 4);
    driver_set(&d, COMMON(&d, device_status), 0xb, 1);
    memset(b.ram + d.rings[0].gpa, 0, RING_BYTES);
    d.rings[0] = (struct ring){.gpa = d.rings[0].gpa, .size = RING_SIZE};
    driver_set(&d, COMMON(&d, queue_size), RING_SIZE, 2);
    driver_set(&d, COMMON(&d, queue_desc_lo), d.rings[0].gpa + RING_DESC, 8);
    driver_set(&d, COMMON(&d, queue_avail_lo), d.rings[0].gpa + RING_AVAIL, 8);
    driver_set(&d, COMMON(&d, queue_used_lo), d.rings[0].gpa + RING_USED, 8);
    driver_set(&d, COMMON(&d, queue_enable), 1, 2);
    driver_add(&d, 0, &p, 1);
    driver_kick(&d, 0);
    CHECK_EQ(driver_n_used(&d, 0), 0);
    driver_set(&d, COMMON(&d, device_status), 0xf, 1);
    CHECK_EQ(driver_n_used(&d, 0), 1);
    bed_free(&b);
}

// A device during whose work another processor of the guest's makes the next buffer available.
struct greedy {
    struct virtio_pci t;
    struct driver *d;
    unsigned n_served;
};

static bool greedy_serve(struct virtio *v, unsigned queue, const struct virtq_buffer *buf)
{
    struct greedy *g = container_of(v, struct greedy, t.v);
    virtio_push(v, queue, buf->head, 0);
    driver_make_available(g->d, 0, 0);
    g->n_served++;
    return true;
}

static void greedy_kick(struct virtio *v, unsigned queue)
{
    virtio_serve(v, queue, greedy_serve);
}

static bool greedy_realize(struct device *d, struct err *e)
{
    static const struct virtio_ops ops = {.name = "greedy", .id = 63, .kick = greedy_kick};
    struct virtio_pci *t = (struct virtio_pci *)d;
    virtio_init(&t->v, &ops, d->env, 0);
    virtio_add_queue(&t->v, RING_SIZE);
    return virtio_pci_realize(t, 0, e);
}

static void greedy_reset(struct device *d)
{
    virtio_pci_reset((struct virtio_pci *)d);
}

static void greedy_free(struct device *d)
{
    virtio_pci_free((struct virtio_pci *)d);
}

static const struct device_prop greedy_props[] = {VIRTIO_PCI_PROPS, {NULL}};
static const struct device_type greedy_type = {.name = "greedy",
                                               .size = sizeof(struct greedy),
                                               .props = greedy_props,
                                               .realize = greedy_realize,
                                               .reset = greedy_reset,
                                               .free = greedy_free};

TEST(a_greedy_driver_does_not_keep_the_machine)
{
    struct bed b;
    struct driver d;
    struct err e = {0};
    bed_init(&b);
    struct greedy *g = (struct greedy *)device_new(&greedy_type, &b.env);
    g->d = &d;
    b.devices[b.n_devices++] = &g->t.pci.d;
    REQUIRE(device_realize(b.devices[0], &e));
    REQUIRE(driver_probe(&d, &b, 1 << 3));
    REQUIRE(driver_start(&d, BIT(VIRTIO_RING_F_EVENT_IDX), true));
    driver_set_desc(&d, 0, 0, DATA, 8, VRING_DESC_F_WRITE, 0);
    driver_make_available(&d, 0, 0);
    for (unsigned round = 1; round < 4; round++) {
        if (round == 1)
            driver_kick(&d, 0);
        else
            bed_run_timers(&b); // goes on without another kick
        CHECK_EQ(g->n_served, 2 * RING_SIZE * round);
        CHECK(b.clock.first != NULL);
    }
    device_reset(b.devices[0]);
    CHECK(!b.clock.first);
    bed_free(&b);
}

TEST(every_reset_forgets_everything)
{
    for (int how = 0; how < 3; how++) {
        struct bed b;
        struct driver d;
        REQUIRE(probe(&b, &d, ""));
        REQUIRE(driver_start(&d, ~0ULL, how == 1));
        CHECK(works(&d));
        unsigned express = driver_find_cap(&d, PCI_CAP_ID_EXP, 0);
        if (how == 0)
            driver_reset(&d);
        else if (how == 1)
            driver_set_config(&d, express + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2);
        else
            device_reset(b.devices[0]);
        CHECK(!b.wires[1]);
        REQUIRE(driver_probe(&d, &b, 1 << 3)); // BARs again
        CHECK_EQ(driver_status(&d), 0);
        CHECK_EQ(driver_get(&d, COMMON(&d, queue_enable), 2), 0);
        CHECK_EQ(driver_get(&d, COMMON(&d, queue_size), 2), 64);
        CHECK_EQ(driver_get(&d, COMMON(&d, queue_desc_lo), 8), 0);
        CHECK_EQ(driver_get(&d, COMMON(&d, guest_feature), 4), 0);
        CHECK_EQ(driver_get(&d, COMMON(&d, msix_config), 2), 0xffff);
        CHECK_EQ(driver_get(&d, d.isr, 1), 0);
        REQUIRE(driver_start(&d, ~0ULL, false));
        CHECK(works(&d));
        bed_free(&b);
    }
}

static unsigned window_cap(const struct driver *d)
{
    for (unsigned at = 0; (at = driver_find_cap(d, PCI_CAP_ID_VNDR, at));)
        if (driver_config(d, at + VIRTIO_PCI_CAP_CFG_TYPE, 1) == VIRTIO_PCI_CAP_PCI_CFG)
            return at;
    return 0;
}

TEST(registers_are_reached_through_configuration_space)
{
    struct bed b;
    struct driver d;
    REQUIRE(probe(&b, &d, ""));
    unsigned at = window_cap(&d), data = at + sizeof(struct virtio_pci_cap);
    REQUIRE(at != 0);
    driver_set_config(&d, PCI_COMMAND, 0, 2); // no BAR needs to be mapped
    driver_set_config(&d, at + VIRTIO_PCI_CAP_BAR, 4, 1);
    driver_set_config(&d, at + VIRTIO_PCI_CAP_OFFSET,
                      offsetof(struct virtio_pci_common_cfg, queue_size), 4);
    driver_set_config(&d, at + VIRTIO_PCI_CAP_LENGTH, 2, 4);
    CHECK_EQ(driver_config(&d, data, 2), 64);
    driver_set_config(&d, data, 32, 2);
    CHECK_EQ(driver_config(&d, data, 2), 32);
    driver_set_config(&d, at + VIRTIO_PCI_CAP_LENGTH, 1, 4);
    CHECK_EQ(driver_config(&d, data, 1), 32);
    // What makes no sense does nothing.
    static const u32 wrong[][3] = {{4, 0x18, 0},   {4, 0x18, 3},  {4, 0x19, 2},   {6, 0, 4},
                                   {0xff, 0, 4},   {2, 0, 4},     {4, 0x4000, 4}, {4, ~3u, 4},
                                   {4, 0x18, ~0u}, {1, 0x1000, 4}};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        driver_set_config(&d, at + VIRTIO_PCI_CAP_BAR, wrong[i][0], 1);
        driver_set_config(&d, at + VIRTIO_PCI_CAP_OFFSET, wrong[i][1], 4);
        driver_set_config(&d, at + VIRTIO_PCI_CAP_LENGTH, wrong[i][2], 4);
        driver_set_config(&d, data, 0x5a5a5a5a, 4);
        driver_config(&d, data, 4);
    }
    REQUIRE(driver_probe(&d, &b, 1 << 3));
    CHECK_EQ(driver_get(&d, COMMON(&d, queue_size), 2), 32);
    REQUIRE(driver_start(&d, 0, false));
    CHECK(works(&d));
    bed_free(&b);
}
