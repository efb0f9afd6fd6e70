// SPDX-License-Identifier: Apache-2.0
#include "test/diff/emit.h"

#include "base/bug.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

void emit_append(struct diff_buffer *b, const void *data, size_t size)
{
    if (b->size + size > b->room) {
        b->room = 2 * (b->size + size);
        b->data = realloc(b->data, b->room);
        BUG_ON(!b->data);
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

u64 emit_here(const struct diff_program *p)
{
    return DIFF_CODE_VA + p->code.size;
}

u32 emit_encode(const struct la_insn *i)
{
    u32 word;
    struct err e = {0};
    if (!la_encode(i, &word, &e))
        bug(__FILE__, __LINE__, e.text);
    return word;
}

void emit_word(struct diff_program *p, u32 word)
{
    emit_append(&p->code, &word, 4);
}

// rd, rj, immediate: most of what is needed.
void emit(struct diff_program *p, enum la_op op, unsigned rd, unsigned rj, s32 imm)
{
    struct la_insn i = {.op = (u16)op, .rd = (u8)rd, .rj = (u8)rj, .imm = imm};
    emit_word(p, emit_encode(&i));
}

// The offset from the pointer register `reg`, which holds *base, that reaches `at`.
static s32 reach(struct diff_program *p, unsigned reg, u64 *base, u64 at)
{
    const u64 step = 2016;
    while (at - *base > step) {
        emit(p, LA_ADDI_D, reg, reg, (s32)step);
        *base += step;
    }
    return (s32)(at - *base);
}

// Reserves room in the log for one item.
static s32 reach_log(struct diff_program *p, struct diff_item item)
{
    s32 offset = reach(p, REG_LOG, &p->log_base, p->log_size);
    item.at = (u32)p->log_size;
    emit_append(&p->items, &item, sizeof(item));
    p->log_size += diff_item_size(&item);
    return offset;
}

void emit_log_gpr(struct diff_program *p, unsigned reg)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_GPR, .reg = (u8)reg});
    emit(p, LA_ST_D, reg, REG_LOG, offset);
}

void emit_log_vector(struct diff_program *p, unsigned reg, enum diff_kind kind)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = (u8)kind, .reg = (u8)reg});
    emit(p, LA_XVST, reg, REG_LOG, offset);
}

void emit_log_flag(struct diff_program *p, unsigned flag)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_FLAG, .reg = (u8)flag});
    emit(p, LA_MOVCF2GR, REG_TEMP, flag, 0);
    emit(p, LA_ST_D, REG_TEMP, REG_LOG, offset);
}

void emit_log_fcsr(struct diff_program *p)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_FCSR});
    emit(p, LA_MOVFCSR2GR, REG_TEMP, 0, 0);
    emit(p, LA_ST_D, REG_TEMP, REG_LOG, offset);
}

void emit_load_constant(struct diff_program *p, unsigned reg, u64 value)
{
    BUG_ON(value >> 31);
    emit(p, LA_LU12I_W, reg, 0, (s32)(value >> 12));
    struct la_insn i = {.op = LA_ORI, .rd = (u8)reg, .rj = (u8)reg, .imm = value & 0xfff};
    emit_word(p, emit_encode(&i));
}

void emit_log_memory(struct diff_program *p, u64 va)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_MEMORY, .va = va});
    emit_load_constant(p, REG_TEMP, va);
    emit(p, LA_LD_D, REG_TEMP, REG_TEMP, 0);
    emit(p, LA_ST_D, REG_TEMP, REG_LOG, offset);
}

// Loads a register from the pool; the value may be changed until the program is written.
size_t emit_load_gpr(struct diff_program *p, unsigned reg, u64 value)
{
    size_t at = p->pool.size;
    emit(p, LA_LD_D, reg, REG_POOL, reach(p, REG_POOL, &p->pool_base, at));
    emit_append(&p->pool, &value, 8);
    return at;
}

void emit_load_vector(struct diff_program *p, unsigned reg, union la_vreg value)
{
    p->last_vector = (u32)p->pool.size;
    emit(p, LA_XVLD, reg, REG_POOL, reach(p, REG_POOL, &p->pool_base, p->pool.size));
    emit_append(&p->pool, &value, sizeof(value));
}

// With something above it: what a scalar load leaves there is nothing to compare with.
void emit_load_fpr(struct diff_program *p, unsigned reg, u64 value)
{
    const u64 odd = 0x9e3779b97f4a7c15;
    u32 last = p->last_vector;
    emit_load_vector(p, reg, (union la_vreg){.d = {value, value * odd, ~value, value + odd}});
    p->last_vector = last;
}

// The vector loaded last again, so that equal operands are not rare.
bool emit_reload_vector(struct diff_program *p, unsigned reg)
{
    if (p->last_vector < p->pool_base || p->last_vector - p->pool_base > 2016)
        return false;
    emit(p, LA_XVLD, reg, REG_POOL, (s32)(p->last_vector - p->pool_base));
    return true;
}
