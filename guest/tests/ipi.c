// SPDX-License-Identifier: Apache-2.0
// Interrupts and mailboxes between processors, and ANY_Send. 3A5000 manual, chapter 10.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

static void test_own_registers(void)
{
    csr_write(CSR_ECFG, 0);
    iocsr_write_w(IPI_EN, 0);
    iocsr_write_w(IPI_CLEAR, ~0u);
    iocsr_write_w(IPI_SET, 0x80000001);
    report_eq(iocsr_read_w(IPI_STATUS), 0xffffffff80000001, "SET sets STATUS");
    iocsr_write_w(IPI_SET, 0x10);
    report_eq(iocsr_read_w(IPI_STATUS), 0xffffffff80000011, "and keeps what was set");
    report(!(csr_read(CSR_ESTAT) & BIT(LINE_IPI)), "no line without EN");
    iocsr_write_w(IPI_EN, 0x10);
    report_eq(iocsr_read_w(IPI_EN), 0x10, "EN reads back");
    report(csr_read(CSR_ESTAT) & BIT(LINE_IPI), "EN lets it through");
    iocsr_write_w(IPI_CLEAR, 0x10);
    report_eq(iocsr_read_w(IPI_STATUS), 0xffffffff80000001, "CLEAR clears what it names");
    report(!(csr_read(CSR_ESTAT) & BIT(LINE_IPI)), "the line follows");
    iocsr_write_w(IPI_STATUS, 0);
    report_eq(iocsr_read_w(IPI_STATUS), 0xffffffff80000001, "STATUS is read-only");
    report_eq(iocsr_read_d(IPI_STATUS), 0x1080000001, "STATUS and EN in one read");
    iocsr_write_d(IPI_SET, 0x8000000100000002);
    report_eq(iocsr_read_w(IPI_STATUS), 2, "SET and CLEAR in one write");
    iocsr_write_w(IPI_CLEAR, ~0u);
    report_eq(iocsr_read_w(IPI_STATUS), 0, "all clear");
}

static void test_mailboxes(void)
{
    for (unsigned box = 0; box < 4; box++)
        iocsr_write_d(IPI_MBOX + 8 * box, 0x1111111111111111 * (box + 1));
    unsigned n_wrong = 0;
    for (unsigned box = 0; box < 4; box++)
        n_wrong += iocsr_read_d(IPI_MBOX + 8 * box) != 0x1111111111111111 * (box + 1);
    report_eq(n_wrong, 0, "four mailboxes of 64 bits");
    iocsr_write_w(IPI_MBOX + 12, 0x87654321);
    report_eq(iocsr_read_d(IPI_MBOX + 8), 0x8765432122222222, "halves by themselves");
    report_eq(iocsr_read_w(IPI_MBOX + 12), 0xffffffff87654321, "read sign-extended");
    report_eq(iocsr_read_b(IPI_MBOX + 15), 0xffffffffffffff87, "bytes too");
    report_eq(iocsr_read_h(IPI_MBOX + 12), 0x4321, "and half words");
}

// What a processor that listens has heard.
static struct {
    u32 vectors;
    u32 n;
} heard[MAX_CPUS];
static bool listens;

static bool on_interrupt(struct trap_frame *f, unsigned code)
{
    unsigned self = smp_cpu_index();
    u32 status = (u32)iocsr_read_w(IPI_STATUS);
    iocsr_write_w(IPI_CLEAR, status);
    __atomic_fetch_or(&heard[self].vectors, status, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&heard[self].n, 1, __ATOMIC_SEQ_CST);
    return true;
}

// Vector 31 ends it: that one is not reported to the tests.
static void listen(void *argument)
{
    unsigned self = smp_cpu_index();
    trap_set_handler(EXC_INT, on_interrupt);
    csr_write(CSR_ECFG, BIT(LINE_IPI) | 7 << 16);
    iocsr_write_w(IPI_EN, ~0u);
    __atomic_store_n(&listens, true, __ATOMIC_SEQ_CST);
    while (!(__atomic_load_n(&heard[self].vectors, __ATOMIC_SEQ_CST) >> 31)) {
        csr_set(CSR_CRMD, CRMD_IE);
        __asm__ volatile("nop; nop" ::: "memory");
        csr_clear(CSR_CRMD, CRMD_IE);
        if (!(__atomic_load_n(&heard[self].vectors, __ATOMIC_SEQ_CST) >> 31))
            __asm__ volatile("idle 0" ::: "memory");
    }
    trap_set_handler(EXC_INT, NULL);
}

static bool wait_heard(unsigned cpu, u32 vectors)
{
    u64 deadline = time_after_ms(20000);
    while ((__atomic_load_n(&heard[cpu].vectors, __ATOMIC_SEQ_CST) & vectors) != vectors)
        if (time_is_past(deadline))
            return false;
    return true;
}

static void test_vectors_to(unsigned cpu)
{
    unsigned n_missing = 0, n_other = 0;
    listens = false;
    heard[cpu].vectors = 0;
    smp_begin(cpu, listen, NULL);
    while (!__atomic_load_n(&listens, __ATOMIC_SEQ_CST))
        ;
    for (unsigned v = 0; v < 31; v++) {
        __atomic_store_n(&heard[cpu].vectors, 0, __ATOMIC_SEQ_CST);
        ipi_send(cpu, v);
        n_missing += !wait_heard(cpu, 1u << v);
        n_other += heard[cpu].vectors != 1u << v;
    }
    ipi_send(cpu, 31);
    n_missing += !wait_heard(cpu, 1u << 31);
    smp_finish(cpu);
    report_eq(n_missing, 0, "all 32 vectors reach processor %u", cpu);
    report_eq(n_other, 0, "and no others at processor %u", cpu);
}

static void test_vectors_to_self(void)
{
    unsigned n_wrong = 0;
    iocsr_write_w(IPI_EN, ~0u);
    for (unsigned v = 0; v < 32; v++) {
        ipi_send(0, v);
        n_wrong += (u32)iocsr_read_w(IPI_STATUS) != 1u << v;
        n_wrong += !(csr_read(CSR_ESTAT) & BIT(LINE_IPI));
        iocsr_write_w(IPI_CLEAR, ~0u);
    }
    report_eq(n_wrong, 0, "all 32 vectors to oneself");
    iocsr_write_d(IPI_SEND, 1ULL << 31 | 5);
    report_eq(iocsr_read_w(IPI_STATUS), 1 << 5, "IPI_Send by a write of 8 bytes");
    iocsr_write_w(IPI_CLEAR, ~0u);
    device_write32(BOARD_CHIP + IPI_SEND, 1u << 31 | 6);
    report_eq(iocsr_read_w(IPI_STATUS), 1 << 6, "IPI_Send by address");
    iocsr_write_w(IPI_CLEAR, ~0u);
    iocsr_write_w(IPI_SEND, 1ULL << 31 | 0x3ff << 16 | 7);
    report_eq(iocsr_read_w(IPI_STATUS), 0, "IPI_Send to a core that is not there");
}

static u32 merged(u32 old, u32 data, unsigned keep)
{
    for (unsigned i = 0; i < 4; i++)
        if (!(keep >> i & 1))
            old = (old & ~(0xffu << (8 * i))) | (data & 0xffu << (8 * i));
    return old;
}

static void test_mail_to(unsigned cpu)
{
    unsigned n_wrong = 0;
    for (unsigned half = 2; half < 8; half++) // mailbox 0 is where the others wait
        for (unsigned keep = 0; keep < 16; keep++) {
            u64 at = chip_core_register(cpu, IPI_MBOX) + 4 * half;
            u32 data = 0xa1b2c3d4 + half * 0x01010101;
            ipi_mail_half(cpu, half, 0x55667788, 0);
            u32 other = device_read32(at ^ 4);
            ipi_mail_half(cpu, half, data, keep);
            n_wrong += device_read32(at) != merged(0x55667788, data, keep);
            n_wrong += device_read32(at ^ 4) != other;
        }
    report_eq(n_wrong, 0, "Mail_Send to processor %u: every half and mask", cpu);
    device_write64(BOARD_CHIP + MAIL_SEND,
                   0x12345678ULL << 32 | 1ULL << 31 | (u64)cpu << 16 | 6 << 2);
    report_eq(device_read32(chip_core_register(cpu, IPI_MBOX) + 24), 0x12345678,
              "Mail_Send to processor %u by address", cpu);
}

static void test_any_send_to(unsigned cpu)
{
    unsigned n_wrong = 0;
    for (unsigned keep = 0; keep < 16; keep++) {
        any_send(cpu, IPI_MBOX + 16, 0x55667788, 0);
        any_send(cpu, IPI_MBOX + 16, 0xa1b2c3d4, keep);
        n_wrong += device_read32(chip_core_register(cpu, IPI_MBOX) + 16) !=
                   merged(0x55667788, 0xa1b2c3d4, keep);
    }
    report_eq(n_wrong, 0, "ANY_Send to a mailbox of processor %u: every mask", cpu);
    any_send(cpu, IPI_MBOX + 20, 0xcafef00d, 0);
    report_eq(device_read32(chip_core_register(cpu, IPI_MBOX) + 20), 0xcafef00d, "its upper half");
}

// Registers of the node, reached through any of its cores.
static void test_any_send_to_node(unsigned cpu)
{
    u64 node = chip_core_register(cpu & ~3u, 0);
    any_send(cpu, EXTIOI_ROUTE + 0x40, 0x44332211, 0);
    any_send(cpu, EXTIOI_ROUTE + 0x40, 0x88888888, 0xd);
    report_eq(device_read32(node + EXTIOI_ROUTE + 0x40), 0x44338811,
              "ANY_Send through processor %u: a route byte", cpu);
    any_send(cpu, EXTIOI_ENABLE + 4, ~0u, 0);
    any_send(cpu, EXTIOI_ENABLE + 4, 0, 0xe);
    report_eq(device_read32(node + EXTIOI_ENABLE + 4), 0xffffff00,
              "ANY_Send through processor %u: enables", cpu);
}

static void test_by_address(void)
{
    iocsr_write_d(IPI_MBOX + 24, 0x0123456789abcdef);
    report_eq(device_read64(chip_core_register(0, IPI_MBOX) + 24), 0x0123456789abcdef,
              "the own block by address is that of core 0");
    device_write32(chip_core_register(0, IPI_SET), 4);
    report_eq(iocsr_read_w(IPI_STATUS), 4, "SET by address");
    report_eq(device_read32(chip_core_register(0, IPI_STATUS)), 4, "STATUS by address");
    device_write32(chip_core_register(0, IPI_CLEAR), 4);
    report_eq(iocsr_read_w(IPI_STATUS), 0, "CLEAR by address");
}

// A storm from all processors to processor 0: nothing may be lost for good.
static struct {
    u32 n_seen;
    u32 n_rounds;
} storm;

static bool on_storm(struct trap_frame *f, unsigned code)
{
    u32 status = (u32)iocsr_read_w(IPI_STATUS);
    iocsr_write_w(IPI_CLEAR, status);
    for (unsigned cpu = 1; cpu < smp_n_cpus(); cpu++)
        if (status >> cpu & 1)
            __atomic_fetch_add(&heard[cpu].n, 1, __ATOMIC_SEQ_CST);
    return true;
}

static void send_storm(void *argument)
{
    unsigned self = smp_cpu_index();
    for (u32 i = 0; i < storm.n_rounds; i++) {
        u32 before = __atomic_load_n(&heard[self].n, __ATOMIC_SEQ_CST);
        ipi_send(0, self);
        while (__atomic_load_n(&heard[self].n, __ATOMIC_SEQ_CST) == before)
            ;
    }
    __atomic_fetch_add(&storm.n_seen, 1, __ATOMIC_SEQ_CST);
}

static void test_storm(void)
{
    unsigned n_others = smp_n_cpus() - 1;
    storm.n_rounds = 200;
    for (unsigned cpu = 1; cpu <= n_others; cpu++)
        heard[cpu].n = 0;
    trap_set_handler(EXC_INT, on_storm);
    csr_write(CSR_ECFG, BIT(LINE_IPI));
    iocsr_write_w(IPI_EN, ~0u);
    csr_set(CSR_CRMD, CRMD_IE);
    for (unsigned cpu = 1; cpu <= n_others; cpu++)
        smp_begin(cpu, send_storm, NULL);
    u64 deadline = time_after_ms(60000);
    while (__atomic_load_n(&storm.n_seen, __ATOMIC_SEQ_CST) != n_others && !time_is_past(deadline))
        ;
    report_eq(storm.n_seen, n_others, "every interrupt of a storm is seen");
    for (unsigned cpu = 1; cpu <= n_others; cpu++)
        smp_finish(cpu);
    csr_clear(CSR_CRMD, CRMD_IE);
    csr_write(CSR_ECFG, 0);
    trap_set_handler(EXC_INT, NULL);
}

int main(void)
{
    test_own_registers();
    test_mailboxes();
    test_vectors_to_self();
    if (!smp_start_all())
        return 0;
    for (unsigned cpu = 1; cpu < smp_n_cpus(); cpu++)
        test_vectors_to(cpu);
    test_storm();
    for (unsigned cpu = 0; cpu < smp_n_cpus(); cpu++) {
        test_mail_to(cpu);
        test_any_send_to(cpu);
        test_any_send_to_node(cpu);
    }
    test_by_address();
    return 0;
}
