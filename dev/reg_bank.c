// SPDX-License-Identifier: Apache-2.0
#include "dev/reg_bank.h"
#include "base/bits.h"
#include "base/bug.h"

void reg_bank_init(struct reg_bank *b, const char *name, const struct reg *regs, void *block,
                   struct log *log)
{
    b->name = name;
    b->regs = regs;
    b->block = block;
    b->log = log;
    if (!b->unit)
        b->unit = 8;
    reg_bank_reset(b);
}

static u64 *find_word(struct reg_bank *b, u32 offset)
{
    u32 i = (offset - b->base) / b->unit;
    return b->words && offset >= b->base && i < b->n_words ? &b->words[i] : NULL;
}

u64 *reg_bank_word(struct reg_bank *b, u32 offset)
{
    u64 *word = find_word(b, offset);
    BUG_ON(!word);
    return word;
}

void reg_bank_reset(struct reg_bank *b)
{
    for (const struct reg *r = b->regs; r->name; r++) {
        for (u32 offset = r->first; offset <= r->last; offset += b->unit) {
            u64 *word = find_word(b, offset);
            if (word)
                *word = r->reset;
        }
    }
}

static const struct reg *row_of(const struct reg_bank *b, u32 offset)
{
    for (const struct reg *r = b->regs; r->name && r->first <= offset; r++)
        if (offset <= r->last)
            return r;
    return NULL;
}

static u64 read_unit(struct reg_bank *b, unsigned core, u32 offset)
{
    const struct reg *r = row_of(b, offset);
    if (!r) {
        log_unimp(b->log, "%s: read of 0x%x: no such register", b->name, offset);
        return 0;
    }
    if (r->read)
        return r->read(b->block, core, (offset - r->first) / b->unit);
    u64 *word = find_word(b, offset);
    return word ? *word : 0;
}

static void write_unit(struct reg_bank *b, unsigned core, u32 offset, u64 value, u64 mask)
{
    const struct reg *r = row_of(b, offset);
    if (!r) {
        log_unimp(b->log, "%s: write of 0x%llx to 0x%x: no such register", b->name,
                  (unsigned long long)value, offset);
        return;
    }
    if (r->write) {
        r->write(b->block, core, (offset - r->first) / b->unit, value, mask);
    } else if (r->rw) {
        u64 *word = reg_bank_word(b, offset), before = *word, rw = r->rw & mask;
        *word = (before & ~rw) | (value & rw);
        if (r->changed)
            r->changed(b->block, offset, before);
    }
}

// The part of an access that starts at byte `at` and stays within one unit.
static unsigned part_size(const struct reg_bank *b, u32 at, unsigned left)
{
    unsigned room = b->unit - (at & (b->unit - 1));
    return room < left ? room : left;
}

u64 reg_bank_read(struct reg_bank *b, unsigned core, u32 offset, unsigned size)
{
    u64 value = 0;
    for (unsigned done = 0, n; done < size; done += n) {
        u32 at = offset + done, in_unit = at & (b->unit - 1);
        n = part_size(b, at, size - done);
        u64 part = read_unit(b, core, at - in_unit) >> (8 * in_unit) & BITS(8 * n - 1, 0);
        value |= part << (8 * done);
    }
    return value;
}

void reg_bank_write(struct reg_bank *b, unsigned core, u32 offset, u64 value, unsigned size)
{
    for (unsigned done = 0, n; done < size; done += n) {
        u32 at = offset + done, in_unit = at & (b->unit - 1);
        n = part_size(b, at, size - done);
        u64 mask = BITS(8 * n - 1, 0) << (8 * in_unit);
        write_unit(b, core, at - in_unit, value >> (8 * done) << (8 * in_unit) & mask, mask);
    }
}
