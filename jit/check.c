// SPDX-License-Identifier: Apache-2.0
// The lock-step checker: what a block does is compared with what the interpreter does.
//
// The interpreter goes first, from the same state, one instruction at a time; every state on the
// way is kept, and what it stores is undone again. Then the block runs. Where it comes out is one
// of the states on the way: registers and all memory that was stored to must be what they were
// there, or the exception the same. Blocks return to the run loop one by one, and instructions
// without a template are in none, so nothing runs twice that cannot be undone. Other processors and
// devices may write to the same memory meanwhile: only machines with one processor are checked.
//
// A block that stores to its own instructions may go on with the old ones up to an ibar, while the
// interpreter takes the new ones: it is not looked at.
//
// Of vector registers the bits are compared that the manual defines; once an instruction has read
// others, the rest of the block is not looked at. Of FCSR all but Cause, which translated code may
// have of earlier instructions as well unless exact-cause=on. What a block stores elsewhere than
// the interpreter did is not seen. A block is compared the first times that it runs, and every now
// and then from there on.
#include "jit/cache.h"
#include "jit/defined_bits.h"
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 64
#define N_ALWAYS  8   // executions that are all compared,
#define N_SAMPLED 127 // and one of so many from there on
#define N_COUNTED 65536

#define FCSR_CAUSE 0x1f000000

struct registers {
    u64 gpr[32];
    u8 fcc[8];
    u32 fcsr;
    u64 pc;
    struct la_link link;
    u8 vectors; // index of jit_check.vr
};

struct jit_check {
    struct registers step[MAX_STEPS + 1]; // before each instruction, and after the last
    union la_vreg vr[MAX_STEPS + 1][32];
    struct defined_bits defined[MAX_STEPS + 1]; // at each step
    unsigned n_stores[MAX_STEPS + 1];           // journal entries made before it
    unsigned n;                                 // the last step
    unsigned n_vectors;
    unsigned n_known; // steps up to this one are defined
    u32 words[MAX_STEPS];
    bool is_compared; // this execution
    bool has_raised;
    const u8 *code; // of the block, in the host's memory
    bool is_open;   // by the second stage, whose entries may be gone while their results are cached
    enum la_exception exception;
    u64 bad_va;
    struct la_journal journal;
    u8 expected[LA_JOURNAL_MAX][16]; // what the interpreter left in each entry's bytes
    u8 n_runs[N_COUNTED];            // by hash of the address
};

struct jit_check *jit_check_new(void)
{
    struct jit_check *x = calloc(1, sizeof(*x));
    BUG_ON(!x);
    return x;
}

// Counts on from N_ALWAYS in a circle.
static bool is_wanted(struct jit_check *x, const struct la_cpu *c)
{
    u8 *n = &x->n_runs[(c->pc >> 2 ^ c->pc >> 18 ^ c->code.mode * 0x1234) & (N_COUNTED - 1)];
    if (*n < N_ALWAYS)
        return ++*n;
    *n = *n == N_ALWAYS + N_SAMPLED ? N_ALWAYS : *n + 1;
    return *n == N_ALWAYS;
}

static void save(struct jit_check *x, const struct la_cpu *c, unsigned n, bool has_vectors)
{
    struct registers *r = &x->step[n];
    memcpy(r->gpr, c->gpr, sizeof(r->gpr));
    memcpy(r->fcc, c->fcc, sizeof(r->fcc));
    r->fcsr = c->fcsr;
    r->pc = c->pc;
    r->link = c->context->link;
    if (has_vectors)
        memcpy(x->vr[x->n_vectors++], c->vr, sizeof(c->vr));
    r->vectors = (u8)(x->n_vectors - 1);
    x->n_stores[n] = x->journal.n;
}

static void restore(struct jit_check *x, struct la_cpu *c)
{
    const struct registers *r = &x->step[0];
    memcpy(c->gpr, r->gpr, sizeof(r->gpr));
    memcpy(c->vr, x->vr[0], sizeof(c->vr));
    memcpy(c->fcc, r->fcc, sizeof(r->fcc));
    c->fcsr = r->fcsr;
    c->pc = r->pc;
    c->context->link = r->link;
}

// Raises if there is nothing to fetch.
static const u8 *code_of(struct la_cpu *c)
{
    u64 pa = la_translate(c, c->pc, LA_FETCH), in_page = pa & (CODE_PAGE - 1);
    const u8 *page = mem_ram_page(c->code.vcpu->jit->mem, pa - in_page, CODE_PAGE, false);
    return page ? page + in_page : NULL;
}

// True: executed.
static bool try_step(struct la_cpu *c, struct jit_check *x)
{
    jmp_buf outer;
    memcpy(outer, c->leave, sizeof(outer));
    bool done = false;
    if (!setjmp(c->leave)) {
        if (x->n == 0)
            x->code = code_of(c);
        u32 word = la_fetch_slow(c);
        x->words[x->n] = word;
        if (jit_has_template(c->code.vcpu->jit, c, word)) {
            la_step(c);
            done = true;
        }
    } else if (!x->journal.met_device) {
        x->has_raised = true;
        x->is_open = c->raised_in_root && la_in_guest(c);
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

// Step x->n was executed: the state after it.
static void note_step(struct jit_check *x, const struct la_cpu *c)
{
    struct la_insn i;
    la_decode(x->words[x->n], &i);
    x->defined[x->n + 1] = x->defined[x->n];
    bool is_known = defined_bits_flow(&x->defined[x->n + 1], i.raw, i.op);
    x->n++;
    save(x, c, x->n, defined_bits_is_written(i.op));
    if (is_known && x->n_known == x->n - 1)
        x->n_known = x->n;
}

static void begin(struct jit_check *x, const struct la_cpu *c)
{
    x->n = x->journal.n = x->n_vectors = x->n_known = 0;
    x->journal.met_device = x->has_raised = x->is_open = false;
    x->code = NULL;
    defined_bits_all(&x->defined[0]);
    save(x, c, 0, true);
}

// With a context that nothing is cached for, every access takes the path that keeps the journal.
void jit_check_before(struct la_cpu *c)
{
    struct jit_check *x = c->code.vcpu->check;
    const u32 context = c->mmu_context;
    const u64 n_insns = c->cpu.n_insns;
    x->is_compared = is_wanted(x, c);
    if (!x->is_compared)
        return;
    begin(x, c);
    c->mmu_context = LA_NEVER_CACHED;
    c->code.journal = &x->journal;
    // A branch that is taken ends the block.
    for (bool goes_on = true; goes_on && x->n < MAX_STEPS && try_step(c, x);) {
        note_step(x, c);
        goes_on = c->pc == x->step[x->n - 1].pc + 4 && x->journal.n + 8 < LA_JOURNAL_MAX;
    }
    undo(x);
    restore(x, c);
    c->code.journal = NULL;
    c->code.written = 0;
    c->mmu_context = context;
    c->cpu.n_insns = n_insns;
}

static void tell_vectors(const struct jit_check *x, const struct la_cpu *c, unsigned step)
{
    const union la_vreg *should = x->vr[x->step[step].vectors], *was = x->vr[0];
    for (unsigned r = 0; r < 32; r++)
        for (unsigned d = 0; d < 4; d++)
            if (c->vr[r].d[d] != should[r].d[d] || c->vr[r].d[d] != was[r].d[d])
                fprintf(stderr, "  vr%u[%u]: 0x%llx, is 0x%llx, should be 0x%llx in %u bits\n", r,
                        d, (unsigned long long)was[r].d[d], (unsigned long long)c->vr[r].d[d],
                        (unsigned long long)should[r].d[d], x->defined[step].vr[r]);
}

static void tell_registers(const struct jit_check *x, const struct la_cpu *c, unsigned step)
{
    const struct registers *was = &x->step[0], *should = &x->step[step];
    for (unsigned r = 0; r < 32; r++)
        if (c->gpr[r] != should->gpr[r] || c->gpr[r] != was->gpr[r])
            fprintf(stderr, "  r%u: 0x%llx, is 0x%llx, should be 0x%llx\n", r,
                    (unsigned long long)was->gpr[r], (unsigned long long)c->gpr[r],
                    (unsigned long long)should->gpr[r]);
    for (unsigned n = 0; n < 8; n++)
        if (c->fcc[n] != should->fcc[n])
            fprintf(stderr, "  fcc%u: is %u, should be %u\n", n, c->fcc[n], should->fcc[n]);
    fprintf(stderr, "  fcsr: 0x%x, is 0x%x, should be 0x%x\n", was->fcsr, c->fcsr, should->fcsr);
    fprintf(stderr, "  pc: is 0x%llx, should be 0x%llx\n", (unsigned long long)c->pc,
            (unsigned long long)should->pc);
}

static _Noreturn void differ(struct la_cpu *c, unsigned step, const char *what)
{
    struct jit_check *x = c->code.vcpu->check;
    fprintf(stderr, "translated code is wrong: %s\n", what);
    for (unsigned n = 0; n < x->n; n++) {
        char text[96];
        la_disassemble(x->words[n], x->step[n].pc, text, sizeof(text));
        fprintf(stderr, "%s 0x%llx: %08x %s\n", n == step ? ">" : " ",
                (unsigned long long)x->step[n].pc, x->words[n], text);
    }
    tell_registers(x, c, step);
    tell_vectors(x, c, step);
    abort();
}

static bool is_same_vectors(const struct jit_check *x, const struct la_cpu *c, unsigned step)
{
    const union la_vreg *should = x->vr[x->step[step].vectors];
    for (unsigned r = 0; r < 32; r++)
        if (memcmp(&c->vr[r], &should[r], x->defined[step].vr[r] / 8))
            return false;
    return true;
}

static bool is_same_link(const struct la_link *a, const struct la_link *b)
{
    return a->is_set == b->is_set &&
           (!a->is_set || (a->place == b->place && a->value[0] == b->value[0]));
}

// NULL: the state is that of the step, else what differs.
static const char *difference(const struct jit_check *x, const struct la_cpu *c, unsigned step)
{
    const struct registers *r = &x->step[step];
    if (memcmp(c->gpr, r->gpr, sizeof(r->gpr)))
        return "general registers";
    if (memcmp(c->fcc, r->fcc, sizeof(r->fcc)))
        return "condition flags";
    if ((c->fcsr ^ r->fcsr) & ~(c->code.vcpu->jit->options.exact_cause ? 0 : FCSR_CAUSE))
        return "FCSR";
    if (!is_same_link(&c->context->link, &r->link))
        return "the link of ll";
    return is_same_vectors(x, c, step) ? NULL : "vector registers";
}

static bool was_there(const struct jit_check *x, u64 pc)
{
    for (unsigned n = 0; n <= x->n; n++)
        if (x->step[n].pc == pc)
            return true;
    return false;
}

// The state on the way at which the block came out. A branch back into the block may lead to an
// address a second time: then it is the visit whose registers are these, or else the first one.
static unsigned find_step(struct la_cpu *c, const struct jit_check *x)
{
    unsigned first = MAX_STEPS + 1;
    for (unsigned n = 0; n <= x->n; n++) {
        if (x->step[n].pc != c->pc)
            continue;
        first = n < first ? n : first;
        if (!difference(x, c, n))
            return n;
    }
    if (first > MAX_STEPS)
        differ(c, x->n, "it ended where the interpreter never was");
    return first;
}

// What the bytes of store `n` were before the later store `later`, where they overlap.
static void take_back(struct jit_check *x, unsigned n, unsigned later)
{
    for (unsigned i = 0; i < x->journal.entry[later].size; i++) {
        const u8 *at = x->journal.entry[later].host + i;
        s64 offset = at - x->journal.entry[n].host;
        if (offset >= 0 && offset < x->journal.entry[n].size)
            x->expected[n][offset] = x->journal.entry[later].old[i];
    }
}

// The interpreter may have gone on from there.
static void compare_memory(struct la_cpu *c, struct jit_check *x, unsigned step)
{
    for (unsigned later = x->journal.n; later-- > x->n_stores[step];)
        for (unsigned n = 0; n < x->n_stores[step]; n++)
            take_back(x, n, later);
    for (unsigned n = 0; n < x->n_stores[step]; n++)
        if (memcmp(x->journal.entry[n].host, x->expected[n], x->journal.entry[n].size))
            differ(c, step, "memory");
}

static bool has_changed_itself(const struct jit_check *x)
{
    for (unsigned n = 0; n < x->journal.n; n++) {
        const u8 *host = x->journal.entry[n].host;
        if (host + x->journal.entry[n].size > x->code && host < x->code + 4 * MAX_STEPS)
            return true;
    }
    return false;
}

void jit_check_after(struct la_cpu *c, bool raised)
{
    struct jit_check *x = c->code.vcpu->check;
    if (!x->is_compared)
        return;
    if (has_changed_itself(x) || (x->is_open && !was_there(x, c->pc)))
        return;
    unsigned step = find_step(c, x);
    if (step > x->n_known)
        return;
    const char *what = difference(x, c, step);
    if (what)
        differ(c, step, what);
    if (raised &&
        (step != x->n || !x->has_raised || x->exception != c->raised || x->bad_va != c->raised_va))
        differ(c, step, "exception");
    compare_memory(c, x, step);
}
