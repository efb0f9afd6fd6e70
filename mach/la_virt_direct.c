// SPDX-License-Identifier: Apache-2.0
// Boots a kernel without firmware: everything that the kernel reads lies in the first 2 MiB of RAM,
// which it leaves alone (mach/la_virt_map.h, mach/efi_systab.h); core 0 jumps to it from the boot
// ROM.
//
// A start takes a0 = 1 ("EFI"), a1 = command line, a2 = EFI system table. Bare-metal programs get
// the same and are free to ignore it.
#include "mach/la_virt.h"

#include "base/bits.h"
#include "base/bug.h"
#include "mach/la_virt_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define KERNEL_MAX_FILE (1ULL << 30)
#define INITRD_MAX_FILE (1ULL << 40)
#define INITRD_ALIGN    0x4000      // the largest page size of kernels, 16 KiB
#define KERNEL_FLOOR    0x200000ULL // kernels keep the RAM below to themselves

static bool add_piece(struct machine *m, const struct boot_piece *p, struct err *e)
{
    return boot_image_add(&la_virt_of(m)->image, &m->mem, p, e);
}

static bool load_kernel(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    const char *path = m->config->kernel;
    if (!boot_file_read(&v->kernel_file, "kernel", path, KERNEL_MAX_FILE, e))
        return false;
    if (!kernel_image_parse(&v->kernel, v->kernel_file.data, v->kernel_file.size, e))
        return err_context(e, "kernel '%s'", path);
    char name[256];
    snprintf(name, sizeof(name), "kernel '%s'", path);
    for (unsigned i = 0; i < v->kernel.n_segments; i++) {
        const struct kernel_segment *s = &v->kernel.segments[i];
        struct boot_piece p = {.name = name,
                               .base = s->base,
                               .size = s->size,
                               .data = s->data,
                               .data_size = s->data_size,
                               .remedy = "link it into RAM at or above 0x200000"};
        if (!add_piece(m, &p, e))
            return false;
    }
    return true;
}

static bool no_room_for_initrd(struct machine *m, u64 size, struct err *e)
{
    u64 needed = VIRT_LOW_RAM_SIZE + align_up(size, 1 << 20);
    return err_set(
        e,
        "initrd '%s': its %llu bytes fit nowhere beside the kernel; memory (-m) of %lluM "
        "has room",
        m->config->initrd, (unsigned long long)size, (unsigned long long)(needed >> 20) + 1);
}

// As high as it fits in low RAM, far from a kernel that unpacks or moves itself; else in high RAM.
// Linux allocates from the top of RAM before it looks for the initrd, and drops one that lies
// there. Where all RAM is low, the initrd therefore keeps away from the top if it can: in the
// middle, where it also keeps the 128 MiB that Debian's kernel sets aside from being all that is
// left of 256.
static bool find_initrd_space(struct machine *m, u64 size, u64 *base)
{
    const struct boot_image *image = &la_virt_of(m)->image;
    struct acpi_memory memory[2];
    unsigned n = la_virt_memory(m, memory);
    u64 low = memory[0].size;
    const u64 low_ends[] = {low / 8 * 5, low / 16 * 15, low};
    for (unsigned i = n > 1 ? 2 : 0; i < 3; i++)
        if (boot_image_find_space(image, KERNEL_FLOOR, low_ends[i], size, INITRD_ALIGN, base))
            return true;
    return n > 1 && boot_image_find_space(image, memory[1].base, memory[1].base + memory[1].size,
                                          size, INITRD_ALIGN, base);
}

static bool load_initrd(struct machine *m, struct efi_boot_info *info, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    const char *path = m->config->initrd;
    if (!boot_file_read(&v->initrd_file, "initrd", path, INITRD_MAX_FILE, e))
        return false;
    u64 size = v->initrd_file.size, base = 0;
    if (!find_initrd_space(m, size, &base))
        return no_room_for_initrd(m, size, e);
    char name[256];
    snprintf(name, sizeof(name), "initrd '%s'", path);
    struct boot_piece p = {
        .name = name, .base = base, .size = size, .data = v->initrd_file.data, .data_size = size};
    info->initrd_base = base;
    info->initrd_size = size;
    return add_piece(m, &p, e);
}

// The tables, and behind them the RSDP.
static bool add_acpi(struct machine *m, struct efi_boot_info *info, struct err *e)
{
    struct acpi_tables *t = &la_virt_of(m)->acpi;
    la_virt_acpi(m, t);
    acpi_place(t, VIRT_ACPI_BASE);
    bytes_align(&t->tables, 16);
    info->rsdp = VIRT_ACPI_BASE + t->tables.size;
    bytes_add(&t->tables, t->rsdp, sizeof(t->rsdp));
    BUG_ON(t->tables.size > VIRT_ACPI_SIZE);
    struct boot_piece p = {.name = "the ACPI tables",
                           .base = VIRT_ACPI_BASE,
                           .size = VIRT_ACPI_SIZE,
                           .data = t->tables.data,
                           .data_size = t->tables.size};
    return add_piece(m, &p, e);
}

// The anchor, and at the next multiple of 32 the structures.
static bool add_smbios(struct machine *m, struct efi_boot_info *info, struct err *e)
{
    struct bytes *b = &la_virt_of(m)->smbios;
    struct bytes tables = {0};
    u8 anchor[SMBIOS_ANCHOR_SIZE];
    la_virt_smbios(m, &tables);
    smbios_anchor(anchor, VIRT_SMBIOS_BASE + 32, tables.size);
    bytes_add(b, anchor, sizeof(anchor));
    bytes_align(b, 32);
    bytes_add(b, tables.data, tables.size);
    bytes_free(&tables);
    BUG_ON(b->size > VIRT_SMBIOS_SIZE);
    info->smbios = VIRT_SMBIOS_BASE;
    struct boot_piece p = {.name = "the SMBIOS tables",
                           .base = VIRT_SMBIOS_BASE,
                           .size = VIRT_SMBIOS_SIZE,
                           .data = b->data,
                           .data_size = b->size};
    return add_piece(m, &p, e);
}

static unsigned memory_map(const struct machine *m, struct efi_memory_range ranges[8])
{
    struct acpi_memory memory[2];
    unsigned n_memory = la_virt_memory(m, memory), n = 0;
    u64 tables_end = VIRT_ACPI_BASE + VIRT_ACPI_SIZE;
    ranges[n++] = (struct efi_memory_range){EFI_CONVENTIONAL, 0, EFI_BLOCK_BASE};
    ranges[n++] =
        (struct efi_memory_range){EFI_LOADER_DATA, EFI_BLOCK_BASE, VIRT_ACPI_BASE - EFI_BLOCK_BASE};
    ranges[n++] = (struct efi_memory_range){EFI_ACPI_RECLAIM, VIRT_ACPI_BASE, VIRT_ACPI_SIZE};
    ranges[n++] =
        (struct efi_memory_range){EFI_CONVENTIONAL, tables_end, VIRT_LOW_RAM_SIZE - tables_end};
    if (n_memory > 1)
        ranges[n++] = (struct efi_memory_range){EFI_CONVENTIONAL, memory[1].base, memory[1].size};
    return n;
}

static bool fill_efi_block(struct machine *m, struct efi_boot_info *info, struct err *e)
{
    struct efi_memory_range ranges[8];
    info->ranges = ranges;
    info->n_ranges = memory_map(m, ranges);
    return efi_systab_build(la_virt_of(m)->efi_block, info, e);
}

// Without one a kernel has no random numbers until it has gathered them, and works hard at each
// that it needs before. A machine that does the same in every run is given none.
static bool has_seed(const struct machine *m)
{
    return !m->bus.clock->is_counted;
}

void la_virt_renew_seed(struct machine *m)
{
    struct la_virt *v = la_virt_of(m);
    u8 seed[EFI_SEED_SIZE];
    if (!v->efi_block || !has_seed(m))
        return;
    for (size_t done = 0; done < sizeof(seed);) {
        ssize_t n = getrandom(seed + done, sizeof(seed) - done, 0);
        BUG_ON(n < 0 && errno != EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    efi_systab_put_seed(v->efi_block, seed);
}

// Tables take their places first, so that a message about an overlap names the user's file.
bool la_virt_boot_kernel(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    struct efi_boot_info info = {.command_line = m->config->append ? m->config->append : "",
                                 .has_seed = has_seed(m)};
    v->efi_block = calloc(1, EFI_BLOCK_SIZE);
    BUG_ON(!v->efi_block);
    struct boot_piece block = {.name = "the EFI tables and the command line",
                               .base = EFI_BLOCK_BASE,
                               .size = EFI_BLOCK_SIZE,
                               .data = v->efi_block,
                               .data_size = EFI_BLOCK_SIZE};
    if (!add_piece(m, &block, e) || !add_acpi(m, &info, e) || !add_smbios(m, &info, e) ||
        !load_kernel(m, e) || (m->config->initrd && !load_initrd(m, &info, e)) ||
        !fill_efi_block(m, &info, e))
        return false;
    struct boot_entry entry = {.pc = v->kernel.entry,
                               .args = {1, EFI_COMMAND_LINE, EFI_SYSTEM_TABLE}};
    boot_rom_map(&v->rom, &m->mem, VIRT_FLASH0_BASE, &entry);
    return true;
}

void la_virt_free_boot(struct la_virt *v)
{
    boot_image_free(&v->image);
    kernel_image_free(&v->kernel);
    boot_file_free(&v->kernel_file);
    boot_file_free(&v->initrd_file);
    acpi_free(&v->acpi);
    bytes_free(&v->smbios);
    free(v->efi_block);
    free(v->fdt);
}
