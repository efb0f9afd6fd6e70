// SPDX-License-Identifier: Apache-2.0
// The hypervisor reads and changes the EFI tables that the machine starts kernels with.
#include "base/test.h"
#include "hv/arch.h"
#include "hv/arch/fake/fake.h"
#include "hv/boot_tables.h"
#include "mach/efi_systab.h"

TEST(memory_maps)
{
    struct hv *hv = fake_new(1);
    static struct boot_tables t;
    static const struct efi_memory_range ranges[] = {{EFI_CONVENTIONAL, 0, 0x10000000},
                                                     {EFI_CONVENTIONAL, 0x80000000, 0x20000000}};
    struct efi_boot_info info = {.command_line = "x",
                                 .initrd_base = 0x1000,
                                 .initrd_size = 5,
                                 .ranges = ranges,
                                 .n_ranges = 2};
    struct err e = {0};
    u64 base = FAKE_RAM_BASE + 0x180000 - EFI_BLOCK_BASE;
    u8 *block = arch_memory(base + EFI_BLOCK_BASE);
    CHECK(efi_systab_build(block, &info, &e));
    for (u64 at = 0x1200; at < 0x1300; at += 24) // its pointers are those of address 0
        *(u64 *)(void *)(block + at + 16) += base;
    *(u64 *)(void *)(block + 0x1000 + 112) += base;
    CHECK(boot_tables_read(&t, base + EFI_SYSTEM_TABLE));
    CHECK_EQ(t.n, 2);
    CHECK(boot_tables_reserve(&t, 0xfe00000, 0x200000));
    CHECK(boot_tables_reserve(&t, 0x88000000, 0x8000000));
    CHECK_EQ(t.n, 5);
    CHECK_EQ(t.ranges[0].size, 0xfe00000);
    CHECK_EQ(t.ranges[1].type, 0);
    CHECK_EQ(t.ranges[4].base, 0x90000000);
    boot_tables_write(&t, 0x2000, 6);
    CHECK(boot_tables_read(&t, base + EFI_SYSTEM_TABLE));
    CHECK_EQ(t.n, 5);
    CHECK_EQ(t.ranges[3].size, 0x8000000);
    CHECK(!boot_tables_read(&t, base));
    fake_free(hv);
}

TEST(ranges_in_any_order)
{
    static struct boot_tables t;
    static const u64 pages[] = {7, 3, 5, 4, 8, 2, 11};
    t.n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++)
        CHECK(boot_tables_add(&t, pages[i] << 14, 1 << 14, 1));
    CHECK_EQ(t.n, 3);
    CHECK_EQ(t.ranges[0].base, 2 << 14);
    CHECK_EQ(t.ranges[0].size, 4 << 14);
    CHECK_EQ(t.ranges[1].base, 7 << 14);
    CHECK_EQ(t.ranges[1].size, 2 << 14);
    CHECK_EQ(t.ranges[2].base, 11 << 14);
    CHECK(boot_tables_add(&t, 9 << 14, 2 << 14, 2)); // of another type: joined with none
    CHECK_EQ(t.n, 4);
    for (unsigned i = 4; i < BOOT_MAX_RANGES; i++)
        CHECK(boot_tables_add(&t, (u64)(100 + 2 * i) << 14, 1 << 14, 1));
    CHECK(!boot_tables_add(&t, 0, 1 << 14, 1));
    CHECK_EQ(t.n, BOOT_MAX_RANGES);
}
