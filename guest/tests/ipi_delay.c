// SPDX-License-Identifier: Apache-2.0
// How long interrupts between processors are on their way: -machine virt,ipi-delay=.
//
// Command line: delay=NS tells how the machine was configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

#define N      64
#define SLOW_MS 2000 // a busy host may not look at its timers for so long

static u64 send_and_wait(unsigned vector, bool *was_late)
{
    u64 began = rdtime(), deadline = time_after_ms(SLOW_MS);
    ipi_send(0, vector);
    *was_late = !(iocsr_read_w(IPI_STATUS) & BIT(vector));
    while (!(iocsr_read_w(IPI_STATUS) & BIT(vector)) && !time_is_past(deadline))
        ;
    u64 ticks = rdtime() - began;
    iocsr_write_w(IPI_CLEAR, ~0u);
    return ticks;
}

int main(void)
{
    u64 delay = args_number("delay", 0), shortest = ~0ULL, longest = 0;
    unsigned n_late = 0;
    bool was_late, mail_is_there = true;
    csr_write(CSR_ECFG, 0);
    for (unsigned n = 0; n < N; n++) {
        u64 ticks = send_and_wait(n % 32, &was_late);
        n_late += was_late;
        shortest = ticks < shortest ? ticks : shortest;
        longest = ticks > longest ? ticks : longest;
        ipi_mail(0, 1, n + 1);
        mail_is_there &= iocsr_read_d(IPI_MBOX + 8) == n + 1;
    }
    report_note("from %lu to %lu ticks", shortest, longest);
    report(delay ? n_late > N / 2 : !n_late, "%u of %u were late", n_late, N);
    report(longest < SLOW_MS * time_ticks_per_ms(), "all came");
    report(!delay || longest > shortest + 100, "after different times");
    report(mail_is_there, "mail is there at once");
    iocsr_write_w(IPI_SET, 6);
    u64 deadline = time_after_ms(SLOW_MS);
    while (iocsr_read_w(IPI_STATUS) != 6 && !time_is_past(deadline))
        ;
    report_eq(iocsr_read_w(IPI_STATUS), 6, "those that are set come together");
    return 0;
}
