// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_bundle.h"
#include "base/bits.h"
#include "hv/crc32.h"
#include "include/longhouse/bundle.h"
#include "mach/boot_file.h"
#include "mach/kernel_image.h"
#include "vmm/cell_compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ALIGN    4096
#define MAX_FILE (1ULL << 30)

struct maker {
    struct bundle head;
    const u8 *data[BUNDLE_MAX_ITEMS];
    struct cell_description system;
    struct boot_file kernel, initrd;
    struct kernel_image image;
    struct err *e;
};

static struct bundle_item *add(struct maker *m, u32 kind, const void *data, u64 size)
{
    struct bundle_item *t = &m->head.items[m->head.n_items];
    m->head.size = align_up(m->head.size, ALIGN);
    *t = (struct bundle_item){.kind = kind, .offset = m->head.size, .size = size};
    m->data[m->head.n_items++] = data;
    m->head.size += size;
    return t;
}

static bool add_system(struct maker *m, const char *path)
{
    if (!cell_compile_file(&m->system, path, m->e))
        return false;
    if (m->system.head.kind != CELL_BLOB_SYSTEM)
        return err_set(m->e, "description '%s': describes a cell, not the system", path);
    add(m, BUNDLE_SYSTEM, m->system.bytes, m->system.head.size);
    return true;
}

static bool add_kernel(struct maker *m, const char *path)
{
    if (!boot_file_read(&m->kernel, "kernel", path, MAX_FILE, m->e))
        return false;
    if (!kernel_image_parse(&m->image, m->kernel.data, m->kernel.size, m->e))
        return err_context(m->e, "kernel '%s'", path);
    m->head.entry = m->image.entry;
    for (unsigned i = 0; i < m->image.n_segments; i++) {
        const struct kernel_segment *s = &m->image.segments[i];
        struct bundle_item *t = add(m, BUNDLE_SEGMENT, s->data, s->data_size);
        t->gpa = s->base;
        t->memory_size = s->size;
    }
    return true;
}

static bool add_initrd(struct maker *m, const char *path)
{
    if (!path)
        return true;
    if (!boot_file_read(&m->initrd, "initrd", path, MAX_FILE, m->e))
        return false;
    add(m, BUNDLE_INITRD, m->initrd.data, m->initrd.size);
    return true;
}

static bool write_at(FILE *f, u64 offset, const void *data, u64 size)
{
    return !fseek(f, (long)offset, SEEK_SET) && fwrite(data, 1, size, f) == size;
}

static bool write_all(struct maker *m, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return err_set(m->e, "cannot write '%s': %s", path, strerror(errno));
    bool is_good = write_at(f, 0, &m->head, sizeof(m->head));
    for (u32 i = 0; is_good && i < m->head.n_items; i++)
        is_good = write_at(f, m->head.items[i].offset, m->data[i], m->head.items[i].size);
    is_good = !fclose(f) && is_good;
    return is_good || err_set(m->e, "cannot write '%s': %s", path, strerror(errno));
}

static bool fill(struct maker *m, const struct cell_options *o)
{
    if (!o->output || !o->system || !o->kernel)
        return err_set(m->e, "wants -o FILE, --system FILE and --kernel FILE");
    if (!add_system(m, o->system) || !add_kernel(m, o->kernel) || !add_initrd(m, o->initrd))
        return false;
    if (o->append && *o->append)
        add(m, BUNDLE_COMMAND_LINE, (const u8 *)o->append, strlen(o->append));
    m->head.crc32 = crc32_of(0, &m->head, sizeof(m->head));
    return write_all(m, o->output);
}

bool cell_bundle_write(const struct cell_options *o, struct err *e)
{
    struct maker m = {.e = e};
    m.head.magic = BUNDLE_MAGIC;
    m.head.version = BUNDLE_VERSION;
    m.head.size = sizeof(m.head);
    bool is_good = fill(&m, o);
    kernel_image_free(&m.image);
    boot_file_free(&m.kernel);
    boot_file_free(&m.initrd);
    return is_good;
}
