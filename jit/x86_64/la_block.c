// SPDX-License-Identifier: Apache-2.0
// One block: decode, emit, what is rarely needed behind it, and its entries.
//
// A block begins where it is first entered and goes on past conditional branches that are not
// taken, to an unconditional one, to an instruction after which everything may be different, or to
// the end of its page. Every instruction boundary at which only the pinned state matters is an
// entry.
#include "jit/x86_64/la_trans.h"
#include "cpu/loongarch64/interp.h"
#include "jit/x86_64/vector_ops.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

// More than a block can need.
#define MAX_BYTES (BLOCK_MAX_INSNS * 256 + BLOCK_MAX_COLD * 320)

// Instructions of a block that compares its source: few, as one that changes makes all of them be
// translated again.
#define N_COMPARED 4

// Instructions that a jump within a loop passes over.
#define MAX_HALF 32

// Instructions after which the mode, the requests or the code itself may be others.
static bool changes_much(unsigned op)
{
    switch (la_op_info[op].class) {
    case LA_CLASS_CSR: return op != LA_CSRRD;
    case LA_CLASS_TLB: return op != LA_LDDIR && op != LA_LDPTE && op != LA_TLBSRCH;
    case LA_CLASS_SYS: return op != LA_CACOP;
    // One without a template.
    case LA_CLASS_BRANCH: return true;
    default:
        return op == LA_INVALID || op == LA_IBAR || op == LA_MOVGR2FCSR || op == LA_SYSCALL ||
               op == LA_BREAK;
    }
}

// They look at every store, or at memory alone.
static bool is_of_links(unsigned op)
{
    switch (op) {
    case LA_LL_W:
    case LA_LL_D:
    case LA_LLACQ_W:
    case LA_LLACQ_D:
    case LA_SC_W:
    case LA_SC_D:
    case LA_SCREL_W:
    case LA_SCREL_D: return true;
    default: return false;
    }
}

// Not for an instruction that the model has not: another function than its own executes that one.
static const struct la_template *template_of(const struct jit *j, unsigned op,
                                             la_execute_fn execute)
{
    const struct la_template *x = &la_templates[op];
    if (!x->emit || execute != interp_table[op] || (j->options.exact_links && is_of_links(op)))
        return NULL;
    return j->lacks[op] ? NULL : x;
}

const struct la_template *trans_template(const struct trans *t, unsigned n)
{
    return template_of(t->jit, t->insns[n].op, t->execute[n]);
}

bool jit_has_template(const struct jit *j, const struct la_cpu *c, u32 word)
{
    struct la_insn i;
    la_execute_fn execute = la_decode_for(c, word, &i);
    return la_op_info[i.op].class != LA_CLASS_CSR && template_of(j, i.op, execute);
}

static bool ends(const struct trans *t, unsigned n)
{
    const struct la_template *x = trans_template(t, n);
    if (!x)
        return changes_much(t->insns[n].op);
    return x->flags & T_ENDS && !trans_goes_on_behind(t, &t->insns[n]);
}

// A jump over what a branch before it leads to: the other half of a choice, which may be part of a
// loop.
static bool skips_other_half(const struct trans *t, unsigned n)
{
    const struct la_insn *i = &t->insns[n];
    if (i->op != LA_B || i->imm <= 0 || i->imm > 4 * MAX_HALF)
        return false;
    for (unsigned from = 0; from < n; from++) {
        const struct la_template *x = trans_template(t, from);
        s64 target = (s64)from + t->insns[from].imm / 4;
        if (x && x->flags & T_BRANCH && target > n && target <= n + i->imm / 4)
            return true;
    }
    return false;
}

// Instructions from the block's beginning on. Those of small pages end with 4 KiB.
static void decode(struct trans *t)
{
    const unsigned page = t->page->mode.is_small ? 4096 : CODE_PAGE;
    unsigned max = (page - t->offset % page) / 4;
    unsigned limit = t->page->is_unwatched ? N_COMPARED : BLOCK_MAX_INSNS;
    if (t->jit->options.one_insn)
        limit = 1;
    if (t->n_parted)
        limit = t->n_parted;
    max = max < limit ? max : limit;
    for (t->n = 0; t->n < max;) {
        u32 word;
        memcpy(&word, t->page->host + t->offset + 4 * t->n, 4);
        t->execute[t->n] = la_decode_for(t->cpu, word, &t->insns[t->n]);
        t->n++;
        if (!ends(t, t->n - 1))
            continue;
        if (!t->n_straight)
            t->n_straight = t->n;
        if (!skips_other_half(t, t->n - 1))
            break;
    }
}

// Where loops begin that end in this block.
static void find_heads(struct trans *t)
{
    for (unsigned n = 0; n < t->n; n++) {
        const struct la_insn *i = &t->insns[n];
        bool goes_back = la_op_info[i->op].class == LA_CLASS_BRANCH && i->op != LA_JIRL &&
                         i->imm <= 0 && -i->imm <= 4 * (s32)n;
        if (goes_back)
            t->is_head[n - (unsigned)-i->imm / 4] = true;
    }
}

struct record *trans_call_record(struct trans *t)
{
    BUG_ON(t->n_records == BLOCK_MAX_COLD);
    struct record *r = &t->records[t->n_records++];
    *r = (struct record){.is_call = true,
                         .call = {.execute = t->execute[t->now],
                                  .insn = t->insns[t->now],
                                  .offset = trans_offset(t)}};
    return r;
}

// A block that is compared has nothing in it that cannot be undone. The stretch ends here.
static void leave_to_interpreter(struct trans *t)
{
    trans_swap_out(t);
    trans_give_back(t, 1);
    emit_mov_ri(&t->e, RAX, trans_offset(t));
    emit_mov_ri(&t->e, RCX, 1);
    emit_jmp_to(&t->e, t->jit->stubs.interpret);
    t->is_ended = true;
}

// The interpreter's call of an instruction after which the block goes on, though others of its
// class end it.
void trans_interpret_on(struct trans *t)
{
    if (t->jit->options.check || t->jit->options.count) {
        trans_interpret(t);
        return;
    }
    trans_swap_out(t);
    trans_call_record(t)->site = emit_lea_rip(&t->e, RDX);
    emit_call_to(&t->e, t->jit->stubs.call);
    trans_swap_in(t);
    t->group_base = 0;
}

// The interpreter's call of this instruction.
void trans_interpret(struct trans *t)
{
    if (t->jit->options.check) {
        leave_to_interpreter(t);
        return;
    }
    trans_swap_out(t);
    trans_call_record(t)->site = emit_lea_rip(&t->e, RDX);
    t->is_ended = changes_much(t->insns[t->now].op);
    if (t->is_ended && t->insns[t->now].op == LA_MOVGR2FCSR)
        emit_jmp_to(&t->e, t->jit->stubs.call_leave);
    else if (t->is_ended)
        emit_jmp_to(&t->e, t->jit->stubs.call_last);
    else
        emit_call_to(&t->e, t->jit->stubs.call);
    if (!t->is_ended)
        trans_swap_in(t);
    t->group_base = 0;
}

// An open group needs its delta again.
static void cold_redo(struct trans *t, const struct cold *x)
{
    if (x->value)
        emit_mov_mr(&t->e, W64, STATE(code.scratch[2]), RDX);
    t->records[x->record].site = emit_lea_rip(&t->e, RDX);
    trans_swap_out(t);
    emit_call_to(&t->e, t->jit->stubs.call);
    trans_swap_in(t);
    if (x->value)
        emit_mov_rm(&t->e, W64, RDX, STATE(code.scratch[2]));
    emit_jmp_to(&t->e, emit_run_address(&t->e, x->back));
}

struct cold *trans_redo_if(struct trans *t, enum cond cc)
{
    trans_call_record(t);
    struct cold *x = trans_cold(t, cold_redo, emit_jcc(&t->e, cc));
    x->record = t->n_records - 1;
    x->value = t->group_base != 0;
    return x;
}

static void cold_unit(struct trans *t, const struct cold *x)
{
    unsigned n = trans_n_ahead(t, x->offset);
    trans_give_back(t, n);
    emit_mov_ri(&t->e, RAX, x->offset);
    emit_mov_ri(&t->e, RCX, x->value);
    trans_swap_out(t);
    emit_call_to(&t->e, t->jit->stubs.unit);
    trans_swap_in(t);
    trans_take_again(t, n);
    emit_jmp_to(&t->e, emit_run_address(&t->e, x->back));
}

void trans_need_unit(struct trans *t, u32 bit)
{
    if (t->units & bit)
        return;
    emit_test_mi8(&t->e, STATE(code.units), bit);
    struct cold *x = trans_cold(t, cold_unit, emit_jcc(&t->e, CC_E));
    x->value = bit;
    x->back = emit_here(&t->e);
    t->units |= bit;
}

// A pointer that is moved on by a constant still points to where it did.
static bool is_step(const struct la_insn *i)
{
    return i->op == LA_ADDI_D && i->rd == i->rj;
}

static void note_definition(struct trans *t, const struct la_insn *i)
{
    if (!trans_writes_rd(i))
        return;
    if (i->rd == t->group_base)
        t->group_base = 0;
    if (!is_step(i))
        t->defined[i->rd] = trans_offset(t) + 1;
}

static void emit_insn(struct trans *t)
{
    const struct la_insn *i = &t->insns[t->now];
    const struct la_template *x = trans_template(t, t->now);
    bool is_in_group = t->group_base && t->now < t->group_end;
    if (!is_in_group || !x || x->flags & T_RDX)
        t->group_base = 0;
    if (!t->n_parted && !t->group_base && !t->units && !t->page->is_unwatched &&
        trans_begins_stretch(t))
        t->entry[t->now] = emit_here(&t->e);
    if (t->is_loop && t->now)
        t->entry[t->now] = NULL;
    trans_note_label(t);
    trans_begin_stretch(t);
    if (t->is_head[t->now] || t->is_target[t->now])
        t->held = 0;
    if (!x) {
        trans_interpret(t);
        note_definition(t, i);
        return;
    }
    t->is_ended = x->flags & T_ENDS;
    x->emit(t, i, x->arg);
    t->jit->lacks[i->op] |= t->e.is_lacking;
    note_definition(t, i);
}

static void emit_cold(struct trans *t)
{
    for (unsigned n = 0; n < t->n_cold && !t->e.is_full; n++) {
        struct cold *x = &t->cold[n];
        emit_patch(x->site, emit_here(&t->e));
        x->emit(t, x);
    }
}

static void emit_records(struct trans *t)
{
    emit_align(&t->e, 8, 0);
    for (unsigned n = 0; n < t->n_records && !t->e.is_full; n++) {
        struct record *r = &t->records[n];
        emit_patch(r->site, emit_here(&t->e));
        if (r->is_call)
            r->call.n_ahead = (u8)trans_n_ahead(t, r->call.offset);
        else
            r->access.n_ahead = (u8)trans_n_ahead(t, r->access.offset);
        if (r->is_call)
            emit_bytes(&t->e, &r->call, sizeof(r->call));
        else
            emit_bytes(&t->e, &r->access, sizeof(r->access));
        emit_align(&t->e, 8, 0);
    }
}

static void note_lines(struct jit_page *p, unsigned offset, unsigned size)
{
    for (unsigned line = offset >> CODE_LINE_SHIFT; line <= (offset + size - 1) >> CODE_LINE_SHIFT;
         line++)
        p->lines[line >> 6] |= BIT(line & 63);
}

// An instruction that has an entry already keeps it: jumps lead there.
static void note_entries(struct trans *t)
{
    for (unsigned n = 0; n < t->now; n++) {
        u32 *entry = &t->page->entry[t->offset / 4 + n];
        if (t->entry[n] && (n == 0 || !*entry))
            __atomic_store_n(entry, (u32)(t->entry[n] - t->jit->buffer), __ATOMIC_RELEASE);
    }
}

// In a page that is stored to without notice all ways into a block lead through a door, a jump that
// stays where it is while the block behind it is translated again.
static void find_door(struct trans *t)
{
    u32 known = t->page->entry[t->offset / 4];
    u8 *door = known ? t->jit->buffer + known : NULL;
    if (!door) {
        trans_keep_in_line(t, 1);
        door = emit_here(&t->e);
        emit_jmp(&t->e);
    }
    t->door = door + 1;
    t->entry[0] = door;
}

// The block begins with a comparison: is the source still what was translated? What changes while
// it runs counts behind an ibar, and that ends it.
static void compare_source(struct trans *t)
{
    struct emit *e = &t->e;
    find_door(t);
    const u8 *stale = emit_run_address(e, emit_here(e));
    emit_mov_mi(e, W32, STATE(code.stale), (s32)(t->entry[0] - t->jit->buffer));
    trans_leave(t, t->offset);
    t->behind_door = emit_here(e);
    emit_mov_ri(e, RCX, (u64)(uintptr_t)(t->page->host + t->offset));
    for (unsigned n = 0; n < t->n; n += 2) {
        bool is_last = n + 1 == t->n;
        emit_mov_ri(e, RAX, t->insns[n].raw | (is_last ? 0 : (u64)t->insns[n + 1].raw << 32));
        emit_alu_rm(e, ALU_CMP, is_last ? W32 : W64, RAX, at(RCX, 4 * (s64)n));
        emit_jcc_to(e, CC_NE, stale);
    }
}

static void emit_block(struct trans *t)
{
    if (t->page->is_unwatched)
        compare_source(t);
    for (t->now = 0; t->now < t->n && !t->is_ended && !t->e.is_lacking; t->now++) {
        if (t->n_cold + 8 > BLOCK_MAX_COLD || t->n_records + 8 > BLOCK_MAX_COLD)
            break;
        emit_insn(t);
    }
    trans_end_stretch(t);
    if (!t->is_ended)
        trans_goto(t, (s32)trans_offset(t));
    emit_cold(t);
    emit_records(t);
}

static void commit(struct trans *t)
{
    struct jit *j = t->jit;
    note_lines(t->page, t->offset, 4 * t->now);
    if (t->door)
        emit_patch(t->door, t->behind_door);
    note_entries(t);
    j->counts.n_blocks++;
    j->counts.n_insns += t->now;
    j->counts.n_bytes += (size_t)(t->e.p - t->e.start);
    perf_map_add(j->perf_map, emit_run_address(&t->e, t->e.start), (size_t)(t->e.p - t->e.start),
                 (t->page->number << CODE_PAGE_SHIFT) + t->offset);
    j->used = ((size_t)(t->e.p - j->buffer) + 15) & ~(size_t)15;
}

struct trans *jit_trans_new(void)
{
    struct trans *t = calloc(1, sizeof(*t));
    BUG_ON(!t);
    return t;
}

// Decodes the block at `offset`. False: the buffer is full.
static bool begin(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset,
                  unsigned n_parted)
{
    u8 *start = jit_reserve(j, MAX_BYTES);
    if (!start)
        return false;
    struct trans *t = j->trans;
    memset(t, 0, offsetof(struct trans, cold));
    memcpy(t->map, jit_gpr_host, sizeof(t->map));
    t->n_cold = t->n_records = t->n_flow = 0;
    t->e = (struct emit){.p = start,
                         .start = start,
                         .limit = start + MAX_BYTES,
                         .literals = j->buffer + j->literals,
                         .to_run = j->to_run,
                         .is_sse = !j->has_avx2};
    t->jit = j;
    for (unsigned r = 0; r < 32; r++)
        t->vr_map[r] = r < jit_n_vector_pins(j) ? (u8)vr_host(r) : NO_VR;
    t->cpu = c;
    t->page = p;
    t->offset = offset;
    t->n_parted = n_parted;
    decode(t);
    return true;
}

// While lines are closed others may translate, with what is set up here: then it begins again.
static bool begin_closed(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset,
                         unsigned n_parted)
{
    const u64 n_flushes = j->counts.n_flushes;
    do {
        if (j->counts.n_flushes != n_flushes || !begin(j, c, p, offset, n_parted))
            return false;
    } while (jit_close_lines(j, c, p, offset, 4 * j->trans->n));
    return true;
}

static bool translate(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset,
                      unsigned n_parted)
{
    const unsigned mode = p->mode.slots;
    const u64 began = jit_ticks();
    if (!j->stubs.miss[mode][0] && !jit_make_misses(j, mode))
        return false;
    struct trans *t = j->trans;
    do {
        if (!begin_closed(j, c, p, offset, n_parted))
            return false;
        if (!n_parted)
            trans_find_loop(t);
        find_heads(t);
        emit_block(t);
    } while (t->e.is_lacking); // an instruction is now known to be the interpreter's
    BUG_ON(t->e.is_full);
    if (t->is_literal_missing)
        return false;
    commit(t);
    j->counts.n_ticks += jit_ticks() - began;
    return true;
}

bool jit_translate(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset)
{
    return translate(j, c, p, offset, 0);
}

u32 jit_translate_parted(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset,
                         unsigned n)
{
    return translate(j, c, p, offset, n) ? (u32)(j->trans->e.start - j->buffer) : 0;
}
