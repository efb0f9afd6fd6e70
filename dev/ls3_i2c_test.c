// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"

#define I2C0 0x1fe00120ULL
#define I2C1 0x1fe00130ULL

enum { STA = 0x80, STO = 0x40, RD = 0x20, WR = 0x10, IACK = 1 };
enum { NO_ACK = 0x80, BUSY = 0x40, IF = 1 };

// 256 bytes behind a pointer that the first written byte sets.
struct memory {
    struct i2c_slave slave;
    u8 data[256], at;
    bool has_address;
    unsigned n_stops;
};

static bool memory_start(void *opaque, bool is_read)
{
    ((struct memory *)opaque)->has_address = is_read;
    return true;
}

static bool memory_write(void *opaque, u8 value)
{
    struct memory *m = opaque;
    if (m->has_address)
        m->data[m->at++] = value;
    else
        m->at = value;
    m->has_address = true;
    return true;
}

static u8 memory_read(void *opaque)
{
    struct memory *m = opaque;
    return m->data[m->at++];
}

static void memory_stop(void *opaque)
{
    ((struct memory *)opaque)->n_stops++;
}

static void attach(struct fabric *f, struct memory *m, u8 address)
{
    memset(m, 0, sizeof(*m));
    m->slave =
        (struct i2c_slave){address, memory_start, memory_write, memory_read, memory_stop, m, NULL};
    i2c_bus_attach(&f->chip->i2c[0]->bus, &m->slave);
}

static void put(struct fabric *f, unsigned reg, u8 value)
{
    mem_write(&f->mem, I2C0 + reg, value, 1);
}

static u8 get(struct fabric *f, unsigned reg)
{
    return mem_read(&f->mem, I2C0 + reg, 1);
}

static u8 send(struct fabric *f, u8 byte, u8 command)
{
    put(f, 3, byte);
    put(f, 4, command | WR);
    return get(f, 4);
}

TEST(reset_values)
{
    static const u8 resets[] = {0xff, 0xff, 0x20, 0, 0, 0, 0, 0};
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < sizeof(resets); i++) {
        CHECK_EQ(mem_read(&f.mem, I2C0 + i, 1), resets[i]);
        CHECK_EQ(csr_read(&f, 0, 0x130 + i, 1), resets[i]);
    }
    fabric_free(&f);
}

TEST(an_absent_slave_does_not_acknowledge)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    put(&f, 2, 0xa0);
    CHECK_EQ(send(&f, 0xa0, STA), NO_ACK | BUSY | IF);
    put(&f, 4, STO | IACK);
    CHECK_EQ(get(&f, 4) & BUSY, 0);
    fabric_free(&f);
}

TEST(write_and_read_a_memory)
{
    struct memory m;
    struct fabric f;
    fabric_init(&f, 1, 32);
    attach(&f, &m, 0x50);
    put(&f, 2, 0xa0);
    CHECK_EQ(send(&f, 0xa0, STA), BUSY | IF);
    CHECK_EQ(send(&f, 0x10, 0), BUSY | IF);
    send(&f, 0xab, 0);
    CHECK_EQ(send(&f, 0xcd, STO), IF);
    CHECK_EQ(m.n_stops, 1);
    CHECK_EQ(m.data[0x10], 0xab);
    CHECK_EQ(m.data[0x11], 0xcd);
    send(&f, 0xa0, STA);
    send(&f, 0x10, 0);
    send(&f, 0xa1, STA);
    put(&f, 4, RD);
    CHECK_EQ(get(&f, 3), 0xab);
    put(&f, 4, RD | STO);
    CHECK_EQ(get(&f, 3), 0xcd);
    CHECK_EQ(mem_read(&f.mem, I2C1 + 4, 1), 0);
    fabric_free(&f);
}

TEST(the_interrupt_needs_its_enable_and_an_acknowledgement)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1428, 3 << LIOINTC_I2C0, 4);
    put(&f, 2, 0xa0);
    send(&f, 0x22, STA | STO);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
    put(&f, 2, 0xe0);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 1 << LIOINTC_I2C0);
    put(&f, 4, IACK);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
    fabric_free(&f);
}

TEST(nothing_happens_while_the_controller_is_off)
{
    struct memory m;
    struct fabric f;
    fabric_init(&f, 1, 32);
    attach(&f, &m, 0x50);
    CHECK_EQ(send(&f, 0xa0, STA), 0);
    put(&f, 2, 0x80); // slave mode
    CHECK_EQ(send(&f, 0xa0, STA), 0);
    put(&f, 2, 0xa0);
    send(&f, 0xa0, STA);
    put(&f, 2, 0x20);
    CHECK_EQ(get(&f, 4) & BUSY, 0);
    CHECK_EQ(m.n_stops, 1);
    fabric_free(&f);
}
