// SPDX-License-Identifier: Apache-2.0
// Unpacks the payload of an EFI zboot image.
//
// Header: at 8 the payload's offset, at 12 its size, at 24 the name of its compression. The
// unpacked size, 32 bits, follows a zstd payload; of a gzip payload it is the last word, gzip's own
// trailer. It is believed only up to KERNEL_MAX_UNPACKED, and must be exact.
#include "base/bits.h"
#include "base/huge.h"
#include "mach/kernel_parse.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct packed {
    const u8 *data;
    size_t size;
    size_t unpacked_size; // as the file claims
};

static bool unpack_zstd(u8 *out, const struct packed *p, struct err *e)
{
    size_t n = ZSTD_decompress(out, p->unpacked_size, p->data, p->size);
    if (ZSTD_isError(n))
        return err_set(e, "is corrupt: unpacking its zstd payload fails: %s", ZSTD_getErrorName(n));
    if (n != p->unpacked_size)
        return err_set(e, "is corrupt: it unpacks to %zu bytes instead of %zu", n,
                       p->unpacked_size);
    return true;
}

static bool unpack_gzip(u8 *out, const struct packed *p, struct err *e)
{
    z_stream z = {.next_in = (u8 *)(uintptr_t)p->data, .avail_in = (uInt)p->size};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return err_set(e, "cannot be unpacked: out of memory");
    z.next_out = out;
    z.avail_out = (uInt)p->unpacked_size;
    int status = inflate(&z, Z_FINISH);
    bool ok = status == Z_STREAM_END && z.avail_out == 0;
    if (!ok)
        err_set(e, "is corrupt: unpacking its gzip payload fails: %s",
                z.msg                    ? z.msg
                : status == Z_STREAM_END ? "it is smaller than its header says"
                : z.avail_out            ? "it ends early"
                                         : "it is larger than its header says");
    inflateEnd(&z);
    return ok;
}

struct compression {
    const char *name, *form;
    bool size_follows; // the unpacked size comes after the payload, not in its last word
    bool (*unpack)(u8 *out, const struct packed *p, struct err *e);
};

static const struct compression compressions[] = {
    {"zstd", "EFI zboot image (zstd)", true, unpack_zstd},
    {"gzip", "EFI zboot image (gzip)", false, unpack_gzip},
};

static const struct compression *compression_find(const u8 *data, struct err *e)
{
    char name[25] = "";
    for (unsigned i = 0; i < sizeof(name) - 1 && data[0x18 + i] > ' ' && data[0x18 + i] < 0x7f; i++)
        name[i] = (char)data[0x18 + i];
    for (size_t i = 0; i < ARRAY_LEN(compressions); i++)
        if (!strcmp(compressions[i].name, name))
            return &compressions[i];
    err_set(e, "is a zboot image packed with '%s'; zstd and gzip can be unpacked", name);
    return NULL;
}

bool kernel_zboot_check_size(const u8 *data, size_t size, struct err *e)
{
    u64 end = load_le(data + 8, 4) + load_le(data + 12, 4);
    return end <= size || err_set(e, "is truncated: %zu bytes, its payload ends at %llu", size,
                                  (unsigned long long)end);
}

static bool find_payload(struct packed *p, const struct compression *c, const u8 *data, size_t size,
                         struct err *e)
{
    u64 offset = load_le(data + 8, 4), packed_size = load_le(data + 12, 4);
    u64 end = offset + packed_size + (c->size_follows ? 4 : 0);
    if (packed_size < 4)
        return err_set(e, "is corrupt: its payload has %llu bytes",
                       (unsigned long long)packed_size);
    if (end > size)
        return err_set(e, "is truncated: %zu bytes, its payload ends at %llu", size,
                       (unsigned long long)end);
    *p = (struct packed){data + offset, packed_size, load_le(data + end - 4, 4)};
    if (!p->unpacked_size || p->unpacked_size > KERNEL_MAX_UNPACKED)
        return err_set(e, "is corrupt: it claims to unpack to %zu bytes, the limit is %llu MiB",
                       p->unpacked_size, KERNEL_MAX_UNPACKED >> 20);
    return true;
}

static bool make_room(struct kernel_image *k, size_t size, struct err *e)
{
    if (k->unpacked)
        return true;
    k->unpacked = malloc(size);
    if (!k->unpacked)
        return err_set(e, "cannot be unpacked: no memory for %zu bytes", size);
    k->unpacked_size = size;
    huge_advise(k->unpacked, size);
    return true;
}

bool kernel_zboot_unpack(struct kernel_image *k, const u8 *data, size_t size, struct err *e)
{
    struct packed p;
    const struct compression *c = compression_find(data, e);
    if (!c || !find_payload(&p, c, data, size, e) || !make_room(k, p.unpacked_size, e))
        return false;
    k->form = c->form;
    return c->unpack(k->unpacked, &p, e);
}
