// SPDX-License-Identifier: Apache-2.0
// Layout of the block, as offsets from its base:
//     0x0000 command line      0x1400 vendor string
//     0x1000 system table      0x1500 initrd
//     0x1200 configuration     0x1600 random seed
//                              0x2000 memory map
#include "mach/efi_systab.h"

#include "base/bits.h"
#include "base/bug.h"

#include <assert.h>
#include <string.h>

#define SYSTAB_AT (EFI_SYSTEM_TABLE - EFI_BLOCK_BASE)
#define CONFIG_AT 0x1200
#define VENDOR_AT 0x1400
#define INITRD_AT 0x1500
#define SEED_AT   0x1600
#define MAP_AT    0x2000

#define MAP_HEADER_SIZE     40
#define MAP_DESCRIPTOR_SIZE 40
#define ATTRIBUTE_WB        8

static_assert(MAP_AT + MAP_HEADER_SIZE + EFI_MAX_RANGES * MAP_DESCRIPTOR_SIZE <= EFI_BLOCK_SIZE,
              "the memory map fits");

// GUIDs in memory order: three little-endian numbers, then bytes.
static const u8 guid_memory_map[16] = {0x3f, 0x68, 0x0f, 0x80, 0x8b, 0xd0, 0x3a, 0x42,
                                       0xa2, 0x93, 0x96, 0x5c, 0x3c, 0x6f, 0xe2, 0xb4};
static const u8 guid_initrd[16] = {0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
                                   0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68};
static const u8 guid_acpi_20[16] = {0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
                                    0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81};
static const u8 guid_smbios3[16] = {0x44, 0x15, 0xfd, 0xf2, 0x94, 0x97, 0x2c, 0x4a,
                                    0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94};

static const u8 guid_seed[16] = {0xbc, 0xe5, 0xe1, 0x1c, 0xeb, 0x7c, 0xf2, 0x42,
                                 0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b};
static const u8 guid_fdt[16] = {0xd5, 0x21, 0xb6, 0xb1, 0x9c, 0xf1, 0xa5, 0x41,
                                0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0};

static void put_utf16(u8 *at, const char *ascii)
{
    for (; *ascii; ascii++, at += 2)
        store_le(at, (u8)*ascii, 2);
    store_le(at, 0, 2);
}

// struct efi_boot_memmap of Linux: the map as the EFI stub keeps it.
static void put_memory_map(u8 *at, const struct efi_boot_info *info)
{
    u64 map_size = info->n_ranges * MAP_DESCRIPTOR_SIZE;
    store_le(at, map_size, 8);
    store_le(at + 8, MAP_DESCRIPTOR_SIZE, 8);
    store_le(at + 16, 1, 4);        // descriptor version
    store_le(at + 24, 0, 8);        // key
    store_le(at + 32, map_size, 8); // buffer size
    at += MAP_HEADER_SIZE;
    for (size_t i = 0; i < info->n_ranges; i++, at += MAP_DESCRIPTOR_SIZE) {
        const struct efi_memory_range *r = &info->ranges[i];
        BUG_ON(r->base % EFI_PAGE_SIZE || r->size % EFI_PAGE_SIZE);
        store_le(at, r->type, 4);
        store_le(at + 8, r->base, 8);
        store_le(at + 16, 0, 8); // virtual start
        store_le(at + 24, r->size / EFI_PAGE_SIZE, 8);
        store_le(at + 32, ATTRIBUTE_WB, 8);
    }
}

static u8 *put_config(u8 *at, const u8 guid[16], u64 pointer)
{
    memcpy(at, guid, 16);
    store_le(at + 16, pointer, 8);
    return at + 24;
}

// Returns the number of entries.
static unsigned put_config_tables(u8 *at, const struct efi_boot_info *info)
{
    u8 *end = put_config(at, guid_memory_map, EFI_BLOCK_BASE + MAP_AT);
    if (info->initrd_size)
        end = put_config(end, guid_initrd, EFI_BLOCK_BASE + INITRD_AT);
    if (info->rsdp)
        end = put_config(end, guid_acpi_20, info->rsdp);
    if (info->smbios)
        end = put_config(end, guid_smbios3, info->smbios);
    if (info->fdt)
        end = put_config(end, guid_fdt, info->fdt);
    if (info->has_seed)
        end = put_config(end, guid_seed, EFI_BLOCK_BASE + SEED_AT);
    return (unsigned)((end - at) / 24);
}

// EFI_SYSTEM_TABLE (UEFI 4.3), 120 bytes.
static void put_system_table(u8 *at, unsigned n_config)
{
    memcpy(at, "IBI SYST", 8);
    store_le(at + 8, 2 << 16 | 100, 4); // revision 2.10
    store_le(at + 12, 120, 4);
    store_le(at + 24, EFI_BLOCK_BASE + VENDOR_AT, 8);
    store_le(at + 32, 1, 4); // firmware revision
    store_le(at + 104, n_config, 8);
    store_le(at + 112, EFI_BLOCK_BASE + CONFIG_AT, 8);
}

bool efi_systab_build(u8 *block, const struct efi_boot_info *info, struct err *e)
{
    size_t length = strlen(info->command_line);
    if (length >= EFI_COMMAND_LINE_MAX)
        return err_set(e, "the kernel's command line has %zu bytes, at most %d are possible",
                       length, EFI_COMMAND_LINE_MAX - 1);
    BUG_ON(info->n_ranges > EFI_MAX_RANGES);
    memset(block, 0, EFI_BLOCK_SIZE);
    memcpy(block, info->command_line, length);
    put_system_table(block + SYSTAB_AT, put_config_tables(block + CONFIG_AT, info));
    put_utf16(block + VENDOR_AT, "Longhouse");
    store_le(block + INITRD_AT, info->initrd_base, 8);
    store_le(block + INITRD_AT + 8, info->initrd_size, 8);
    put_memory_map(block + MAP_AT, info);
    return true;
}

// struct linux_efi_random_seed: a length and so many bytes.
void efi_systab_put_seed(u8 *block, const u8 seed[EFI_SEED_SIZE])
{
    store_le(block + SEED_AT, EFI_SEED_SIZE, 4);
    memcpy(block + SEED_AT + 4, seed, EFI_SEED_SIZE);
}
