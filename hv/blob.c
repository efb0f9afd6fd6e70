// SPDX-License-Identifier: Apache-2.0
#include "hv/blob.h"
#include "base/bits.h"
#include "hv/crc32.h"
#include "hv/text.h"

static const u64 PAGE = 0x4000, BLOCK = 0x2000000, GPA_LIMIT = BIT(47);

struct verdict {
    char *why;
    u32 size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct verdict *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_format_list(v->why, v->size, format, args);
    va_end(args);
    return false;
}

static bool check_crc(const struct cell_blob *h, struct verdict *v)
{
    const u32 zero = 0;
    size_t at = offsetof(struct cell_blob, crc32);
    u32 crc = crc32_of(0, h, at);
    crc = crc32_of(crc, &zero, sizeof(zero));
    crc = crc32_of(crc, (const u8 *)h + at + 4, h->size - at - 4);
    return crc == h->crc32 || refuse(v, "checksum is %08x, not %08x as it says", crc, h->crc32);
}

static bool check_name(const struct cell_blob *h, struct verdict *v)
{
    unsigned n = 0;
    for (; n < CELL_NAME_SIZE && h->name[n]; n++) {
        char c = h->name[n];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
        if (!is_good)
            return refuse(v, "name: byte %u is no letter, digit, dot, dash or underscore", n);
    }
    if (!n || n == CELL_NAME_SIZE)
        return refuse(v, "name: has to have 1 to %u bytes", CELL_NAME_SIZE - 1);
    return true;
}

static bool check_counts(const struct cell_blob *h, struct verdict *v)
{
    if (!h->n_cpus || h->n_cpus > CELL_MAX_CPUS)
        return refuse(v, "%u processors: 1 to %u are possible", h->n_cpus, CELL_MAX_CPUS);
    if (!h->n_memory || h->n_memory > CELL_MAX_MEMORY)
        return refuse(v, "%u memory regions: 1 to %u are possible", h->n_memory, CELL_MAX_MEMORY);
    if (h->n_devices > CELL_MAX_DEVICES)
        return refuse(v, "%u devices: at most %u are possible", h->n_devices, CELL_MAX_DEVICES);
    u64 size = sizeof(*h) + h->n_cpus * sizeof(struct cell_blob_cpu) +
               h->n_memory * sizeof(struct cell_blob_memory) +
               h->n_devices * sizeof(struct cell_blob_device);
    return size == h->size || refuse(v, "size is %u, its arrays need %lu", h->size, size);
}

static bool check_head(const struct cell_blob *h, size_t size, struct verdict *v)
{
    if (size < sizeof(*h))
        return refuse(v, "%lu bytes are too short for a description", (u64)size);
    if (h->magic != CELL_BLOB_MAGIC)
        return refuse(v, "no description of a cell: it begins with %08x", h->magic);
    if (h->version != CELL_BLOB_VERSION)
        return refuse(v, "version %u; this hypervisor reads %u", h->version, CELL_BLOB_VERSION);
    if (h->kind != CELL_BLOB_CELL && h->kind != CELL_BLOB_SYSTEM)
        return refuse(v, "kind %u is neither a cell nor a system", h->kind);
    if (h->size != size || size > CELL_BLOB_MAX_SIZE)
        return refuse(v, "size is %u, but there are %lu bytes (at most %u)", h->size, (u64)size,
                      CELL_BLOB_MAX_SIZE);
    if (h->flags & ~(u32)CELL_FLAG_DEBUG_CALLS)
        return refuse(v, "flags %x are not known", h->flags);
    return check_crc(h, v) && check_counts(h, v) && check_name(h, v);
}

static bool check_cpus(const struct blob *b, struct verdict *v)
{
    u64 seen = 0;
    for (u32 i = 0; i < b->head->n_cpus; i++) {
        u32 id = b->cpus[i].id;
        if (id >= CELL_MAX_CPUS)
            return refuse(v, "processor %u: ids are 0 to %u", id, CELL_MAX_CPUS - 1);
        if (b->cpus[i].reserved)
            return refuse(v, "processor %u: its reserved word is not 0", id);
        if (seen & BIT(id))
            return refuse(v, "processor %u is named twice", id);
        if (!id && b->head->kind == CELL_BLOB_CELL)
            return refuse(v, "processor 0 stays with the root cell");
        seen |= BIT(id);
    }
    return b->head->kind == CELL_BLOB_CELL || seen & 1 || refuse(v, "processor 0 is missing");
}

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
    return a < b + b_size && b < a + a_size;
}

static bool check_region(const struct blob *b, const struct cell_blob_memory *m, struct verdict *v)
{
    bool is_cell = b->head->kind == CELL_BLOB_CELL,
         is_ram = m->type == CELL_MEMORY_RAM || m->type == CELL_MEMORY_SHARED;
    u64 align = is_ram ? BLOCK : PAGE;
    bool is_known = m->type >= CELL_MEMORY_RAM && m->type <= CELL_MEMORY_SHARED;
    if (!is_known || (is_cell ? !is_ram : m->type == CELL_MEMORY_SHARED))
        return refuse(v, "memory at %lx: type %u cannot be given", m->gpa, m->type);
    if (m->reserved || !m->tag != (m->type != CELL_MEMORY_SHARED))
        return refuse(v, "memory at %lx: tag %u", m->gpa, m->tag);
    if (!m->rights || m->rights & ~7u || !(m->rights & CELL_READ))
        return refuse(v, "memory at %lx: rights %u are none that can be given", m->gpa, m->rights);
    if (!m->size || m->gpa % align || m->size % align)
        return refuse(v, "memory at %lx, size %lx: both have to be multiples of %lx", m->gpa,
                      m->size, align);
    if (m->gpa >= GPA_LIMIT || m->size > GPA_LIMIT - m->gpa)
        return refuse(v, "memory at %lx, size %lx: ends above %lx", m->gpa, m->size, GPA_LIMIT);
    return true;
}

// Holes lie within devices on purpose.
static bool check_memory(const struct blob *b, struct verdict *v)
{
    u32 n_ram = 0;
    for (u32 i = 0; i < b->head->n_memory; i++) {
        const struct cell_blob_memory *m = &b->memory[i];
        if (!check_region(b, m, v))
            return false;
        n_ram += m->type == CELL_MEMORY_RAM;
        for (u32 j = 0; j < i; j++) {
            const struct cell_blob_memory *o = &b->memory[j];
            if ((m->type == CELL_MEMORY_HOLE) == (o->type == CELL_MEMORY_HOLE) &&
                overlap(m->gpa, m->size, o->gpa, o->size))
                return refuse(v, "memory at %lx overlaps that at %lx", m->gpa, o->gpa);
        }
    }
    if (!n_ram)
        return refuse(v, "there is no RAM");
    if (b->head->kind == CELL_BLOB_SYSTEM && n_ram != 1)
        return refuse(v, "a system has one pool, not %u", n_ram);
    return true;
}

static u64 device_size(u32 kind)
{
    static const u64 sizes[] = {[CELL_DEVICE_UART] = 8,
                                [CELL_DEVICE_POWER] = 4,
                                [CELL_DEVICE_PORTS] = 0x4000,
                                [CELL_DEVICE_DOORBELL] = 8,
                                [CELL_DEVICE_PCI] = CELL_PCI_SIZE};
    return kind < ARRAY_LEN(sizes) ? sizes[kind] : 0;
}

static bool is_function(u32 kind)
{
    return kind >= CELL_DEVICE_VIRTIO_NET && kind <= CELL_DEVICE_VIRTIO_CONSOLE;
}

// A PCI bus comes before its functions, and there is one.
static bool check_function(const struct blob *b, u32 i, struct verdict *v)
{
    const struct cell_blob_device *d = &b->devices[i];
    u32 n_buses = 0;
    if (d->gpa || d->vector || d->tag || !d->slot || d->slot >= CELL_MAX_SLOTS)
        return refuse(v, "slot %u: functions have one from 1 to %u, and nothing else", d->slot,
                      CELL_MAX_SLOTS - 1);
    for (u32 j = 0; j < i; j++) {
        n_buses += b->devices[j].kind == CELL_DEVICE_PCI;
        if (is_function(b->devices[j].kind) && b->devices[j].slot == d->slot)
            return refuse(v, "slot %u is given twice", d->slot);
    }
    return n_buses == 1 || refuse(v, "slot %u: wants one PCI bus before it", d->slot);
}

static bool check_device(const struct blob *b, u32 i, struct verdict *v)
{
    const struct cell_blob_device *d = &b->devices[i];
    u64 size = device_size(d->kind);
    u32 last_vector = d->vector + (d->kind == CELL_DEVICE_PCI ? CELL_MAX_SLOTS - 1 : 0);
    if (is_function(d->kind))
        return check_function(b, i, v);
    if (!size)
        return refuse(v, "device at %lx: kind %u is not known", d->gpa, d->kind);
    if (d->gpa % size || d->gpa >= GPA_LIMIT - size)
        return refuse(v, "device at %lx: the address cannot be", d->gpa);
    if (d->kind == CELL_DEVICE_PCI && d->gpa + size > BIT(32))
        return refuse(v, "device at %lx: has to lie below 4 GiB", d->gpa);
    if (d->slot || !d->tag != (d->kind != CELL_DEVICE_DOORBELL))
        return refuse(v, "device at %lx: tag %u", d->gpa, d->tag);
    if (last_vector >= 256)
        return refuse(v, "device at %lx: vector %u is above 255", d->gpa, d->vector);
    u64 pages = size > PAGE ? size : PAGE;
    for (u32 j = 0; j < b->head->n_memory; j++)
        if (overlap(align_down(d->gpa, PAGE), pages, b->memory[j].gpa, b->memory[j].size))
            return refuse(v, "device at %lx shares a page with memory at %lx", d->gpa,
                          b->memory[j].gpa);
    for (u32 j = 0; j < i; j++)
        if (overlap(d->gpa, size, b->devices[j].gpa, device_size(b->devices[j].kind)))
            return refuse(v, "devices at %lx and %lx overlap", d->gpa, b->devices[j].gpa);
    return true;
}

static bool check_entry(const struct blob *b, struct verdict *v)
{
    const struct cell_blob *h = b->head;
    if (h->kind == CELL_BLOB_SYSTEM)
        return !h->n_devices || refuse(v, "a system has no devices of its own");
    if (h->entry % 4)
        return refuse(v, "entry %lx is no multiple of 4", h->entry);
    for (u32 i = 0; i < h->n_memory; i++)
        if (h->entry - b->memory[i].gpa < b->memory[i].size && b->memory[i].rights & CELL_EXECUTE)
            return true;
    return refuse(v, "entry %lx is in no executable memory", h->entry);
}

bool blob_check(struct blob *b, const void *data, size_t size, char *why, u32 why_size)
{
    struct verdict v = {why, why_size};
    b->head = data;
    if (!check_head(b->head, size, &v))
        return false;
    b->cpus = (const void *)(b->head + 1);
    b->memory = (const void *)(b->cpus + b->head->n_cpus);
    b->devices = (const void *)(b->memory + b->head->n_memory);
    if (!check_cpus(b, &v) || !check_memory(b, &v) || !check_entry(b, &v))
        return false;
    for (u32 i = 0; i < b->head->n_devices; i++)
        if (!check_device(b, i, &v))
            return false;
    return true;
}
