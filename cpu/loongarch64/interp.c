// SPDX-License-Identifier: Apache-2.0
// The run loop of the interpreter.
//
// Decoded instructions are kept in a direct-mapped cache by PC. An entry is right exactly if its
// word equals the word in memory, and that is compared at every execution: self-modified code,
// another processor's or a device's writes are seen at once, and nothing is ever invalidated.
//
// Requests, interrupts and the timer are looked at between slices of a few hundred instructions
// and whenever somebody sets cpu.requests.
#include "cpu/loongarch64/access.h"
#include "cpu/loongarch64/interp.h"
#include "cpu/loongarch64/links.h"
#include "base/bug.h"

#include <stdlib.h>

#define N_DECODED 32768
#define SLICE     1024

struct la_decoded {
    interp_fn execute;
    struct la_insn insn;
};

static void no_such_instruction(struct la_cpu *c, const struct la_insn *i)
{
    la_raise(c, EXC_INE);
}

static bool model_has(const struct la_cpu *c, const struct la_op_info *op)
{
    return (op->cpucfg1 & ~c->cpucfg[1]) == 0 && (op->cpucfg2 & ~c->cpucfg[2]) == 0;
}

la_execute_fn la_decode_for(const struct la_cpu *c, u32 word, struct la_insn *insn)
{
    la_decode(word, insn);
    unsigned op = insn->op;
    bool is_known = op != LA_INVALID && interp_table[op];
    return is_known && model_has(c, &la_op_info[op]) ? interp_table[op] : no_such_instruction;
}

static void decode(struct la_cpu *c, struct la_decoded *d, u32 word)
{
    d->execute = la_decode_for(c, word, &d->insn);
}

void la_interp_prepare(struct la_cpu *c)
{
    if (!c->decoded)
        c->decoded = calloc(N_DECODED, sizeof(*c->decoded));
    BUG_ON(!c->decoded);
    for (unsigned i = 0; i < N_DECODED; i++)
        decode(c, &c->decoded[i], 0);
}

static void log_instruction(struct la_cpu *c, u32 word)
{
    char text[96];
    la_disassemble(word, c->pc, text, sizeof(text));
    log_write(c->cpu.bus->log, LOG_IN_ASM, "cpu %u: 0x%llx: %08x %s", c->cpu.index,
              (unsigned long long)c->pc, word, text);
}

static inline void step(struct la_cpu *c)
{
    u8 *host = la_host(c, c->pc, 4, LA_FETCH);
    // A misaligned PC fits in no cached word check, so the slow path sees it.
    u32 word = likely(host && !(c->pc & 3)) ? *(volatile u32 *)(void *)host : la_fetch_slow(c);
    struct la_decoded *d = &c->decoded[c->pc >> 2 & (N_DECODED - 1)];
    if (unlikely(d->insn.raw != word))
        decode(c, d, word);
    c->insn = word;
    c->next_pc = c->pc + 4;
    d->execute(c, &d->insn);
    c->pc = c->next_pc;
    c->cpu.n_insns++;
}

void la_step(struct la_cpu *c)
{
    step(c);
}

static void run_slice(struct la_cpu *c, u64 end)
{
    while (c->cpu.n_insns < end &&
           likely(!atomic_load_explicit(&c->cpu.requests, memory_order_relaxed)))
        step(c);
}

// The same with every instruction told.
static void run_slice_logged(struct la_cpu *c, u64 end)
{
    while (c->cpu.n_insns < end && !atomic_load_explicit(&c->cpu.requests, memory_order_relaxed)) {
        log_instruction(c, la_fetch_slow(c));
        step(c);
    }
}

// The root's interrupts break into a guest; they come before the guest's own.
static void take_interrupt(struct la_cpu *c)
{
    bool for_root = la_wants_interrupt(c, &c->root);
    if (!for_root && !(la_in_guest(c) && la_wants_interrupt(c, &c->guest)))
        return;
    la_enter_exception(c, EXC_INT, 0, for_root);
    c->pc = c->next_pc;
}

bool la_serve_requests(struct la_cpu *c, enum cpu_exit *why)
{
    u32 requests = atomic_exchange_explicit(&c->cpu.requests, 0, memory_order_seq_cst);
    if (requests & CPU_REQ_FLUSH)
        la_mmu_flush(c);
    if (requests & CPU_REQ_LINK)
        la_links_obey(c);
    if (requests & CPU_REQ_STOP) {
        *why = CPU_EXIT_STOP;
        return false;
    }
    if (requests & CPU_REQ_ALARM)
        la_timer_rang(c);
    else
        la_timer_poll(c);
    c->idle = c->idle && !la_pending_lines(c, c->context);
    if (c->idle) {
        *why = CPU_EXIT_IDLE;
        return false;
    }
    take_interrupt(c);
    return true;
}

// The exception that la_raise left: taken where the instruction was.
void la_take_raised(struct la_cpu *c)
{
    la_enter_exception(c, c->raised, c->raised_va, c->raised_in_root);
    c->pc = c->next_pc;
}

void la_interp_step(struct la_cpu *c)
{
    enum cpu_exit why;
    if (setjmp(c->leave))
        la_take_raised(c);
    else if (!c->cpu.requests || la_serve_requests(c, &why))
        step(c);
}

enum cpu_exit la_interp_run(struct cpu *cpu, u64 budget)
{
    struct la_cpu *c = la_of(cpu);
    volatile u64 end = cpu->n_insns + budget;
    enum cpu_exit why = CPU_EXIT_BUDGET;
    if (setjmp(c->leave)) {
        la_take_raised(c);
        end--;
    }
    while (cpu->n_insns < end && la_serve_requests(c, &why)) {
        u64 slice_end = cpu->n_insns + SLICE < end ? cpu->n_insns + SLICE : end;
        slice_end = slice_end < c->disturbance.at ? slice_end : c->disturbance.at;
        if (log_is_on(cpu->bus->log, LOG_IN_ASM))
            run_slice_logged(c, slice_end);
        else
            run_slice(c, slice_end);
        la_disturb(c);
    }
    return why;
}
