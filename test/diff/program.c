// SPDX-License-Identifier: Apache-2.0
#include "test/diff/emit.h"

#include <stdlib.h>
#include <string.h>

enum { A0 = 4, A1, A2, A3, A7 = 11, T0 };
enum { SYS_WRITE = 64, SYS_EXIT = 93, SYS_SIGALTSTACK = 132, SYS_RT_SIGACTION = 134 };

static void emit_system_call(struct diff_program *p, unsigned number)
{
    emit_load_constant(p, A7, number);
    emit(p, LA_SYSCALL, 0, 0, 0);
}

// The address of data appended to the pool.
static u64 place(struct diff_program *p, const u64 *words, size_t n)
{
    u64 va = DIFF_POOL_VA + p->pool.size;
    emit_append(&p->pool, words, 8 * n);
    return va;
}

// The signal handler: REG_TEMP becomes the signal's number and the instruction that raised it is
// skipped. Linux: struct ucontext in the third argument, sc_pc at 176 of it, sc_regs behind.
static void emit_handler(struct diff_program *p)
{
    enum { SC_PC = 176, SC_REGS = SC_PC + 8 };
    emit(p, LA_LD_D, T0, A2, SC_PC);
    emit(p, LA_ADDI_D, T0, T0, 4);
    emit(p, LA_ST_D, T0, A2, SC_PC);
    emit(p, LA_ST_D, A0, A2, SC_REGS + 8 * REG_TEMP);
    emit(p, LA_JIRL, 0, 1, 0);
}

static void emit_signals(struct diff_program *p, u64 handler)
{
    const u64 sa_siginfo = 4, sa_onstack = 0x08000000, sa_nodefer = 0x40000000;
    const u64 stack[3] = {DIFF_STACK_VA, 0, DIFF_STACK_SIZE};
    const u64 action[3] = {handler, sa_siginfo | sa_onstack | sa_nodefer, 0};
    emit_load_constant(p, A0, place(p, stack, 3));
    emit_load_constant(p, A1, 0);
    emit_system_call(p, SYS_SIGALTSTACK);
    u64 action_va = place(p, action, 3);
    for (unsigned n = 0; n < DIFF_N_SIGNALS; n++) {
        emit_load_constant(p, A0, diff_signals[n].number);
        emit_load_constant(p, A1, action_va);
        emit_load_constant(p, A2, 0);
        emit_load_constant(p, A3, 8);
        emit_system_call(p, SYS_RT_SIGACTION);
    }
}

static void emit_registers(struct diff_program *p, struct diff_random *r)
{
    emit_load_constant(p, REG_POOL, DIFF_POOL_VA);
    emit_load_constant(p, REG_LOG, DIFF_LOG_VA);
    for (unsigned n = 1; n < 32; n++)
        if (n != REG_POOL && n != REG_LOG)
            emit_load_gpr(p, n, diff_gpr(r));
    for (unsigned n = 0; n < 32; n++)
        emit_load_vector(p, n, diff_vector(r, LA_ELEM_NONE));
    for (unsigned n = 0; n < 8; n++)
        emit(p, LA_MOVGR2CF, n, 4 + n, 0);
    emit(p, LA_MOVGR2FCSR, 0, 0, 0);
}

static void begin(struct diff_program *p, struct diff_random *r)
{
    emit(p, LA_B, 0, 0, 4 * 6); // over the handler
    u64 handler = emit_here(p);
    emit_handler(p);
    emit_signals(p, handler);
    p->begin_pc = emit_here(p);
    emit_registers(p, r);
    for (unsigned n = 0; n < DIFF_SCRATCH_SIZE; n += 8)
        store_le(p->scratch + n, diff_integer(r, 64), 8);
}

static void end(struct diff_program *p)
{
    emit_load_constant(p, A0, 1);
    emit_load_constant(p, A1, DIFF_SCRATCH_VA);
    emit_load_constant(p, A2, DIFF_SCRATCH_SIZE + p->log_size);
    emit_system_call(p, SYS_WRITE);
    emit_load_constant(p, A0, 0);
    emit_system_call(p, SYS_EXIT);
}

void diff_program_make(struct diff_program *p, u64 seed, size_t n_tests, const u64 *op_set)
{
    struct diff_random r = {seed};
    memset(p, 0, sizeof(*p));
    begin(p, &r);
    for (size_t n = 0; n < n_tests; n++)
        emit_test(p, &r, op_set);
    end(p);
}

void diff_program_free(struct diff_program *p)
{
    free(p->code.data);
    free(p->pool.data);
    free(p->tests.data);
    free(p->items.data);
}

const struct diff_signal diff_signals[DIFF_N_SIGNALS] = {
    {EXC_INE, 4}, {EXC_ALE, 7}, {EXC_FPE, 8}, {EXC_BCE, 31}};
