// SPDX-License-Identifier: Apache-2.0
// Registers have roles, so that most accesses succeed and no program runs on: bases and indices are
// rarely written, the counter of loops only by the loops, and the register of jumps only in front
// of them.
#include "test/jit/generate.h"
#include "base/bug.h"

#include <string.h>

enum { R_JUMP = 30, R_COUNT = 31 };

#define NO_TARGET 255

// Pinned by the translator and not.
static const u8 bases[] = {3, 4, 12, 20, 22, 29};
static const u8 indices[] = {6, 13, 21};

static bool is_one_of(const u8 *set, unsigned n, unsigned r)
{
    for (unsigned i = 0; i < n; i++)
        if (set[i] == r)
            return true;
    return false;
}

static bool is_base(unsigned r)
{
    return is_one_of(bases, ARRAY_LEN(bases), r) || is_one_of(indices, ARRAY_LEN(indices), r);
}

static void add_op(struct repertoire *x, unsigned op)
{
    const struct la_op_info *o = &la_op_info[op];
    switch (o->class) {
    case LA_CLASS_INT:
    case LA_CLASS_SHIFT:
    case LA_CLASS_BIT:
    case LA_CLASS_CRC:
    case LA_CLASS_BARRIER: x->plain[x->n_plain++] = (u16)op; break;
    case LA_CLASS_MEM:
    case LA_CLASS_ATOMIC:
    case LA_CLASS_BOUND:
        if (o->load_size || o->store_size)
            x->memory[x->n_memory++] = (u16)op;
        else
            x->plain[x->n_plain++] = (u16)op;
        break;
    case LA_CLASS_BRANCH: x->branch[x->n_branch++] = (u16)op; break;
    default: break;
    }
}

static bool is_of_links(unsigned op)
{
    static const u16 ops[] = {LA_LL_W, LA_LL_D, LA_LLACQ_W, LA_LLACQ_D, LA_SC_W,
                              LA_SC_D, LA_SC_Q, LA_SCREL_W, LA_SCREL_D};
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
        if (ops[i] == op)
            return true;
    return false;
}

// Bits of enum la_file.
static unsigned files_of(unsigned op)
{
    const struct la_op_info *o = &la_op_info[op];
    unsigned files = 0;
    for (unsigned slot = 0; slot < LA_N_SLOTS; slot++)
        files |= o->file[slot] == LA_FILE_NONE ? 0 : 1u << o->file[slot];
    return files;
}

// Of those with memory only such as take any displacement.
static bool is_vector(unsigned op)
{
    const unsigned others = 1u << LA_FILE_GPR | 1u << LA_FILE_FCC, files = files_of(op);
    bool is_plain = !la_op_info[op].load_size && !la_op_info[op].store_size;
    return files & 1u << LA_FILE_XR && !(files & ~(others | 1u << LA_FILE_XR)) && is_plain;
}

static void add_vectors(struct repertoire *x)
{
    static const u16 memory[] = {LA_XVLD, LA_XVST, LA_XVLDX, LA_XVSTX};
    for (unsigned op = 1; op < LA_N_OPS; op++)
        if (is_vector(op))
            x->vector[x->n_vector++] = (u16)op;
    for (unsigned i = 0; i < 8 * ARRAY_LEN(memory); i++)
        x->memory[x->n_memory++] = memory[i % ARRAY_LEN(memory)];
    for (unsigned i = 0; i < 4; i++)
        x->branch[x->n_branch++] = i & 1 ? LA_BCNEZ : LA_BCEQZ;
}

void generate_repertoire(struct repertoire *x, unsigned with)
{
    *x = (struct repertoire){0};
    for (unsigned op = 1; op < LA_N_OPS; op++)
        if (!(files_of(op) & ~(1u << LA_FILE_GPR)) && (with & GENERATE_LINKS || !is_of_links(op)))
            add_op(x, op);
    if (with & GENERATE_VECTORS)
        add_vectors(x);
}

static unsigned pick(struct diff_random *r, const u8 *set, unsigned n)
{
    return set[diff_below(r, n)];
}

static u32 encode(const struct la_insn *i)
{
    u32 word;
    struct err e = {0};
    if (!la_encode(i, &word, &e))
        bug(__FILE__, __LINE__, e.text);
    return word;
}

static bool writes(const struct la_insn *i, unsigned r)
{
    const struct la_op_info *o = &la_op_info[i->op];
    bool d = o->writes & 1 << LA_SLOT_D && o->file[LA_SLOT_D] == LA_FILE_GPR;
    return (d && i->rd == r) || (o->writes & 1 << LA_SLOT_J && i->rj == r);
}

// What is loaded into a base is random, and so leads nowhere. Arithmetic could make an address of
// memory that is not put back between the two runs.
static bool is_acceptable(const struct la_insn *i, struct diff_random *r)
{
    if (writes(i, R_COUNT) || writes(i, R_JUMP))
        return false;
    for (unsigned n = 1; n < 32; n++)
        if (is_base(n) && writes(i, n))
            return la_op_info[i->op].load_size == 8 && diff_below(r, 8) == 0;
    return true;
}

static struct la_insn random_insn(struct diff_random *r, unsigned op)
{
    struct la_insn i;
    do
        la_decode(la_random_word(&r->state, (enum la_op)op), &i);
    while (i.op != op || !is_acceptable(&i, r));
    return i;
}

// Accesses are near their base, so that they stay within what is compared.
static u32 memory_word(struct diff_random *r, unsigned op)
{
    struct la_insn i;
    do {
        i = random_insn(r, op);
        i.rj = (u8)pick(r, bases, ARRAY_LEN(bases));
        const unsigned class = la_op_info[op].class;
        if (la_op_info[op].file[LA_SLOT_K] == LA_FILE_GPR &&
            (class == LA_CLASS_MEM || class == LA_CLASS_VMEM))
            i.rk = (u8)pick(r, indices, ARRAY_LEN(indices));
        if (i.imm > 512 || i.imm < -512)
            i.imm = (i.imm & 255) & ~3;
        else
            i.imm &= diff_below(r, 4) ? ~7 : ~3;
    } while (!is_acceptable(&i, r));
    return encode(&i);
}

// Runs of accesses through one register, as frames and structures have them.
static unsigned add_group(struct program *p, unsigned at, const struct repertoire *x,
                          struct diff_random *r)
{
    unsigned n = 2 + diff_below(r, 6), base = pick(r, bases, ARRAY_LEN(bases));
    for (unsigned k = 0; k < n && at < p->n; k++) {
        static const u16 ops[] = {LA_LD_D, LA_LD_W, LA_LD_BU, LA_ST_D, LA_ST_W, LA_ST_B, LA_LD_H};
        struct la_insn i;
        do {
            i = random_insn(r, ops[diff_below(r, ARRAY_LEN(ops))]);
            i.rj = (u8)base;
            i.imm = (s32)diff_below(r, 96) - 32;
        } while (!is_acceptable(&i, r));
        p->words[at++] = encode(&i);
    }
    return at;
}

static u32 simple(enum la_op op, unsigned rd, unsigned rj, s32 imm)
{
    struct la_insn i = {.op = (u16)op, .rd = (u8)rd, .rj = (u8)rj, .imm = imm};
    return encode(&i);
}

// Forward to somewhere, the end at most.
static unsigned add_branch(struct program *p, unsigned at, const struct repertoire *x,
                           struct diff_random *r)
{
    unsigned op = x->branch[diff_below(r, x->n_branch)], left = p->n - at;
    if (op != LA_JIRL) {
        struct la_insn i = random_insn(r, op);
        p->target[at] = (u8)(at + 1 + diff_below(r, left < 12 ? left : 12));
        p->words[at++] = i.raw;
        return at;
    }
    if (left < 3)
        return at;
    unsigned rd;
    do
        rd = diff_below(r, 30);
    while (is_base(rd));
    p->target[at] = (u8)(at + 2 + diff_below(r, left - 2));
    p->words[at++] = simple(LA_PCADDI, R_JUMP, 0, 0);
    p->words[at++] = simple(LA_JIRL, rd, R_JUMP, 0);
    return at;
}

// Back to somewhere while the counter is above 0.
static unsigned add_loop(struct program *p, unsigned at, struct diff_random *r)
{
    if (p->n - at < 2)
        return at;
    p->words[at] = simple(LA_ADDI_D, R_COUNT, R_COUNT, -1);
    p->target[at + 1] = (u8)(at - diff_below(r, at < 24 ? at + 1 : 24));
    p->words[at + 1] = simple(LA_BLT, R_COUNT, 0, 0); // rj < rd
    return at + 2;
}

// What comes second of a pair: the end of a loop, a jump to what was loaded just before.
static bool is_second(const struct program *p, unsigned n)
{
    struct la_insn i;
    la_decode(p->words[n], &i);
    return (i.op == LA_BLT && i.rj == 0 && i.rd == R_COUNT) || (i.op == LA_JIRL && i.rj == R_JUMP);
}

// Nobody comes to the second of a pair but by the first.
static void settle_targets(struct program *p)
{
    for (unsigned n = 0; n < p->n; n++) {
        if (p->target[n] == NO_TARGET)
            continue;
        unsigned target = p->target[n];
        if (target < p->n && is_second(p, target))
            target += target > n ? 1 : -1u;
        struct la_insn i;
        la_decode(p->words[n], &i);
        // pcaddi counts words.
        i.imm = ((s32)target - (s32)n) * (i.op == LA_PCADDI ? 1 : 4);
        p->words[n] = encode(&i);
    }
}

static unsigned add_odd(struct program *p, unsigned at, struct diff_random *r)
{
    static const u16 ops[] = {LA_SYSCALL, LA_BREAK, LA_IBAR, LA_CPUCFG, LA_RDTIME_D, LA_CSRRD};
    unsigned op = ops[diff_below(r, ARRAY_LEN(ops))];
    if (diff_below(r, 8) == 0) {
        p->words[at] = 0; // no instruction
        return at + 1;
    }
    if (diff_below(r, 2)) {
        unsigned base = pick(r, bases, ARRAY_LEN(bases));
        p->words[at] = simple(LA_ADDI_D, base, base, (s32)diff_below(r, 64) - 32);
        return at + 1;
    }
    struct la_insn i = random_insn(r, op);
    if (op == LA_CSRRD)
        i.imm = 0x30 + (s32)diff_below(r, 8); // SAVE0 to SAVE7
    p->words[at] = encode(&i);
    return at + 1;
}

void generate_program(struct program *p, const struct repertoire *x, struct diff_random *r)
{
    memset(p->target, NO_TARGET, sizeof(p->target));
    p->n = 8 + diff_below(r, GENERATE_MAX - 10);
    // Often where a page ends within the program.
    p->offset = 4 * diff_below(r, (BED_SIZE - 4 * GENERATE_MAX) / 4);
    if (diff_below(r, 2))
        p->offset = 4096 * (1 + diff_below(r, BED_N_PAGES - 2)) - 4 * diff_below(r, p->n);
    for (unsigned at = 0; at < p->n;) {
        unsigned kind = diff_below(r, 64);
        if (kind < 30 && x->n_vector && diff_below(r, 4))
            p->words[at++] = random_insn(r, x->vector[diff_below(r, x->n_vector)]).raw;
        else if (kind < 30)
            p->words[at++] = random_insn(r, x->plain[diff_below(r, x->n_plain)]).raw;
        else if (kind < 46)
            p->words[at++] = memory_word(r, x->memory[diff_below(r, x->n_memory)]);
        else if (kind < 53)
            at = add_group(p, at, x, r);
        else if (kind < 59)
            at = add_branch(p, at, x, r);
        else if (kind < 62)
            at = add_loop(p, at, r);
        else
            at = add_odd(p, at, r);
    }
    settle_targets(p);
    p->words[p->n++] = simple(LA_IOCSRWR_W, 0, 0, 0);
}

static u64 address(struct diff_random *r, bool is_kernel)
{
    u64 offset = 1024 + diff_below(r, BED_SIZE - 2048);
    if (diff_below(r, 3) == 0)
        offset = 4096 * (1 + diff_below(r, BED_N_PAGES - 2)) + diff_below(r, 128) - 64;
    if (diff_below(r, 4))
        offset &= ~15ULL;
    return (is_kernel && diff_below(r, 2) ? BED_DMW | BED_DATA_PA : BED_DATA_VA) + offset;
}

void generate_state(struct bed_state *s, const struct program *p, struct diff_random *r)
{
    bool is_kernel = diff_below(r, 3);
    for (unsigned n = 1; n < 32; n++)
        s->gpr[n] = diff_gpr(r);
    s->gpr[0] = 0;
    for (unsigned n = 0; n < ARRAY_LEN(bases); n++)
        s->gpr[bases[n]] = diff_below(r, 12) ? address(r, is_kernel) : diff_gpr(r);
    for (unsigned n = 0; n < ARRAY_LEN(indices); n++)
        s->gpr[indices[n]] =
            (u64)(s64)((s32)diff_below(r, 512) - 256) & ~(diff_below(r, 2) ? 7ULL : 0);
    s->gpr[R_COUNT] = diff_below(r, 6);
    s->crmd = CRMD_PG | (is_kernel ? 0 : 3);
    s->pc = BED_CODE_VA + p->offset;
    for (unsigned n = 0; n < 32; n++)
        s->vr[n] = diff_vector(r, LA_ELEM_NONE);
    for (unsigned n = 0; n < 8; n++)
        s->fcc[n] = diff_below(r, 2);
    s->fcsr = diff_below(r, 4) << 8;
    for (unsigned n = 0; n < BED_SIZE; n += 8) {
        u64 v = diff_bits(r);
        memcpy(s->data + n, &v, 8);
    }
}
