// SPDX-License-Identifier: Apache-2.0
// The stable counter and the timer of the core. Hosts are shared, so nothing here may take long for
// being late: bounds are one-sided. Reference Manual, volume 1, 7.6.
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"
#include "guest/lib/sync.h"

#define TI       BIT(LINE_TI)
#define LONG     BIT(46) // a period that does not end
#define PATIENCE 20000   // ms until something counts as never happening

static bool is_pending(void)
{
    return csr_read(CSR_ESTAT) & TI;
}

static void stop(void)
{
    csr_write(CSR_TCFG, 0);
    csr_write(CSR_TICLR, 1);
}

static bool wait_pending(void)
{
    u64 deadline = time_after_ms(PATIENCE);
    while (!is_pending())
        if (time_is_past(deadline))
            return false;
    return true;
}

static void test_counting(void)
{
    stop();
    csr_write(CSR_TCFG, LONG | TCFG_EN);
    u64 first = csr_read(CSR_TVAL), second = csr_read(CSR_TVAL);
    report(first <= LONG && first > LONG / 2, "TVAL starts at InitVal");
    u64 deadline = time_after_ms(PATIENCE);
    while (second == first && !time_is_past(deadline))
        second = csr_read(CSR_TVAL);
    report(second < first, "and counts down");
    csr_write(CSR_TCFG, LONG);
    first = csr_read(CSR_TVAL);
    u64 end = time_after_ms(2);
    while (!time_is_past(end))
        ;
    report_eq(csr_read(CSR_TVAL), first, "and stands still without En");
    csr_write(CSR_TCFG, 0x1237 | TCFG_EN);
    report(csr_read(CSR_TVAL) <= 0x1234 || csr_read(CSR_TVAL) > LONG,
           "the lowest two bits of InitVal are 0");
    stop();
}

static void test_one_shot(void)
{
    stop();
    u64 start = rdtime();
    csr_write(CSR_TCFG, 100000 | TCFG_EN);
    report(wait_pending(), "one shot: fires");
    report(rdtime() - start >= 100000, "one shot: not before its time");
    report_eq(csr_read(CSR_TVAL) & BITS(47, 0), BITS(47, 0), "one shot: TVAL is all ones then");
    csr_write(CSR_TICLR, 0);
    report(is_pending(), "one shot: TICLR without CLR does nothing");
    csr_write(CSR_TICLR, 1);
    report(!is_pending(), "one shot: TICLR clears it");
    u64 end = rdtime() + 500000;
    while (!time_is_past(end))
        ;
    report(!is_pending(), "one shot: it does not come again");
    csr_write(CSR_TCFG, 4 | TCFG_EN);
    report(wait_pending(), "one shot: until TCFG is written again");
    stop();
}

static void test_periodic(void)
{
    stop();
    u64 start = rdtime(), period = 100000;
    unsigned n = 0;
    csr_write(CSR_TCFG, period | TCFG_PERIODIC | TCFG_EN);
    while (n < 10 && wait_pending()) {
        csr_write(CSR_TICLR, 1);
        n++;
    }
    u64 took = rdtime() - start;
    report_eq(n, 10, "periodic: fires again and again");
    report(took >= 10 * period, "periodic: ten periods take ten periods at least");
    report(csr_read(CSR_TVAL) <= period, "periodic: TVAL stays within the period");
    csr_write(CSR_TCFG, period | TCFG_PERIODIC);
    csr_write(CSR_TICLR, 1);
    u64 end = rdtime() + 3 * period;
    while (!time_is_past(end))
        ;
    report(!is_pending(), "periodic: stops without En");
    stop();
}

static unsigned n_interrupts;
static u64 entry_of_interrupt;

static bool on_interrupt(struct trap_frame *f, unsigned code)
{
    n_interrupts++;
    entry_of_interrupt = f->entry - (u64)trap_vectors;
    csr_write(CSR_TICLR, 1);
    return true;
}

static void test_interrupt(void)
{
    stop();
    n_interrupts = 0;
    trap_set_handler(EXC_INT, on_interrupt);
    csr_write(CSR_ECFG, TI | 7 << 16);
    csr_write(CSR_TCFG, 1000 | TCFG_EN);
    wait_pending();
    report_eq(n_interrupts, 0, "no interrupt while IE is 0");
    csr_set(CSR_CRMD, CRMD_IE);
    u64 deadline = time_after_ms(PATIENCE);
    while (!*(volatile unsigned *)&n_interrupts && !time_is_past(deadline))
        ;
    csr_clear(CSR_CRMD, CRMD_IE);
    report_eq(n_interrupts, 1, "one when it is 1");
    report_eq(entry_of_interrupt, (64 + LINE_TI) * 512, "at the entry of the timer");
    report(!is_pending(), "the handler cleared it");
    trap_set_handler(EXC_INT, NULL);
    csr_write(CSR_ECFG, 0);
    stop();
}

// Returns how often it woke.
static unsigned idle_until_pending(void)
{
    unsigned n = 0;
    u64 deadline = time_after_ms(PATIENCE);
    while (!is_pending() && !time_is_past(deadline)) {
        __asm__ volatile("idle 0" ::: "memory");
        n++;
    }
    return n;
}

static void test_idle_masked(void)
{
    stop();
    csr_write(CSR_ECFG, TI);
    u64 start = rdtime();
    csr_write(CSR_TCFG, 2000000 | TCFG_EN);
    unsigned n = idle_until_pending();
    report(is_pending(), "idle with IE 0 wakes for the timer");
    report(rdtime() - start >= 2000000, "and not before");
    report(n <= 100, "and did sleep meanwhile (woke %u times)", n);
    __asm__ volatile("idle 0" ::: "memory");
    report(true, "idle with a pending line goes on at once");
    csr_write(CSR_ECFG, 0);
    stop();
}

// Enabling and sleeping cannot be told apart from outside: an interrupt in between would be lost to
// idle. So the timer is periodic.
static void test_idle_enabled(void)
{
    stop();
    n_interrupts = 0;
    trap_set_handler(EXC_INT, on_interrupt);
    csr_write(CSR_ECFG, TI);
    csr_write(CSR_TCFG, 1000000 | TCFG_PERIODIC | TCFG_EN);
    csr_set(CSR_CRMD, CRMD_IE);
    while (*(volatile unsigned *)&n_interrupts < 3)
        __asm__ volatile("idle 0" ::: "memory");
    csr_clear(CSR_CRMD, CRMD_IE);
    report(n_interrupts >= 3, "idle with IE 1: the interrupt is taken and idle left");
    trap_set_handler(EXC_INT, NULL);
    csr_write(CSR_ECFG, 0);
    stop();
}

static void test_compensation(void)
{
    u64 before = rdtime();
    csr_write(CSR_CNTC, BIT(40));
    u64 after = rdtime();
    report(after - before >= BIT(40), "CNTC is added to the counter");
    csr_write(CSR_CNTC, BIT(40) - after);
    report(rdtime() < BIT(40), "and may be negative");
    csr_write(CSR_CNTC, 0);
    report(rdtime() - before < BIT(40), "and taken away");
}

#define RDTIME(name, text)                                    \
    static u64 name(u64 a, u64 b, u64 c)                      \
    {                                                         \
        u64 id;                                               \
        __asm__ volatile(text " %0, %1" : "=r"(a), "=r"(id)); \
        return b ? id : a;                                    \
    }
RDTIME(do_rdtime_d, "rdtime.d")
RDTIME(do_rdtimel, "rdtimel.w")
RDTIME(do_rdtimeh, "rdtimeh.w")

static void test_rdtime(void)
{
    csr_write(CSR_TID, 0x87654321);
    report_eq(do_rdtime_d(0, 1, 0), 0xffffffff87654321, "rdtime.d gives TID");
    report_eq(do_rdtimeh(0, 1, 0), 0xffffffff87654321, "rdtimeh.w too");
    csr_write(CSR_TID, 0);
    csr_write(CSR_CNTC, 0xfedcba9880000000 - rdtime());
    report_eq(do_rdtimeh(0, 0, 0), 0xfffffffffedcba98, "rdtimeh.w is the upper half");
    report_eq(do_rdtimel(0, 0, 0) >> 28, 0xffffffff8, "rdtimel.w is the lower half, sign-extended");
    csr_write(CSR_CNTC, 0);
    for (unsigned plv = 1; plv <= 3; plv++) {
        csr_write(CSR_MISC, BIT(4 + plv));
        for (unsigned other = 0; other <= 3; other++) {
            struct trap t = trap_call(other, do_rdtime_d, 0, 0, 0);
            report_trap(&t, other == plv ? EXC_IPE : EXC_NONE, "DRDTL%u, rdtime.d at level %u", plv,
                        other);
        }
        struct trap t = trap_call(plv, do_rdtimel, 0, 0, 0);
        report_trap(&t, EXC_IPE, "DRDTL%u, rdtimel.w", plv);
        t = trap_call(plv, do_rdtimeh, 0, 0, 0);
        report_trap(&t, EXC_IPE, "DRDTL%u, rdtimeh.w", plv);
    }
    csr_write(CSR_MISC, 0);
}

// A token goes round: whoever has it reads the time, which must not be before what the last one
// read.
static struct {
    u32 turn;
    u64 latest;
    unsigned n_backwards, n_rounds;
} relay;

static void run_relay(void *argument)
{
    unsigned self = smp_cpu_index(), n = smp_n_cpus();
    for (unsigned i = 0; i < relay.n_rounds; i++) {
        while (__atomic_load_n(&relay.turn, __ATOMIC_ACQUIRE) % n != self)
            ;
        u64 now = rdtime();
        relay.n_backwards += now < relay.latest;
        relay.latest = now;
        __atomic_fetch_add(&relay.turn, 1, __ATOMIC_RELEASE);
    }
}

static void test_monotonic(void)
{
    u64 last = rdtime();
    unsigned n_backwards = 0;
    for (unsigned i = 0; i < 100000; i++) {
        u64 now = rdtime();
        n_backwards += now < last;
        last = now;
    }
    report_eq(n_backwards, 0, "time does not run backwards on a processor");
    if (!smp_start_all())
        return;
    relay.n_rounds = 300;
    smp_call_all(run_relay, NULL);
    report_eq(relay.n_backwards, 0, "nor from one to the next");
    report_eq(relay.turn, relay.n_rounds * smp_n_cpus(), "all rounds were run");
}

int main(void)
{
    test_counting();
    test_one_shot();
    test_periodic();
    test_interrupt();
    test_idle_masked();
    test_idle_enabled();
    test_compensation();
    test_rdtime();
    test_monotonic();
    return 0;
}
