// SPDX-License-Identifier: Apache-2.0
// Code that is made once: ways into translated code, out of it, and into C from it.
//
// Inside, rsp is 8 more than a multiple of 16, so that a stub that was called is aligned to call C.
// On the stack are the calls of the guest that are open (la_branch.c), 16 bytes each: where the
// host goes on, above it the guest's return address. All ways out drop them.
#include "jit/cache.h"
#include "jit/x86_64/state.h"
#include "jit/x86_64/vector_ops.h"
#include "base/bug.h"

// What programs of a distribution use most while they run, and what functions save. The rest is
// left to loops.
const struct jit_pin jit_pins[JIT_N_PINS] = {
    {1, R12},  {3, RSI},  {4, RDI},  {5, R8},   {6, R9},   {7, R10},
    {12, R13}, {13, R14}, {22, R11}, {23, R15}, {24, RBX},
};
const u8 jit_gpr_host[32] = {
    NO_REG, R12, NO_REG, RSI,    RDI,    R8,     R9,     R10,    NO_REG, NO_REG, NO_REG,
    NO_REG, R13, R14,    NO_REG, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG,
    R11,    R15, RBX,    NO_REG, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG,
};

// That may be open at once; with one more all are forgotten.
#define N_OPEN_CALLS 512

static const enum reg callee_saved[] = {RBX, RBP, R12, R13, R14, R15};

unsigned jit_n_vector_pins(const struct jit *j)
{
    return (j->has_evex ? 32 : j->has_avx2 ? 16 : EMIT_SSE_SPARE) - JIT_N_VECTOR_SCRATCH;
}

static void spill_gprs(struct emit *e)
{
    for (unsigned i = 0; i < JIT_N_PINS; i++)
        emit_mov_mr(e, W64, gpr_home(jit_pins[i].guest), jit_pins[i].host);
}

static void reload_gprs(struct emit *e)
{
    for (unsigned i = 0; i < JIT_N_PINS; i++)
        emit_mov_rm(e, W64, jit_pins[i].host, gpr_home(jit_pins[i].guest));
}

// The exceptions of MXCSR in the order of FCSR: bits 4 to 0 are V, Z, O, U, I. There is no
// counterpart of "denormal operand".
static u8 fcsr_flags_of(unsigned mxcsr)
{
    return (u8)((mxcsr & 1) << 4 | (mxcsr >> 2 & 1) << 3 | (mxcsr >> 3 & 1) << 2 |
                (mxcsr >> 4 & 1) << 1 | (mxcsr >> 5 & 1));
}

static void store_mxcsr(struct emit *e, struct mem m)
{
    emit_0f_rm(e, 0, 0xae, W32, 3, m);
}

static void load_mxcsr(struct emit *e, struct mem m)
{
    emit_0f_rm(e, 0, 0xae, W32, 2, m);
}

// rcx is lost. The flags that were raised since the last time go to FCSR, if there are any: all of
// them to Flags and to Cause, which therefore may hold those of earlier instructions as well. Falls
// through; returns the site of a jump that is taken if there are none.
static u8 *fold_mxcsr(struct emit *e, const u8 *table)
{
    store_mxcsr(e, STATE(code.scratch));
    emit_mov_rm(e, W32, RCX, STATE(code.scratch));
    emit_alu_ri(e, ALU_AND, W32, RCX, 0x3d);
    u8 *none = emit_jcc(e, CC_E);
    emit_push(e, RDX);
    emit_mov_ri(e, RDX, (u64)(uintptr_t)table);
    emit_extend_rm(e, W8, false, RCX, at_index(RDX, RCX, 1, 0));
    emit_pop(e, RDX);
    emit_alu_mi(e, ALU_AND, W32, STATE(fcsr), (s32)~0x1f000000u);
    emit_shift_ri(e, SHIFT_SHL, W32, RCX, 16);
    emit_alu_mr(e, ALU_OR, W32, STATE(fcsr), RCX);
    emit_shift_ri(e, SHIFT_SHL, W32, RCX, 8);
    emit_alu_mr(e, ALU_OR, W32, STATE(fcsr), RCX);
    return none;
}

// With SSE only the lower halves are in host registers; the upper ones stay at home.
static void move_vectors(struct emit *e, const struct jit *j, u32 vop)
{
    unsigned bits = j->has_avx2 ? 256 : 128;
    for (unsigned i = 0; i < jit_n_vector_pins(j); i++)
        emit_v_rrm(e, vop, bits, vr_host(i), 0, vr_home(i));
}

// Vector registers to their homes, if they are in the host's; rcx is lost.
static void spill_vectors(struct emit *e, const struct jit *j, const u8 *table)
{
    emit_alu_mi(e, ALU_CMP, W32, STATE(code.units), 0);
    u8 *skip = emit_jcc(e, CC_E);
    move_vectors(e, j, VMOVDQU_STORE);
    u8 *none = fold_mxcsr(e, table);
    emit_patch(none, emit_here(e));
    emit_mov_mi(e, W32, STATE(code.scratch), 0x1f80);
    load_mxcsr(e, STATE(code.scratch));
    emit_mov_mi(e, W32, STATE(code.units), 0);
    if (j->has_avx2)
        emit_bytes(e, "\xc5\xf8\x77", 3); // vzeroupper
    emit_patch(skip, emit_here(e));
}

static void load_vectors(struct emit *e, const struct jit *j)
{
    move_vectors(e, j, VMOVDQU);
    load_mxcsr(e, STATE(code.mxcsr));
    emit_mov_rm(e, W32, RCX, STATE(units));
    emit_mov_mr(e, W32, STATE(code.units), RCX);
}

static const u8 *begin(struct emit *e)
{
    emit_align(e, 32, 0);
    return emit_run_address(e, emit_here(e));
}

static void call_c(struct emit *e, void (*fn)(void))
{
    emit_mov_ri(e, RAX, (u64)(uintptr_t)fn);
    emit_call_r(e, RAX);
}

static void return_to_c(struct emit *e)
{
    emit_mov_rm(e, W64, RSP, STATE(code.calls_base));
    emit_alu_ri(e, ALU_ADD, W64, RSP, 16);
    for (unsigned i = ARRAY_LEN(callee_saved); i-- > 0;)
        emit_pop(e, callee_saved[i]);
    emit_ret(e);
}

static void make_enter(struct emit *e, struct jit_stubs *s)
{
    s->enter = begin(e);
    for (unsigned i = 0; i < ARRAY_LEN(callee_saved); i++)
        emit_push(e, callee_saved[i]);
    emit_lea(e, W64, RBP, at(RDI, JIT_STATE));
    emit_mov_rr(e, W64, RAX, RSI);
    // Whoever returns beyond the first call, even to this "address", leaves.
    emit_mov_ri(e, RCX, (u64)(uintptr_t)s->leave_pc);
    emit_push(e, RCX);
    emit_push(e, RCX);
    emit_mov_mr(e, W64, STATE(code.calls_base), RSP);
    emit_lea(e, W64, RCX, at(RSP, -16 * N_OPEN_CALLS));
    emit_mov_mr(e, W64, STATE(code.calls_limit), RCX);
    reload_gprs(e);
    emit_jmp_r(e, RAX);
}

static void make_leave(struct emit *e, const struct jit *j, struct jit_stubs *s, const u8 *table)
{
    s->link = begin(e);
    emit_mov_mr(e, W64, STATE(code.link_site), RDX);
    u8 *to_leave = emit_jmp(e);
    s->interpret = begin(e);
    emit_mov_mr(e, W32, STATE(code.n_interpret), RCX);
    emit_patch(to_leave, emit_here(e));
    s->leave = emit_run_address(e, emit_here(e));
    emit_alu_rm(e, ALU_ADD, W64, RAX, STATE(code.pc_base));
    s->leave_pc = emit_run_address(e, emit_here(e));
    emit_mov_mr(e, W64, STATE(pc), RAX);
    spill_gprs(e);
    spill_vectors(e, j, table);
    return_to_c(e);
}

#define FAR_TARGET(f) \
    at_index(RBP, RCX, 4, JIT_TABLE(more_targets) + (s32)offsetof(struct la_far_target, f))
#define HOST_MASK ((1 << LA_TARGET_HOST_BITS) - 1)

// rdx: `host` of a struct la_far_target, which becomes the address; rcx is lost.
static void find_host(const struct jit *j, struct emit *e)
{
    emit_alu_ri(e, ALU_AND, W32, RDX, HOST_MASK);
    emit_mov_ri(e, RCX, (u64)(uintptr_t)jit_run_address(j, 0));
    emit_alu_rr(e, ALU_ADD, W64, RDX, RCX);
}

// Goes to the target of the address in rax, whose `host` is in rdx, wherever its page is.
static void go_to_far_target(const struct jit *j, struct emit *e)
{
    emit_alu_ri(e, ALU_AND, W64, RAX, -4096);
    emit_mov_rr(e, W32, RCX, RDX);
    emit_shift_ri(e, SHIFT_SHR, W32, RCX, LA_TARGET_HOST_BITS);
    emit_shift_ri(e, SHIFT_SHL, W32, RCX, 12);
    emit_alu_rr(e, ALU_SUB, W64, RAX, RCX);
    emit_mov_mr(e, W64, STATE(code.pc_base), RAX);
    find_host(j, e);
    emit_jmp_r(e, RDX);
}

// Likewise, and into the small table, with the key in scratch[0]. The jump is taken, with all as it
// was, if the target has no place there.
static u8 *copy_target(const struct jit *j, struct emit *e)
{
    emit_mov_rr(e, W32, RCX, RAX);
    emit_shift_ri(e, SHIFT_SHL, W32, RCX, LA_TARGET_HOST_BITS - 12);
    emit_alu_rr(e, ALU_XOR, W32, RCX, RDX);
    emit_shift_ri(e, SHIFT_SHR, W32, RCX, LA_TARGET_HOST_BITS);
    u8 *no = emit_jcc(e, CC_NE);
    find_host(j, e);
    emit_push(e, RDX);
    jit_target_place(j, e, LA_N_TARGETS);
    emit_pop(e, RDX);
    emit_alu_rm(e, ALU_ADD, W64, RCX, STATE(code.targets_at));
    emit_mov_mr(e, W64, at_index(RBP, RCX, 4, JIT_TARGET(host, false)), RDX);
    emit_alu_ri(e, ALU_AND, W64, RAX, -(s32)CODE_PAGE);
    emit_mov_mr(e, W64, STATE(code.pc_base), RAX);
    emit_mov_rm(e, W64, RAX, STATE(code.scratch[0]));
    emit_mov_mr(e, W64, at_index(RBP, RCX, 4, JIT_TARGET(key, false)), RAX);
    emit_jmp_r(e, RDX);
    return no;
}

// The address in rax is not in the table of targets: it is looked for in the larger one.
static void make_unknown(struct emit *e, const struct jit *j, struct jit_stubs *s)
{
    u8 *no[3];
    s->unknown = begin(e);
    emit_mov_rm(e, W32, RDX, STATE(cpu.requests)); // and the context
    emit_test_rr(e, W8, RDX, RDX);
    no[0] = emit_jcc(e, CC_NE);
    jit_target_place(j, e, LA_N_MORE_TARGETS);
    emit_mov_mr(e, W64, STATE(code.scratch[0]), RDX);
    emit_alu_rm(e, ALU_CMP, W64, RAX, FAR_TARGET(va));
    no[1] = emit_jcc(e, CC_NE);
    emit_mov_rm(e, W32, RDX, FAR_TARGET(context));
    emit_alu_rm(e, ALU_CMP, W32, RDX, STATE(code.target_context));
    u8 *is_other = emit_jcc(e, CC_NE);
    emit_mov_rm(e, W32, RDX, FAR_TARGET(host));
    u8 *stays = copy_target(j, e);
    emit_patch(is_other, emit_here(e));
    emit_alu_rm(e, ALU_CMP, W32, RDX, STATE(code.own_context));
    no[2] = emit_jcc(e, CC_NE);
    emit_mov_rm(e, W32, RDX, FAR_TARGET(host));
    emit_patch(stays, emit_here(e));
    go_to_far_target(j, e);
    for (unsigned i = 0; i < ARRAY_LEN(no); i++)
        emit_patch(no[i], emit_here(e));
    emit_jmp_to(e, s->leave_pc);
}

#define LINK(f) ((s32)offsetof(struct la_code_link, f))

// Before rcx, which is pc_base, is changed. Falls through if a link of this place can be told from
// all others: the bits of the context number are not needed for the address.
static u8 *check_base(struct emit *e)
{
    emit_shift_ri(e, SHIFT_SHL, W64, RCX, 4);
    emit_mov_rr(e, W64, RDX, RCX);
    emit_shift_ri(e, SHIFT_SHL, W64, RDX, 12);
    emit_shift_ri(e, SHIFT_SAR, W64, RDX, 12);
    emit_alu_rr(e, ALU_CMP, W64, RDX, RCX);
    return emit_jcc(e, CC_NE);
}

// In a window: before rcx, likewise, is changed. Falls through if the address in rax is in the
// same.
static u8 *check_window(struct emit *e)
{
    emit_alu_rr(e, ALU_XOR, W64, RCX, RAX);
    emit_shift_ri(e, SHIFT_SHR, W64, RCX, 60);
    return emit_jcc(e, CC_NE);
}

// rax: the distance of the target from pc_base, which becomes its address. scratch[0] := the
// context of a link from here. scratch[2] := where the target's pc_base has to be for it: as far
// away as its address is. -1, where none is, if there can be no link.
static void find_link(struct emit *e, bool in_window)
{
    emit_mov_rr(e, W64, RDX, RAX);
    emit_alu_ri(e, ALU_AND, W64, RDX, -(s32)CODE_PAGE);
    emit_mov_rm(e, W64, RCX, STATE(code.pc_base));
    emit_alu_rr(e, ALU_ADD, W64, RAX, RCX);
    emit_alu_rr(e, ALU_ADD, W64, RDX, RCX);
    emit_mov_mr(e, W64, STATE(code.scratch[2]), RDX);
    emit_mov_rm(e, W64, RDX, in_window ? STATE(code.window_age) : STATE(code.link_context));
    if (!in_window)
        emit_alu_rr(e, ALU_XOR, W64, RDX, RCX);
    emit_mov_mr(e, W64, STATE(code.scratch[0]), RDX);
    u8 *no = in_window ? check_window(e) : check_base(e);
    u8 *yes = emit_jmp(e);
    emit_patch(no, emit_here(e));
    emit_mov_mi(e, W64, STATE(code.scratch[2]), -1);
    emit_patch(yes, emit_here(e));
}

// As jit_find_target, of the present context. That may have changed a moment ago: the host has
// the byte that was stored at hand, but not the word around it.
static u8 *find_target(const struct jit *j, struct emit *e)
{
    emit_extend_rm(e, W8, false, RDX, STATE(cpu.context));
    emit_extend_rm(e, W8, false, RCX, STATE(cpu.requests));
    emit_shift_ri(e, SHIFT_SHL, W32, RDX, 8);
    emit_alu_rr(e, ALU_OR, W32, RDX, RCX);
    jit_target_place(j, e, LA_N_TARGETS);
    emit_alu_rm(e, ALU_ADD, W64, RCX, STATE(code.targets_at));
    return jit_find_target(e, false);
}

// A link holds in another context, or an earlier one.
static const u8 *make_follow(struct emit *e, const struct jit *j, bool in_window)
{
    const u8 *start = begin(e);
    emit_mov_mr(e, W64, STATE(code.scratch[1]), RDX);
    find_link(e, in_window);
    u8 *unknown = find_target(j, e);
    emit_alu_rm(e, ALU_CMP, W64, RAX, STATE(code.scratch[2]));
    emit_mov_rm(e, W64, RAX, at_index(RBP, RCX, 4, JIT_TARGET(host, false)));
    u8 *is_elsewhere = emit_jcc(e, CC_NE);
    emit_mov_rm(e, W64, RCX, STATE(code.scratch[1]));
    emit_mov_rm(e, W64, RDX, STATE(code.scratch[0]));
    emit_mov_mr(e, W64, at_index(RBP, RCX, 1, LINK(context)), RDX);
    emit_mov_mr(e, W64, at_index(RBP, RCX, 1, LINK(host)), RAX);
    emit_patch(is_elsewhere, emit_here(e));
    emit_jmp_r(e, RAX);
    emit_patch(unknown, emit_here(e));
    emit_jmp_to(e, j->stubs.unknown);
    return start;
}

// The state is in memory; the address to go on with is next_pc.
static void leave_spilled(struct emit *e, const struct jit *j)
{
    if (j->options.count) {
        emit_mov_rm(e, W64, RAX, STATE(code.n_back));
        emit_alu_mr(e, ALU_ADD, W64, STATE(code.left), RAX);
    }
    emit_mov_rm(e, W64, RAX, STATE(next_pc));
    emit_mov_mr(e, W64, STATE(pc), RAX);
    return_to_c(e);
}

// rcx is lost.
static void spill_all(struct emit *e, const struct jit *j, const u8 *table)
{
    emit_mov_rm(e, W32, RCX, STATE(code.units));
    emit_mov_mr(e, W32, STATE(code.scratch[1]), RCX);
    spill_gprs(e);
    spill_vectors(e, j, table);
}

static void reload_all(struct emit *e, const struct jit *j)
{
    emit_alu_mi(e, ALU_CMP, W32, STATE(code.scratch[1]), 0);
    u8 *skip = emit_jcc(e, CC_E);
    load_vectors(e, j);
    emit_patch(skip, emit_here(e));
    reload_gprs(e);
}

static void execute(struct emit *e)
{
    emit_lea(e, W64, RDI, at(RBP, -(s64)JIT_STATE));
    emit_mov_rr(e, W64, RSI, RDX);
    call_c(e, (void (*)(void))jit_execute);
}

static void make_call(struct emit *e, const struct jit *j, struct jit_stubs *s, const u8 *table)
{
    s->call = begin(e);
    spill_all(e, j, table);
    execute(e);
    emit_test_mi8(e, STATE(cpu.requests), CPU_REQ_ALL);
    u8 *is_wanted = emit_jcc(e, CC_NE);
    reload_all(e, j);
    emit_ret(e);
    emit_patch(is_wanted, emit_here(e));
    leave_spilled(e, j);
}

// To the code of next_pc, or out if it is not known or something is requested. Vector registers
// stay where they are, in memory.
static void go_on_spilled(struct emit *e, const struct jit *j)
{
    emit_mov_rm(e, W64, RAX, STATE(next_pc));
    reload_gprs(e);
    u8 *unknown = find_target(j, e); // a return may lead into a guest
    emit_jmp_m(e, at_index(RBP, RCX, 4, JIT_TARGET(host, false)));
    emit_patch(unknown, emit_here(e));
    emit_jmp_to(e, j->stubs.unknown);
}

// The mode and the mapping may change: no call stays open.
static const u8 *make_call_last(struct emit *e, const struct jit *j, bool goes_on, const u8 *table)
{
    const u8 *start = begin(e);
    spill_all(e, j, table);
    emit_mov_rm(e, W64, RSP, STATE(code.calls_base));
    emit_alu_ri(e, ALU_SUB, W64, RSP, 8);
    execute(e);
    emit_alu_ri(e, ALU_ADD, W64, RSP, 8);
    if (goes_on)
        go_on_spilled(e, j);
    else
        leave_spilled(e, j);
    return start;
}

#define ACCESS(f) ((s64)offsetof(struct jit_access, f))

// What no miss stub knows: C looks. rax and rcx stay. jit_fill sets c->pc if the interpreter has to
// go on.
static void make_fill(struct emit *e, const struct jit *j, struct jit_stubs *s, const u8 *table)
{
    s->fill = begin(e);
    emit_mov_mr(e, W64, STATE(code.scratch[2]), RAX);
    emit_push(e, RCX);
    emit_push(e, RDX);
    spill_all(e, j, table);
    emit_lea(e, W64, RDI, at(RBP, -(s64)JIT_STATE));
    emit_mov_rr(e, W64, RSI, RDX);
    emit_mov_rr(e, W64, RDX, RAX);
    call_c(e, (void (*)(void))jit_fill);
    emit_pop(e, RDX);
    emit_test_rr(e, W8, RAX, RAX);
    u8 *no = emit_jcc(e, CC_E);
    reload_all(e, j);
    emit_mov_rm(e, W64, RDX, STATE(code.scratch));
    emit_mov_rm(e, W64, RAX, STATE(code.scratch[2]));
    emit_pop(e, RCX);
    emit_ret(e);
    emit_patch(no, emit_here(e));
    emit_extend_rm(e, W8, false, RCX, at(RDX, ACCESS(n_insns)));
    emit_mov_mr(e, W32, STATE(code.n_interpret), RCX);
    return_to_c(e);
}

// The unit is on in memory but its registers are not here, or it is off: then the interpreter
// raises what there is to raise.
static void make_unit(struct emit *e, const struct jit *j, struct jit_stubs *s)
{
    s->unit = begin(e);
    emit_test_mr(e, W32, STATE(units), RCX);
    u8 *off = emit_jcc(e, CC_E);
    load_vectors(e, j);
    emit_ret(e);
    emit_patch(off, emit_here(e));
    emit_mov_ri(e, RCX, 1);
    emit_jmp_to(e, s->interpret);
}

static void make_fold(struct emit *e, struct jit_stubs *s, const u8 *table)
{
    s->fold = begin(e);
    u8 *none = fold_mxcsr(e, table);
    load_mxcsr(e, STATE(code.mxcsr));
    emit_patch(none, emit_here(e));
    emit_ret(e);
}

void jit_make_stubs(struct jit *j)
{
    struct emit e = {.is_sse = !j->has_avx2,
                     .p = j->buffer + j->used,
                     .start = j->buffer + j->used,
                     .limit = j->buffer + 65536,
                     .to_run = j->to_run};
    const u8 *table = emit_run_address(&e, emit_here(&e));
    for (unsigned i = 0; i < 64; i++)
        emit_u8(&e, fcsr_flags_of(i));
    make_leave(&e, j, &j->stubs, table);
    make_enter(&e, &j->stubs);
    make_unknown(&e, j, &j->stubs);
    j->stubs.follow[0] = make_follow(&e, j, false);
    j->stubs.follow[1] = make_follow(&e, j, true);
    make_call(&e, j, &j->stubs, table);
    bool goes_on = !j->options.no_chain && !j->options.count;
    j->stubs.call_last = make_call_last(&e, j, goes_on, table);
    j->stubs.call_leave = make_call_last(&e, j, false, table);
    make_fill(&e, j, &j->stubs, table);
    make_unit(&e, j, &j->stubs);
    make_fold(&e, &j->stubs, table);
    BUG_ON(e.is_full);
    j->used = (size_t)(e.p - j->buffer);
}
