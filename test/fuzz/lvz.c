// SPDX-License-Identifier: Apache-2.0
// The exit path of the virtualization extension on foreign bytes: they become the guest's and some
// of the root's registers, entries of all TLBs, and the guest's code and data. A processor runs the
// guest for a bounded number of steps, is asked to enter it again after exits, and is checked after
// each step:
//
//  - in the guest, nothing of the root has changed: registers, mode, guest id;
//  - an exit is one of those there are, leaves the state that it must, and nothing of the guest has
//    changed by it;
//  - at the end, memory has changed only where the guest's second stage lets it write, and the TLBs
//    of the root and of the second stage are as the root left them.
#include "base/bug.h"
#include "cpu/loongarch64/rig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define ARENA        0x100000ULL // all that the root ever maps for guests
#define PAGE_SHIFT   12
#define N_PAGES      32
#define ARENA_SIZE   (N_PAGES << PAGE_SHIFT)
#define ROOT_WINDOW  0x9000000000000000ULL
#define ROOT_CODE    RIG_ENTRY // to ROOT_END: loops of one instruction, which every entry finds
#define ROOT_END     0x60000
#define BRANCH_SELF  0x50000000u
#define HVCL         0x002b8000u
#define VECTORS      0x8000 // guest-physical: the exceptions of a guest that leaves it so exit at once
#define MAX_STEPS    400
#define MAX_EXITS    80
#define PTE_V        1
#define PTE_D        2
#define GSTAT_PGM    BIT(1)
#define TLBRPRMD_PGM BIT(3)
#define USETGID      BIT(12)

struct bytes {
    const u8 *at, *end;
};

struct setting {
    struct rig rig;
    struct la_cpu *c;
    u8 golden[RIG_RAM_SIZE];      // memory as the root made it
    bool is_writable[N_PAGES];    // by some second-stage entry that there ever was
    struct la_tlb tlb[LA_N_TLBS]; // as the root left them
    unsigned n_exits;
    // Before the step.
    struct la_context root, guest;
    u64 gpr[32], pc;
    bool is_interrupted; // the guest takes an interrupt first, and the step is its handler's
};

static u8 byte(struct bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

static u64 number(struct bytes *b, unsigned n_bytes)
{
    u64 value = 0;
    for (unsigned i = 0; i < n_bytes; i++)
        value |= (u64)byte(b) << (8 * i);
    return value;
}

// Mostly what makes sense somewhere: small numbers, addresses of the guest and of the root, bits.
static u64 value(struct bytes *b)
{
    unsigned kind = byte(b);
    u64 n = number(b, 2);
    switch (kind & 15) {
    case 0: return number(b, 8);
    case 1: return n;
    case 2: return ~n;
    case 3: return BIT(n & 63);
    case 4: return ROOT_WINDOW | n << 4;
    case 5: return n << 48 | number(b, 2);
    case 6: return n << 32 | number(b, 4);
    case 7: return n << 16 | number(b, 1);
    default: return n << 3; // in the first 512 KiB of guest-physical memory
    }
}

// Memory and TLB.

static u8 *host(struct setting *s)
{
    return s->rig.mem.ram[0].host;
}

static void put(u8 *to, u32 word)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (u8)(word >> (8 * i));
}

static void make_memory(struct setting *s)
{
    for (unsigned i = 0; i < RIG_RAM_SIZE; i += 4)
        put(&s->golden[i], i * 0x9e3779b1u);
    for (unsigned i = ROOT_CODE; i < ROOT_END; i += 4)
        put(&s->golden[i], BRANCH_SELF);
}

static void note_writable(struct setting *s, u64 elo)
{
    u64 page = ((elo & BITS(47, 12)) - ARENA) >> PAGE_SHIFT;
    if ((elo & (PTE_V | PTE_D)) == (PTE_V | PTE_D))
        s->is_writable[page] = true;
}

static u64 arena_page(struct bytes *b)
{
    return ARENA + ((u64)(byte(b) % (N_PAGES - 1)) << PAGE_SHIFT);
}

// An entry of a guest's second stage, of pages of 4 KiB: fits everywhere, and leads to the arena.
static void fill_pair(struct setting *s, u64 gpa, u64 elo0, u64 elo1)
{
    u64 *csr = s->c->root.csr;
    u64 before = csr[CSR_GTLBC];
    csr[CSR_GTLBC] = USETGID | (u64)la_guest_gid(s->c) << 16;
    csr[CSR_TLBRERA] = 0;
    csr[CSR_TLBIDX] = PAGE_SHIFT << 24;
    csr[CSR_TLBEHI] = gpa & BITS(46, 13);
    csr[CSR_TLBELO0] = elo0;
    csr[CSR_TLBELO1] = elo1;
    note_writable(s, elo0);
    note_writable(s, elo1);
    la_tlbfill(s->c, LA_TLB_CURRENT);
    csr[CSR_GTLBC] = before;
}

static void fill_stage2(struct setting *s, struct bytes *b, u64 gpa, u64 flags)
{
    u64 even = arena_page(b) | flags;
    fill_pair(s, gpa, even, arena_page(b) | flags);
}

static u64 stage2_flags(struct bytes *b)
{
    u64 f = byte(b);
    u64 flags = f & 1 ? PTE_V | PTE_D : f >> 1 & 3;
    flags |= f & 8 ? BIT(61) : 0;
    flags |= f & 16 ? BIT(62) : 0;
    flags |= f & 32 ? BIT(63) : 0;
    return flags | (f >> 6) << 2;
}

// Of a guest's first stage, or of the root's own TLB: anything.
static void fill_any(struct setting *s, struct bytes *b, enum la_tlb_kind kind)
{
    struct la_context *x = kind == LA_TLB_ROOT ? &s->c->root : &s->c->guest;
    u64 gtlbc = s->c->root.csr[CSR_GTLBC];
    x->csr[CSR_TLBRERA] &= ~1ULL;
    x->csr[CSR_TLBIDX] = (12 + (u64)byte(b) % 14) << 24;
    x->csr[CSR_TLBEHI] = value(b) & BITS(47, 13);
    x->csr[CSR_TLBELO0] = value(b);
    x->csr[CSR_TLBELO1] = value(b);
    s->c->root.csr[CSR_GTLBC] = USETGID | (kind == LA_TLB_ROOT ? 0 : (u64)(byte(b) & 3) << 16);
    la_tlbfill(s->c, kind == LA_TLB_ROOT ? LA_TLB_CURRENT : LA_TLB_GUEST);
    s->c->root.csr[CSR_GTLBC] = gtlbc;
}

// The root's part.

static struct setting *the_setting;

// The processor's memory is not the allocator's: what it points to is not found there.
static void free_setting(void)
{
    rig_free(&the_setting->rig);
    free(the_setting);
}

static struct setting *new_setting(void)
{
    struct setting *s = calloc(1, sizeof(*s));
    BUG_ON(!s);
    rig_init(&s->rig, "max");
    s->c = s->rig.c;
    make_memory(s);
    memcpy(host(s), s->golden, RIG_RAM_SIZE);
    atexit(free_setting);
    return s;
}

// Chosen by the last bytes of the input, which nothing else is known to need.
static void set_odd_properties(struct la_lvz *z, const struct bytes *b)
{
    if (b->end - b->at < 4 || (b->end[-1] & 3) != 3)
        return;
    u32 p = (u32)load_le(b->end - 4, 3);
    bool *const fields[] = {
        &z->sit_ertn,      &z->toti_walk,        &z->root_insn_ine, &z->gspr_first,
        &z->barriers_exit, &z->save16,           &z->estat_hwi,     &z->gid_kept,
        &z->trgp,          &z->entry_clears_pgm, &z->pgm_kept,      &z->one_pgm,
        &z->hwic_clears,   &z->timer_stops,      &z->timer_ends_en, &z->stage2_plv,
        &z->gpa_refill,    &z->da_masked,        &z->cross_partial, &z->tlb_shared,
        &z->usevmid,       &z->gmtlb_counts,     &z->tval_writable, &z->invtlb_aligned,
    };
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        *fields[i] ^= p >> i & 1;
}

static void set_properties(struct setting *s, struct bytes *b)
{
    u8 p = byte(b);
    struct la_lvz *z = &s->c->lvz;
    la_lvz_init(z);
    z->gidbits = p & 1 ? 8 : 2;
    z->toep = z->topp = p & 2;
    z->torup = !(p & 4);
    z->hvcl_any_plv = p & 8;
    z->hwip_shared = p & 16;
    z->stage2_asid = p & 32;
    z->ll_shared = p & 64;
    z->hwic_plain = p & 128;
    set_odd_properties(z, b);
}

static void set_root(struct setting *s, struct bytes *b)
{
    struct la_cpu *c = s->c;
    cpu_reset(&c->cpu);
    la_csr_write(c, CSR_DMW0, 0x9000000000000011, ~0ULL);
    la_csr_write(c, CSR_CRMD, CRMD_PG, CRMD_PG | CRMD_DA);
    la_csr_write(c, CSR_EENTRY, ROOT_WINDOW | RIG_ENTRY, ~0ULL);
    la_csr_write(c, CSR_TLBRENTRY, RIG_REFILL, ~0ULL);
    la_csr_write(c, CSR_STLBPS, byte(b) & 1 ? 14 : 12, ~0ULL);
    la_csr_write(c, CSR_EUEN, byte(b), ~0ULL);
    la_csr_write(c, CSR_ECFG, number(b, 2) | (u64)(byte(b) & 7) << 16, ~0ULL);
    la_csr_write(c, CSR_GSTAT, (u64)(1 + byte(b) % 3) << 16, ~0ULL);
    la_csr_write(c, CSR_GCFG, number(b, 3), ~0ULL);
    la_csr_write(c, CSR_GTLBC, number(b, 3), ~0ULL);
    la_csr_write(c, CSR_GINTC, number(b, 3), ~0ULL);
    la_csr_write(c, CSR_GCNTC, value(b), ~0ULL);
    la_csr_write(c, CSR_ASID, byte(b) & 3, 0x3ff);
    la_csr_write(c, CSR_TCFG, number(b, 1) << 4 | (byte(b) & 3), ~0ULL);
    la_csr_write(c, CSR_PGDL, 0x5a5a000, ~0ULL);
    atomic_store(&c->cpu.lines, (u32)number(b, 2) & 0x3ffc);
}

static void set_guest(struct setting *s, struct bytes *b)
{
    la_gcsr_write(s->c, CSR_EENTRY, VECTORS, ~0ULL);
    la_gcsr_write(s->c, CSR_TLBRENTRY, VECTORS, ~0ULL);
    la_gcsr_write(s->c, CSR_EUEN, 7, ~0ULL);
    for (unsigned n = byte(b) & 63; n; n--) {
        unsigned csr = (unsigned)number(b, 2) % 0x190;
        la_gcsr_write(s->c, csr, value(b), ~0ULL);
    }
    for (unsigned n = byte(b) & 31; n; n--)
        s->c->gpr[1 + byte(b) % 31] = value(b);
}

static void set_tlbs(struct setting *s, struct bytes *b)
{
    const u64 last = ARENA + ARENA_SIZE - (1 << PAGE_SHIFT);
    fill_stage2(s, b, 0, PTE_V | (byte(b) & 1 ? PTE_D : 0));
    fill_pair(s, VECTORS, last | PTE_V, last | PTE_V);
    for (unsigned n = byte(b) & 15; n; n--) {
        u64 gpa = value(b);
        fill_stage2(s, b, gpa, stage2_flags(b));
    }
    for (unsigned n = byte(b) & 15; n; n--)
        fill_any(s, b, byte(b) & 3 ? LA_TLB_STAGE1 : LA_TLB_ROOT);
}

// The rest of the memory is as it was made: check_memory has seen to it.
static void set_memory(struct setting *s, struct bytes *b)
{
    u8 *arena = host(s) + ARENA;
    size_t n = (size_t)(b->end - b->at), page_size = 1 << PAGE_SHIFT;
    for (unsigned i = 0; i < ARENA_SIZE; i += 4)
        put(arena + i, HVCL);
    // The same in every page that the input can map.
    for (unsigned page = 0; page < N_PAGES - 1; page++)
        memcpy(arena + page * page_size, b->at, n < page_size ? n : page_size);
    memcpy(&s->golden[ARENA], arena, ARENA_SIZE);
}

static void enter(struct setting *s, u64 pc, u64 prmd)
{
    struct la_cpu *c = s->c;
    c->root.csr[CSR_TLBRERA] &= ~1ULL;
    c->root.csr[CSR_MERRCTL] &= ~1ULL;
    la_csr_write(c, CSR_CRMD, CRMD_PG, CRMD_PG | CRMD_DA | CRMD_IE);
    la_csr_write(c, CSR_ERA, pc, ~0ULL);
    la_csr_write(c, CSR_PRMD, prmd, ~0ULL);
    la_csr_write(c, CSR_GSTAT, GSTAT_PGM, GSTAT_PGM);
    la_ertn(c);
    c->pc = c->next_pc;
    BUG_ON(!la_in_guest(c));
}

// Checks.

// What the processor itself may change of the root while a guest runs: lines that HC lets fall.
static void check_root_unchanged(struct setting *s)
{
    u64 hc = bits_get(s->root.csr[CSR_GINTC], 23, 16);
    BUG_ON((s->c->root.csr[CSR_GINTC] ^ s->root.csr[CSR_GINTC]) & ~hc);
    s->root.csr[CSR_GINTC] = s->c->root.csr[CSR_GINTC];
    BUG_ON(memcmp(s->root.csr, s->c->root.csr, sizeof(s->root.csr)));
    BUG_ON(memcmp(&s->root.link, &s->c->root.link, sizeof(s->root.link)));
}

static u64 mode_of(u64 crmd, u64 we)
{
    return (crmd & (CRMD_PLV | CRMD_IE)) | (crmd & CRMD_WE ? we : 0);
}

static void check_refill(struct setting *s)
{
    const u64 *r = s->c->root.csr, *old = s->root.csr;
    BUG_ON(r[CSR_TLBRPRMD] != (mode_of(old[CSR_CRMD], BIT(4)) | TLBRPRMD_PGM));
    BUG_ON(!s->is_interrupted && r[CSR_TLBRERA] != ((s->pc & ~3ULL) | 1));
    BUG_ON(r[CSR_TLBRBADV] >> 47);
    BUG_ON((r[CSR_CRMD] & (CRMD_DA | CRMD_PG)) != CRMD_DA);
    BUG_ON(s->c->pc != RIG_REFILL);
    BUG_ON(r[CSR_ERA] != old[CSR_ERA] || r[CSR_PRMD] != old[CSR_PRMD] ||
           r[CSR_ESTAT] != old[CSR_ESTAT] || r[CSR_BADV] != old[CSR_BADV] ||
           r[CSR_GSTAT] != old[CSR_GSTAT]);
}

static bool is_exit(u64 code)
{
    switch (code) {
    case EXC_INT:
    case EXC_FPD:
    case EXC_SXD:
    case EXC_ASXD:
    case EXC_GSPR:
    case EXC_HVC:
    case EXC_GCSC:
    case EXC_GCHC: return true;
    default: return code >= EXC_PIL && code <= EXC_PPI;
    }
}

static void check_ordinary(struct setting *s)
{
    const u64 *r = s->c->root.csr, *old = s->root.csr;
    u64 code = bits_get(r[CSR_ESTAT], 30, 16), vs = bits_get(r[CSR_ECFG], 18, 16);
    bool has_address = code >= EXC_PIL && code <= EXC_PPI;
    BUG_ON(!is_exit(code));
    BUG_ON(r[CSR_PRMD] != mode_of(old[CSR_CRMD], BIT(3)));
    BUG_ON((r[CSR_GSTAT] ^ old[CSR_GSTAT]) & ~GSTAT_PGM || !(r[CSR_GSTAT] & GSTAT_PGM));
    BUG_ON(code != EXC_GCHC && !s->is_interrupted && r[CSR_ERA] != s->pc);
    BUG_ON((r[CSR_CRMD] ^ old[CSR_CRMD]) & (CRMD_DA | CRMD_PG));
    BUG_ON(has_address ? r[CSR_BADV] >> 48 : r[CSR_BADV] != old[CSR_BADV]);
    u64 offset = s->c->pc - r[CSR_EENTRY];
    u64 lowest = code == EXC_INT ? 64 : code & 0x3f, highest = code == EXC_INT ? 77 : lowest;
    BUG_ON(vs ? offset < lowest << (vs + 2) || offset > highest << (vs + 2) : offset != 0);
}

// A change of the guest's state that TOE tells of is made before the exit.
static void check_guest_unchanged(struct setting *s, bool is_refill)
{
    if (!is_refill && bits_get(s->c->root.csr[CSR_ESTAT], 30, 16) == EXC_GCHC)
        return;
    BUG_ON(memcmp(s->guest.csr, s->c->guest.csr, sizeof(s->guest.csr)));
    BUG_ON(memcmp(s->gpr, s->c->gpr, sizeof(s->gpr)));
}

static void check_exit(struct setting *s)
{
    const u64 *r = s->c->root.csr;
    BUG_ON(r[CSR_CRMD] & (CRMD_PLV | CRMD_IE | CRMD_WE));
    bool is_refill = r[CSR_TLBRERA] & 1;
    if (is_refill)
        check_refill(s);
    else
        check_ordinary(s);
    if (!s->is_interrupted)
        check_guest_unchanged(s, is_refill);
    static const u16 same[] = {CSR_EUEN,   CSR_MISC, CSR_ECFG, CSR_EENTRY, CSR_ASID,
                               CSR_PGDL,   CSR_PWCL, CSR_PWCH, CSR_STLBPS, CSR_SAVE0,
                               CSR_TCFG,   CSR_CNTC, CSR_GCFG, CSR_GTLBC,  CSR_GCNTC,
                               CSR_LLBCTL, CSR_DMW0, CSR_DMW1, CSR_TRGP,   CSR_TLBRENTRY};
    for (unsigned i = 0; i < ARRAY_LEN(same); i++)
        BUG_ON(r[same[i]] != s->root.csr[same[i]]);
}

// Entries that only the root may make.
static void check_tlbs(struct setting *s)
{
    const size_t n = offsetof(struct la_tlb, last_way); // which looking up changes
    BUG_ON(memcmp(&s->tlb[LA_TLB_ROOT], &s->c->tlb[LA_TLB_ROOT], n));
    BUG_ON(memcmp(&s->tlb[LA_TLB_STAGE2], &s->c->tlb[LA_TLB_STAGE2], n));
}

// Memory outside of what was ever writable for the guest.
static void check_memory(struct setting *s)
{
    const u8 *now = host(s);
    BUG_ON(memcmp(now, s->golden, ARENA));
    for (unsigned page = 0; page < N_PAGES; page++) {
        u64 at = ARENA + ((u64)page << PAGE_SHIFT);
        BUG_ON(!s->is_writable[page] && memcmp(now + at, s->golden + at, 1 << PAGE_SHIFT));
    }
    u64 end = ARENA + ARENA_SIZE;
    BUG_ON(memcmp(now + end, s->golden + end, RIG_RAM_SIZE - end));
}

// The run.

static void step(struct setting *s, struct bytes *b)
{
    struct la_cpu *c = s->c;
    s->root = c->root;
    s->guest = c->guest;
    s->pc = c->pc;
    memcpy(s->gpr, c->gpr, sizeof(s->gpr));
    la_timer_poll(c);
    s->is_interrupted = c->guest.csr[CSR_CRMD] & CRMD_IE && la_pending_lines(c, &c->guest);
    la_interp_step(c);
    BUG_ON(c->csr != c->context->csr || c->idle);
    if (la_in_guest(c))
        check_root_unchanged(s);
    else
        check_exit(s);
    s->rig.now_ns += 40;
}

// The guest's exception that entered at VECTORS is over.
static u64 return_from_guest_exception(struct setting *s)
{
    const u64 *g = s->c->guest.csr;
    bool is_refill = g[CSR_TLBRERA] & 1;
    u64 mode = g[is_refill ? CSR_TLBRPRMD : CSR_PRMD] & 7, pc = g[CSR_ERA];
    if (is_refill) {
        pc = g[CSR_TLBRERA] & ~3ULL;
        la_gcsr_write(s->c, CSR_CRMD, CRMD_PG, CRMD_PG | CRMD_DA);
    }
    la_gcsr_write(s->c, CSR_TLBRERA, 0, 1);
    la_gcsr_write(s->c, CSR_CRMD, mode, 7);
    return pc + 4;
}

// What any hypervisor does: maps the page, or takes the instruction as done. Returns where to go
// on.
static u64 satisfy(struct setting *s, struct bytes *b, u64 pc)
{
    const u64 *r = s->c->root.csr;
    u64 code = bits_get(r[CSR_ESTAT], 30, 16);
    if (r[CSR_TLBRERA] & 1)
        fill_stage2(s, b, r[CSR_TLBRBADV], PTE_V | PTE_D);
    else if (code >= EXC_PIL && code <= EXC_PPI && !(byte(b) & 1))
        fill_stage2(s, b, r[CSR_BADV], stage2_flags(b) ^ (PTE_V | PTE_D));
    else if (code >= EXC_FPD && code <= EXC_ASXD)
        la_csr_write(s->c, CSR_EUEN, 7, ~0ULL);
    else if (pc >> PAGE_SHIFT == VECTORS >> PAGE_SHIFT)
        return return_from_guest_exception(s);
    else if (code)
        return pc + 4;
    return pc;
}

static void do_something(struct setting *s, struct bytes *b, u64 *pc, u64 *prmd)
{
    struct la_cpu *c = s->c;
    switch (byte(b) & 31) {
    case 1: *pc = value(b) & ~3ULL; break;
    case 2: la_gcsr_write(c, (unsigned)number(b, 2) % 0x190, value(b), ~0ULL); break;
    case 3: la_invtlb(c, 0x10 + byte(b) % 7, value(b), value(b)); break;
    case 4: la_csr_write(c, CSR_GINTC, number(b, 3), ~0ULL); break;
    case 5: la_csr_write(c, CSR_GCFG, number(b, 3), ~0ULL); break;
    case 6: la_csr_write(c, CSR_EUEN, byte(b), ~0ULL); break;
    case 7: *prmd = byte(b) & 15; break;
    case 8: atomic_store(&c->cpu.lines, (u32)number(b, 2) & 0x3ffc); break;
    case 9: la_csr_write(c, CSR_GSTAT, (u64)(1 + byte(b) % 3) << 16, BITS(23, 16)); break;
    case 10: la_csr_write(c, CSR_GTLBC, number(b, 3), ~0ULL); break;
    case 11: fill_any(s, b, LA_TLB_STAGE1); break;
    case 12: c->gpr[1 + byte(b) % 31] = value(b); break;
    default: break;
    }
}

// Where the guest goes on, after something that a hypervisor may do.
static void handle_exit(struct setting *s, struct bytes *b)
{
    struct la_cpu *c = s->c;
    bool is_refill = c->root.csr[CSR_TLBRERA] & 1;
    u64 pc = is_refill ? c->root.csr[CSR_TLBRERA] & ~3ULL : c->root.csr[CSR_ERA], prmd = CRMD_IE;
    if (!is_refill && !bits_get(c->root.csr[CSR_ESTAT], 30, 16)) { // an interrupt
        atomic_store(&c->cpu.lines, 0);
        la_csr_write(c, CSR_TICLR, 1, ~0ULL);
        la_csr_write(c, CSR_TCFG, 0, ~0ULL);
    }
    pc = satisfy(s, b, pc);
    c->root.csr[CSR_TLBRERA] &= ~1ULL;
    do_something(s, b, &pc, &prmd);
    enter(s, pc, prmd);
}

static void keep_tlbs(struct setting *s)
{
    memcpy(s->tlb, s->c->tlb, sizeof(s->tlb));
}

static void run(struct setting *s, struct bytes *b)
{
    keep_tlbs(s);
    enter(s, 0, CRMD_IE);
    for (unsigned n = 0; n < MAX_STEPS; n++) {
        step(s, b);
        if (la_in_guest(s->c))
            continue;
        if (++s->n_exits == MAX_EXITS)
            break;
        check_tlbs(s);
        handle_exit(s, b);
        keep_tlbs(s);
    }
    check_tlbs(s);
    check_memory(s);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = {data, data + size};
    if (!the_setting)
        the_setting = new_setting();
    struct setting *s = the_setting;
    s->n_exits = 0;
    s->rig.now_ns = 0;
    memset(s->is_writable, 0, sizeof(s->is_writable));
    s->c->cpu.requests = 0;
    set_properties(s, &b);
    set_root(s, &b);
    set_guest(s, &b);
    set_tlbs(s, &b);
    set_memory(s, &b);
    run(s, &b);
    return 0;
}
