// SPDX-License-Identifier: Apache-2.0
// Guests that do their worst: random privileged and other instructions, accesses to control
// registers, TLB operations and words that are no instruction. The root handles each exit somehow,
// checks that nothing of its own has changed, and lets the guest go on elsewhere.
//
// A life is a guest with fresh memory, registers and rights, all chosen by the seed and the life's
// number, so that `first=N` with the same seed goes straight to the life that failed; but all of
// memory is looked at after every eighth only. It ends after
// some exits, or when the guest is stuck and the root's timer has to break in. Time is hidden from
// most lives, as it would make them differ from run to run; every eighth sees it and has a timer.
//
// Steps are instructions executed in guests, counted low: of those in front of a branch, an
// exception or a change of mode nothing is known but that they were executed once.
//
// Command line: seed=N steps=N first=N lives=N; watchdog=N ticks, more for a machine that logs.
#include "guest/tests/lvz_hostile.h"
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

#define N_EXITS   256   // of a life
#define WORDS     16    // of a piece of fresh code
#define WATCHDOG  20000 // ticks of the root's timer
#define MAX_NOTES 20

struct random rng;
struct vcpu v;

static u64 seed, life, watchdog, n_steps, wrong[N_WRONG];
static u64 n_exits[128], n_stuck, n_sent[2];
static unsigned n_gids, n_exits_of_life;
static u64 deadline, vectors;
static u32 fresh[WORDS];
static bool is_timed;

void note_wrong(enum wrong kind, const char *what, u64 which, u64 found, u64 wanted)
{
    static unsigned n_notes;
    wrong[kind]++;
    if (n_notes++ < MAX_NOTES)
        report_note("seed=%lu first=%lu, exit %u: %s 0x%lx: found 0x%lx, expected 0x%lx; pc 0x%lx "
                    "badi 0x%lx",
                    seed, life, n_exits_of_life, what, which, found, wanted, v.pc, v.badi);
}

static bool chance(unsigned one_in)
{
    return random_below(&rng, one_in) == 0;
}

// Where a guest-physical address is in memory, and what the second stage allows there. The same for
// all of a life, so that what the guest finds depends on nothing else.
static u64 hash_of(u64 gpa)
{
    u64 h = (gpa >> ARENA_PS ^ life * 0x9e3779b9) * 0x2545f4914f6cdd1d;
    return h ^ h >> 29;
}

static u64 hpa_of(u64 gpa)
{
    return ARENA + hash_of(gpa) % ARENA_PAGES * BIT(ARENA_PS) + (gpa & (BIT(ARENA_PS) - 1));
}

static u64 rights_of(u64 gpa)
{
    switch (hash_of(gpa) >> 40 & 31) {
    case 0: return PAGE_CC; // not there
    case 1: return PAGE_ALL & ~PAGE_D;
    case 2: return PAGE_ALL | PAGE_NX;
    case 3: return PAGE_ALL | PAGE_NR;
    case 4: return PAGE_ALL | PAGE_RPLV; // for level 3 alone, which the root never is
    default: return PAGE_ALL;
    }
}

static void fill_stage2(u64 gpa, bool all_rights)
{
    unsigned ps = hash_of(gpa >> 1 << 1) >> 50 & 1 ? ARENA_PS : 12;
    struct tlb_entry e = {.va = gpa & ~(2ULL * BIT(ps) - 1), .ps = ps};
    for (unsigned n = 0; n < 2; n++) {
        u64 page = e.va + n * BIT(ps);
        e.elo[n] = hpa_of(page) | (all_rights ? PAGE_ALL : rights_of(page));
    }
    lvz_stage2_fill(v.gid, &e);
    root_note_tlb_registers();
}

// Time that is past while the line is not up would be an interrupt lost. The machine looks at its
// timers between instructions, not at each.
static void check_timer(void)
{
    if (!time_is_past(deadline))
        return;
    for (unsigned n = 0; n < 20000; n++)
        if (csr_read(CSR_ESTAT) & BIT(LINE_TI))
            return;
    note_wrong(WRONG_INTERRUPT, "the root's timer", deadline, rdtime(), 0);
}

static void start_watchdog(void)
{
    csr_write(CSR_TICLR, 1);
    csr_write(CSR_TCFG, watchdog | TCFG_EN);
    deadline = rdtime() + watchdog;
    root_note(CSR_TCFG);
}

static void check_exit(unsigned code)
{
    n_exits[code & 127]++;
    n_exits_of_life++;
    root_check_exit(code, v.is_refill ? v.tlbrera : v.era);
    check_timer();
}

// Refills of the second stage; some are left for the handlers of ordinary exits.
static bool on_refill(struct vcpu *u, u64 gpa)
{
    check_exit(EXC_TLBR);
    n_steps++;
    if (n_exits_of_life > N_EXITS)
        return false;
    fill_stage2(gpa, false);
    return true;
}

// Fresh code, and what the guest finds in its registers.

static u64 fresh_code(u64 gpa)
{
    u32 *to = memory_at(hpa_of(gpa));
    bool is_busy = !chance(3);
    for (unsigned i = 0; i < WORDS; i++)
        to[i] = fresh[i] = code_random_word(is_busy);
    __asm__ volatile("ibar 0" ::: "memory");
    return gpa;
}

static void random_registers(unsigned n)
{
    while (n--)
        v.gpr[1 + random_below(&rng, 31)] = code_random_value();
}

// In direct mode, or through a window with the rest of the addresses up to the guest's own TLB.
static void go_elsewhere(void)
{
    u64 gpa = fresh_code(code_random_gpa() & ~63ULL), r = random_next(&rng);
    u64 plv = r & 3 ? 0 : r >> 2 & 3, segment = r >> 4 & 15, ie = r >> 10 & 7 ? 0 : CRMD_IE;
    gcsr_write(CSR_TLBRERA, 0);
    if (r >> 8 & 3) {
        gcsr_write(CSR_CRMD, CRMD_DA | plv | ie);
        v.pc = gpa;
    } else {
        gcsr_write(CSR_DMW0, segment << 60 | BIT(4) | 0xf);
        gcsr_write(CSR_CRMD, CRMD_PG | plv | ie);
        v.pc = segment << 60 | (gpa & BITS(47, 0));
    }
    random_registers(4);
}

// Exits.

static void return_from_guest_exception(void)
{
    if (chance(4)) {
        go_elsewhere();
        return;
    }
    gcsr_exchange(CSR_CRMD, gcsr_read(CSR_PRMD), CRMD_PLV | CRMD_IE);
    v.pc = gcsr_read(CSR_ERA) + 4;
}

// As KVM injects: by editing the guest's registers.
static void inject(unsigned code)
{
    gcsr_write(CSR_ERA, v.pc);
    gcsr_exchange(CSR_PRMD, gcsr_read(CSR_CRMD), CRMD_PLV | CRMD_IE);
    gcsr_exchange(CSR_CRMD, 0, CRMD_PLV | CRMD_IE);
    gcsr_exchange(CSR_ESTAT, (u64)code << 16, BITS(21, 16));
    v.pc = gcsr_read(CSR_EENTRY);
}

// What the guest's own refill handler would do.
static void refill_for_guest(void)
{
    u64 va = gcsr_read(CSR_TLBRBADV);
    struct tlb_entry e = {
        .va = va & BITS(47, 15),
        .ps = ARENA_PS,
        .asid = gcsr_read(CSR_ASID) & 0x3ff,
        .elo = {(va & BITS(47, 15)) | PAGE_ALL, (va & BITS(47, 15)) | BIT(ARENA_PS) | PAGE_ALL},
    };
    v.pc = gcsr_read(CSR_TLBRERA) & ~3ULL;
    gcsr_write(CSR_TLBRERA, 0);
    gcsr_exchange(CSR_CRMD, CRMD_PG | (gcsr_read(CSR_TLBRPRMD) & 7),
                  CRMD_DA | CRMD_PG | CRMD_PLV | CRMD_IE);
    lvz_stage1_fill(v.gid, &e);
    root_note_tlb_registers();
}

static void on_sensitive(void)
{
    switch (v.badi) {
    case LVZ_WORD_EXCEPTION: return_from_guest_exception(); return;
    case LVZ_WORD_REFILL: refill_for_guest(); return;
    default: break;
    }
    switch (random_below(&rng, 8)) {
    case 0: go_elsewhere(); break;
    case 1: inject(EXC_INE); break;
    default: // emulated
        v.gpr[v.badi & 31] = code_random_value();
        v.pc += 4;
        break;
    }
}

static void on_page_fault(void)
{
    switch (random_below(&rng, 4)) {
    case 0: go_elsewhere(); break;
    case 1: v.pc += 4; break;
    case 2: inject(EXC_ADEM); break;
    default:
        if (v.badv >> 47)
            go_elsewhere(); // no entry helps
        else
            fill_stage2(v.badv, true);
        break;
    }
}

static void on_unit_off(void)
{
    csr_set(CSR_EUEN, EUEN_FPE | EUEN_SXE | EUEN_ASXE);
    root_note(CSR_EUEN);
}

// True: the guest was stuck.
static bool on_interrupt(void)
{
    u64 pending = v.estat & csr_read(CSR_ECFG) & BITS(12, 0);
    if (!pending)
        note_wrong(WRONG_INTERRUPT, "interrupt without a cause", v.estat, 0, 1);
    return pending & BIT(LINE_TI);
}

// False: the life is over.
static bool handle(unsigned code)
{
    switch (code) {
    case EXC_INT: return !on_interrupt();
    case EXC_GSPR: on_sensitive(); return true;
    case EXC_HVC:
        v.gpr[4] = code_random_value();
        v.pc += 4;
        return true;
    case EXC_FPD:
    case EXC_SXD:
    case EXC_ASXD: on_unit_off(); return true;
    case EXC_GCSC:
    case EXC_GCHC: // let it happen, without being told again
        csr_clear(CSR_GCFG, GCFG_TOP | GCFG_TOE);
        root_note(CSR_GCFG);
        return true;
    case EXC_TLBR: go_elsewhere(); return true;
    default: on_page_fault(); return true;
    }
}

// Entries.

// An interrupt that is pending at the entry comes before the guest's first instruction.
static unsigned send_interrupt(void)
{
    if (!chance(32))
        return 0;
    unsigned line = chance(2) ? LINE_SWI0 : LINE_IPI;
    n_sent[line == LINE_IPI]++;
    if (line == LINE_IPI)
        iocsr_write_w(IPI_SET, 1);
    else
        csr_set(CSR_ESTAT, BIT(LINE_SWI0));
    return BIT(line);
}

static void take_back_interrupt(unsigned sent, unsigned code, u64 entered_at)
{
    if (!sent)
        return;
    if (code != EXC_INT || !(v.estat & sent) || v.pc != entered_at)
        note_wrong(WRONG_INTERRUPT, "an interrupt of the root", sent, code, EXC_INT);
    csr_clear(CSR_ESTAT, BIT(LINE_SWI0));
    iocsr_write_w(IPI_CLEAR, 1);
}

// The words from `from` up to the exit, if it is known that they were executed one after the other,
// as they were written, and no exception of the guest came in between. MISC.VA32 takes the upper
// half of addresses away.
static unsigned n_executed(bool is_direct, u64 from)
{
    u64 n = (v.pc - from) / 4;
    if (!is_direct || from >> 32 || v.pc < from || n >= WORDS || (from & 63) + 4 * n >= 64)
        return 0;
    if (memcmp(memory_at(hpa_of(from & ~63ULL)), fresh, sizeof(fresh)))
        return 0;
    return (unsigned)n;
}

// How many instructions the guest executed at least, from `from` to the exit at v.pc. None of them
// may be one that the root has to see.
static unsigned count_steps(bool is_direct, u64 from)
{
    unsigned n = n_executed(is_direct, from);
    const u32 *word = &fresh[(from & 63) / 4];
    for (unsigned i = 0; i < n; i++) {
        if (code_must_exit(word[i]) && vectors && gcsr_read(CSR_EENTRY) == vectors)
            note_wrong(WRONG_EXIT, "passed without an exit", word[i], v.pc, from + 4 * i);
        if (code_ends_sequence(word[i]))
            return i + 2;
    }
    return n + 1;
}

static bool run_once(void)
{
    unsigned sent = send_interrupt();
    u64 from = v.pc;
    bool is_direct = gcsr_read(CSR_CRMD) & CRMD_DA;
    unsigned code = lvz_run(&v);
    take_back_interrupt(sent, code, from);
    if (code != EXC_TLBR) // on_refill has looked
        check_exit(code);
    n_steps += sent ? 0 : count_steps(is_direct, from);
    return handle(code);
}

// Lives.

// Bits that are not implemented stay 0; what the guest must not see of time is trapped.
static void random_rights(void)
{
    u64 r = random_next(&rng);
    u64 gcfg = r & (GCFG_SIT | GCFG_TIT | GCFG_TOE | GCFG_TOP | GCFG_TORU | BITS(5, 4));
    if (r >> 32 & 7)
        gcfg &= ~GCFG_SIT;
    if (r >> 35 & 3)
        gcfg &= ~(GCFG_TOE | GCFG_TOP);
    gcfg = is_timed ? gcfg & ~GCFG_TIT : gcfg | GCFG_TIT;
    csr_write(CSR_GCFG, gcfg | GCFG_GCI(r >> 40 & 3));
    csr_write(CSR_GINTC, r >> 42 & 1 ? r >> 44 & 0xff : 0);
    csr_write(CSR_EUEN, r >> 52 & 7);
    csr_exchange(CSR_GTLBC, r >> 55 & 7 ? 0 : GTLBC_TOTI, GTLBC_TOTI);
    root_note(CSR_GCFG);
    root_note(CSR_GINTC);
    root_note(CSR_EUEN);
    root_note(CSR_GTLBC);
}

static void random_guest_csrs(void)
{
    for (unsigned n = 0; n < 0x184; n++)
        if (n < 0x40 || n >= 0x60)
            gcsr_write(n, chance(4) ? code_random_value() : 0);
    gcsr_write(CSR_TCFG, is_timed ? (random_next(&rng) & 0xffff) | TCFG_EN : 0);
    gcsr_write(CSR_TICLR, 1);
    gcsr_write(CSR_LLBCTL, LLBCTL_WCLLB);
    gcsr_write(CSR_RVACFG, 0);
    gcsr_write(CSR_EUEN, chance(4) ? random_next(&rng) & 7 : 7);
    gcsr_write(CSR_PWCH, gcsr_read(CSR_PWCH) & BITS(23, 0)); // the walker is another test's
    gcsr_write(CSR_ECFG, random_next(&rng) & 0x1fff);
}

// Where the guest's exceptions enter: mostly an exit at once.
static void place_vectors(void)
{
    u64 entry = code_random_gpa() & BITS(45, 14), refill = entry ^ 0x1000;
    gcsr_write(CSR_EENTRY, entry);
    gcsr_write(CSR_TLBRENTRY, refill);
    vectors = 0;
    if (chance(4))
        return;
    vectors = entry;
    *(u32 *)memory_at(hpa_of(entry)) = LVZ_WORD_EXCEPTION;
    *(u32 *)memory_at(hpa_of(refill)) = LVZ_WORD_REFILL;
}

static void begin_life(void)
{
    rng.state = (seed + life * 0x9e3779b97f4a7c15) | 1;
    is_timed = life % 8 == 7;
    n_exits_of_life = 0;
    v.gid = 1 + (unsigned)random_below(&rng, n_gids);
    lvz_invalidate(0x12, 0, 0);
    code_fill_arena();
    random_guest_csrs();
    random_rights();
    place_vectors();
    random_registers(64);
    root_note_tlb_registers();
    root_set_badv(csr_read(CSR_BADV));
    go_elsewhere();
}

static void live(void)
{
    begin_life();
    do {
        start_watchdog();
        if (!run_once()) {
            n_stuck++;
            break;
        }
    } while (n_exits_of_life < N_EXITS);
    if (life % 8 == 7)
        root_check_all();
    if (life % 64 == 63)
        root_check_text();
}

static void tell(u64 n_lives)
{
    u64 n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(n_exits); i++)
        n += n_exits[i];
    report_note("seed %lu: %lu lives, %lu of them stuck; at least %lu instructions, %lu exits",
                seed, n_lives, n_stuck, n_steps, n);
    for (unsigned i = 0; i < ARRAY_LEN(n_exits); i++)
        if (n_exits[i])
            report_note("  %s %lu", exception_name(i), n_exits[i]);
    report_eq(wrong[WRONG_EXIT], 0, "%lu exits leave the state that they have to", n);
    report_eq(wrong[WRONG_CSR], 0, "the root's control registers are as they were");
    report_eq(wrong[WRONG_MEMORY], 0, "its memory is");
    report_eq(wrong[WRONG_TLB], 0, "its TLB entries are");
    report_eq(wrong[WRONG_INTERRUPT], 0, "%lu interrupts of its own came at once",
              n_sent[0] + n_sent[1] + n_stuck);
    report(n_lives < 100 || (n_exits[EXC_GSPR] && n_exits[EXC_HVC] && n_exits[EXC_TLBR] &&
                             n_exits[EXC_PIL] && n_exits[EXC_FPD] && n_sent[0] && n_sent[1]),
           "all kinds of exits occur");
}

int main(void)
{
    u64 steps = args_number("steps", 300000), first = args_number("first", 0);
    u64 n_lives = args_number("lives", ~0ULL);
    watchdog = align_down(args_number("watchdog", WATCHDOG), 4);
    seed = args_number("seed", 20240229);
    rng.state = seed | 1;
    lvz_init(&v, 1);
    v.refill = on_refill;
    csr_set(CSR_GSTAT, GSTAT_GID(0xff));
    n_gids = (unsigned)bits_get(csr_write(CSR_GSTAT, 0), 23, 16);
    csr_write(CSR_ECFG, BIT(LINE_TI) | BIT(LINE_SWI0) | BIT(LINE_IPI));
    iocsr_write_w(IPI_EN, 1);
    code_init();
    root_init();
    report_note("seed=%lu first=%lu steps=%lu", seed, first, steps);
    for (life = first; n_steps < steps && life - first < n_lives; life++)
        live();
    root_check_text();
    tell(life - first);
    return 0;
}
