// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

static void pin(struct fabric *f, unsigned n, bool level)
{
    mem_lock(&f->mem);
    ls3_gpio_set_pin(f->chip->gpio, n, level);
    mem_unlock(&f->mem);
}

static void take_output(void *opaque, unsigned n, bool level)
{
    u32 *levels = opaque;
    *levels = bits_set(*levels, n, n, level);
}

TEST(reset_values)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    CHECK_EQ(csr_read(&f, 0, 0x500, 8), 0xffff0000ffffffff);
    CHECK_EQ(csr_read(&f, 0, 0x508, 8), 0);
    CHECK_EQ(csr_read(&f, 0, 0x510, 8), 0);
    fabric_free(&f);
}

TEST(outputs_drive_and_read_back)
{
    u32 levels = 0;
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < 32; i++)
        f.chip->gpio->out[i] = (struct irq){take_output, &levels, i};
    csr_write(&f, 0, 0x508, 0x0000ffff, 4);
    CHECK_EQ(levels, 0);
    csr_write(&f, 0, 0x500, 0xfffffff0, 4);
    CHECK_EQ(levels, 0xf);
    CHECK_EQ(csr_read(&f, 0, 0x50c, 4), 0xf);
    pin(&f, 0, false);
    pin(&f, 8, true);
    CHECK_EQ(csr_read(&f, 0, 0x50c, 4), 0x10f);
    mem_write(&f.mem, 0x1fe00508, 0xfe, 1);
    CHECK_EQ(levels, 0xe);
    // Pins 16 to 31 belong to the HyperTransport links until told otherwise.
    csr_write(&f, 0, 0x500, 0, 4);
    csr_write(&f, 0, 0x508, 0x00010000, 4);
    CHECK_EQ(levels, 0);
    csr_write(&f, 0, 0x504, 0, 4);
    CHECK_EQ(levels, 0x00010000);
    csr_write(&f, 0, 0x50c, 0xffffffff, 4);
    CHECK_EQ(csr_read(&f, 0, 0x508, 8), 0x0001000000010000);
    fabric_free(&f);
}

TEST(inputs_interrupt_by_level)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1428, 0xff, 4);
    csr_write(&f, 0, 0x504, 0, 4);
    for (unsigned i = 0; i < 32; i++) {
        csr_write(&f, 0, 0x510, BIT(i) | BIT(i + 32), 8);
        CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
        pin(&f, i, true);
        CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 1u << i % 8);
        csr_write(&f, 0, 0x510, BIT(i + 32), 8); // active low
        CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
        pin(&f, i, false);
        CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 1u << i % 8);
    }
    csr_write(&f, 0, 0x510, 0, 8);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
    fabric_free(&f);
}

TEST(an_edge_is_remembered_by_the_interrupt_controller)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1434, 1 << 3, 4);
    csr_write(&f, 0, 0x1428, 1 << 3, 4);
    csr_write(&f, 0, 0x510, BIT(3) | BIT(35), 8);
    pin(&f, 3, true);
    pin(&f, 3, false);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 1 << 3);
    fabric_free(&f);
}
