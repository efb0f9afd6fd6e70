// SPDX-License-Identifier: Apache-2.0
// Orders of memory accesses that processors may never see from each other, given the barriers.
// Reference Manual, volume 1, 2.1.8 and 2.2.8.
//
// The processors run through arrays and wait for each other every few elements, so that accesses to
// the same element meet by chance; what was read is looked at afterwards. How often results differ
// from their neighbours', which says how often they met, is told, not judged.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/report.h"
#include "guest/lib/sync.h"
#include "guest/lib/text.h"

#define N 4096

// Elements lie in lines of their own. Results are by processor.
struct cell {
    volatile u64 value __attribute__((aligned(64)));
};
static struct cell x[N], y[N];
static u8 seen[4][N]; // two values read: first | second << 1
static struct cell progress[4];
static struct barrier barrier;

static inline void dbar(void)
{
    __asm__ volatile("dbar 0" ::: "memory");
}

static inline void see(unsigned cpu, unsigned i, u64 first, u64 second)
{
    seen[cpu][i] = (u8)(first | second << 1);
}

static inline void swap_db(struct cell *c, u64 value)
{
    u64 old;
    __asm__ volatile("amswap_db.d %0, %1, %2" : "=&r"(old) : "r"(value), "r"(&c->value) : "memory");
}

static void message_passing(unsigned cpu, unsigned i)
{
    if (cpu == 0) {
        x[i].value = 1;
        dbar();
        y[i].value = 1;
    } else {
        u64 flag = y[i].value;
        dbar();
        see(1, i, flag, x[i].value);
    }
}

static bool message_passing_is_wrong(unsigned i)
{
    return seen[1][i] == 1;
}

static void store_buffering(unsigned cpu, unsigned i)
{
    struct cell *mine = cpu ? y : x, *other = cpu ? x : y;
    mine[i].value = 1;
    dbar();
    see(cpu, i, other[i].value, 0);
}

static bool store_buffering_is_wrong(unsigned i)
{
    return !seen[0][i] && !seen[1][i];
}

static void store_buffering_by_swap(unsigned cpu, unsigned i)
{
    struct cell *mine = cpu ? y : x, *other = cpu ? x : y;
    swap_db(&mine[i], 1);
    see(cpu, i, other[i].value, 0);
}

// Without a barrier both may read 0: how often they do is told.
static void store_buffering_without_barrier(unsigned cpu, unsigned i)
{
    struct cell *mine = cpu ? y : x, *other = cpu ? x : y;
    mine[i].value = 1;
    see(cpu, i, other[i].value, 0);
}

// A processor's own store is seen by its own load at once, without a barrier.
static void own_store(unsigned cpu, unsigned i)
{
    x[i].value = cpu + 1;
    u64 read = x[i].value, other = 2 - cpu;
    see(cpu, i, read != cpu + 1 && read != other, 0);
}

static bool own_store_is_wrong(unsigned i)
{
    return seen[0][i] || seen[1][i];
}

// Two stores by each in opposite orders: not both first ones may stay.
static void two_stores_each(unsigned cpu, unsigned i)
{
    struct cell *first = cpu ? y : x, *second = cpu ? x : y;
    first[i].value = 1;
    dbar();
    second[i].value = 2;
}

static bool two_stores_each_is_wrong(unsigned i)
{
    return x[i].value == 1 && y[i].value == 1;
}

// The flag is stored by sc, which the barrier before it orders like another store.
static void message_by_sc(unsigned cpu, unsigned i)
{
    if (cpu == 0) {
        u64 done;
        x[i].value = 1;
        __asm__ volatile("dbar 0; 1: ll.d %0, %1, 0; ori %0, $zero, 1; sc.d %0, %1, 0; beqz %0, 1b"
                         : "=&r"(done)
                         : "r"(&y[i].value)
                         : "memory");
    } else {
        u64 flag = y[i].value;
        dbar();
        see(1, i, flag, x[i].value);
    }
}

static void load_buffering(unsigned cpu, unsigned i)
{
    struct cell *from = cpu ? y : x, *to = cpu ? x : y;
    u64 read = from[i].value;
    dbar();
    to[i].value = 1;
    see(cpu, i, read, 0);
}

static bool load_buffering_is_wrong(unsigned i)
{
    return seen[0][i] && seen[1][i];
}

// Two reads of one place by one processor: no barrier needed.
static void coherence(unsigned cpu, unsigned i)
{
    if (cpu == 0) {
        x[0].value = i + 1;
    } else {
        u64 first = x[0].value, second = x[0].value;
        see(1, i, second < first, second != first);
    }
}

static bool coherence_is_wrong(unsigned i)
{
    return seen[1][i] & 1;
}

static void write_to_read_causality(unsigned cpu, unsigned i)
{
    if (cpu == 0) {
        x[i].value = 1;
    } else if (cpu == 1) {
        u64 read = x[i].value;
        dbar();
        y[i].value = read;
    } else {
        u64 read = y[i].value;
        dbar();
        see(2, i, read, x[i].value);
    }
}

static bool write_to_read_causality_is_wrong(unsigned i)
{
    return seen[2][i] == 1;
}

static void independent_reads(unsigned cpu, unsigned i)
{
    struct cell *a = cpu & 1 ? y : x, *b = cpu & 1 ? x : y;
    if (cpu < 2) {
        a[i].value = 1;
    } else {
        u64 first = a[i].value;
        dbar();
        see(cpu, i, first, b[i].value);
    }
}

static bool independent_reads_is_wrong(unsigned i)
{
    return seen[2][i] == 1 && seen[3][i] == 1;
}

static const struct litmus {
    const char *name;
    unsigned n_cpus;
    void (*run)(unsigned cpu, unsigned i);
    bool (*is_wrong)(unsigned i);
} tests[] = {
    {"message passing", 2, message_passing, message_passing_is_wrong},
    {"store buffering", 2, store_buffering, store_buffering_is_wrong},
    {"store buffering by amswap_db", 2, store_buffering_by_swap, store_buffering_is_wrong},
    {"store buffering without a barrier", 2, store_buffering_without_barrier, NULL},
    {"a processor's own store", 2, own_store, own_store_is_wrong},
    {"two stores each", 2, two_stores_each, two_stores_each_is_wrong},
    {"message passing by sc", 2, message_by_sc, message_passing_is_wrong},
    {"load buffering", 2, load_buffering, load_buffering_is_wrong},
    {"coherence", 2, coherence, coherence_is_wrong},
    {"write to read causality", 3, write_to_read_causality, write_to_read_causality_is_wrong},
    {"independent reads of independent writes", 4, independent_reads, independent_reads_is_wrong},
};

// Elements between meetings. A host with two processors needs milliseconds for a meeting of more.
static unsigned chunk_of(const struct litmus *t)
{
    return t->n_cpus > 2 ? 512 : 4;
}

static void meet(const struct litmus *t, unsigned cpu, unsigned i)
{
    progress[cpu].value = i;
    for (unsigned other = 0; other < t->n_cpus; other++)
        while (progress[other].value < i)
            ;
}

static void run(void *argument)
{
    const struct litmus *t = argument;
    unsigned cpu = smp_cpu_index();
    progress[cpu].value = 0;
    barrier_wait(&barrier);
    for (unsigned i = 0; i < N; i++) {
        if (i % chunk_of(t) == 0)
            meet(t, cpu, i);
        t->run(cpu, i);
    }
}

// Results that say that two processors were at the element at about the same time differ from those
// of their neighbours.
static unsigned changes(const struct litmus *t)
{
    unsigned n = 0;
    for (unsigned cpu = 0; cpu < t->n_cpus; cpu++)
        for (unsigned i = 1; i < N; i++)
            n += seen[cpu][i] != seen[cpu][i - 1];
    return n;
}

static void run_all(const struct litmus *t)
{
    barrier.n = t->n_cpus;
    for (unsigned cpu = 1; cpu < t->n_cpus; cpu++)
        smp_begin(cpu, run, (void *)t);
    run((void *)t);
    for (unsigned cpu = 1; cpu < t->n_cpus; cpu++)
        smp_finish(cpu);
}

static void test(const struct litmus *t, unsigned n_rounds)
{
    unsigned n_wrong = 0, n_changes = 0, n_relaxed = 0;
    if (t->n_cpus > 2)
        n_rounds = n_rounds / 4 + 1;
    if (smp_n_cpus() < t->n_cpus) {
        report_skip("too few processors", "%s", t->name);
        return;
    }
    for (unsigned round = 0; round < n_rounds; round++) {
        memset(x, 0, sizeof(x));
        memset(y, 0, sizeof(y));
        memset(seen, 0, sizeof(seen));
        run_all(t);
        for (unsigned i = 0; i < N; i++)
            if (t->is_wrong)
                n_wrong += t->is_wrong(i);
            else
                n_relaxed += store_buffering_is_wrong(i);
        n_changes += changes(t);
    }
    report_note("%s: %u changes in %u rounds", t->name, n_changes, n_rounds);
    if (t->is_wrong)
        report_eq(n_wrong, 0, "%s", t->name);
    else
        report_note("%s: %u times both read the old value", t->name, n_relaxed);
}

int main(void)
{
    if (!smp_start_all())
        return 0;
    unsigned n_rounds = (unsigned)args_number("rounds", 6);
    for (unsigned i = 0; i < ARRAY_LEN(tests); i++)
        test(&tests[i], n_rounds);
    return 0;
}
