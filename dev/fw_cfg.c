// SPDX-License-Identifier: Apache-2.0
// Reads past the end of an item, and of items that do not exist, give zeros. Only DMA can write,
// and only items that allow it.
#include "dev/fw_cfg.h"
#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

#define KEY_FLAGS      0xc000 // write channel and architecture-local: not part of the index
#define DMA_MAGIC      0x51454d5520434647ULL // "QEMU CFG"
#define DIR_ENTRY_SIZE (8 + FW_CFG_NAME_SIZE)
#define PIECE_SIZE     0x10000

static void set_item(struct fw_cfg_item *it, const void *data, u32 size)
{
    BUG_ON(it->data);
    it->data = malloc(size ? size : 1);
    BUG_ON(!it->data);
    if (data)
        memcpy(it->data, data, size);
    else
        memset(it->data, 0, size);
    it->size = size;
}

static void free_item(struct fw_cfg_item *it)
{
    if (!it->is_borrowed)
        free(it->data);
    *it = (struct fw_cfg_item){0};
}

void fw_cfg_add_bytes(struct fw_cfg *f, u16 key, const void *data, u32 size)
{
    BUG_ON(key >= FW_CFG_FILE_FIRST);
    set_item(&f->fixed[key], data, size);
}

static void add_number(struct fw_cfg *f, u16 key, u64 value, unsigned size)
{
    u8 bytes[8];
    store_le(bytes, value, size);
    fw_cfg_add_bytes(f, key, bytes, size);
}

void fw_cfg_add_u16(struct fw_cfg *f, u16 key, u16 value)
{
    add_number(f, key, value, 2);
}

void fw_cfg_add_u32(struct fw_cfg *f, u16 key, u32 value)
{
    add_number(f, key, value, 4);
}

void fw_cfg_add_u64(struct fw_cfg *f, u16 key, u64 value)
{
    add_number(f, key, value, 8);
}

void fw_cfg_add_string(struct fw_cfg *f, u16 key, const char *text)
{
    fw_cfg_add_bytes(f, key, text, (u32)strlen(text) + 1);
}

void fw_cfg_add_borrowed(struct fw_cfg *f, u16 key, const void *data, u32 size)
{
    BUG_ON(key >= FW_CFG_FILE_FIRST || f->fixed[key].data);
    f->fixed[key] = (struct fw_cfg_item){.data = (u8 *)data, .size = size, .is_borrowed = true};
}

// The directory: a big-endian count, then {u32 size, u16 key, u16 0, name} of each file.
static void build_directory(struct fw_cfg *f)
{
    struct fw_cfg_item *dir = &f->fixed[FW_CFG_FILE_DIR];
    free_item(dir);
    set_item(dir, NULL, 4 + f->n_files * DIR_ENTRY_SIZE);
    store_be(dir->data, f->n_files, 4);
    for (unsigned i = 0; i < f->n_files; i++) {
        u8 *entry = dir->data + 4 + i * DIR_ENTRY_SIZE;
        store_be(entry, f->files[i].item.size, 4);
        store_be(entry + 4, FW_CFG_FILE_FIRST + i, 2);
        memcpy(entry + 8, f->files[i].name, FW_CFG_NAME_SIZE);
    }
}

static bool check_file(const struct fw_cfg *f, const char *name, size_t size, struct err *e)
{
    if (!*name || strlen(name) >= FW_CFG_NAME_SIZE)
        return err_set(e, "fw_cfg file '%s': a name has 1 to %d bytes", name, FW_CFG_NAME_SIZE - 1);
    if (size > UINT32_MAX)
        return err_set(e, "fw_cfg file '%s': larger than 4 GiB", name);
    if (f->n_files == FW_CFG_MAX_FILES)
        return err_set(e, "fw_cfg file '%s': more than %d files", name, FW_CFG_MAX_FILES);
    for (unsigned i = 0; i < f->n_files; i++)
        if (!strcmp(f->files[i].name, name))
            return err_set(e, "fw_cfg file '%s': there is one already", name);
    return true;
}

static struct fw_cfg_item *insert_file(struct fw_cfg *f, const char *name)
{
    unsigned at = 0;
    while (at < f->n_files && strcmp(f->files[at].name, name) < 0)
        at++;
    f->files = realloc(f->files, (f->n_files + 1) * sizeof(*f->files));
    BUG_ON(!f->files);
    memmove(&f->files[at + 1], &f->files[at], (f->n_files - at) * sizeof(*f->files));
    f->n_files++;
    f->files[at] = (struct fw_cfg_file){0};
    strcpy(f->files[at].name, name);
    return &f->files[at].item;
}

bool fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, size_t size,
                     struct err *e)
{
    if (!check_file(f, name, size, e))
        return false;
    set_item(insert_file(f, name), data, (u32)size);
    build_directory(f);
    return true;
}

bool fw_cfg_add_hooked(struct fw_cfg *f, const char *name, size_t size,
                       const struct fw_cfg_hooks *hooks, struct err *e)
{
    if (!check_file(f, name, size, e))
        return false;
    struct fw_cfg_item *it = insert_file(f, name);
    set_item(it, NULL, (u32)size);
    it->hooks = *hooks;
    build_directory(f);
    return true;
}

// The selected item, or an empty one.
static const struct fw_cfg_item *selected(const struct fw_cfg *f)
{
    static const struct fw_cfg_item none;
    unsigned key = f->key & ~KEY_FLAGS;
    if (f->key & 0x8000) // architecture-local keys: there are none
        return &none;
    if (key < FW_CFG_FILE_FIRST)
        return &f->fixed[key];
    return key - FW_CFG_FILE_FIRST < f->n_files ? &f->files[key - FW_CFG_FILE_FIRST].item : &none;
}

static void select_item(struct fw_cfg *f, u16 key)
{
    f->key = key;
    f->offset = 0;
    const struct fw_cfg_item *it = selected(f);
    if (it->hooks.selected)
        it->hooks.selected(it->hooks.opaque, it->data, it->size);
}

static u32 bytes_left(const struct fw_cfg *f)
{
    u32 size = selected(f)->size;
    return size > f->offset ? size - f->offset : 0;
}

static void advance(struct fw_cfg *f, u32 n)
{
    u32 left = bytes_left(f);
    f->offset += n < left ? n : left;
}

static u64 read_data(struct fw_cfg *f, unsigned size)
{
    u64 value = 0;
    for (unsigned i = 0; i < size && bytes_left(f); i++)
        value |= (u64)selected(f)->data[f->offset++] << (8 * i);
    return value;
}

// In pieces, so that zeros past the end need no buffer of the transfer's size.
static bool dma_read(struct fw_cfg *f, u64 address, u32 length)
{
    static const u8 zeros[PIECE_SIZE];
    struct mem_space *mem = f->d.env->mem;
    for (u32 n; length; address += n, length -= n) {
        u32 left = bytes_left(f);
        n = length < PIECE_SIZE ? length : PIECE_SIZE;
        n = left && left < n ? left : n;
        const u8 *from = left ? selected(f)->data + f->offset : zeros;
        if (!mem_dma_write(mem, address, from, n))
            return false;
        advance(f, n);
    }
    return true;
}

// All or nothing: a write must fit into the item, and a failed one leaves it as it was.
static bool dma_write(struct fw_cfg *f, u64 address, u32 length)
{
    const struct fw_cfg_item *it = selected(f);
    u32 at = f->offset;
    if (!it->hooks.written || length > bytes_left(f))
        return false;
    u8 *bytes = malloc(length ? length : 1);
    BUG_ON(!bytes);
    bool ok = mem_dma_read(f->d.env->mem, address, bytes, length);
    if (ok) {
        memcpy(it->data + at, bytes, length);
        f->offset += length;
        it->hooks.written(it->hooks.opaque, at, length);
    }
    free(bytes);
    return ok;
}

static bool transfer(struct fw_cfg *f, u32 control, u32 length, u64 address)
{
    if (control & FW_CFG_DMA_SELECT)
        select_item(f, (u16)(control >> 16));
    if (control & FW_CFG_DMA_READ)
        return dma_read(f, address, length);
    if (control & FW_CFG_DMA_WRITE)
        return dma_write(f, address, length);
    if (control & FW_CFG_DMA_SKIP)
        advance(f, length);
    return true;
}

// The control word is written back as 0 or as the error bit when the transfer is over.
static void start_dma(struct fw_cfg *f)
{
    struct mem_space *mem = f->d.env->mem;
    u8 request[16], answer[4];
    u64 at = f->dma_address;
    f->dma_address = 0;
    bool ok = mem_dma_read(mem, at, request, sizeof(request)) &&
              transfer(f, (u32)load_be(request, 4), (u32)load_be(request + 4, 4),
                       load_be(request + 8, 8));
    if (!ok)
        log_guest(f->d.env->log, "fw_cfg: transfer at 0x%llx failed", (unsigned long long)at);
    store_be(answer, ok ? 0 : FW_CFG_DMA_ERROR, 4);
    mem_dma_write(mem, at, answer, sizeof(answer));
}

static u64 swap(u64 value, unsigned size)
{
    u8 bytes[8];
    store_le(bytes, value, size);
    return load_be(bytes, size);
}

static u64 fw_cfg_read(void *opaque, u64 offset, unsigned size)
{
    struct fw_cfg *f = opaque;
    if (offset < FW_CFG_SELECTOR)
        return read_data(f, size);
    if (offset >= FW_CFG_DMA)
        return swap(DMA_MAGIC, 8) >> (8 * (offset - FW_CFG_DMA));
    return 0;
}

static void fw_cfg_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct fw_cfg *f = opaque;
    if (offset == FW_CFG_SELECTOR && size == 2) {
        select_item(f, (u16)swap(value, 2));
    } else if (offset == FW_CFG_DMA && size == 8) {
        f->dma_address = swap(value, 8);
        start_dma(f);
    } else if (offset == FW_CFG_DMA && size == 4) {
        f->dma_address = swap(value, 4) << 32;
    } else if (offset == FW_CFG_DMA + 4 && size == 4) {
        f->dma_address |= swap(value, 4);
        start_dma(f);
    } else {
        log_guest(f->d.env->log, "fw_cfg: %u bytes written at 0x%llx", size,
                  (unsigned long long)offset);
    }
}

static const struct mem_io_ops fw_cfg_ops = {.read = fw_cfg_read, .write = fw_cfg_write};

static bool fw_cfg_realize(struct device *d, struct err *e)
{
    struct fw_cfg *f = fw_cfg_of(d);
    f->region.size = FW_CFG_SIZE;
    f->region.ops = &fw_cfg_ops;
    f->region.opaque = f;
    f->region.name = "fw_cfg";
    fw_cfg_add_bytes(f, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_u32(f, FW_CFG_FEATURES, 3);
    build_directory(f);
    return true;
}

static void fw_cfg_reset(struct device *d)
{
    struct fw_cfg *f = fw_cfg_of(d);
    f->dma_address = 0;
    select_item(f, FW_CFG_SIGNATURE);
}

static void fw_cfg_free(struct device *d)
{
    struct fw_cfg *f = fw_cfg_of(d);
    for (unsigned i = 0; i < FW_CFG_FILE_FIRST; i++)
        free_item(&f->fixed[i]);
    for (unsigned i = 0; i < f->n_files; i++)
        free_item(&f->files[i].item);
    free(f->files);
}

const struct device_type fw_cfg_type = {
    .name = "fw_cfg",
    .doc = "The firmware configuration device: blobs for firmware and kernels.",
    .size = sizeof(struct fw_cfg),
    .realize = fw_cfg_realize,
    .reset = fw_cfg_reset,
    .free = fw_cfg_free,
};
