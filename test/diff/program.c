// SPDX-License-Identifier: Apache-2.0
#include "test/diff/program.h"

#include "base/bug.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

// General registers that tests may read but not write.
enum { REG_LOG = 2, REG_TEMP = 20, REG_POOL = 21 };

static bool is_reserved(unsigned gpr)
{
    return gpr == REG_LOG || gpr == REG_TEMP || gpr == REG_POOL;
}

static void append(struct diff_buffer *b, const void *data, size_t size)
{
    if (b->size + size > b->room) {
        b->room = 2 * (b->size + size);
        b->data = realloc(b->data, b->room);
        BUG_ON(!b->data);
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

// Emitting ----------------------------------------------------------------------------------------

static u64 here(const struct diff_program *p)
{
    return DIFF_CODE_VA + p->code.size;
}

static u32 encode(const struct la_insn *i)
{
    u32 word;
    struct err e = {0};
    if (!la_encode(i, &word, &e))
        bug(__FILE__, __LINE__, e.text);
    return word;
}

static void emit_word(struct diff_program *p, u32 word)
{
    append(&p->code, &word, 4);
}

// rd, rj, immediate: most of what is needed.
static void emit(struct diff_program *p, enum la_op op, unsigned rd, unsigned rj, s32 imm)
{
    struct la_insn i = {.op = (u16)op, .rd = (u8)rd, .rj = (u8)rj, .imm = imm};
    emit_word(p, encode(&i));
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
    append(&p->items, &item, sizeof(item));
    p->log_size += diff_item_size(&item);
    return offset;
}

static void log_gpr(struct diff_program *p, unsigned reg)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_GPR, .reg = (u8)reg});
    emit(p, LA_ST_D, reg, REG_LOG, offset);
}

static void log_vector(struct diff_program *p, unsigned reg, enum diff_kind kind)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = (u8)kind, .reg = (u8)reg});
    emit(p, LA_XVST, reg, REG_LOG, offset);
}

static void log_flag(struct diff_program *p, unsigned flag)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_FLAG, .reg = (u8)flag});
    emit(p, LA_MOVCF2GR, REG_TEMP, flag, 0);
    emit(p, LA_ST_D, REG_TEMP, REG_LOG, offset);
}

static void log_fcsr(struct diff_program *p)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_FCSR});
    emit(p, LA_MOVFCSR2GR, REG_TEMP, 0, 0);
    emit(p, LA_ST_D, REG_TEMP, REG_LOG, offset);
}

static void load_constant(struct diff_program *p, unsigned reg, u64 value)
{
    BUG_ON(value >> 31);
    emit(p, LA_LU12I_W, reg, 0, (s32)(value >> 12));
    struct la_insn i = {.op = LA_ORI, .rd = (u8)reg, .rj = (u8)reg, .imm = value & 0xfff};
    emit_word(p, encode(&i));
}

static void log_memory(struct diff_program *p, u64 va)
{
    s32 offset = reach_log(p, (struct diff_item){.kind = DIFF_MEMORY, .va = va});
    load_constant(p, REG_TEMP, va);
    emit(p, LA_LD_D, REG_TEMP, REG_TEMP, 0);
    emit(p, LA_ST_D, REG_TEMP, REG_LOG, offset);
}

// Loads a register from the pool; the value may be changed until the program is written.
static size_t load_gpr(struct diff_program *p, unsigned reg, u64 value)
{
    size_t at = p->pool.size;
    emit(p, LA_LD_D, reg, REG_POOL, reach(p, REG_POOL, &p->pool_base, at));
    append(&p->pool, &value, 8);
    return at;
}

static void load_fpr(struct diff_program *p, unsigned reg, u64 value)
{
    emit(p, LA_FLD_D, reg, REG_POOL, reach(p, REG_POOL, &p->pool_base, p->pool.size));
    append(&p->pool, &value, 8);
}

static void load_vector(struct diff_program *p, unsigned reg, union la_vreg value)
{
    p->last_vector = (u32)p->pool.size;
    emit(p, LA_XVLD, reg, REG_POOL, reach(p, REG_POOL, &p->pool_base, p->pool.size));
    append(&p->pool, &value, sizeof(value));
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

// The vector loaded last again, so that equal operands are not rare.
static bool reload_vector(struct diff_program *p, unsigned reg)
{
    if (p->last_vector < p->pool_base || p->last_vector - p->pool_base > 2016)
        return false;
    emit(p, LA_XVLD, reg, REG_POOL, (s32)(p->last_vector - p->pool_base));
    return true;
}

static void refresh(struct diff_program *p, struct diff_random *r, const struct la_insn *i,
                    unsigned slot)
{
    const struct la_op_info *info = &la_op_info[i->op];
    unsigned reg = slot_reg(i, slot);
    switch (info->file[slot]) {
    case LA_FILE_GPR:
        if (reg && !is_reserved(reg))
            load_gpr(p, reg, diff_gpr(r));
        break;
    case LA_FILE_FPR:
        if (diff_below(r, 8) || !reload_vector(p, reg))
            load_fpr(p, reg, diff_fpr(r, info->level));
        break;
    case LA_FILE_VR:
    case LA_FILE_XR:
        if (diff_below(r, 8) || !reload_vector(p, reg))
            load_vector(p, reg, diff_vector(r, slot_elem(info, slot)));
        break;
    case LA_FILE_FCC:
        load_gpr(p, REG_TEMP, diff_bits(r));
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

// A rounding mode at random, flags and cause too; no exception enabled.
static void refresh_fcsr(struct diff_program *p, struct diff_random *r)
{
    load_gpr(p, REG_TEMP, diff_bits(r) & 0x1f1f0300);
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

// The bound of a checked access or assertion about `va`, one that holds. It has the sign of `va`,
// because the emulator compares unsigned. `va` is odd or a positive address.
static u64 good_bound(struct diff_random *r, unsigned op, u64 va)
{
    u64 distance = diff_bits(r) >> (1 + diff_below(r, 63));
    u64 bound = is_less_or_equal(op) ? va + distance : va - 1 - distance;
    if ((bound ^ va) >> 63)
        return is_less_or_equal(op) ? va : va - 1;
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

// Makes the operands address scratch memory. False if these registers cannot.
static bool point_at_scratch(struct diff_program *p, struct diff_random *r, const struct la_insn *i,
                             u64 *va)
{
    const struct la_op_info *info = &la_op_info[i->op];
    if (!i->rj || is_reserved(i->rj))
        return false;
    *va = DIFF_SCRATCH_VA + 64 + diff_below(r, DIFF_SCRATCH_SIZE - 160);
    if (info->class == LA_CLASS_ATOMIC || info->class == LA_CLASS_BOUND)
        *va &= ~(u64)(access_size(info) - 1);
    u64 index = 0;
    if (is_indexed(info) || info->class == LA_CLASS_BOUND) {
        if (i->rk == i->rj || is_reserved(i->rk) || (!i->rk && info->class == LA_CLASS_BOUND))
            return false;
        u64 rk = info->class == LA_CLASS_BOUND ? good_bound(r, i->op, *va) : diff_gpr(r);
        if (info->class == LA_CLASS_BOUND && info->file[LA_SLOT_D] == LA_FILE_FPR)
            rk = 0; // the emulator adds it to the address
        if (i->rk)
            load_gpr(p, i->rk, rk);
        index = is_indexed(info) && i->rk ? rk : 0;
    }
    load_gpr(p, i->rj, *va - index - (u64)(s64)i->imm);
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

// What raises an exception or has no defined result anywhere.
static bool is_bad(const struct la_insn *i)
{
    switch (i->op) {
    case LA_BSTRINS_W:
    case LA_BSTRPICK_W:
    case LA_BSTRINS_D:
    case LA_BSTRPICK_D: return i->imm < i->imm2;
    case LA_VLDI:
    case LA_XVLDI: return (i->imm & 0x1000) && (i->imm >> 8 & 0xf) > 12;
    case LA_MOVGR2FCSR: return is_reserved(i->rj);
    case LA_ASRTLE_D:
    case LA_ASRTGT_D:
        return is_reserved(i->rk) || is_reserved(i->rj) || i->rj == i->rk || !i->rj || !i->rk;
    case LA_JIRL: return !i->rj || is_reserved(i->rj);
    default: break;
    }
    const struct la_op_info *info = &la_op_info[i->op];
    bool is_swap = strncmp(info->mnemonic, "amcas", 5) == 0;
    return strncmp(info->mnemonic, "am", 2) == 0 && !is_swap && i->rd &&
           (i->rd == i->rj || i->rd == i->rk);
}

static struct la_insn choose(struct diff_random *r, const u64 *op_set)
{
    struct la_insn i;
    do
        la_decode(la_random_insn(&r->state, op_set), &i);
    while (writes_reserved(&i) || is_bad(&i));
    if (la_op_info[i.op].class == LA_CLASS_BRANCH && i.op != LA_JIRL)
        i.imm = 8;
    return i;
}

static void log_registers(struct diff_program *p, const struct la_insn *i)
{
    const struct la_op_info *info = &la_op_info[i->op];
    for (unsigned slot = 0; slot < LA_N_SLOTS; slot++) {
        if (!(info->writes >> slot & 1))
            continue;
        unsigned reg = slot_reg(i, slot);
        switch (info->file[slot]) {
        case LA_FILE_GPR: log_gpr(p, reg); break;
        case LA_FILE_FPR:
        case LA_FILE_XR: log_vector(p, reg, DIFF_VECTOR); break;
        case LA_FILE_VR: log_vector(p, reg, DIFF_LOW); break;
        case LA_FILE_FCC: log_flag(p, reg); break;
        default: break;
        }
    }
    if ((info->flags & LA_F_FPX) || i->op == LA_MOVGR2FCSR)
        log_fcsr(p);
}

static void begin_test(struct diff_program *p, const struct la_insn *i)
{
    struct diff_test t = {.word = encode(i), .pc = here(p)};
    t.first_item = (u32)(p->items.size / sizeof(struct diff_item));
    append(&p->tests, &t, sizeof(t));
    emit_word(p, t.word);
}

static void end_test(struct diff_program *p)
{
    struct diff_test *t = (struct diff_test *)(void *)(p->tests.data + p->tests.size) - 1;
    t->end_pc = here(p);
    t->n_items = (u32)(p->items.size / sizeof(struct diff_item)) - t->first_item;
}

// A branch over one instruction, which counts if it is run.
static void test_branch(struct diff_program *p, struct diff_random *r, struct la_insn *i)
{
    if (i->op == LA_JIRL) {
        size_t at = load_gpr(p, i->rj, 0);
        emit(p, LA_ADDI_D, REG_TEMP, 0, 0);
        u64 target = here(p) + 8 - (u64)(s64)i->imm;
        memcpy(p->pool.data + at, &target, 8);
    } else {
        emit(p, LA_ADDI_D, REG_TEMP, 0, 0);
    }
    begin_test(p, i);
    emit(p, LA_ADDI_D, REG_TEMP, 0, 1);
    log_gpr(p, REG_TEMP);
    if (i->op == LA_BL)
        log_gpr(p, 1);
    log_registers(p, i);
}

static bool test_memory(struct diff_program *p, struct diff_random *r, struct la_insn *i)
{
    u64 va;
    if (!point_at_scratch(p, r, i, &va))
        return false;
    begin_test(p, i);
    log_registers(p, i);
    if (is_load_linked(i->op))
        emit_unlink(p);
    if (la_op_info[i->op].store_size)
        for (u64 a = va & ~7ULL; a < va + la_op_info[i->op].store_size; a += 8)
            log_memory(p, a);
    return true;
}

static void test_plain(struct diff_program *p, struct diff_random *r, struct la_insn *i)
{
    if (i->op == LA_MOVGR2FCSR && i->rj)
        load_gpr(p, i->rj, diff_bits(r) & 0xffffffff1f1f0300);
    if (la_op_info[i->op].class == LA_CLASS_BOUND && i->rj) {
        u64 rj = diff_gpr(r) | 1;
        load_gpr(p, i->rj, rj);
        if (i->rj != i->rk)
            load_gpr(p, i->rk, good_bound(r, i->op, rj));
    }
    begin_test(p, i);
    log_registers(p, i);
}

static void add_test(struct diff_program *p, struct diff_random *r, const u64 *op_set)
{
    for (;;) {
        struct la_insn i = choose(r, op_set);
        const struct la_op_info *info = &la_op_info[i.op];
        refresh_sources(p, r, &i);
        if ((info->flags & LA_F_FPX) && diff_below(r, 8) == 0)
            refresh_fcsr(p, r);
        if (info->class == LA_CLASS_BRANCH)
            test_branch(p, r, &i);
        else if (!access_size(info))
            test_plain(p, r, &i);
        else if (!test_memory(p, r, &i))
            continue;
        end_test(p);
        return;
    }
}

// The whole program -------------------------------------------------------------------------------

static void begin(struct diff_program *p, struct diff_random *r)
{
    load_constant(p, REG_POOL, DIFF_POOL_VA);
    load_constant(p, REG_LOG, DIFF_LOG_VA);
    for (unsigned n = 1; n < 32; n++)
        if (n != REG_POOL && n != REG_LOG)
            load_gpr(p, n, diff_gpr(r));
    for (unsigned n = 0; n < 32; n++)
        load_vector(p, n, diff_vector(r, LA_ELEM_NONE));
    for (unsigned n = 0; n < 8; n++)
        emit(p, LA_MOVGR2CF, n, 4 + n, 0);
    refresh_fcsr(p, r);
    for (unsigned n = 0; n < DIFF_SCRATCH_SIZE; n += 8)
        store_le(p->scratch + n, diff_integer(r, 64), 8);
}

static void end(struct diff_program *p)
{
    enum { A0 = 4, A1, A2, A7 = 11, SYS_EXIT = 93, SYS_WRITE = 64 };
    p->end_pc = here(p);
    load_constant(p, A0, 1);
    load_constant(p, A1, DIFF_SCRATCH_VA);
    load_constant(p, A2, DIFF_SCRATCH_SIZE + p->log_size);
    load_constant(p, A7, SYS_WRITE);
    emit(p, LA_SYSCALL, 0, 0, 0);
    load_constant(p, A0, 0);
    load_constant(p, A7, SYS_EXIT);
    emit(p, LA_SYSCALL, 0, 0, 0);
}

void diff_program_make(struct diff_program *p, u64 seed, size_t n_tests, const u64 *op_set)
{
    struct diff_random r = {seed};
    memset(p, 0, sizeof(*p));
    begin(p, &r);
    for (size_t n = 0; n < n_tests; n++)
        add_test(p, &r, op_set);
    end(p);
}

void diff_program_free(struct diff_program *p)
{
    free(p->code.data);
    free(p->pool.data);
    free(p->tests.data);
    free(p->items.data);
}

bool diff_op_is_testable(unsigned op)
{
    switch (op) { // the emulator takes rj + rk for the address, which faults if rj <= rk
    case LA_FLDLE_S:
    case LA_FLDLE_D:
    case LA_FSTLE_S:
    case LA_FSTLE_D: return false;
    default: break;
    }
    switch (la_op_info[op].class) {
    case LA_CLASS_CSR:
    case LA_CLASS_IOCSR:
    case LA_CLASS_TLB:
    case LA_CLASS_SYS:  // privileged
    case LA_CLASS_MISC: // system calls, time, the model's configuration words
    case LA_CLASS_LBT: return false;
    default: return op != LA_INVALID;
    }
}
