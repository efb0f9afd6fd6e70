// SPDX-License-Identifier: Apache-2.0
// The commands of "etc/table-loader": 128 bytes each, a number and its operands, padded with zeros.
// File names have 56 bytes.
#include "mach/acpi.h"

#include <string.h>

#define COMMAND_SIZE   128
#define FILE_NAME_SIZE 56
#define TABLES_FILE    "etc/acpi/tables"
#define RSDP_FILE      "etc/acpi/rsdp"

enum command { COMMAND_ALLOCATE = 1, COMMAND_ADD_POINTER = 2, COMMAND_ADD_CHECKSUM = 3 };
enum zone { ZONE_HIGH = 1, ZONE_FSEG = 2 };

static void put_file(struct bytes *b, const char *name)
{
    size_t n = strlen(name);
    bytes_add(b, name, n);
    bytes_zero(b, FILE_NAME_SIZE - n);
}

static size_t begin_command(struct bytes *b, enum command c)
{
    size_t start = b->size;
    bytes_put(b, c, 4);
    return start;
}

static void end_command(struct bytes *b, size_t start)
{
    bytes_zero(b, COMMAND_SIZE - (b->size - start));
}

static void put_allocate(struct bytes *b, const char *file, u32 alignment, enum zone zone)
{
    size_t start = begin_command(b, COMMAND_ALLOCATE);
    put_file(b, file);
    bytes_put(b, alignment, 4);
    bytes_put(b, zone, 1);
    end_command(b, start);
}

static const char *file_of(bool in_rsdp)
{
    return in_rsdp ? RSDP_FILE : TABLES_FILE;
}

static void put_pointer(struct bytes *b, const struct acpi_pointer *p)
{
    size_t start = begin_command(b, COMMAND_ADD_POINTER);
    put_file(b, file_of(p->in_rsdp)); // that holds the pointer
    put_file(b, TABLES_FILE);         // that it points into
    bytes_put(b, p->at, 4);
    bytes_put(b, p->size, 1);
    end_command(b, start);
}

static void put_checksum(struct bytes *b, const struct acpi_checksum *c)
{
    size_t start = begin_command(b, COMMAND_ADD_CHECKSUM);
    put_file(b, file_of(c->in_rsdp));
    bytes_put(b, c->at, 4);
    bytes_put(b, c->start, 4);
    bytes_put(b, c->size, 4);
    end_command(b, start);
}

void acpi_loader_commands(const struct acpi_tables *t, struct bytes *out)
{
    put_allocate(out, RSDP_FILE, 16, ZONE_FSEG);
    put_allocate(out, TABLES_FILE, 64, ZONE_HIGH);
    for (unsigned i = 0; i < t->n_pointers; i++)
        put_pointer(out, &t->pointers[i]);
    for (unsigned i = 0; i < t->n_checksums; i++)
        put_checksum(out, &t->checksums[i]);
}
