// SPDX-License-Identifier: Apache-2.0
// The platform devices of the `virt` board.
#include "test/fuzz/mmio.h"
#include "dev/cfi_flash.h"
#include "dev/fw_cfg.h"
#include "dev/ged.h"
#include "dev/ls7a_rtc.h"
#include "dev/uart16550.h"
#include "base/bug.h"

#include <string.h>

#define BASE 0x10000000

static struct uart16550 *uart(struct mmio_bench *b)
{
    return uart16550_of(b->devices[0]);
}

static void uart_make(struct mmio_bench *b)
{
    struct uart16550 *u = uart16550_of(mmio_add_device(b, &uart16550_type));
    u->irq = mmio_wire(b, 0);
    u->is_loongson = !strcmp(b->target->name, "loongson-uart");
    mmio_realize(b, &u->d);
    mmio_add_region(b, &u->region, BASE);
}

static void uart_event(struct mmio_bench *b, unsigned kind, u32 argument)
{
    if (kind == 0)
        uart16550_break(uart(b));
    else
        uart16550_set_modem(uart(b), (u8)argument);
}

static void uart_settle(struct mmio_bench *b)
{
    uart16550_set_modem(uart(b), UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD);
}

// With no interrupt enabled the wire is low; a time-out needs characters.
static void uart_check(struct mmio_bench *b)
{
    struct uart16550 *u = uart(b);
    BUG_ON(u->rx.n > UART_FIFO_SIZE || u->tx.n > UART_FIFO_SIZE);
    BUG_ON(!u->ier && b->wires[0]);
    BUG_ON(u->timed_out && !u->rx.n);
}

const struct mmio_target fuzz_uart16550 = {
    .name = "uart16550",
    .make = uart_make,
    .event = uart_event,
    .settle = uart_settle,
    .check = uart_check,
    .forgets_on_reset = true,
};

const struct mmio_target fuzz_loongson_uart = {
    .name = "loongson-uart",
    .make = uart_make,
    .event = uart_event,
    .settle = uart_settle,
    .check = uart_check,
    .forgets_on_reset = true,
};

static void ged_make(struct mmio_bench *b)
{
    struct ged *g = ged_of(mmio_add_device(b, &ged_type));
    g->irq = mmio_wire(b, 0);
    mmio_realize(b, &g->d);
    mmio_add_region(b, &g->region, BASE);
}

static void ged_event(struct mmio_bench *b, unsigned kind, u32 argument)
{
    ged_press_power_button(ged_of(b->devices[0]));
}

static void ged_check(struct mmio_bench *b)
{
    BUG_ON((b->wires[0] != 0) != (ged_of(b->devices[0])->selector != 0));
}

const struct mmio_target fuzz_ged = {
    .name = "ged",
    .make = ged_make,
    .event = ged_event,
    .check = ged_check,
    .forgets_on_reset = true,
};

static void rtc_make(struct mmio_bench *b)
{
    struct ls7a_rtc *r = ls7a_rtc_of(mmio_add_device(b, &ls7a_rtc_type));
    b->clock.epoch_ns = 1700000000 * NS_PER_SEC;
    r->irq = mmio_wire(b, 0);
    for (unsigned i = 0; i < LS7A_RTC_N_MATCHES; i++) {
        r->toy_irq[i] = mmio_wire(b, 1 + i);
        r->rtc_irq[i] = mmio_wire(b, 4 + i);
    }
    mmio_realize(b, &r->d);
    mmio_add_region(b, &r->region, BASE);
}

// The common wire is the sum of the others.
static void rtc_check(struct mmio_bench *b)
{
    BUG_ON((b->wires[0] & 1) != (b->wires[0] >> 1 != 0));
}

const struct mmio_target fuzz_ls7a_rtc = {
    .name = "ls7a-rtc",
    .make = rtc_make,
    .check = rtc_check,
};

#define HOOKED_SIZE 100

static void fill(void *opaque, u8 *data, u32 size)
{
    BUG_ON(size != HOOKED_SIZE);
    memset(data, 'x', size);
}

static void written(void *opaque, u32 offset, u32 size)
{
    BUG_ON((u64)offset + size > HOOKED_SIZE);
}

static void fw_cfg_make(struct mmio_bench *b)
{
    struct fw_cfg *f = fw_cfg_of(mmio_add_device(b, &fw_cfg_type));
    const struct fw_cfg_hooks hooks = {.selected = fill, .written = written};
    static const u8 big[3 * MMIO_RAM_SIZE];
    struct err e = {0};
    mmio_realize(b, &f->d);
    BUG_ON(!fw_cfg_add_hooked(f, "hooked", HOOKED_SIZE, &hooks, &e));
    BUG_ON(!fw_cfg_add_file(f, "big", big, sizeof(big), &e));
    BUG_ON(!fw_cfg_add_file(f, "empty", NULL, 0, &e));
    fw_cfg_add_string(f, FW_CFG_CMDLINE_DATA, "console=ttyS0");
    mmio_add_region(b, &f->region, BASE);
}

const struct mmio_target fuzz_fw_cfg = {
    .name = "fw-cfg",
    .make = fw_cfg_make,
    .forgets_on_reset = true,
};

static void flash_make(struct mmio_bench *b)
{
    struct cfi_flash *f = cfi_flash_of(mmio_add_device(b, &cfi_flash_type));
    f->size = 2 * CFI_FLASH_BLOCK_SIZE;
    mmio_realize(b, &f->d);
    mmio_add_region(b, &f->region, BASE);
}

static void flash_check(struct mmio_bench *b)
{
    struct cfi_flash *f = cfi_flash_of(b->devices[0]);
    BUG_ON(f->region.is_direct != (f->mode == CFI_ARRAY));
    BUG_ON(f->expect != CFI_EXPECT_COMMAND && f->mode == CFI_ARRAY);
    BUG_ON(!(f->status & CFI_SR_READY));
}

const struct mmio_target fuzz_cfi_flash = {
    .name = "cfi-flash",
    .make = flash_make,
    .check = flash_check,
};
