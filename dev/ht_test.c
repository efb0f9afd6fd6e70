// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

#define HT LS3_CHIP_HT1_REGS

static void make(struct fabric *f)
{
    fabric_init(f, 1, 64);
    f->chip->has_ht_vectors = true;
    mem_write(&f->mem, PIC_BASE + 0x40, ~0ULL, 8);
    mem_write(&f->mem, PIC_BASE + 0x20, 0, 8);
}

static u32 legacy_lines(struct fabric *f)
{
    csr_write(f, 0, 0x1428, ~0u, 4);
    return csr_read(f, 0, 0x1420, 4) >> LIOINTC_HT1;
}

TEST(reset_values)
{
    static const u32 resets[][2] = {
        {0x3c, 0},           {0x40, 0x20010008},  {0x44, 0x00112020},  {0x4c, 0x80250023},
        {0x50, 2},           {0x64, 0},           {0x68, 0},           {0x6c, 0x00200000},
        {0x70, 0x80000008},  {0x78, 0xf8000000},  {0x80, 0},           {0xbc, 0},
        {0xd0, 0x70},        {0x140, 0},          {0x1ac, 0},          {0x1bc, 0},
        {0x1c0, 0x00904321}, {0x1cc, 0x83308000}, {0x1dc, 0x07778888}, {0x1e0, 0x80},
        {0x1e4, 0x000fffff}, {0x1e8, 0x004fffff}, {0x1ec, 0x007fffff}, {0x1fc, 0x83308000},
        {0x258, 0},          {0x26c, 0},          {0x270, 0},          {0x274, 0x40000000},
    };
    struct fabric f;
    make(&f);
    for (unsigned i = 0; i < ARRAY_LEN(resets); i++)
        CHECK_EQ(mem_read(&f.mem, HT + resets[i][0], 4), resets[i][1]);
    CHECK_EQ(f.n_unimp, 0);
    CHECK_EQ(mem_read(&f.mem, HT + 0x400, 4), 0);
    CHECK_EQ(f.n_unimp, 1);
    mem_write(&f.mem, HT + 0x44, 0, 4);
    CHECK_EQ(mem_read(&f.mem, HT + 0x44, 4), 0x00110020);
    mem_write(&f.mem, HT + 0x1e4, 0x1234567855aa55aa, 8);
    CHECK_EQ(mem_read(&f.mem, HT + 0x1e8, 4), 0x12345678);
    fabric_free(&f);
}

TEST(legacy_vectors_while_extended_interrupts_are_off)
{
    struct fabric f;
    make(&f);
    mem_write(&f.mem, HT + 0xa4, 0xffffffff, 4);
    set_pin(&f, 5, true); // vector 0x25
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 1 << 5);
    CHECK_EQ(legacy_lines(&f), 1);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), 0);
    mem_write(&f.mem, HT + 0x84, 1 << 5, 4);
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 1 << 5); // the pin still asks
    set_pin(&f, 5, false);
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 0);
    CHECK_EQ(legacy_lines(&f), 0);
    // A message stays until it is cleared.
    mem_write(&f.mem, MSI_BASE, 0x3f, 4);
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 0x80000000);
    CHECK_EQ(legacy_lines(&f), 1);
    mem_write(&f.mem, HT + 0xa4, 0, 4);
    CHECK_EQ(legacy_lines(&f), 0);
    mem_write(&f.mem, HT + 0xa4, 0xffffffff, 4);
    mem_write(&f.mem, HT + 0x84, 0x80000000, 4);
    CHECK_EQ(legacy_lines(&f), 0);
    fabric_free(&f);
}

TEST(ext_int_en_passes_vectors_on)
{
    struct fabric f;
    make(&f);
    csr_write(&f, 0, 0x1600, ~0ULL, 8);
    set_pin(&f, 1, true); // vector 0x21
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 2);
    csr_write(&f, 0, 0x420, BIT(48), 8);
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1800, 8), BIT(0x21));
    set_pin(&f, 1, false);
    CHECK_EQ(f.lines[0], 0);
    mem_write(&f.mem, MSI_BASE, 0x30, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1800, 8), BIT(0x30));
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 0);
    csr_write(&f, 0, 0x1800, BIT(0x30), 8);
    set_pin(&f, 1, true);
    csr_write(&f, 0, 0x420, 0, 8);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), 0);
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 2);
    fabric_free(&f);
}

TEST(the_conversion_has_its_own_enable_and_may_be_forbidden)
{
    struct fabric f;
    make(&f);
    set_pin(&f, 0, true);
    mem_write(&f.mem, HT + 0x274, 0xc0000000, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), BIT(0x20));
    mem_write(&f.mem, HT + 0x274, 0x80000000, 4);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), 0);
    csr_write(&f, 0, 0x420, BIT(48), 8);
    CHECK_EQ(mem_read(&f.mem, HT + 0x84, 4), 1);
    fabric_free(&f);
}

// The groups of the manual's table, found by their first vectors.
TEST(vectors_are_grouped_into_lines)
{
    static const struct {
        u32 config;
        u8 first[8]; // vectors of lines 0, 1, ...
        u8 step;
    } groups[] = {
        {0x000, {0, 64, 128, 192}, 1},
        {0x100, {0, 1, 128, 129}, 2},
        {0x200, {0, 1, 2, 3}, 4},
        {0x400, {0, 32, 64, 96, 128, 160, 192, 224}, 1},
        {0x500, {0, 64, 1, 65, 128, 192, 129, 193}, 2},
        {0x600, {0, 128, 1, 129, 2, 130, 3, 131}, 4},
    };
    struct fabric f;
    make(&f);
    csr_write(&f, 0, 0x1428, ~0u, 4);
    for (unsigned i = 0; i < 8; i++)
        mem_write(&f.mem, HT + 0xa0 + 4 * i, ~0u, 4);
    f.msi->first_vector = 0;
    f.msi->n_vectors = 256;
    for (unsigned g = 0; g < ARRAY_LEN(groups); g++) {
        unsigned n_lines = groups[g].config & 0x400 ? 8 : 4, size = 256 / n_lines;
        mem_write(&f.mem, HT + 0x1c4, groups[g].config, 4);
        for (unsigned i = 0; i < 256; i++) {
            unsigned v = groups[g].first[i / size] + i % size * groups[g].step;
            mem_write(&f.mem, MSI_BASE, v, 4);
            CHECK_EQ(legacy_lines(&f), 1u << i / size);
            mem_write(&f.mem, HT + 0x80 + v / 32 * 4, 1u << v % 32, 4);
        }
    }
    CHECK_EQ(legacy_lines(&f), 0);
    fabric_free(&f);
}
