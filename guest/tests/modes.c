// SPDX-License-Identifier: Apache-2.0
// From virtual to physical without the TLB: translation off, direct-mapped windows, addresses that
// are none, 32-bit and reduced addresses. Reference Manual, volume 1, 5.2.
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define WORD_AT SCRATCH_BASE
#define WORD    0x600dda7a600dda7aULL

static void check_load(u64 va, unsigned plv, unsigned code, const char *name)
{
    struct trap t = trap_call(plv, access_load64, va, 0, 0);
    if (report_trap(&t, code, "%s", name) && code == EXC_NONE)
        report_eq(t.value, WORD, "%s: the right word", name);
}

// With translation off all bits from PALEN up are ignored, whatever the level.
static void test_direct(void)
{
    unsigned n_wrong = 0;
    for (u64 segment = 0; segment < 0x10000; segment += 0x123)
        for (unsigned plv = 0; plv < 4; plv++) {
            start_direct();
            struct trap t = trap_call(plv, access_load64, segment << 48 | WORD_AT, 0, 0);
            start_mapped();
            n_wrong += t.code != EXC_NONE || t.value != WORD;
        }
    report_eq(n_wrong, 0, "translation off: upper bits are ignored at all levels");
    u64 code = SCRATCH_BASE + 0x1000;
    *(volatile u32 *)memory_at(code) = INSN_RET;
    __asm__ volatile("ibar 0" ::: "memory");
    start_direct();
    struct trap t = trap_call_at(0, 0x7123000000000000 | code, 9, 0, 0);
    start_mapped();
    report_trap(&t, EXC_NONE, "translation off: code runs anywhere");
    report_eq(t.value, 9, "translation off: and returns");
}

static void test_segments(void)
{
    unsigned n_wrong = 0;
    for (u64 segment = 0; segment < 16; segment++) {
        u64 va = segment << 60 | WORD_AT;
        if (segment == WINDOW_MEMORY >> 60)
            continue;
        csr_write(CSR_DMW3, segment << 60 | 1);
        struct trap t = trap_call(0, access_load64, va | 0x0fff000000000000, 0, 0);
        n_wrong += t.code != EXC_NONE || t.value != WORD;
    }
    csr_write(CSR_DMW3, 0);
    report_eq(n_wrong, 0, "a window opens its segment, bits 59 to 48 are ignored");
}

static void test_window_levels(void)
{
    const u64 va = 0xa000000000000000 | WORD_AT;
    for (unsigned bits = 0; bits < 16; bits++) {
        unsigned n_wrong = 0;
        csr_write(CSR_DMW2, (va & BITS(63, 60)) | 2 << 4 | bits);
        for (unsigned plv = 0; plv < 4; plv++) {
            struct trap t = trap_call(plv, access_load64, va, 0, 0);
            n_wrong += t.code != (bits >> plv & 1 ? EXC_NONE : EXC_ADEM);
            t = trap_call(plv, access_store64, va + 8, 1, 0);
            n_wrong += t.code != (bits >> plv & 1 ? EXC_NONE : EXC_ADEM);
            t = trap_call_at(plv, va + 16, 0, 0, 0);
            n_wrong += t.code != (bits >> plv & 1 ? EXC_NONE : EXC_ADEF);
        }
        report_eq(n_wrong, 0, "window open to levels 0x%x", bits);
    }
    csr_write(CSR_DMW2, 0);
}

// A window in a segment with legal addresses hides the TLB there, for the levels it is open to.
static void test_window_and_tlb(void)
{
    tlb_clear();
    check_load(WORD_AT, 0, EXC_TLBR, "no window, no entry");
    csr_write(CSR_DMW2, 1);
    check_load(WORD_AT, 0, EXC_NONE, "window over segment 0");
    check_load(WORD_AT, 3, EXC_TLBR, "window over segment 0, another level");
    tlb_map(0, WORD_AT, SCRATCH_BASE + 0x10000, 12, PAGE_ALL & ~PAGE_V);
    check_load(WORD_AT, 0, EXC_NONE, "window before the TLB");
    csr_write(CSR_DMW2, 0);
    check_load(WORD_AT, 0, EXC_PIL, "window closed again");
    tlb_clear();
    csr_write(CSR_DMW2, 0xf000000000000001);
    check_load(0xf000000000000000 | WORD_AT, 0, EXC_NONE, "window over segment 15");
    csr_write(CSR_DMW2, 0);
    check_load(0xffff800000000000 | WORD_AT, 0, EXC_TLBR, "segment 15 without window");
}

static void test_canonical(void)
{
    tlb_clear();
    check_load(0x00007ffffffffff8, 0, EXC_TLBR, "highest low address");
    check_load(0x0000800000000000, 0, EXC_ADEM, "the one behind it");
    check_load(0xffff7ffffffffff8, 0, EXC_ADEM, "the one before the lowest high address");
    check_load(0xffff800000000000, 0, EXC_TLBR, "lowest high address");
    check_load(0xa000000000000000, 0, EXC_ADEM, "segment without window");
    check_load(0x7fffffffffffffff & ~7ULL, 3, EXC_ADEM, "bit 63 clear, all else set");
    struct trap t = trap_call(0, access_store32, 0x0001000000000000, 0, 0);
    report_trap(&t, EXC_ADEM, "store to bit 48");
    t = trap_call_at(0, 0x0000800000000000, 0, 0, 0);
    report_trap(&t, EXC_ADEF, "fetch from bit 47");
    report_eq(t.badv, 0x0000800000000000, "fetch from bit 47: BADV");
}

// RVACFG.RBits shortens what is legal.
static void test_reduced(void)
{
    for (unsigned rbits = 1; rbits <= 8; rbits++) {
        unsigned n_wrong = 0;
        u64 limit = BIT(47 - rbits);
        csr_write(CSR_RVACFG, rbits);
        n_wrong += trap_call(0, access_load64, limit - 8, 0, 0).code != EXC_TLBR;
        n_wrong += trap_call(0, access_load64, limit, 0, 0).code != EXC_ADEM;
        n_wrong += trap_call(0, access_load64, 0 - limit, 0, 0).code != EXC_TLBR;
        n_wrong += trap_call(0, access_load64, 0 - limit - 8, 0, 0).code != EXC_ADEM;
        n_wrong += trap_call_at(0, limit, 0, 0, 0).code != EXC_ADEF;
        report_eq(n_wrong, 0, "addresses reduced by %u bits", rbits);
    }
    csr_write(CSR_RVACFG, 0);
    check_load(0x00007ffffffffff8, 0, EXC_TLBR, "no longer reduced");
}

// MISC.VA32Ln: the level sees 32-bit addresses. Its code must be below 4 GiB for that.
static void test_32_bit(unsigned plv)
{
    const u64 code = 0x10000000;
    u32 *insn = memory_at(SCRATCH_BASE + 0x2000);
    insn[0] = 0x28c00084; // ld.d $a0, $a0, 0
    insn[1] = 0x002b0001; // syscall 1
    __asm__ volatile("ibar 0" ::: "memory");
    tlb_clear();
    tlb_map(0, code, SCRATCH_BASE, 13, PAGE_ALL);
    tlb_map(1, 0xc0000000, SCRATCH_BASE + 0x8000, 13, PAGE_ALL);
    *(volatile u64 *)memory_at(SCRATCH_BASE + 0x8008) = WORD;
    csr_write(CSR_MISC, BIT(plv));
    struct trap t = trap_call_at(plv, code + 0x2000, 0x12345678c0000008, 0, 0);
    report_trap(&t, EXC_SYS, "level %u with 32-bit addresses", plv);
    report_eq(t.era, code + 0x2004, "level %u: ERA", plv);
    t = trap_call_at(plv, code + 0x2000, 0x12345678d0000008, 0, 0);
    report_trap(&t, EXC_TLBR, "level %u, no entry", plv);
    report_eq(t.badv, 0xd0000008, "level %u: the bad address has 32 bits", plv);
    csr_write(CSR_MISC, 0);
    t = trap_call_at(plv, code + 0x2000, 0x12345678c0000008, 0, 0);
    report_trap(&t, EXC_ADEM, "level %u with 64-bit addresses again", plv);
}

int main(void)
{
    *(volatile u64 *)memory_at(WORD_AT) = WORD;
    *(volatile u32 *)memory_at(WORD_AT + 16) = INSN_RET;
    __asm__ volatile("ibar 0" ::: "memory");
    test_direct();
    test_segments();
    test_window_levels();
    test_window_and_tlb();
    report_prefix_push("canonical");
    test_canonical();
    report_prefix_pop();
    test_reduced();
    report_prefix_push("VA32");
    for (unsigned plv = 1; plv <= 3; plv++)
        test_32_bit(plv);
    report_prefix_pop();
    return 0;
}
