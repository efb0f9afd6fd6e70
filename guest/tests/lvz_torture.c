// SPDX-License-Identifier: Apache-2.0
// Guests that are left at any instruction by the root's timer, lose their second stage and their id
// on the way, and take turns on one core with all their registers swapped. Each computes, in memory
// that its own refill handler maps, what a model in C computes as well.
//
// Command line: seed=N rounds=N
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

#define DATA_VA      0x120000000ULL
#define DATA_SIZE    0x40000ULL // 16 pages of 16 KiB
#define GUEST_MEMORY 0x5000000ULL
#define GUEST_SIZE   0x400000ULL // of the root's memory for each
#define MULTIPLIER   6364136223846793005ULL
#define INCREMENT    1442695040888963407ULL
#define PAYLOAD_END  BIT(25)

// $a0 rounds, $s0 state, $s1 data, $s2 sum, $s3 and $s4 constants. SAVE2 counts system calls, SAVE4
// interrupts of the guest's timer.
__asm__(".pushsection .text.guest_torture, \"ax\"\n"
        ".balign 0x1000\n"
        ".globl torture_handler, torture_refill, torture_program, torture_end\n"
        "torture_handler:\n"
        "csrwr $t0, 0x30\n"
        "csrwr $t1, 0x31\n"
        "csrrd $t0, 0x5\n"
        "bstrpick.d $t1, $t0, 21, 16\n"
        "bnez $t1, 1f\n"
        "ori $t0, $zero, 1\n"
        "csrwr $t0, 0x44\n"
        "csrrd $t0, 0x34\n"
        "addi.d $t0, $t0, 1\n"
        "csrwr $t0, 0x34\n"
        "b 2f\n"
        "1: csrrd $t0, 0x32\n"
        "addi.d $t0, $t0, 1\n"
        "csrwr $t0, 0x32\n"
        "csrrd $t0, 0x6\n"
        "addi.d $t0, $t0, 4\n"
        "csrwr $t0, 0x6\n"
        "2: csrrd $t1, 0x31\n"
        "csrrd $t0, 0x30\n"
        "ertn\n"
        ".balign 0x1000\n"
        "torture_refill:\n"
        "csrwr $t0, 0x8b\n"
        "csrrd $t0, 0x1b\n"
        "lddir $t0, $t0, 1\n"
        "ldpte $t0, 0\n"
        "ldpte $t0, 1\n"
        "tlbfill\n"
        "csrrd $t0, 0x8b\n"
        "ertn\n"
        "torture_program:\n"
        "mul.d $s0, $s0, $s3\n"
        "add.d $s0, $s0, $s4\n"
        "srli.d $t0, $s0, 20\n"
        "lu12i.w $t1, 0x3f\n"
        "ori $t1, $t1, 0xff8\n"
        "and $t0, $t0, $t1\n"
        "add.d $t0, $t0, $s1\n"
        "ld.d $t1, $t0, 0\n"
        "add.d $t1, $t1, $s0\n"
        "st.d $t1, $t0, 0\n"
        "xor $s2, $s2, $t1\n"
        "1: ll.d $t2, $s1, 8\n"
        "addi.d $t2, $t2, 1\n"
        "sc.d $t2, $s1, 8\n"
        "beqz $t2, 1b\n"
        "syscall 7\n"
        "csrwr $s2, 0x33\n"
        "rotri.d $s2, $s2, 7\n"
        "csrrd $t3, 0x33\n"
        "add.d $s2, $s2, $t3\n"
        "andi $t4, $s0, 0xf0\n"
        "bnez $t4, 2f\n"
        "invtlb 6, $zero, $t0\n"
        "2: addi.d $a0, $a0, -1\n"
        "bnez $a0, torture_program\n"
        "move $a0, $s2\n"
        "ret\n"
        "torture_end:\n"
        ".popsection\n");
extern const char torture_handler[], torture_refill[], torture_program[], torture_end[];

enum { S0 = 23, S1, S2, S3, S4 };

// Registers that are swapped with a guest, in the order in which they are put back; the timer has
// its own.
static const u16 swapped[] = {
    CSR_CRMD,     CSR_PRMD,     CSR_EUEN,    CSR_MISC,      CSR_ECFG,     CSR_ERA,     CSR_BADV,
    CSR_BADI,     CSR_EENTRY,   CSR_TLBIDX,  CSR_TLBEHI,    CSR_TLBELO0,  CSR_TLBELO1, CSR_ASID,
    CSR_PGDL,     CSR_PGDH,     CSR_PWCL,    CSR_PWCH,      CSR_STLBPS,   CSR_RVACFG,  CSR_CPUID,
    0x30,         0x31,         0x32,        0x33,          0x34,         0x35,        0x36,
    0x37,         CSR_TID,      CSR_CNTC,    CSR_TLBRENTRY, CSR_TLBRBADV, CSR_TLBRERA, CSR_TLBRSAVE,
    CSR_TLBRELO0, CSR_TLBRELO1, CSR_TLBREHI, CSR_TLBRPRMD,  CSR_DMW0,     CSR_DMW1,    CSR_DMW2,
    CSR_DMW3,     CSR_LLBCTL,
};

#define N_GUESTS 4

static struct guest {
    struct vcpu v;
    u64 csrs[ARRAY_LEN(swapped)];
    u64 estat, tcfg, tval, gintc;
    unsigned id; // whose memory
    u64 seed, rounds;
    bool is_done;
} guests[N_GUESTS];

static struct random rng;
// What is soon, and what is late: the length of one program that nobody disturbs, and of a visit to
// a guest that is left at once.
static u64 ticks_alone, ticks_visit;
static u8 seen[256]; // instructions of the program at which it was left
static struct {
    unsigned exits, interrupts, ids, swaps;
    unsigned state, registers;
} count;

static u64 host_of(unsigned id, u64 gpa)
{
    return gpa - GUEST_MEMORY + SCRATCH_BASE + 0x1000000 + id * GUEST_SIZE;
}

static volatile u64 *memory(unsigned id, u64 gpa)
{
    return memory_at(host_of(id, gpa));
}

static bool on_refill(struct vcpu *v, u64 gpa)
{
    unsigned id = (unsigned)((struct guest *)v - guests);
    if (gpa < PAYLOAD_END) {
        lvz_map_payload(v);
        return true;
    }
    u64 va = align_down(gpa, 0x8000), pa = host_of(id, va);
    struct tlb_entry e = {va, 14, 0, {pa | PAGE_ALL, (pa + 0x4000) | PAGE_ALL}};
    lvz_stage2_fill(v->gid, &e);
    return true;
}

// Directory, table and data, all in the guest's memory.
static void make_tables(unsigned id)
{
    const u64 table = GUEST_MEMORY + 0x4000, data = GUEST_MEMORY + 0x10000;
    for (u64 at = 0; at < 0x10000 + DATA_SIZE; at += 8)
        *memory(id, GUEST_MEMORY + at) = 0;
    *memory(id, GUEST_MEMORY + (DATA_VA >> 25 & 0x7ff) * 8) = table;
    for (u64 i = 0; i < DATA_SIZE >> 14; i++)
        *memory(id, table + ((DATA_VA >> 14 & 0x7ff) + i) * 8) = (data + (i << 14)) | PAGE_ALL;
}

// What the program computes.
static u64 expected_sum(unsigned id, u64 seed, u64 rounds)
{
    static u64 data[DATA_SIZE / 8];
    u64 state = seed, sum = 0;
    for (u64 i = 0; i < DATA_SIZE / 8; i++)
        data[i] = 0;
    for (; rounds; rounds--) {
        state = state * MULTIPLIER + INCREMENT;
        u64 *word = &data[(state >> 20 & 0x3fff8) / 8];
        *word += state;
        sum ^= *word;
        data[1]++;
        // csrwr takes the old value, which the round before left.
        u64 old = guests[id].csrs[0];
        guests[id].csrs[0] = sum;
        sum = (old >> 7 | old << 57) + sum;
    }
    return sum;
}

static void prepare(unsigned id, u64 rounds)
{
    struct guest *g = &guests[id];
    lvz_init(&g->v, id + 1);
    make_tables(id);
    g->v.refill = on_refill;
    g->id = id;
    g->seed = random_next(&rng);
    g->rounds = rounds;
    g->is_done = false;
    lvz_open_window();
    gcsr_write(CSR_CRMD, CRMD_PG | CRMD_IE);
    gcsr_write(CSR_ECFG, BIT(LINE_TI));
    gcsr_write(CSR_EENTRY, (u64)torture_handler);
    gcsr_write(CSR_TLBRENTRY, physical_of(torture_refill));
    gcsr_write(CSR_PWCL, 14 | 11 << 5 | 25 << 10 | 11 << 15);
    gcsr_write(CSR_PGDL, GUEST_MEMORY);
    gcsr_write(CSR_CPUID, id);
    g->v.pc = (u64)torture_program;
    g->v.gpr[1] = (u64)lvz_guest_return;
    g->v.gpr[4] = rounds;
    g->v.gpr[S0] = g->seed;
    g->v.gpr[S1] = DATA_VA;
    g->v.gpr[S2] = 0;
    g->v.gpr[S3] = MULTIPLIER;
    g->v.gpr[S4] = INCREMENT;
}

static void note_place(u64 era)
{
    u64 at = (era & BITS(47, 0)) - physical_of(torture_program);
    if (at / 4 < sizeof(seen))
        seen[at / 4] = 1;
}

// Answers the other processor that interrupts this one.
static u32 n_answered;
static bool is_hammered;

static void answer(void)
{
    iocsr_write_w(IPI_CLEAR, 0xffffffff);
    __atomic_store_n(&n_answered, n_answered + 1, __ATOMIC_RELEASE);
}

// One entry; the root's timer ends it after `ticks`, if nothing else does.
static void run_for(struct guest *g, u64 ticks)
{
    u64 crmd = csr_read(CSR_CRMD) & ~(u64)CRMD_IE;
    csr_write(CSR_ECFG, BIT(LINE_TI) | BIT(LINE_IPI));
    csr_write(CSR_TICLR, 1);
    csr_write(CSR_TCFG, align_down(ticks, 4) | TCFG_EN);
    unsigned code = lvz_run(&g->v);
    csr_write(CSR_TCFG, 0);
    csr_write(CSR_TICLR, 1);
    if (g->v.estat & BIT(LINE_IPI))
        answer();
    count.exits++;
    if (code == EXC_GSPR && g->v.badi == LVZ_WORD_RETURN) {
        g->is_done = true;
        return;
    }
    if (code != EXC_INT)
        report_bail_out("exit 0x%x at 0x%lx, badv 0x%lx badi 0x%lx", code, (unsigned long)g->v.era,
                        (unsigned long)g->v.badv, (unsigned long)g->v.badi);
    count.interrupts++;
    note_place(g->v.era);
    u64 gstat = (csr_read(CSR_GSTAT) & BITS(9, 4)) | GSTAT_GID(g->v.gid) | GSTAT_PGM;
    count.state += g->v.prmd != CRMD_IE || g->v.crmd != crmd || g->v.gstat != gstat ||
                   !(g->v.estat & (BIT(LINE_TI) | BIT(LINE_IPI)));
    count.registers +=
        g->v.gpr[S1] != DATA_VA || g->v.gpr[S3] != MULTIPLIER || g->v.gpr[S4] != INCREMENT;
}

// Exits come many times in a program, however fast the processor is.
static u64 random_ticks(void)
{
    u64 limit = ticks_alone / (random_below(&rng, 4) ? 500 : 40);
    return 4 + ticks_visit + random_below(&rng, limit + ticks_visit);
}

static void check_result(struct guest *g, const char *name)
{
    g->csrs[0] = 0; // SAVE3 of the model
    report_eq(g->v.gpr[4], expected_sum(g->id, g->seed, g->rounds), "%s: guest %u: the sum", name,
              g->id);
    report_eq(*memory(g->id, GUEST_MEMORY + 0x10008) >= g->rounds, true,
              "%s: guest %u: the counter of ll and sc", name, g->id);
}

// The shortest of some runs: hosts are shared.
static u64 measure(u64 rounds, u64 ticks)
{
    u64 shortest = ~0ULL;
    for (unsigned i = 0; i < 8; i++) {
        prepare(0, rounds);
        u64 start = rdtime();
        run_for(&guests[0], ticks);
        u64 took = rdtime() - start;
        shortest = took < shortest ? took : shortest;
    }
    return shortest;
}

// An undisturbed run, then one with interrupts everywhere.
static void test_alone(u64 rounds)
{
    struct guest *g = &guests[0];
    ticks_visit = measure(rounds, 4);
    ticks_alone = measure(rounds, 60000 * time_ticks_per_ms());
    report_note("undisturbed: %lu ticks, a visit %lu", (unsigned long)ticks_alone,
                (unsigned long)ticks_visit);
    report(g->is_done, "undisturbed: runs through");
    report_eq(gcsr_read(CSR_SAVE0 + 2), rounds, "undisturbed: system calls");
    check_result(g, "undisturbed");
    prepare(0, rounds);
    u64 ticks = 4;
    while (!g->is_done) {
        run_for(g, ticks);
        ticks = ticks < 4000 ? ticks + 4 : 4;
    }
    report_eq(gcsr_read(CSR_SAVE0 + 2), rounds, "stepped timer: system calls");
    check_result(g, "stepped timer");
}

// What a hypervisor does to a guest between an exit and the next entry.
static void disturb(struct guest *g)
{
    static const u8 ops[] = {0, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x16, 0x16};
    u64 gpa = GUEST_MEMORY + random_below(&rng, 0x10000 + DATA_SIZE);
    switch (random_below(&rng, 4)) {
    case 0: lvz_invalidate(ops[random_below(&rng, sizeof(ops))], GSTAT_GID(g->v.gid), gpa); break;
    case 1: gcsr_write(CSR_LLBCTL, LLBCTL_WCLLB); break;
    default: break;
    }
}

static void test_disturbed(u64 rounds)
{
    struct guest *g = &guests[0];
    prepare(0, rounds);
    while (!g->is_done) {
        run_for(g, random_ticks());
        disturb(g);
    }
    report_eq(gcsr_read(CSR_SAVE0 + 2), rounds, "invalidations: system calls");
    check_result(g, "invalidations");
}

static unsigned places_seen(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof(seen); i++)
        n += seen[i];
    return n;
}

// Of its loop.
static unsigned n_places(void)
{
    return (unsigned)(torture_end - torture_program) / 4 - 2;
}

// The other processor: an interrupt whenever the one before has been answered, some time later.
static void hammer(void *argument)
{
    struct random r = {7};
    while (__atomic_load_n(&is_hammered, __ATOMIC_ACQUIRE)) {
        u32 before = __atomic_load_n(&n_answered, __ATOMIC_ACQUIRE);
        for (u64 n = random_below(&r, 300); n; n--)
            __asm__ volatile("");
        ipi_send(0, 2);
        while (__atomic_load_n(&n_answered, __ATOMIC_ACQUIRE) == before &&
               __atomic_load_n(&is_hammered, __ATOMIC_ACQUIRE))
            ;
    }
}

static void test_hammered(u64 rounds)
{
    struct guest *g = &guests[0];
    __atomic_store_n(&is_hammered, true, __ATOMIC_RELEASE);
    iocsr_write_w(IPI_EN, 0xffffffff);
    smp_begin(1, hammer, NULL);
    u64 deadline = time_after_ms(10000);
    do {
        prepare(0, rounds);
        while (!g->is_done)
            run_for(g, 1000 * time_ticks_per_ms());
    } while (places_seen() < n_places() && !time_is_past(deadline));
    __atomic_store_n(&is_hammered, false, __ATOMIC_RELEASE);
    smp_finish(1);
    iocsr_write_w(IPI_CLEAR, 0xffffffff);
    report_eq(gcsr_read(CSR_SAVE0 + 2), rounds, "another processor interrupts: system calls");
    check_result(g, "another processor interrupts");
    // When processors of the host are scarce, both seldom run at the same time.
    if (places_seen() >= n_places())
        report(true, "the guest was left at each of its %u instructions", n_places());
    else
        report_skip("busy host", "the guest was left at %u of %u instructions", places_seen(),
                    n_places());
}

static unsigned next_gid, last_gid;

// A fresh id each time; when they have been used up, all guests' entries go.
static void give_fresh_id(struct guest *g)
{
    if (next_gid > last_gid) {
        lvz_invalidate(0x12, 0, 0);
        next_gid = 1;
        for (unsigned i = 0; i < N_GUESTS; i++)
            guests[i].v.gid = 0;
    }
    g->v.gid = next_gid++;
    gcsr_exchange(CSR_LLBCTL, LLBCTL_WCLLB, LLBCTL_WCLLB);
    count.ids++;
}

static void save(struct guest *g)
{
    g->tcfg = gcsr_read(CSR_TCFG);
    g->tval = gcsr_read(CSR_TVAL);
    g->estat = gcsr_read(CSR_ESTAT);
    for (unsigned i = 0; i < ARRAY_LEN(swapped); i++)
        g->csrs[i] = gcsr_read(swapped[i]);
    g->gintc = csr_read(CSR_GINTC);
}

static void restore(const struct guest *g)
{
    gcsr_write(CSR_TCFG, 0);
    gcsr_write(CSR_ESTAT, g->estat);
    gcsr_write(CSR_TCFG, g->tcfg);
    gcsr_write(CSR_TVAL, g->tval);
    for (unsigned i = 0; i < ARRAY_LEN(swapped); i++)
        gcsr_write(swapped[i], g->csrs[i]);
    csr_write(CSR_GINTC, g->gintc);
    gcsr_exchange(CSR_LLBCTL, LLBCTL_WCLLB, LLBCTL_WCLLB);
    count.swaps++;
}

// Saved, overwritten and put back, every register reads the same.
static unsigned differences_after_restore(struct guest *g)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(swapped); i++) {
        u64 value = gcsr_read(swapped[i]);
        if (swapped[i] != CSR_LLBCTL && value != g->csrs[i])
            n++;
    }
    return n + ((gcsr_read(CSR_ESTAT) ^ g->estat) & ~BIT(LINE_TI) ? 1 : 0);
}

static struct guest *choose(void)
{
    for (;;) {
        struct guest *g = &guests[random_below(&rng, N_GUESTS)];
        if (!g->is_done)
            return g;
    }
}

static bool all_done(void)
{
    for (unsigned i = 0; i < N_GUESTS; i++)
        if (!guests[i].is_done)
            return false;
    return true;
}

static void prepare_all(u64 rounds)
{
    for (unsigned i = 0; i < N_GUESTS; i++) {
        prepare(i, rounds);
        gcsr_write(CSR_TCFG, align_down(ticks_alone / 16 * (i + 1), 4) | TCFG_EN | TCFG_PERIODIC);
        save(&guests[i]);
        guests[i].v.gid = 0; // none yet
    }
    lvz_invalidate(0, 0, 0);
    next_gid = 1;
    last_gid = (1u << bits_get(csr_read(CSR_GSTAT), 9, 4)) - 1;
}

static void test_taking_turns(u64 rounds)
{
    struct guest *current = NULL;
    unsigned n_wrong = 0;
    prepare_all(rounds);
    while (!all_done()) {
        struct guest *g = choose();
        if (g != current) {
            if (current)
                save(current);
            restore(g);
            n_wrong += differences_after_restore(g);
            current = g;
        }
        if (!g->v.gid || random_below(&rng, 16) == 0)
            give_fresh_id(g);
        run_for(g, random_ticks());
        if (g->is_done)
            save(g);
    }
    gcsr_write(CSR_TCFG, 0);
    report_eq(n_wrong, 0, "taking turns: registers are as they were saved");
    for (unsigned i = 0; i < N_GUESTS; i++) {
        struct guest *g = &guests[i];
        report_eq(g->csrs[23], rounds, "taking turns: guest %u: system calls", i);
        report(g->csrs[25] > 0, "taking turns: guest %u: its timer came", i);
        check_result(g, "taking turns");
    }
}

int main(void)
{
    u64 rounds = args_number("rounds", 6000);
    smp_start_all();
    rng.state = args_number("seed", 0x5deece66d);
    report_note("seed %lu", (unsigned long)rng.state);
    test_alone(rounds);
    test_disturbed(rounds);
    test_hammered(rounds);
    test_taking_turns(rounds);
    report_eq(count.state, 0, "%u interrupts: PRMD, CRMD, GSTAT and ESTAT of each exit",
              count.interrupts);
    report_eq(count.registers, 0, "and the guest's registers");
    report(count.ids > 8 && count.swaps > 50, "%u ids, %u swaps", count.ids, count.swaps);
    return 0;
}
