// SPDX-License-Identifier: Apache-2.0
// What cells are shown: serial port, power register, interrupt controller; and the texts and tables
// of the hypervisor itself.
#include "base/test.h"
#include "hv/arch/fake/fake.h"
#include "hv/cell.h"
#include "hv/console.h"
#include "hv/log.h"
#include "hv/mmio.h"
#include "hv/power.h"
#include "hv/text.h"
#include "hv/vintc.h"

#include <stdlib.h>

#define UART  0x1fe001e0ULL
#define POWER 0x100e001cULL

// A cell on processor 0 that has devices and nothing else.
static struct hv *with_devices(void)
{
    struct hv *hv = fake_new(1);
    struct cell *c = &hv->cell[1];
    c->n_vcpus = 2;
    c->vcpu[0] = (struct vcpu){.cell = c, .cpu = hv->cpu[0]};
    hv->cpu[0]->vcpu = &c->vcpu[0];
    console_add(c, UART, 32);
    power_add(c, POWER);
    return hv;
}

static u8 in(struct hv *hv, u64 gpa)
{
    struct access a = {.gpa = gpa, .size = 1};
    CHECK(mmio_access(hv->cpu[0], &a));
    return (u8)a.value;
}

static void out(struct hv *hv, u64 gpa, u8 value)
{
    struct access a = {.gpa = gpa, .size = 1, .is_write = true, .value = value};
    CHECK(mmio_access(hv->cpu[0], &a));
}

TEST(what_is_printed_is_read_once)
{
    struct hv *hv = with_devices();
    char text[64] = "";
    u64 position = 0;
    for (const char *t = "hello"; *t; t++) {
        CHECK_EQ(in(hv, UART + 5) & 0x20, 0x20);
        out(hv, UART, (u8)*t);
    }
    CHECK_EQ(console_read(&hv->cell[1], &position, (u8 *)text, sizeof(text)), 5);
    CHECK_STR(text, "hello");
    CHECK_EQ(console_read(&hv->cell[1], &position, (u8 *)text, sizeof(text)), 0);
    for (unsigned i = 0; i < CONSOLE_SIZE + 7; i++)
        out(hv, UART, (u8)i);
    position = 0;
    console_read(&hv->cell[1], &position, (u8 *)text, 1);
    CHECK_EQ((u8)text[0], 7);
    fake_free(hv);
}

TEST(what_is_typed_interrupts)
{
    struct hv *hv = with_devices();
    struct cell *c = &hv->cell[1];
    u64 value;
    vintc_write(c, 0, 0x1600, ~0ULL, ~0ULL);
    vintc_write(c, 0, 0x14c0, 0x0202020202020202, ~0ULL);
    out(hv, UART + 1, 1);
    CHECK_EQ(vintc_pins(c, 0), 0);
    CHECK_EQ(console_write(c, (const u8 *)"ab", 2, false), 2);
    CHECK_EQ(vintc_pins(c, 0), 2);
    CHECK(vintc_read(c, 0, 0x1800, &value));
    CHECK_EQ(value, 1ULL << 32);
    CHECK_EQ(in(hv, UART + 2) & 0xf, 4);
    CHECK_EQ(in(hv, UART), 'a');
    CHECK_EQ(in(hv, UART), 'b');
    CHECK_EQ(in(hv, UART + 5) & 1, 0);
    CHECK_EQ(vintc_pins(c, 0), 0);
    fake_free(hv);
}

TEST(vectors_go_where_their_route_says)
{
    struct hv *hv = with_devices();
    struct cell *c = &hv->cell[1];
    u64 value;
    vintc_write(c, 0, 0x1608, ~0ULL, ~0ULL);
    vintc_write(c, 0, 0x1c00 + 64, 0x02, 0xff);
    vintc_set_line(c, 64, true);
    CHECK_EQ(vintc_pins(c, 0), 0);
    CHECK_EQ(vintc_pins(c, 1), 1);
    vintc_write(c, 1, 0x1808, 1, ~0ULL);
    CHECK_EQ(vintc_pins(c, 1), 1); // the line is still high
    vintc_set_line(c, 64, false);
    CHECK_EQ(vintc_pins(c, 1), 0);
    vintc_write(c, 0, 0x1c00 + 64, 0xff, 0xff); // names nobody: the first
    vintc_set_line(c, 64, true);
    CHECK_EQ(vintc_pins(c, 0), 1);
    CHECK(!vintc_read(c, 0, 0x1700, &value));
    vintc_set_line(c, 0, true);
    CHECK_EQ(c->intc.line[0], 0);
    fake_free(hv);
}

TEST(registers_at_random_do_no_harm)
{
    struct hv *hv = with_devices();
    srand(9);
    for (int i = 0; i < 100000; i++) {
        u64 at = (rand() % 2 ? UART : POWER) + (u64)(rand() % 12) - 2;
        struct access a = {.gpa = at, .size = (u8)(1 << rand() % 4), .is_write = rand() % 2};
        a.value = (u64)rand() << 33 ^ (u64)rand();
        mmio_access(hv->cpu[0], &a);
        u32 address = 0x1400 + ((u32)rand() % 0xa00 & ~7u);
        if (a.is_write)
            vintc_write(&hv->cell[1], (u32)rand() % 2, address, a.value, ~0ULL);
        else
            vintc_read(&hv->cell[1], (u32)rand() % 2, address, &a.value);
        vintc_pins(&hv->cell[1], (u32)rand() % 2);
    }
    fake_free(hv);
}

TEST(power)
{
    struct hv *hv = with_devices();
    CHECK_EQ(in(hv, POWER), 0);
    out(hv, POWER, 0x12);
    CHECK(!hv->cpu[0]->is_stopping);
    out(hv, POWER, 0x34);
    CHECK(hv->cpu[0]->is_stopping);
    CHECK_STR(hv->cell[1].cause, "powered off");
    struct access beside = {.gpa = POWER + 4, .size = 1};
    CHECK(!mmio_access(hv->cpu[0], &beside));
    fake_free(hv);
}

TEST(texts)
{
    char text[32];
    CHECK_EQ(text_format(text, sizeof(text), "%s %d %u %x %c%%", "a", -5, 7u, 0xbeefu, 'z'), 14);
    CHECK_STR(text, "a -5 7 beef z%");
    text_format(text, sizeof(text), "%04x|%4u|%016lx", 0x1fu, 12u, 0xabcUL);
    CHECK_STR(text, "001f|  12|0000000000000abc");
    CHECK_EQ(text_format(text, 4, "%s", "abcdef"), 3);
    CHECK_STR(text, "abc");
}

TEST(the_log_keeps_the_latest)
{
    struct hv *hv = fake_new(1);
    char text[64] = "";
    u64 position = 0;
    hv_log(hv, "%d", 1);
    CHECK_EQ(log_read(hv, &position, text, sizeof(text)), 13);
    CHECK_STR(text, "longhouse: 1\n");
    for (int i = 0; i < 3000; i++)
        hv_log(hv, "%d", i);
    u64 old = position;
    log_read(hv, &position, text, 1);
    CHECK(position > old);
    fake_free(hv);
}
