// SPDX-License-Identifier: Apache-2.0
// Reads the tree back as firmware does: by compatible strings, then fixed-size properties.
#include "mach/la_virt_fdt.h"

#include "base/bits.h"
#include "base/test.h"

#include <libfdt.h>
#include <stdlib.h>

static const struct la_virt_fdt board = {
    .n_cpus = 3,
    .memory = {{0, 0x10000000}, {0x80000000, 0x130000000}},
    .n_memory = 2,
    .command_line = "console=ttyS0",
};

static u8 *build(void)
{
    size_t size = 0;
    u8 *f = la_virt_fdt_build(&board, &size);
    CHECK_EQ(fdt_check_full(f, size), 0);
    return f;
}

static const u8 *property(const u8 *f, int node, const char *name, int wanted_size)
{
    static const u8 nothing[512];
    int size = 0;
    const void *p = fdt_getprop(f, node, name, &size);
    if (!CHECK(p != NULL))
        return nothing;
    CHECK_EQ(size, wanted_size);
    return p;
}

static int compatible(const u8 *f, const char *what)
{
    int node = fdt_node_offset_by_compatible(f, -1, what);
    if (!CHECK(node > 0))
        printf("# %s\n", what);
    return node;
}

static void check_reg(const u8 *f, const char *what, u64 base, u64 size)
{
    const u8 *reg = property(f, compatible(f, what), "reg", 16);
    CHECK_EQ(load_be(reg, 8), base);
    CHECK_EQ(load_be(reg + 8, 8), size);
}

TEST(devices_are_where_the_map_says)
{
    u8 *f = build();
    check_reg(f, "loongson,pch-pic-1.0", 0x10000000, 0x1000);
    check_reg(f, "loongson,pch-msi-1.0", 0x2ff00000, 8);
    check_reg(f, "loongson,ls7a-rtc", 0x100d0100, 0x100);
    check_reg(f, "qemu,fw-cfg-mmio", 0x1e020000, 0x18);
    check_reg(f, "pci-host-ecam-generic", 0x20000000, 0x8000000);
    check_reg(f, "syscon", 0x100e001c, 3);
    check_reg(f, "ns16550a", 0x1fe001e0, 0x100);
    free(f);
}

TEST(the_console_is_the_first_serial_port)
{
    u8 *f = build();
    int chosen = fdt_path_offset(f, "/chosen");
    const char *path = fdt_getprop(f, chosen, "stdout-path", NULL);
    REQUIRE(path != NULL);
    CHECK_STR(path, "/serial@1fe001e0");
    CHECK_EQ(fdt_path_offset(f, path), compatible(f, "ns16550a"));
    CHECK_EQ(load_be(property(f, compatible(f, "ns16550a"), "clock-frequency", 4), 4), 100000000);
    CHECK_STR(fdt_getprop(f, chosen, "bootargs", NULL), "console=ttyS0");
    free(f);
}

TEST(flash_has_two_banks)
{
    u8 *f = build();
    int node = compatible(f, "cfi-flash");
    const u8 *reg = property(f, node, "reg", 32);
    CHECK_EQ(load_be(reg, 8), 0x1c000000);
    CHECK_EQ(load_be(reg + 8, 8), 0x1000000);
    CHECK_EQ(load_be(reg + 16, 8), 0x1d000000);
    CHECK_EQ(load_be(property(f, node, "bank-width", 4), 4), 4);
    free(f);
}

TEST(pci_windows_are_records_of_28_bytes)
{
    u8 *f = build();
    int node = compatible(f, "pci-host-ecam-generic");
    const u8 *ranges = property(f, node, "ranges", 56);
    CHECK_EQ(load_be(ranges, 4), 0x01000000);
    CHECK_EQ(load_be(ranges + 4, 8), 0x4000);
    CHECK_EQ(load_be(ranges + 12, 8), 0x18004000);
    CHECK_EQ(load_be(ranges + 20, 8), 0xc000);
    CHECK_EQ(load_be(ranges + 28, 4), 0x02000000);
    CHECK_EQ(load_be(ranges + 32, 8), 0x40000000);
    CHECK_EQ(load_be(ranges + 40, 8), 0x40000000);
    CHECK_EQ(load_be(ranges + 48, 8), 0x40000000);
    CHECK_EQ(load_be(property(f, node, "bus-range", 8), 8), 0x7f);
    const u8 *map = property(f, node, "interrupt-map", 16 * 28);
    u32 pic = fdt_get_phandle(f, compatible(f, "loongson,pch-pic-1.0"));
    for (unsigned i = 0; i < 16; i++, map += 28) {
        CHECK_EQ(load_be(map, 4), i / 4 << 11);
        CHECK_EQ(load_be(map + 12, 4), i % 4 + 1);
        CHECK_EQ(load_be(map + 16, 4), pic);
        CHECK_EQ(load_be(map + 20, 4), 16 + (i / 4 + i % 4) % 4);
    }
    free(f);
}

TEST(processors_and_memory_are_listed)
{
    u8 *f = build();
    CHECK(fdt_path_offset(f, "/cpus/cpu@2") > 0);
    CHECK(fdt_path_offset(f, "/cpus/cpu@3") < 0);
    const u8 *reg = property(f, fdt_path_offset(f, "/memory@80000000"), "reg", 16);
    CHECK_EQ(load_be(reg, 8), 0x80000000);
    CHECK_EQ(load_be(reg + 8, 8), 0x130000000);
    free(f);
}

TEST(sixty_four_processors_fit)
{
    struct la_virt_fdt large = board;
    char text[4096];
    memset(text, 'x', 4095);
    text[4095] = 0;
    large.n_cpus = 64;
    large.command_line = text;
    size_t size = 0;
    u8 *f = la_virt_fdt_build(&large, &size);
    CHECK_EQ(fdt_check_full(f, size), 0);
    CHECK(fdt_path_offset(f, "/cpus/cpu@3f") > 0);
    free(f);
}
