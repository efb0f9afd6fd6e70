// SPDX-License-Identifier: Apache-2.0
// The guest's timer beside the root's, and its counter.
//
// Command line: root_cntc=0 tells how the processor was configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

#define GUEST(code) (LVZ_GUEST | (code))
#define GUEST_ON    (CRMD_DA | CRMD_IE)
#define TI          BIT(LINE_TI)
#define COUNT       BITS(47, 0)

static struct vcpu v;

static void start(void)
{
    lvz_init(&v, 1);
    gcsr_write(CSR_ECFG, TI);
}

static u64 spin(u64 a, u64 b, u64 c)
{
    for (;;)
        __asm__ volatile("");
}

// A guest's work that takes `ticks` at least, however fast the machine is.
static u64 take_time(u64 ticks, u64 b, u64 c)
{
    u64 begin, now;
    __asm__ volatile("rdtime.d %0, $zero" : "=r"(begin));
    do
        __asm__ volatile("rdtime.d %0, $zero" : "=r"(now));
    while (now - begin < ticks);
    return 77;
}

static u64 ticks_of_ms(u64 ms)
{
    return align_down(ms * time_ticks_per_ms(), 4);
}

static bool is_pending(void)
{
    return gcsr_read(CSR_ESTAT) & TI;
}

static bool becomes_pending(u64 ms)
{
    u64 deadline = time_after_ms(ms);
    while (!is_pending())
        if (time_is_past(deadline))
            return false;
    return true;
}

static void wait_ms(u64 ms)
{
    u64 deadline = time_after_ms(ms);
    while (!time_is_past(deadline))
        ;
}

static void check_expired(const char *name, u64 cfg)
{
    u64 value = gcsr_read(CSR_TVAL);
    report(is_pending(), "%s: TI is pending in the guest", name);
    report(!(csr_read(CSR_ESTAT) & TI), "%s: and not in the root", name);
    report_eq(value & COUNT, COUNT, "%s: TVAL is all ones", name);
    report_eq(gcsr_read(CSR_TVAL), value, "%s: and stays", name);
    report_eq(gcsr_read(CSR_TCFG), cfg, "%s: TCFG is as written, EN set", name);
}

static void test_one_shot_in_guest(void)
{
    start();
    u64 before = rdtime(), cfg = ticks_of_ms(2) | TCFG_EN;
    gcsr_write(CSR_TCFG, cfg);
    unsigned found = lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0);
    u64 elapsed = rdtime() - before;
    report_outcome(&v, found, GUEST(EXC_INT), "one shot: ends a busy guest, inside");
    report(elapsed >= ticks_of_ms(2), "one shot: not before its time");
    check_expired("one shot", cfg);
    found = lvz_word(&v, CRMD_DA, WORD("csrwr $a0, 0x44"), 1, 0);
    report(found == EXC_NONE && !is_pending(), "one shot: the guest clears TI");
    wait_ms(5);
    report(!is_pending(), "one shot: no second one");
}

static void test_one_shot_in_root(void)
{
    start();
    u64 cfg = ticks_of_ms(2) | TCFG_EN;
    gcsr_write(CSR_TCFG, cfg);
    report(gcsr_read(CSR_TVAL) <= ticks_of_ms(2), "in the root: it counts");
    report(becomes_pending(1000), "in the root: it expires");
    check_expired("in the root", cfg);
    report_outcome(&v, lvz_word(&v, GUEST_ON, WORD("addi.d $a0, $a0, 1"), 0, 0), GUEST(EXC_INT),
                   "in the root: taken at the next entry");
    report_eq(gcsr_read(CSR_ERA), (u64)lvz_word_address(), "in the root: at the first instruction");
    // With interrupts off nothing leaves the guest.
    start();
    gcsr_write(CSR_TCFG, ticks_of_ms(1) | TCFG_EN);
    unsigned found = lvz_call(&v, 0, take_time, ticks_of_ms(2), 0, 0);
    report(found == EXC_NONE && lvz_result(&v) == 77, "interrupts off: no exit");
    report(is_pending(), "interrupts off: TI is pending");
}

static void test_periodic(void)
{
    unsigned n_wrong = 0;
    start();
    u64 cfg = ticks_of_ms(1) | TCFG_EN | TCFG_PERIODIC, before = rdtime();
    gcsr_write(CSR_TCFG, cfg);
    for (unsigned n = 0; n < 10; n++) {
        if (n & 1)
            n_wrong += !becomes_pending(1000);
        n_wrong += lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0) != GUEST(EXC_INT);
        n_wrong += gcsr_read(CSR_TVAL) > ticks_of_ms(1);
        gcsr_write(CSR_TICLR, 1);
    }
    u64 elapsed = rdtime() - before;
    report_eq(n_wrong, 0, "periodic: ten times, in the guest and in the root");
    report(elapsed >= ticks_of_ms(10), "periodic: not faster than it should");
    report_eq(gcsr_read(CSR_TCFG), cfg, "periodic: TCFG is as written");
    gcsr_write(CSR_TCFG, 0);
}

static void test_both_timers(void)
{
    start();
    gcsr_write(CSR_TCFG, ticks_of_ms(2) | TCFG_EN);
    csr_write(CSR_TICLR, 1);
    csr_write(CSR_TCFG, ticks_of_ms(20) | TCFG_EN);
    csr_write(CSR_ECFG, TI);
    report_outcome(&v, lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0), GUEST(EXC_INT),
                   "two timers: the guest's is first");
    gcsr_write(CSR_TICLR, 1);
    report_outcome(&v, lvz_call_at(&v, GUEST_ON, (u64)spin, 0, 0, 0), EXC_INT,
                   "two timers: then the root's");
    report(v.estat & TI && !is_pending(), "two timers: it is the root's alone");
    csr_write(CSR_TICLR, 1);
    csr_write(CSR_ECFG, 0);
}

static void test_from_root(void)
{
    const u64 hour = ticks_of_ms(3600000);
    start();
    gcsr_write(CSR_TCFG, hour | TCFG_EN);
    gcsr_write(CSR_TVAL, hour / 2);
    u64 value = gcsr_read(CSR_TVAL);
    report(value <= hour / 2 && value > hour / 4, "TVAL written: it goes on from there");
    report_eq(gcsr_read(CSR_TCFG), hour | TCFG_EN, "TVAL written: the period is unchanged");
    gcsr_write(CSR_TVAL, ticks_of_ms(1));
    report(becomes_pending(1000), "TVAL written: it expires when it is down");
    start();
    gcsr_write(CSR_TCFG, hour | TCFG_EN);
    gcsr_write(CSR_TVAL, 0);
    report(becomes_pending(1000), "TVAL := 0: it expires at once");
    report_eq(gcsr_read(CSR_TVAL) & COUNT, COUNT, "TVAL := 0: TVAL is all ones");
    gcsr_write(CSR_TICLR, 1);
    report(!is_pending() && (gcsr_read(CSR_TVAL) & COUNT) == COUNT,
           "TICLR clears TI and leaves TVAL");
    gcsr_write(CSR_TVAL, COUNT);
    wait_ms(2);
    report(!is_pending() && gcsr_read(CSR_TVAL) > COUNT / 2, "TVAL := max: a long count, no TI");
    gcsr_write(CSR_TCFG, hour);
    value = gcsr_read(CSR_TVAL);
    wait_ms(2);
    report_eq(gcsr_read(CSR_TVAL), value, "EN cleared: TVAL stands still");
    report(!is_pending(), "EN cleared: no TI");
    gcsr_exchange(CSR_ESTAT, TI, TI);
    gcsr_write(CSR_TCFG, 0);
    report(is_pending(), "TCFG := 0 leaves TI");
    gcsr_write(CSR_TVAL, 0x12340);
    report_eq(gcsr_read(CSR_TVAL), 0x12340, "stopped: TVAL is what is written");
    gcsr_write(CSR_TCFG, hour | TCFG_EN);
    value = gcsr_read(CSR_TVAL);
    report(value <= hour && value > hour / 2, "EN set: it starts from InitVal");
    lvz_word(&v, CRMD_DA, WORD("csrwr $a0, 0x42"), 1, 0);
    report(gcsr_read(CSR_TVAL) > hour / 2, "the guest cannot write TVAL");
    u64 elapsed = rdtime();
    value = gcsr_read(CSR_TVAL);
    lvz_call(&v, 0, take_time, ticks_of_ms(1), 0, 0);
    wait_ms(2);
    value -= gcsr_read(CSR_TVAL);
    elapsed = rdtime() - elapsed;
    report(value <= elapsed && value >= elapsed / 2, "it counts in the guest and in the root");
}

// The order in which a context is put back, with a timer that has expired meanwhile.
static void restore(u64 tcfg, u64 tval, u64 estat)
{
    gcsr_write(CSR_TCFG, 0);
    gcsr_write(CSR_ESTAT, estat);
    gcsr_write(CSR_TCFG, tcfg);
    gcsr_write(CSR_TVAL, tval);
}

static void test_restore(void)
{
    const u64 hour = ticks_of_ms(3600000);
    start();
    restore(hour | TCFG_EN, 0, 0);
    report(becomes_pending(1000), "restored with nothing left: TI comes");
    restore(hour | TCFG_EN, hour / 3, TI);
    u64 value = gcsr_read(CSR_TVAL);
    report(is_pending() && value <= hour / 3 && value > hour / 4, "restored as it ran, TI pending");
    restore(hour | TCFG_EN, hour / 3, 0);
    report(!is_pending(), "restored as it ran, TI not pending");
    restore(hour | TCFG_EN | TCFG_PERIODIC, ticks_of_ms(1), 0);
    report(becomes_pending(1000), "periodic, restored with a little left: TI comes");
    value = gcsr_read(CSR_TVAL);
    report(value <= hour && value > hour / 2, "and the next period is whole");
    restore(0, 0x500, TI);
    report(is_pending() && gcsr_read(CSR_TVAL) == 0x500, "restored switched off");
}

static u64 guest_time(u32 word)
{
    lvz_word(&v, CRMD_DA, word, 0, 0);
    return lvz_result(&v);
}

// The counter must be between two readings of the root's plus `offset`.
static void check_counter(u64 offset, const char *name)
{
    u64 root = csr_read(CSR_CNTC), before = rdtime() - root + offset;
    u64 time = guest_time(WORD("rdtime.d $a0, $a1")), after = rdtime() - root + offset;
    report(time - before <= after - before, "rdtime.d with %s", name);
    before = rdtime() - root + offset;
    u64 high = guest_time(WORD("rdtimeh.w $a0, $a1"));
    u64 low = guest_time(WORD("rdtimel.w $a0, $a1"));
    after = rdtime() - root + offset;
    u64 both = (high & 0xffffffff) << 32 | (low & 0xffffffff);
    bool carried = before >> 32 != after >> 32;
    report(carried || both - before <= after - before, "rdtimeh.w and rdtimel.w with %s", name);
}

static void test_counter(void)
{
    const u64 cntc = 0x123456789abc;
    start();
    check_counter(0, "no offset");
    csr_write(CSR_GCNTC, 0 - rdtime());
    check_counter(csr_read(CSR_GCNTC), "a negative GCNTC");
    report(guest_time(WORD("rdtime.d $a0, $a1")) < BIT(40), "the guest counts from near 0");
    gcsr_write(CSR_CNTC, cntc);
    check_counter(csr_read(CSR_GCNTC) + cntc, "GCNTC and the guest's CNTC");
    csr_write(CSR_GCNTC, 0x8000000000000000);
    gcsr_write(CSR_CNTC, 0x8000000000000000 + cntc);
    check_counter(cntc, "a sum that wraps");
    csr_write(CSR_CNTC, 0x5555000000000);
    check_counter(cntc + (args_number("root_cntc", 1) ? csr_read(CSR_CNTC) : 0),
                  "an offset of the root");
    csr_write(CSR_CNTC, 0);
    csr_write(CSR_GCNTC, 0);
    gcsr_write(CSR_TID, 0x1234);
    lvz_word(&v, CRMD_DA, WORD("rdtime.d $t0, $a0"), 0, 0);
    report_eq(lvz_result(&v), 0x1234, "the counter's number is the guest's TID");
    u64 id;
    __asm__ volatile("rdtime.d $t0, %0" : "=r"(id)::"$t0");
    report_eq(id, csr_read(CSR_TID), "that of the root is its own");
}

int main(void)
{
    test_one_shot_in_guest();
    test_one_shot_in_root();
    test_periodic();
    test_both_timers();
    test_from_root();
    test_restore();
    test_counter();
    return 0;
}
