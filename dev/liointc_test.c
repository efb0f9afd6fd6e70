// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

static void source(struct fabric *f, unsigned n, bool level)
{
    mem_lock(&f->mem);
    liointc_set_pin(f->chip->liointc, n, level);
    mem_unlock(&f->mem);
}

TEST(each_source_to_each_core_and_pin)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    csr_write(&f, 0, 0x1428, ~0u, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1424, 4), 0xffffffff);
    for (unsigned s = 0; s < 32; s++) {
        for (unsigned i = 0; i < 16; i++) {
            unsigned core = i / 4, pin = i % 4;
            csr_write(&f, 0, 0x1400 + s, 1 << core | 0x10 << pin, 1);
            source(&f, s, true);
            for (unsigned other = 0; other < 4; other++) {
                u32 expected = other == core ? 1u << s : 0;
                CHECK_EQ(f.lines[other], other == core ? 1 << (CORE_LINE_HWI0 + pin) : 0);
                CHECK_EQ(csr_read(&f, other, 0x1010, 4), expected);
                CHECK_EQ(mem_read(&f.mem, 0x1fe01440 + 8 * other, 4), expected);
            }
            CHECK_EQ(csr_read(&f, 3, 0x1420, 4), 1u << s);
            source(&f, s, false);
            CHECK_EQ(f.lines[core], 0);
        }
    }
    fabric_free(&f);
}

TEST(pins_as_numbers)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x420, BIT(49), 8);
    csr_write(&f, 0, 0x1428, ~0u, 4);
    for (unsigned pin = 0; pin < 8; pin++) {
        csr_write(&f, 0, 0x140a, pin << 4 | 1, 1);
        source(&f, 10, true);
        CHECK_EQ(f.lines[0], 1 << (CORE_LINE_HWI0 + pin));
        source(&f, 10, false);
    }
    fabric_free(&f);
}

TEST(a_disabled_source_is_silent)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1402, 0x11, 1);
    source(&f, 2, true);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
    csr_write(&f, 0, 0x1428, 4, 4);
    CHECK_EQ(f.lines[0], 4);
    csr_write(&f, 0, 0x142c, 4, 4);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1424, 4), 0);
    fabric_free(&f);
}

TEST(edges_latch_and_are_cleared_with_the_enable)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1407, 0x21, 1);
    csr_write(&f, 0, 0x1434, 1 << 7, 4);
    csr_write(&f, 0, 0x1428, 1 << 7, 4);
    source(&f, 7, true);
    source(&f, 7, false);
    CHECK_EQ(f.lines[0], 8);
    csr_write(&f, 0, 0x142c, 1 << 7, 4);
    CHECK_EQ(f.lines[0], 0);
    csr_write(&f, 0, 0x1428, 1 << 7, 4);
    CHECK_EQ(f.lines[0], 0);
    source(&f, 7, true);
    CHECK_EQ(f.lines[0], 8);
    fabric_free(&f);
}

TEST(polarity_of_levels_and_edges)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1400, 0x1111, 2);
    csr_write(&f, 0, 0x1430, 3, 4);
    csr_write(&f, 0, 0x1434, 2, 4);
    csr_write(&f, 0, 0x1428, 3, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1010, 4), 1);
    source(&f, 0, true);
    CHECK_EQ(f.lines[0], 0);
    source(&f, 1, true);
    CHECK_EQ(f.lines[0], 0);
    source(&f, 1, false);
    CHECK_EQ(csr_read(&f, 0, 0x1010, 4), 2);
    fabric_free(&f);
}

TEST(a_line_is_shared_with_extended_interrupts)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x420, BIT(48), 8);
    csr_write(&f, 0, 0x1600, 1, 8);
    csr_write(&f, 0, 0x1140, 0, 4); // HWI0
    csr_write(&f, 0, 0x1400, 0x11, 1);
    csr_write(&f, 0, 0x1428, 1, 4);
    source(&f, 0, true);
    CHECK_EQ(f.n_rises, 1);
    csr_write(&f, 0, 0x1800, 1, 8);
    CHECK_EQ(f.lines[0], 4);
    source(&f, 0, false);
    CHECK_EQ(f.lines[0], 0);
    fabric_free(&f);
}

TEST(cores_of_other_nodes_are_out_of_reach)
{
    struct fabric f;
    fabric_init(&f, 8, 32);
    csr_write(&f, 0, 0x1400, 0xff, 1);
    csr_write(&f, 0, 0x1428, 1, 4);
    source(&f, 0, true);
    CHECK_EQ(csr_read(&f, 3, 0x1010, 8), 1);
    CHECK_EQ(csr_read(&f, 4, 0x1010, 8), 0);
    CHECK_EQ(f.lines[4], 0);
    device_reset(&f.chip->dev);
    CHECK_EQ(f.lines[3], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1400, 8), 0);
    fabric_free(&f);
}
