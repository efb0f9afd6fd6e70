// SPDX-License-Identifier: Apache-2.0
#include "dev/core_irq.h"
#include "dev/reg_bank.h"
#include "base/test.h"

struct block {
    u64 words[16];
    u64 last_value, last_mask;
    unsigned last_core, last_index, n_writes, n_logged;
    u32 changed_offset;
    u64 changed_before;
};

static u64 read_twice(void *block, unsigned core, unsigned index)
{
    return 0x1111111111111111 * (core + index);
}

static void write_kept(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct block *b = block;
    b->last_value = value;
    b->last_mask = mask;
    b->last_core = core;
    b->last_index = index;
    b->n_writes++;
}

static void changed(void *block, u32 offset, u64 before)
{
    struct block *b = block;
    b->changed_offset = offset;
    b->changed_before = before;
}

static const struct reg regs[] = {
    {0x40, 0x47, "storage", 0x8877665544332211, 0xffffffffffffff00, .changed = changed},
    {0x48, 0x57, "functions", .read = read_twice, .write = write_kept},
    {0x58, 0x5f, "constant", 0xabc},
    {0},
};

static void count(void *opaque, const char *line)
{
    ((struct block *)opaque)->n_logged++;
}

static void init(struct reg_bank *b, struct block *block, struct log *log, u32 unit)
{
    memset(block, 0, sizeof(*block));
    *log = (struct log){.enabled = 1 << LOG_UNIMP, .sink = count, .opaque = block};
    *b = (struct reg_bank){.base = 0x40, .unit = unit, .words = block->words, .n_words = 16};
    reg_bank_init(b, "test", regs, block, log);
}

TEST(storage_takes_all_sizes_and_keeps_read_only_bits)
{
    struct reg_bank b;
    struct block block;
    struct log log;
    init(&b, &block, &log, 0);
    CHECK_EQ(reg_bank_read(&b, 0, 0x40, 8), 0x8877665544332211);
    CHECK_EQ(reg_bank_read(&b, 0, 0x43, 1), 0x44);
    CHECK_EQ(reg_bank_read(&b, 0, 0x46, 2), 0x8877);
    reg_bank_write(&b, 0, 0x42, 0xffffabcd, 2);
    CHECK_EQ(reg_bank_read(&b, 0, 0x40, 8), 0x88776655abcd2211);
    CHECK_EQ(block.changed_offset, 0x40);
    CHECK_EQ(block.changed_before, 0x8877665544332211);
    reg_bank_write(&b, 0, 0x40, 0, 8);
    CHECK_EQ(reg_bank_read(&b, 0, 0x40, 8), 0x11);
    reg_bank_write(&b, 0, 0x58, 0, 8);
    CHECK_EQ(reg_bank_read(&b, 0, 0x58, 8), 0xabc);
    reg_bank_reset(&b);
    CHECK_EQ(reg_bank_read(&b, 0, 0x44, 4), 0x88776655);
}

TEST(functions_see_units_and_masks)
{
    struct reg_bank b;
    struct block block;
    struct log log;
    init(&b, &block, &log, 8);
    CHECK_EQ(reg_bank_read(&b, 2, 0x50, 4), 0x33333333);
    reg_bank_write(&b, 5, 0x55, 0x1ff, 1);
    CHECK_EQ(block.last_value, 0xffULL << 40);
    CHECK_EQ(block.last_mask, 0xffULL << 40);
    CHECK_EQ(block.last_core, 5);
    CHECK_EQ(block.last_index, 1);
    // Across units: the end of one row and the beginning of the next.
    CHECK_EQ(reg_bank_read(&b, 1, 0x46, 4), 0x11118877);
    reg_bank_write(&b, 0, 0x46, 0xaabbccdd, 4);
    CHECK_EQ(block.last_value, 0xaabb);
    CHECK_EQ(block.last_mask, 0xffff);
    CHECK_EQ(reg_bank_read(&b, 0, 0x46, 2), 0xccdd);
    CHECK_EQ(block.n_writes, 2);
}

TEST(small_units_split_wide_accesses)
{
    struct reg_bank b;
    struct block block;
    struct log log;
    init(&b, &block, &log, 1);
    CHECK_EQ(reg_bank_read(&b, 0, 0x48, 8), 0x7766554433221100);
    reg_bank_write(&b, 0, 0x48, 0x0102030405060708, 8);
    CHECK_EQ(block.n_writes, 8);
    CHECK_EQ(block.last_value, 1);
    CHECK_EQ(block.last_index, 7);
    init(&b, &block, &log, 4);
    reg_bank_write(&b, 0, 0x4c, 0x0102030405060708, 8);
    CHECK_EQ(block.n_writes, 2);
    CHECK_EQ(block.last_value, 0x01020304);
    CHECK_EQ(block.last_index, 2);
}

TEST(absent_registers_are_told)
{
    struct reg_bank b;
    struct block block;
    struct log log;
    init(&b, &block, &log, 8);
    CHECK_EQ(reg_bank_read(&b, 0, 0x38, 8), 0);
    reg_bank_write(&b, 0, 0x60, 1, 8);
    CHECK_EQ(block.n_logged, 2);
}

struct wires {
    u64 levels;
    unsigned n_changes;
};

static void set_wire(void *opaque, unsigned pin, bool level)
{
    struct wires *w = opaque;
    w->levels = (w->levels & ~(1ULL << pin)) | (u64)level << pin;
    w->n_changes++;
}

TEST(core_lines_are_the_or_of_their_sources)
{
    struct wires w = {0};
    struct core_irq c = {.out = {set_wire, &w, 0}};
    core_irq_drive(&c, CORE_IRQ_EXTIOI, 1, 1 << 3 | 1 << 2);
    CHECK_EQ(w.levels, 0xcULL << 16);
    core_irq_drive(&c, CORE_IRQ_LIOINTC, 1, 1 << 3);
    CHECK_EQ(w.n_changes, 2);
    core_irq_drive(&c, CORE_IRQ_EXTIOI, 1, 0);
    CHECK_EQ(w.levels, 8ULL << 16);
    CHECK_EQ(core_irq_lines(&c, 1), 8);
    core_irq_drive(&c, CORE_IRQ_LIOINTC, 1, 0);
    CHECK_EQ(w.levels, 0);
    CHECK_EQ(w.n_changes, 4);
}
