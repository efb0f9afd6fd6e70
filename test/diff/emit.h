// SPDX-License-Identifier: Apache-2.0
// Building a test program: instructions, values in the pool, entries of the log. For program.c and
// tests.c.
#pragma once

#include "test/diff/program.h"

// General registers that tests may read but not write.
enum { REG_LOG = 2, REG_TEMP = DIFF_REG_SIGNAL, REG_POOL = 21 };

static inline bool is_reserved(unsigned gpr)
{
    return gpr == REG_LOG || gpr == REG_TEMP || gpr == REG_POOL;
}

void emit_append(struct diff_buffer *b, const void *data, size_t size);

// Where the next instruction goes.
u64 emit_here(const struct diff_program *p);
u32 emit_encode(const struct la_insn *i);
void emit_word(struct diff_program *p, u32 word);
// rd, rj, immediate: most of what is needed.
void emit(struct diff_program *p, enum la_op op, unsigned rd, unsigned rj, s32 imm);
// A constant of 31 bits.
void emit_load_constant(struct diff_program *p, unsigned reg, u64 value);

// Loads from the pool. The value of a general register may be changed, at the offset returned,
// until the program is written.
size_t emit_load_gpr(struct diff_program *p, unsigned reg, u64 value);
void emit_load_fpr(struct diff_program *p, unsigned reg, u64 value);
void emit_load_vector(struct diff_program *p, unsigned reg, union la_vreg value);
// The vector loaded last again, so that equal operands are not rare. False if it is out of reach.
bool emit_reload_vector(struct diff_program *p, unsigned reg);

// Entries of the log. All but that of a general register use REG_TEMP.
void emit_log_gpr(struct diff_program *p, unsigned reg);
void emit_log_vector(struct diff_program *p, unsigned reg, enum diff_kind kind);
void emit_log_flag(struct diff_program *p, unsigned flag);
void emit_log_fcsr(struct diff_program *p);
void emit_log_memory(struct diff_program *p, u64 va);

// tests.c: one test of an instruction of the set.
void emit_test(struct diff_program *p, struct diff_random *r, const u64 *op_set);
