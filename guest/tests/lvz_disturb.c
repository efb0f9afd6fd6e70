// SPDX-License-Identifier: Apache-2.0
// Interrupts between processors that nobody sent, a given number of instructions after an exit:
// -cpu lvz-disturb=.
//
// Command line: limit=N tells how the processor was configured; 0: none may come.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

#define ROUNDS 4 // times as many exits as there are places

static struct vcpu v;
static unsigned n_taken, n_with_cause;
static u64 taken_at;

static bool on_interrupt(struct trap_frame *f, unsigned code)
{
    n_taken++;
    taken_at = f->era;
    n_with_cause += iocsr_read_w(IPI_STATUS) != 0;
    return true;
}

// Long enough for one that comes late.
__attribute__((noinline)) static u64 open_for_interrupts(u64 n, u64 b, u64 c)
{
    u64 i = 0;
    __asm__ volatile("1: addi.d %0, %0, 1\n\t"
                     "bne %0, %1, 1b"
                     : "+r"(i)
                     : "r"(n));
    return i;
}

// One exit, then the root with interrupts on, until one has come or there was time enough.
static u64 exit_and_listen(u64 limit)
{
    n_taken = 0;
    lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0);
    csr_set(CSR_CRMD, CRMD_IE);
    open_for_interrupts(limit + 100, 0, 0);
    csr_clear(CSR_CRMD, CRMD_IE);
    return n_taken;
}

int main(void)
{
    u64 limit = args_number("limit", 0), n_exits = limit ? ROUNDS * limit : 1000;
    unsigned n_right = 0, n_inside = 0;
    lvz_init(&v, 1);
    iocsr_write_w(IPI_EN, ~0u);
    csr_write(CSR_ECFG, BIT(LINE_IPI));
    trap_set_handler(EXC_INT, on_interrupt);
    for (u64 n = 0; n < n_exits; n++) {
        // lvz_word may exit more than once: whatever it does, one at most is outstanding.
        u64 found = exit_and_listen(limit);
        n_right += found == (limit != 0);
        n_inside += taken_at >= (u64)open_for_interrupts && taken_at < (u64)open_for_interrupts + 64;
    }
    report_eq(n_right, n_exits, limit ? "one after each exit" : "none");
    report_eq(n_with_cause, 0, "and no interrupt is set in the controller");
    report(limit < 200 || n_inside > n_exits / 4, "%u came in the midst of a loop", n_inside);
    return 0;
}
