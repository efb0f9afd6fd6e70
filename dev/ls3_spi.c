// SPDX-License-Identifier: Apache-2.0
// A byte written to the data register is on the wire and its answer in the receive FIFO at once:
// the transmit FIFO is always empty.
#include "dev/ls3_spi.h"
#include "base/bits.h"

#include <string.h>

enum { SPCR_SPIE = 0x80, SPCR_SPE = 0x40, SPCR_MSTR = 0x10 };
enum { SPSR_SPIF = 0x80, SPSR_WCOL = 0x40, SPSR_WFEMPTY = 4, SPSR_RFFULL = 2, SPSR_RFEMPTY = 1 };
enum { PARAM_MEMORY_EN = 1 };
enum { CUSTOM_START = 1, CUSTOM_MULTIPLE = 2 };
enum { CUSTOM_CTRL, CUSTOM_CMD, CUSTOM_BUF0, CUSTOM_BUF1 };

static void update_interrupt(struct ls3_spi *s)
{
    irq_set(&s->interrupt, s->control & SPCR_SPIE && s->status & SPSR_SPIF);
}

static void set_direct(struct ls3_spi *s, bool is_direct)
{
    mem_set_direct(s->dev.env->mem, &s->memory, is_direct);
    mem_set_direct(s->dev.env->mem, &s->boot, is_direct);
}

// Processors have to forget what they know of memory that was programmed.
static void show_modified(struct ls3_spi *s)
{
    if (s->flash.is_modified && s->memory.is_direct) {
        set_direct(s, false);
        set_direct(s, true);
    }
    s->flash.is_modified = false;
}

// SOFTCS: csn [7:4] drives the chip selects that csen [3:0] names; low selects.
static void update_select(struct ls3_spi *s)
{
    spi_nor_select(&s->flash, s->select & 1 && !(s->select >> 4 & 1));
    if (!s->flash.is_selected)
        show_modified(s);
}

static u8 exchange(struct ls3_spi *s, u8 out)
{
    int in = spi_nor_transfer(&s->flash, out);
    return in < 0 ? 0xff : in;
}

static void send(struct ls3_spi *s, u8 out)
{
    if (!(s->control & SPCR_SPE))
        return;
    u8 in = exchange(s, out);
    if (s->n_fifo < LS3_SPI_FIFO_SIZE)
        s->fifo[s->n_fifo++] = in;
    unsigned wanted = (s->external >> 6) + 1;
    if (++s->n_sent < (wanted > 3 ? 3 : wanted))
        return;
    s->n_sent = 0;
    s->status |= SPSR_SPIF;
    update_interrupt(s);
}

static u8 receive(struct ls3_spi *s)
{
    if (!s->n_fifo)
        return 0xff;
    u8 value = s->fifo[0];
    memmove(s->fifo, s->fifo + 1, --s->n_fifo);
    return value;
}

// The custom command and up to two bytes in one transaction. What the flash drives replaces the
// buffer, so the same registers serve commands that write and commands that read.
static void run_custom(struct ls3_spi *s)
{
    unsigned n = s->custom[CUSTOM_CTRL] & CUSTOM_MULTIPLE ? s->custom[CUSTOM_CTRL] >> 4 : 0;
    spi_nor_select(&s->flash, false);
    spi_nor_select(&s->flash, true);
    spi_nor_transfer(&s->flash, s->custom[CUSTOM_CMD]);
    for (unsigned i = 0; i < n; i++) {
        u8 *buf = &s->custom[CUSTOM_BUF0 + (i < 2 ? i : 1)];
        int in = spi_nor_transfer(&s->flash, *buf);
        *buf = in < 0 ? *buf : in;
    }
    spi_nor_select(&s->flash, false);
    show_modified(s);
    update_select(s);
    s->custom[CUSTOM_CTRL] &= ~CUSTOM_START;
}

static u64 read_control(void *block, unsigned core, unsigned index)
{
    return ((struct ls3_spi *)block)->control;
}

static void write_control(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_spi *s = block;
    s->control = value | SPCR_MSTR;
    if (!(s->control & SPCR_SPE))
        s->n_fifo = s->n_sent = 0;
    update_interrupt(s);
}

static u64 read_status(void *block, unsigned core, unsigned index)
{
    struct ls3_spi *s = block;
    u8 fifo = !s->n_fifo ? SPSR_RFEMPTY : s->n_fifo == LS3_SPI_FIFO_SIZE ? SPSR_RFFULL : 0;
    return s->status | SPSR_WFEMPTY | fifo;
}

static void write_status(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_spi *s = block;
    s->status &= ~(value & (SPSR_SPIF | SPSR_WCOL));
    update_interrupt(s);
}

static u64 read_data(void *block, unsigned core, unsigned index)
{
    return receive(block);
}

static void write_data(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    send(block, value);
}

static u64 read_setting(void *block, unsigned core, unsigned index)
{
    struct ls3_spi *s = block;
    const u8 settings[] = {s->external, s->param, s->select, s->timing};
    return settings[index];
}

static void write_setting(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_spi *s = block;
    switch (index) {
    case 0: s->external = value; break;
    case 1:
        s->param = value;
        set_direct(s, value & PARAM_MEMORY_EN);
        break;
    case 2:
        s->select = value;
        update_select(s);
        break;
    default: s->timing = value & 0xf; break;
    }
}

static u64 read_custom(void *block, unsigned core, unsigned index)
{
    return ((struct ls3_spi *)block)->custom[index];
}

static void write_custom(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_spi *s = block;
    s->custom[index] = value;
    if (index == CUSTOM_CTRL && value & CUSTOM_START)
        run_custom(s);
}

// clang-format off
static const struct reg ls3_spi_regs[] = {
    {0x0, 0x0, "SPCR",               .read = read_control, .write = write_control},
    {0x1, 0x1, "SPSR",               .read = read_status,  .write = write_status},
    {0x2, 0x2, "TxFIFO, RxFIFO",     .read = read_data,    .write = write_data},
    {0x3, 0x6, "SPER, SFC_PARAM, SFC_SOFTCS, SFC_TIMING",
                                     .read = read_setting, .write = write_setting},
    {0x8, 0xe, "CTRL, CMD, BUF0-1, TIMER0-2",
                                     .read = read_custom,  .write = write_custom},
    {0},
};
// clang-format on

static u64 window_read(void *opaque, u64 offset, unsigned size)
{
    return ~0ULL;
}

static void window_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct ls3_spi *s = opaque;
    log_guest(s->dev.env->log, "spi: write to the memory window at 0x%llx",
              (unsigned long long)offset);
}

static const struct mem_io_ops window_ops = {.read = window_read, .write = window_write};

static void init_window(struct ls3_spi *s, struct mem_region *r, u64 size, const char *name)
{
    r->size = size < s->flash.size ? size : s->flash.size;
    r->ops = &window_ops;
    r->opaque = s;
    r->name = name;
    r->direct = s->flash.data;
}

static void ls3_spi_reset(struct device *d)
{
    struct ls3_spi *s = container_of(d, struct ls3_spi, dev);
    s->control = SPCR_MSTR;
    s->status = s->external = s->select = s->n_fifo = s->n_sent = 0;
    s->param = 0x20 | PARAM_MEMORY_EN;
    s->timing = 3;
    memset(s->custom, 0, sizeof(s->custom));
    update_select(s);
    set_direct(s, true);
    update_interrupt(s);
}

static bool ls3_spi_realize(struct device *d, struct err *e)
{
    struct ls3_spi *s = container_of(d, struct ls3_spi, dev);
    if (s->flash_size && !spi_nor_init(&s->flash, s->flash_size, e))
        return err_context(e, "property 'flash-size'");
    init_window(s, &s->memory, s->flash.size, "spi-memory");
    init_window(s, &s->boot, LS3_SPI_BOOT_SIZE, "spi-boot");
    s->bank.unit = 1;
    reg_bank_init(&s->bank, "spi", ls3_spi_regs, s, d->env->log);
    ls3_spi_reset(d);
    return true;
}

static void ls3_spi_free(struct device *d)
{
    spi_nor_free(&container_of(d, struct ls3_spi, dev)->flash);
}

static const struct device_prop ls3_spi_props[] = {
    {"flash-size", PROP_SIZE, offsetof(struct ls3_spi, flash_size),
     "size of the serial flash, 0 for none", "0"},
    {NULL},
};

const struct device_type ls3_spi_type = {
    .name = "loongson-spi",
    .doc = "SPI controller of a Loongson processor, with a serial flash",
    .size = sizeof(struct ls3_spi),
    .props = ls3_spi_props,
    .realize = ls3_spi_realize,
    .reset = ls3_spi_reset,
    .free = ls3_spi_free,
};
