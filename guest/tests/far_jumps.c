// SPDX-License-Identifier: Apache-2.0
// Direct jumps to another page whose mapping changes: by any invalidation, by a switch of address
// spaces or guests, by an entry that takes another one's place, and for code that is seen at two
// addresses. Whoever remembers where a jump led has to notice. Volume 1, 4.2.4.7 and 5.4.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/insn.h"
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/report.h"

#define PS       14
#define PAIR     (2ULL << PS)
#define DISTANCE (3 * PAIR) // from the code to the page that it jumps to
#define CODE     0x40000000ULL
#define ALIAS    (CODE + 0x1000000)
#define CODE_PA  SCRATCH_BASE
#define WINDOW   0x9000000000000000ULL
#define N_WARM   4 // jumps until their target is remembered, and one more
#define FAULT    0x1000

enum { SLOT_CODE = 1, SLOT_TARGET, SLOT_OTHER, SLOT_ALIAS, SLOT_ALIAS_TARGET };

// One place in the page for each, and a target for each.
enum { JUMP, CALL, CONDITIONAL, CONDITIONAL_ZERO, FALL_THROUGH, N_KINDS };
static const char *const kind_names[] = {"b", "bl", "beq", "beqz", "from page to page"};
#define PLACE_SIZE 64

static u64 place_of(unsigned kind)
{
    return kind == FALL_THROUGH ? BIT(PS) - 4 : kind * PLACE_SIZE;
}

// Pages whose code returns their number. The one behind CODE_PA in memory is the window's.
static u64 page_pa(unsigned n)
{
    return CODE_PA + (n ? PAIR * (8 + n) : DISTANCE);
}

static void write_target(u64 pa, unsigned n)
{
    u32 *code = memory_at(pa);
    for (unsigned i = 0; i < BIT(PS) / 4; i += 2) {
        code[i] = insn_load(4, n);
        code[i + 1] = INSN_RETURN;
    }
}

static void write_code(void)
{
    u32 *code = memory_at(CODE_PA);
    s32 n = DISTANCE / 4;
    code[place_of(JUMP) / 4] = insn_branch(DISTANCE);
    u32 *call = &code[place_of(CALL) / 4];
    call[0] = 0x00150000u | 1 << 5 | 12; // or $t0, $ra, $zero
    call[1] = INSN_NOP;
    call[2] = insn_branch(DISTANCE) | 0x04000000u;
    call[3] = 0x4c000000u | 12 << 5; // jirl $zero, $t0, 0
    code[place_of(CONDITIONAL) / 4] = 0x58000000u | (u32)n << 10;
    code[place_of(CONDITIONAL_ZERO) / 4] = 0x40000000u | (u32)(n & 0xffff) << 10 | (u32)n >> 16;
    code[place_of(FALL_THROUGH) / 4] = INSN_NOP;
    for (unsigned i = 0; i < 8; i++) {
        write_target(page_pa(i), 1 + i);
        write_target(page_pa(i) + BIT(PS), 1 + i);
    }
    insn_barrier();
}

static struct tlb_entry pair_at(u64 va, unsigned asid, u64 even, u64 odd, u64 flags)
{
    return (struct tlb_entry){va, PS, asid, {even | PAGE_ALL | flags, odd | PAGE_ALL | flags}};
}

static void put(unsigned slot, const struct tlb_entry *e)
{
    tlb_write(TLB_STLB_ENTRIES + slot, e);
}

// Code at `va`, and the page that it jumps to with the entries in these slots.
static void map(unsigned kind, u64 va, unsigned asid, unsigned page, u64 flags, unsigned code_slot,
                unsigned slot)
{
    bool beside = kind == FALL_THROUGH;
    struct tlb_entry code = pair_at(va, asid, CODE_PA, beside ? page_pa(page) : CODE_PA, flags);
    struct tlb_entry target = pair_at(va + DISTANCE, asid, page_pa(page), page_pa(page), flags);
    put(code_slot, &code);
    if (!beside)
        put(slot, &target);
}

static u64 go(unsigned plv, unsigned kind, u64 va)
{
    struct trap t = trap_call_at(plv, va + place_of(kind), 0, 0, 0);
    return t.code == EXC_NONE ? t.value : FAULT | t.code;
}

static unsigned n_wrong;

static void expect(unsigned plv, unsigned kind, u64 va, u64 value)
{
    for (unsigned i = 0; i < N_WARM; i++)
        n_wrong += go(plv, kind, va) != value;
}

// What `change` says, for all kinds of jumps at both levels.
static void check(void (*change)(unsigned plv, unsigned kind), const char *what)
{
    for (unsigned kind = 0; kind < N_KINDS; kind++)
        for (unsigned plv = 0; plv <= 3; plv += 3) {
            tlb_clear();
            tlb_set_asid(5);
            n_wrong = 0;
            change(plv, kind);
            tlb_set_asid(0);
            report_eq(n_wrong, 0, "PLV %u, %s: %s", plv, kind_names[kind], what);
        }
}

static void overwrite(unsigned plv, unsigned kind)
{
    for (unsigned page = 1; page < 5; page++) {
        map(kind, CODE, 5, page, 0, SLOT_CODE, SLOT_TARGET);
        expect(plv, kind, CODE, 1 + page);
    }
}

static void remove(unsigned plv, unsigned kind)
{
    map(kind, CODE, 5, 1, 0, SLOT_CODE, SLOT_TARGET);
    expect(plv, kind, CODE, 2);
    if (kind == FALL_THROUGH) { // the code stays
        struct tlb_entry e = pair_at(CODE, 5, CODE_PA, 0, 0);
        e.elo[1] = 0;
        put(SLOT_CODE, &e);
        expect(plv, kind, CODE, FAULT | EXC_PIF);
        return;
    }
    tlb_remove(TLB_STLB_ENTRIES + SLOT_TARGET);
    expect(plv, kind, CODE, FAULT | EXC_TLBR);
}

// Then another page by another entry, so that none takes the place of the old one.
static void invalidate(unsigned plv, unsigned kind)
{
    for (unsigned op = 0; op <= 6; op++) {
        u64 flags = op == 2 ? PAGE_G : 0;
        for (unsigned round = 0; round < 3; round++) {
            unsigned page = 1 + (op + round) % 4;
            map(kind, CODE, 5, page, flags, SLOT_CODE, SLOT_TARGET + round);
            expect(plv, kind, CODE, 1 + page);
            tlb_invalidate(op, 5, kind == FALL_THROUGH ? CODE : CODE + DISTANCE);
        }
    }
}

static void switch_spaces(unsigned plv, unsigned kind)
{
    map(kind, CODE, 5, 1, 0, SLOT_CODE, SLOT_TARGET);
    map(kind, CODE, 6, 2, 0, SLOT_ALIAS, SLOT_ALIAS_TARGET);
    for (unsigned round = 0; round < 6; round++) {
        tlb_set_asid(5 + round % 2);
        expect(plv, kind, CODE, 2 + round % 2);
    }
}

static void see_twice(unsigned plv, unsigned kind)
{
    map(kind, CODE, 5, 1, 0, SLOT_CODE, SLOT_TARGET);
    map(kind, ALIAS, 5, 2, 0, SLOT_ALIAS, SLOT_ALIAS_TARGET);
    for (unsigned round = 0; round < 6; round++)
        expect(plv, kind, round % 2 ? ALIAS : CODE, 2 + round % 2);
}

// The code page in the window jumps to what is behind it in memory, which the TLB has not there.
static void see_in_window(unsigned plv, unsigned kind)
{
    if (kind == FALL_THROUGH)
        return;
    map(kind, CODE, 5, 1, 0, SLOT_CODE, SLOT_TARGET);
    for (unsigned round = 0; round < 6; round++) {
        expect(0, kind, WINDOW + CODE_PA, 1);
        expect(plv, kind, CODE, 2);
    }
}

// Thousands of jumps, each of which is tried again after so many changes that a count of them in 14
// bits is where it was, and the mapping is not.
#define N_CHANGES (BIT(14) - 1)

static void map_many(unsigned page)
{
    for (unsigned i = 0; i < 2; i++) {
        struct tlb_entry e =
            pair_at(CODE + DISTANCE + i * PAIR, 5, page_pa(page), page_pa(page), 0);
        put(SLOT_TARGET + i, &e);
    }
}

static void change_often(void)
{
    u32 *code = memory_at(CODE_PA);
    for (unsigned i = 0; i < N_CHANGES; i++)
        code[i] = insn_branch((s64)DISTANCE + i % 2 * 4);
    insn_barrier();
    tlb_clear();
    tlb_set_asid(5);
    tlb_map(SLOT_ALIAS, CODE, CODE_PA, PS, PAGE_ALL);
    tlb_map(SLOT_ALIAS_TARGET, CODE + PAIR, CODE_PA + PAIR, PS, PAGE_ALL);
    n_wrong = 0;
    for (unsigned i = 0; i < 2 * N_CHANGES; i++) {
        unsigned page = 1 + i % 2;
        map_many(page);
        for (unsigned k = 0; k < 3; k++) {
            struct trap t = trap_call_at(3, CODE + i % N_CHANGES * 4, 0, 0, 0);
            n_wrong += t.code != EXC_NONE || t.value != 1 + page;
        }
    }
    tlb_set_asid(0);
    report_eq(n_wrong, 0, "%u changes", (unsigned)(2 * N_CHANGES));
}

// Guests: addresses are their physical ones, or mapped by their own TLB to the same.
static struct vcpu v;

static void map_guest(unsigned gid, unsigned slot, unsigned page)
{
    lvz_stage2_map(gid, slot, CODE, CODE_PA, PS, PAGE_ALL);
    lvz_stage2_map(gid, slot + 1, CODE + DISTANCE, page_pa(page), PS, PAGE_ALL);
}

static void expect_guest(unsigned gid, u64 crmd, unsigned kind, u64 value)
{
    v.gid = gid;
    lvz_map_payload(&v);
    for (unsigned i = 0; i < N_WARM; i++) {
        unsigned found = lvz_call_at(&v, crmd, CODE + place_of(kind), 0, 0, 0);
        n_wrong += found != EXC_NONE || lvz_result(&v) != value;
    }
}

static void check_guests(unsigned kind, u64 crmd, const char *mode)
{
    lvz_init(&v, 1);
    lvz_open_window();
    n_wrong = 0;
    for (unsigned gid = 1; gid <= 2; gid++) {
        map_guest(gid, 4 * gid, gid);
        lvz_stage1_map(gid, 20 + 2 * gid, CODE, CODE, PS, PAGE_ALL);
        lvz_stage1_map(gid, 21 + 2 * gid, CODE + DISTANCE, CODE + DISTANCE, PS, PAGE_ALL);
    }
    for (unsigned round = 0; round < 6; round++)
        expect_guest(1 + round % 2, crmd, kind, 2 + round % 2);
    report_eq(n_wrong, 0, "%s, %s: guests by turns", mode, kind_names[kind]);
    n_wrong = 0;
    for (unsigned page = 1; page < 5; page++) {
        map_guest(1, 4, page);
        expect_guest(1, crmd, kind, 1 + page);
    }
    report_eq(n_wrong, 0, "%s, %s: the second stage overwritten", mode, kind_names[kind]);
    n_wrong = 0;
    for (unsigned page = 1; page < 5; page++) {
        lvz_invalidate(0, 0, 0);
        map_guest(1, 4 + 2 * page, page);
        lvz_stage1_map(1, 22, CODE, CODE, PS, PAGE_ALL);
        lvz_stage1_map(1, 23, CODE + DISTANCE, CODE + DISTANCE, PS, PAGE_ALL);
        expect_guest(1, crmd, kind, 1 + page);
    }
    report_eq(n_wrong, 0, "%s, %s: all forgotten", mode, kind_names[kind]);
}

static bool has_lvz(void)
{
    u32 word;
    __asm__("cpucfg %0, %1" : "=r"(word) : "r"(2));
    return word >> 10 & 1;
}

int main(void)
{
    tlb_set_stlb_ps(PS);
    write_code();
    // First: then nothing has been executed but by the window.
    check(see_in_window, "the code in a window, and mapped");
    check(overwrite, "the entry of the target overwritten");
    check(remove, "and removed");
    check(invalidate, "invtlb, and another page");
    check(switch_spaces, "address spaces by turns");
    check(see_twice, "the code at two addresses");
    change_often();
    write_code();
    for (unsigned kind = 0; has_lvz() && kind < FALL_THROUGH; kind++) {
        check_guests(kind, CRMD_DA, "guest's direct mode");
        check_guests(kind, CRMD_PG, "guest's pages");
    }
    return 0;
}
