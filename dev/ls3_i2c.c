// SPDX-License-Identifier: Apache-2.0
// A command is carried out at once: TIP is never seen set.
#include "dev/ls3_i2c.h"

enum { CTR_EN = 0x80, CTR_IEN = 0x40, CTR_MST_EN = 0x20 };
enum { CR_STA = 0x80, CR_STO = 0x40, CR_RD = 0x20, CR_WR = 0x10, CR_IACK = 1 };
enum { SR_RXACK = 0x80, SR_BUSY = 0x40, SR_IF = 1 };
enum { SLV_EN = 0x80 };

static void update_interrupt(struct ls3_i2c *i)
{
    irq_set(&i->interrupt, i->control & CTR_IEN && i->status & SR_IF);
}

static void set_status(struct ls3_i2c *i, u8 bit, bool value)
{
    i->status = (i->status & ~bit) | (value ? bit : 0);
}

// STA goes with WR: the byte that is written is then the address.
static void transfer(struct ls3_i2c *i, u8 command)
{
    if (command & CR_WR) {
        bool is_acknowledged = command & CR_STA ? i2c_bus_start(&i->bus, i->transmit)
                                                : i2c_bus_write(&i->bus, i->transmit);
        set_status(i, SR_RXACK, !is_acknowledged);
    } else if (command & CR_RD) {
        i->received = i2c_bus_read(&i->bus);
    }
    if (command & CR_STO)
        i2c_bus_stop(&i->bus);
    set_status(i, SR_BUSY, i->bus.is_busy);
    set_status(i, SR_IF, true);
}

static u64 read_setup(void *block, unsigned core, unsigned index)
{
    struct ls3_i2c *i = block;
    return index < 2 ? i->prescale[index] : i->control;
}

static void write_setup(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_i2c *i = block;
    if (index < 2)
        i->prescale[index] = value;
    else
        i->control = value;
    if (!(i->control & CTR_EN) && i->bus.is_busy) {
        i2c_bus_stop(&i->bus);
        set_status(i, SR_BUSY, false);
    }
    update_interrupt(i);
}

static u64 read_data(void *block, unsigned core, unsigned index)
{
    return ((struct ls3_i2c *)block)->received;
}

static void write_data(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    ((struct ls3_i2c *)block)->transmit = value;
}

static u64 read_status(void *block, unsigned core, unsigned index)
{
    return ((struct ls3_i2c *)block)->status;
}

static void write_command(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_i2c *i = block;
    if (value & CR_IACK)
        set_status(i, SR_IF, false);
    bool is_master = (i->control & (CTR_EN | CTR_MST_EN)) == (CTR_EN | CTR_MST_EN);
    if (is_master && value & (CR_STA | CR_STO | CR_RD | CR_WR))
        transfer(i, value);
    update_interrupt(i);
}

static u64 read_slave(void *block, unsigned core, unsigned index)
{
    return ((struct ls3_i2c *)block)->slave_control;
}

static void write_slave(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_i2c *i = block;
    i->slave_control = value;
    if (value & SLV_EN)
        log_unimp(i->dev.env->log, "i2c: slave mode");
}

// clang-format off
static const struct reg ls3_i2c_regs[] = {
    {0x0, 0x2, "PRERlo, PRERhi, CTR", .read = read_setup,  .write = write_setup},
    {0x3, 0x3, "TXR, RXR",            .read = read_data,   .write = write_data},
    {0x4, 0x4, "CR, SR",              .read = read_status, .write = write_command},
    {0x7, 0x7, "SLV_CTRL",            .read = read_slave,  .write = write_slave},
    {0},
};
// clang-format on

static void ls3_i2c_reset(struct device *d)
{
    struct ls3_i2c *i = container_of(d, struct ls3_i2c, dev);
    i2c_bus_stop(&i->bus);
    i->prescale[0] = i->prescale[1] = 0xff;
    i->control = CTR_MST_EN;
    i->transmit = i->received = i->status = i->slave_control = 0;
    update_interrupt(i);
}

static bool ls3_i2c_realize(struct device *d, struct err *e)
{
    struct ls3_i2c *i = container_of(d, struct ls3_i2c, dev);
    i->bank.unit = 1;
    reg_bank_init(&i->bank, "i2c", ls3_i2c_regs, i, d->env->log);
    ls3_i2c_reset(d);
    return true;
}

const struct device_type ls3_i2c_type = {
    .name = "loongson-i2c",
    .doc = "I2C controller of a Loongson processor",
    .size = sizeof(struct ls3_i2c),
    .realize = ls3_i2c_realize,
    .reset = ls3_i2c_reset,
};
