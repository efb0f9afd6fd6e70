// SPDX-License-Identifier: Apache-2.0
// The extended I/O interrupt controller, by EXT_IOI_send and the message doorbell: each vector,
// both codings of the pins, routes to every core, rotation, enables, clearing. 3A5000 manual, 11.2.
//
// Whether a core has a line is asked from that core. All others sleep, so that they can be asked.
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define NOWHERE 99

static u64 own_lines(void)
{
    return csr_read(CSR_ESTAT) >> LINE_HWI0 & 0xff;
}

static void ask_lines(void *argument)
{
    *(u64 *)argument = own_lines();
}

// HWI0-7 of a core as a bitmap.
static u64 lines_of(unsigned cpu)
{
    u64 lines = 0;
    if (!cpu)
        return own_lines();
    smp_begin(cpu, ask_lines, &lines);
    smp_finish(cpu);
    return lines;
}

// The one core that has the vector; NOWHERE if none or several.
static unsigned core_of(unsigned vector)
{
    unsigned found = NOWHERE;
    for (unsigned cpu = 0; cpu < smp_n_cpus(); cpu++)
        if (extioi_is_at(cpu, vector)) {
            if (found != NOWHERE)
                return NOWHERE;
            found = cpu;
        }
    return found;
}

static void clear_everywhere(unsigned vector)
{
    extioi_clear(EXTIOI_ISR, vector);
}

static void test_reset(void)
{
    report_eq(iocsr_read_d(CHIP_MISC) & (CHIP_MISC_EXT_INT_EN | CHIP_MISC_INT_ENCODE), 0,
              "0x420: EXT_INT_en and INT_encode are 0 after reset");
    iocsr_write_d(CHIP_MISC, iocsr_read_d(CHIP_MISC) | CHIP_MISC_EXT_INT_EN);
    report(iocsr_read_d(CHIP_MISC) & CHIP_MISC_EXT_INT_EN, "EXT_INT_en is written");
    report(iocsr_read_w(CHIP_MISC + 4) & 1 << 16, "and reads in the upper half");
}

static void test_storage(void)
{
    static const struct {
        const char *name;
        unsigned first, size;
    } banks[] = {
        {"node types", EXTIOI_NODE_TYPE, 32}, {"pins", EXTIOI_IPMAP, 8},
        {"enables", EXTIOI_ENABLE, 32},       {"bounce", EXTIOI_BOUNCE, 32},
        {"routes", EXTIOI_ROUTE, 256},
    };
    for (unsigned b = 0; b < ARRAY_LEN(banks); b++) {
        unsigned n_wrong = 0;
        for (unsigned i = 0; i < banks[b].size; i += 8)
            iocsr_write_d(banks[b].first + i, 0x0102040810204080ULL * (i + 1));
        for (unsigned i = 0; i < banks[b].size; i += 8) {
            u64 value = 0x0102040810204080ULL * (i + 1);
            n_wrong += iocsr_read_d(banks[b].first + i) != value;
            n_wrong += (u32)iocsr_read_w(banks[b].first + i + 4) != value >> 32;
            n_wrong += (u8)iocsr_read_b(banks[b].first + i + 3) != (u8)(value >> 24);
            n_wrong += device_read64(BOARD_CHIP + banks[b].first + i) != value;
            iocsr_write_h(banks[b].first + i + 2, 0xa55a);
            n_wrong += iocsr_read_d(banks[b].first + i) != bits_set(value, 31, 16, 0xa55a);
        }
        report_eq(n_wrong, 0, "%s are written and read in every width", banks[b].name);
    }
    extioi_init();
}

static void test_every_vector(void)
{
    unsigned n_isr = 0, n_core = 0, n_line = 0, n_left = 0;
    extioi_init();
    for (unsigned v = 0; v < 256; v++) {
        extioi_send(v);
        n_isr += !extioi_is_set(EXTIOI_ISR, v);
        n_core += !extioi_is_set(EXTIOI_CORE_ISR, v) || core_of(v) != 0;
        n_line += own_lines() != 1 << 1;
        extioi_clear(v % 2 ? EXTIOI_ISR : EXTIOI_CORE_ISR, v);
        n_left += extioi_is_set(EXTIOI_ISR, v) || extioi_is_set(EXTIOI_CORE_ISR, v);
        n_left += own_lines() != 0;
    }
    report_eq(n_isr, 0, "256 vectors: pending");
    report_eq(n_core, 0, "256 vectors: at core 0");
    report_eq(n_line, 0, "256 vectors: HWI1");
    report_eq(n_left, 0, "256 vectors: cleared by either register");
}

static void test_doorbell(void)
{
    unsigned n_wrong = 0, n_again = 0;
    for (unsigned v = 0x40; v < 256; v++) {
        device_write32(BOARD_MSI, v);
        n_wrong += core_of(v) != 0;
        clear_everywhere(v);
        n_again += extioi_is_set(EXTIOI_ISR, v);
    }
    report_eq(n_wrong, 0, "message doorbell: each vector");
    report_eq(n_again, 0, "message doorbell: one interrupt per write");
    extioi_assign(EXTIOI_ENABLE, 0x80, false);
    for (unsigned i = 0; i < 1000; i++)
        device_write32(BOARD_MSI, 0x80);
    report(extioi_is_set(EXTIOI_ISR, 0x80) && core_of(0x80) == NOWHERE,
           "message doorbell: a storm while disabled stays pending");
    extioi_assign(EXTIOI_ENABLE, 0x80, true);
    report_eq(core_of(0x80), 0, "message doorbell: and arrives once enabled");
    clear_everywhere(0x80);
    report_eq(core_of(0x80), NOWHERE, "message doorbell: once");
}

static void test_pins(bool encoded)
{
    unsigned n_wrong = 0, n_pins = encoded ? 8 : 4;
    u64 misc = iocsr_read_d(CHIP_MISC) & ~CHIP_MISC_INT_ENCODE;
    iocsr_write_d(CHIP_MISC, misc | (encoded ? CHIP_MISC_INT_ENCODE : 0));
    for (unsigned group = 0; group < 8; group++)
        for (unsigned pin = 0; pin < n_pins; pin++) {
            extioi_set_pin(group, encoded ? pin : 1 << pin);
            extioi_send(32 * group + 5);
            n_wrong += own_lines() != BIT(pin);
            clear_everywhere(32 * group + 5);
            n_wrong += own_lines() != 0;
        }
    report_eq(n_wrong, 0, "pins as %s", encoded ? "numbers" : "bits");
    extioi_set_pin(0, encoded ? 2 : 1 << 2);
    extioi_set_pin(7, encoded ? 3 : 1 << 3);
    extioi_send(1);
    extioi_send(255);
    report_eq(own_lines(), 0xc, "two groups, two pins");
    clear_everywhere(1);
    report_eq(own_lines(), 0x8, "one cleared");
    extioi_set_pin(7, encoded ? 1 : 1 << 1);
    report_eq(own_lines(), 0x2, "a pending vector moves with the pin of its group");
    clear_everywhere(255);
    extioi_init();
}

static void test_enable(void)
{
    const unsigned v = 77;
    extioi_assign(EXTIOI_ENABLE, v, false);
    extioi_send(v);
    report(extioi_is_set(EXTIOI_ISR, v), "disabled: pending");
    report_eq(core_of(v), NOWHERE, "disabled: at no core");
    report_eq(own_lines(), 0, "disabled: no line");
    extioi_assign(EXTIOI_ENABLE, v, true);
    report_eq(core_of(v), 0, "enabled again: delivered");
    report_eq(own_lines(), 2, "enabled again: line");
    extioi_assign(EXTIOI_ENABLE, v, false);
    report_eq(own_lines(), 0, "disabled while pending: no line");
    report(extioi_is_set(EXTIOI_ISR, v), "disabled while pending: still pending");
    clear_everywhere(v);
    extioi_assign(EXTIOI_ENABLE, v, true);
    report_eq(own_lines(), 0, "cleared while disabled: gone");
    iocsr_write_d(CHIP_MISC, iocsr_read_d(CHIP_MISC) & ~CHIP_MISC_EXT_INT_EN);
    extioi_send(v);
    report_eq(own_lines(), 0, "EXT_INT_en off: nothing is delivered");
    iocsr_write_d(CHIP_MISC, iocsr_read_d(CHIP_MISC) | CHIP_MISC_EXT_INT_EN);
    report_eq(own_lines(), 2, "EXT_INT_en on: then it is");
    clear_everywhere(v);
}

// Node type t stands for the nodes in its word; type 0 here for node 0, type 1 for node 1.
static void set_node_types(void)
{
    iocsr_write_h(EXTIOI_NODE_TYPE + 0, 1);
    iocsr_write_h(EXTIOI_NODE_TYPE + 2, 2);
    iocsr_write_h(EXTIOI_NODE_TYPE + 4, 3);
}

static void test_routes(void)
{
    unsigned n_cpus = smp_n_cpus(), n_wrong = 0, n_lines = 0;
    set_node_types();
    for (unsigned cpu = 0; cpu < n_cpus; cpu++) {
        unsigned v = 100 + cpu;
        extioi_route(v, (cpu / 4) << 4 | 1 << (cpu % 4));
        extioi_send(v);
        n_wrong += core_of(v) != cpu;
        for (unsigned other = 0; other < n_cpus; other++)
            n_lines += lines_of(other) != (other == cpu ? 2 : 0);
        clear_everywhere(v);
        n_lines += lines_of(cpu) != 0;
    }
    report_eq(n_wrong, 0, "a vector goes to the core of its route");
    report_eq(n_lines, 0, "and only that core has the line");
    if (n_cpus < 2)
        return;
    extioi_route(9, 1);
    extioi_send(9);
    extioi_route(9, 2);
    report_eq(core_of(9), 1, "a pending vector moves with its route");
    report_eq(own_lines(), 0, "and leaves the old core");
    clear_everywhere(9);
    extioi_route(9, 2 | 1);
    for (unsigned i = 0; i < 3; i++) {
        extioi_send(9);
        report_eq(core_of(9), 0, "several cores without bounce: the lowest");
        clear_everywhere(9);
    }
}

// By instruction each core clears its own.
static void clear_own(void *argument)
{
    extioi_clear(EXTIOI_CORE_ISR, 50);
    *(u64 *)argument = own_lines();
}

static void test_own_isr(void)
{
    u64 lines = 0;
    if (smp_n_cpus() < 2)
        return;
    extioi_route(50, 2);
    extioi_send(50);
    report(!extioi_is_set(EXTIOI_CORE_ISR, 50), "core 0 does not see what is at core 1");
    extioi_clear(EXTIOI_CORE_ISR, 50);
    report_eq(core_of(50), 1, "and cannot clear it with its own register");
    smp_begin(1, clear_own, &lines);
    smp_finish(1);
    report_eq(lines, 0, "core 1 can");
    report(!extioi_is_set(EXTIOI_ISR, 50), "then it is pending nowhere");
    extioi_send(50);
    device_write64(chip_core_register(1, EXTIOI_CORE_ISR), BIT(50));
    report_eq(core_of(50), NOWHERE, "by address anybody can");
}

static void check_bounce(const char *name, unsigned route, const u8 *order, unsigned n)
{
    unsigned n_wrong = 0;
    extioi_assign(EXTIOI_BOUNCE, 60, true);
    extioi_route(60, route);
    for (unsigned i = 0; i < 4 * n; i++) {
        extioi_send(60);
        n_wrong += core_of(60) != order[i % n];
        clear_everywhere(60);
    }
    report_eq(n_wrong, 0, "bounce: %s", name);
}

// The order begins anew with extioi_init only as far as a test of the order can tell: so each case
// uses a set whose first member follows the last target.
static void test_bounce(void)
{
    static const u8 one[] = {0}, three[] = {1, 2, 3}, two_nodes[] = {4, 5, 6, 0, 1, 2};
    set_node_types();
    check_bounce("one core", 1, one, 1);
    if (smp_n_cpus() >= 4)
        check_bounce("three cores of a node", 0xe, three, 3);
    if (smp_n_cpus() >= 8)
        check_bounce("three cores of two nodes", 2 << 4 | 7, two_nodes, 6);
    extioi_init();
}

// Through to the program: vectors of several groups, each cleared by the handler.
static u32 n_taken[256];

static bool on_interrupt(struct trap_frame *f, unsigned code)
{
    for (unsigned i = 0; i < 4; i++) {
        u64 pending = iocsr_read_d(EXTIOI_CORE_ISR + 8 * i);
        iocsr_write_d(EXTIOI_CORE_ISR + 8 * i, pending);
        for (unsigned bit = 0; bit < 64; bit++)
            n_taken[64 * i + bit] += pending >> bit & 1;
    }
    return true;
}

static void test_interrupts(void)
{
    unsigned n_wrong = 0;
    trap_set_handler(EXC_INT, on_interrupt);
    csr_write(CSR_ECFG, BITS(9, 2));
    csr_set(CSR_CRMD, CRMD_IE);
    for (unsigned v = 0; v < 256; v++)
        extioi_send(v);
    csr_clear(CSR_CRMD, CRMD_IE);
    csr_write(CSR_ECFG, 0);
    trap_set_handler(EXC_INT, NULL);
    for (unsigned v = 0; v < 256; v++)
        n_wrong += n_taken[v] != 1;
    report_eq(n_wrong, 0, "256 interrupts taken, one for each send");
}

int main(void)
{
    test_reset();
    smp_start_all();
    test_storage();
    test_every_vector();
    test_doorbell();
    test_pins(false);
    test_pins(true);
    test_enable();
    test_routes();
    test_own_isr();
    test_bounce();
    test_interrupts();
    return 0;
}
