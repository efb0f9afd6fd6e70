// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

TEST(identity)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    CHECK_EQ(csr_read(&f, 0, 0, 4), 0x11);
    CHECK_EQ(csr_read(&f, 0, 8, 4), 0x1c);
    CHECK_EQ(csr_read(&f, 0, 0x10, 8), 0x6e6f73676e6f6f4c);
    CHECK_EQ(csr_read(&f, 0, 0x20, 8), 0x0000303030354133);
    CHECK_EQ(mem_read(&f.mem, 0x1fe00010, 8), 0x6e6f73676e6f6f4c);
    CHECK_EQ(mem_read(&f.mem, 0x3ff00008, 4), 0x1c);
    csr_write(&f, 0, 8, 0, 4);
    CHECK_EQ(csr_read(&f, 0, 8, 1), 0x1c);
    fabric_free(&f);
}

TEST(other_functions_are_storage)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    CHECK_EQ(csr_read(&f, 0, 0x420, 8), 0);
    csr_write(&f, 0, 0x420, BIT(48) | 0x400, 8);
    CHECK_EQ(csr_read(&f, 1, 0x420, 8), BIT(48) | 0x400);
    csr_write(&f, 0, 0x424, 0, 4);
    CHECK_EQ(mem_read(&f.mem, 0x1fe00420, 8), 0x400);
    fabric_free(&f);
}

TEST(absent_registers_read_zero_and_are_logged)
{
    static const u32 absent[] = {0x30, 0x13f8, 0x1010 + 8, 0x1ffc, 0x3000, 0xfffc, 0x40000000};
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < ARRAY_LEN(absent); i++) {
        CHECK_EQ(csr_read(&f, 0, absent[i], 4), 0);
        CHECK_EQ(f.n_unimp, 2 * i + 1);
        csr_write(&f, 0, absent[i], ~0ULL, 4);
        CHECK_EQ(f.n_unimp, 2 * i + 2);
    }
    fabric_free(&f);
}

TEST(misaligned_accesses_are_made_of_bytes)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1024 + 1, 0xaabbccdd, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1020, 8), 0xbbccdd00ULL << 32);
    CHECK_EQ(csr_read(&f, 0, 0x1028, 8), 0xaa);
    CHECK_EQ(csr_read(&f, 0, 0x1025, 4), 0xaabbccdd);
    CHECK_EQ(mem_read(&f.mem, 0x1fe01025, 4), 0xaabbccdd);
    // From one block into the next: GPIO and the SMC mailbox.
    csr_write(&f, 0, 0x516, 0x8877665544332211, 8);
    CHECK_EQ(csr_read(&f, 0, 0x514, 4), 0x22110000);
    CHECK_EQ(csr_read(&f, 0, 0x51c, 4), 0x8877);
    CHECK_EQ(csr_read(&f, 0, 0x516, 8), 0x8877000000002211);
    fabric_free(&f);
}

TEST(only_the_lowest_block_is_the_executing_cores_own)
{
    struct fabric f;
    fabric_init(&f, 8, 32);
    csr_write(&f, 3, 0x1120, 0x11, 8); // core 1
    csr_write(&f, 3, 0x1020, 0x33, 8);
    csr_write(&f, 6, 0x1120, 0x55, 8); // the second core of the executing core's node
    CHECK_EQ(csr_read(&f, 1, 0x1020, 8), 0x11);
    CHECK_EQ(csr_read(&f, 3, 0x1020, 8), 0x33);
    CHECK_EQ(csr_read(&f, 5, 0x1020, 8), 0x55);
    fabric_free(&f);
}

TEST(send_registers_are_not_repeated_by_stride)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    mem_write(&f.mem, 0x1fe01240, 0x80000000, 4);
    mem_write(&f.mem, 0x1fe01358, 0x20ULL << 32 | 0x80001020, 8);
    mem_write(&f.mem, 0x1fe01140, 3, 4); // EXT_IOI_send and not an IPI_Send
    CHECK_EQ(csr_read(&f, 0, 0x1000, 4), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1020, 8), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), 8);
    fabric_free(&f);
}

TEST(register_0x400_switches_the_second_view_off)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    mem_write(&f.mem, 0x3ff01020, 0x77, 8);
    CHECK_EQ(csr_read(&f, 0, 0x1020, 8), 0x77);
    csr_write(&f, 0, 0x400, csr_read(&f, 0, 0x400, 8) | BIT(9), 8);
    mem_write(&f.mem, 0x3ff01020, 0x88, 8);
    CHECK_EQ(mem_read(&f.mem, 0x3ff01020, 4), 0xffffffff);
    CHECK_EQ(mem_read(&f.mem, 0x1fe01020, 8), 0x77);
    fabric_free(&f);
}

struct probe {
    u64 n_reads, n_writes;
};

static u64 probe_read(void *opaque, u64 offset, unsigned size)
{
    ((struct probe *)opaque)->n_reads++;
    return 0xa5;
}

static void probe_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    ((struct probe *)opaque)->n_writes++;
}

TEST(uarts_lie_above_the_view_by_address)
{
    static const struct mem_io_ops ops = {.read = probe_read, .write = probe_write, .max_size = 1};
    struct probe probe = {0};
    struct mem_region uart = {
        .base = 0x1fe004e0, .size = 8, .ops = &ops, .opaque = &probe, .name = "uart"};
    struct fabric f;
    fabric_init(&f, 1, 32);
    mem_add_region(&f.mem, &uart);
    CHECK_EQ(mem_read(&f.mem, 0x1fe004e5, 1), 0xa5);
    mem_write(&f.mem, 0x1fe004e0, 'x', 1);
    CHECK_EQ(probe.n_writes, 1);
    CHECK_EQ(mem_read(&f.mem, 0x1fe00420, 4), 0);
    fabric_free(&f);
}

TEST(wrong_numbers_of_cores_are_refused)
{
    static const char *const wrong[] = {"0", "65", "18446744073709551615"};
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = {0};
        struct device *d = device_new(&ls3_chip_type, &f.env);
        CHECK(device_set(d, "cores", wrong[i], &e));
        CHECK(!device_realize(d, &e));
        CHECK_STR(e.text, "loongson-3a5000: loongson-iocsr: property 'cores': has to be 1 to 64");
        device_free(d);
    }
    fabric_free(&f);
}
