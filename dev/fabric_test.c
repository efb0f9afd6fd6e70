// SPDX-License-Identifier: Apache-2.0
// From a device's pin to a core's line and back, as Linux drives it.
#include "dev/fabric_test.h"

#define HWI1 (1 << 3)

static void map_pin(struct fabric *f, unsigned pin, unsigned vector)
{
    mem_write(&f->mem, PIC_BASE + 0x200 + pin, vector, 1);
    u64 mask = mem_read(&f->mem, PIC_BASE + 0x20, 4);
    mem_write(&f->mem, PIC_BASE + 0x20, mask & ~(1u << pin), 4);
}

TEST(linux_sequences_deliver_a_level_interrupt)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    CHECK_EQ(mem_read(&f.mem, PIC_BASE + 4, 4), 0x001f0001);
    linux_init_extioi(&f, 0);
    linux_init_pic(&f);
    map_pin(&f, 7, 0);
    map_pin(&f, 2, 1);
    set_pin(&f, 2, true);
    CHECK_EQ(f.lines[0], HWI1);
    CHECK_EQ(f.lines[1], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1800, 8), 2);
    CHECK_EQ(csr_read(&f, 1, 0x1800, 8), 0);
    // The dispatcher clears before the handler has silenced the device: sent again at once.
    csr_write(&f, 0, 0x1800, 2, 8);
    CHECK_EQ(f.lines[0], HWI1);
    CHECK_EQ(csr_read(&f, 0, 0x1800, 8), 2);
    set_pin(&f, 2, false);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1800, 8), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), 0);
    CHECK_EQ(f.n_unimp, 0);
    fabric_free(&f);
}

TEST(masking_at_the_bridge_withdraws_and_unmasking_sends_again)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    linux_init_extioi(&f, 0);
    linux_init_pic(&f);
    map_pin(&f, 16, 5);
    set_pin(&f, 16, true);
    csr_write(&f, 0, 0x1800, 1 << 5, 8);
    mem_write(&f.mem, PIC_BASE + 0x20, 0xffffffff, 4);
    CHECK_EQ(f.lines[0], 0);
    mem_write(&f.mem, PIC_BASE + 0x20, ~(1u << 16), 4);
    CHECK_EQ(f.lines[0], HWI1);
    fabric_free(&f);
}

// Linux moves an interrupt by ANY_Send: enable off, route, enable restored.
static void linux_set_affinity(struct fabric *f, unsigned vector, unsigned cpu)
{
    u32 enable = 0x1600 + vector / 32 * 4, route = 0x1c00 + (vector & ~3u);
    u64 command = 1ULL << 31;
    csr_write(f, 0, 0x1158, (u64)(u32) ~(1u << vector % 32) << 32 | command | enable, 8);
    u64 not_written = ~(1u << vector % 4) & 0xf;
    for (unsigned node = 0; node < (f->chip->n_cores + 3) / 4; node++) {
        u64 route_node = node ? node : cpu / 4;
        u64 byte = 1 << cpu % 4 | route_node << 4;
        csr_write(f, 0, 0x1158,
                  byte << (8 * (vector % 4)) << 32 | command | not_written << 27 |
                      (u64)(4 * node) << 16 | route,
                  8);
    }
    csr_write(f, 0, 0x1158, 0xffffffffULL << 32 | command | enable, 8);
}

TEST(linux_affinity_reaches_cores_of_other_nodes)
{
    struct fabric f;
    fabric_init(&f, 8, 32);
    for (unsigned core = 0; core < 8; core += 4)
        linux_init_extioi(&f, core);
    linux_init_pic(&f);
    map_pin(&f, 16, 37);
    for (unsigned cpu = 0; cpu < 8; cpu++) {
        linux_set_affinity(&f, 37, cpu);
        set_pin(&f, 16, true);
        for (unsigned other = 0; other < 8; other++)
            CHECK_EQ(f.lines[other], other == cpu ? HWI1 : 0);
        CHECK_EQ(csr_read(&f, cpu, 0x1800, 8), 1ULL << 37);
        set_pin(&f, 16, false);
        CHECK_EQ(f.lines[cpu], 0);
    }
    fabric_free(&f);
}

TEST(messages_stay_until_cleared)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    linux_init_extioi(&f, 0);
    mem_write(&f.mem, MSI_BASE, 0x40, 4);
    CHECK_EQ(f.lines[0], HWI1);
    CHECK_EQ(csr_read(&f, 0, 0x1808, 8), 1);
    csr_write(&f, 0, 0x1808, 1, 8);
    CHECK_EQ(f.lines[0], 0);
    fabric_free(&f);
}

TEST(every_message_vector_gives_one_interrupt_per_write)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    linux_init_extioi(&f, 0);
    for (unsigned v = 0x40; v < 0x100; v++) {
        mem_lock(&f.mem);
        mem_msi(&f.mem, MSI_BASE, v);
        mem_unlock(&f.mem);
        CHECK_EQ(csr_read(&f, 0, 0x1800 + v / 64 * 8, 8), 1ULL << v % 64);
        CHECK_EQ(f.n_rises, v - 0x40 + 1);
        csr_write(&f, 0, 0x1800 + v / 64 * 8, 1ULL << v % 64, 8);
        CHECK_EQ(f.lines[0], 0);
    }
    fabric_free(&f);
}

TEST(a_storm_of_masked_messages_is_one_interrupt_later)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    linux_init_extioi(&f, 0);
    csr_write(&f, 0, 0x1608, 0, 8);
    for (unsigned i = 0; i < 1000; i++)
        mem_write(&f.mem, MSI_BASE, 0x50, 4);
    CHECK_EQ(f.n_rises, 0);
    csr_write(&f, 0, 0x1608, ~0ULL, 8);
    CHECK_EQ(f.n_rises, 1);
    csr_write(&f, 0, 0x1808, 1 << 16, 8);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(f.n_rises, 1);
    fabric_free(&f);
}

TEST(messages_outside_the_vectors_for_messages_are_ignored)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    linux_init_extioi(&f, 0);
    mem_write(&f.mem, MSI_BASE, 0x1f, 4);
    mem_write(&f.mem, MSI_BASE + 4, 0x40, 4);
    CHECK_EQ(f.n_rises, 0);
    mem_write(&f.mem, MSI_BASE, 0x20, 4);
    CHECK_EQ(f.n_rises, 1);
    fabric_free(&f);
}

TEST(a_line_and_a_message_may_share_a_vector)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    linux_init_extioi(&f, 0);
    linux_init_pic(&f);
    map_pin(&f, 3, 0x60);
    mem_write(&f.mem, MSI_BASE, 0x60, 4);
    set_pin(&f, 3, true);
    set_pin(&f, 3, false);
    CHECK_EQ(f.lines[0], HWI1); // the message has not been cleared
    csr_write(&f, 0, 0x1808, 1ULL << 32, 8);
    CHECK_EQ(f.lines[0], 0);
    fabric_free(&f);
}
