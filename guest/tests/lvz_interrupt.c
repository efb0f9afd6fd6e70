// SPDX-License-Identifier: Apache-2.0
// Interrupts of a guest: injected, passed through, its own; and the root's that break into it.
//
// Command line: hwip_shared=1 hwic_plain=1 tell how the processor was configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

#define GUEST(code) (LVZ_GUEST | (code))
#define GUEST_ON    (CRMD_DA | CRMD_IE)
#define ALL_LINES   0x1fff

static struct vcpu v;

static void start(void)
{
    lvz_init(&v, 1);
    gcsr_write(CSR_ECFG, ALL_LINES);
}

// The lines that are up in the guest's ESTAT.
static u64 guest_lines(void)
{
    return gcsr_read(CSR_ESTAT) & BITS(14, 0);
}

// Whether the guest takes an interrupt at its first instruction.
static unsigned one_instruction(u64 crmd)
{
    return lvz_word(&v, crmd, WORD("addi.d $a0, $a0, 1"), 0, 0);
}

static void test_injection(void)
{
    start();
    for (unsigned n = 0; n < 8; n++) {
        csr_set(CSR_GINTC, GINTC_HWIS(BIT(n)));
        report_eq(csr_read(CSR_GINTC), GINTC_HWIS(BIT(n)), "HWIS %u reads back", n);
        report_eq(guest_lines(), BIT(LINE_HWI0 + n), "HWIS %u is up in the guest's ESTAT", n);
        report_outcome(&v, one_instruction(GUEST_ON), GUEST(EXC_INT), "HWIS %u is taken inside", n);
        report(gcsr_read(CSR_ERA) == (u64)lvz_word_address() && guest_lines() == BIT(2 + n),
               "HWIS %u: at the first instruction, and stays up", n);
        report_outcome(&v, one_instruction(CRMD_DA), EXC_NONE, "HWIS %u with IE clear", n);
        gcsr_write(CSR_ECFG, ALL_LINES & ~BIT(2 + n));
        report_outcome(&v, one_instruction(GUEST_ON), EXC_NONE, "HWIS %u with the line masked", n);
        gcsr_write(CSR_ECFG, ALL_LINES);
        csr_clear(CSR_GINTC, GINTC_HWIS(BIT(n)));
        report_eq(guest_lines(), 0, "HWIS %u withdrawn", n);
        report_outcome(&v, one_instruction(GUEST_ON), EXC_NONE, "HWIS %u withdrawn: none", n);
    }
    csr_set(CSR_GINTC, GINTC_HWIS(0x81));
    csr_exchange(CSR_GINTC, GINTC_HWIS(0x10), GINTC_HWIS(0x10));
    report_eq(csr_read(CSR_GINTC), GINTC_HWIS(0x91), "a change of one line keeps the others");
    u64 image = csr_read(CSR_GINTC);
    csr_write(CSR_GINTC, 0);
    csr_write(CSR_GINTC, image);
    report_eq(guest_lines(), 0x91 << 2, "saved and restored");
    csr_write(CSR_GINTC, 0);
}

static void test_estat_image(void)
{
    start();
    gcsr_write(CSR_ESTAT, BITS(9, 2));
    report_eq(guest_lines(), 0, "HWI bits written to ESTAT do not stick");
    csr_write(CSR_GINTC, GINTC_HWIS(0x24));
    gcsr_write(CSR_ESTAT, 0);
    report_eq(guest_lines(), 0x24 << 2, "nor do they go by it");
    gcsr_write(CSR_ESTAT, BITS(9, 2));
    report_eq(guest_lines(), 0x24 << 2, "GINTC says what is up, in either order");
    csr_write(CSR_GINTC, 0);
    report_eq(guest_lines(), 0, "and what is down");
}

static void test_stored_lines(void)
{
    static const u8 lines[] = {0, 1, 10, 11, 12};
    start();
    for (unsigned i = 0; i < sizeof(lines); i++) {
        u64 bit = BIT(lines[i]);
        gcsr_exchange(CSR_ESTAT, bit, bit);
        report_eq(guest_lines(), bit, "line %u set by the root", lines[i]);
        report_outcome(&v, one_instruction(GUEST_ON), GUEST(EXC_INT), "line %u is taken inside",
                       lines[i]);
        gcsr_exchange(CSR_ESTAT, 0, bit);
        report_eq(guest_lines(), 0, "line %u cleared by the root", lines[i]);
        report_eq(csr_read(CSR_ESTAT) & bit, 0, "line %u is not the root's", lines[i]);
    }
    gcsr_write(CSR_ESTAT, BIT(12) | BIT(11) | BIT(0));
    lvz_word(&v, CRMD_DA, WORD("csrwr $a0, 0x5"), 0, 0);
    report_eq(guest_lines(), BIT(12) | BIT(11), "the guest clears software interrupts only");
    lvz_word(&v, CRMD_DA, WORD("csrwr $a0, 0x44"), 1, 0);
    report_eq(guest_lines(), BIT(12), "and the timer's by TICLR");
    gcsr_write(CSR_ESTAT, 0);
}

// The highest line goes first.
static void test_priority(void)
{
    start();
    gcsr_write(CSR_ECFG, 1 << 16 | ALL_LINES);
    u64 up = BIT(0) | BIT(1) | BIT(10) | BIT(12);
    gcsr_write(CSR_ESTAT, up);
    csr_write(CSR_GINTC, GINTC_HWIS(0x81));
    unsigned n_wrong = 0;
    for (u64 mask = ALL_LINES, expected; mask & (up | 0x81 << 2); mask &= ~BIT(expected)) {
        expected = 63 - (u64)__builtin_clzll(mask & (up | 0x81 << 2));
        gcsr_write(CSR_ECFG, 1 << 16 | mask);
        n_wrong += one_instruction(GUEST_ON) != GUEST(EXC_INT);
        n_wrong += v.era - (u64)lvz_guest_vectors != (64 + expected) * 8;
    }
    report_eq(n_wrong, 0, "the highest line is taken first");
    csr_write(CSR_GINTC, 0);
}

// A guest that takes many without an exit.
__asm__(".pushsection .text.guest_interrupts, \"ax\"\n"
        ".balign 0x1000\n"
        ".globl guest_handler, guest_program\n"
        "guest_handler:\n"
        "csrwr $t0, 0x30\n"
        "csrrd $t0, 0x31\n"
        "addi.d $t0, $t0, 1\n"
        "csrwr $t0, 0x31\n"
        "ori $t0, $zero, 1\n"
        "csrxchg $zero, $t0, 0x5\n"
        "csrrd $t0, 0x30\n"
        "ertn\n"
        "guest_program:\n"
        "ori $t1, $zero, 1\n"
        "ori $t2, $zero, 1\n"
        "1: csrxchg $t1, $t2, 0x5\n"
        "ori $t1, $zero, 1\n"
        "addi.d $a0, $a0, -1\n"
        "bnez $a0, 1b\n"
        "ret\n"
        ".popsection\n");
extern const char guest_handler[], guest_program[];

static void test_inside(void)
{
    start();
    gcsr_write(CSR_EENTRY, (u64)guest_handler);
    report_outcome(&v, lvz_call_at(&v, GUEST_ON, (u64)guest_program, 1000, 0, 0), EXC_NONE,
                   "a guest that interrupts itself");
    report_eq(gcsr_read(CSR_SAVE0 + 1), 1000, "each time, and without an exit");
    report_eq(gcsr_read(CSR_CRMD), GUEST_ON, "with interrupts on again");
}

static void test_root_interrupts(void)
{
    start();
    csr_write(CSR_ECFG, BIT(LINE_SWI0));
    csr_write(CSR_ESTAT, BIT(LINE_SWI0));
    gcsr_exchange(CSR_ESTAT, BIT(LINE_IPI), BIT(LINE_IPI));
    report_outcome(&v, one_instruction(GUEST_ON), EXC_INT, "the root's interrupt comes first");
    report(v.estat & BIT(LINE_SWI0) && v.era == (u64)lvz_word_address() && v.prmd == CRMD_IE,
           "ESTAT still shows it, ERA is where the guest goes on");
    csr_write(CSR_ESTAT, 0);
    report_outcome(&v, lvz_outcome(&v), GUEST(EXC_INT), "then comes the guest's");
    csr_write(CSR_ESTAT, BIT(LINE_SWI0));
    csr_write(CSR_ECFG, 0);
    report_outcome(&v, one_instruction(GUEST_ON), GUEST(EXC_INT),
                   "one that the root masks holds up nothing");
    gcsr_write(CSR_ESTAT, 0);
    csr_write(CSR_ECFG, BIT(LINE_SWI0));
    v.entry_prmd = 0;
    report_outcome(&v, one_instruction(GUEST_ON), EXC_NONE, "without PIE none of the root's exits");
    v.entry_prmd = CRMD_IE;
    unsigned n_wrong = 0;
    for (unsigned mode = 0; mode < 4; mode++)
        n_wrong += one_instruction(CRMD_DA | mode) != EXC_INT;
    report_eq(n_wrong, 0, "the guest's level and IE have no say");
    csr_write(CSR_ESTAT, 0);
    iocsr_write_w(IPI_EN, 0xffffffff);
    csr_write(CSR_ECFG, BIT(LINE_IPI));
    ipi_send(0, 3);
    report_outcome(&v, one_instruction(GUEST_ON), EXC_INT, "an interprocessor interrupt exits");
    report(v.estat & BIT(LINE_IPI) && !guest_lines(), "it is the root's alone");
    iocsr_write_w(IPI_CLEAR, 0xffffffff);
    csr_write(CSR_ECFG, 0);
}

static u64 spin(u64 a, u64 b, u64 c)
{
    for (;;)
        __asm__ volatile("");
}

static void check_timer_exit(u64 crmd, const char *name)
{
    csr_write(CSR_TICLR, 1);
    csr_write(CSR_ECFG, BIT(LINE_TI));
    u64 before = rdtime();
    csr_write(CSR_TCFG, align_down(time_ticks_per_ms(), 4) | TCFG_EN);
    unsigned found = lvz_call_at(&v, crmd, (u64)spin, 0, 0, 0);
    u64 ms = (rdtime() - before) / time_ticks_per_ms();
    report_outcome(&v, found, EXC_INT, "%s: the root's timer ends it", name);
    report(v.estat & BIT(LINE_TI) && ms >= 1, "%s: by the timer, when it is time", name);
    report(ms < 1000, "%s: at once", name);
    csr_write(CSR_TICLR, 1);
    csr_write(CSR_ECFG, 0);
}

static void test_busy_guest(void)
{
    start();
    lvz_open_window();
    check_timer_exit(CRMD_DA, "busy guest in direct mode");
    check_timer_exit(CRMD_PG, "busy guest in mapped mode");
    check_timer_exit(CRMD_PG | 3, "busy guest at level 3");
    gcsr_write(CSR_ECFG, 0);
    check_timer_exit(CRMD_DA | CRMD_IE, "busy guest with interrupts on");
}

// A physical line, HWI1, by a message interrupt that the extended I/O controller brings here.
#define VECTOR 0x60
#define LINE   1
#define HWI    BIT(LINE_HWI0 + LINE)

static void set_up_line(void)
{
    iocsr_write_d(0x420, iocsr_read_d(0x420) | BIT(48));
    iocsr_write_d(0x14c0, 0x0101010101010101ULL << LINE);
    iocsr_write_b(0x1c00 + VECTOR, 1);
    iocsr_write_w(0x1600 + VECTOR / 32 * 4, BIT(VECTOR % 32));
}

static void raise_line(void)
{
    device_write32(BOARD_MSI, VECTOR);
}

static void lower_line(void)
{
    iocsr_write_w(0x1800 + VECTOR / 32 * 4, BIT(VECTOR % 32));
}

static bool root_sees_line(void)
{
    u64 deadline = time_after_ms(200);
    while (!(csr_read(CSR_ESTAT) & HWI))
        if (time_is_past(deadline))
            return false;
    return true;
}

static void test_lines(void)
{
    bool shared = args_number("hwip_shared", 0);
    start();
    set_up_line();
    raise_line();
    report(root_sees_line() && guest_lines() == 0, "a line is the root's at first");
    csr_write(CSR_ECFG, HWI);
    report_outcome(&v, one_instruction(GUEST_ON), EXC_INT, "a line of the root exits");
    csr_write(CSR_GINTC, GINTC_HWIP(BIT(LINE)));
    report_eq(guest_lines(), HWI, "passed through it is the guest's");
    report_eq(csr_read(CSR_ESTAT) & HWI, shared ? HWI : 0, "and the root's only if shared");
    report_outcome(&v, one_instruction(GUEST_ON), shared ? EXC_INT : GUEST(EXC_INT),
                   "who takes a line that is passed through");
    csr_write(CSR_ECFG, 0);
    report_outcome(&v, one_instruction(GUEST_ON), GUEST(EXC_INT), "masked by the root: the guest");
    report_eq(csr_read(CSR_GINTC), GINTC_HWIP(BIT(LINE)), "HWIS shows injected lines only");
    csr_write(CSR_GINTC, GINTC_HWIP((u8)~BIT(LINE)));
    report_eq(guest_lines(), 0, "the other bits of HWIP pass other lines");
    csr_write(CSR_GINTC, GINTC_HWIP(BIT(LINE)));
    lower_line();
    report_eq(guest_lines(), 0, "when the line falls, it falls for the guest");
    report_outcome(&v, one_instruction(GUEST_ON), EXC_NONE, "and nothing is taken");
    csr_write(CSR_GINTC, GINTC_HWIP(BIT(LINE)) | GINTC_HWIS(BIT(LINE)));
    report_eq(guest_lines(), HWI, "injected as well: up without the line");
    csr_write(CSR_GINTC, 0);
}

static void test_hand_over(void)
{
    bool plain = args_number("hwic_plain", 0);
    const u64 both = GINTC_HWIS(BIT(LINE)) | GINTC_HWIC(BIT(LINE));
    start();
    set_up_line();
    csr_write(CSR_GINTC, both);
    report_eq(csr_read(CSR_GINTC), plain ? both : GINTC_HWIC(BIT(LINE)),
              "HWIC with the line down: the injected bit is cleared unless HWIC is storage");
    report_eq(guest_lines(), plain ? HWI : 0, "so does the guest see it");
    csr_write(CSR_GINTC, 0);
    raise_line();
    root_sees_line();
    csr_write(CSR_GINTC, both);
    report_eq(csr_read(CSR_GINTC), both, "HWIC with the line up: it stays injected");
    report_eq(csr_read(CSR_ESTAT) & HWI, plain ? HWI : 0, "the root has handed it over");
    csr_write(CSR_ECFG, HWI);
    report_outcome(&v, one_instruction(GUEST_ON), plain ? EXC_INT : GUEST(EXC_INT),
                   "who takes it then");
    lower_line();
    report_eq(csr_read(CSR_GINTC), plain ? both : GINTC_HWIC(BIT(LINE)), "the line falls");
    csr_write(CSR_GINTC, 0);
    csr_write(CSR_ECFG, 0);
}

static void raise_later(void *ms)
{
    u64 deadline = time_after_ms((u64)ms);
    while (!time_is_past(deadline))
        ;
    raise_line();
}

// Another processor raises the line while the guest is busy.
static void test_line_of_busy_guest(void)
{
    start();
    set_up_line();
    csr_write(CSR_GINTC, GINTC_HWIP(BIT(LINE)));
    smp_begin(1, raise_later, (void *)20);
    unsigned found = lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0);
    smp_finish(1);
    report_outcome(&v, found, GUEST(EXC_INT), "a busy guest takes a line that rises");
    lower_line();
    csr_write(CSR_GINTC, 0);
    csr_write(CSR_ECFG, HWI);
    smp_begin(1, raise_later, (void *)20);
    found = lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0);
    smp_finish(1);
    report_outcome(&v, found, EXC_INT, "a busy guest is left for a line of the root");
    lower_line();
    csr_write(CSR_ECFG, 0);
}

int main(void)
{
    smp_start_all();
    test_injection();
    test_estat_image();
    test_stored_lines();
    test_priority();
    test_inside();
    test_root_interrupts();
    test_busy_guest();
    test_lines();
    test_hand_over();
    test_line_of_busy_guest();
    return 0;
}
