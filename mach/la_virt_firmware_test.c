// SPDX-License-Identifier: Apache-2.0
// What firmware finds: itself at the reset address, the device tree, and fw_cfg read register by
// register.
#include "mach/la_virt_map.h"
#include "mach/machine_bench.h"

#include <libfdt.h>

#define FW_CFG VIRT_FW_CFG_BASE

// Firmware of a few instructions: stores the first word of RAM at 1 MiB and the processor's number,
// then powers off from core 0.
static const char *const firmware[] = {
    "csrrd $t0, 0x20",
    "lu12i.w $t1, 0x300",
    "slli.d $t2, $t0, 3",
    "add.d $t1, $t1, $t2",
    "lu12i.w $t3, 0x100",
    "ld.wu $t4, $t3, 0",
    "add.d $t4, $t4, $t0",
    "st.d $t4, $t1, 0",
    "bnez $t0, 24",
    "lu12i.w $t0, 0x100e0",
    "ori $t0, $t0, 0x1c",
    "ori $t1, $zero, 0x34",
    "st.b $t1, $t0, 0",
    "nop",
    "b 0",
    NULL,
};

static const char *firmware_file(struct bench *b)
{
    u8 image[256] = {0};
    for (size_t i = 0; firmware[i]; i++) {
        u32 word = 0;
        CHECK(la_assemble(firmware[i], VIRT_FLASH0_BASE + 4 * i, &word, &b->e));
        store_le(image + 4 * i, word, 4);
    }
    return bench_file(b, image, sizeof(image));
}

static struct mem_space *mem(struct bench *b)
{
    return &b->machine->mem;
}

static void select_key(struct bench *b, u16 key)
{
    mem_write(mem(b), FW_CFG + 8, __builtin_bswap16(key), 2);
}

static void read_data(struct bench *b, void *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((u8 *)to)[i] = (u8)mem_read(mem(b), FW_CFG, 1);
}

static u64 key_number(struct bench *b, u16 key, unsigned size)
{
    u8 data[8] = {0};
    select_key(b, key);
    read_data(b, data, size);
    return load_le(data, size);
}

// Selects the file, and returns its size; 0 if there is none of that name.
static u32 select_file(struct bench *b, const char *name)
{
    u8 count[4], entry[64];
    select_key(b, 0x19);
    read_data(b, count, 4);
    for (u64 n = load_be(count, 4); n > 0; n--) {
        read_data(b, entry, sizeof(entry));
        if (!strcmp((const char *)entry + 8, name)) {
            select_key(b, (u16)load_be(entry + 4, 2));
            return (u32)load_be(entry, 4);
        }
    }
    return 0;
}

TEST(all_cores_start_in_flash)
{
    struct bench b;
    bench_init(&b);
    b.config.n_cpus = 3;
    b.config.bios = firmware_file(&b);
    if (bench_start(&b)) {
        bench_run(&b);
        for (unsigned i = 0; i < 20; i++)
            for (unsigned j = 0; j < 3; j++)
                cpu_run(b.machine->cpus[j], 1);
        // The device tree's magic number, big-endian.
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(bench_word(&b, 0x300000 + 8 * i), 0xedfe0dd0 + i);
    }
    bench_free(&b);
}

TEST(the_device_tree_is_there_again_after_reset)
{
    struct bench b;
    bench_init(&b);
    b.config.bios = firmware_file(&b);
    b.config.ram_size = 1ULL << 30;
    if (bench_start(&b)) {
        for (unsigned i = 0; i < 2; i++) {
            static u8 tree[0x10000];
            for (size_t j = 0; j < sizeof(tree); j += 8)
                store_le(tree + j, bench_word(&b, VIRT_FDT_BASE + j), 8);
            CHECK_EQ(fdt_check_full(tree, sizeof(tree)), 0);
            CHECK(fdt_path_offset(tree, "/memory@80000000") > 0);
            mem_write(mem(&b), VIRT_FDT_BASE, 0, 8);
            machine_reset(b.machine);
        }
    }
    bench_free(&b);
}

TEST(fw_cfg_tells_memory_and_processors)
{
    struct bench b;
    bench_init(&b);
    b.config.n_cpus = 2;
    b.config.ram_size = 1ULL << 30;
    b.config.bios = firmware_file(&b);
    if (bench_start(&b)) {
        u8 map[48];
        CHECK_EQ(key_number(&b, 0, 4), 0x554d4551); // "QEMU"
        CHECK_EQ(key_number(&b, 3, 8), 1 << 30);
        CHECK_EQ(key_number(&b, 5, 2), 2);
        CHECK_EQ(select_file(&b, "etc/memmap"), 48);
        read_data(&b, map, sizeof(map));
        CHECK_EQ(load_le(map, 8), 0);
        CHECK_EQ(load_le(map + 8, 8), 0x10000000);
        CHECK_EQ(load_le(map + 16, 8), 1);
        CHECK_EQ(load_le(map + 24, 8), 0x80000000);
        CHECK_EQ(load_le(map + 32, 8), 0x30000000);
    }
    bench_free(&b);
}

TEST(fw_cfg_has_tables)
{
    struct bench b;
    bench_init(&b);
    b.config.bios = firmware_file(&b);
    if (bench_start(&b)) {
        u8 data[36];
        CHECK_EQ(select_file(&b, "etc/acpi/rsdp"), 36);
        read_data(&b, data, 36);
        CHECK(!memcmp(data, "RSD PTR ", 8));
        CHECK_EQ(select_file(&b, "etc/table-loader") % 128, 0);
        CHECK(select_file(&b, "etc/acpi/tables") > 3000);
        read_data(&b, data, 4);
        CHECK(!memcmp(data, "DSDT", 4));
        CHECK_EQ(select_file(&b, "etc/smbios/smbios-anchor"), 24);
        CHECK(select_file(&b, "etc/smbios/smbios-tables") > 100);
        CHECK_EQ(select_file(&b, "bootorder"), 0);
        CHECK_EQ(key_number(&b, 0x08, 4), 0); // no kernel
    }
    bench_free(&b);
}

TEST(a_kernel_is_handed_to_firmware)
{
    struct bench b;
    bench_init(&b);
    size_t size;
    u8 *kernel = sample_efi_image(0x1000, 0x200000, 0, &size);
    kernel[0xfff] = 0xab;
    b.config.bios = firmware_file(&b);
    b.config.kernel = bench_file(&b, kernel, size);
    b.config.initrd = bench_file(&b, "cpio", 4);
    b.config.append = "quiet";
    if (bench_start(&b)) {
        u8 data[0x1000];
        CHECK_EQ(key_number(&b, 0x08, 4), 0x1000);
        CHECK_EQ(key_number(&b, 0x17, 4), 0);
        select_key(&b, 0x11);
        read_data(&b, data, size);
        CHECK(!memcmp(data, kernel, size));
        CHECK_EQ(key_number(&b, 0x0b, 4), 4);
        CHECK_EQ(key_number(&b, 0x12, 4), 0x6f697063);
        CHECK_EQ(key_number(&b, 0x14, 4), 6);
        select_key(&b, 0x15);
        read_data(&b, data, 6);
        CHECK_STR((const char *)data, "quiet");
    }
    free(kernel);
    bench_free(&b);
}

TEST(flash_banks_are_files)
{
    struct bench b;
    bench_init(&b);
    char code[128], vars[128];
    snprintf(code, sizeof(code), "if=pflash,readonly=on,file=%s", firmware_file(&b));
    snprintf(vars, sizeof(vars), "file=%s,if=pflash", bench_file(&b, "variables", 9));
    const char *drives[] = {code, vars};
    b.config.drives = drives;
    b.config.n_drives = 2;
    if (bench_start(&b)) {
        CHECK_EQ(mem_read(mem(&b), VIRT_FLASH0_BASE, 4), 0x0400800c);
        CHECK_EQ(mem_read(mem(&b), VIRT_FLASH1_BASE, 8), 0x656c626169726176);
        CHECK_EQ(mem_read(mem(&b), VIRT_FLASH1_BASE + 0x1000, 4), 0xffffffff);
        bench_run(&b);
    }
    bench_free(&b);
}

TEST(flash_1_is_blank_without_a_file)
{
    struct bench b;
    bench_init(&b);
    b.config.bios = firmware_file(&b);
    if (bench_start(&b)) {
        CHECK_EQ(mem_read(mem(&b), VIRT_FLASH1_BASE, 8), ~0ULL);
        mem_write(mem(&b), VIRT_FLASH1_BASE, 0x00980098, 4); // CFI query: "QRY" at word 0x10
        CHECK_EQ(mem_read(mem(&b), VIRT_FLASH1_BASE + 0x40, 4), 0x00510051);
    }
    bench_free(&b);
}

TEST(a_kernel_without_firmware_may_have_flash_1)
{
    struct bench b;
    static const char *const program[] = {"nop", NULL};
    bench_init(&b);
    char vars[128];
    snprintf(vars, sizeof(vars), "file=%s,if=pflash,unit=1", bench_file(&b, "variables", 9));
    const char *drive = vars;
    b.config.drives = &drive;
    b.config.n_drives = 1;
    bench_program(&b, program, PROGRAM_BASE);
    if (bench_start(&b)) {
        CHECK_EQ(mem_read(mem(&b), VIRT_FLASH1_BASE, 8), 0x656c626169726176);
        CHECK_EQ(mem_read(mem(&b), VIRT_FLASH0_BASE, 4), 0x0400800c); // the boot ROM
    }
    bench_free(&b);
}

TEST(wrong_firmware_is_refused)
{
    struct bench b;
    bench_init(&b);
    b.config.bios = "/nonexistent/bios";
    bench_refused(&b, "firmware: cfi-flash: open '/nonexistent/bios': No such file or directory");
    b.config.bios = "/tmp";
    bench_refused(&b, "firmware: cfi-flash: '/tmp' is not a file");
    b.config.bios = bench_file(&b, "", 0);
    bench_refused(&b, "' is empty");
    CHECK_EQ(truncate(b.config.bios, (16 << 20) + 1), 0);
    bench_refused(&b, "' has 16777217 bytes, more than the flash of 16777216 bytes");
    bench_free(&b);
}

TEST(what_cannot_be_firmware_is_named)
{
    struct bench b;
    bench_init(&b);
    b.config.bios = bench_file(&b, "hello\n", 6);
    bench_refused(&b, "' is a text file; firmware is an image of flash memory, as QEMU_EFI.fd is");
    b.config.bios = bench_file(&b, "\177ELF\2\1\1", 8);
    bench_refused(&b, "' is an ELF program; firmware is an image of flash memory");
    b.config.bios = bench_file(&b, "MZ\0\0", 4);
    bench_refused(&b, "' is an EFI image; a kernel is given with -kernel");
    bench_free(&b);
}

TEST(two_firmwares_are_refused)
{
    struct bench b;
    bench_init(&b);
    const char *path = firmware_file(&b);
    char drive[128];
    snprintf(drive, sizeof(drive), "if=pflash,file=%s", path);
    const char *drives[] = {drive, drive, drive};
    b.config.bios = path;
    b.config.drives = drives;
    b.config.n_drives = 1;
    bench_refused(&b, "both want flash 0");
    b.config.bios = NULL;
    b.config.n_drives = 3;
    bench_refused(&b, "flash 1 has the file");
    snprintf(drive, sizeof(drive), "if=pflash,unit=2,file=%s", path);
    b.config.n_drives = 1;
    bench_refused(&b, "unit=2: there are 2 flash banks");
    bench_free(&b);
}

TEST(wrong_kernels_for_firmware_are_refused)
{
    struct bench b;
    bench_init(&b);
    static const char *const program[] = {"nop", NULL};
    b.config.bios = firmware_file(&b);
    bench_program(&b, program, PROGRAM_BASE);
    bench_refused(&b, "is an ELF program; firmware starts EFI images only");
    b.config.kernel = bench_file(&b, "hello\n", 6);
    bench_refused(&b, "is a text file, not a kernel");
    b.config.kernel = "/nonexistent/kernel";
    bench_refused(&b, "kernel '/nonexistent/kernel': cannot open");
    b.config.kernel = NULL;
    b.config.initrd = "/dev/null";
    bench_refused(&b, "an initrd (-initrd) is of use only with a kernel (-kernel)");
    bench_free(&b);
}
