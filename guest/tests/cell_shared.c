// SPDX-License-Identifier: Apache-2.0
// Two cells with shared memory: one says a number and rings, the other says it back and rings.
// Words that one writes the other reads only. With role=1 it is the one that answers.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

#define SHARED   0x80000000ULL
#define DOORBELL 0x1fe10000ULL
#define VECTOR   40
#define PATIENCE 60000 // ms
#define HWI1     BIT(LINE_HWI0 + 1)

static u64 *word(unsigned role)
{
    return memory_at(SHARED + role * 0x1000);
}

static u64 n_rings;

// Sleeps until the doorbell rings or a moment has passed: a ring before the other listened is lost.
static void wait(void)
{
    csr_write(CSR_TCFG, (2 * time_ticks_per_ms() & ~3ULL) | TCFG_EN);
    __asm__ volatile("idle 0" ::: "memory");
    csr_write(CSR_TICLR, 1);
    if (extioi_is_set(EXTIOI_CORE_ISR, VECTOR)) {
        extioi_clear(EXTIOI_CORE_ISR, VECTOR);
        n_rings++;
    }
}

static bool wait_for(unsigned role, u64 value)
{
    u64 deadline = time_after_ms(PATIENCE);
    while (__atomic_load_n(word(role), __ATOMIC_ACQUIRE) != value) {
        if (time_is_past(deadline))
            return false;
        wait();
    }
    return true;
}

static void say(unsigned role, u64 value)
{
    __atomic_store_n(word(role), value, __ATOMIC_RELEASE);
    device_write32(DOORBELL, 1);
}

int main(void)
{
    unsigned role = (unsigned)args_number("role", 0);
    u64 rounds = args_number("rounds", 200), n = 0;
    extioi_init();
    csr_write(CSR_ECFG, HWI1 | BIT(LINE_TI));
    u64 deadline = time_after_ms(PATIENCE);
    while (__builtin_popcount(device_read32(DOORBELL + 4)) < 2 && !time_is_past(deadline))
        wait();
    for (u64 i = 1; i <= rounds; i++) {
        if (role)
            n += wait_for(0, i), say(1, i);
        else
            say(0, i), n += wait_for(1, i);
    }
    report_eq(n, rounds, "every number came");
    report(n_rings > 0, "the doorbell rang, %lu times", n_rings);
    return 0;
}
