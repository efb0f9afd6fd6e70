// SPDX-License-Identifier: Apache-2.0
// Walks the tables from the RSDP as a kernel does, carries out the loader's commands as firmware
// does, and has an independent disassembler read every table.
#include "mach/acpi.h"

#include "base/bits.h"
#include "base/test.h"
#include "mach/la_virt_map.h"

#include <stdlib.h>

static const struct acpi_board small = {1, {{0, 0x10000000}}, 1, 1};
static const struct acpi_board medium = {2, {{0, 0x10000000}, {0x80000000, 0x30000000}}, 2, 3};
static const struct acpi_board large = {8, {{0, 0x10000000}, {0x80000000, 0x3f0000000}}, 2, 15};
static const struct acpi_board full = {64, {{0, 0x10000000}, {0x80000000, 0x3f0000000}}, 2, 15};
static const struct acpi_board *const boards[] = {&small, &medium, &large, &full};

#define BASE VIRT_ACPI_BASE

static void build_placed(struct acpi_tables *t, const struct acpi_board *board)
{
    acpi_build(t, board);
    acpi_place(t, BASE);
}

static u8 sum(const u8 *data, size_t size)
{
    u8 s = 0;
    while (size--)
        s += *data++;
    return s;
}

static u32 length_of(const u8 *table)
{
    return (u32)load_le(table + 4, 4);
}

static const u8 *at(const struct acpi_tables *t, u64 address)
{
    static const u8 nothing[64];
    if (!CHECK(address >= BASE && address < BASE + t->tables.size))
        return nothing;
    return t->tables.data + (address - BASE);
}

// The table of that signature, found through RSDP and XSDT (and FADT for the DSDT).
static const u8 *find(const struct acpi_tables *t, const char *signature)
{
    const u8 *xsdt = at(t, load_le(t->rsdp + 24, 8));
    CHECK(!memcmp(xsdt, "XSDT", 4));
    for (u32 i = 36; i < length_of(xsdt); i += 8) {
        const u8 *table = at(t, load_le(xsdt + i, 8));
        if (!memcmp(table, signature, 4))
            return table;
        if (!memcmp(table, "FACP", 4) && !strcmp(signature, "DSDT"))
            return at(t, load_le(table + 140, 8));
    }
    CHECK_STR(signature, "present");
    return at(t, BASE);
}

TEST(checksums_and_lengths_hold)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++) {
        struct acpi_tables t;
        build_placed(&t, boards[i]);
        CHECK_EQ(t.n_tables, 8);
        CHECK(t.tables.size <= VIRT_ACPI_SIZE);
        for (unsigned j = 0; j < t.n_tables; j++) {
            const u8 *table = t.tables.data + t.starts[j];
            u32 end = j + 1 < t.n_tables ? t.starts[j + 1] : (u32)t.tables.size;
            CHECK_EQ(align_up(t.starts[j] + length_of(table), 16), align_up(end, 16));
            CHECK_EQ(sum(table, length_of(table)), 0);
            CHECK(memcmp(table + 10, "LOONGS", 6) != 0);
        }
        CHECK_EQ(sum(t.rsdp, 20), 0);
        CHECK_EQ(sum(t.rsdp, 36), 0);
        acpi_free(&t);
    }
}

TEST(fadt_has_power_registers)
{
    struct acpi_tables t;
    build_placed(&t, &medium);
    const u8 *f = find(&t, "FACP");
    CHECK_EQ(length_of(f), 276);
    CHECK_EQ(f[8], 6);
    CHECK_EQ(load_le(f + 112, 4), 0x00100400);
    CHECK_EQ(load_le(f + 40, 4), load_le(f + 140, 8));
    CHECK(!memcmp(at(&t, load_le(f + 40, 4)), "DSDT", 4));
    CHECK_EQ(load_le(f + 120, 8), 0x100e001e);
    CHECK_EQ(f[128], 0x42);
    CHECK_EQ(load_le(f + 248, 8), 0x100e001c);
    CHECK_EQ(load_le(f + 260, 8), 0x100e001d);
    acpi_free(&t);
}

// Counts entries of `type` behind a header of `header` bytes; *last is the last one.
static unsigned count_entries(const u8 *table, u32 header, u8 type, const u8 **last)
{
    unsigned n = 0;
    for (u32 i = header; i < length_of(table); i += table[i + 1]) {
        if (!CHECK(table[i + 1] >= 2))
            break;
        if (table[i] == type) {
            *last = table + i;
            n++;
        }
    }
    return n;
}

TEST(madt_has_every_processor_and_controller)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++) {
        struct acpi_tables t;
        build_placed(&t, boards[i]);
        const u8 *madt = find(&t, "APIC"), *e = madt;
        CHECK_EQ(count_entries(madt, 44, 17, &e), boards[i]->n_cpus);
        CHECK_EQ(load_le(e + 3, 4), boards[i]->n_cpus - 1);
        CHECK_EQ(load_le(e + 7, 4), boards[i]->n_cpus - 1);
        CHECK_EQ(load_le(e + 11, 4), 1);
        CHECK_EQ(count_entries(madt, 44, 20, &e), 1);
        CHECK_EQ(e[1], 13);
        CHECK_EQ(e[3], 3);
        CHECK_EQ(count_entries(madt, 44, 21, &e), 1);
        CHECK_EQ(load_le(e + 3, 8), 0x2ff00000);
        CHECK_EQ(load_le(e + 11, 4), 0x40);
        CHECK_EQ(load_le(e + 15, 4), 0xc0);
        CHECK_EQ(count_entries(madt, 44, 22, &e), 1);
        CHECK_EQ(load_le(e + 3, 8), 0x10000000);
        CHECK_EQ(load_le(e + 15, 2), 64);
        acpi_free(&t);
    }
}

TEST(srat_covers_all_memory)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++) {
        struct acpi_tables t;
        build_placed(&t, boards[i]);
        const u8 *srat = find(&t, "SRAT"), *e = srat;
        CHECK_EQ(count_entries(srat, 48, 0, &e), boards[i]->n_cpus);
        CHECK_EQ(e[3], boards[i]->n_cpus - 1);
        CHECK_EQ(count_entries(srat, 48, 1, &e), boards[i]->n_memory);
        const struct acpi_memory *m = &boards[i]->memory[boards[i]->n_memory - 1];
        CHECK_EQ(load_le(e + 8, 8), m->base);
        CHECK_EQ(load_le(e + 16, 8), m->size);
        CHECK_EQ(load_le(e + 28, 4), 1);
        acpi_free(&t);
    }
}

TEST(pptt_puts_all_cores_into_one_package)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++) {
        struct acpi_tables t;
        build_placed(&t, boards[i]);
        const u8 *pptt = find(&t, "PPTT"), *e = pptt;
        CHECK_EQ(count_entries(pptt, 36, 0, &e), 1 + boards[i]->n_cpus);
        CHECK_EQ(load_le(pptt + 36 + 4, 4), 3);
        CHECK_EQ(load_le(e + 4, 4), 10);
        CHECK_EQ(load_le(e + 8, 4), 36);
        CHECK_EQ(load_le(e + 12, 4), boards[i]->n_cpus - 1);
        acpi_free(&t);
    }
}

TEST(mcfg_has_the_configuration_space)
{
    struct acpi_tables t;
    build_placed(&t, &small);
    const u8 *m = find(&t, "MCFG");
    CHECK_EQ(length_of(m), 60);
    CHECK_EQ(load_le(m + 44, 8), 0x20000000);
    CHECK_EQ(m[54], 0);
    CHECK_EQ(m[55], 0x7f);
    acpi_free(&t);
}

// What firmware does with the commands, for files at two unrelated places.
struct firmware {
    u8 *tables, rsdp[ACPI_RSDP_SIZE];
    size_t tables_size;
    u64 base;
    unsigned n_allocated;
};

static u8 *file_of(struct firmware *f, const u8 *name, size_t *size)
{
    bool is_rsdp = !strcmp((const char *)name, "etc/acpi/rsdp");
    if (!is_rsdp)
        CHECK_STR((const char *)name, "etc/acpi/tables");
    *size = is_rsdp ? ACPI_RSDP_SIZE : f->tables_size;
    return is_rsdp ? f->rsdp : f->tables;
}

static void carry_out(struct firmware *f, const u8 *command)
{
    size_t size, target_size;
    u8 *file = file_of(f, command + 4, &size);
    switch (load_le(command, 4)) {
    case 1:
        f->n_allocated++;
        CHECK(is_pow2(load_le(command + 60, 4)));
        break;
    case 2: {
        u64 offset = load_le(command + 116, 4), n = command[120];
        file_of(f, command + 60, &target_size);
        CHECK(offset + n <= size);
        CHECK(load_le(file + offset, (unsigned)n) < target_size);
        store_le(file + offset, load_le(file + offset, (unsigned)n) + f->base, (unsigned)n);
        break;
    }
    case 3: {
        u64 result = load_le(command + 60, 4), start = load_le(command + 64, 4);
        u64 n = load_le(command + 68, 4);
        CHECK(result < size && start + n <= size);
        file[result] = (u8)-sum(file + start, n);
        break;
    }
    default: CHECK_EQ(load_le(command, 4), 0);
    }
}

TEST(the_loader_makes_the_same_tables)
{
    struct acpi_tables t, placed;
    acpi_build(&t, &medium);
    build_placed(&placed, &medium);
    struct bytes commands = {0};
    acpi_loader_commands(&t, &commands);
    CHECK_EQ(commands.size % 128, 0);

    struct firmware f = {.tables = t.tables.data, .tables_size = t.tables.size, .base = BASE};
    memcpy(f.rsdp, t.rsdp, sizeof(f.rsdp));
    for (size_t i = 0; i + 128 <= commands.size; i += 128)
        carry_out(&f, commands.data + i);
    CHECK_EQ(f.n_allocated, 2);
    CHECK(!memcmp(f.rsdp, placed.rsdp, ACPI_RSDP_SIZE));
    CHECK_EQ(t.tables.size, placed.tables.size);
    CHECK(!memcmp(t.tables.data, placed.tables.data, t.tables.size));
    bytes_free(&commands);
    acpi_free(&t);
    acpi_free(&placed);
}

// Runs a command in `directory` and returns its output, which the caller frees.
static char *output_of(const char *directory, const char *command)
{
    char line[512], *text = calloc(1, 65536);
    snprintf(line, sizeof(line), "cd %s && %s 2>&1", directory, command);
    FILE *p = popen(line, "r");
    if (p && fread(text, 1, 65535, p) == 0)
        text[0] = 0;
    if (p)
        pclose(p);
    return text;
}

static void write_table(const char *directory, const u8 *table)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%.4s.aml", directory, (const char *)table);
    FILE *f = fopen(path, "wb");
    if (!CHECK(f != NULL))
        return;
    CHECK_EQ(fwrite(table, 1, length_of(table), f), length_of(table));
    fclose(f);
}

static void disassemble(const char *directory, const u8 *table)
{
    char command[128];
    write_table(directory, table);
    snprintf(command, sizeof(command), "iasl -d %.4s.aml", (const char *)table);
    char *text = output_of(directory, command);
    if (!CHECK(strstr(text, "Formatted output") || strstr(text, "ASL Output")) ||
        !CHECK(!strstr(text, "Error") && !strstr(text, "Warning") && !strstr(text, "Invalid")))
        printf("# %s\n", text);
    free(text);
}

TEST(an_independent_disassembler_reads_every_table)
{
    if (system("iasl -v >/dev/null 2>&1"))
        SKIP("iasl is not installed");
    char directory[] = "/tmp/acpi_test.XXXXXX";
    REQUIRE(mkdtemp(directory) != NULL);
    for (size_t i = 0; i < ARRAY_LEN(boards); i++) {
        struct acpi_tables t;
        build_placed(&t, boards[i]);
        for (unsigned j = 0; j < t.n_tables; j++)
            disassemble(directory, t.tables.data + t.starts[j]);
        acpi_free(&t);
    }
    // What it read must be a program that its compiler accepts, too.
    char *text = output_of(directory, "iasl -p again DSDT.dsl");
    if (!CHECK(strstr(text, "0 Errors, 0 Warnings")))
        printf("# %s\n", text);
    free(text);
    // That release knows none of this architecture's MADT entries, and says so once for each.
    text = output_of(directory, "grep -ih -e error -e warning -e invalid -e unknown *.dsl | "
                                "grep -v -e 'Unknown MADT subtable' -e 'Unknown Subtable Type'");
    CHECK_STR(text, "");
    free(text);
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    free(output_of("/", command));
}
