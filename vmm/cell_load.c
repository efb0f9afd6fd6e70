// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_load.h"
#include "base/bits.h"
#include "mach/boot_file.h"
#include "mach/efi_systab.h"
#include "mach/kernel_image.h"
#include "vmm/cell_fdt.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK          0x2000000ULL
#define FDT_BASE       0x100000ULL
#define FDT_ROOM       0x10000ULL
#define KERNEL_FLOOR   0x200000ULL
#define MAX_FILE       (1ULL << 30)
#define PAGE           0x4000ULL
#define DEFAULT_APPEND "console=ttyS0,115200"

struct loader {
    struct cell_job *j;
    u32 cell;
    const struct control_cell *info;
    const struct cell_description *d;
    struct kernel_image image;
    struct boot_file kernel, initrd;
    u64 shown, shown_size; // what the window shows
};

static bool show(struct cell_job *j, u32 cell, u32 generation, u64 gpa, u64 *base, u64 *size)
{
    cell_client_begin_cell(j->c, cell, generation);
    j->c->reply.args[0] = align_down(gpa, BLOCK);
    if (!cell_client_call(j->c, CONTROL_WINDOW, j->e))
        return false;
    *base = align_down(gpa, BLOCK);
    *size = j->c->reply.args[1];
    return true;
}

bool cell_close_window(struct cell_job *j, u32 cell, u32 generation)
{
    cell_client_begin_cell(j->c, cell, generation);
    j->c->reply.args[0] = ~0ULL;
    return cell_client_call(j->c, CONTROL_WINDOW, j->e);
}

bool cell_read_memory(struct cell_job *j, u32 cell, u32 generation, u64 gpa, u8 *to, size_t n)
{
    u64 base, size;
    while (n) {
        if (!show(j, cell, generation, gpa, &base, &size))
            return false;
        size_t piece = base + size - gpa < n ? base + size - gpa : n;
        memcpy(to, j->c->window + (gpa - base), piece);
        gpa += piece;
        to += piece;
        n -= piece;
    }
    return true;
}

// Zeros where `data` is NULL.
static bool put(struct loader *l, u64 gpa, const u8 *data, u64 n)
{
    while (n) {
        bool is_shown = gpa >= l->shown && gpa < l->shown + l->shown_size;
        if (!is_shown && !show(l->j, l->cell, l->info->generation, gpa, &l->shown, &l->shown_size))
            return false;
        u64 piece = l->shown + l->shown_size - gpa < n ? l->shown + l->shown_size - gpa : n;
        u8 *to = l->j->c->window + (gpa - l->shown);
        if (data)
            memcpy(to, data, piece);
        else
            memset(to, 0, piece);
        gpa += piece;
        data = data ? data + piece : NULL;
        n -= piece;
    }
    return true;
}

// The region that all of [gpa, gpa + size) is in, NULL if none has it.
static const struct control_region *region_of(const struct loader *l, u64 gpa, u64 size)
{
    for (u32 i = 0; i < l->info->n_regions; i++) {
        const struct control_region *r = &l->info->regions[i];
        if (gpa >= r->gpa && gpa - r->gpa < r->size && size <= r->size - (gpa - r->gpa))
            return r;
    }
    return NULL;
}

static bool is_linux(const struct loader *l)
{
    return strncmp(l->image.form, "ELF", 3) != 0;
}

static bool read_kernel(struct loader *l)
{
    struct err *e = l->j->e;
    const char *path = l->j->o->kernel ? l->j->o->kernel : l->d ? l->d->kernel : "";
    if (!*path)
        return err_set(e, "which kernel? name one with --kernel");
    if (!boot_file_read(&l->kernel, "kernel", path, MAX_FILE, e))
        return false;
    return kernel_image_parse(&l->image, l->kernel.data, l->kernel.size, e) ||
           err_context(e, "kernel '%s'", path);
}

static bool put_kernel(struct loader *l)
{
    for (unsigned i = 0; i < l->image.n_segments; i++) {
        const struct kernel_segment *s = &l->image.segments[i];
        u64 gpa = s->base;
        if (!region_of(l, gpa, s->size))
            return err_set(l->j->e,
                           "the kernel does not fit: the cell has no memory for %llu KiB at %llx",
                           (unsigned long long)s->size >> 10, (unsigned long long)gpa);
        if (!put(l, gpa, s->data, s->data_size) ||
            !put(l, gpa + s->data_size, NULL, s->size - s->data_size))
            return false;
    }
    return true;
}

static u64 kernel_end(const struct loader *l)
{
    const struct kernel_segment *s = &l->image.segments[l->image.n_segments - 1];
    return align_up(s->base + s->size, PAGE);
}

// Far from the kernel, and not at the top, where Linux allocates first.
static bool put_initrd(struct loader *l, struct efi_boot_info *info)
{
    struct err *e = l->j->e;
    const char *path = l->j->o->initrd ? l->j->o->initrd : l->d ? l->d->initrd : "";
    if (!*path)
        return true;
    if (!boot_file_read(&l->initrd, "initrd", path, MAX_FILE, e))
        return false;
    const struct control_region *r = region_of(l, kernel_end(l), l->initrd.size);
    u64 at = r ? align_down(r->gpa + r->size / 8 * 5, PAGE) : 0;
    if (at < kernel_end(l))
        at = kernel_end(l);
    if (!r || !region_of(l, at, l->initrd.size))
        return err_set(e, "initrd '%s': its %zu KiB do not fit behind the kernel", path,
                       l->initrd.size >> 10);
    info->initrd_base = at;
    info->initrd_size = l->initrd.size;
    return put(l, at, l->initrd.data, l->initrd.size);
}

static size_t memory_map(const struct loader *l, struct efi_memory_range *to)
{
    size_t n = 0;
    for (u32 i = 0; i < l->info->n_regions; i++) {
        const struct control_region *r = &l->info->regions[i];
        u64 from = r->gpa;
        if (r->tag)
            continue;
        if (!from) {
            u64 used = FDT_BASE + FDT_ROOM;
            to[n++] = (struct efi_memory_range){EFI_CONVENTIONAL, 0, EFI_BLOCK_BASE};
            to[n++] =
                (struct efi_memory_range){EFI_LOADER_DATA, EFI_BLOCK_BASE, used - EFI_BLOCK_BASE};
            from = used;
        }
        to[n++] = (struct efi_memory_range){EFI_CONVENTIONAL, from, r->gpa + r->size - from};
    }
    return n;
}

static bool put_fdt(struct loader *l, const char *command_line)
{
    size_t size;
    void *fdt = cell_fdt_build(&l->d->head, command_line, &size);
    bool is_good = size <= FDT_ROOM ? put(l, FDT_BASE, fdt, size)
                                    : err_set(l->j->e, "the device tree is too large");
    free(fdt);
    return is_good;
}

static bool put_tables(struct loader *l)
{
    static u8 block[EFI_BLOCK_SIZE];
    struct efi_memory_range ranges[CELL_MAX_MEMORY + 2];
    const char *given = l->j->o->append;
    struct efi_boot_info info = {.fdt = FDT_BASE, .ranges = ranges};
    info.command_line = given ? given : *l->d->command_line ? l->d->command_line : DEFAULT_APPEND;
    info.n_ranges = memory_map(l, ranges);
    if (!region_of(l, 0, KERNEL_FLOOR))
        return err_set(l->j->e, "Linux wants memory at address 0, the cell has none there");
    return put_initrd(l, &info) && efi_systab_build(block, &info, l->j->e) &&
           put(l, EFI_BLOCK_BASE, block, sizeof(block)) && put_fdt(l, info.command_line);
}

// Bare-metal programs get a command line, where there is one, at the place that Linux has it.
static bool put_command_line(struct loader *l, struct cell_boot *boot)
{
    const char *text = l->j->o->append;
    if (!text)
        return true;
    if (strlen(text) >= EFI_COMMAND_LINE_MAX ||
        !region_of(l, EFI_COMMAND_LINE, EFI_COMMAND_LINE_MAX))
        return err_set(l->j->e, "the command line is too long, or the cell has no memory for it");
    boot->args[0] = 1;
    boot->args[1] = EFI_COMMAND_LINE;
    return put(l, EFI_COMMAND_LINE, (const u8 *)text, strlen(text) + 1);
}

static bool load(struct loader *l, struct cell_boot *boot)
{
    if (!read_kernel(l) || !put_kernel(l))
        return false;
    *boot = (struct cell_boot){.entry = l->image.entry, .is_linux = is_linux(l)};
    if (!is_linux(l))
        return put_command_line(l, boot);
    if (!l->d)
        return err_set(l->j->e, "a Linux kernel wants the cell's description: 'lh cell run FILE'");
    boot->args[0] = 1;
    boot->args[1] = EFI_COMMAND_LINE;
    boot->args[2] = EFI_SYSTEM_TABLE;
    return put_tables(l);
}

bool cell_load_kernel(struct cell_job *j, u32 cell, const struct control_cell *info,
                      const struct cell_description *d, struct cell_boot *boot)
{
    struct loader l = {.j = j, .cell = cell, .info = info, .d = d};
    bool is_good = load(&l, boot);
    kernel_image_free(&l.image);
    boot_file_free(&l.kernel);
    boot_file_free(&l.initrd);
    if (l.shown_size && is_good)
        is_good = cell_close_window(j, cell, info->generation);
    return is_good;
}
