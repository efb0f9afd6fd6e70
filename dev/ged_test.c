// SPDX-License-Identifier: Apache-2.0
#include "dev/ged.h"
#include "dev/test_bench.h"

#define BASE 0x100e0000

static struct ged *make(struct bench *b)
{
    struct err e = {0};
    struct ged *g = ged_of(device_new(&ged_type, &b->env));
    g->irq = bench_irq(b, 0);
    CHECK(device_realize(&g->d, &e));
    g->region.base = BASE;
    mem_add_region(&b->mem, &g->region);
    device_reset(&g->d);
    return g;
}

TEST(the_power_button_raises_the_wire_until_the_selector_is_read)
{
    struct bench *b = bench_new();
    struct ged *g = make(b);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0);
    CHECK(!b->level[0]);
    ged_press_power_button(g);
    CHECK(b->level[0]);
    CHECK_EQ(mem_read(&b->mem, BASE + 2, 2), 0);
    CHECK(b->level[0]);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), GED_EVENT_POWER_BUTTON);
    CHECK(!b->level[0]);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0);
    ged_press_power_button(g);
    device_reset(&g->d);
    CHECK(!b->level[0]);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0);
    device_free(&g->d);
    bench_free(b);
}

TEST(sleep_type_5_with_the_enable_bit_powers_off)
{
    struct bench *b = bench_new();
    struct ged *g = make(b);
    mem_write(&b->mem, BASE + GED_SLEEP_CONTROL, 0x14, 1);
    CHECK_EQ(b->shutdown, -1);
    mem_write(&b->mem, BASE + GED_SLEEP_CONTROL, 0x30, 1);
    CHECK_EQ(b->shutdown, -1);
    CHECK_EQ(b->n_logged, 1);
    mem_write(&b->mem, BASE + GED_SLEEP_CONTROL, 0x34, 1);
    CHECK_EQ(b->shutdown, SHUTDOWN_POWER_OFF);
    CHECK_EQ(mem_read(&b->mem, BASE + GED_SLEEP_STATUS, 1), 0);
    device_free(&g->d);
    bench_free(b);
}

TEST(only_0x42_resets)
{
    struct bench *b = bench_new();
    struct ged *g = make(b);
    mem_write(&b->mem, BASE + GED_RESET, 0x41, 1);
    CHECK_EQ(b->shutdown, -1);
    mem_write(&b->mem, BASE + GED_RESET, 0x42, 1);
    CHECK_EQ(b->shutdown, SHUTDOWN_RESET);
    device_free(&g->d);
    bench_free(b);
}

// Device trees' syscon-poweroff writes 32 bits at the sleep control register.
TEST(a_32_bit_write_at_sleep_control_powers_off)
{
    struct bench *b = bench_new();
    struct ged *g = make(b);
    mem_write(&b->mem, BASE + GED_SLEEP_CONTROL, 0x34, 4);
    CHECK_EQ(b->shutdown, SHUTDOWN_POWER_OFF);
    device_free(&g->d);
    bench_free(b);
}

TEST(hot_plug_registers_read_as_absent)
{
    struct bench *b = bench_new();
    struct ged *g = make(b);
    for (unsigned i = 4; i < 0x1c; i += 4)
        CHECK_EQ(mem_read(&b->mem, BASE + i, 4), 0);
    for (unsigned i = 0x20; i < 0x2c; i++)
        CHECK_EQ(mem_read(&b->mem, BASE + i, 1), 0);
    mem_write(&b->mem, BASE + 0x20, 0xff, 1);
    CHECK_EQ(b->n_logged, 1);
    CHECK_EQ(b->shutdown, -1);
    device_free(&g->d);
    bench_free(b);
}
