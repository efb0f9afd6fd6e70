// SPDX-License-Identifier: Apache-2.0
// Atomic instructions: what they compute, and that nothing is lost when all processors use them on
// the same words. Reference Manual, volume 1, 2.2.7.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"
#include "guest/lib/sync.h"

static bool has(unsigned bit)
{
    return cpucfg(2) >> bit & 1;
}
enum { LAM = 22, LAM_BH = 27, LAMCAS = 28, LLACQ_SCREL = 29, SCQ = 30 };

#define AM(insn, name)                                                                     \
    static u64 name(u64 *p, u64 value)                                                     \
    {                                                                                      \
        u64 old;                                                                           \
        __asm__ volatile(insn " %0, %1, %2" : "=&r"(old) : "r"(value), "r"(p) : "memory"); \
        return old;                                                                        \
    }
// The plain form and the one with a barrier.
#define AM_PAIR(op, suffix)                     \
    AM("am" #op "." #suffix, am##op##_##suffix) \
    AM("am" #op "_db." #suffix, am##op##_db_##suffix)
AM_PAIR(swap, w)
AM_PAIR(swap, d)
AM_PAIR(add, w)
AM_PAIR(add, d)
AM_PAIR(and, w) AM_PAIR(and, d) AM_PAIR(or, w) AM_PAIR(or, d) AM_PAIR(xor, w) AM_PAIR(xor, d)
    AM_PAIR(max, w) AM_PAIR(max, d) AM_PAIR(min, w) AM_PAIR(min, d) AM_PAIR(max, wu)
        AM_PAIR(max, du) AM_PAIR(min, wu) AM_PAIR(min, du) AM_PAIR(swap, b) AM_PAIR(swap, h)
            AM_PAIR(add, b) AM_PAIR(add, h)

                enum operation {
                    SWAP,
                    ADD,
                    AND,
                    OR,
                    XOR,
                    MAX,
                    MIN,
                    MAXU,
                    MINU
                };

static s64 extend(u64 value, unsigned size)
{
    return sign_extend(value, 8 * size);
}

static u64 compute(enum operation op, u64 old, u64 value, unsigned size)
{
    u64 mask = BITS(8 * size - 1, 0);
    s64 a = extend(old, size), b = extend(value, size);
    switch (op) {
    case SWAP: return value;
    case ADD: return old + value;
    case AND: return old & value;
    case OR: return old | value;
    case XOR: return old ^ value;
    case MAX: return a > b ? old : value;
    case MIN: return a < b ? old : value;
    case MAXU: return (old & mask) > (value & mask) ? old : value;
    default: return (old & mask) < (value & mask) ? old : value;
    }
}

static const struct am {
    const char *name;
    u64 (*f[2])(u64 *, u64);
    enum operation op;
    u8 size, needs;
} ams[] = {
#define ROW(op, suffix, operation, size, needs) \
    {"am" #op "." #suffix, {am##op##_##suffix, am##op##_db_##suffix}, operation, size, needs},
    ROW(swap, w, SWAP, 4, LAM) ROW(swap, d, SWAP, 8, LAM) ROW(add, w, ADD, 4, LAM)
        ROW(add, d, ADD, 8, LAM) ROW(and, w, AND, 4, LAM) ROW(and, d, AND, 8, LAM)
            ROW(or, w, OR, 4, LAM) ROW(or, d, OR, 8, LAM) ROW(xor, w, XOR, 4, LAM)
                ROW(xor, d, XOR, 8, LAM) ROW(max, w, MAX, 4, LAM) ROW(max, d, MAX, 8, LAM)
                    ROW(min, w, MIN, 4, LAM) ROW(min, d, MIN, 8, LAM) ROW(max, wu, MAXU, 4, LAM)
                        ROW(max, du, MAXU, 8, LAM) ROW(min, wu, MINU, 4, LAM)
                            ROW(min, du, MINU, 8, LAM) ROW(swap, b, SWAP, 1, LAM_BH)
                                ROW(swap, h, SWAP, 2, LAM_BH) ROW(add, b, ADD, 1, LAM_BH)
                                    ROW(add, h, ADD, 2, LAM_BH)
#undef ROW
};

// The word around the operand must not change.
static bool is_right(const struct am *a, unsigned form, unsigned at, u64 memory, u64 value)
{
    u64 word = memory, mask = BITS(8 * a->size - 1, 0) << (8 * at), old = memory >> (8 * at);
    u64 expected = (memory & ~mask) | (compute(a->op, old, value, a->size) << (8 * at) & mask);
    u64 got = a->f[form]((u64 *)((u64)&word + at), value);
    return got == (u64)extend(old, a->size) && word == expected;
}

static void test_results(void)
{
    struct random r = {3};
    for (unsigned i = 0; i < ARRAY_LEN(ams); i++) {
        const struct am *a = &ams[i];
        unsigned n_wrong = 0;
        if (!has(a->needs)) {
            report_skip("this model does not have it", "%s", a->name);
            continue;
        }
        for (unsigned n = 0; n < 200; n++) {
            unsigned at = (unsigned)random_below(&r, 8 / a->size) * a->size;
            u64 memory = random_next(&r), value = random_next(&r);
            if (n % 4 == 0) // equal operands, and neighbours
                value = (memory >> (8 * at)) + random_below(&r, 3) - 1;
            n_wrong += !is_right(a, n & 1, at, memory, value);
        }
        report_eq(n_wrong, 0, "%s and its _db form", a->name);
    }
}

static u64 amcas(unsigned size, void *p, u64 expected, u64 value)
{
    switch (size) {
    case 1:
        __asm__ volatile("amcas.b %0, %1, %2" : "+r"(expected) : "r"(value), "r"(p) : "memory");
        break;
    case 2:
        __asm__ volatile("amcas_db.h %0, %1, %2" : "+r"(expected) : "r"(value), "r"(p) : "memory");
        break;
    case 4:
        __asm__ volatile("amcas.w %0, %1, %2" : "+r"(expected) : "r"(value), "r"(p) : "memory");
        break;
    default:
        __asm__ volatile("amcas_db.d %0, %1, %2" : "+r"(expected) : "r"(value), "r"(p) : "memory");
    }
    return expected;
}

static void test_compare_and_swap(void)
{
    if (!has(LAMCAS)) {
        report_skip("this model does not have it", "amcas");
        return;
    }
    for (unsigned size = 1; size <= 8; size *= 2) {
        u64 word = 0xf1f2f3f4f5f6f7f8, mask = BITS(8 * size - 1, 0);
        u64 old = word & mask;
        u64 got = amcas(size, &word, old, 0x1111111111111111);
        report_eq(got, (u64)extend(old, size), "amcas of %u bytes that match: the old value", size);
        report_eq(word, (0xf1f2f3f4f5f6f7f8 & ~mask) | (0x1111111111111111 & mask),
                  "amcas of %u bytes that match: stored", size);
        got = amcas(size, &word, old ^ 1, 0x2222222222222222);
        report_eq(got, 0x1111111111111111 & mask, "amcas of %u bytes that differ: what is there",
                  size);
        report_eq(word & mask, 0x1111111111111111 & mask, "amcas of %u bytes that differ: kept",
                  size);
        if (size < 8) {
            got = amcas(size, &word, (0x1111111111111111 & mask) | ~mask, 0x3333333333333333);
            report_eq(word & mask, 0x3333333333333333 & mask,
                      "amcas of %u bytes: upper bits do not count", size);
        }
    }
}

// Counters that all processors increment, each in its own way.
struct counters {
    u64 ll_sc_d, am_d, cas, locked, quad[2] __attribute__((aligned(16)));
    u32 ll_sc_w, am_w, acq_rel;
    u8 bytes[8];
    struct spinlock lock;
    struct barrier barrier;
    u64 plain;
};
static struct counters counters;
static unsigned n_rounds;

static void add_ll_sc_d(u64 *p)
{
    u64 t;
    __asm__ volatile("1: ll.d %0, %1, 0; addi.d %0, %0, 1; sc.d %0, %1, 0; beqz %0, 1b"
                     : "=&r"(t)
                     : "r"(p)
                     : "memory");
}

static void add_ll_sc_w(u32 *p)
{
    u64 t;
    __asm__ volatile("1: ll.w %0, %1, 0; addi.w %0, %0, 1; sc.w %0, %1, 0; beqz %0, 1b"
                     : "=&r"(t)
                     : "r"(p)
                     : "memory");
}

static void add_acquire_release(u32 *p)
{
    u64 t;
    __asm__ volatile("1: llacq.w %0, %1; addi.w %0, %0, 1; screl.w %0, %1; beqz %0, 1b"
                     : "=&r"(t)
                     : "r"(p)
                     : "memory");
}

// Both halves in one: the upper counts down.
static void add_sc_q(u64 *p)
{
    u64 low, high;
    __asm__ volatile("1: ll.d %0, %2, 0; ld.d %1, %2, 8; addi.d %0, %0, 1; addi.d %1, %1, -1;"
                     "sc.q %0, %1, %2; beqz %0, 1b"
                     : "=&r"(low), "=&r"(high)
                     : "r"(p)
                     : "memory");
}

static void add_cas(u64 *p)
{
    u64 old = *(volatile u64 *)p, found;
    while ((found = amcas(8, p, old, old + 1)) != old)
        old = found;
}

static void count(void *argument)
{
    struct counters *c = argument;
    unsigned self = smp_cpu_index();
    barrier_wait(&c->barrier);
    for (unsigned i = 0; i < n_rounds; i++) {
        add_ll_sc_d(&c->ll_sc_d);
        add_ll_sc_w(&c->ll_sc_w);
        amadd_d(&c->am_d, 1);
        amadd_db_w((u64 *)&c->am_w, 1);
        if (has(LLACQ_SCREL))
            add_acquire_release(&c->acq_rel);
        if (has(SCQ))
            add_sc_q(c->quad);
        if (has(LAMCAS))
            add_cas(&c->cas);
        if (has(LAM_BH))
            amadd_b((u64 *)&c->bytes[self % 8], 1);
        spin_lock(&c->lock);
        c->locked = c->locked + 1;
        spin_unlock(&c->lock);
    }
}

static void test_counters(void)
{
    struct counters *c = &counters;
    u64 expected = (u64)n_rounds * smp_n_cpus();
    c->barrier.n = smp_n_cpus();
    smp_call_all(count, c);
    report_eq(c->ll_sc_d, expected, "ll.d and sc.d by all processors");
    report_eq(c->ll_sc_w, expected, "ll.w and sc.w by all processors");
    report_eq(c->am_d, expected, "amadd.d by all processors");
    report_eq(c->am_w, expected, "amadd_db.w by all processors");
    report_eq(c->locked, expected, "a counter under a lock");
    if (has(LLACQ_SCREL))
        report_eq(c->acq_rel, expected, "llacq.w and screl.w by all processors");
    if (has(SCQ)) {
        report_eq(c->quad[0], expected, "sc.q by all processors, lower half");
        report_eq(c->quad[1], 0 - expected, "sc.q by all processors, upper half");
    }
    if (has(LAMCAS))
        report_eq(c->cas, expected, "amcas by all processors");
    unsigned n_wrong = 0;
    for (unsigned cpu = 0; cpu < smp_n_cpus() && has(LAM_BH); cpu++)
        n_wrong += c->bytes[cpu] != (u8)n_rounds;
    if (has(LAM_BH))
        report_eq(n_wrong, 0, "amadd.b to neighbouring bytes");
}

// One processor links, another stores, the first one's store must fail. They take turns by a word
// in another line.
static struct {
    u64 word __attribute__((aligned(64)));
    u64 turn __attribute__((aligned(64)));
} link;

static void store_at_turn_1(void *argument)
{
    while (__atomic_load_n(&link.turn, __ATOMIC_SEQ_CST) != 1)
        ;
    *(volatile u64 *)&link.word = (u64)argument;
    __atomic_store_n(&link.turn, 2, __ATOMIC_SEQ_CST);
}

// The loop between ll and sc only reads, but for the one store that passes the turn on.
static u64 link_and_wait(void)
{
    u64 old, turn = 1, done;
    __asm__ volatile("ll.d %0, %3, 0; st.d %1, %4, 0; 1: ld.d %2, %4, 0; addi.d %2, %2, -2;"
                     "bnez %2, 1b; dbar 0; addi.d %2, %0, 1; sc.d %2, %3, 0"
                     : "=&r"(old), "+r"(turn), "=&r"(done)
                     : "r"(&link.word), "r"(&link.turn)
                     : "memory");
    return done;
}

static u64 link_and_have_stored(u64 value)
{
    link.word = 5;
    link.turn = 0;
    smp_begin(1, store_at_turn_1, (void *)value);
    u64 done = link_and_wait();
    smp_finish(1);
    return done;
}

static void test_remote_store(void)
{
    u64 done = link_and_have_stored(9);
    report_eq(done, 0, "sc fails after another processor stored something else");
    report_eq(link.word, 9, "and the other store stays");
    done = link_and_have_stored(5);
    const char *name = "sc fails after another processor stored the same";
    if (args_is("llsc", "exact"))
        report(done == 0, "%s", name);
    else
        report_expected_fail(done == 0, "the link is to the value, not to the line", "%s", name);
}

int main(void)
{
    test_results();
    test_compare_and_swap();
    if (smp_n_cpus() < 2 || !smp_start_all())
        return 0;
    n_rounds = (unsigned)args_number("rounds", 2000);
    test_counters();
    test_remote_store();
    return 0;
}
