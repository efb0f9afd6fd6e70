// SPDX-License-Identifier: Apache-2.0
// Unknown nodes and properties are refused: a grant that was misspelt would otherwise be missing
// without a word.
#include "vmm/cell_compile.h"
#include "base/bits.h"
#include "hv/blob.h"
#include "hv/crc32.h"
#include "mach/boot_file.h"
#include "vmm/cell_dts.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE 0x100000

struct compiler {
    const void *fdt;
    struct cell_description *d;
    struct cell_blob_cpu cpus[CELL_MAX_CPUS];
    struct cell_blob_memory memory[CELL_MAX_MEMORY];
    struct cell_blob_device devices[CELL_MAX_DEVICES];
    struct err *e;
};

static const char *node_name(struct compiler *c, int node)
{
    const char *name = fdt_get_name(c->fdt, node, NULL);
    return name && *name ? name : "/";
}

static bool wrong(struct compiler *c, int node, const char *what)
{
    err_set(c->e, "%s", what);
    return err_context(c->e, "node '%s'", node_name(c, node));
}

static bool check_names(struct compiler *c, int node, const char *const *known)
{
    int p;
    fdt_for_each_property_offset(p, c->fdt, node)
    {
        const char *name = NULL;
        fdt_getprop_by_offset(c->fdt, p, &name, NULL);
        unsigned i = 0;
        while (name && known[i] && strcmp(known[i], name))
            i++;
        if (!name || !known[i])
            return err_set(c->e, "node '%s': property '%s' is not known", node_name(c, node),
                           name ? name : "?");
    }
    return true;
}

// Up to `max` 32-bit numbers; the number of them, or -1 if the property is none of numbers.
static int get_cells(struct compiler *c, int node, const char *name, u32 *to, int max)
{
    int size;
    const u8 *data = fdt_getprop(c->fdt, node, name, &size);
    if (!data)
        return 0;
    if (size % 4 || size / 4 > max)
        return -1;
    for (int i = 0; i < size / 4; i++)
        to[i] = (u32)load_be(data + 4 * i, 4);
    return size / 4;
}

// Address and, where there is one, size: two cells each.
static bool get_reg(struct compiler *c, int node, u64 *base, u64 *size)
{
    u32 cells[4];
    int n = get_cells(c, node, "reg", cells, 4), wanted = size ? 4 : 2;
    if (n != wanted)
        return wrong(c, node,
                     size ? "reg has to be <address-high address-low size-high size-low>"
                          : "reg has to be <address-high address-low>");
    *base = (u64)cells[0] << 32 | cells[1];
    if (size)
        *size = (u64)cells[2] << 32 | cells[3];
    return true;
}

// A text of the root node, if it has one.
static bool get_text(struct compiler *c, int node, const char *name, char *to, size_t size)
{
    int n;
    const char *text = fdt_getprop(c->fdt, node, name, &n);
    if (!text)
        return true;
    if (n < 1 || text[n - 1] || strlen(text) + 1 != (size_t)n || (size_t)n > size)
        return err_set(c->e, "property '%s': has to be a text of at most %zu bytes", name,
                       size - 1);
    memcpy(to, text, (size_t)n);
    return true;
}

static bool add_memory(struct compiler *c, int node, u32 type, u32 rights)
{
    static const char *const known[] = {"reg", "rights", "tag", NULL};
    u32 *n = &c->d->head.n_memory;
    char text[8] = "";
    if (!check_names(c, node, known) || !get_text(c, node, "rights", text, sizeof(text)))
        return false;
    if (*n == CELL_MAX_MEMORY)
        return wrong(c, node, "too many memory regions");
    struct cell_blob_memory *m = &c->memory[(*n)++];
    *m = (struct cell_blob_memory){.type = type, .rights = rights};
    if (get_cells(c, node, "tag", &m->tag, 1) < 0)
        return wrong(c, node, "tag has to be one number");
    if (*text)
        m->rights = 0;
    for (const char *t = text; *t; t++) {
        const char *letter = strchr("rwx", *t);
        if (!letter)
            return wrong(c, node, "rights are letters of \"rwx\"");
        m->rights |= 1u << (letter - "rwx");
    }
    return get_reg(c, node, &m->gpa, &m->size);
}

static bool add_device(struct compiler *c, int node, u32 kind)
{
    static const char *const known[] = {"reg", "vector", "tag", "compatible", NULL};
    u32 *n = &c->d->head.n_devices;
    if (!check_names(c, node, known))
        return false;
    if (*n == CELL_MAX_DEVICES)
        return wrong(c, node, "too many devices");
    struct cell_blob_device *d = &c->devices[(*n)++];
    d->kind = kind;
    if (get_cells(c, node, "vector", &d->vector, 1) < 0 ||
        get_cells(c, node, "tag", &d->tag, 1) < 0)
        return wrong(c, node, "vector and tag have to be one number");
    return get_reg(c, node, &d->gpa, NULL);
}

// Of a card whose description gives none: locally administered, by the cell's name and the slot. So
// it is the same whenever the cell is made, and another one in each cell of a bridge.
static void default_mac(const struct cell_description *d, u32 slot, char mac[CELL_MAC_SIZE])
{
    u32 sum = crc32_of(0, d->head.name, strlen(d->head.name));
    snprintf(mac, CELL_MAC_SIZE, "52:4c:%02x:%02x:%02x:%02x", sum >> 16 & 0xff, sum >> 8 & 0xff,
             sum & 0xff, slot & 0xff);
}

// A function's slot, and what is behind it: `what` names that property.
static bool add_function(struct compiler *c, int node, u32 kind, const char *what)
{
    const char *const known[] = {"reg", "compatible", what,
                                 kind == CELL_DEVICE_VIRTIO_NET     ? "mac"
                                 : kind == CELL_DEVICE_VIRTIO_BLOCK ? "read-only"
                                                                    : NULL,
                                 NULL};
    u32 *n = &c->d->head.n_devices, slot;
    if (!check_names(c, node, known))
        return false;
    if (*n == CELL_MAX_DEVICES)
        return wrong(c, node, "too many devices");
    if (get_cells(c, node, "reg", &slot, 1) != 1 || !slot || slot >= CELL_MAX_SLOTS)
        return wrong(c, node, "reg has to be <slot>, from 1 to 7");
    struct cell_backend *b = &c->d->backend[slot];
    *b = (struct cell_backend){.kind = kind,
                               .is_readonly = fdt_getprop(c->fdt, node, "read-only", NULL)};
    c->devices[(*n)++] = (struct cell_blob_device){.kind = kind, .slot = slot};
    if (!get_text(c, node, what, b->text, sizeof(b->text)) ||
        !get_text(c, node, "mac", b->mac, sizeof(b->mac)))
        return err_context(c->e, "node '%s'", node_name(c, node));
    if (kind == CELL_DEVICE_VIRTIO_NET && !*b->mac)
        default_mac(c->d, slot, b->mac);
    return *b->text ||
           err_set(c->e, "node '%s': property '%s' is missing", node_name(c, node), what);
}

static bool is_named(const char *name, const char *what)
{
    size_t n = strlen(what);
    return !strncmp(name, what, n) && (name[n] == '@' || !name[n]);
}

static bool add_node(struct compiler *c, int node)
{
    const u32 all = CELL_READ | CELL_WRITE | CELL_EXECUTE;
    const char *name = node_name(c, node);
    bool is_system = c->d->head.kind == CELL_BLOB_SYSTEM;
    if (is_named(name, is_system ? "pool" : "memory"))
        return add_memory(c, node, CELL_MEMORY_RAM, all);
    if (is_system && is_named(name, "devices"))
        return add_memory(c, node, CELL_MEMORY_DEVICE, CELL_READ | CELL_WRITE);
    if (is_system && is_named(name, "hole"))
        return add_memory(c, node, CELL_MEMORY_HOLE, CELL_READ);
    if (!is_system && is_named(name, "shared"))
        return add_memory(c, node, CELL_MEMORY_SHARED, CELL_READ | CELL_WRITE);
    if (!is_system && is_named(name, "doorbell"))
        return add_device(c, node, CELL_DEVICE_DOORBELL);
    if (!is_system && is_named(name, "serial"))
        return add_device(c, node, CELL_DEVICE_UART);
    if (!is_system && is_named(name, "power"))
        return add_device(c, node, CELL_DEVICE_POWER);
    if (!is_system && is_named(name, "isa"))
        return add_device(c, node, CELL_DEVICE_PORTS);
    if (!is_system && is_named(name, "pci"))
        return add_device(c, node, CELL_DEVICE_PCI);
    if (!is_system && is_named(name, "virtio-block"))
        return add_function(c, node, CELL_DEVICE_VIRTIO_BLOCK, "drive");
    if (!is_system && is_named(name, "virtio-net"))
        return add_function(c, node, CELL_DEVICE_VIRTIO_NET, "netdev");
    if (!is_system && is_named(name, "virtio-console"))
        return add_function(c, node, CELL_DEVICE_VIRTIO_CONSOLE, "chardev");
    return wrong(c, node,
                 is_system ? "is none of pool, devices, hole"
                           : "is none of memory, shared, serial, power, isa, doorbell, pci, "
                             "virtio-block, virtio-net, virtio-console");
}

static bool add_kind(struct compiler *c)
{
    const char *kind = fdt_getprop(c->fdt, 0, "compatible", NULL);
    if (kind && !strcmp(kind, "longhouse,cell"))
        c->d->head.kind = CELL_BLOB_CELL;
    else if (kind && !strcmp(kind, "longhouse,system"))
        c->d->head.kind = CELL_BLOB_SYSTEM;
    else
        return err_set(c->e, "compatible has to be \"longhouse,cell\" or \"longhouse,system\"");
    return true;
}

static bool add_cpus(struct compiler *c)
{
    u32 ids[CELL_MAX_CPUS];
    int n = get_cells(c, 0, "cpus", ids, CELL_MAX_CPUS);
    if (n < 1)
        return err_set(c->e, "cpus has to name 1 to %d processors of the machine", CELL_MAX_CPUS);
    c->d->head.n_cpus = (u32)n;
    for (int i = 0; i < n; i++)
        c->cpus[i].id = ids[i];
    return true;
}

static bool add_root(struct compiler *c)
{
    static const char *const known[] = {"compatible", "model",  "cpus",     "entry", "debug-calls",
                                        "kernel",     "initrd", "bootargs", NULL};
    struct cell_description *d = c->d;
    u32 entry[2] = {0, 0};
    if (!check_names(c, 0, known) || !add_kind(c) || !add_cpus(c) ||
        !get_text(c, 0, "model", d->head.name, sizeof(d->head.name)) ||
        !get_text(c, 0, "kernel", d->kernel, sizeof(d->kernel)) ||
        !get_text(c, 0, "initrd", d->initrd, sizeof(d->initrd)) ||
        !get_text(c, 0, "bootargs", d->command_line, sizeof(d->command_line)))
        return false;
    if (get_cells(c, 0, "entry", entry, 2) < 0)
        return err_set(c->e, "entry has to be <address-high address-low>");
    d->head.entry = (u64)entry[0] << 32 | entry[1];
    if (fdt_getprop(c->fdt, 0, "debug-calls", NULL))
        d->head.flags |= CELL_FLAG_DEBUG_CALLS;
    return true;
}

static void *append(void *to, const void *from, size_t n)
{
    memcpy(to, from, n);
    return (u8 *)to + n;
}

static void put_together(struct compiler *c)
{
    struct cell_blob *h = &c->d->head;
    u8 *end = append(h + 1, c->cpus, h->n_cpus * sizeof(*c->cpus));
    end = append(end, c->memory, h->n_memory * sizeof(*c->memory));
    end = append(end, c->devices, h->n_devices * sizeof(*c->devices));
    h->magic = CELL_BLOB_MAGIC;
    h->version = CELL_BLOB_VERSION;
    h->size = (u32)(end - c->d->bytes);
    h->crc32 = 0;
    h->crc32 = crc32_of(0, c->d->bytes, h->size);
}

static bool check(struct cell_description *d, size_t size, struct err *e)
{
    struct blob b;
    char why[160];
    return blob_check(&b, d->bytes, size, why, sizeof(why)) || err_set(e, "%s", why);
}

static bool compile_tree(struct cell_description *d, const void *fdt, struct err *e)
{
    struct compiler c = {.fdt = fdt, .d = d, .e = e};
    int node;
    if (!add_root(&c))
        return false;
    fdt_for_each_subnode(node, fdt, 0)
    {
        if (!add_node(&c, node))
            return false;
    }
    put_together(&c);
    return check(d, d->head.size, e);
}

bool cell_compile(struct cell_description *d, const u8 *data, size_t size, struct err *e)
{
    memset(d, 0, sizeof(*d));
    if (size >= 4 && load_le(data, 4) == CELL_BLOB_MAGIC) {
        memcpy(d->bytes, data, size < sizeof(d->bytes) ? size : sizeof(d->bytes));
        return check(d, size, e);
    }
    if (size >= sizeof(struct fdt_header) && !fdt_check_full(data, size))
        return compile_tree(d, data, e);
    size_t fdt_size;
    void *fdt = cell_dts_parse((const char *)data, size, &fdt_size, e);
    bool is_good = fdt && compile_tree(d, fdt, e);
    free(fdt);
    return is_good;
}

bool cell_compile_file(struct cell_description *d, const char *path, struct err *e)
{
    struct boot_file f;
    if (!boot_file_read(&f, "description", path, MAX_FILE, e))
        return false;
    bool is_good = cell_compile(d, f.data, f.size, e) || err_context(e, "description '%s'", path);
    boot_file_free(&f);
    return is_good;
}
