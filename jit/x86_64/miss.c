// SPDX-License-Identifier: Apache-2.0
// The stubs that fill a slot without leaving translated code. A mode that sees RAM in windows takes
// the slot from there, the largest possible; the others look into the table of pages.
//
// Each slot has a stub that loads its number and goes on in the one of all slots of the mode,
// loads' or stores': what is executed for many slots stays near. They are called with the address
// less the slot's base in rax and the bytes of the accesses in rdx, and return without carry and
// with the delta in rdx, or with carry: then C looks, at the address in rax. In between rbx, rcx
// and the bytes lie on the stack, and rbx is the slot's number.
#include "jit/cache.h"
#include "jit/x86_64/state.h"
#include "base/bug.h"

enum { STUB_SIZE = 16, SHARED_SIZE = 1536 };

struct miss {
    struct emit *e;
    unsigned mode;
    bool is_store;
};

static struct mem span(void)
{
    return at(RSP, 0);
}

// A field of the slot that rbx numbers.
static struct mem slot_field(const struct miss *m, size_t field)
{
    const size_t set = m->mode * sizeof(struct la_slots) + field;
    return at_index(RBP, RBX, 8, JIT_FIELD(code.slots) + (s64)set);
}

#define SLOT(m, f) slot_field(m, offsetof(struct la_slots, f))

static struct mem window_field(unsigned mode, unsigned n, size_t field)
{
    const size_t window = (mode * LA_N_WINDOWS + n) * sizeof(struct la_window) + field;
    return at(RBP, JIT_FIELD(code.windows) + (s64)window);
}

#define WINDOW(m, n, f) window_field((m)->mode, n, offsetof(struct la_window, f))

static void give_back(struct emit *e)
{
    emit_alu_ri(e, ALU_ADD, W64, RSP, 8);
    emit_pop(e, RCX);
    emit_pop(e, RBX);
}

static void found(struct emit *e)
{
    give_back(e);
    emit_bytes(e, "\xf8", 1); // clc
    emit_ret(e);
}

static void not_found(struct emit *e, bool crosses)
{
    if (crosses)
        emit_alu_rr(e, ALU_CMP, W32, RAX, RAX);
    else
        emit_test_rr(e, W64, RSP, RSP);
    emit_bytes(e, "\xf9", 1); // stc
    emit_ret(e);
}

static void set_limits(const struct miss *m, s64 size)
{
    emit_mov_mi(m->e, W64, SLOT(m, limit), (s32)(size - LA_SLOT_SPAN + 1));
    emit_mov_mi(m->e, W64, SLOT(m, limit8), (s32)(size - 7));
}

// The whole window, for loads. rcx is the offset in it.
static void take_window(const struct miss *m, unsigned n)
{
    struct emit *e = m->e;
    emit_mov_rm(e, W64, RDX, WINDOW(m, n, base));
    emit_mov_mr(e, W64, SLOT(m, base), RDX);
    emit_mov_rm(e, W64, RDX, WINDOW(m, n, size));
    emit_alu_ri(e, ALU_SUB, W64, RDX, 7);
    emit_mov_mr(e, W64, SLOT(m, limit8), RDX);
    emit_alu_ri(e, ALU_SUB, W64, RDX, LA_SLOT_SPAN - 8);
    emit_mov_mr(e, W64, SLOT(m, limit), RDX);
}

// rdx: where the bytes are that tell of the pages of a chunk, the flags: none is watched. rax is
// lost for a moment.
static void test_watched(struct emit *e, unsigned n_pages)
{
    if (n_pages < 8) {
        emit_alu_mi(e, ALU_CMP, W8, at(RDX, 0), 0);
        return;
    }
    emit_push(e, RAX);
    emit_mov_rm(e, W64, RAX, at(RDX, 0));
    for (unsigned n = 8; n < n_pages; n += 8)
        emit_alu_rm(e, ALU_OR, W64, RAX, at(RDX, n));
    emit_test_rr(e, W64, RAX, RAX);
    emit_pop(e, RAX);
}

// A chunk of it without watched pages, for stores: the one of offset rcx. The jumps are taken if
// the access leads out of it or a page of it is watched; the slot and rcx are as before then.
static void take_chunk(const struct miss *m, unsigned n, unsigned shift, u8 *no[2])
{
    struct emit *e = m->e;
    const s32 n_pages = 1 << (shift - MEM_WATCH_SHIFT);
    emit_mov_rr(e, W32, RDX, RCX);
    emit_alu_ri(e, ALU_AND, W32, RDX, (1 << shift) - 1);
    emit_alu_rm(e, ALU_ADD, W32, RDX, span());
    emit_alu_ri(e, ALU_CMP, W32, RDX, 1 << shift);
    no[0] = emit_jcc(e, CC_A);
    emit_mov_rr(e, W64, RDX, RCX);
    emit_shift_ri(e, SHIFT_SHR, W64, RDX, MEM_WATCH_SHIFT);
    if (n_pages > 1)
        emit_alu_ri(e, ALU_AND, W64, RDX, -n_pages);
    emit_alu_rm(e, ALU_ADD, W64, RDX, WINDOW(m, n, watched));
    test_watched(e, (unsigned)n_pages);
    no[1] = emit_jcc(e, CC_NE);
    emit_alu_ri(e, ALU_AND, W64, RCX, -(1 << shift));
    emit_alu_rm(e, ALU_ADD, W64, RCX, WINDOW(m, n, base));
    emit_mov_mr(e, W64, SLOT(m, base), RCX);
    set_limits(m, 1 << shift);
}

static void take_delta(const struct miss *m, unsigned n)
{
    emit_mov_rm(m->e, W64, RDX, WINDOW(m, n, delta));
    emit_mov_mr(m->e, W64, SLOT(m, delta), RDX);
    found(m->e);
}

static void take_chunks(const struct miss *m, unsigned n)
{
    static const u8 shifts[] = {LA_LARGE_CHUNK_SHIFT, LA_CHUNK_SHIFT, MEM_WATCH_SHIFT};
    for (unsigned i = 0; i < ARRAY_LEN(shifts); i++) {
        u8 *no[2];
        take_chunk(m, n, shifts[i], no);
        take_delta(m, n);
        emit_patch(no[0], emit_here(m->e));
        emit_patch(no[1], emit_here(m->e));
    }
}

// rax is the address, rcx is free. Goes on behind if the window does not help.
static void probe_window(const struct miss *m, unsigned n)
{
    struct emit *e = m->e;
    emit_mov_rr(e, W64, RCX, RAX);
    emit_alu_rm(e, ALU_SUB, W64, RCX, WINDOW(m, n, base));
    emit_mov_rm(e, W64, RDX, span());
    emit_alu_rr(e, ALU_ADD, W64, RDX, RCX);
    emit_alu_rm(e, ALU_CMP, W64, RDX, WINDOW(m, n, size));
    u8 *is_beyond = emit_jcc(e, CC_A);
    emit_alu_rm(e, ALU_CMP, W64, RCX, WINDOW(m, n, size)); // one below the window wraps around
    u8 *is_below = emit_jcc(e, CC_AE);
    if (m->is_store) {
        take_chunks(m, n);
    } else {
        take_window(m, n);
        take_delta(m, n);
    }
    emit_patch(is_beyond, emit_here(e));
    emit_patch(is_below, emit_here(e));
}

static s32 pages_place(bool is_store)
{
    const s32 kind = (s32)sizeof(((struct la_cpu *)0)->code.pages[0]);
    return JIT_FIELD(code.pages) + (is_store ? kind : 0);
}

// rcx: 16 times the index of the address in rax (la_page_index) in the table of all spaces.
static void find_page(struct emit *e)
{
    emit_mov_rr(e, W64, RCX, RAX);
    emit_shift_ri(e, SHIFT_SHR, W64, RCX, LA_PAGE_FAR_BITS);
    emit_alu_rr(e, ALU_XOR, W32, RCX, RAX);
    emit_shift_ri(e, SHIFT_SHR, W32, RCX, LA_PAGE_SHIFT - 4);
    emit_alu_rm(e, ALU_XOR, W32, RCX, STATE(code.page_way));
    emit_alu_ri(e, ALU_AND, W32, RCX, (LA_N_PAGES - 1) << 4);
}

// rdx: the page of an address, which is lost; rcx: its place in the table. The jump is taken if the
// table does not have it.
static u8 *compare_tag(struct emit *e, unsigned mode, s32 pages)
{
    emit_alu_rm(e, ALU_OR, W64, RDX, STATE(code.context));
    emit_alu_rm(e, ALU_CMP, W64, RDX, at_index(RBP, RCX, 1, pages));
    u8 *is_it = mode ? NULL : emit_jcc(e, CC_E);
    if (is_it) {
        emit_alu_ri(e, ALU_AND, W64, RDX, -(1 << LA_PAGE_SHIFT));
        emit_alu_ri(e, ALU_OR, W64, RDX, LA_GLOBAL_CONTEXT | LA_PAGE_EXISTS);
        emit_alu_rm(e, ALU_CMP, W64, RDX, at_index(RBP, RCX, 1, pages));
        emit_patch(is_it, emit_here(e));
    }
    return emit_jcc(e, CC_NE);
}

static void probe_pages(const struct miss *m)
{
    struct emit *e = m->e;
    const s32 in_page = (1 << LA_PAGE_SHIFT) - 1, pages = pages_place(m->is_store);
    find_page(e);
    emit_mov_rr(e, W64, RDX, RAX);
    emit_alu_ri(e, ALU_AND, W64, RDX, ~in_page);
    u8 *is_other = compare_tag(e, m->mode, pages);
    emit_alu_ri(e, ALU_AND, W64, RAX, ~in_page);
    emit_mov_mr(e, W64, SLOT(m, base), RAX);
    emit_mov_rm(e, W64, RDX, at_index(RBP, RCX, 1, pages + 8));
    emit_mov_mr(e, W64, SLOT(m, delta), RDX);
    set_limits(m, 1 << LA_PAGE_SHIFT);
    found(e);
    emit_patch(is_other, emit_here(e));
}

// rax is the address, rdx is free. The jump is taken if the accesses lie across the end of a page.
static u8 *test_crossing(struct emit *e)
{
    emit_mov_rm(e, W64, RDX, span());
    emit_lea(e, W64, RDX, at_index(RDX, RAX, 1, -1));
    emit_alu_rr(e, ALU_XOR, W64, RDX, RAX);
    emit_shift_ri(e, SHIFT_SHR, W64, RDX, LA_PAGE_SHIFT);
    return emit_jcc(e, CC_NE);
}

static bool has_windows(unsigned mode)
{
    return mode == 0 || mode == 4;
}

// What the stubs of all slots go on with. Accesses that lie across the end of a page do not count
// as misses: no other form of a check would know them, only a window does.
static const u8 *make_shared(const struct jit *j, const struct miss *m)
{
    struct emit *e = m->e;
    emit_align(e, 64, 0);
    const u8 *start = emit_run_address(e, emit_here(e));
    emit_push(e, RCX);
    emit_push(e, RDX);
    emit_alu_rm(e, ALU_ADD, W64, RAX, SLOT(m, base));
    u8 *crosses = has_windows(m->mode) ? NULL : test_crossing(e);
    emit_alu_mi(e, ALU_SUB, W32, at_index(RBP, RBX, 4, JIT_FIELD(code.misses_left)), 1);
    u8 *looks = emit_jcc(e, CC_LE); // at the first one, too
    for (unsigned n = 0; n < LA_N_WINDOWS && has_windows(m->mode) && !j->options.no_slots; n++)
        probe_window(m, n);
    if (!crosses)
        crosses = test_crossing(e);
    if (!j->options.no_slots)
        probe_pages(m);
    emit_patch(looks, emit_here(e));
    give_back(e);
    not_found(e, false);
    emit_patch(crosses, emit_here(e));
    give_back(e);
    not_found(e, true);
    return start;
}

static const u8 *make_of_slot(struct emit *e, unsigned slot, const u8 *shared)
{
    emit_align(e, STUB_SIZE, 0);
    const u8 *start = emit_run_address(e, emit_here(e));
    emit_push(e, RBX);
    emit_mov_ri(e, RBX, slot);
    emit_jmp_to(e, shared);
    return start;
}

// What the mode's table of pages does not have may be in the one of all modes and address spaces.
// Accesses that cross are not found. One comparison, of the tag of the last byte in the place of
// the first, would not do: the hash puts some pages in the place of their neighbours.
static const u8 *make_near(struct emit *e, unsigned mode, bool is_store)
{
    const s32 near = jit_near_place(mode, is_store), pages = pages_place(is_store);
    const s32 in_page = (1 << LA_PAGE_SHIFT) - 1;
    emit_align(e, 16, 0);
    const u8 *start = emit_run_address(e, emit_here(e));
    emit_push(e, RCX);
    emit_mov_rr(e, W32, RCX, RAX);
    emit_alu_ri(e, ALU_AND, W32, RCX, in_page);
    emit_alu_rr(e, ALU_ADD, W32, RCX, RDX);
    emit_alu_ri(e, ALU_CMP, W32, RCX, in_page);
    u8 *crosses = emit_jcc(e, CC_A);
    find_page(e);
    emit_mov_rr(e, W64, RDX, RAX);
    emit_alu_ri(e, ALU_AND, W64, RDX, ~in_page);
    u8 *miss = compare_tag(e, mode, pages);
    emit_alu_ri(e, ALU_AND, W64, RDX, -(1 << LA_PAGE_SHIFT));
    emit_mov_rm(e, W64, RCX, at_index(RBP, RCX, 1, pages + 8));
    emit_push(e, RCX);
    emit_mov_rm(e, W64, RCX, at(RSP, 8));
    emit_mov_mr(e, W64, at_index(RBP, RCX, 1, near), RDX);
    emit_alu_rm(e, ALU_ADD, W64, RDX, at(RSP, 0));
    emit_mov_mr(e, W64, at_index(RBP, RCX, 1, near + 8), RDX);
    emit_mov_rr(e, W32, RDX, RCX);
    emit_shift_ri(e, SHIFT_SHR, W32, RDX, 4 + LA_NEAR_RUN_SHIFT);
    emit_mov_mi(e, W8, at_index(RBP, RDX, 1, jit_near_runs(mode, is_store)), 0);
    emit_pop(e, RDX);
    emit_pop(e, RCX);
    emit_bytes(e, "\xf8", 1); // clc
    emit_ret(e);
    emit_patch(miss, emit_here(e));
    emit_pop(e, RCX);
    not_found(e, false);
    emit_patch(crosses, emit_here(e));
    emit_pop(e, RCX);
    not_found(e, true);
    return start;
}

bool jit_make_misses(struct jit *j, unsigned mode)
{
    const size_t size = LA_N_REGION_SLOTS * STUB_SIZE + 2 * SHARED_SIZE + 512;
    u8 *start = jit_reserve(j, size);
    if (!start)
        return false;
    struct emit e = {.p = start,
                     .start = start,
                     .limit = start + size,
                     .to_run = j->to_run,
                     .is_sse = !j->has_avx2};
    const u8 *shared[2];
    for (unsigned is_store = 0; is_store < 2; is_store++)
        shared[is_store] = make_shared(j, &(struct miss){&e, mode, is_store});
    for (unsigned slot = 0; slot < LA_N_REGION_SLOTS; slot++)
        j->stubs.miss[mode][slot] = make_of_slot(&e, slot, shared[slot >= LA_N_LOAD_SLOTS]);
    for (unsigned is_store = 0; is_store < 2; is_store++)
        j->stubs.near[mode][is_store] = make_near(&e, mode, is_store);
    BUG_ON(e.is_full);
    perf_map_add(j->perf_map, emit_run_address(&e, start), (size_t)(e.p - start), mode);
    j->used = ((size_t)(e.p - j->buffer) + 15) & ~(size_t)15;
    return true;
}
