// SPDX-License-Identifier: Apache-2.0
// A program of random instructions that writes down what each of them did.
//
// It is straight-line code for one run of a user-mode emulator: registers are loaded from a pool,
// then for each test come loads that give its operands fresh values, the instruction itself, and
// stores of everything that it may have written into a log. An instruction that raises an exception
// is skipped by a signal handler, and the signal is logged. At the end the scratch memory of loads
// and stores, and the log behind it, go to standard output.
#pragma once

#include "test/diff/random.h"

// Where the program lies.
#define DIFF_CODE_VA      0x10000000ULL
#define DIFF_POOL_VA      0x20000000ULL
#define DIFF_STACK_VA     0x28000000ULL // of the signal handler
#define DIFF_STACK_SIZE   0x10000ULL
#define DIFF_SCRATCH_VA   0x30000000ULL
#define DIFF_SCRATCH_SIZE 4096u
#define DIFF_LOG_VA       (DIFF_SCRATCH_VA + DIFF_SCRATCH_SIZE)

// One thing in the log.
enum diff_kind {
    DIFF_GPR,    // 8 bytes
    DIFF_VECTOR, // 32 bytes
    DIFF_LOW,    // 32 bytes of which the lower 16 count: LSX leaves the others undefined
    DIFF_FLAG,   // 8 bytes: a condition flag
    DIFF_FCSR,   // 8 bytes
    DIFF_MEMORY, // 8 bytes at `va`
};

struct diff_item {
    u8 kind, reg; // enum diff_kind
    u32 at;       // offset in the log
    u64 va;
};

struct diff_test {
    u32 word;
    u64 pc, end_pc; // end_pc: behind what logs it
    bool may_trap;  // the signal's number, 0 if there was none, is logged first
    u32 first_item, n_items;
};

struct diff_buffer {
    u8 *data;
    size_t size, room;
};

struct diff_program {
    struct diff_buffer code, pool, tests, items; // u32, bytes, struct diff_test, struct diff_item
    u8 scratch[DIFF_SCRATCH_SIZE];
    u64 log_size;
    u64 begin_pc;            // behind what only sets up signals
    u64 pool_base, log_base; // what the two pointer registers hold: offsets
    u32 last_vector;         // pool offset of the vector loaded last
};

// Exceptions that tests may raise, and the signals that user mode gets for them. The handler leaves
// the number in this register.
#define DIFF_REG_SIGNAL 20
#define DIFF_N_SIGNALS  4
struct diff_signal {
    enum la_exception exception;
    u8 number;
};
extern const struct diff_signal diff_signals[DIFF_N_SIGNALS];

static inline size_t diff_n_tests(const struct diff_program *p)
{
    return p->tests.size / sizeof(struct diff_test);
}

static inline const struct diff_test *diff_test_at(const struct diff_program *p, size_t n)
{
    return (const struct diff_test *)(const void *)p->tests.data + n;
}

static inline const struct diff_item *diff_item_at(const struct diff_program *p, size_t n)
{
    return (const struct diff_item *)(const void *)p->items.data + n;
}

static inline unsigned diff_item_size(const struct diff_item *i)
{
    return i->kind == DIFF_VECTOR || i->kind == DIFF_LOW ? 32 : 8;
}

// Of these bytes the results have to be equal.
static inline unsigned diff_item_defined(const struct diff_item *i)
{
    return i->kind == DIFF_LOW ? 16 : diff_item_size(i);
}

// A program of n_tests instructions of the set. The same seed and set give the same tests, so that
// a shorter program is the beginning of a longer one.
void diff_program_make(struct diff_program *p, u64 seed, size_t n_tests, const u64 *op_set);
void diff_program_free(struct diff_program *p);

// Writes a static executable. 0 or -errno.
int diff_program_write_elf(const struct diff_program *p, int fd);
