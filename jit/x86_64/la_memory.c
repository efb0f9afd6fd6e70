// SPDX-License-Identifier: Apache-2.0
// Loads and stores: the check against a slot, shared by a group of accesses, and the access.
//
// A group is a run of accesses through one base register that nobody changes in between, so near to
// each other that one slot surely covers all or is not used. With a store among them the group uses
// the store's slot; a store that a branch may skip does not join one that was of loads.
#include "jit/x86_64/la_trans.h"
#include "jit/x86_64/vector_ops.h"
#include "base/bug.h"

struct group {
    s32 low, high; // bytes relative to the base register
    unsigned end;  // the instruction after the last access
    bool has_store;
};

static bool is_store(const struct trans *t, unsigned n)
{
    return la_op_info[t->insns[n].op].store_size != 0;
}

static unsigned size_of(const struct trans *t, unsigned n)
{
    const struct la_op_info *o = &la_op_info[t->insns[n].op];
    return o->store_size ? o->store_size : o->load_size;
}

static bool writes_gpr(const struct trans *t, unsigned n, unsigned r)
{
    const struct la_insn *i = &t->insns[n];
    if (la_op_info[i->op].writes & 1 << LA_SLOT_J && i->rj == r)
        return true;
    return trans_writes_rd(i) && i->rd == r;
}

// Takes access n into the group if it fits.
static bool join(const struct trans *t, struct group *g, unsigned n, bool past_branch)
{
    s32 low = t->insns[n].imm, high = low + (s32)size_of(t, n);
    low = low < g->low ? low : g->low;
    high = high > g->high ? high : g->high;
    if (high - low > LA_SLOT_SPAN || (past_branch && is_store(t, n) && !g->has_store))
        return false;
    *g = (struct group){low, high, n + 1, g->has_store || is_store(t, n)};
    return true;
}

// The group that begins with the current instruction.
static struct group find_group(const struct trans *t)
{
    const struct la_insn *i = &t->insns[t->now];
    struct group g = {i->imm, i->imm + (s32)size_of(t, t->now), t->now + 1, is_store(t, t->now)};
    bool past_branch = false;
    for (unsigned n = t->now; n < t->n && !t->n_parted; n++) {
        const struct la_template *x = trans_template(t, n);
        if (!x || x->flags & (T_RDX | T_INDEX | T_ENDS))
            break;
        if (n > t->now && t->is_target[n])
            break;
        if (x->flags & T_GROUP && (t->insns[n].rj != i->rj || !join(t, &g, n, past_branch)))
            break;
        past_branch |= x->flags & T_BRANCH;
        if (writes_gpr(t, n, i->rj))
            break;
    }
    return g;
}

static struct record *access_record(struct trans *t, const struct group *g, unsigned slot)
{
    BUG_ON(t->n_records == BLOCK_MAX_COLD);
    const struct la_insn *i = &t->insns[t->now];
    struct record *r = &t->records[t->n_records++];
    *r = (struct record){.access = {
                             .page = t->page,
                             .slot = slot,
                             .span = (u32)(g->high - g->low),
                             .offset = trans_offset(t),
                             .word = i->raw,
                             .n_insns = (u8)(g->end - t->now),
                             .n_ways = 1,
                             .is_store = is_store(t, t->now),
                             .has_store = g->has_store,
                         }};
    return r;
}

static bool is_wide(const struct jit_access *a)
{
    return a->span > 8;
}

// Accesses that share this check lie across the end of a page if the flag of zero says so. When
// that has come about a few times there will be a block for it, to which the jump leads (run.c).
static void go_to_parted(struct trans *t, struct record *r)
{
    if (r->access.n_insns == 1)
        return;
    trans_swap_out(t);
    trans_keep_in_line(t, 2);
    r->access.to_parted = (u32)(emit_jcc(&t->e, CC_E) - t->jit->buffer);
    trans_swap_in(t);
}

// rdx is the record.
static void fill(struct trans *t, const u8 *back)
{
    trans_swap_out(t);
    emit_call_to(&t->e, t->jit->stubs.fill);
    trans_swap_in(t);
    emit_jmp_to(&t->e, back);
}

static void miss(struct trans *t, struct record *r, const u8 *back)
{
    emit_mov_ri(&t->e, RDX, r->access.span);
    emit_call_to(&t->e, t->jit->stubs.miss[t->page->mode.slots][r->access.slot]);
    emit_jcc_to(&t->e, CC_AE, back);
}

static void cold_miss(struct trans *t, const struct cold *x)
{
    const u8 *back = emit_run_address(&t->e, x->back);
    struct record *r = &t->records[x->record];
    miss(t, r, back);
    go_to_parted(t, r);
    r->site = emit_lea_rip(&t->e, RDX);
    fill(t, back);
}

static unsigned slot_by_offset(const struct trans *t, u32 offset)
{
    u64 where = t->page->number << (CODE_PAGE_SHIFT - 2) | offset >> 2;
    return 32 + (unsigned)((where * 0x9e3779b97f4a7c15) >> 32) % (LA_N_LOAD_SLOTS - 32);
}

// Pointers that come in have the slot of their register. Those that are made in the block have one
// by where that is: what one instruction loads points to the same region again and again, while the
// register holds something else next. The sum of two registers is made where it is used.
static unsigned choose_slot(const struct trans *t)
{
    const unsigned r = t->insns[t->now].rj;
    bool is_sum = trans_template(t, t->now)->flags & T_INDEX;
    u32 made = is_sum ? trans_offset(t) + 1 : t->defined[r];
    return made ? slot_by_offset(t, made - 1) : r;
}

static struct slot_place place_of(const struct trans *t, const struct record *r)
{
    return jit_slot_place(t->page->mode.slots, r->access.slot);
}

// rax is the address and becomes its distance from the slot's base; rdx becomes the delta. Above or
// equal: a miss.
static void compare_slot(struct trans *t, const struct record *r)
{
    struct slot_place p = place_of(t, r);
    emit_alu_rm(&t->e, ALU_SUB, W64, RAX, p.base);
    emit_mov_rm(&t->e, W64, RDX, p.delta);
    emit_alu_rm(&t->e, ALU_CMP, W64, RAX, is_wide(&r->access) ? p.limit : p.limit8);
}

static void check_slot(struct trans *t, const struct group *g, s32 first)
{
    unsigned slot = choose_slot(t) + (g->has_store ? LA_N_LOAD_SLOTS : 0);
    struct record *r = access_record(t, g, slot);
    r->access.first = first;
    compare_slot(t, r);
    struct cold *x = trans_cold(t, cold_miss, emit_jcc(&t->e, CC_AE));
    x->record = t->n_records - 1;
    x->back = emit_here(&t->e);
}

// Accesses that go to a few pages in turn have a slot for each of four that follow each other.
// Which one it is, the host's prediction of branches finds out: then nothing waits for it, as it
// does for a look into the table of pages.
#define N_WAYS 4

// Sites with the same four may well go to the same pages.
static unsigned way_slot(const struct trans *t, unsigned way)
{
    u64 where = t->page->number << (CODE_PAGE_SHIFT - 2) | trans_offset(t) >> 2;
    unsigned hash = (unsigned)(where * 0x9e3779b97f4a7c15 >> 40);
    return 32 + N_WAYS * (hash % ((LA_N_LOAD_SLOTS - 32) / N_WAYS)) + way;
}

// rax is an address that no way knows: lets here[] and empty[] lead to the way to fill, the last if
// not jumped. The first ones that are empty come first, as each way costs those behind it; when none
// is, the page's number chooses.
static void choose_way(struct trans *t, const struct record *r, u8 *empty[N_WAYS], u8 *here[N_WAYS])
{
    struct emit *e = &t->e;
    for (unsigned way = 0; way < N_WAYS - 1; way++) {
        emit_alu_mi(e, ALU_CMP, W64, place_of(t, &r[way]).limit8, 0);
        empty[way] = emit_jcc(e, CC_E);
    }
    emit_mov_rr(e, W32, RDX, RAX);
    emit_alu_ri(e, ALU_AND, W32, RDX, (N_WAYS - 1) << LA_PAGE_SHIFT);
    for (unsigned way = 0; way < N_WAYS - 1; way++) {
        emit_alu_ri(e, ALU_CMP, W32, RDX, (s32)way << LA_PAGE_SHIFT);
        here[way] = emit_jcc(e, CC_E);
    }
}

// Behind the first one. rax becomes the address again if none of them has it.
static void compare_other_ways(struct trans *t, const struct record *r, const u8 *back)
{
    for (unsigned way = 1; way < N_WAYS; way++) {
        emit_alu_rm(&t->e, ALU_ADD, W64, RAX, place_of(t, &r[way - 1]).base);
        compare_slot(t, &r[way]);
        emit_jcc_to(&t->e, CC_B, back);
    }
    emit_alu_rm(&t->e, ALU_ADD, W64, RAX, place_of(t, &r[N_WAYS - 1]).base);
}

// The first one's record has the block for accesses that cross.
static void cold_ways(struct trans *t, const struct cold *x)
{
    struct emit *e = &t->e;
    struct record *r = &t->records[x->record];
    const u8 *back = emit_run_address(e, x->back);
    u8 *empty[N_WAYS], *here[N_WAYS], *to_fill[N_WAYS], *crosses[N_WAYS];
    compare_other_ways(t, r, back);
    choose_way(t, r, empty, here);
    for (unsigned way = N_WAYS; way-- > 0;) {
        if (way < N_WAYS - 1) {
            emit_patch(here[way], emit_here(e));
            emit_patch(empty[way], emit_here(e));
        }
        emit_alu_rm(e, ALU_SUB, W64, RAX, place_of(t, &r[way]).base);
        miss(t, &r[way], back);
        if (!way)
            break;
        crosses[way] = emit_jcc(e, CC_E);
        r[way].site = emit_lea_rip(e, RDX);
        to_fill[way] = emit_jmp(e);
    }
    for (unsigned way = 1; way < N_WAYS; way++)
        emit_patch(crosses[way], emit_here(e));
    go_to_parted(t, r);
    r->site = emit_lea_rip(e, RDX);
    for (unsigned way = 1; way < N_WAYS; way++)
        emit_patch(to_fill[way], emit_here(e));
    fill(t, back);
}

static void check_ways(struct trans *t, const struct group *g, s32 first)
{
    unsigned base = g->has_store ? LA_N_LOAD_SLOTS : 0, record = t->n_records;
    for (unsigned way = 0; way < N_WAYS; way++) {
        struct record *r = access_record(t, g, base + way_slot(t, way));
        r->access.first = first;
        r->access.n_ways = N_WAYS;
    }
    compare_slot(t, &t->records[record]);
    struct cold *x = trans_cold(t, cold_ways, emit_jcc(&t->e, CC_AE));
    x->record = record;
    x->back = emit_here(&t->e);
}

// What is not in the table may have a slot nevertheless: of a small page, or beside code.
static void cold_pages(struct trans *t, const struct cold *x)
{
    struct emit *e = &t->e;
    struct record *r = &t->records[x->record];
    const u8 *back = emit_run_address(e, x->back);
    const unsigned mode = t->page->mode.slots;
    const bool has_store = r->access.has_store;
    emit_alu_rm(e, ALU_ADD, W64, RAX, at_index(RBP, RCX, 1, jit_near_place(mode, has_store)));
    emit_mov_ri(e, RDX, r->access.span - 1);
    emit_call_to(e, t->jit->stubs.near[mode][has_store]);
    emit_jcc_to(e, CC_AE, back);
    go_to_parted(t, r);
    compare_slot(t, r);
    u8 *miss = emit_jcc(e, CC_AE);
    emit_alu_rm(e, ALU_ADD, W64, RAX, place_of(t, r).base);
    emit_jmp_to(e, back);
    emit_patch(miss, emit_here(e));
    emit_alu_rm(e, ALU_ADD, W64, RAX, place_of(t, r).base);
    r->site = emit_lea_rip(e, RDX);
    fill(t, back);
}

// The table of pages. rax is the address and rcx is lost; rax + rdx becomes its place in the host.
static void check_pages(struct trans *t, const struct group *g, s32 first)
{
    struct emit *e = &t->e;
    const s32 near = jit_near_place(t->page->mode.slots, g->has_store);
    struct record *r = access_record(
        t, g, slot_by_offset(t, trans_offset(t)) + (g->has_store ? LA_N_LOAD_SLOTS : 0));
    r->access.first = first;
    r->access.n_ways = 0;
    if (t->jit->has_bmi2) {
        emit_rorx(e, W32, RCX, RAX, LA_PAGE_SHIFT - 4);
    } else {
        emit_mov_rr(e, W32, RCX, RAX);
        emit_shift_ri(e, SHIFT_SHR, W32, RCX, LA_PAGE_SHIFT - 4);
    }
    emit_alu_ri(e, ALU_AND, W32, RCX, (LA_N_NEAR - 1) << 4);
    emit_mov_rm(e, W64, RDX, at_index(RBP, RCX, 1, near + 8));
    emit_alu_rm(e, ALU_SUB, W64, RAX, at_index(RBP, RCX, 1, near));
    emit_alu_ri(e, ALU_CMP, W64, RAX, (1 << LA_PAGE_SHIFT) - (s32)r->access.span);
    struct cold *x = trans_cold(t, cold_pages, emit_jcc(e, CC_A));
    x->record = t->n_records - 1;
    x->back = emit_here(e);
}

static void check_slots(struct trans *t, const struct group *g, s32 first, enum access_form form)
{
    if (form == FORM_WAYS)
        check_ways(t, g, first);
    else
        check_slot(t, g, first);
}

// rax: the address of the group's first byte.
static enum reg group_address(struct trans *t, const struct group *g)
{
    enum reg base = trans_use(t, t->insns[t->now].rj, RCX);
    if (g->low)
        emit_lea(&t->e, W64, RAX, at(base, g->low));
    else
        emit_mov_rr(&t->e, W64, RAX, base);
    return base;
}

static void open_group(struct trans *t, const struct group *g, bool is_host)
{
    t->group_base = t->insns[t->now].rj;
    t->group_end = g->end;
    t->group_is_host = is_host;
}

static struct mem open_by_slot(struct trans *t, const struct group *g, enum access_form form)
{
    const struct la_insn *i = &t->insns[t->now];
    enum reg base = group_address(t, g);
    check_slots(t, g, i->imm - g->low, form);
    if (g->end == t->now + 1)
        return at_index(base, RDX, 1, i->imm);
    open_group(t, g, base == RCX);
    if (base != RCX)
        return at_index(base, RDX, 1, i->imm);
    emit_alu_rr(&t->e, ALU_ADD, W64, RDX, RCX);
    return at(RDX, i->imm);
}

static struct mem open_by_pages(struct trans *t, const struct group *g)
{
    const struct la_insn *i = &t->insns[t->now];
    enum reg base = gpr_host(t, i->rj);
    if (base == NO_REG) {
        trans_copy(t, RAX, i->rj);
        if (g->low)
            emit_alu_ri(&t->e, ALU_ADD, W64, RAX, g->low);
    } else {
        group_address(t, g);
    }
    check_pages(t, g, i->imm - g->low);
    if (g->end == t->now + 1)
        return at_index(RAX, RDX, 1, i->imm - g->low);
    open_group(t, g, true);
    emit_lea(&t->e, W64, RDX, at_index(RDX, RAX, 1, -g->low));
    return at(RDX, i->imm);
}

static struct mem begin_group(struct trans *t)
{
    struct group g = find_group(t);
    enum access_form form = trans_access_form(t);
    t->group_base = 0;
    return form == FORM_PAGES ? open_by_pages(t, &g) : open_by_slot(t, &g, form);
}

static void add_registers(struct trans *t, enum reg d, unsigned a, unsigned b)
{
    if (gpr_host(t, a) != NO_REG && gpr_host(t, b) != NO_REG) {
        emit_lea(&t->e, W64, d, at_index(gpr_host(t, a), gpr_host(t, b), 1, 0));
        return;
    }
    trans_copy(t, d, a);
    if (b && gpr_host(t, b) != NO_REG)
        emit_alu_rr(&t->e, ALU_ADD, W64, d, gpr_host(t, b));
    else if (b)
        emit_alu_rm(&t->e, ALU_ADD, W64, d, gpr_home(b));
}

static struct mem indexed(struct trans *t)
{
    const struct la_insn *i = &t->insns[t->now];
    struct group g = {0, (s32)size_of(t, t->now), t->now + 1, is_store(t, t->now)};
    enum access_form form = trans_access_form(t);
    if (form == FORM_PAGES) {
        add_registers(t, RAX, i->rj, i->rk);
        check_pages(t, &g, 0);
        return at_index(RAX, RDX, 1, 0);
    }
    add_registers(t, RCX, i->rj, i->rk);
    emit_mov_rr(&t->e, W64, RAX, RCX);
    check_slots(t, &g, 0, form);
    return at_index(RCX, RDX, 1, 0);
}

struct mem trans_access(struct trans *t)
{
    const struct la_insn *i = &t->insns[t->now];
    if (trans_template(t, t->now)->flags & T_INDEX)
        return indexed(t);
    if (t->group_base != i->rj || t->now >= t->group_end || !i->rj)
        return begin_group(t);
    return t->group_is_host ? at(RDX, i->imm) : at_index(gpr_host(t, i->rj), RDX, 1, i->imm);
}

// `arg`: the width in bytes, and 16 if the value is sign-extended.
TEMPLATE(load)
{
    struct mem m = trans_access(t);
    enum reg d = trans_define(t, i->rd);
    emit_extend_rm(&t->e, (enum width)(arg & 15), arg & 16, d, m);
    trans_set(t, i->rd, d);
}

TEMPLATE(store)
{
    struct mem m = trans_access(t);
    if (i->rd)
        emit_mov_mr(&t->e, (enum width)arg, m, trans_use(t, i->rd, m.base == RAX ? RCX : RAX));
    else
        emit_mov_mi(&t->e, (enum width)arg, m, 0);
}

// Of a prefetch nothing is left, unless a guest is to exit by it.
TEMPLATE(preld)
{
    if (t->cpu->lvz.barriers_exit)
        trans_interpret(t);
}

// Only hints that order earlier stores before later loads need a fence on a host with total store
// order. Bits 2 and 1 of the hint: earlier loads, stores are not waited for; volume 1, 2.2.8.1.
TEMPLATE(dbar)
{
    if (t->cpu->lvz.barriers_exit) {
        trans_interpret(t);
        return;
    }
    bool orders_store_load = (i->imm & 0x700) != 0x700 && !(i->imm & 6);
    if (!orders_store_load)
        return;
    emit_locked(&t->e);
    emit_alu_mi(&t->e, ALU_OR, W32, at(RSP, -8), 0);
}
