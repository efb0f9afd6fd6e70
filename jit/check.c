// SPDX-License-Identifier: Apache-2.0
// The lock-step checker: what a block does is compared with what the interpreter does.
//
// The interpreter goes first, from the same state, one instruction at a time; every state on the way
// is kept, and what it stores is undone again. Then the block runs. Where it comes out is one of
// the states on the way: registers and all memory that was stored to must be what they were there,
// or the exception the same. Blocks return to the run loop one by one, and instructions without a
// template are in none, so nothing runs twice that cannot be undone. Other processors and devices
// may write to the same memory meanwhile: only machines with one processor are checked.
#include "jit/cache.h"
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 64

struct registers {
    u64 gpr[32];
    union la_vreg vr[32];
    u8 fcc[8];
    u32 fcsr;
    u64 pc;
};

struct jit_check {
    struct registers step[MAX_STEPS + 1]; // before each instruction, and after the last
    unsigned n_stores[MAX_STEPS + 1];     // journal entries made before it
    unsigned n;                           // the last step
    u32 words[MAX_STEPS];
    bool has_raised;
    enum la_exception exception;
    u64 bad_va;
    struct la_journal journal;
    u8 expected[LA_JOURNAL_MAX][16]; // what the interpreter left in each entry's bytes
};

struct jit_check *jit_check_new(void)
{
    struct jit_check *x = calloc(1, sizeof(*x));
    BUG_ON(!x);
    return x;
}

static void save(const struct la_cpu *c, struct registers *r)
{
    memcpy(r->gpr, c->gpr, sizeof(r->gpr));
    memcpy(r->vr, c->vr, sizeof(r->vr));
    memcpy(r->fcc, c->fcc, sizeof(r->fcc));
    r->fcsr = c->fcsr;
    r->pc = c->pc;
}

static void restore(struct la_cpu *c, const struct registers *r)
{
    memcpy(c->gpr, r->gpr, sizeof(r->gpr));
    memcpy(c->vr, r->vr, sizeof(r->vr));
    memcpy(c->fcc, r->fcc, sizeof(r->fcc));
    c->fcsr = r->fcsr;
    c->pc = r->pc;
}

// True: executed.
static bool try_step(struct la_cpu *c, struct jit_check *x)
{
    jmp_buf outer;
    memcpy(outer, c->leave, sizeof(outer));
    bool done = false;
    if (!setjmp(c->leave)) {
        u32 word = la_fetch_slow(c);
        x->words[x->n] = word;
        if (jit_has_template(c->code.vcpu->jit, c, word)) {
            la_step(c);
            done = true;
        }
    } else if (!x->journal.met_device) {
        x->has_raised = true;
        x->exception = c->raised;
        x->bad_va = c->raised_va;
    }
    memcpy(c->leave, outer, sizeof(outer));
    return done;
}

static void undo(struct jit_check *x)
{
    for (unsigned n = 0; n < x->journal.n; n++)
        memcpy(x->expected[n], x->journal.entry[n].host, x->journal.entry[n].size);
    for (unsigned n = x->journal.n; n-- > 0;)
        memcpy(x->journal.entry[n].host, x->journal.entry[n].old, x->journal.entry[n].size);
}

// With a context that nothing is cached for, every access takes the path that keeps the journal.
void jit_check_before(struct la_cpu *c)
{
    struct jit_check *x = c->code.vcpu->check;
    const u32 context = c->mmu_context;
    const u64 n_insns = c->cpu.n_insns;
    x->n = x->journal.n = 0;
    x->journal.met_device = x->has_raised = false;
    c->mmu_context = LA_NEVER_CACHED;
    c->code.journal = &x->journal;
    save(c, &x->step[0]);
    x->n_stores[0] = 0;
    // A branch that is taken ends the block.
    for (bool goes_on = true; goes_on && x->n < MAX_STEPS && try_step(c, x);) {
        save(c, &x->step[++x->n]);
        x->n_stores[x->n] = x->journal.n;
        goes_on = c->pc == x->step[x->n - 1].pc + 4 && x->journal.n + 8 < LA_JOURNAL_MAX;
    }
    undo(x);
    restore(c, &x->step[0]);
    c->code.journal = NULL;
    c->code.written = 0;
    c->mmu_context = context;
    c->cpu.n_insns = n_insns;
}

static _Noreturn void differ(struct la_cpu *c, unsigned steps, const char *what)
{
    struct jit_check *x = c->code.vcpu->check;
    fprintf(stderr, "translated code is wrong: %s\n", what);
    for (unsigned n = 0; n < steps; n++) {
        char text[96];
        la_disassemble(x->words[n], x->step[n].pc, text, sizeof(text));
        fprintf(stderr, "  0x%llx: %08x %s\n", (unsigned long long)x->step[n].pc, x->words[n], text);
    }
    for (unsigned r = 0; r < 32; r++)
        if (c->gpr[r] != x->step[steps].gpr[r] || c->gpr[r] != x->step[0].gpr[r])
            fprintf(stderr, "  r%u: 0x%llx, is 0x%llx, should be 0x%llx\n", r,
                    (unsigned long long)x->step[0].gpr[r], (unsigned long long)c->gpr[r],
                    (unsigned long long)x->step[steps].gpr[r]);
    fprintf(stderr, "  pc: is 0x%llx, should be 0x%llx\n", (unsigned long long)c->pc,
            (unsigned long long)x->step[steps].pc);
    abort();
}

// The state on the way at which the block came out. A block visits no instruction twice.
static unsigned find_step(struct la_cpu *c, const struct jit_check *x)
{
    for (unsigned n = x->n + 1; n-- > 0;)
        if (x->step[n].pc == c->pc)
            return n;
    differ(c, x->n, "it ended where the interpreter never was");
}

// Bytes that later stores of the interpreter's way change are not looked at.
static void compare_memory(struct la_cpu *c, const struct jit_check *x, unsigned step)
{
    if (step != x->n)
        return;
    for (unsigned n = 0; n < x->n_stores[step]; n++)
        if (memcmp(x->journal.entry[n].host, x->expected[n], x->journal.entry[n].size))
            differ(c, step, "memory");
}

void jit_check_after(struct la_cpu *c, bool raised)
{
    struct jit_check *x = c->code.vcpu->check;
    unsigned step = find_step(c, x);
    const struct registers *r = &x->step[step];
    if (memcmp(c->gpr, r->gpr, sizeof(r->gpr)))
        differ(c, step, "general registers");
    if (memcmp(c->fcc, r->fcc, sizeof(r->fcc)))
        differ(c, step, "condition flags");
    if (raised && (step != x->n || !x->has_raised || x->exception != c->raised ||
                   x->bad_va != c->raised_va))
        differ(c, step, "exception");
    compare_memory(c, x, step);
}
