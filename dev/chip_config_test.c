// SPDX-License-Identifier: Apache-2.0
// Chip configuration registers and address windows.
#include "dev/fabric_test.h"
#include "base/bits.h"

TEST(reset_values)
{
    static const struct {
        u32 address;
        u64 value;
    } resets[] = {
        {0x180, 0x3d000f00bb003de0},
        {0x188, 0},
        {0x1b0, 0x0000040104000000},
        {0x1c0, 0x00104108},
        {0x1d0, 0xffff},
        {0x1d8, 0xff},
        {0x400, 0xc00000f0},
        {0x420, 0},
        {0x430, 0},
        {0x460, 0},
        {0x518, 0},
        {0x600, 0},
        {0x748, 0},
        {0x2e80, 0},
    };
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < ARRAY_LEN(resets); i++) {
        CHECK_EQ(csr_read(&f, 0, resets[i].address, 8), resets[i].value);
        CHECK_EQ(mem_read(&f.mem, 0x1fe00000 + resets[i].address, 8), resets[i].value);
    }
    CHECK_EQ(f.n_unimp, 0);
    fabric_free(&f);
}

TEST(read_only_bits_stay)
{
    static const struct {
        u32 address;
        u64 after_ones;
    } rows[] = {
        {0x000, 0x11},
        {0x180, 0x3dffffffffffffff},
        {0x190, 0},
        {0x198, 0x1b681b6800000000},
        {0x400, 0xfffff0ffffffffff},
        {0x428, 40},
        {0x600, BITS(5, 0) | BIT(8) | BITS(33, 32) | BIT(40)},
        {0x610, 0xff},
        {0x618, 0},
        {0x748, 0},
        {0x518, 0xffffffff00000000},
    };
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        csr_write(&f, 0, rows[i].address, ~0ULL, 8);
        CHECK_EQ(csr_read(&f, 0, rows[i].address, 8), rows[i].after_ones);
    }
    fabric_free(&f);
}

TEST(plls_lock_at_once)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    CHECK_EQ(csr_read(&f, 0, 0x1b0, 4) >> 16 & 1, 0);
    csr_write(&f, 0, 0x1b0, 1 << 2, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1b0, 4), 1 << 16 | 1 << 2);
    csr_write(&f, 0, 0x1b0, 1 << 16, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1b0, 4), 0);
    csr_write(&f, 0, 0x1c0, 1 << 1, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1c0, 4), 1 << 6 | 1 << 1);
    fabric_free(&f);
}

TEST(the_node_counter_runs)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    f.now = 1000;
    CHECK_EQ(csr_read(&f, 0, 0x408, 8), 2500);
    CHECK_EQ(csr_read(&f, 0, 0x408, 4), 2500);
    f.now = NS_PER_SEC * 4;
    CHECK_EQ(csr_read(&f, 0, 0x408, 8), 10000000000);
    CHECK_EQ(csr_read(&f, 0, 0x40c, 4), 10000000000 >> 32);
    fabric_free(&f);
}

struct runs {
    bool runs[4];
    unsigned n_changes;
};

static void set_runs(void *opaque, unsigned core, bool level)
{
    struct runs *r = opaque;
    r->runs[core] = level;
    r->n_changes++;
}

TEST(cores_are_halted_and_restarted)
{
    struct runs r = {{true, true, true, true}, 0};
    struct fabric f;
    fabric_init(&f, 4, 32);
    f.chip->config->core_runs = (struct irq){set_runs, &r, 0};
    csr_write(&f, 0, 0x1d8, 0xf3, 1); // core 1
    CHECK(!r.runs[1] && r.runs[0] && r.runs[2] && r.runs[3]);
    csr_write(&f, 0, 0x1d8, 0xf7, 1); // resetn_pre first
    CHECK(!r.runs[1]);
    csr_write(&f, 0, 0x1d8, 0xff, 1);
    CHECK(r.runs[1]);
    CHECK_EQ(r.n_changes, 2);
    fabric_free(&f);
}

TEST(other_functions_start_as_the_board_says)
{
    struct fabric f;
    struct err e = {0};
    fabric_init(&f, 1, 32);
    struct ls3_chip *c = (struct ls3_chip *)device_new(&ls3_chip_type, &f.env);
    c->cores.out = (struct irq){fabric_core_line, &f, 0};
    CHECK(device_set(&c->dev, "other-reset", "0x1000000000000", &e));
    CHECK(device_set(&c->dev, "features", "0x3ff", &e));
    CHECK(device_set(&c->dev, "name", "3C6000", &e));
    CHECK(device_realize(&c->dev, &e));
    CHECK_EQ(iocsr_read(c->iocsr, 0, 0x420, 8), 0x1000000000000);
    CHECK_EQ(iocsr_read(c->iocsr, 0, 8, 4), 0x3ff);
    CHECK_EQ(iocsr_read(c->iocsr, 0, 0x20, 8), 0x303030364333);
    CHECK(c->extioi->is_enabled);
    iocsr_write(c->iocsr, 0, 0x420, 0, 8);
    CHECK(!c->extioi->is_enabled);
    device_reset(&c->dev);
    CHECK(c->extioi->is_enabled);
    device_free(&c->dev);
    c = (struct ls3_chip *)device_new(&ls3_chip_type, &f.env);
    CHECK(device_set(&c->dev, "name", "123456789", &e));
    CHECK(!device_realize(&c->dev, &e));
    device_free(&c->dev);
    fabric_free(&f);
}

TEST(address_windows_are_stored_and_those_without_effect_are_told)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned port = 0; port < 16; port++) {
        for (unsigned i = 0; port != 8 && i < 24; i++) {
            u32 address = 0x2000 + 0x100 * port + 8 * i;
            csr_write(&f, 0, address, 0x123456789abc0000 | address, 8);
            CHECK_EQ(csr_read(&f, 0, address, 8), 0x123456789abc0000 | address);
        }
    }
    // Offsets of MMAP0-7 have bit 7 set. Those of the four processors have an effect.
    CHECK_EQ(f.n_unimp, 11 * 8);
    csr_write(&f, 0, 0x2480, 0x80, 8);
    CHECK_EQ(f.n_unimp, 11 * 8);
    CHECK_EQ(csr_read(&f, 0, 0x20c0, 8), 0);
    CHECK_EQ(csr_read(&f, 0, 0x2800, 8), 0);
    CHECK_EQ(f.n_unimp, 11 * 8 + 2);
    fabric_free(&f);
}

TEST(a_processors_windows_route_what_it_accesses)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    struct addr_window *w = f.chip->windows;
    CHECK(!*addr_window_is_active(w));
    CHECK_EQ(addr_window_route(w, 1, 0x90001234), 0x90001234);
    // Window 1 of core 1: 0x90000000, 16 MiB, to 0x10000000; window 0 is off.
    csr_write(&f, 0, 0x2100, 0x90000000, 8);
    csr_write(&f, 0, 0x2140, 0xffffffffff000000, 8);
    csr_write(&f, 0, 0x2108, 0x90000000, 8);
    csr_write(&f, 0, 0x2148, 0xffffffffff000000, 8);
    csr_write(&f, 0, 0x2188, 0x10000000 | 0x80 | 0x30, 8);
    CHECK(*addr_window_is_active(w));
    CHECK_EQ(addr_window_route(w, 1, 0x90001234), 0x10001234);
    CHECK_EQ(addr_window_route(w, 1, 0x91001234), 0x91001234);
    CHECK_EQ(addr_window_route(w, 0, 0x90001234), 0x90001234);
    // The lowest window wins.
    csr_write(&f, 0, 0x2180, 0x20000000 | 0x80, 8);
    CHECK_EQ(addr_window_route(w, 1, 0x90001234), 0x20001234);
    device_reset(&w->dev);
    CHECK_EQ(addr_window_route(w, 1, 0x90001234), 0x90001234);
    fabric_free(&f);
}
