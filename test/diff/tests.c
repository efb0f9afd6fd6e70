// SPDX-License-Identifier: Apache-2.0
// Chooses instructions and the values of their operands, and emits one test each.
#include "test/diff/emit.h"

#include <string.h>

struct test {
    struct la_insn i;
    bool trap; // operands are chosen so that it raises, or may raise, an exception
};

// An instruction of a good pattern whose fields make it undefined: an empty bit field, a pattern
// that vldi has not, or a read-modify-write whose registers overlap.
static bool is_undefined(const struct la_insn *i)
{
    switch (i->op) {
    case LA_BSTRINS_W:
    case LA_BSTRPICK_W:
    case LA_BSTRINS_D:
    case LA_BSTRPICK_D: return i->imm < i->imm2;
    case LA_VLDI:
    case LA_XVLDI: return (i->imm & 0x1000) && (i->imm >> 8 & 0xf) > 12;
    default: break;
    }
    const char *name = la_op_info[i->op].mnemonic;
    return strncmp(name, "am", 2) == 0 && strncmp(name, "amcas", 5) != 0 && i->rd &&
           (i->rd == i->rj || i->rd == i->rk);
}

// Operands ----------------------------------------------------------------------------------------

static unsigned slot_reg(const struct la_insn *i, unsigned slot)
{
    const u8 regs[LA_N_SLOTS] = {i->rd, i->rj, i->rk, i->ra};
    return regs[slot];
}

static unsigned slot_elem(const struct la_op_info *info, unsigned slot)
{
    switch (slot) {
    case LA_SLOT_J: return info->elem[1];
    case LA_SLOT_K: return info->elem[2];
    default: return info->elem[0];
    }
}

static void refresh(struct diff_program *p, struct diff_random *r, const struct la_insn *i,
                    unsigned slot)
{
    const struct la_op_info *info = &la_op_info[i->op];
    unsigned reg = slot_reg(i, slot);
    switch (info->file[slot]) {
    case LA_FILE_GPR:
        if (reg && !is_reserved(reg))
            emit_load_gpr(p, reg, diff_gpr(r));
        break;
    case LA_FILE_FPR:
        if (diff_below(r, 8) || !emit_reload_vector(p, reg))
            emit_load_fpr(p, reg, diff_fpr(r, info->level));
        break;
    case LA_FILE_VR:
    case LA_FILE_XR:
        if (diff_below(r, 8) || !emit_reload_vector(p, reg))
            emit_load_vector(p, reg, diff_vector(r, slot_elem(info, slot)));
        break;
    case LA_FILE_FCC:
        emit_load_gpr(p, REG_TEMP, diff_bits(r));
        emit(p, LA_MOVGR2CF, reg, REG_TEMP, 0);
        break;
    default: break;
    }
}

static void refresh_sources(struct diff_program *p, struct diff_random *r, const struct la_insn *i)
{
    for (unsigned slot = 0; slot < LA_N_SLOTS; slot++)
        if ((la_op_info[i->op].reads >> slot & 1) && diff_below(r, 4))
            refresh(p, r, i, slot);
}

// FCSR without enabled exceptions, and those.
enum { FCSR_QUIET = 0x1f1f0300, FCSR_ENABLES = 0x1f };

// A rounding mode at random, flags and cause too.
static void refresh_fcsr(struct diff_program *p, struct diff_random *r, u64 mask)
{
    emit_load_gpr(p, REG_TEMP, diff_bits(r) & mask);
    emit(p, LA_MOVGR2FCSR, 0, REG_TEMP, 0);
}

// Memory operands ---------------------------------------------------------------------------------

static unsigned access_size(const struct la_op_info *info)
{
    return info->load_size > info->store_size ? info->load_size : info->store_size;
}

static bool is_conditional_store(unsigned op)
{
    return op == LA_SC_W || op == LA_SC_D || op == LA_SCREL_W || op == LA_SCREL_D || op == LA_SC_Q;
}

static bool is_less_or_equal(unsigned op)
{
    return strstr(la_op_info[op].mnemonic, "le.") != NULL;
}

static bool is_indexed(const struct la_op_info *info)
{
    return info->class != LA_CLASS_ATOMIC && info->class != LA_CLASS_BOUND &&
           (info->reads >> LA_SLOT_K & 1);
}

static bool is_load_linked(unsigned op)
{
    return op == LA_LL_W || op == LA_LL_D || op == LA_LLACQ_W || op == LA_LLACQ_D;
}

// After ll.d the emulator answers ld.d of the other half of the 16 bytes from what it remembered,
// not from memory. A store-conditional that fails ends that.
static void emit_unlink(struct diff_program *p)
{
    emit(p, LA_SC_W, REG_TEMP, REG_POOL, 0);
}

// The bound of a checked access or assertion about `va`, one that holds or does not. It has the
// sign of `va`, because the emulator compares unsigned. `va` is odd or a positive address.
static u64 bound_for(struct diff_random *r, unsigned op, u64 va, bool holds)
{
    bool at_least = is_less_or_equal(op) == holds;
    u64 distance = diff_bits(r) >> (1 + diff_below(r, 63));
    u64 bound = at_least ? va + distance : va - 1 - distance;
    if ((bound ^ va) >> 63)
        return at_least ? va : va - 1;
    return bound;
}

// Before a conditional store: a load-linked that mostly belongs to it.
static void emit_load_linked(struct diff_program *p, struct diff_random *r, const struct la_insn *i)
{
    unsigned size = access_size(&la_op_info[i->op]);
    bool other = diff_below(r, 8) == 0;
    s32 imm = i->imm + (other ? (i->imm < 0 ? 16 : -16) : 0);
    emit(p, size == 4 ? LA_LL_W : LA_LL_D, REG_TEMP, i->rj, imm);
    if (diff_below(r, 8) == 0) { // and a change between the two
        emit(p, LA_ADDI_D, REG_TEMP, REG_TEMP, 1);
        emit(p, LA_STPTR_W, REG_TEMP, i->rj, i->imm);
    }
}

// The value of rk beside a checked address.
static u64 checked_rk(struct diff_random *r, const struct test *t, u64 va)
{
    bool is_float = la_op_info[t->i.op].file[LA_SLOT_D] == LA_FILE_FPR;
    if (is_float && !t->trap)
        return 0; // the emulator adds it to the address
    return bound_for(r, t->i.op, va, !t->trap);
}

// Makes the operands address scratch memory, or what traps. False if these registers cannot.
static bool point_at_scratch(struct diff_program *p, struct diff_random *r, const struct test *t,
                             u64 *va)
{
    const struct la_insn *i = &t->i;
    const struct la_op_info *info = &la_op_info[i->op];
    const bool is_bound = info->class == LA_CLASS_BOUND, is_atomic = info->class == LA_CLASS_ATOMIC;
    if (!i->rj || is_reserved(i->rj))
        return false;
    *va = DIFF_SCRATCH_VA + 64 + diff_below(r, DIFF_SCRATCH_SIZE - 160);
    if (is_bound || is_atomic)
        *va &= ~(u64)(access_size(info) - 1);
    if (is_atomic && t->trap && !is_undefined(i))
        *va += 1;
    u64 index = 0;
    if (is_indexed(info) || is_bound) {
        if (i->rk == i->rj || is_reserved(i->rk) || (!i->rk && is_bound))
            return false;
        u64 rk = is_bound ? checked_rk(r, t, *va) : diff_gpr(r);
        if (i->rk)
            emit_load_gpr(p, i->rk, rk);
        index = is_indexed(info) && i->rk ? rk : 0;
    }
    emit_load_gpr(p, i->rj, *va - index - (u64)(s64)i->imm);
    if (is_conditional_store(i->op))
        emit_load_linked(p, r, i);
    return true;
}

// One test ----------------------------------------------------------------------------------------

static bool writes_reserved(const struct la_insn *i)
{
    const struct la_op_info *info = &la_op_info[i->op];
    for (unsigned slot = 0; slot < LA_N_SLOTS; slot++)
        if ((info->writes >> slot & 1) && info->file[slot] == LA_FILE_GPR &&
            is_reserved(slot_reg(i, slot)))
            return true;
    return false;
}

// What the emulator cannot be asked with these registers.
static bool is_bad(const struct la_insn *i)
{
    switch (i->op) {
    case LA_MOVGR2FCSR: return is_reserved(i->rj);
    case LA_ASRTLE_D:
    case LA_ASRTGT_D:
        return is_reserved(i->rk) || is_reserved(i->rj) || i->rj == i->rk || !i->rj || !i->rk;
    case LA_JIRL: return !i->rj || is_reserved(i->rj);
    default: return false;
    }
}

// Whether the test shall raise an exception; it must be able to.
static bool choose_trap(struct diff_random *r, const struct la_insn *i)
{
    if (is_undefined(i))
        return true;
    if (diff_below(r, 16))
        return false;
    const struct la_op_info *info = &la_op_info[i->op];
    switch (info->class) {
    case LA_CLASS_FARITH:
    case LA_CLASS_FCMP:
    case LA_CLASS_FCONV: return info->flags & LA_F_FPX;
    case LA_CLASS_BOUND: return true;
    // A conditional store with another address than the link fails before it looks at it.
    case LA_CLASS_ATOMIC: return access_size(info) > 1 && !is_conditional_store(i->op);
    default: return false;
    }
}

static struct test choose(struct diff_random *r, const u64 *op_set)
{
    struct test t;
    do
        la_decode(la_random_insn(&r->state, op_set), &t.i);
    while (writes_reserved(&t.i) || is_bad(&t.i) || (is_undefined(&t.i) && diff_below(r, 8)));
    if (la_op_info[t.i.op].class == LA_CLASS_BRANCH && t.i.op != LA_JIRL)
        t.i.imm = 8;
    t.trap = choose_trap(r, &t.i);
    return t;
}

static void log_registers(struct diff_program *p, const struct la_insn *i)
{
    const struct la_op_info *info = &la_op_info[i->op];
    for (unsigned slot = 0; slot < LA_N_SLOTS; slot++) {
        if (!(info->writes >> slot & 1))
            continue;
        unsigned reg = slot_reg(i, slot);
        switch (info->file[slot]) {
        case LA_FILE_GPR: emit_log_gpr(p, reg); break;
        case LA_FILE_FPR:
        case LA_FILE_XR: emit_log_vector(p, reg, DIFF_VECTOR); break;
        case LA_FILE_VR: emit_log_vector(p, reg, DIFF_LOW); break;
        case LA_FILE_FCC: emit_log_flag(p, reg); break;
        default: break;
        }
    }
    if ((info->flags & LA_F_FPX) || i->op == LA_MOVGR2FCSR)
        emit_log_fcsr(p);
}

static void begin_test(struct diff_program *p, const struct test *t)
{
    if (t->trap)
        emit(p, LA_ADDI_D, REG_TEMP, 0, 0);
    struct diff_test d = {.word = emit_encode(&t->i), .pc = emit_here(p), .may_trap = t->trap};
    d.first_item = (u32)(p->items.size / sizeof(struct diff_item));
    emit_append(&p->tests, &d, sizeof(d));
    emit_word(p, d.word);
    if (t->trap)
        emit_log_gpr(p, REG_TEMP);
}

static void end_test(struct diff_program *p, const struct test *t)
{
    struct diff_test *d = (struct diff_test *)(void *)(p->tests.data + p->tests.size) - 1;
    if (t->trap)
        emit(p, LA_MOVGR2FCSR, 1, 0, 0); // no exception enabled
    d->end_pc = emit_here(p);
    emit(p, LA_RDTIMEL_W, 0, 0, 0); // where translated code is stopped: main.c
    d->n_items = (u32)(p->items.size / sizeof(struct diff_item)) - d->first_item;
}

// A branch over one instruction, which counts if it is run.
static void test_branch(struct diff_program *p, const struct test *t)
{
    const struct la_insn *i = &t->i;
    if (i->op == LA_JIRL) {
        size_t at = emit_load_gpr(p, i->rj, 0);
        emit(p, LA_ADDI_D, REG_TEMP, 0, 0);
        u64 target = emit_here(p) + 8 - (u64)(s64)i->imm;
        memcpy(p->pool.data + at, &target, 8);
    } else {
        emit(p, LA_ADDI_D, REG_TEMP, 0, 0);
    }
    begin_test(p, t);
    emit(p, LA_ADDI_D, REG_TEMP, 0, 1);
    emit_log_gpr(p, REG_TEMP);
    if (i->op == LA_BL)
        emit_log_gpr(p, 1);
    log_registers(p, i);
}

static bool test_memory(struct diff_program *p, struct diff_random *r, const struct test *t)
{
    u64 va;
    if (!point_at_scratch(p, r, t, &va))
        return false;
    begin_test(p, t);
    log_registers(p, &t->i);
    if (is_load_linked(t->i.op))
        emit_unlink(p);
    unsigned store_size = la_op_info[t->i.op].store_size;
    for (u64 a = va & ~7ULL; a < va + store_size; a += 8)
        emit_log_memory(p, a);
    return true;
}

static void test_plain(struct diff_program *p, struct diff_random *r, const struct test *t)
{
    const struct la_insn *i = &t->i;
    if (i->op == LA_MOVGR2FCSR && i->rj)
        emit_load_gpr(p, i->rj, diff_bits(r) & (0xffffffff00000000 | FCSR_QUIET));
    if (la_op_info[i->op].class == LA_CLASS_BOUND) {
        u64 rj = diff_gpr(r) | 1;
        emit_load_gpr(p, i->rj, rj);
        emit_load_gpr(p, i->rk, bound_for(r, i->op, rj, !t->trap));
    }
    begin_test(p, t);
    log_registers(p, i);
}

static bool try_test(struct diff_program *p, struct diff_random *r, const struct test *t)
{
    const struct la_op_info *info = &la_op_info[t->i.op];
    refresh_sources(p, r, &t->i);
    if ((info->flags & LA_F_FPX) && (t->trap || diff_below(r, 8) == 0))
        refresh_fcsr(p, r, t->trap ? FCSR_QUIET | FCSR_ENABLES : FCSR_QUIET);
    if (info->class == LA_CLASS_BRANCH)
        test_branch(p, t);
    else if (access_size(info))
        return test_memory(p, r, t);
    else
        test_plain(p, r, t);
    return true;
}

void emit_test(struct diff_program *p, struct diff_random *r, const u64 *op_set)
{
    struct test t;
    do
        t = choose(r, op_set);
    while (!try_test(p, r, &t));
    end_test(p, &t);
}
