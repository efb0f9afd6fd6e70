// SPDX-License-Identifier: Apache-2.0
// Interrupts as the core sees them: software interrupts, enables, order, entries. Reference Manual,
// volume 1, 6.1.
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define LINES (BIT(LINE_SWI0) | BIT(LINE_SWI1) | BIT(LINE_TI) | BIT(LINE_IPI))

// Interrupts in the order they came: the number of the slot for VS != 0.
static struct {
    unsigned n, slots[16];
    u64 ecode, prmd, crmd, era;
} taken;

static void quiet(unsigned line)
{
    switch (line) {
    case LINE_SWI0: csr_clear(CSR_ESTAT, 1); break;
    case LINE_SWI1: csr_clear(CSR_ESTAT, 2); break;
    case LINE_TI: csr_write(CSR_TICLR, 1); break;
    case LINE_IPI: iocsr_write_w(IPI_CLEAR, ~0u); break;
    default: report_bail_out("interrupt of line %u", line);
    }
}

static bool on_interrupt(struct trap_frame *f, unsigned code)
{
    unsigned slot = (unsigned)(f->entry - (u64)trap_vectors) / 512;
    if (taken.n < ARRAY_LEN(taken.slots))
        taken.slots[taken.n] = slot;
    taken.n++;
    taken.ecode = bits_get(f->estat, 30, 16);
    taken.prmd = f->prmd;
    taken.crmd = f->crmd;
    taken.era = f->era;
    if (slot >= 64)
        quiet(slot - 64);
    return true;
}

static void raise_all(void)
{
    iocsr_write_w(IPI_EN, 1);
    iocsr_write_w(IPI_SET, 1);
    csr_write(CSR_TCFG, 4 | TCFG_EN);
    u64 deadline = time_after_ms(20000);
    while (!(csr_read(CSR_ESTAT) & BIT(LINE_TI)) && !time_is_past(deadline))
        ;
    csr_set(CSR_ESTAT, 3);
}

// Interrupts are on for a few instructions only.
static void open(void)
{
    taken.n = 0;
    csr_set(CSR_CRMD, CRMD_IE);
    __asm__ volatile("nop; nop; nop; nop" ::: "memory");
    csr_clear(CSR_CRMD, CRMD_IE);
}

static void test_order(void)
{
    csr_write(CSR_ECFG, 7 << 16 | LINES);
    raise_all();
    report_eq(csr_read(CSR_ESTAT) & BITS(14, 0), LINES, "all four lines are pending");
    open();
    report_eq(taken.n, 4, "each is taken once");
    report_eq(taken.slots[0], 64 + LINE_IPI, "first the inter-processor interrupt");
    report_eq(taken.slots[1], 64 + LINE_TI, "then the timer");
    report_eq(taken.slots[2], 64 + LINE_SWI1, "then software interrupt 1");
    report_eq(taken.slots[3], 64 + LINE_SWI0, "then software interrupt 0");
    report_eq(taken.ecode, 0, "Ecode is 0 whatever the entry");
    report_eq(csr_read(CSR_ESTAT) & BITS(14, 0), 0, "nothing is left");
}

static void test_enables(void)
{
    static const u8 lines[] = {LINE_SWI0, LINE_SWI1, LINE_TI, LINE_IPI};
    raise_all();
    csr_write(CSR_ECFG, 7 << 16);
    open();
    report_eq(taken.n, 0, "without ECFG.LIE nothing is taken");
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        csr_write(CSR_ECFG, 7 << 16 | BIT(lines[i]));
        open();
        report_eq(taken.n, 1, "only line %u", lines[i]);
        report_eq(taken.slots[0], 64u + lines[i], "only line %u: entry", lines[i]);
    }
    csr_write(CSR_ECFG, 0);
}

static u64 spin(u64 a, u64 b, u64 c)
{
    u64 n = 1000;
    __asm__ volatile("1: addi.d %0, %0, -1; bnez %0, 1b" : "+r"(n));
    return n + a;
}

static bool on_single(struct trap_frame *f, unsigned code)
{
    on_interrupt(f, code);
    csr_clear(CSR_ESTAT, 3);
    return true;
}

// Comes before the first instruction of a program at level 3, and the program does not notice.
static void test_user(void)
{
    for (unsigned vs = 0; vs < 8; vs++) {
        u64 offset = vs ? (u64)64 << (vs + 2) : 0;
        trap_set_handler(EXC_INT, on_single);
        csr_write(CSR_ECFG, (u64)vs << 16 | 1);
        csr_set(CSR_ESTAT, 1);
        taken.n = 0;
        struct trap t = trap_call_mode(3 | CRMD_IE, spin, 11, 0, 0);
        csr_write(CSR_ECFG, 0);
        report(t.code == EXC_NONE && t.value == 11 && taken.n == 1, "VS %u: taken at level 3", vs);
        report_eq(taken.slots[0], offset / 512, "VS %u: entry", vs);
        report_eq(taken.prmd, 3 | CRMD_IE, "VS %u: PRMD", vs);
        report_eq(taken.crmd & (CRMD_PLV | CRMD_IE), 0, "VS %u: CRMD", vs);
        report_eq(taken.era, (u64)spin, "VS %u: before the first instruction", vs);
    }
    trap_set_handler(EXC_INT, on_interrupt);
}

// BADV and BADI belong to other exceptions.
static void test_untouched(void)
{
    struct trap t = trap_call(3, (trap_function)0x0001000000000000, 0, 0, 0);
    u64 badv = csr_read(CSR_BADV);
    report_trap(&t, EXC_ADEF, "an exception first");
    csr_write(CSR_ECFG, 7 << 16 | 1);
    csr_set(CSR_ESTAT, 1);
    open();
    csr_write(CSR_ECFG, 0);
    report_eq(taken.n, 1, "then an interrupt");
    report_eq(csr_read(CSR_BADV), badv, "BADV stays");
}

// While a handler runs nothing comes in between; afterwards it does.
static bool on_syscall(struct trap_frame *f, unsigned code)
{
    if (f->badi != 0x002b0001)
        return false;
    csr_set(CSR_ESTAT, 2);
    __asm__ volatile("nop; nop; nop; nop" ::: "memory");
    f->gpr[4] = taken.n;
    f->era += 4;
    return true;
}

static u64 syscall_then_spin(u64 a, u64 b, u64 c)
{
    register u64 n __asm__("$a0") = 99;
    __asm__ volatile("syscall 1" : "+r"(n)::"memory");
    return n;
}

static void test_within_handler(void)
{
    trap_set_handler(EXC_SYS, on_syscall);
    csr_write(CSR_ECFG, 7 << 16 | 2);
    taken.n = 0;
    struct trap t = trap_call_mode(1 | CRMD_IE, syscall_then_spin, 0, 0, 0);
    csr_write(CSR_ECFG, 0);
    trap_set_handler(EXC_SYS, NULL);
    report_eq(t.value, 0, "none within a handler");
    report_eq(taken.n, 1, "one behind its ertn");
    report_eq(taken.slots[0], 64 + LINE_SWI1, "that of the software interrupt");
}

// Goes on at $t0.
static bool on_end(struct trap_frame *f, unsigned code)
{
    taken.n++;
    quiet(LINE_TI);
    f->era = f->gpr[12];
    return true;
}

// Two functions that call each other, one forward and one back, and never return.
static u64 calls_without_end(u64 n, u64 b, u64 c)
{
    __asm__ volatile("pcaddi $t0, 5\n"
                     "1: addi.d %0, %0, 1\n"
                     "bl 2f\n"
                     "nop\n"
                     "2: bl 1b"
                     : "+r"(n)
                     :
                     : "$ra", "$t0", "memory");
    return n;
}

static void test_calls_without_end(void)
{
    taken.n = 0;
    csr_write(CSR_ECFG, 7 << 16 | BIT(LINE_TI));
    trap_set_handler(EXC_INT, on_end);
    csr_write(CSR_TCFG, (5 * time_ticks_per_ms() & ~3ULL) | TCFG_EN);
    struct trap t = trap_call_mode(CRMD_IE, calls_without_end, 0, 0, 0);
    trap_set_handler(EXC_INT, on_interrupt);
    report_eq(t.code, EXC_NONE, "calls without an end are interrupted");
    report_eq(taken.n, 1, "once");
    report(t.value != 0, "after some of them");
}

int main(void)
{
    trap_set_handler(EXC_INT, on_interrupt);
    test_order();
    test_enables();
    test_user();
    test_untouched();
    test_within_handler();
    test_calls_without_end();
    return 0;
}
