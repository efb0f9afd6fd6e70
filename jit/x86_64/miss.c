// SPDX-License-Identifier: Apache-2.0
// The stubs that fill a slot without leaving translated code, one for each: all addresses are
// constants. A mode that sees RAM in a window takes the slot from there, the largest possible; the
// others, and stores beside watched pages, look into the table of pages.
//
// They are called with the address less the slot's base in rax and the bytes of the accesses in
// rdx, and return without carry and with the delta in rdx, or with carry: then C looks, at the
// address in rax. In between these lie on the stack, rdx above rcx.
#include "jit/cache.h"
#include "jit/x86_64/state.h"
#include "base/bug.h"

struct miss {
    struct emit *e;
    struct slot_place slot;
    struct mem left;      // misses until C looks at how many there are
    struct mem window[4]; // base, size, delta, watched
    s32 pages;
    bool is_store;
};

static struct mem span(void)
{
    return at(RSP, 0);
}

static void found(struct emit *e)
{
    emit_alu_ri(e, ALU_ADD, W64, RSP, 8);
    emit_pop(e, RCX);
    emit_bytes(e, "\xf8", 1); // clc
    emit_ret(e);
}

static void set_limits(const struct miss *m, s64 size)
{
    emit_mov_mi(m->e, W64, m->slot.limit, (s32)(size - LA_SLOT_SPAN + 1));
    emit_mov_mi(m->e, W64, m->slot.limit8, (s32)(size - 7));
}

// The whole window, for loads. rcx is the offset in it.
static void take_window(const struct miss *m)
{
    struct emit *e = m->e;
    emit_mov_rm(e, W64, RDX, m->window[0]);
    emit_mov_mr(e, W64, m->slot.base, RDX);
    emit_mov_rm(e, W64, RDX, m->window[1]);
    emit_alu_ri(e, ALU_SUB, W64, RDX, 7);
    emit_mov_mr(e, W64, m->slot.limit8, RDX);
    emit_alu_ri(e, ALU_SUB, W64, RDX, LA_SLOT_SPAN - 8);
    emit_mov_mr(e, W64, m->slot.limit, RDX);
}

// A chunk of it without watched pages, for stores: the one of offset rcx. The jumps are taken if
// the access leads out of it or a page of it is watched; the slot and rcx are as before then.
static void take_chunk(const struct miss *m, unsigned shift, u8 *no[2])
{
    struct emit *e = m->e;
    const unsigned n_words = 1 << (shift - LA_CHUNK_SHIFT);
    emit_mov_rr(e, W32, RDX, RCX);
    emit_alu_ri(e, ALU_AND, W32, RDX, (1 << shift) - 1);
    emit_alu_rm(e, ALU_ADD, W32, RDX, span());
    emit_alu_ri(e, ALU_CMP, W32, RDX, 1 << shift);
    no[0] = emit_jcc(e, CC_A);
    emit_mov_rr(e, W64, RDX, RCX);
    emit_shift_ri(e, SHIFT_SHR, W64, RDX, shift);
    emit_shift_ri(e, SHIFT_SHL, W64, RDX, shift - MEM_WATCH_SHIFT); // a byte for each page
    emit_alu_rm(e, ALU_ADD, W64, RDX, m->window[3]);
    emit_push(e, RAX);
    emit_mov_rm(e, W64, RAX, at(RDX, 0));
    for (unsigned n = 1; n < n_words; n++)
        emit_alu_rm(e, ALU_OR, W64, RAX, at(RDX, 8 * (s64)n));
    emit_test_rr(e, W64, RAX, RAX);
    emit_pop(e, RAX);
    no[1] = emit_jcc(e, CC_NE);
    emit_alu_ri(e, ALU_AND, W64, RCX, -(1 << shift));
    emit_alu_rm(e, ALU_ADD, W64, RCX, m->window[0]);
    emit_mov_mr(e, W64, m->slot.base, RCX);
    set_limits(m, 1 << shift);
}

static void take_delta(const struct miss *m)
{
    emit_mov_rm(m->e, W64, RDX, m->window[2]);
    emit_mov_mr(m->e, W64, m->slot.delta, RDX);
    found(m->e);
}

// rax is the address, rcx is free. The jumps lead on if the window does not help.
static void probe_window(const struct miss *m, u8 *others[4])
{
    struct emit *e = m->e;
    emit_mov_rr(e, W64, RCX, RAX);
    emit_alu_rm(e, ALU_SUB, W64, RCX, m->window[0]);
    emit_mov_rm(e, W64, RDX, span());
    emit_alu_rr(e, ALU_ADD, W64, RDX, RCX);
    emit_alu_rm(e, ALU_CMP, W64, RDX, m->window[1]);
    others[0] = emit_jcc(e, CC_A);
    emit_alu_rm(e, ALU_CMP, W64, RCX, m->window[1]); // one below the window wraps around
    others[1] = emit_jcc(e, CC_AE);
    others[2] = others[3] = NULL;
    if (m->is_store) {
        u8 *no[2];
        take_chunk(m, LA_LARGE_CHUNK_SHIFT, no);
        take_delta(m);
        emit_patch(no[0], emit_here(e));
        emit_patch(no[1], emit_here(e));
        take_chunk(m, LA_CHUNK_SHIFT, &others[2]);
    } else {
        take_window(m);
    }
    take_delta(m);
    for (unsigned i = 0; i < 4; i++)
        if (others[i])
            emit_patch(others[i], emit_here(e));
}

static void probe_pages(const struct miss *m, u8 *misses[2])
{
    struct emit *e = m->e;
    const s32 in_page = (1 << LA_PAGE_SHIFT) - 1;
    emit_mov_rr(e, W32, RCX, RAX);
    emit_shift_ri(e, SHIFT_SHR, W32, RCX, LA_PAGE_SHIFT - 4);
    emit_alu_ri(e, ALU_AND, W32, RCX, (LA_N_PAGES - 1) << 4);
    emit_mov_rr(e, W64, RDX, RAX);
    emit_alu_ri(e, ALU_AND, W64, RDX, ~in_page);
    emit_alu_rm(e, ALU_OR, W64, RDX, STATE(code.context));
    emit_alu_rm(e, ALU_CMP, W64, RDX, at_index(RBP, RCX, 1, m->pages));
    misses[0] = emit_jcc(e, CC_NE);
    emit_mov_rr(e, W32, RDX, RAX);
    emit_alu_ri(e, ALU_AND, W32, RDX, in_page);
    emit_alu_rm(e, ALU_ADD, W32, RDX, span());
    emit_alu_ri(e, ALU_CMP, W32, RDX, in_page + 1);
    misses[1] = emit_jcc(e, CC_A);
    emit_alu_ri(e, ALU_AND, W64, RAX, ~in_page);
    emit_mov_mr(e, W64, m->slot.base, RAX);
    emit_mov_rm(e, W64, RDX, at_index(RBP, RCX, 1, m->pages + 8));
    emit_mov_mr(e, W64, m->slot.delta, RDX);
    set_limits(m, 1 << LA_PAGE_SHIFT);
    found(e);
    emit_patch(misses[0], emit_here(e));
    emit_patch(misses[1], emit_here(e));
}

static const u8 *make_miss(const struct jit *j, const struct miss *m, bool has_window)
{
    struct emit *e = m->e;
    u8 *others[4], *misses[2];
    emit_align(e, 16, 0);
    const u8 *start = emit_run_address(e, emit_here(e));
    emit_alu_rm(e, ALU_ADD, W64, RAX, m->slot.base);
    emit_alu_mi(e, ALU_SUB, W32, m->left, 1);
    u8 *looks = emit_jcc(e, CC_LE); // at the first one, too
    if (!j->options.no_slots) {
        emit_push(e, RCX);
        emit_push(e, RDX);
        if (has_window)
            probe_window(m, others);
        probe_pages(m, misses);
        emit_alu_ri(e, ALU_ADD, W64, RSP, 8);
        emit_pop(e, RCX);
    }
    emit_patch(looks, emit_here(e));
    emit_bytes(e, "\xf9", 1); // stc
    emit_ret(e);
    return start;
}

static struct mem window_field(unsigned mode, size_t offset)
{
    return at(RBP, JIT_FIELD(code.windows) + (s64)(mode * sizeof(struct la_window) + offset));
}

static const u8 *make_of_slot(const struct jit *j, struct emit *e, unsigned mode, unsigned slot)
{
    struct miss m = {
        .e = e,
        .slot = jit_slot_place(mode, slot),
        .left = at(RBP, JIT_FIELD(code.misses_left) + 4 * (s32)slot),
        .window = {window_field(mode, offsetof(struct la_window, base)),
                   window_field(mode, offsetof(struct la_window, size)),
                   window_field(mode, offsetof(struct la_window, delta)),
                   window_field(mode, offsetof(struct la_window, watched))},
        .pages = JIT_FIELD(code.pages),
        .is_store = slot >= LA_N_LOAD_SLOTS,
    };
    if (m.is_store)
        m.pages += (s32)sizeof(((struct la_cpu *)0)->code.pages[0]);
    return make_miss(j, &m, mode == 0 || mode == 4);
}

// What the mode's table of pages does not have may be in the one of all modes and address spaces.
// The tag is that of the last byte, the place that of the first: accesses that cross are not found.
static const u8 *make_near(struct emit *e, unsigned mode, bool is_store)
{
    const s32 near = jit_near_place(mode, is_store);
    const s32 pages =
        JIT_FIELD(code.pages) + (is_store ? (s32)sizeof(((struct la_cpu *)0)->code.pages[0]) : 0);
    emit_align(e, 16, 0);
    const u8 *start = emit_run_address(e, emit_here(e));
    emit_alu_rr(e, ALU_ADD, W64, RDX, RAX);
    emit_alu_ri(e, ALU_AND, W64, RDX, -(1 << LA_PAGE_SHIFT));
    emit_alu_rm(e, ALU_OR, W64, RDX, STATE(code.context));
    emit_alu_rm(e, ALU_CMP, W64, RDX, at_index(RBP, RCX, 1, pages));
    u8 *miss = emit_jcc(e, CC_NE);
    emit_alu_ri(e, ALU_AND, W64, RDX, -(1 << LA_PAGE_SHIFT));
    emit_mov_mr(e, W64, at_index(RBP, RCX, 1, near), RDX);
    emit_alu_rm(e, ALU_ADD, W64, RDX, at_index(RBP, RCX, 1, pages + 8));
    emit_mov_mr(e, W64, at_index(RBP, RCX, 1, near + 8), RDX);
    emit_mov_rr(e, W32, RDX, RCX);
    emit_shift_ri(e, SHIFT_SHR, W32, RDX, 4 + LA_NEAR_RUN_SHIFT);
    emit_mov_mi(e, W8, at_index(RBP, RDX, 1, jit_near_runs(mode, is_store)), 0);
    emit_mov_rm(e, W64, RDX, at_index(RBP, RCX, 1, pages + 8));
    emit_bytes(e, "\xf8", 1); // clc
    emit_ret(e);
    emit_patch(miss, emit_here(e));
    emit_bytes(e, "\xf9", 1); // stc
    emit_ret(e);
    return start;
}

bool jit_make_misses(struct jit *j, unsigned mode)
{
    const size_t size = LA_N_REGION_SLOTS * 448 + 512;
    u8 *start = jit_reserve(j, size);
    if (!start)
        return false;
    struct emit e = {.p = start,
                     .start = start,
                     .limit = start + size,
                     .to_run = j->to_run,
                     .is_sse = !j->has_avx2};
    for (unsigned slot = 0; slot < LA_N_REGION_SLOTS; slot++)
        j->stubs.miss[mode][slot] = make_of_slot(j, &e, mode, slot);
    for (unsigned is_store = 0; is_store < 2; is_store++)
        j->stubs.near[mode][is_store] = make_near(&e, mode, is_store);
    BUG_ON(e.is_full);
    perf_map_add(j->perf_map, emit_run_address(&e, start), (size_t)(e.p - start), mode);
    j->used = ((size_t)(e.p - j->buffer) + 15) & ~(size_t)15;
    return true;
}
