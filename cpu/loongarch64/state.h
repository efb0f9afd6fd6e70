// SPDX-License-Identifier: Apache-2.0
// The state of one LoongArch64 processor, and what the parts of its model share.
//
// A processor has two contexts, root and guest: a set of control registers each. Code reaches them
// through `c->csr`, those of the current context, or names root or guest on purpose; entry and exit
// switch the pointer (lvz.h). TLB entries carry a GID.
#pragma once

#include "base/types.h"
#include "base/bits.h"
#include "cpu/cpu.h"
#include "cpu/loongarch64/lvz.h"
#include "isa/loongarch64.h"

#include <setjmp.h>
#include <stdatomic.h>

enum la_csr_number {
#define CSR(number, name, writable, reset, scope) CSR_##name = number,
#include "cpu/loongarch64/csr.def"
#undef CSR
    CSR_MCSR0 = 0xc0,   // to 0xff: shadow of the CPUCFG words
    CSR_UCAWIN = 0x100, // to 0x109
    CSR_PMCFG0 = 0x200, // PMCFGn at 2n, PMCNTn at 2n + 1
    CSR_MWPC = 0x300,   // watchpoints on loads and stores: to 0x3ff
    CSR_FWPC = 0x380,   // watchpoints on fetches: to 0x3cf
    CSR_N = 0x504,
};

enum { CRMD_PLV = 3, CRMD_IE = 1 << 2, CRMD_DA = 1 << 3, CRMD_PG = 1 << 4, CRMD_WE = 1 << 9 };
enum { EUEN_FPE = 1, EUEN_SXE = 2, EUEN_ASXE = 4, EUEN_BTE = 8 };
enum { TCFG_EN = 1, TCFG_PERIODIC = 2 };
enum { LLBCTL_ROLLB = 1, LLBCTL_WCLLB = 2, LLBCTL_KLO = 4 };

// Bits of ESTAT.IS; the numbers of the input lines of cpu_set_line.
enum la_line {
    LINE_SWI0 = 0,
    LINE_HWI0 = 2,
    LINE_PCOV = 10,
    LINE_TI = 11,
    LINE_IPI = 12,
    LINE_NMI = 13
};

// ECODE | subcode << 6, table 21 of the manual. TLBR and MERR have entries of their own.
enum la_exception {
    EXC_INT = 0,
    EXC_PIL = 1,
    EXC_PIS = 2,
    EXC_PIF = 3,
    EXC_PME = 4,
    EXC_PNR = 5,
    EXC_PNX = 6,
    EXC_PPI = 7,
    EXC_ADEF = 8,
    EXC_ADEM = 8 | 1 << 6,
    EXC_ALE = 9,
    EXC_BCE = 0xa,
    EXC_SYS = 0xb,
    EXC_BRK = 0xc,
    EXC_INE = 0xd,
    EXC_IPE = 0xe,
    EXC_FPD = 0xf,
    EXC_SXD = 0x10,
    EXC_ASXD = 0x11,
    EXC_FPE = 0x12,
    EXC_VFPE = 0x12 | 1 << 6,
    EXC_WPEF = 0x13,
    EXC_WPEM = 0x13 | 1 << 6,
    EXC_GSPR = 0x16, // exits of a guest: sensitive resource, hypercall
    EXC_HVC = 0x17,
    EXC_GCSC = 0x18, // guest control register changed by software, by hardware
    EXC_GCHC = 0x18 | 1 << 6,
    EXC_TLBR = 0x3f, // refill: not an ECODE, selects TLBRENTRY
    EXC_MERR = 0x3e, // machine error: selects MERRENTRY
};

// One vector register. The scalar FPRs are the low 32 or 64 bits, LSX registers the low 128.
union la_vreg {
    u8 b[32];
    s8 sb[32];
    u16 h[16];
    s16 sh[16];
    u32 w[8];
    s32 sw[8];
    u64 d[4];
    s64 sd[4];
    u128 q[2];
};

#define LA_N_CPUCFG 0x15 // words 0 to 0x14

// What a model offers; never written while a machine runs.
struct la_model {
    const char *name, *doc;
    u32 cpucfg[LA_N_CPUCFG];
};

// A feature that -cpu can switch: features.def.
struct la_feature {
    const char *name, *doc;
    unsigned word, bit; // of CPUCFG
};

// The stable timer of one context: section 7.6.
struct la_timer {
    u64 deadline; // ticks of the stable counter at which TVAL is 0; CLOCK_NEVER: it does not count
    u64 left;     // TVAL while it does not count
    bool fired;   // the latch behind ESTAT.TI
    bool is_held; // it does not count for now: the guest's while the root runs, if the model is so
};

// What ll remembers for sc.
struct la_link {
    bool is_set;
    u64 place; // interp_atomic.c
    u64 value[2];
    u32 version; // of the line, where links are exact: links.h
};

// One set of control registers, and what hides behind them.
struct la_context {
    u64 csr[CSR_N];
    struct la_timer timer;
    struct la_link link;
};

// A double page of the TLB.
struct la_tlb_entry {
    u64 vppn;   // VA bits above the pair, as in TLBEHI
    u64 elo[2]; // as TLBELO, G bit cleared
    u16 asid;
    u8 ps;       // log2 of one page of the pair
    bool exists; // the manual's E
    bool global;
    u8 gid; // of the guest that it belongs to; 0: root
};

#define LA_STLB_SETS    256
#define LA_STLB_WAYS    8
#define LA_MTLB_ENTRIES 64
#define LA_STLB_ENTRIES (LA_STLB_SETS * LA_STLB_WAYS)
#define LA_TLB_ENTRIES  (LA_STLB_ENTRIES + LA_MTLB_ENTRIES)

// Root's own translations; GVA to GPA of guests; GPA to HPA of guests. Silicon keeps all three in
// one array; apart they behave the same, as software can not know which entries survive.
enum la_tlb_kind { LA_TLB_ROOT, LA_TLB_STAGE1, LA_TLB_STAGE2, LA_N_TLBS };

struct la_tlb {
    enum la_tlb_kind kind;
    struct la_tlb_entry entries[LA_TLB_ENTRIES]; // STLB index = way * 256 + set, then MTLB
    u64 mtlb_used;                               // bit per MTLB entry that exists
    u32 n_filled;
    u16 filled[64]; // the entries that tlbfill filled last, with -cpu tlb-keep and some of tlb
    // Where was found what was looked for last: of each set of the STLB the way, and of the MTLB
    // the entry for addresses with the same bits 26:21.
    u8 last_way[LA_STLB_SETS];
    u8 last_large[64];
    bool overlaps;              // there may be several entries for the same address
    struct la_tlb_store *store; // tlb_store.h; NULL: nothing was put into it
};

// Cached translations for the interpreter: direct mapped by VA, one 4 KiB granule each. `tag` is
// the VA of the granule with the context number (la_mmu: ASID, privilege, mode) in the low 12 bits.
enum la_access { LA_LOAD, LA_STORE, LA_FETCH };
#define LA_CACHE_SIZE    1024
#define LA_GRANULE_SHIFT 12
#define LA_GRANULE       (1u << LA_GRANULE_SHIFT)

// Context numbers that stand for no space and mode. Those of nothing end in 0xfff.
#define LA_GLOBAL_CONTEXT 0xffd // of pages of the root's PLV 0 that all spaces see, in la_page
#define LA_NEVER_CACHED   0xffe // in no tag
#define LA_WINDOW_CONTEXT 0xfff // of targets in windows

struct la_cached_page {
    u64 tag;
    u64 delta; // host address - VA
};

// What translated code (jit/) remembers of translations; mmu.c forgets it with the cache above, and
// slots.c holds both kinds.
//
// A slot is a region of memory around the last access through one base register, or through what
// one instruction left in a register: an access to
// [va, va + n) is in it if va - base < limit, for n up to LA_SLOT_SPAN; limit8 is the same for n up
// to 8. Loads have the first half, stores the second; a store's slot may be read as well.
// Beside them is a table of near pages of 16 KiB, direct mapped by VA: an access is in one if it is
// less than a page from its base. There is a set of both for each mode, so that a system call does
// not lose them.
#define LA_N_MODES        10 // root, then guest: PLV 0 to 3, direct addressing
#define LA_SLOT_SPAN      64
#define LA_N_REGION_SLOTS 256
#define LA_N_LOAD_SLOTS   (LA_N_REGION_SLOTS / 2)
#define LA_PAGE_SHIFT     14
#define LA_N_NEAR         2048
// An entry that has nothing has a base that belongs elsewhere in the table: no address is near it.
struct la_near {
    u64 base; // VA
    u64 host; // its address there
};
static inline unsigned la_near_index(u64 va)
{
    return va >> LA_PAGE_SHIFT & (LA_N_NEAR - 1);
}
// Address spaces come and go, and few of them use many: runs of so many entries are forgotten one
// by one.
#define LA_NEAR_RUN_SHIFT 4
#define LA_N_NEAR_RUNS    (LA_N_NEAR >> LA_NEAR_RUN_SHIFT)

struct la_slots {
    u64 limit[LA_N_REGION_SLOTS];
    u64 limit8[LA_N_REGION_SLOTS];
    u64 base[LA_N_REGION_SLOTS];
    u64 delta[LA_N_REGION_SLOTS];        // host address - VA
    struct la_near near[2][LA_N_NEAR];   // loads', stores'
    u8 near_is_empty[2][LA_N_NEAR_RUNS]; // 0: some entry of the run may have something
    u32 context;                         // mmu_context that they are of
    bool is_empty;                       // all limits are 0, and all entries have nothing
};

// Behind both: pages of 16 KiB that are mapped as one, of all modes and address spaces, with the
// context number in the low bits of the tag; loads', then stores'. Smaller pages are in the cache
// above. Programs have areas far apart, so an index has higher bits of the address as well. A page
// that is seen by several address spaces is in one of LA_PAGE_WAYS places, by a hash of the
// context.
struct la_page {
    u64 tag; // 0: none
    u64 delta;
};
#define LA_PAGE_EXISTS   BIT(LA_GRANULE_SHIFT) // in each tag
#define LA_PAGE_WAYS     8
#define LA_N_PAGE_SETS   1024
#define LA_N_PAGES       (LA_PAGE_WAYS * LA_N_PAGE_SETS)
#define LA_PAGE_FAR_BITS 13 // of the index, which higher bits of the address are added to
// The first of its places; the others follow at distances of LA_N_PAGE_SETS, modulo LA_N_PAGES.
static inline unsigned la_page_index(u64 va)
{
    return (va ^ va >> LA_PAGE_FAR_BITS) >> LA_PAGE_SHIFT & (LA_N_PAGES - 1);
}

// The largest blocks of RAM, where a mode sees them without a TLB: slots of loads may cover all of
// one, those of stores a chunk without watched pages: of 1 MiB, or else of 128 KiB, or a page.
#define LA_N_WINDOWS         2
#define LA_LARGE_CHUNK_SHIFT 20
#define LA_CHUNK_SHIFT       17
struct la_window {
    u64 base; // VA
    u64 size; // a multiple of chunks; 0: there is none
    u64 delta;
    const _Atomic u8 *watched; // a byte per page
};

// Where code at a virtual address was translated to, in 16 KiB of physical memory that begin where
// the 16 KiB of the address do. The index is scaled by 4 from (VA ^ VA >> 12) & 0x1fffc.
struct la_target {
    u64 key;
    const u8 *host;
};
#define LA_N_TARGETS       32768
#define LA_TARGET_ROTATION 12
// `word`: the one at cpu.requests, while nothing is requested. Its bits 2 to 16 are combined with
// bits 14 to 28 of the address, which follow from the other bits, those of the index among them:
// with the index, the key says which address and which word it is.
static inline u64 la_target_key(u64 va, u64 word)
{
    return (va >> LA_TARGET_ROTATION | va << (64 - LA_TARGET_ROTATION)) ^ word;
}
#define LA_N_EPOCHS 256 // of the word's second byte

// Behind these: of all addresses and contexts. The index is the same, with three bits more.
struct la_far_target {
    u64 va;
    u32 context; // target_context or own_context (targets.c); 0: none
    u32 host;    // from host_code on; in bits 31:30 are bits 13:12 of the physical address
};
#define LA_N_MORE_TARGETS   262144
#define LA_TARGET_HOST_BITS 30

// What is known of an address.
struct la_place {
    const u8 *host;
    u64 pc_base; // VA of the 16 KiB of physical memory that hold it
};

// Where one jump to another page led when it was last looked up.
struct la_code_link {
    u64 context; // link_context ^ pc_base of the jump, or window_age: targets.c
    void *host;
};
#define LA_N_LINKS      131072
#define LA_N_CODE_PAGES 8192

// While instructions are tried and undone again (jit/check.c): the bytes that stores replaced. A
// device that is touched ends the trial: it leaves through la_cpu.leave before anything happens.
#define LA_JOURNAL_MAX 256
struct la_journal {
    struct {
        u8 *host;
        u8 size;
        u8 old[16];
    } entry[LA_JOURNAL_MAX];
    unsigned n;
    bool met_device;
};

struct jit_vcpu; // jit/

struct la_code {
    u64 pc_base; // of the code that runs
    // Where instructions are counted (jit_options.count); otherwise n_end is ~0.
    s64 left;    // instructions that translated code may still begin, inside of it
    u64 n_end;   // cpu.n_insns at which cpu_run returns
    u64 n_back;  // counted in advance, but not executed if the code is left now
    u64 context; // mmu_context | LA_PAGE_EXISTS
    u64 scratch[3];
    u64 written;     // physical address of watched memory that the instruction stores to; 0: none
    u32 mode;        // index of the slots in use
    u32 units;       // EUEN bits of the units whose registers are in host registers
    u32 mxcsr;       // that the host runs with while they are
    u32 n_interpret; // left by an exit: instructions for the interpreter
    u32 stale;       // left by an exit: the entry whose source is another one now; 0: none
    u64 calls_base;  // the host's stack pointer when no call of translated code is open
    u64 calls_limit; // that calls do not go below
    void *link_site; // left by an exit: the jump that wants a target, or NULL
    struct jit_vcpu *vcpu;               // jit/; NULL: nothing is translated
    struct la_journal *journal;          // NULL: no trial
    u32 misses_left[LA_N_REGION_SLOTS];  // until somebody looks how often a slot misses
    u64 misses_since[LA_N_REGION_SLOTS]; // the host's time stamp when that began
    struct la_slots slots[LA_N_MODES];
    struct la_window windows[LA_N_MODES][LA_N_WINDOWS];
    bool knows_windows[LA_N_MODES];
    struct la_page pages[2][LA_N_PAGES];
    u64 page_sets[2][LA_N_PAGE_SETS / 64]; // a bit per set: 0 if it has nothing
    u32 page_way; // of the present context: what its indices differ by, times 16
    // Of the tables behind the processor (struct la_code_tables):
    const u8 *host_code; // where code begins in the host
    u64 targets_at;      // where targets of the present context begin, in units of 4 bytes
    u32 age;             // times that any were forgotten; never 0
    u32 target_age;      // that of the last time that all were that are in mapped pages
    u64 window_age;      // the same of those in direct-mapped windows
    u64 link_context;
    u32 own_context;                // of targets in mapped pages
    u32 target_context;             // what cpu.context stands for: own_context, or that of windows
    u32 sees_windows;               // direct-mapped windows hold in the present mode
    u32 n_epochs;                   // numbers that were handed out
    u32 epoch_context[LA_N_EPOCHS]; // what they stand for
    u8 epoch_of[4096];              // the last one by context number
    u32 n_code_pages;
    bool has_guest_targets; // the second half of the table is in use
};

struct la_decoded; // interp.c
struct la_links;   // links.h

struct la_cpu {
    struct cpu cpu; // first

    u64 gpr[32];                       // gpr[0] is 0 whenever an instruction begins
    u64 pc;                            // of the instruction that executes
    u64 next_pc;                       // of the one after it; branches write it
    _Alignas(16) union la_vreg vr[32]; // translated code with SSE wants them so
    u8 fcc[8];
    u32 fcsr; // FCSR0; FCSR1-3 are views of it

    struct la_context root, guest;
    struct la_context *context; // the current one
    u64 *csr;                   // context->csr
    u32 units;                  // EUEN bits that are on: in a guest those of both contexts

    // Translation.
    u32 mmu_context;                               // 12 bits, in every tag: see mmu.c
    struct la_cached_page cache[3][LA_CACHE_SIZE]; // by enum la_access
    struct la_tlb tlb[LA_N_TLBS];
    u32 random;                       // for tlbfill
    struct la_mmu_contexts *contexts; // mmu.c
    struct la_code code;

    // Links that know of every store: links.h.
    struct la_links *links;   // of the machine; NULL: a link is to a value
    _Atomic u32 *line;        // of the atomic access that executes, in a page with links
    _Atomic bool is_running;  // in cpu_run; kept where there are links
    _Atomic u64 links_obeyed; // requests of others to forget

    struct la_lvz_counts lvz_counts;
    struct la_lvz lvz; // choices where the extension is open: lvz.h
    struct la_disturbance disturbance;

    const struct la_model *model;
    u32 cpucfg[LA_N_CPUCFG];
    u32 insn;  // word of the instruction that executes, for BADI
    bool idle; // executed `idle` and has not been woken
    // la_raise leaves what it found here and jumps to the run loop.
    enum la_exception raised;
    bool raised_in_root; // by the second stage or a trap: the guest exits
    u64 raised_va;
    jmp_buf leave;
    struct la_decoded *decoded;
    enum cpu_exit (*run)(struct cpu *cpu, u64 budget); // la_interp_run, or a translator's
};

// Where translated code leads (targets.c). They lie behind each processor, at a distance that
// translated code knows.
struct la_code_tables {
    // The root's, then those of guests, which often run a kernel at the same addresses.
    struct la_target targets[2 * LA_N_TARGETS];
    struct la_far_target more_targets[LA_N_MORE_TARGETS];
    struct la_code_link links[LA_N_LINKS];
    u64 pages[LA_N_CODE_PAGES]; // that targets lie in, by address space and by all: a hash table
};
#define LA_CODE_TABLES ((sizeof(struct la_cpu) + 63) & ~(size_t)63)

static inline struct la_code_tables *la_code_tables(struct la_cpu *c)
{
    return (struct la_code_tables *)(void *)((u8 *)c + LA_CODE_TABLES);
}

static inline struct la_cpu *la_of(struct cpu *c)
{
    return (struct la_cpu *)(void *)c;
}

static inline bool la_in_guest(const struct la_cpu *c)
{
    return c->context == &c->guest;
}

static inline unsigned la_plv(const struct la_cpu *c)
{
    return c->csr[CSR_CRMD] & CRMD_PLV;
}

// cpu.c -----------------------------------------------------------------------------------------

extern const struct la_model la_models[];     // ends with a NULL name
extern const struct la_feature la_features[]; // likewise
const struct la_model *la_model_find(const char *name);

// A new processor in the reset state. `reset_pc` is 0x1c000000 on real boards. Never NULL.
struct la_cpu *la_cpu_new(const struct la_model *model, struct cpu_bus *bus, unsigned index);
void la_cpu_free(struct la_cpu *c);
// Turns features on and off (`-cpu max,lasx=off`); only before the first instruction.
bool la_cpu_set_feature(struct la_cpu *c, const char *name, bool on, struct err *e);
// The same for features and properties of the virtualization extension (lvz.h), from text. Without
// a processor the words are only checked.
bool la_cpu_set_property(struct la_cpu *c, const char *name, const char *value, struct err *e);

// exception.c -----------------------------------------------------------------------------------

// Ends the instruction that executes: nothing of it has happened, the exception is taken at its
// address. Does not return.
_Noreturn void la_raise(struct la_cpu *c, enum la_exception e);
_Noreturn void la_raise_address(struct la_cpu *c, enum la_exception e, u64 bad_va);
// The same, taken in the root context: from a guest an exit.
_Noreturn void la_raise_root(struct la_cpu *c, enum la_exception e, u64 bad_va);
// The state change of an exception at c->pc, taken in the current or in the root context:
// registers, mode, jump to the entry (c->next_pc).
void la_enter_exception(struct la_cpu *c, enum la_exception e, u64 bad_va, bool in_root);
void la_ertn(struct la_cpu *c);
void la_disturb(struct la_cpu *c);                  // lets the disturbance come if it is due
const char *la_exception_name(enum la_exception e); // "TLBR"; "?" if it has none
// Lines of a context that would interrupt if its CRMD.IE were set: ESTAT.IS & ECFG.LIE.
u32 la_pending_lines(struct la_cpu *c, const struct la_context *x);
// After something that may have let an interrupt in: the run loop takes it before the next
// instruction.
void la_check_interrupts(struct la_cpu *c);
bool la_wants_interrupt(struct la_cpu *c, const struct la_context *x); // x's, by its CRMD.IE
// The run loop looks at interrupts and timers before the next instruction.
static inline void la_check_interrupts_soon(struct la_cpu *c)
{
    atomic_fetch_or_explicit(&c->cpu.requests, CPU_REQ_IRQ, memory_order_relaxed);
}

// Raises FPD, SXD or ASXD for the EUEN bit in the context whose bit is off.
_Noreturn void la_raise_unit_off(struct la_cpu *c, u32 bit);

static inline void la_need_fp(struct la_cpu *c)
{
    if (unlikely(!(c->units & EUEN_FPE)))
        la_raise_unit_off(c, EUEN_FPE);
}
static inline void la_need_lsx(struct la_cpu *c)
{
    if (unlikely(!(c->units & EUEN_SXE)))
        la_raise_unit_off(c, EUEN_SXE);
}
static inline void la_need_lasx(struct la_cpu *c)
{
    if (unlikely(!(c->units & EUEN_ASXE)))
        la_raise_unit_off(c, EUEN_ASXE);
}

// For privileged instructions: IPE above PLV 0, and in a guest the trap of GCFG.TOPI.
void la_trap_privileged(struct la_cpu *c);
static inline void la_need_plv0(struct la_cpu *c)
{
    if (unlikely(la_plv(c) || la_in_guest(c)))
        la_trap_privileged(c);
}

// csr.c -----------------------------------------------------------------------------------------

// By an instruction of the current context. In a guest, registers that are not the guest's own
// trap.
u64 la_csr_read(struct la_cpu *c, unsigned number);
// The new value is `value` in the bits of `mask` and the old elsewhere; returns the old.
u64 la_csr_write(struct la_cpu *c, unsigned number, u64 value, u64 mask);
// gcsrrd, gcsrwr, gcsrxchg: the guest context from the root.
u64 la_gcsr_read(struct la_cpu *c, unsigned number);
u64 la_gcsr_write(struct la_cpu *c, unsigned number, u64 value, u64 mask);
bool la_csr_exists(const struct la_cpu *c, unsigned number);
bool la_csr_is_of_guest(const struct la_cpu *c, unsigned number); // exists in the guest context
// What software reads there, of either context; the processor does not run, and reading ESTAT and
// GINTC may drop an injected line, as it does for software.
u64 la_csr_peek(struct la_cpu *c, struct la_context *x, unsigned number);
const char *la_csr_name(unsigned number); // NULL if it has none
// For a translator: whether reading a register, of the root or of the guest by gcsrrd, is no more
// than loading it, and from how many bits, sign-extended. 0: there is more to it.
unsigned la_csr_load_width(const struct la_cpu *c, unsigned number);
// Likewise the bits that a write stores, with no other effect; 0: it has one, or there are none.
u64 la_csr_stored_bits(const struct la_cpu *c, unsigned number, bool of_guest);
// ESTAT with all lines of a context.
u64 la_estat(struct la_cpu *c, const struct la_context *x);
// After EUEN of a context or the current context changed.
void la_units_changed(struct la_cpu *c);

// timer.c ---------------------------------------------------------------------------------------

u64 la_counter(const struct la_cpu *c); // stable counter, without offsets
// What rdtime reads in the current context.
u64 la_counter_of_context(const struct la_cpu *c);
void la_timer_configure(struct la_cpu *c, struct la_context *x);
u64 la_timer_value(const struct la_cpu *c, const struct la_context *x);
// A write of TVAL, which only the root can do to the guest's: counting goes on from `ticks`.
void la_timer_set_value(struct la_cpu *c, struct la_context *x, u64 ticks);
// Sets or clears TI, which TICLR and the root can.
void la_timer_latch(struct la_cpu *c, struct la_context *x, bool fired);
// Latches TI of both contexts if it is due. Called by the run loop every few hundred instructions.
void la_timer_poll(struct la_cpu *c);
void la_timer_rang(struct la_cpu *c); // after cpu.alarm
// After a switch of contexts, where the guest's timer stops in the root.
void la_timer_context_changed(struct la_cpu *c);
// When the timer of a context fires next on the bus clock, or CLOCK_NEVER.
u64 la_timer_deadline_ns(const struct la_cpu *c, const struct la_context *x);

// mmu.c ------------------------------------------------------------------------------------------

// The physical address behind `va` for this access; raises on a fault.
u64 la_translate(struct la_cpu *c, u64 va, enum la_access access);
void la_mmu_mode_changed(
    struct la_cpu *c);               // CRMD, ASID or MISC changed: chooses the context number
void la_mmu_flush(struct la_cpu *c); // forgets every cached translation
// Forgets what is cached of the addresses of an entry of the root's TLB or the first stage, its
// even page (bit 0 of `halves`), its odd one (bit 1), or both: in every context, or in those of its
// address space.
void la_mmu_flush_entry(struct la_cpu *c, bool is_guest, const struct la_tlb_entry *t,
                        unsigned halves);
// Forgets what is cached for one address space, global pages included.
void la_mmu_flush_asid(struct la_cpu *c, unsigned gid, unsigned asid);
// Forgets what is cached for a guest.
void la_mmu_flush_gid(struct la_cpu *c, unsigned gid);
// The second stage: the host-physical address behind a guest-physical one; exits on a fault.
u64 la_translate_gpa(struct la_cpu *c, u64 gpa, enum la_access access);
// The address on the bus that a physical address leads to: the board's address windows.
u64 la_route(const struct la_cpu *c, u64 pa);
u64 la_physical_mask(const struct la_cpu *c);      // PALEN bits
u64 la_mmu_direct(const struct la_cpu *c, u64 va); // where an address leads in direct mode

void la_mmu_init(struct la_cpu *c); // allocates c->contexts
// False: using `va` in the present mode raises ADEF or ADEM.
bool la_mmu_is_address(const struct la_cpu *c, u64 va);
// log2 of the smallest page that the translation of `va` goes through. Such an access has
// succeeded.
unsigned la_mmu_page_size(struct la_cpu *c, u64 va, enum la_access access);
// PLV 0 of the root sees the page of `va` in all address spaces, as long as nothing is forgotten.
bool la_mmu_is_global(struct la_cpu *c, u64 va);
// The steps of it, for who tells them: the direct-mapped window that holds an address at the
// present level, or -1; whether addresses are cut to 32 bits; what may be looked up in the TLB;
// where an entry leads.
int la_mmu_window(const struct la_cpu *c, u64 va);
bool la_mmu_is_va32(const struct la_cpu *c);
bool la_mmu_is_canonical(const struct la_cpu *c, u64 va);
bool la_mmu_is_gpa(const struct la_cpu *c, u64 gpa);
u64 la_mmu_page_address(const struct la_cpu *c, const struct la_tlb_entry *t, u64 va);
bool la_mmu_may_cache(const struct la_cpu *c);
bool la_mmu_traps_misaligned(const struct la_cpu *c);

// targets.c --------------------------------------------------------------------------------------

void la_targets_forget(struct la_cpu *c); // all of them, and links
// Whether some may be there, of [va, va + size) as of la_slots_forget_range, bits 47:0 only.
bool la_targets_are_in(const struct la_cpu *c, u64 va, u64 size, unsigned space);
void la_targets_forget_range(struct la_cpu *c, u64 va, u64 size, unsigned space);
void la_targets_context_changed(struct la_cpu *c); // after mmu_context was chosen
// False: not known.
bool la_target_find(struct la_cpu *c, u64 va, struct la_place *to);
// `host`: from host_code on.
void la_target_put(struct la_cpu *c, u64 va, u32 host, u64 pc_base);

// slots.c ----------------------------------------------------------------------------------------

void la_slots_forget(struct la_cpu *c);        // all of them
void la_slots_forget_stores(struct la_cpu *c); // those that let code store
// Of one address space (mmu_context / 8), or all. Bits 47:0 of va count.
#define LA_ALL_SPACES (~0u)
void la_slots_forget_range(struct la_cpu *c, u64 va, u64 size, unsigned space);
// The page of 16 KiB that holds `va` is at va + delta in the host, in the present context.
void la_slots_put_page(struct la_cpu *c, u64 va, u64 delta, bool is_store);
void la_slots_mode_changed(struct la_cpu *c); // after mmu_context was chosen
// access.c ---------------------------------------------------------------------------------------

// Slow paths of access.h: translate, fill the cache, do the access.
u64 la_load_slow(struct la_cpu *c, u64 va, unsigned size);
void la_store_slow(struct la_cpu *c, u64 va, u64 value, unsigned size);
// Fills the cache for a load or store. Raises as the access would; false: it can not be cached.
bool la_fill(struct la_cpu *c, u64 va, enum la_access access);
// Where `va` is in the host if it lies in RAM that is watched, and may be loaded from and stored
// to; and its physical address. NULL otherwise; does not raise.
u8 *la_watched_host(struct la_cpu *c, u64 va, u64 *pa);
// The instruction word at c->pc, not found in the cache.
u32 la_fetch_slow(struct la_cpu *c);

// tlb.c ------------------------------------------------------------------------------------------

// Which TLB, whose entries in it, and which registers an operation is about.
struct la_tlb_view {
    struct la_tlb *tlb;
    struct la_context *context; // whose TLBIDX, TLBEHI, ... are the operands
    u8 gid;
    bool has_asid; // second-stage entries have none
};

// Of the current context's own accesses: root's TLB, or in a guest the first stage.
struct la_tlb_view la_tlb_own(struct la_cpu *c);
struct la_tlb_view la_tlb_stage2(struct la_cpu *c);

// The entry that matches `va`, or NULL.
struct la_tlb_entry *la_tlb_find(struct la_cpu *c, const struct la_tlb_view *v, u64 va);
void la_tlb_guest_left(struct la_cpu *c, bool by_refill); // tlb_evict.c
void la_tlb_clear(struct la_cpu *c);                      // after reset: nothing matches
void la_tlb_stlb_page_size_changed(struct la_cpu *c, struct la_context *x);
void la_tlb_flush_parts(struct la_cpu *c, bool stlb, bool mtlb); // IMPCTL2
void la_tlb_limit_guests(struct la_cpu *c); // after GTLBC.GMTLBNum changed, where it counts
// An entry made by the hardware walker.
struct la_tlb_entry *la_tlb_insert(struct la_cpu *c, const struct la_tlb_view *v,
                                   const struct la_tlb_entry *e);
void la_tlb_drop(struct la_cpu *c, struct la_tlb *tlb, struct la_tlb_entry *e);

// The instructions. The caller has checked privilege and traps.
enum la_tlb_target { LA_TLB_CURRENT, LA_TLB_GUEST }; // tlb* or gtlb*
void la_tlbsrch(struct la_cpu *c, enum la_tlb_target target);
void la_tlbrd(struct la_cpu *c, enum la_tlb_target target);
void la_tlbwr(struct la_cpu *c, enum la_tlb_target target);
void la_tlbfill(struct la_cpu *c, enum la_tlb_target target);
void la_tlbclr(struct la_cpu *c, enum la_tlb_target target);
void la_tlbflush(struct la_cpu *c, enum la_tlb_target target);
void la_invtlb(struct la_cpu *c, unsigned op, u64 rj, u64 va); // raises INE for unknown operations
bool la_invtlb_exists(const struct la_cpu *c, unsigned op);

// walk.c -----------------------------------------------------------------------------------------

u64 la_lddir(struct la_cpu *c, u64 base, unsigned level);
void la_ldpte(struct la_cpu *c, u64 base, unsigned odd);
// The hardware page-table walker (CPUCFG2.HPTW and PWCH.HPTW_En) of a view's context.
bool la_walker_is_on(const struct la_tlb_view *v);
// With the walker on: the entry to use for this access, walking the tables if `found` (or NULL)
// does not allow it; raises the page exception if they do not either.
struct la_tlb_entry *la_walker_check(struct la_cpu *c, const struct la_tlb_view *v,
                                     struct la_tlb_entry *found, u64 va, enum la_access access);
// Raises the exception that the entry's attributes demand for this access, if any.
void la_check_page(struct la_cpu *c, const struct la_tlb_view *v, u64 elo, u64 va,
                   enum la_access access);

// interp.c ---------------------------------------------------------------------------------------

enum cpu_exit la_interp_run(struct cpu *cpu, u64 budget);
// One instruction, or the exception it raises, or an interrupt and the first instruction of its
// handler.
void la_interp_step(struct la_cpu *c);
// Parts of the run loop, for a translator. The caller has set c->leave.
void la_step(struct la_cpu *c); // one instruction, without looking at requests
// What other threads asked for. False: leave, for the reason in *why.
bool la_serve_requests(struct la_cpu *c, enum cpu_exit *why);
void la_take_raised(struct la_cpu *c); // after la_raise came back through c->leave
// What executes an instruction on this model; never NULL.
typedef void (*la_execute_fn)(struct la_cpu *c, const struct la_insn *i);
la_execute_fn la_decode_for(const struct la_cpu *c, u32 word, struct la_insn *insn);
// Chooses what each instruction does on this model; after features changed.
void la_interp_prepare(struct la_cpu *c);
