// SPDX-License-Identifier: Apache-2.0
// Builds the tables: DSDT, FADT, MADT, MCFG, SRAT, PPTT, SPCR, XSDT, and the RSDP (ACPI 6.5,
// chapter 5).
#include "mach/acpi.h"

#include "base/bits.h"
#include "base/bug.h"
#include "mach/acpi_dsdt.h"
#include "mach/la_virt_map.h"

#include <string.h>

#define HEADER_SIZE     36
#define LENGTH_AT       4
#define CHECKSUM_AT     9
#define TABLE_ALIGNMENT 16

// Linux takes an OEM of "LOONGS" for a bridge with a configuration space of its own kind.
#define OEM_ID       "LNGHSE"
#define OEM_TABLE_ID "LONGHSVT"
#define CREATOR_ID   "LNGH"

static u32 begin_table(struct acpi_tables *t, const char *signature, unsigned revision)
{
    struct bytes *b = &t->tables;
    bytes_align(b, TABLE_ALIGNMENT);
    u32 start = (u32)b->size;
    bytes_add(b, signature, 4);
    bytes_put(b, 0, 4); // length
    bytes_put(b, revision, 1);
    bytes_put(b, 0, 1); // checksum
    bytes_add(b, OEM_ID, 6);
    bytes_add(b, OEM_TABLE_ID, 8);
    bytes_put(b, 1, 4);
    bytes_add(b, CREATOR_ID, 4);
    bytes_put(b, 1, 4);
    return start;
}

static void end_table(struct acpi_tables *t, u32 start)
{
    BUG_ON(t->n_tables == ACPI_MAX_TABLES || t->n_checksums == ACPI_MAX_TABLES);
    u32 size = (u32)t->tables.size - start;
    store_le(t->tables.data + start + LENGTH_AT, size, 4);
    t->checksums[t->n_checksums++] =
        (struct acpi_checksum){false, start + CHECKSUM_AT, start, size};
    t->starts[t->n_tables++] = start;
}

// A pointer, already in place, to the table at `target`.
static void add_pointer(struct acpi_tables *t, bool in_rsdp, u32 at, u8 size, u32 target)
{
    BUG_ON(t->n_pointers == ACPI_MAX_POINTERS);
    store_le((in_rsdp ? t->rsdp : t->tables.data) + at, target, size);
    t->pointers[t->n_pointers++] = (struct acpi_pointer){in_rsdp, at, size};
}

static u32 put_dsdt(struct acpi_tables *t, u32 serial_ports)
{
    u32 start = begin_table(t, "DSDT", 2);
    acpi_dsdt_put(&t->tables, serial_ports);
    end_table(t, start);
    return start;
}

// Generic address: a byte register in memory.
static void store_register(u8 *at, u64 address)
{
    at[0] = 0; // memory
    at[1] = 8; // bits
    at[2] = 0;
    at[3] = 1; // byte access
    store_le(at + 4, address, 8);
}

static void put_fadt(struct acpi_tables *t, u32 dsdt)
{
    enum { SIZE = 276, MINOR_REVISION = 5, RESET_VALUE = 0x42 };
    enum { FLAG_RESET_REGISTER = 1 << 10, FLAG_HARDWARE_REDUCED = 1 << 20 };

    u32 start = begin_table(t, "FACP", 6);
    bytes_zero(&t->tables, SIZE - HEADER_SIZE);
    u8 *f = t->tables.data + start;
    store_le(f + 112, FLAG_RESET_REGISTER | FLAG_HARDWARE_REDUCED, 4);
    store_register(f + 116, VIRT_GED_RESET);
    f[128] = RESET_VALUE;
    f[131] = MINOR_REVISION;
    store_register(f + 244, VIRT_GED_SLEEP);
    store_register(f + 256, VIRT_GED_STATUS);
    add_pointer(t, false, start + 40, 4, dsdt);
    add_pointer(t, false, start + 140, 8, dsdt);
    end_table(t, start);
}

// Entries of the MADT for this architecture (ACPI 6.5, 5.2.12.20 and on).
enum madt_type { MADT_CORE_PIC = 17, MADT_EIO_PIC = 20, MADT_MSI_PIC = 21, MADT_BIO_PIC = 22 };

static void begin_entry(struct bytes *b, unsigned type, unsigned size)
{
    bytes_put(b, type, 1);
    bytes_put(b, size, 1);
}

static void put_madt_controllers(struct bytes *b)
{
    begin_entry(b, MADT_EIO_PIC, 13);
    bytes_put(b, 1, 1);
    bytes_put(b, 3, 1); // cascade: HWI1, bit 3 of ESTAT
    bytes_put(b, 0, 1); // node
    bytes_put(b, 0xffff, 8);

    begin_entry(b, MADT_MSI_PIC, 19);
    bytes_put(b, 1, 1);
    bytes_put(b, VIRT_MSI_BASE, 8);
    bytes_put(b, VIRT_MSI_FIRST, 4);
    bytes_put(b, VIRT_MSI_COUNT, 4);

    begin_entry(b, MADT_BIO_PIC, 17);
    bytes_put(b, 1, 1);
    bytes_put(b, VIRT_PCH_PIC_BASE, 8);
    bytes_put(b, VIRT_PCH_PIC_SIZE, 2);
    bytes_put(b, 0, 2);
    bytes_put(b, VIRT_GSI_BASE, 2);
}

static void put_madt(struct acpi_tables *t, const struct acpi_board *board)
{
    struct bytes *b = &t->tables;
    u32 start = begin_table(t, "APIC", 7);
    bytes_put(b, 0, 4); // local controllers have no address
    bytes_put(b, 1, 4); // flags, as firmware of this architecture has them
    for (unsigned i = 0; i < board->n_cpus; i++) {
        begin_entry(b, MADT_CORE_PIC, 15);
        bytes_put(b, 1, 1);
        bytes_put(b, i, 4); // processor
        bytes_put(b, i, 4); // core, as in CSR CPUID
        bytes_put(b, 1, 4); // enabled
    }
    put_madt_controllers(b);
    end_table(t, start);
}

static void put_mcfg(struct acpi_tables *t)
{
    struct bytes *b = &t->tables;
    u32 start = begin_table(t, "MCFG", 1);
    bytes_zero(b, 8);
    bytes_put(b, VIRT_ECAM_BASE, 8);
    bytes_put(b, 0, 2); // segment
    bytes_put(b, 0, 1); // first and last bus
    bytes_put(b, VIRT_PCI_BUSES - 1, 1);
    bytes_zero(b, 4);
    end_table(t, start);
}

// Without it a kernel with NUMA support finds its memory on no node.
static void put_srat(struct acpi_tables *t, const struct acpi_board *board)
{
    enum { SRAT_PROCESSOR = 0, SRAT_MEMORY = 1 };

    struct bytes *b = &t->tables;
    u32 start = begin_table(t, "SRAT", 3);
    bytes_put(b, 1, 4);
    bytes_zero(b, 8);
    for (unsigned i = 0; i < board->n_cpus; i++) {
        begin_entry(b, SRAT_PROCESSOR, 16);
        bytes_put(b, 0, 1); // domain
        bytes_put(b, i, 1);
        bytes_put(b, 1, 4); // enabled
        bytes_zero(b, 8);
    }
    for (unsigned i = 0; i < board->n_memory; i++) {
        begin_entry(b, SRAT_MEMORY, 40);
        bytes_zero(b, 6);
        bytes_put(b, board->memory[i].base, 8);
        bytes_put(b, board->memory[i].size, 8);
        bytes_zero(b, 4);
        bytes_put(b, 1, 4); // enabled
        bytes_zero(b, 8);
    }
    end_table(t, start);
}

static void put_pptt_node(struct bytes *b, u32 flags, u32 parent, u32 id)
{
    begin_entry(b, 0, 20);
    bytes_zero(b, 2);
    bytes_put(b, flags, 4);
    bytes_put(b, parent, 4);
    bytes_put(b, id, 4);
    bytes_put(b, 0, 4); // caches: CPUCFG tells
}

// All cores in one package.
static void put_pptt(struct acpi_tables *t, const struct acpi_board *board)
{
    enum { IS_PACKAGE = 1, ID_IS_VALID = 2, IS_LEAF = 8 };

    u32 start = begin_table(t, "PPTT", 2);
    put_pptt_node(&t->tables, IS_PACKAGE | ID_IS_VALID, 0, 0);
    for (unsigned i = 0; i < board->n_cpus; i++)
        put_pptt_node(&t->tables, ID_IS_VALID | IS_LEAF, HEADER_SIZE, i);
    end_table(t, start);
}

// The first serial port as the console, for kernels that look here.
static void put_spcr(struct acpi_tables *t)
{
    enum { SIZE = 80, TYPE_16550 = 0, BAUD_115200 = 7, TERMINAL_ANSI = 3, GSI_BY_IO_APIC = 2 };

    u32 start = begin_table(t, "SPCR", 2);
    bytes_zero(&t->tables, SIZE - HEADER_SIZE);
    u8 *s = t->tables.data + start;
    s[36] = TYPE_16550;
    store_register(s + 40, VIRT_UART_BASE);
    s[52] = GSI_BY_IO_APIC;
    store_le(s + 54, VIRT_GSI_BASE + VIRT_PIN_UART, 4);
    s[58] = BAUD_115200;
    s[60] = 1; // stop bits
    s[62] = TERMINAL_ANSI;
    store_le(s + 64, 0xffff, 2); // not a PCI device
    store_le(s + 66, 0xffff, 2);
    end_table(t, start);
}

// Points to every table but the DSDT.
static u32 put_xsdt(struct acpi_tables *t, u32 dsdt)
{
    u32 start = begin_table(t, "XSDT", 1);
    for (unsigned i = 0; i < t->n_tables; i++) {
        if (t->starts[i] == dsdt)
            continue;
        bytes_put(&t->tables, 0, 8);
        add_pointer(t, false, (u32)t->tables.size - 8, 8, t->starts[i]);
    }
    end_table(t, start);
    return start;
}

static void put_rsdp(struct acpi_tables *t, u32 xsdt)
{
    enum { SIZE_OF_FIRST_PART = 20, FIRST_CHECKSUM_AT = 8, SECOND_CHECKSUM_AT = 32 };

    memcpy(t->rsdp, "RSD PTR ", 8);
    memcpy(t->rsdp + 9, OEM_ID, 6);
    t->rsdp[15] = 2;
    store_le(t->rsdp + 20, ACPI_RSDP_SIZE, 4);
    add_pointer(t, true, 24, 8, xsdt);
    BUG_ON(t->n_checksums + 2 > ACPI_MAX_TABLES);
    t->checksums[t->n_checksums++] =
        (struct acpi_checksum){true, FIRST_CHECKSUM_AT, 0, SIZE_OF_FIRST_PART};
    t->checksums[t->n_checksums++] =
        (struct acpi_checksum){true, SECOND_CHECKSUM_AT, 0, ACPI_RSDP_SIZE};
}

void acpi_build(struct acpi_tables *t, const struct acpi_board *board)
{
    *t = (struct acpi_tables){0};
    u32 dsdt = put_dsdt(t, board->serial_ports);
    put_fadt(t, dsdt);
    put_madt(t, board);
    put_mcfg(t);
    put_srat(t, board);
    put_pptt(t, board);
    put_spcr(t);
    put_rsdp(t, put_xsdt(t, dsdt));
}

void acpi_free(struct acpi_tables *t)
{
    bytes_free(&t->tables);
}

void acpi_place(struct acpi_tables *t, u64 base)
{
    for (unsigned i = 0; i < t->n_pointers; i++) {
        const struct acpi_pointer *p = &t->pointers[i];
        u8 *at = (p->in_rsdp ? t->rsdp : t->tables.data) + p->at;
        store_le(at, load_le(at, p->size) + base, p->size);
    }
    for (unsigned i = 0; i < t->n_checksums; i++) {
        const struct acpi_checksum *c = &t->checksums[i];
        u8 *data = c->in_rsdp ? t->rsdp : t->tables.data;
        u8 sum = 0;
        for (u32 j = 0; j < c->size; j++)
            sum += data[c->start + j];
        data[c->at] -= sum;
    }
}
