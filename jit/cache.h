// SPDX-License-Identifier: Apache-2.0
// Inside jit/: where translations are, and how they are found.
#pragma once

#include "jit/jit.h"
#include "jit/x86_64/emit.h"

#include <pthread.h>
#include <stdatomic.h>

#define CODE_PAGE_SHIFT   MEM_WATCH_SHIFT
#define CODE_PAGE         (1u << CODE_PAGE_SHIFT)
#define CODE_N_INSNS      (CODE_PAGE / 4)
#define CODE_LINE_SHIFT   6 // of physical memory, of which it is known whether code came from it
#define JIT_MAX_CPUS      64
#define BLOCK_MAX_INSNS   128 // of a block that is a loop; the others have fewer
#define BLOCK_PLAIN_INSNS 64

// What a translation depends on beside the bytes of its page.
struct jit_mode {
    u8 slots;       // la_code.mode
    bool is_small;  // the page is mapped in pieces of 4 KiB: code does not run on from one to the
                    // next
    bool fp_traps;  // FCSR enables exceptions: arithmetic is the interpreter's
    bool in_window; // executed in a direct-mapped window of the root
};

// The translations of one page in one mode.
struct jit_page {
    struct jit_page *next; // of the same hash
    u64 number;            // physical address >> CODE_PAGE_SHIFT
    struct jit_mode mode;
    const u8 *host;                               // the bytes of the page
    u64 lines[CODE_PAGE >> CODE_LINE_SHIFT >> 6]; // a bit per line that code came from
    u32 n_invalidated;                            // since it was last left alone for a while
    u64 invalidated_at;                           // blocks translated then
    bool is_open;      // there may be slots of stores to lines that no code came from
    bool is_unwatched; // stored to all the time: its blocks compare their source when they are
                       // entered
    u32 n_probing;     // bits in the next two
    u64 ways[CODE_N_INSNS / 64];    // a bit per access whose slot mostly misses,
    u64 probing[CODE_N_INSNS / 64]; // and per one that four slots are not enough for
    u32 entry[CODE_N_INSNS];        // offset in the code buffer, by instruction; 0: none
};

#define JIT_N_HASH 8192

// A page that is watched since a moment ago: a processor that has not yet forgotten what it cached
// for stores may have stored to it unseen. `sum` is of its bytes when the first of them was
// translated.
struct jit_fresh {
    u64 number;
    u64 sum;
    u64 request; // the number of the request to forget
};
#define JIT_MAX_FRESH 64

// Constants of 32 bytes that code addresses: a hash table in the buffer, all zero where it is free.
// Zero itself is behind it.
#define JIT_N_LITERALS 16384

struct jit_stubs {
    const u8 *enter;    // (cpu, code): runs until something has to be done outside
    const u8 *leave;    // eax: offset from pc_base of the instruction to go on with
    const u8 *leave_pc; // rax: its address
    const u8 *unknown;  // likewise, but a target may be found yet
    // rax: distance of a target from pc_base, rdx: a link's from rbp; goes there, and remembers it
    // in the link. By jit_mode.in_window.
    const u8 *follow[2];
    const u8 *link;       // as leave; rdx: the jump that wants a target
    const u8 *interpret;  // eax: offset of the first, ecx: number of instructions
    const u8 *call;       // rdx: struct jit_call; executes by the interpreter and returns
    const u8 *call_last;  // likewise, but goes on where next_pc says; jumped to
    const u8 *call_leave; // likewise, but leaves: other translations may be right now
    // By mode and slot; rax: address - slot base, rdx: bytes. Fills the slot: rdx becomes delta and
    // the carry is clear, or rax the address and the carry is set: with zero if the accesses lie
    // across the end of a page.
    const u8 *miss[LA_N_MODES][LA_N_REGION_SLOTS]; // NULL until jit_make_misses
    // By mode, loads' and stores'; rax: address, rcx: 16 times its place in the tables of pages,
    // rdx: bytes - 1. Fills the place: rax stays, rdx becomes the delta, and the carry is clear, or
    // is set, with zero as above.
    const u8 *near[LA_N_MODES][2];
    const u8 *fill; // rdx: struct jit_access, rax: address, which stays; rdx becomes delta
    const u8 *unit; // eax: offset, ecx: EUEN bit; loads the registers of a unit
    const u8 *fold; // exceptions that MXCSR has collected go to FCSR; ecx is lost
};

// Data beside code: an instruction that the interpreter executes.
struct jit_call {
    la_execute_fn execute;
    struct la_insn insn;
    u32 offset; // of the instruction from pc_base
    u8 n_ahead; // counted in advance, this one included: la_count.c
};

// Data beside code: memory accesses through one slot, the first of which is at `offset`.
struct jit_access {
    struct jit_page *page;
    u32 slot;   // index in la_slots
    u32 span;   // bytes that all accesses cover
    s32 first;  // from their lowest byte to the address of the first
    u32 offset; // of its instruction from pc_base
    u32 word;
    u8 n_insns;     // that are interpreted if they cannot share a slot
    u8 n_ahead;     // as of a call
    u8 n_ways;      // slots that take turns for these accesses
    bool is_store;  // the first one
    bool has_store; // any
    u8 n_crossed;   // times that they lay across the end of a page
    u32 to_parted;  // where in the code buffer the distance is of the jump taken then; 0: none
};

struct jit_counts {
    u64 n_blocks, n_insns, n_bytes; // translated
    u64 n_ticks;                    // of the time stamp counter, for translating
    u64 n_invalidated;              // pages whose translations were dropped
    u64 n_probing;                  // accesses that look into the table of pages
    u64 n_flushes;                  // of the whole cache
    u64 n_lookups, n_links, n_interpreted, n_calls, n_fills, n_obeyed; // of all processors
    // Interpreted because nothing is translated there: 32-bit addresses, misaligned accesses that
    // trap; memory that is no RAM (flash).
    u64 n_odd_mode, n_no_ram;
};

static inline u64 jit_ticks(void)
{
    return __builtin_ia32_rdtsc();
}

struct jit_check; // check.c

struct jit_vcpu {
    struct jit_check *check; // NULL: nothing is compared
    struct jit *jit;
    struct la_cpu *cpu;
    unsigned n_drops;       // of jit.n_drops: seen
    _Atomic u64 n_obeyed;   // of jit.n_requests
    bool is_checked;        // runs a block that is compared
    bool fp_traps;          // that the known targets were translated for
    _Atomic bool is_inside; // runs translated code
    u64 n_lookups, n_links, n_interpreted, n_calls, n_fills, n_times_obeyed;
    u64 n_odd_mode, n_no_ram; // of those that were interpreted
};

struct trans; // x86_64/la_trans.h

struct jit {
    struct mem_space *mem;
    struct log *log;
    struct jit_options options;
    bool has_evex, has_avx2, has_bmi2, has_fma; // the wider needs the narrower
    bool lacks[LA_N_OPS]; // instructions whose template needs what the host has not
    pthread_mutex_t lock;
    pthread_cond_t left; // a processor left translated code
    u8 *buffer;          // for writing
    ptrdiff_t to_run;
    size_t size, used, first; // first: where blocks begin, after the stubs
    size_t populated;         // up to there the host has pages
    size_t literals;          // where they begin
    unsigned n_literals;
    unsigned n_code_links; // of the processors' links: in use
    _Atomic bool is_flushing;
    _Atomic bool has_told_odd_mode;
    struct jit_fresh fresh[JIT_MAX_FRESH];
    _Atomic unsigned n_fresh;
    _Atomic u64 n_requests;   // to forget what is cached for stores
    _Atomic unsigned n_drops; // times that translations were dropped
    struct jit_page *pages[JIT_N_HASH];
    struct jit_stubs stubs;
    struct perf_map *perf_map; // NULL: not wanted
    struct trans *trans;       // the block that is being translated
    struct jit_vcpu vcpus[JIT_MAX_CPUS];
    unsigned n_vcpus;
    struct jit_counts counts;
    u64 start_ns, start_ticks; // what the ticks are measured by
};

// All with the lock held.
// The access at `offset` looks into the table of pages from now on, not at a slot.
void jit_probe_from_now(struct jit *j, struct jit_page *p, unsigned offset);
struct jit_page *jit_find_page(struct jit *j, u64 pa, struct jit_mode mode);
struct jit_page *jit_make_page(struct jit *j, struct la_cpu *c, u64 pa, struct jit_mode mode,
                               const u8 *host);
// Before lines of [offset, offset + size) become code: false if nobody may store to them unseen.
// True: who may was told, and what the lines hold has to be looked at again. Waits without the
// lock: if everything was dropped meanwhile the page is gone.
bool jit_close_lines(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset,
                     unsigned size);
// The place for `size` bytes of code, for writing; NULL: the buffer is full.
u8 *jit_reserve(struct jit *j, size_t size);
void jit_drop_all(struct jit *j); // nobody may be inside
// Where `value` is, counted from `literals`; ~0: the table is full.
u32 jit_literal(struct jit *j, const u64 value[4]);

// The processor's own thread: what others asked it to forget.
void jit_obey(struct la_cpu *c);
// The processor asks for the code as memory has it now (ibar): looks at the fresh pages. Without
// the lock.
void jit_see_code(struct la_cpu *c);

static inline u8 *jit_run_address(const struct jit *j, u32 offset)
{
    return j->buffer + j->to_run + offset;
}

// C that translated code calls. Both may raise.
void jit_execute(struct la_cpu *c, const struct jit_call *x);
// Widens [*first, *end), bytes from `pa` on, to all the lines around it that no code came from, of
// the `size` bytes there, which are of one page. False if code came from one of its own. Without
// the lock.
bool jit_find_free_lines(struct jit *j, u64 pa, u32 size, u32 *first, u32 *end);
// Fills the slot of an access that begins at `start`, and leaves the delta in scratch[0]. False:
// the accesses cannot share a slot.
bool jit_fill(struct la_cpu *c, const struct jit_access *x, u64 start);
// Whether code came from one of so many bytes of the page. With the lock held.
bool jit_has_code(const struct jit_page *p, u64 offset, u64 size);

// translate: x86_64/la_block.c. Translates from `offset` of the page on; false: the buffer is full.
// The entry is in the page's table afterwards.
bool jit_translate(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset);
// A block of these `n` instructions alone, each access of which is checked for itself. It is no
// entry. Its offset in the code buffer; 0: the buffer is full.
u32 jit_translate_parted(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset,
                         unsigned n);
struct trans *jit_trans_new(void); // never NULL

// perf_map.c. NULL with a message; add and close accept NULL.
struct perf_map;
struct perf_map *perf_map_new(struct err *e);
// Names `size` bytes of code that runs at `code`; `pa` is where its instructions come from.
void perf_map_add(struct perf_map *m, const void *code, size_t size, u64 pa);
void perf_map_free(struct perf_map *m);
// True: the instruction becomes host instructions. False: the interpreter executes it.
bool jit_has_template(const struct jit *j, const struct la_cpu *c, u32 word);

void jit_start_counting(struct jit *j); // counts.c

// check.c. The block at `host` is about to run: what the interpreter makes of it, undone again.
void jit_check_before(struct la_cpu *c);
// It ran to c->pc, or raised (`raised`) there: ends the program if the two differ.
void jit_check_after(struct la_cpu *c, bool raised);
struct jit_check *jit_check_new(void);
// x86_64/stubs.c
void jit_make_stubs(struct jit *j);
// x86_64/miss.c: for one mode. False: the buffer is full.
bool jit_make_misses(struct jit *j, unsigned mode);
