// SPDX-License-Identifier: Apache-2.0
// Reads the block back the way a kernel does: from the system table's address, by pointers and
// GUIDs.
#include "mach/efi_systab.h"

#include "base/bits.h"
#include "base/test.h"

#include <stdlib.h>

static const struct efi_memory_range ranges[] = {
    {EFI_CONVENTIONAL, 0, 0x10000},
    {EFI_LOADER_DATA, 0x10000, 0x10000},
    {EFI_ACPI_RECLAIM, 0x20000, 0x3000},
    {EFI_CONVENTIONAL, 0x80000000, 0x40000000},
};

static const struct efi_boot_info full = {
    .command_line = "console=ttyS0 quiet",
    .rsdp = 0x22000,
    .smbios = 0x17000,
    .initrd_base = 0x4000000,
    .initrd_size = 12345,
    .ranges = ranges,
    .n_ranges = ARRAY_LEN(ranges),
};

static u8 *build(const struct efi_boot_info *info)
{
    struct err e = {0};
    u8 *block = malloc(EFI_BLOCK_SIZE);
    CHECK(efi_systab_build(block, info, &e));
    return block;
}

static const u8 *at(const u8 *block, u64 address)
{
    CHECK(address >= EFI_BLOCK_BASE && address < EFI_BLOCK_BASE + EFI_BLOCK_SIZE);
    return block + (address - EFI_BLOCK_BASE);
}

// The pointer of the configuration table whose GUID, as text, begins with `first`; 0 if there is
// none.
static u64 config_table(const u8 *block, u32 first)
{
    const u8 *systab = at(block, EFI_SYSTEM_TABLE);
    const u8 *config = at(block, load_le(systab + 112, 8));
    for (u64 i = 0; i < load_le(systab + 104, 8); i++)
        if (load_le(config + 24 * i, 4) == first)
            return load_le(config + 24 * i + 16, 8);
    return 0;
}

TEST(the_system_table_has_no_services)
{
    u8 *block = build(&full);
    const u8 *systab = at(block, EFI_SYSTEM_TABLE);
    CHECK(!memcmp(systab, "IBI SYST", 8));
    CHECK_EQ(load_le(systab + 12, 4), 120);
    CHECK_EQ(load_le(systab + 88, 8), 0);
    CHECK_EQ(load_le(systab + 96, 8), 0);
    CHECK_EQ(load_le(systab + 104, 8), 4);
    CHECK(!memcmp(at(block, load_le(systab + 24, 8)), "L\0o\0n\0g\0h\0o\0u\0s\0e\0\0", 20));
    CHECK_STR((const char *)at(block, EFI_COMMAND_LINE), "console=ttyS0 quiet");
    free(block);
}

TEST(tables_are_found_by_guid)
{
    u8 *block = build(&full);
    CHECK_EQ(config_table(block, 0x8868e871), 0x22000);
    CHECK_EQ(config_table(block, 0xf2fd1544), 0x17000);
    const u8 *initrd = at(block, config_table(block, 0x5568e427));
    CHECK_EQ(load_le(initrd, 8), 0x4000000);
    CHECK_EQ(load_le(initrd + 8, 8), 12345);
    free(block);
}

TEST(a_seed_can_be_put_and_put_again)
{
    struct efi_boot_info info = full;
    u8 seed[EFI_SEED_SIZE];
    u8 *none = build(&full);
    CHECK_EQ(config_table(none, 0x1ce1e5bc), 0);
    free(none);
    info.has_seed = true;
    u8 *block = build(&info);
    const u8 *table = at(block, config_table(block, 0x1ce1e5bc));
    for (unsigned i = 1; i < 3; i++) {
        memset(seed, (int)i, sizeof(seed));
        efi_systab_put_seed(block, seed);
        CHECK_EQ(load_le(table, 4), EFI_SEED_SIZE);
        CHECK(!memcmp(table + 4, seed, sizeof(seed)));
    }
    free(block);
}

TEST(the_memory_map_has_every_range)
{
    u8 *block = build(&full);
    const u8 *map = at(block, config_table(block, 0x800f683f));
    CHECK_EQ(load_le(map, 8), 4 * 40);
    CHECK_EQ(load_le(map + 8, 8), 40);
    CHECK_EQ(load_le(map + 16, 4), 1);
    CHECK_EQ(load_le(map + 32, 8), 4 * 40);
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const u8 *d = map + 40 + 40 * i;
        CHECK_EQ(load_le(d, 4), ranges[i].type);
        CHECK_EQ(load_le(d + 8, 8), ranges[i].base);
        CHECK_EQ(load_le(d + 24, 8) * 4096, ranges[i].size);
        CHECK_EQ(load_le(d + 32, 8), 8);
    }
    free(block);
}

TEST(absent_tables_are_left_out)
{
    struct efi_boot_info bare = {.command_line = "", .ranges = ranges, .n_ranges = 1};
    u8 *block = build(&bare);
    CHECK_EQ(load_le(at(block, EFI_SYSTEM_TABLE) + 104, 8), 1);
    CHECK(config_table(block, 0x800f683f) != 0);
    CHECK_EQ(config_table(block, 0x5568e427), 0);
    CHECK_EQ(config_table(block, 0x8868e871), 0);
    CHECK_EQ(config_table(block, 0xf2fd1544), 0);
    CHECK_EQ(block[0], 0);
    free(block);
}

TEST(command_lines_have_at_most_4095_characters)
{
    char text[4097];
    memset(text, 'x', sizeof(text));
    text[4095] = 0;
    struct efi_boot_info info = {.command_line = text, .ranges = ranges, .n_ranges = 1};
    u8 *block = build(&info);
    CHECK_STR((const char *)block, text);
    free(block);

    text[4095] = 'x';
    text[4096] = 0;
    u8 *unused = malloc(EFI_BLOCK_SIZE);
    struct err e = {0};
    CHECK(!efi_systab_build(unused, &info, &e));
    CHECK_STR(e.text, "the kernel's command line has 4096 bytes, at most 4095 are possible");
    free(unused);
}
