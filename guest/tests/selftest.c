// SPDX-License-Identifier: Apache-2.0
// The library itself: if this passes, the others' results mean something.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"
#include "guest/lib/sync.h"
#include "guest/lib/text.h"

static u64 undefined(u64 a, u64 b, u64 c)
{
    __asm__ volatile(".word 0");
    return 0;
}

static u64 sum(u64 a, u64 b, u64 c)
{
    return a + b * c;
}

static u64 level(u64 a, u64 b, u64 c)
{
    return csr_read(CSR_CRMD) & CRMD_PLV;
}

static void test_traps(void)
{
    struct trap t = trap_call(0, sum, 3, 4, 5);
    report_trap(&t, EXC_NONE, "a function returns");
    report_eq(t.value, 23, "arguments and result");
    t = trap_call(3, sum, 3, 4, 5);
    report_eq(t.value, 23, "arguments and result at level 3");
    t = trap_call(0, undefined, 0, 0, 0);
    report_trap(&t, EXC_INE, "an undefined instruction");
    report_eq(*(const u32 *)t.era, 0, "ERA points to it");
    t = trap_call(3, level, 0, 0, 0);
    report_trap(&t, EXC_IPE, "a privileged instruction");
    report_eq(csr_read(CSR_CRMD) & CRMD_PLV, 0, "back at level 0");
}

static void test_text(void)
{
    static const char from[] = "0123456789abcdef";
    char to[24];
    memset(to, 'x', sizeof(to));
    memcpy(to + 1, from, 9);
    report(to[0] == 'x' && to[1] == '0' && to[9] == '8' && to[10] == 'x', "memcpy");
    memmove(to + 3, to + 1, 9);
    report(!memcmp(to, "x01012345678x", 13), "memmove");
    report(strlen(from) == 16 && !strncmp(from, "0123x", 4) && strncmp(from, "0123x", 5),
           "strlen, strncmp");
}

struct shared {
    struct spinlock lock;
    struct barrier barrier;
    u32 seen, n_late;
    volatile u64 count;
};

static void on_each(void *argument)
{
    struct shared *s = argument;
    __atomic_fetch_or(&s->seen, BIT(smp_cpu_index()), __ATOMIC_SEQ_CST);
    barrier_wait(&s->barrier);
    if (__atomic_load_n(&s->seen, __ATOMIC_SEQ_CST) != BIT(smp_n_cpus()) - 1)
        __atomic_add_fetch(&s->n_late, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 100; i++) {
        spin_lock(&s->lock);
        s->count++;
        spin_unlock(&s->lock);
    }
}

static void test_smp(void)
{
    static struct shared s;
    s.barrier.n = smp_n_cpus();
    smp_call_all(on_each, &s);
    report_eq(s.seen, BIT(smp_n_cpus()) - 1, "all processors run");
    report_eq(s.n_late, 0, "the barrier holds them together");
    report_eq(s.count, 100 * smp_n_cpus(), "the lock counts");
}

int main(void)
{
    struct random r = {1};
    test_text();
    test_traps();
    report(random_next(&r) != random_next(&r), "random numbers differ");
    report_eq(csr_read(CSR_CPUID), 0, "processor 0 starts");
    if (smp_start_all())
        test_smp();
    report_eq(report_failures(), 0, "no failure so far");
    return 0;
}
