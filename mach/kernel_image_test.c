// SPDX-License-Identifier: Apache-2.0
#include "mach/kernel_image.h"

#include "base/bits.h"
#include "base/test.h"
#include "mach/kernel_sample.h"

#include <elf.h>
#include <stdlib.h>

// Parses a copy whose end is the end of its allocation, so that the sanitizer sees any overrun.
static bool parse_copy(const u8 *data, size_t size, struct err *e)
{
    u8 *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    struct kernel_image k;
    *e = (struct err){0};
    bool ok = kernel_image_parse(&k, copy, size, e);
    CHECK(ok != err_is_set(e));
    if (ok)
        kernel_image_free(&k);
    free(copy);
    return ok;
}

static bool refuses(const u8 *data, size_t size, const char *part)
{
    struct err e;
    if (parse_copy(data, size, &e))
        return CHECK_STR("accepted", part);
    return strstr(e.text, part) ? true : CHECK_STR(e.text, part);
}

static bool refuses_text(const char *data, size_t size, const char *part)
{
    return refuses((const u8 *)data, size, part);
}

TEST(reads_an_efi_image)
{
    size_t size;
    u8 *file = sample_efi_image(0x3000, 0x200000, 0x1000, &size);
    struct kernel_image k;
    struct err e = {0};
    REQUIRE(kernel_image_parse(&k, file, size, &e));
    CHECK_STR(k.form, "EFI image");
    CHECK_EQ(k.entry, 0x201000);
    CHECK_EQ(k.n_segments, 1);
    CHECK_EQ(k.segments[0].base, 0x200000);
    CHECK_EQ(k.segments[0].size, 0x13000);
    CHECK_EQ(k.segments[0].data_size, 0x3000);
    CHECK(k.segments[0].data == file);
    CHECK(!k.unpacked);
    kernel_image_free(&k);
    free(file);
}

static void check_zboot(const char *compression, const char *form)
{
    size_t inner_size, size;
    u8 *inner = sample_efi_image(0x5000, 0x200000, 0x40c, &inner_size);
    for (size_t i = 0x400; i < inner_size; i++)
        inner[i] = (u8)(i * 7 >> 3);
    u8 *file = sample_zboot(compression, inner, inner_size, &size);
    struct kernel_image k;
    struct err e = {0};
    if (CHECK(kernel_image_parse(&k, file, size, &e))) {
        CHECK_STR(k.form, form);
        CHECK_EQ(k.entry, 0x20040c);
        CHECK_EQ(k.segments[0].data_size, inner_size);
        CHECK(!memcmp(k.segments[0].data, inner, inner_size));
        kernel_image_let_go(&k);
        CHECK(memcmp(k.segments[0].data, inner, inner_size));
        kernel_image_renew(&k);
        CHECK(!memcmp(k.segments[0].data, inner, inner_size));
        kernel_image_renew(&k); // has nothing to do
        kernel_image_free(&k);
    }
    free(file);
    free(inner);
}

TEST(unpacks_zstd)
{
    check_zboot("zstd", "EFI zboot image (zstd)");
}

TEST(unpacks_gzip)
{
    check_zboot("gzip", "EFI zboot image (gzip)");
}

TEST(every_truncation_of_a_zboot_image_is_refused)
{
    static const char *const names[] = {"zstd", "gzip"};
    for (size_t c = 0; c < ARRAY_LEN(names); c++) {
        size_t inner_size, size;
        u8 *inner = sample_efi_image(0x1000, 0x200000, 0, &inner_size);
        u8 *file = sample_zboot(names[c], inner, inner_size, &size);
        struct err e;
        CHECK(parse_copy(file, size, &e));
        for (size_t n = 0; n < size; n++)
            CHECK(!parse_copy(file, n, &e));
        refuses(file, 0, "is empty");
        refuses(file, 0x20, "is truncated: 32 bytes, an EFI header has 64");
        refuses(file, size - 1, "is truncated");
        free(file);
        free(inner);
    }
}

TEST(corrupt_payloads_are_refused)
{
    static const char *const names[] = {"zstd", "gzip"};
    for (size_t c = 0; c < ARRAY_LEN(names); c++) {
        size_t inner_size, size;
        u8 *inner = sample_efi_image(0x1000, 0x200000, 0, &inner_size);
        for (size_t i = 0x100; i < inner_size; i++)
            inner[i] = (u8)(i * i >> 4 ^ i);
        u8 *file = sample_zboot(names[c], inner, inner_size, &size);
        memset(file + 0x80, 0x55, 4);
        refuses(file, size, "is corrupt: unpacking its");
        free(file);
        free(inner);
    }
}

TEST(wrong_unpacked_sizes_are_refused)
{
    size_t inner_size, size;
    u8 *inner = sample_efi_image(0x1000, 0x200000, 0, &inner_size);
    u8 *file = sample_zboot("zstd", inner, inner_size, &size);
    store_le(file + size - 4, inner_size + 1, 4);
    refuses(file, size, "is corrupt: it unpacks to 4096 bytes instead of 4097");
    store_le(file + size - 4, inner_size - 1, 4);
    refuses(file, size, "is corrupt: unpacking its zstd payload fails");
    store_le(file + size - 4, 0, 4);
    refuses(file, size, "is corrupt: it claims to unpack to 0 bytes");
    store_le(file + size - 4, 0xffffffff, 4);
    refuses(file, size, "it claims to unpack to 4294967295 bytes, the limit is 256 MiB");
    free(file);

    file = sample_zboot("gzip", inner, inner_size, &size);
    store_le(file + size - 4, inner_size + 1, 4);
    refuses(file, size, "is corrupt: unpacking its gzip payload fails");
    store_le(file + size - 4, inner_size - 1, 4);
    refuses(file, size, "is corrupt: unpacking its gzip payload fails");
    free(file);
    free(inner);
}

TEST(payloads_that_are_no_images_are_refused)
{
    u8 text[200];
    memset(text, 'x', sizeof(text));
    size_t size, nested_size;
    u8 *file = sample_zboot("zstd", text, sizeof(text), &size);
    refuses(file, size, "its payload: is not an EFI image");
    u8 *nested = sample_zboot("gzip", file, size, &nested_size);
    refuses(nested, nested_size, "its payload: is not an EFI image");
    free(nested);
    free(file);
}

TEST(unknown_compressions_are_named)
{
    size_t inner_size, size;
    u8 *inner = sample_efi_image(0x1000, 0x200000, 0, &inner_size);
    u8 *file = sample_zboot("zstd", inner, inner_size, &size);
    memcpy(file + 0x18, "lzma", 5);
    refuses(file, size, "is a zboot image packed with 'lzma'; zstd and gzip can be unpacked");
    memset(file + 0x18, 'a', 0x20);
    refuses(file, size, "packed with 'aaaaaaaaaaaaaaaaaaaaaaaa'");
    free(file);
    free(inner);
}

TEST(headers_of_images_are_checked)
{
    size_t size;
    u8 *file = sample_efi_image(0x1000, 0x200000, 0x100, &size);
    store_le(file + 8, 0x200101, 8);
    refuses(file, size, "entry 0x200101 is not inside its 4096 bytes at 0x200000");
    store_le(file + 8, 0x201000, 8);
    refuses(file, size, "entry 0x201000 is not inside");
    store_le(file + 8, 0x1ffffc, 8);
    refuses(file, size, "entry 0x1ffffc is not inside");
    store_le(file + 8, 0x200000, 8);
    store_le(file + 16, 0, 8);
    refuses(file, size, "its header gives it 0 bytes of memory");
    store_le(file + 16, 1ULL << 40, 8);
    refuses(file, size, "its header gives it 1099511627776 bytes of memory");
    store_le(file + 16, 0x1000, 8);
    store_le(file + 0x3c, 0xffffffff, 4);
    refuses(file, size, "its PE header at 0xffffffff lies outside its 4096 bytes");
    store_le(file + 0x3c, 0x80, 4);
    refuses(file, size, "is corrupt: no PE header at 0x80");
    store_le(file + 0x3c, 0x40, 4);
    store_le(file + 0x38, 0, 4);
    refuses(file, size, "is a LoongArch64 EFI program but not a kernel");
    free(file);
}

TEST(efi_programs_of_other_machines_are_named)
{
    size_t size;
    u8 *file = sample_efi_image(0x1000, 0x200000, 0, &size);
    store_le(file + 0x44, 0x8664, 2);
    refuses(file, size, "is an EFI program for x86-64 (PE machine 0x8664), not for LoongArch64");
    store_le(file + 0x44, 0xaa64, 2);
    refuses(file, size, "is an EFI program for arm64");
    store_le(file + 0x44, 0x1234, 2);
    refuses(file, size, "is an EFI program for another machine (PE machine 0x1234)");
    memcpy(file + 0x38, "ARM\x64", 4);
    refuses(file, size, "is a Linux kernel for arm64");
    memcpy(file + 0x38, "RSC\x05", 4);
    refuses(file, size, "is a Linux kernel for RISC-V");
    memcpy(file + 0x202, "HdrS", 4);
    refuses(file, size, "is a Linux kernel for x86 (bzImage)");
    free(file);
}

TEST(other_files_are_named)
{
    static const u8 zeros[1024];
    u8 noise[1024];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (u8)(i * 37 + 129);
    refuses_text("", 0, "is empty");
    refuses_text("#!/bin/sh\necho hello\n", 21, "is a text file");
    refuses_text("MZ", 2, "is truncated");
    refuses_text("\x1f\x8b\x08\0", 4, "is a gzip file; unpack it first if it holds a kernel");
    refuses_text("\xfd"
                 "7zXZ\0\0",
                 7, "is an xz file");
    refuses_text("070701000", 9, "is a cpio archive");
    refuses_text("QFI\xfb\0\0\0\3", 8, "is a qcow2 disk image");
    refuses_text("\177ELF", 4, "is truncated: 4 bytes, an ELF header has 64");
    refuses(zeros, sizeof(zeros), "begins with zeros");
    refuses(noise, sizeof(noise), "is not a kernel: it has neither an EFI, zboot nor ELF header");
}

TEST(firmware_takes_any_efi_program_of_this_machine)
{
    struct err e = {0};
    size_t size;
    u8 *file = sample_efi_image(0x1000, 0x200000, 0, &size);
    CHECK(kernel_image_check_efi(file, size, &e));
    store_le(file + 0x38, 0, 4);
    CHECK(kernel_image_check_efi(file, size, &e));
    store_le(file + 0x44, 0x8664, 2);
    CHECK(!kernel_image_check_efi(file, size, &e));
    CHECK_STR(e.text, "is an EFI program for x86-64 (PE machine 0x8664), not for LoongArch64");
    CHECK(!kernel_image_check_efi(file, 10, &e));
    CHECK_STR(e.text, "is truncated: 10 bytes, an EFI header has 64");
    CHECK(!kernel_image_check_efi((const u8 *)"\177ELF", 4, &e));
    CHECK_STR(e.text, "is an ELF program; firmware starts EFI images only");
    CHECK(!kernel_image_check_efi((const u8 *)"hello\n", 6, &e));
    CHECK_STR(e.text, "is a text file, not a kernel");
    CHECK(!kernel_image_check_efi(NULL, 0, &e));
    CHECK_STR(e.text, "is empty");
    free(file);
}

TEST(firmware_gets_whole_files_only)
{
    struct err e = {0};
    size_t inner_size, size;
    u8 *inner = sample_efi_image(0x1000, 0x200000, 0, &inner_size);
    u8 *file = sample_zboot("zstd", inner, inner_size, &size);
    memcpy(file + 0x18, "lzma", 5); // the firmware's business
    CHECK(kernel_image_check_efi(file, size, &e));
    CHECK(!kernel_image_check_efi(file, size - 5, &e));
    CHECK(strstr(e.text, "is truncated") != NULL);
    free(file);
    free(inner);
}

static const struct sample_segment program[] = {
    {0x9000000000400000, 0x400000, 0x100, 0x100},
    {0x9000000000200000, 0x9000000000200000, 0x80, 0x1000},
};

TEST(reads_an_elf_program)
{
    size_t size;
    u8 *file = sample_elf(0x9000000000400010, program, 2, &size);
    struct kernel_image k;
    struct err e = {0};
    REQUIRE(kernel_image_parse(&k, file, size, &e));
    CHECK_STR(k.form, "ELF program");
    CHECK_EQ(k.entry, 0x400010);
    CHECK_EQ(k.n_segments, 2);
    CHECK_EQ(k.segments[0].base, 0x200000);
    CHECK_EQ(k.segments[0].size, 0x1000);
    CHECK_EQ(k.segments[0].data_size, 0x80);
    CHECK_EQ(k.segments[0].data[0], 2);
    CHECK_EQ(k.segments[1].base, 0x400000);
    CHECK_EQ(k.segments[1].data[0xff], 1);
    kernel_image_free(&k);
    free(file);
}

TEST(the_entry_moves_with_its_segment)
{
    static const struct sample_segment moved = {0x9000000010000000, 0x300000, 0x100, 0x100};
    size_t size;
    u8 *file = sample_elf(0x9000000010000040, &moved, 1, &size);
    struct kernel_image k;
    struct err e = {0};
    REQUIRE(kernel_image_parse(&k, file, size, &e));
    CHECK_EQ(k.entry, 0x300040);
    kernel_image_free(&k);
    store_le(file + offsetof(Elf64_Ehdr, e_entry), 0x300044, 8);
    REQUIRE(kernel_image_parse(&k, file, size, &e));
    CHECK_EQ(k.entry, 0x300044);
    kernel_image_free(&k);
    free(file);
}

static void refuses_elf_field(size_t offset, u64 value, unsigned n_bytes, const char *part)
{
    size_t size;
    u8 *file = sample_elf(0x9000000000400010, program, 2, &size);
    store_le(file + offset, value, n_bytes);
    refuses(file, size, part);
    free(file);
}

#define PHDR(i, field) (sizeof(Elf64_Ehdr) + (i) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field))

TEST(elf_headers_are_checked)
{
    refuses_elf_field(EI_CLASS, ELFCLASS32, 1, "is a 32-bit ELF program");
    refuses_elf_field(EI_CLASS, 9, 1, "is corrupt: ELF class 9");
    refuses_elf_field(EI_DATA, 7, 1, "is corrupt: ELF data encoding 7");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_machine), 62, 2,
                      "is an ELF program for x86-64 (ELF machine 62), not for LoongArch64");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_machine), 183, 2, "is an ELF program for arm64");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_machine), 999, 2,
                      "for another machine (ELF machine 999)");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_type), ET_REL, 2, "is an object file; link it first");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_type), ET_CORE, 2, "is not a program: ELF type 4");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_phnum), 0, 2, "has no program headers");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_phnum), 65535, 2, "is truncated");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_phentsize), 32, 2, "program headers of 32 bytes");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_phoff), ~0ULL, 8, "is truncated");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_entry), 0x9000000000400012, 8,
                      "entry 0x9000000000400012");
    refuses_elf_field(offsetof(Elf64_Ehdr, e_entry), 0x9000000000500000, 8,
                      "is not in any segment");
}

TEST(big_endian_elf_is_named)
{
    size_t size;
    u8 *file = sample_elf(0x9000000000400010, program, 2, &size);
    file[EI_DATA] = ELFDATA2MSB;
    store_be(file + 18, 22, 2);
    refuses(file, size, "is a big-endian ELF program for s390, not for LoongArch64");
    free(file);
}

TEST(elf_segments_are_checked)
{
    refuses_elf_field(PHDR(0, p_filesz), 0x101, 8,
                      "segment 0 has more bytes in the file than in memory");
    refuses_elf_field(PHDR(0, p_offset), 0x10000, 8, "is truncated");
    refuses_elf_field(PHDR(0, p_offset), ~0ULL, 8, "is truncated");
    refuses_elf_field(PHDR(0, p_memsz), ~0ULL, 8, "ends above the address space");
    refuses_elf_field(PHDR(1, p_paddr), 0x3fff80, 8,
                      "segments 0x3fff80-0x400f7f and 0x400000-0x4000ff overlap");
    refuses_elf_field(PHDR(0, p_type), PT_INTERP, 4, "is a user program for Linux");
    refuses_elf_field(PHDR(1, p_memsz), 0, 8, "more bytes in the file");
}

TEST(elf_without_segments_is_refused)
{
    size_t size;
    u8 *file = sample_elf(0x9000000000400010, program, 2, &size);
    store_le(file + PHDR(0, p_type), PT_NOTE, 4);
    store_le(file + PHDR(1, p_type), PT_NOTE, 4);
    refuses(file, size, "has nothing to load");
    free(file);
}

TEST(elf_with_too_many_segments_is_refused)
{
    struct sample_segment many[KERNEL_MAX_SEGMENTS + 1];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct sample_segment){i << 16, i << 16, 4, 4};
    size_t size;
    u8 *file = sample_elf(0, many, ARRAY_LEN(many), &size);
    refuses(file, size, "has more than 32 segments");
    free(file);
}

TEST(every_truncation_of_an_elf_program_is_refused)
{
    size_t size;
    u8 *file = sample_elf(0x9000000000400010, program, 2, &size);
    struct err e;
    CHECK(parse_copy(file, size, &e));
    for (size_t n = 0; n < size; n++)
        CHECK(!parse_copy(file, n, &e));
    free(file);
}
