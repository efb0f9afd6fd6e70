// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

#define IPI_LINE (1 << CORE_LINE_IPI)
#define WAIT     BIT(31)

TEST(every_vector_reaches_every_core)
{
    struct fabric f;
    fabric_init(&f, 64, 32);
    for (unsigned core = 0; core < 64; core++)
        csr_write(&f, core, 0x1004, ~0u, 4);
    for (unsigned core = 0; core < 64; core++) {
        for (unsigned v = 0; v < 32; v++) {
            csr_write(&f, 63 - core, 0x1040, WAIT | core << 16 | v, v % 2 ? 4 : 8);
            CHECK_EQ(csr_read(&f, core, 0x1000, 4), 1u << v);
            for (unsigned other = 0; other < 64; other++)
                CHECK_EQ(f.lines[other], other == core ? IPI_LINE : 0);
            csr_write(&f, core, 0x100c, 1u << v, 4);
            CHECK_EQ(f.lines[core], 0);
        }
    }
    fabric_free(&f);
}

TEST(status_without_enable_pends_silently)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    csr_write(&f, 1, 0x1008, 0x30, 4);
    CHECK_EQ(csr_read(&f, 1, 0x1000, 8), 0x30);
    CHECK_EQ(f.lines[1], 0);
    csr_write(&f, 1, 0x1004, 0x10, 4);
    CHECK_EQ(f.lines[1], IPI_LINE);
    CHECK_EQ(csr_read(&f, 1, 0x1000, 8), 0x1000000030);
    csr_write(&f, 1, 0x1000, ~0ULL >> 32, 4); // STATUS is read-only
    CHECK_EQ(csr_read(&f, 1, 0x1000, 4), 0x30);
    csr_write(&f, 1, 0x100c, 0x10, 4);
    CHECK_EQ(f.lines[1], 0);
    CHECK_EQ(csr_read(&f, 1, 0x1000, 4), 0x20);
    fabric_free(&f);
}

TEST(blocks_by_address_are_absolute_and_by_instruction_own)
{
    struct fabric f;
    fabric_init(&f, 6, 32);
    csr_write(&f, 3, 0x1020, 0x1122334455667788, 8);
    CHECK_EQ(mem_read(&f.mem, 0x1fe01320, 8), 0x1122334455667788);
    CHECK_EQ(mem_read(&f.mem, 0x3ff01324, 4), 0x11223344);
    CHECK_EQ(mem_read(&f.mem, 0x1fe01020, 8), 0);
    mem_write(&f.mem, 0x1fe01028, 0xabcd, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1028, 8), 0xabcd);
    CHECK_EQ(csr_read(&f, 3, 0x1028, 8), 0);
    // Node 1 has its own window, cores 4 to 7; cores 6 and 7 do not exist.
    csr_write(&f, 5, 0x1038, 0x55, 8);
    CHECK_EQ(mem_read(&f.mem, 1ULL << 44 | 0x1fe01138, 8), 0x55);
    mem_write(&f.mem, 1ULL << 44 | 0x1fe01204, ~0u, 4);
    CHECK_EQ(mem_read(&f.mem, 1ULL << 44 | 0x1fe01204, 4), 0);
    fabric_free(&f);
}

TEST(mail_send_writes_the_bytes_that_are_not_masked)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    for (unsigned mask = 0; mask < 16; mask++) {
        for (unsigned box = 0; box < 8; box++) {
            u32 address = 0x1020 + 4 * box, expected = 0x11111111;
            csr_write(&f, 2, address, 0x11111111, 4);
            u64 command = WAIT | (u64)mask << 27 | 2 << 16 | box << 2;
            csr_write(&f, 0, 0x1048, 0xddccbbaaULL << 32 | command, 8);
            for (unsigned i = 0; i < 4; i++)
                if (!(mask >> i & 1))
                    expected = bits_set(expected, 8 * i + 7, 8 * i, 0xaa + 0x11 * i);
            CHECK_EQ(csr_read(&f, 2, address, 4), expected);
        }
    }
    fabric_free(&f);
}

TEST(send_registers_take_two_halves)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    mem_write(&f.mem, 0x1fe0104c, 0x12345678, 4);
    CHECK_EQ(csr_read(&f, 1, 0x1020, 8), 0);
    mem_write(&f.mem, 0x1fe01048, WAIT | 1 << 16, 4);
    CHECK_EQ(csr_read(&f, 1, 0x1020, 8), 0x12345678);
    fabric_free(&f);
}

TEST(any_send_writes_as_the_target_core)
{
    struct fabric f;
    fabric_init(&f, 8, 32);
    // Enables of node 1, seen by node 1 only.
    csr_write(&f, 0, 0x1158, 0xf00dULL << 32 | WAIT | 4 << 16 | 0x1600, 8);
    CHECK_EQ(csr_read(&f, 5, 0x1600, 4), 0xf00d);
    CHECK_EQ(csr_read(&f, 0, 0x1600, 4), 0);
    // One route byte, the three others left alone.
    csr_write(&f, 4, 0x1c08, 0x01010101, 4);
    csr_write(&f, 0, 0x1158, 0x00120000ULL << 32 | WAIT | 0xbULL << 27 | 4 << 16 | 0x1c08, 8);
    CHECK_EQ(csr_read(&f, 4, 0x1c08, 4), 0x01120101);
    // The target's own registers.
    csr_write(&f, 0, 0x1158, 0x80ULL << 32 | WAIT | 7 << 16 | 0x1008, 8);
    CHECK_EQ(csr_read(&f, 7, 0x1000, 4), 0x80);
    CHECK_EQ(csr_read(&f, 0, 0x1000, 4), 0);
    fabric_free(&f);
}

TEST(any_send_byte_masks_apply_to_every_register)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    for (unsigned mask = 0; mask < 16; mask++) {
        u32 expected = 0x55555555;
        csr_write(&f, 0, 0x1688, 0x55555555, 4);
        csr_write(&f, 0, 0x1158, 0xddccbbaaULL << 32 | WAIT | (u64)mask << 27 | 0x1688, 8);
        for (unsigned i = 0; i < 4; i++)
            if (!(mask >> i & 1))
                expected = bits_set(expected, 8 * i + 7, 8 * i, 0xaa + 0x11 * i);
        CHECK_EQ(csr_read(&f, 0, 0x1688, 4), expected);
    }
    fabric_free(&f);
}

TEST(any_send_to_itself_ends)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1158, (WAIT | 0x1158ULL) << 32 | WAIT | 0x1158, 8);
    csr_write(&f, 0, 0x1158, 0x99ULL << 32 | WAIT | 0x1020, 8);
    CHECK_EQ(csr_read(&f, 0, 0x1020, 8), 0x99);
    fabric_free(&f);
}

TEST(absent_targets_are_ignored)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    csr_write(&f, 0, 0x1004, ~0u, 4);
    csr_write(&f, 0, 0x1040, WAIT | 2 << 16, 4);
    csr_write(&f, 0, 0x1048, WAIT | 1023 << 16, 8);
    csr_write(&f, 0, 0x1158, WAIT | 64 << 16 | 0x1008, 8);
    csr_write(&f, 0, 0x1058, WAIT | 64 << 16 | 3, 8);
    CHECK_EQ(csr_read(&f, 0, 0x1000, 4), 0);
    CHECK_EQ(f.n_rises, 0);
    fabric_free(&f);
}

TEST(frequency_is_stored_and_sent)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    csr_write(&f, 1, 0x1050, 0x1234, 8);
    csr_write(&f, 0, 0x1058, WAIT | 1 << 16 | 0x1f, 4);
    CHECK_EQ(csr_read(&f, 1, 0x1050, 8), 0x123f);
    CHECK_EQ(mem_read(&f.mem, 0x1fe01150, 8), 0x123f);
    fabric_free(&f);
}

TEST(core_timer_counts_down_and_asserts_its_line)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    csr_write(&f, 1, 0x1060, BIT(61) | 100, 8);
    CHECK_EQ(csr_read(&f, 1, 0x1060, 8), BIT(63) | BIT(61) | 100);
    f.now += 400;
    CHECK_EQ(csr_read(&f, 1, 0x1070, 8), 60);
    clock_fire_due(&f.clock);
    CHECK_EQ(f.lines[1], 0);
    f.now += 600;
    clock_fire_due(&f.clock);
    CHECK_EQ(f.lines[1], 1 << CORE_LINE_TIMER);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 1, 0x1070, 8), BITS(47, 0));
    csr_write(&f, 1, 0x1060, BIT(62) | BIT(61) | 10, 8);
    CHECK_EQ(f.lines[1], 0);
    f.now += 250;
    clock_fire_due(&f.clock);
    CHECK_EQ(f.lines[1], 1 << CORE_LINE_TIMER);
    CHECK_EQ(csr_read(&f, 1, 0x1070, 8), 5);
    csr_write(&f, 1, 0x1060, 0, 8);
    CHECK_EQ(f.lines[1], 0);
    CHECK_EQ(clock_next_deadline(&f.clock), CLOCK_NEVER);
    fabric_free(&f);
}

TEST(reset_clears_everything)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    csr_write(&f, 1, 0x1004, ~0u, 4);
    csr_write(&f, 1, 0x1008, 1, 4);
    csr_write(&f, 1, 0x1020, 1, 8);
    csr_write(&f, 1, 0x1060, BIT(61) | 100, 8);
    device_reset(&f.chip->dev);
    CHECK_EQ(f.lines[1], 0);
    CHECK_EQ(csr_read(&f, 1, 0x1000, 8), 0);
    CHECK_EQ(csr_read(&f, 1, 0x1020, 8), 0);
    CHECK_EQ(clock_next_deadline(&f.clock), CLOCK_NEVER);
    fabric_free(&f);
}

// Those that are sent while others are on their way come with them; mails are there before.
TEST(delayed_interrupts_come_later)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    f.chip->ipi->delay_ns = 1000;
    csr_write(&f, 1, 0x1004, ~0u, 4);
    csr_write(&f, 0, 0x1048, 0x1234ULL << 32 | WAIT | 1 << 16, 8);
    csr_write(&f, 0, 0x1040, WAIT | 1 << 16 | 3, 4);
    CHECK_EQ(csr_read(&f, 1, 0x1020, 4), 0x1234);
    CHECK_EQ(csr_read(&f, 1, 0x1000, 4), 0);
    CHECK_EQ(f.lines[1], 0);
    csr_write(&f, 1, 0x100c, ~0u, 4); // clearing does not reach what is on its way
    csr_write(&f, 1, 0x1008, 0x10, 4);
    f.now += 1001;
    clock_fire_due(&f.clock);
    CHECK_EQ(csr_read(&f, 1, 0x1000, 4), 0x18);
    CHECK_EQ(f.lines[1], IPI_LINE);
    fabric_free(&f);
}
