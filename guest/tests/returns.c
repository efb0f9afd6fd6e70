// SPDX-License-Identifier: Apache-2.0
// Returns from exceptions, exceptions within exceptions, and what happens to an LL/SC pair.
// Reference Manual, volume 1, 6.2.4, 6.2.5 and 7.4.20 (LLBCTL).
#include "guest/lib/loongarch64/access.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define UNMAPPED 0x10000000ULL
#define PS       14

static u64 nothing(u64 a, u64 b, u64 c)
{
    return a;
}

static void test_modes(void)
{
    unsigned n_wrong = 0;
    for (u64 prmd = 0; prmd < 16; prmd++) {
        struct trap t = trap_call_mode(prmd, nothing, 5, 0, 0);
        n_wrong += t.code != EXC_NONE || t.prmd != prmd || t.value != 5;
    }
    report_eq(n_wrong, 0, "ertn restores level, IE and WE from PRMD");
}

// Goes on behind itself through the registers of a refill. `a` is TLBRPRMD, `b` bits of CRMD to
// begin with.
static u64 return_as_refill(u64 a, u64 b, u64 c)
{
    u64 here;
    csr_exchange(CSR_CRMD, b, CRMD_DA | CRMD_PG);
    csr_write(CSR_TLBRPRMD, a);
    csr_write(CSR_PRMD, 0x5);
    csr_write(CSR_ERA, 0x1000);
    __asm__ volatile("pcaddi %0, 5; ori %0, %0, 1; csrwr %0, 0x8a; pcaddi %0, 2; ertn"
                     : "=&r"(here)
                     :
                     : "memory");
    return here;
}

static void test_refill_returns(const char *name, u64 from)
{
    unsigned n_wrong = 0, n_is_tlbr = 0;
    for (u64 prmd = 0; prmd < 32; prmd++) {
        if (prmd & 8)
            continue;
        csr_write(CSR_TLBRERA, 0);
        struct trap t = trap_call(0, return_as_refill, prmd, from, 0);
        u64 expected = (prmd & 7) | (prmd & 16 ? 8 : 0);
        n_wrong +=
            t.code != EXC_NONE || t.prmd != expected || !(t.crmd & CRMD_PG) || (t.crmd & CRMD_DA);
        n_is_tlbr += csr_read(CSR_TLBRERA) & TLBRERA_IS_TLBR;
        start_mapped();
    }
    report_eq(n_wrong, 0, "ertn from a refill, %s: mode from TLBRPRMD, translation on", name);
    report_eq(n_is_tlbr, 0, "ertn from a refill, %s: IsTLBR is cleared", name);
}

// What the handlers below saw.
static struct {
    unsigned n_syscalls, n_refills;
    u64 loaded;
    struct trap_frame before, after;
    u64 era_in_refill, prmd_in_refill, estat_in_refill, crmd_in_refill;
} seen;

static void snapshot(struct trap_frame *f)
{
    f->era = csr_read(CSR_ERA);
    f->prmd = csr_read(CSR_PRMD);
    f->estat = csr_read(CSR_ESTAT);
    f->badv = csr_read(CSR_BADV);
}

static bool on_syscall(struct trap_frame *f, unsigned code)
{
    if (f->badi != 0x002b0001)
        return false;
    seen.n_syscalls++;
    snapshot(&seen.before);
    seen.loaded = *(volatile u64 *)(UNMAPPED + 0x18);
    snapshot(&seen.after);
    f->era += 4;
    return true;
}

static bool on_refill(struct trap_frame *f, unsigned code)
{
    seen.n_refills++;
    seen.era_in_refill = csr_read(CSR_ERA);
    seen.prmd_in_refill = csr_read(CSR_PRMD);
    seen.estat_in_refill = csr_read(CSR_ESTAT);
    seen.crmd_in_refill = f->crmd;
    csr_exchange(CSR_TLBREHI, PS, 0x3f);
    csr_write(CSR_TLBRELO0, SCRATCH_BASE | PAGE_ALL);
    csr_write(CSR_TLBRELO1, (SCRATCH_BASE + BIT(PS)) | PAGE_ALL);
    __asm__ volatile("tlbfill" ::: "memory");
    return true;
}

static u64 syscall_and_add(u64 a, u64 b, u64 c)
{
    __asm__ volatile("syscall 1" ::: "memory");
    return a + b;
}

static void test_refill_in_handler(void)
{
    tlb_clear();
    *(volatile u64 *)memory_at(SCRATCH_BASE + 0x18) = 0x1234567890;
    trap_set_handler(EXC_SYS, on_syscall);
    trap_set_handler(EXC_TLBR, on_refill);
    struct trap t = trap_call_mode(3 | CRMD_IE, syscall_and_add, 40, 2, 0);
    trap_set_handler(EXC_SYS, NULL);
    trap_set_handler(EXC_TLBR, NULL);
    report_trap(&t, EXC_NONE, "the program goes on");
    report_eq(t.value, 42, "with its registers");
    report_eq(seen.n_syscalls, 1, "the handler ran once");
    report_eq(seen.n_refills, 1, "and had one refill");
    report_eq(seen.loaded, 0x1234567890, "the load sees the new entry");
    report_eq(seen.era_in_refill, seen.before.era, "ERA stays in the refill");
    report_eq(seen.prmd_in_refill, 3 | CRMD_IE, "PRMD stays in the refill");
    report_eq(seen.estat_in_refill >> 16 & 0x3f, EXC_SYS, "ESTAT.Ecode stays in the refill");
    report_eq(seen.crmd_in_refill & BITS(4, 0), CRMD_DA, "the refill runs untranslated");
    report_eq(seen.after.era, seen.before.era, "ERA stays afterwards");
    report_eq(seen.after.prmd, seen.before.prmd, "PRMD stays afterwards");
    report_eq(seen.after.badv, seen.before.badv, "BADV stays afterwards");
}

// The second exception within a refill: the refill's context stays, the other one's is set.
static bool on_refill_break(struct trap_frame *f, unsigned code)
{
    __asm__ volatile("break 7" ::: "memory");
    return true;
}

static bool on_break(struct trap_frame *f, unsigned code)
{
    snapshot(&seen.before);
    seen.crmd_in_refill = f->crmd;
    seen.era_in_refill = csr_read(CSR_TLBRERA);
    seen.prmd_in_refill = f->prmd;
    return false;
}

static void test_exception_in_refill(void)
{
    tlb_clear();
    trap_set_handler(EXC_TLBR, on_refill_break);
    trap_set_handler(EXC_BRK, on_break);
    struct trap t = trap_call(3, access_load8, UNMAPPED, 0, 0);
    trap_set_handler(EXC_TLBR, NULL);
    trap_set_handler(EXC_BRK, NULL);
    report_trap(&t, EXC_BRK, "break within a refill");
    report_eq(seen.crmd_in_refill & BITS(4, 0), CRMD_DA, "runs untranslated");
    report_eq(seen.prmd_in_refill, 0, "comes from level 0");
    report_eq(seen.era_in_refill, (u64)access_load8 | TLBRERA_IS_TLBR, "TLBRERA stays");
    report_eq(csr_read(CSR_CRMD) & (CRMD_DA | CRMD_PG), CRMD_PG, "translation is on again");
}

// A call at level 0 that returns there, or in level 3 if `down`. What it returns to reads SAVE0.
static u64 return_at_level(u64 down, u64 b, u64 c)
{
    u64 read = 3;
    __asm__ volatile("csrwr %0, 1\n"
                     "bl 1f\n"
                     "csrrd %0, 0x30\n"
                     "b 3f\n"
                     "1: beqz %1, 2f\n"
                     "pcaddi $t0, 3\n"
                     "csrwr $t0, 6\n"
                     "ertn\n"
                     "2: jr $ra\n"
                     "3:"
                     : "+r"(read)
                     : "r"(down)
                     : "$ra", "$t0", "memory");
    return read;
}

static void test_call_left_behind(void)
{
    unsigned n_wrong = 0;
    for (unsigned n = 0; n < 1000; n++)
        n_wrong += trap_call(0, return_at_level, n & 1, 0, 0).code != (n & 1 ? EXC_IPE : EXC_NONE);
    report_eq(n_wrong, 0, "level 3 that returns to where level 0 called from has no privilege");
}

// Rounds of a loop that begins with its call and keeps its sums where the callee has others.
static u64 loop_from_call(u64 rounds, u64 b, u64 c)
{
    register u64 n __asm__("$s0") = 0;
    register u64 sum __asm__("$s1") = 0;
    register u64 mix __asm__("$s2") = 7;
    register u64 a0 __asm__("$a0") = 0;
    register u64 a1 __asm__("$a1") = rounds;
    __asm__ volatile("b 1f\n"
                     "2: addi.d $a0, $a0, 3\n"
                     "add.d $a2, $a0, $a1\n"
                     "add.d $a3, $a2, $a0\n"
                     "add.d $a4, $a3, $a2\n"
                     "add.d $a5, $a4, $a3\n"
                     "add.d $a6, $a5, $a4\n"
                     "add.d $a7, $a6, $a5\n"
                     "add.d $t0, $a7, $a6\n"
                     "add.d $t1, $t0, $a7\n"
                     "jr $ra\n"
                     "1: bl 2b\n"
                     "addi.d %0, %0, 1\n"
                     "add.d %1, %1, %0\n"
                     "xor %2, %2, %1\n"
                     "add.d %1, %1, %2\n"
                     "add.d %2, %2, %0\n"
                     "bltu %0, $a1, 1b"
                     : "+r"(n), "+r"(sum), "+r"(mix), "+r"(a0), "+r"(a1)
                     :
                     : "$ra", "$a2", "$a3", "$a4", "$a5", "$a6", "$a7", "$t0", "$t1", "memory");
    u64 want_sum = 0, want_mix = 7;
    for (u64 i = 1; i <= rounds; i++) {
        want_sum += i;
        want_mix ^= want_sum;
        want_sum += want_mix;
        want_mix += i;
    }
    return n == rounds && sum == want_sum && mix == want_mix && a0 == 3 * rounds;
}

static bool keep_link;

static bool on_link_syscall(struct trap_frame *f, unsigned code)
{
    if (f->badi != 0x002b0001)
        return false;
    if (keep_link)
        csr_set(CSR_LLBCTL, LLBCTL_KLO);
    f->era += 4;
    return true;
}

// Returns what sc says.
static u64 pair_with_syscall(u64 address, u64 value, u64 c)
{
    u64 old;
    __asm__ volatile("ll.d %0, %2, 0; syscall 1; sc.d %1, %2, 0"
                     : "=&r"(old), "+r"(value)
                     : "r"(address)
                     : "memory");
    return value;
}

static u64 two_pairs(u64 address, u64 value, u64 c)
{
    u64 first = pair_with_syscall(address, value, 0);
    keep_link = false;
    return first << 1 | pair_with_syscall(address, value, 0);
}

static u64 pair_with_clear(u64 address, u64 value, u64 c)
{
    u64 old, rollb;
    __asm__ volatile("ll.d %0, %2, 0; csrrd %1, 0x60" : "=&r"(old), "=r"(rollb) : "r"(address));
    csr_write(CSR_LLBCTL, LLBCTL_WCLLB);
    u64 cleared = csr_read(CSR_LLBCTL);
    __asm__ volatile("sc.d %0, %1, 0" : "+r"(value) : "r"(address) : "memory");
    return rollb | cleared << 4 | value << 8;
}

static void test_link(void)
{
    static u64 word;
    trap_set_handler(EXC_SYS, on_link_syscall);
    keep_link = false;
    struct trap t = trap_call(0, pair_with_syscall, (u64)&word, 1, 0);
    report_eq(t.value, 0, "sc fails after an exception");
    report_eq(word, 0, "and stores nothing");
    keep_link = true;
    t = trap_call(0, pair_with_syscall, (u64)&word, 1, 0);
    report_eq(t.value, 1, "sc succeeds when LLBCTL.KLO was set");
    report_eq(word, 1, "and stores");
    report_eq(csr_read(CSR_LLBCTL) & LLBCTL_KLO, 0, "KLO clears itself");
    keep_link = true;
    t = trap_call(0, two_pairs, (u64)&word, 2, 0);
    report_eq(t.value, 2, "KLO holds for one ertn");
    trap_set_handler(EXC_SYS, NULL);
    t = trap_call(0, pair_with_clear, (u64)&word, 3, 0);
    report_eq(t.value & 1, 1, "LLBCTL.ROLLB is set after ll");
    report_eq(t.value >> 4 & 1, 0, "and clear after WCLLB");
    report_eq(t.value >> 8, 0, "sc then fails");
}

int main(void)
{
    test_modes();
    test_refill_returns("translation off", CRMD_DA);
    test_refill_returns("translation on", CRMD_PG);
    report_prefix_push("refill in a handler");
    test_refill_in_handler();
    report_prefix_pop();
    report_prefix_push("exception in a refill");
    test_exception_in_refill();
    test_call_left_behind();
    report_eq(loop_from_call(5000, 0, 0), 1, "a loop that begins with its call");
    report_prefix_pop();
    report_prefix_push("link");
    test_link();
    report_prefix_pop();
    return 0;
}
