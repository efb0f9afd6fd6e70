// SPDX-License-Identifier: Apache-2.0
// Any sequence of register accesses to the platform devices, with timers, resets, host events and
// requests in RAM in between: nothing crashes, hangs or reads what it should not. Linked with
// libFuzzer, or with fuzz_replay.c as an ordinary test.
//
// The first byte picks the device; then records of 7 bytes: what, offset (2), value (4).
#include "base/bits.h"
#include "base/bug.h"
#include "dev/cfi_flash.h"
#include "dev/fw_cfg.h"
#include "dev/ged.h"
#include "dev/ls7a_rtc.h"
#include "dev/test_bench.h"
#include "dev/uart16550.h"

#define BASE 0x10000000

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct target {
    struct device *d;
    struct mem_region *region;
    void (*event)(struct target *t, u32 value); // something from the host's side
};

static void must(bool ok)
{
    BUG_ON(!ok);
}

static void uart_event(struct target *t, u32 value)
{
    if (value & 1)
        uart16550_break(uart16550_of(t->d));
    else
        uart16550_set_modem(uart16550_of(t->d), (u8)value);
}

static struct target make_uart(struct bench *b)
{
    struct uart16550 *u = uart16550_of(device_new(&uart16550_type, &b->env));
    u->irq = bench_irq(b, 0);
    return (struct target){&u->d, &u->region, uart_event};
}

static struct target make_loongson_uart(struct bench *b)
{
    struct target t = make_uart(b);
    uart16550_of(t.d)->is_loongson = true;
    return t;
}

static void ged_event(struct target *t, u32 value)
{
    ged_press_power_button(ged_of(t->d));
}

static struct target make_ged(struct bench *b)
{
    struct ged *g = ged_of(device_new(&ged_type, &b->env));
    g->irq = bench_irq(b, 0);
    return (struct target){&g->d, &g->region, ged_event};
}

static struct target make_rtc(struct bench *b)
{
    struct ls7a_rtc *r = ls7a_rtc_of(device_new(&ls7a_rtc_type, &b->env));
    r->irq = bench_irq(b, 0);
    b->clock.epoch_ns = 1700000000 * NS_PER_SEC;
    return (struct target){&r->d, &r->region, NULL};
}

static void selected(void *opaque, u8 *data, u32 size)
{
    memset(data, 'x', size);
}

static void written(void *opaque, u32 offset, u32 size)
{
    BUG_ON((u64)offset + size > 100);
}

static struct target make_fw_cfg(struct bench *b)
{
    struct fw_cfg *f = fw_cfg_of(device_new(&fw_cfg_type, &b->env));
    static u8 big[200000];
    const struct fw_cfg_hooks hooks = {.selected = selected, .written = written};
    struct err e = {0};
    must(fw_cfg_add_hooked(f, "hooked", 100, &hooks, &e));
    must(fw_cfg_add_file(f, "big", big, sizeof(big), &e));
    must(fw_cfg_add_file(f, "empty", NULL, 0, &e));
    fw_cfg_add_string(f, FW_CFG_CMDLINE_DATA, "console=ttyS0");
    return (struct target){&f->d, &f->region, NULL};
}

static struct target make_flash(struct bench *b)
{
    struct cfi_flash *f = cfi_flash_of(device_new(&cfi_flash_type, &b->env));
    f->size = 2 * CFI_FLASH_BLOCK_SIZE;
    return (struct target){&f->d, &f->region, NULL};
}

static struct target (*const makers[])(struct bench *b) = {
    make_uart, make_loongson_uart, make_ged, make_rtc, make_fw_cfg, make_flash,
};

enum { READ, WRITE, WRITE_RAM, ADVANCE, EVENT, RESET };

static void run(struct bench *b, struct target *t, const u8 *record)
{
    // The size is in the low two bits; offsets reach the whole region in steps of the size.
    unsigned size = 1u << (record[0] & 3);
    u64 offset = load_le(record + 1, 2) * size % t->region->size;
    u32 value = (u32)load_le(record + 3, 4);
    if (offset + size > t->region->size)
        return;
    switch (record[0] >> 2 & 7) {
    case READ: mem_read(&b->mem, BASE + offset, size); break;
    case WRITE: mem_write(&b->mem, BASE + offset, (u64)value << 32 | value, size); break;
    case WRITE_RAM: mem_write(&b->mem, load_le(record + 1, 2), value, 4); break;
    case ADVANCE: bench_advance(b, value); break;
    case EVENT:
        if (t->event)
            t->event(t, value);
        break;
    case RESET: device_reset(t->d); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (!size)
        return 0;
    struct err e = {0};
    struct bench *b = bench_new();
    struct target t = makers[data[0] % ARRAY_LEN(makers)](b);
    must(device_realize(t.d, &e));
    t.region->base = BASE;
    mem_add_region(&b->mem, t.region);
    device_reset(t.d);
    for (size_t at = 1; at + 7 <= size && at < 4000; at += 7)
        run(b, &t, data + at);
    mem_remove_region(&b->mem, t.region);
    device_free(t.d);
    bench_free(b);
    return 0;
}
