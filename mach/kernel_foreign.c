// SPDX-License-Identifier: Apache-2.0
// Names files that are no LoongArch kernels, so that a message can say what was given instead.
#include "base/bits.h"
#include "mach/kernel_parse.h"

#include <string.h>

struct magic {
    size_t offset;
    const char *bytes;
    size_t n_bytes;
    const char *name;
};

#define MAGIC(offset, bytes, name)             \
    {                                          \
        offset, bytes, sizeof(bytes) - 1, name \
    }

static const struct magic magics[] = {
    MAGIC(0x202, "HdrS", "a Linux kernel for x86 (bzImage), not for LoongArch64"),
    MAGIC(0x38, "ARM\x64", "a Linux kernel for arm64, not for LoongArch64"),
    MAGIC(0x38, "RSC\x05", "a Linux kernel for RISC-V, not for LoongArch64"),
    MAGIC(0x38, "RISCV", "a Linux kernel for RISC-V, not for LoongArch64"),
    MAGIC(0, "\x27\x05\x19\x56", "a U-Boot image (uImage); give the kernel that it holds"),
    MAGIC(0, "\xd0\x0d\xfe\xed", "a device tree or FIT image, not a kernel"),
    MAGIC(0, "\x1f\x8b", "a gzip file; unpack it first if it holds a kernel"),
    MAGIC(0, "\x28\xb5\x2f\xfd", "a zstd file; unpack it first if it holds a kernel"),
    MAGIC(0,
          "\xfd"
          "7zXZ",
          "an xz file; unpack it first"),
    MAGIC(0, "BZh", "a bzip2 file; unpack it first"),
    MAGIC(0, "\x04\x22\x4d\x18", "an lz4 file; unpack it first"),
    MAGIC(0, "PK\x03\x04", "a zip file; unpack it first"),
    MAGIC(0, "!<arch>\n", "an archive (.a or .deb), not a kernel"),
    MAGIC(0, "070701", "a cpio archive, not a kernel; an initramfs is given with -initrd"),
    MAGIC(0, "QFI\xfb", "a qcow2 disk image, not a kernel; disks are given with -drive"),
    MAGIC(0x200, "EFI PART", "a disk image (GPT), not a kernel; disks are given with -drive"),
    MAGIC(0x28, "_FVH", "a firmware volume, not a kernel; firmware is given with -bios"),
};

bool kernel_is_text(const u8 *data, size_t size)
{
    size_t n = size < 512 ? size : 512;
    for (size_t i = 0; i < n; i++)
        if (data[i] == 0x7f || (data[i] < ' ' && !memchr("\t\n\r\f\033", data[i], 5)))
            return false;
    return true;
}

static bool is_zeros(const u8 *data, size_t size)
{
    size_t n = size < 512 ? size : 512;
    for (size_t i = 0; i < n; i++)
        if (data[i])
            return false;
    return true;
}

const char *kernel_foreign_name(const u8 *data, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        const struct magic *m = &magics[i];
        if (m->offset + m->n_bytes <= size && !memcmp(data + m->offset, m->bytes, m->n_bytes))
            return m->name;
    }
    if (kernel_is_text(data, size))
        return "a text file, not a kernel";
    if (is_zeros(data, size))
        return "not a kernel: it begins with zeros";
    return NULL;
}

struct machine_name {
    u16 number;
    const char *name;
};

static const char *name_of(const struct machine_name *names, size_t n, u16 number)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].number == number)
            return names[i].name;
    return "another machine";
}

const char *kernel_pe_machine_name(u16 machine)
{
    static const struct machine_name names[] = {
        {0x014c, "32-bit x86"},
        {0x8664, "x86-64"},
        {0x01c0, "ARM"},
        {0x01c2, "ARM"},
        {0x01c4, "ARM"},
        {0xaa64, "arm64"},
        {0x0200, "Itanium"},
        {0x5032, "32-bit RISC-V"},
        {0x5064, "64-bit RISC-V"},
        {0x0ebc, "EFI bytecode"},
        {0x6232, "32-bit LoongArch"},
    };
    return name_of(names, ARRAY_LEN(names), machine);
}

const char *kernel_elf_machine_name(u16 machine)
{
    static const struct machine_name names[] = {
        {2, "SPARC"},    {3, "32-bit x86"}, {4, "m68k"},    {8, "MIPS"},     {15, "PA-RISC"},
        {20, "PowerPC"}, {21, "PowerPC64"}, {22, "s390"},   {40, "ARM"},     {43, "SPARC64"},
        {50, "Itanium"}, {62, "x86-64"},    {183, "arm64"}, {243, "RISC-V"}, {258, "LoongArch"},
    };
    return name_of(names, ARRAY_LEN(names), machine);
}
