// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

static void heat(struct fabric *f, unsigned sensor, unsigned celsius)
{
    mem_lock(&f->mem);
    ls3_thermal_set(f->chip->thermal, sensor, ls3_thermal_raw(celsius));
    mem_unlock(&f->mem);
}

static u32 interrupt(struct fabric *f)
{
    csr_write(f, 0, 0x1428, 1 << LIOINTC_THERMAL, 4);
    return csr_read(f, 0, 0x1420, 4) >> LIOINTC_THERMAL & 1;
}

TEST(temperatures_read_everywhere)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    CHECK_EQ(ls3_thermal_raw(40), 0x1b68);
    CHECK_EQ(csr_read(&f, 0, 0x428, 4), 40);
    heat(&f, 0, 66);
    heat(&f, 1, 125);
    heat(&f, 2, 0);
    CHECK_EQ(csr_read(&f, 0, 0x428, 4), 66);
    CHECK_EQ(csr_read(&f, 0, 0x19c, 2), ls3_thermal_raw(66));
    CHECK_EQ(csr_read(&f, 0, 0x19e, 2), ls3_thermal_raw(125));
    CHECK_EQ(csr_read(&f, 0, 0x1588, 8), (u64)ls3_thermal_raw(66) << 16);
    CHECK_EQ(csr_read(&f, 0, 0x15a8, 8), (u64)ls3_thermal_raw(0) << 16);
    csr_write(&f, 0, 0x15a0, 0x174, 8);
    CHECK_EQ(csr_read(&f, 0, 0x15a0, 8), 0x174);
    CHECK_EQ(csr_read(&f, 0, 0x15a8, 8), (u64)ls3_thermal_raw(0) << 16 | 0x78);
    CHECK_EQ(csr_read(&f, 0, 0x428, 4), 0); // Temp_valid of sensor 2
    csr_write(&f, 0, 0x15a0, 0, 8);
    CHECK_EQ(csr_read(&f, 0, 0x428, 4), 66);
    fabric_free(&f);
}

TEST(alarms_of_all_groups_and_sensors)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    for (unsigned i = 0; i < 16; i++) {
        unsigned group = i / 4, sensor = i % 4;
        u64 gate = ls3_thermal_raw(80), low = ls3_thermal_raw(10);
        csr_write(&f, 0, 0x1478, gate >> 8 << (8 * group) | low >> 8 << (8 * group + 32), 8);
        csr_write(&f, 0, 0x1460, ((gate & 0xff) | 0x100 | sensor << 10) << (16 * group), 8);
        csr_write(&f, 0, 0x1468, ((low & 0xff) | 0x100 | sensor << 10) << (16 * group), 8);
        CHECK_EQ(csr_read(&f, 0, 0x1470, 4), 0);
        heat(&f, sensor, 80);
        CHECK_EQ(csr_read(&f, 0, 0x1470, 4), 0);
        heat(&f, sensor, 81);
        CHECK_EQ(csr_read(&f, 0, 0x1470, 4), 1);
        CHECK_EQ(interrupt(&f), 1);
        csr_write(&f, 0, 0x1470, 1, 4);
        CHECK_EQ(interrupt(&f), 1); // still too hot
        heat(&f, sensor, 40);
        CHECK_EQ(interrupt(&f), 1); // and not forgotten
        csr_write(&f, 0, 0x1470, 1, 4);
        CHECK_EQ(interrupt(&f), 0);
        heat(&f, sensor, 9);
        CHECK_EQ(csr_read(&f, 0, 0x1470, 4), 2);
        heat(&f, sensor, 40);
        csr_write(&f, 0, 0x1470, 3, 4);
        CHECK_EQ(interrupt(&f), 0);
        csr_write(&f, 0, 0x1460, 0, 8);
        csr_write(&f, 0, 0x1468, 0, 8);
    }
    fabric_free(&f);
}

TEST(a_gate_below_the_temperature_alarms_when_it_is_written)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x1460, 0x100, 2);
    CHECK_EQ(interrupt(&f), 1);
    device_reset(&f.chip->dev);
    CHECK_EQ(csr_read(&f, 0, 0x1470, 4), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1460, 8), 0);
    fabric_free(&f);
}
