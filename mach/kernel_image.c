// SPDX-License-Identifier: Apache-2.0
// Tells the forms of kernel files apart, and reads the LoongArch EFI image.
//
// The image's header (Documentation/arch/loongarch/booting.rst): at 8 the entry, at 16 the size in
// memory, at 24 the load offset, at 0x38 the Linux magic, at 0x3c the offset of the PE header.
// The entry is a link address; the kernel is loaded where it was linked, so it is the physical
// entry.
#include "mach/kernel_image.h"

#include "base/bits.h"
#include "base/bug.h"
#include "mach/kernel_parse.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_HEADER_SIZE 0x40
#define LINUX_PE_MAGIC    0x818223cd

static bool is_elf(const u8 *data, size_t size)
{
    return size >= 4 && !memcmp(data, "\177ELF", 4);
}

static bool is_mz(const u8 *data, size_t size)
{
    return size >= 2 && !memcmp(data, "MZ", 2);
}

static bool is_zboot(const u8 *data, size_t size)
{
    return is_mz(data, size) && size >= 8 && !memcmp(data + 4, "zimg", 4);
}

static bool not_a_kernel(const u8 *data, size_t size, struct err *e)
{
    const char *name = kernel_foreign_name(data, size);
    if (name)
        return err_set(e, "is %s", name);
    return err_set(e, "is not a kernel: it has neither an EFI, zboot nor ELF header");
}

// The machine in the PE header that every EFI program has.
static bool pe_check_machine(const u8 *data, size_t size, struct err *e)
{
    u64 pe = load_le(data + 0x3c, 4);
    if (pe + 6 > size)
        return err_set(
            e, "is truncated or corrupt: its PE header at 0x%llx lies outside its %zu bytes",
            (unsigned long long)pe, size);
    if (memcmp(data + pe, "PE\0\0", 4))
        return err_set(e, "is corrupt: no PE header at 0x%llx", (unsigned long long)pe);
    u16 machine = (u16)load_le(data + pe + 4, 2);
    if (machine != PE_MACHINE_LOONGARCH64)
        return err_set(e, "is an EFI program for %s (PE machine 0x%x), not for LoongArch64",
                       kernel_pe_machine_name(machine), machine);
    return true;
}

static bool check_efi_header(const u8 *data, size_t size, struct err *e)
{
    if (size < IMAGE_HEADER_SIZE)
        return err_set(e, "is truncated: %zu bytes, an EFI header has %d", size, IMAGE_HEADER_SIZE);
    // x86 and arm64 kernels are EFI programs as well; their own magic says more.
    if (!is_zboot(data, size) && kernel_foreign_name(data, size))
        return not_a_kernel(data, size, e);
    return pe_check_machine(data, size, e);
}

static bool check_mz_header(const u8 *data, size_t size, struct err *e)
{
    if (!check_efi_header(data, size, e))
        return false;
    if (load_le(data + 0x38, 4) != LINUX_PE_MAGIC)
        return err_set(
            e, "is a LoongArch64 EFI program but not a kernel; start it from firmware (-bios)");
    return true;
}

static bool image_parse(struct kernel_image *k, const u8 *data, size_t size, struct err *e)
{
    u64 entry = load_le(data + 8, 8) & KERNEL_PHYSICAL_MASK;
    u64 memory_size = load_le(data + 16, 8);
    u64 base = load_le(data + 24, 8) & KERNEL_PHYSICAL_MASK;

    if (!memory_size || memory_size > KERNEL_MAX_UNPACKED)
        return err_set(
            e, "is corrupt: its header gives it %llu bytes of memory, the limit is %llu MiB",
            (unsigned long long)memory_size, KERNEL_MAX_UNPACKED >> 20);
    // Signed images carry their signature after the image.
    if (memory_size < size)
        memory_size = size;
    if (entry % 4 || entry < base || entry >= base + size)
        return err_set(
            e, "is truncated or corrupt: entry 0x%llx is not inside its %zu bytes at 0x%llx",
            (unsigned long long)entry, size, (unsigned long long)base);
    k->entry = entry;
    k->segments[0] = (struct kernel_segment){base, memory_size, data, size};
    k->n_segments = 1;
    return true;
}

static bool zboot_parse(struct kernel_image *k, const u8 *data, size_t size, struct err *e)
{
    if (!kernel_zboot_unpack(k, data, size, e))
        return false;
    k->packed = data;
    k->packed_size = size;
    bool ok = is_mz(k->unpacked, k->unpacked_size) && !is_zboot(k->unpacked, k->unpacked_size)
                  ? check_mz_header(k->unpacked, k->unpacked_size, e) &&
                        image_parse(k, k->unpacked, k->unpacked_size, e)
                  : err_set(e, "is not an EFI image");
    return ok || err_context(e, "its payload");
}

static bool parse(struct kernel_image *k, const u8 *data, size_t size, struct err *e)
{
    if (!size)
        return err_set(e, "is empty");
    if (is_elf(data, size))
        return kernel_elf_parse(k, data, size, e);
    if (!is_mz(data, size))
        return not_a_kernel(data, size, e);
    if (!check_mz_header(data, size, e))
        return false;
    if (is_zboot(data, size))
        return zboot_parse(k, data, size, e);
    k->form = "EFI image";
    return image_parse(k, data, size, e);
}

bool kernel_image_parse(struct kernel_image *k, const u8 *data, size_t size, struct err *e)
{
    *k = (struct kernel_image){0};
    bool ok = parse(k, data, size, e);
    if (!ok)
        kernel_image_free(k);
    return ok;
}

bool kernel_image_check_efi(const u8 *data, size_t size, struct err *e)
{
    if (!size)
        return err_set(e, "is empty");
    if (is_elf(data, size))
        return err_set(e, "is an ELF program; firmware starts EFI images only");
    if (!is_mz(data, size))
        return not_a_kernel(data, size, e);
    return check_efi_header(data, size, e) &&
           (!is_zboot(data, size) || kernel_zboot_check_size(data, size, e));
}

// Whole pages only: what lies around the memory is the allocator's.
void kernel_image_let_go(struct kernel_image *k)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = align_up((uintptr_t)k->unpacked, page);
    uintptr_t end = align_down((uintptr_t)k->unpacked + k->unpacked_size, page);
    if (!k->unpacked || first >= end)
        return;
    (void)madvise((void *)first, end - first, MADV_DONTNEED);
    k->is_let_go = true;
}

void kernel_image_renew(struct kernel_image *k)
{
    struct err e = {0};
    if (k->is_let_go)
        BUG_ON(!kernel_zboot_unpack(k, k->packed, k->packed_size, &e)); // it went well before
    k->is_let_go = false;
}

void kernel_image_free(struct kernel_image *k)
{
    free(k->unpacked);
    *k = (struct kernel_image){0};
}
