// SPDX-License-Identifier: Apache-2.0
// The SPI controller and its serial flash, driven by byte registers as firmware does.
#include "dev/fabric_test.h"

#define SPI 0x1fe001f0ULL

static void put(struct fabric *f, unsigned reg, u8 value)
{
    mem_write(&f->mem, SPI + reg, value, 1);
}

static u8 get(struct fabric *f, unsigned reg)
{
    return mem_read(&f->mem, SPI + reg, 1);
}

static void start(struct fabric *f)
{
    put(f, 0, 0x50);
    put(f, 5, 0x01);
}

static void stop(struct fabric *f)
{
    put(f, 5, 0x11);
}

static u8 exchange(struct fabric *f, u8 out)
{
    put(f, 2, out);
    CHECK_EQ(get(f, 1) & 1, 0);
    return get(f, 2);
}

static void command(struct fabric *f, u8 code, int address)
{
    start(f);
    exchange(f, code);
    for (int i = 16; address >= 0 && i >= 0; i -= 8)
        exchange(f, address >> i);
}

static void simple(struct fabric *f, u8 code, int address)
{
    command(f, code, address);
    stop(f);
}

static u8 read_byte(struct fabric *f, u32 address)
{
    command(f, 0x03, address);
    u8 value = exchange(f, 0);
    stop(f);
    return value;
}

static void program(struct fabric *f, u32 address, const u8 *data, unsigned n)
{
    simple(f, 0x06, -1);
    command(f, 0x02, address);
    for (unsigned i = 0; i < n; i++)
        exchange(f, data[i]);
    stop(f);
}

TEST(reset_values)
{
    static const u8 resets[] = {0x10, 0x05, 0xff, 0, 0x21, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < sizeof(resets); i++)
        CHECK_EQ(get(&f, i), resets[i]);
    CHECK_EQ(csr_read(&f, 0, 0x1f4, 1), 0x21);
    fabric_free(&f);
}

TEST(identification)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    command(&f, 0x9f, -1);
    CHECK_EQ(exchange(&f, 0), 0xef);
    CHECK_EQ(exchange(&f, 0), 0x40);
    CHECK_EQ(exchange(&f, 0), 23);
    stop(&f);
    command(&f, 0x90, 0);
    CHECK_EQ(exchange(&f, 0), 0xef);
    CHECK_EQ(exchange(&f, 0), 22);
    stop(&f);
    fabric_free(&f);
}

TEST(programming_clears_bits_and_erasing_sets_them)
{
    static const u8 data[] = {0x12, 0x34};
    struct fabric f;
    fabric_init(&f, 1, 32);
    program(&f, 0x10ff, data, 2); // wraps within the page
    CHECK_EQ(read_byte(&f, 0x10ff), 0x12);
    CHECK_EQ(read_byte(&f, 0x1000), 0x34);
    CHECK_EQ(read_byte(&f, 0x1100), 0xff);
    program(&f, 0x10ff, &(u8){0xf0}, 1);
    CHECK_EQ(read_byte(&f, 0x10ff), 0x10);
    simple(&f, 0x20, 0x1234); // not enabled
    CHECK_EQ(read_byte(&f, 0x10ff), 0x10);
    simple(&f, 0x06, -1);
    simple(&f, 0x20, 0x1234);
    CHECK_EQ(read_byte(&f, 0x10ff), 0xff);
    fabric_free(&f);
}

TEST(erase_sizes)
{
    static const struct {
        u8 code;
        u32 size;
    } erases[] = {{0x20, 4 << 10}, {0x52, 32 << 10}, {0xd8, 64 << 10}};
    struct fabric f;
    fabric_init(&f, 1, 32);
    u8 *data = f.chip->spi->flash.data;
    for (unsigned i = 0; i < ARRAY_LEN(erases); i++) {
        u32 size = erases[i].size, at = 1 << 20;
        memset(data, 0, 8 << 20);
        simple(&f, 0x06, -1);
        simple(&f, erases[i].code, at + size / 2);
        CHECK_EQ(data[at - 1], 0);
        CHECK_EQ(data[at], 0xff);
        CHECK_EQ(data[at + size - 1], 0xff);
        CHECK_EQ(data[at + size], 0);
    }
    simple(&f, 0x06, -1);
    simple(&f, 0xc7, -1);
    CHECK_EQ(data[0], 0xff);
    CHECK_EQ(data[(8 << 20) - 1], 0xff);
    fabric_free(&f);
}

TEST(status_and_write_enable)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    simple(&f, 0x06, -1);
    command(&f, 0x05, -1);
    CHECK_EQ(exchange(&f, 0), 2);
    CHECK_EQ(exchange(&f, 0), 2);
    stop(&f);
    simple(&f, 0x04, -1);
    command(&f, 0x05, -1);
    CHECK_EQ(exchange(&f, 0), 0);
    stop(&f);
    simple(&f, 0xb9, -1); // powered down: only 0xab is heard
    CHECK_EQ(read_byte(&f, 0), 0xff);
    command(&f, 0xab, 0);
    CHECK_EQ(exchange(&f, 0), 22);
    stop(&f);
    fabric_free(&f);
}

TEST(the_fifo_holds_four_bytes)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    memcpy(f.chip->spi->flash.data, "abcdef", 6);
    command(&f, 0x03, 0);
    for (unsigned i = 0; i < 5; i++)
        put(&f, 2, 0);
    CHECK_EQ(get(&f, 1) & 3, 2);
    CHECK_EQ(get(&f, 2), 'a');
    CHECK_EQ(get(&f, 1) & 3, 0);
    CHECK_EQ(get(&f, 2), 'b');
    CHECK_EQ(get(&f, 2), 'c');
    CHECK_EQ(get(&f, 2), 'd');
    CHECK_EQ(get(&f, 1) & 3, 1);
    CHECK_EQ(get(&f, 2), 0xff);
    fabric_free(&f);
}

TEST(the_interrupt_comes_after_as_many_bytes_as_asked_for)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1428, 1 << LIOINTC_SPI, 4);
    start(&f);
    put(&f, 0, 0xd0);
    put(&f, 3, 0x40); // two bytes
    put(&f, 2, 0);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
    put(&f, 2, 0);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 1 << LIOINTC_SPI);
    CHECK_EQ(get(&f, 1) & 0x80, 0x80);
    put(&f, 1, 0x80);
    CHECK_EQ(csr_read(&f, 0, 0x1420, 4), 0);
    fabric_free(&f);
}

TEST(custom_commands)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    put(&f, 9, 0x06);
    put(&f, 8, 0x01);
    put(&f, 9, 0x05);
    put(&f, 8, 0x13);
    CHECK_EQ(get(&f, 8), 0x12); // start clears itself
    CHECK_EQ(get(&f, 0xa), 2);
    put(&f, 9, 0x01); // write status, from the buffer
    put(&f, 0xa, 0x1c);
    put(&f, 8, 0x13);
    CHECK_EQ(get(&f, 0xa), 0x1c);
    put(&f, 9, 0x05);
    put(&f, 8, 0x13);
    CHECK_EQ(get(&f, 0xa), 0x1c);
    fabric_free(&f);
}

static void count(void *opaque)
{
    ++*(unsigned *)opaque;
}

TEST(the_memory_windows)
{
    unsigned n_changes = 0;
    struct fabric f;
    fabric_init(&f, 1, 32);
    struct ls3_spi *s = f.chip->spi;
    s->memory.base = 0x1d000000;
    s->boot.base = 0x1c000000;
    mem_add_region(&f.mem, &s->memory);
    mem_add_region(&f.mem, &s->boot);
    CHECK_EQ(s->memory.size, 8 << 20);
    CHECK_EQ(s->boot.size, 1 << 20);
    memcpy(s->flash.data, "firmware", 8);
    CHECK(mem_ram_page(&f.mem, 0x1c000000, 0x1000, false) == s->flash.data);
    mem_write(&f.mem, 0x1d000000, 0, 8);
    CHECK_EQ(mem_read(&f.mem, 0x1d000000, 4), 0x6d726966);
    f.mem.changed = count;
    f.mem.changed_opaque = &n_changes;
    program(&f, 0, &(u8){0}, 1);
    CHECK(n_changes > 0);
    CHECK_EQ(mem_read(&f.mem, 0x1c000000, 4), 0x6d726900);
    put(&f, 4, 0x20); // memory_en off
    CHECK_EQ(mem_read(&f.mem, 0x1d000000, 4), 0xffffffff);
    CHECK(!mem_ram_page(&f.mem, 0x1c000000, 0x1000, false));
    put(&f, 4, 0x21);
    CHECK_EQ(mem_read(&f.mem, 0x1d000004, 4), 0x65726177);
    fabric_free(&f);
}

TEST(without_a_flash_nothing_answers)
{
    struct fabric f;
    struct err e = {0};
    fabric_init(&f, 1, 32);
    struct ls3_spi *s = (struct ls3_spi *)device_new(&ls3_spi_type, &f.env);
    CHECK(device_realize(&s->dev, &e));
    CHECK_EQ(s->memory.size, 0);
    struct reg_bank *b = ls3_spi_bank(s);
    reg_bank_write(b, 0, 0, 0x50, 1);
    reg_bank_write(b, 0, 5, 0x01, 1);
    reg_bank_write(b, 0, 2, 0x9f, 1);
    reg_bank_write(b, 0, 2, 0, 1);
    CHECK_EQ(reg_bank_read(b, 0, 2, 1), 0xff);
    CHECK_EQ(reg_bank_read(b, 0, 2, 1), 0xff);
    reg_bank_write(b, 0, 5, 0x11, 1);
    device_free(&s->dev);
    fabric_free(&f);
}

TEST(wrong_flash_sizes_are_refused)
{
    static const char *const wrong[] = {"1", "32K", "3M", "32M"};
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = {0};
        struct device *d = device_new(&ls3_spi_type, &f.env);
        CHECK(device_set(d, "flash-size", wrong[i], &e));
        CHECK(!device_realize(d, &e));
        device_free(d);
    }
    fabric_free(&f);
}
