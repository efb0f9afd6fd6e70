// SPDX-License-Identifier: Apache-2.0
// Blocks are written without their length; aml_end measures them and inserts it.
#include "mach/aml.h"

#include "base/bits.h"
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_STRING = 0x0d,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_DUAL_NAME = 0x2e,
    OP_MULTI_NAME = 0x2f,
    OP_EXTENDED = 0x5b,
    OP_EXT_REGION = 0x80,
    OP_EXT_FIELD = 0x81,
    OP_EXT_DEVICE = 0x82,
    OP_LOCAL0 = 0x60,
    OP_ARG0 = 0x68,
    OP_IF = 0xa0,
    OP_ELSE = 0xa1,
};

#define METHOD_SERIALIZED 8
#define REGION_MEMORY     0
#define FIELD_DWORD       3 // access width; no lock; preserve on update
#define NAME_SIZE         4

void aml_init(struct aml *a, struct bytes *out)
{
    *a = (struct aml){.out = out};
}

void aml_byte(struct aml *a, u8 value)
{
    bytes_put(a->out, value, 1);
}

static void open_block(struct aml *a, enum aml_block_kind kind)
{
    BUG_ON(a->depth == AML_MAX_DEPTH);
    a->open[a->depth++] = (struct aml_block){kind, a->out->size};
}

// One name segment of up to four characters, padded with underscores.
static void put_segment(struct aml *a, const char *name, size_t n)
{
    BUG_ON(n == 0 || n > NAME_SIZE);
    for (size_t i = 0; i < NAME_SIZE; i++)
        aml_byte(a, i < n ? (u8)name[i] : '_');
}

void aml_path(struct aml *a, const char *path)
{
    if (*path == '\\') {
        aml_byte(a, '\\');
        path++;
    }
    unsigned n_segments = 1;
    for (const char *p = path; *p; p++)
        n_segments += *p == '.';
    if (n_segments == 2)
        aml_byte(a, OP_DUAL_NAME);
    if (n_segments > 2) {
        aml_byte(a, OP_MULTI_NAME);
        aml_byte(a, (u8)n_segments);
    }
    for (unsigned i = 0; i < n_segments; i++) {
        size_t n = strcspn(path, ".");
        put_segment(a, path, n);
        path += n + 1;
    }
}

void aml_op(struct aml *a, enum aml_op op)
{
    aml_byte(a, (u8)op);
}

// Zero and One are their own opcodes.
void aml_int(struct aml *a, u64 value)
{
    if (value <= 1) {
        aml_byte(a, (u8)value);
        return;
    }
    static const u8 prefixes[] = {[1] = OP_BYTE, [2] = OP_WORD, [4] = OP_DWORD, [8] = OP_QWORD};
    unsigned n = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
    aml_byte(a, prefixes[n]);
    bytes_put(a->out, value, n);
}

void aml_string(struct aml *a, const char *text)
{
    aml_byte(a, OP_STRING);
    bytes_add(a->out, text, strlen(text) + 1);
}

void aml_local(struct aml *a, unsigned n)
{
    BUG_ON(n > 7);
    aml_byte(a, (u8)(OP_LOCAL0 + n));
}

void aml_arg(struct aml *a, unsigned n)
{
    BUG_ON(n > 6);
    aml_byte(a, (u8)(OP_ARG0 + n));
}

void aml_name(struct aml *a, const char *name)
{
    aml_byte(a, OP_NAME);
    aml_path(a, name);
}

void aml_name_int(struct aml *a, const char *name, u64 value)
{
    aml_name(a, name);
    aml_int(a, value);
}

void aml_name_string(struct aml *a, const char *name, const char *text)
{
    aml_name(a, name);
    aml_string(a, text);
}

// Three letters of five bits each and four hexadecimal digits, as one big-endian number (19.6.35).
void aml_name_eisa(struct aml *a, const char *name, const char *id)
{
    BUG_ON(strlen(id) != 7);
    u32 letters = (u32)(id[0] & 31) << 10 | (u32)(id[1] & 31) << 5 | (u32)(id[2] & 31);
    u8 packed[4];
    store_be(packed, letters << 16 | strtoul(id + 3, NULL, 16), 4);
    aml_name_int(a, name, load_le(packed, 4));
}

// The first three groups are little-endian numbers (19.6.142).
void aml_uuid(struct aml *a, const char *uuid)
{
    static const u8 order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    u8 bytes[16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned value = 0;
        uuid += *uuid == '-';
        BUG_ON(sscanf(uuid, "%2x", &value) != 1);
        bytes[i] = (u8)value;
        uuid += 2;
    }
    aml_buffer(a);
    for (unsigned i = 0; i < 16; i++)
        aml_byte(a, bytes[order[i]]);
    aml_end(a);
}

void aml_scope(struct aml *a, const char *path)
{
    aml_byte(a, OP_SCOPE);
    open_block(a, AML_TERMS);
    aml_path(a, path);
}

void aml_device(struct aml *a, const char *name)
{
    aml_byte(a, OP_EXTENDED);
    aml_byte(a, OP_EXT_DEVICE);
    open_block(a, AML_TERMS);
    aml_path(a, name);
}

void aml_method(struct aml *a, const char *name, unsigned n_args)
{
    aml_byte(a, OP_METHOD);
    open_block(a, AML_TERMS);
    aml_path(a, name);
    aml_byte(a, (u8)(n_args | METHOD_SERIALIZED));
}

void aml_if(struct aml *a)
{
    aml_byte(a, OP_IF);
    open_block(a, AML_TERMS);
}

void aml_else(struct aml *a)
{
    aml_byte(a, OP_ELSE);
    open_block(a, AML_TERMS);
}

void aml_package(struct aml *a, unsigned n_elements)
{
    BUG_ON(n_elements > 255);
    aml_byte(a, OP_PACKAGE);
    open_block(a, AML_TERMS);
    aml_byte(a, (u8)n_elements);
}

void aml_buffer(struct aml *a)
{
    aml_byte(a, OP_BUFFER);
    open_block(a, AML_BUFFER);
}

void aml_resources(struct aml *a)
{
    aml_byte(a, OP_BUFFER);
    open_block(a, AML_RESOURCES);
}

void aml_memory_region(struct aml *a, const char *name, u64 base, u64 size)
{
    aml_byte(a, OP_EXTENDED);
    aml_byte(a, OP_EXT_REGION);
    aml_path(a, name);
    aml_byte(a, REGION_MEMORY);
    aml_int(a, base);
    aml_int(a, size);
}

void aml_field(struct aml *a, const char *region)
{
    aml_byte(a, OP_EXTENDED);
    aml_byte(a, OP_EXT_FIELD);
    open_block(a, AML_TERMS);
    aml_path(a, region);
    aml_byte(a, FIELD_DWORD);
}

// PkgLength (20.2.4) of a value: 6 bits in one byte, or 4 bits and up to three more bytes.
static unsigned length_width(size_t value)
{
    return value <= 0x3f ? 1 : value <= 0xfff ? 2 : value <= 0xfffff ? 3 : 4;
}

static unsigned encode_length(u8 out[4], size_t value, unsigned width)
{
    BUG_ON(value > 0xfffffff);
    out[0] = (u8)(width == 1 ? value : (width - 1) << 6 | (value & 0xf));
    store_le(out + 1, value >> 4, width - 1);
    return width;
}

static void put_field_bits(struct aml *a, size_t n_bits)
{
    u8 length[4];
    bytes_add(a->out, length, encode_length(length, n_bits, length_width(n_bits)));
}

static void insert(struct aml *a, size_t at, const u8 *data, size_t size)
{
    bytes_insert(a->out, at, size);
    memcpy(a->out->data + at, data, size);
}

// The size of a buffer, as a term in front of its bytes.
static void insert_buffer_size(struct aml *a, size_t at)
{
    size_t size = a->out->size - at;
    u8 term[3] = {size <= 0xff ? OP_BYTE : OP_WORD};
    BUG_ON(size > 0xffff);
    store_le(term + 1, size, 2);
    insert(a, at, term, size <= 0xff ? 2 : 3);
}

void aml_end(struct aml *a)
{
    BUG_ON(!a->depth);
    struct aml_block b = a->open[--a->depth];
    if (b.kind == AML_RESOURCES)
        bytes_put(a->out, 0x0079, 2); // end tag, checksum not used
    if (b.kind != AML_TERMS)
        insert_buffer_size(a, b.at);
    // A block's length counts itself.
    u8 length[4];
    size_t size = a->out->size - b.at;
    unsigned width = 1;
    while (length_width(size + width) > width)
        width++;
    insert(a, b.at, length, encode_length(length, size + width, width));
}

void aml_field_at(struct aml *a, u64 *position, u64 offset, const char *name)
{
    BUG_ON(offset < *position);
    if (offset > *position) {
        aml_byte(a, 0); // a reserved field
        put_field_bits(a, 8 * (offset - *position));
    }
    put_segment(a, name, strlen(name));
    put_field_bits(a, 32);
    *position = offset + 4;
}

enum address_kind { ADDRESS_MEMORY = 0, ADDRESS_IO = 1, ADDRESS_BUS = 2 };

enum {
    ADDRESS_CONSUMED = 1, // by this device; else passed on
    ADDRESS_FIXED = 0xc,  // both ends
    MEMORY_WRITABLE = 1,
    IO_ENTIRE_RANGE = 3,
    IO_TRANSLATED = 0x10, // memory on the processor's side
};

struct address {
    enum address_kind kind;
    u8 flags, kind_flags;
    u64 first, last, translation;
};

static void put_address(struct aml *a, unsigned width, const struct address *r)
{
    aml_byte(a, width == 8 ? 0x8a : 0x88);
    bytes_put(a->out, 3 + 5 * width, 2);
    aml_byte(a, (u8)r->kind);
    aml_byte(a, r->flags | ADDRESS_FIXED);
    aml_byte(a, r->kind_flags);
    bytes_put(a->out, 0, width); // granularity
    bytes_put(a->out, r->first, width);
    bytes_put(a->out, r->last, width);
    bytes_put(a->out, r->translation, width);
    bytes_put(a->out, r->last - r->first + 1, width);
}

void aml_memory(struct aml *a, u64 base, u64 size)
{
    struct address r = {ADDRESS_MEMORY, ADDRESS_CONSUMED, MEMORY_WRITABLE,
                        base,           base + size - 1,  0};
    put_address(a, 8, &r);
}

void aml_memory_window(struct aml *a, u64 base, u64 size)
{
    struct address r = {ADDRESS_MEMORY, 0, MEMORY_WRITABLE, base, base + size - 1, 0};
    put_address(a, 8, &r);
}

void aml_io_window(struct aml *a, u64 first, u64 last, u64 cpu_base)
{
    struct address r = {ADDRESS_IO, 0, IO_ENTIRE_RANGE | IO_TRANSLATED, first, last, cpu_base};
    put_address(a, 8, &r);
}

void aml_bus_window(struct aml *a, u16 first, u16 last)
{
    struct address r = {ADDRESS_BUS, 0, 0, first, last, 0};
    put_address(a, 2, &r);
}

void aml_interrupt(struct aml *a, u32 gsi)
{
    aml_byte(a, 0x89);
    bytes_put(a->out, 6, 2);
    aml_byte(a, ADDRESS_CONSUMED); // level, active high, exclusive
    aml_byte(a, 1);
    bytes_put(a->out, gsi, 4);
}
