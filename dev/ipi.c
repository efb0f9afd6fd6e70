// SPDX-License-Identifier: Apache-2.0
// One block of registers per core, and send registers that exist once. A send register of 64 bits
// that is written in halves acts on the write of its low half, which holds the command.
#include "dev/ipi.h"
#include "base/bits.h"

#include <string.h>

// The core timers count the stable counter, 100 MHz.
#define TIMER_TICK_NS 10
#define TIMER_INIT    BITS(47, 0)
#define TIMER_EN      BIT(61)
#define TIMER_PERIOD  BIT(62)

static void drive(struct ipi *p, unsigned core)
{
    struct ipi_core *c = &p->core[core];
    u16 lines = (c->status & c->enable) ? 1 << CORE_LINE_IPI : 0;
    if (c->timer_expired)
        lines |= 1 << CORE_LINE_TIMER;
    core_irq_drive(p->cores, CORE_IRQ_IPI, core, lines);
}

static u64 next_delay(struct ipi *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 17;
    p->random ^= p->random << 5;
    return 1 + p->random % p->delay_ns;
}

static void arrive(void *opaque)
{
    struct ipi_core *c = opaque;
    c->status |= c->on_its_way;
    c->on_its_way = 0;
    drive(c->ipi, (unsigned)(c - c->ipi->core));
}

// What is sent while others are on their way comes with them.
static void raise_bits(struct ipi *p, struct ipi_core *c, u32 bits)
{
    if (!p->delay_ns) {
        c->status |= bits;
        drive(p, (unsigned)(c - p->core));
        return;
    }
    if (bits && !c->on_its_way)
        timer_arm(p->dev.env->clock, &c->arrival, clock_now(p->dev.env->clock) + next_delay(p));
    c->on_its_way |= bits;
}

static struct ipi_core *target(struct ipi *p, u64 command, const char *what)
{
    unsigned core = bits_get(command, 25, 16);
    if (core < p->n_cores)
        return &p->core[core];
    log_guest(p->dev.env->log, "%s to core %u, which does not exist", what, core);
    return NULL;
}

static u64 read_status(void *block, unsigned core, unsigned index)
{
    struct ipi_core *c = &((struct ipi *)block)->core[core];
    return c->status | (u64)c->enable << 32;
}

static void write_status(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi *p = block;
    struct ipi_core *c = &p->core[core];
    c->enable = (c->enable & ~(mask >> 32)) | value >> 32;
    drive(p, core);
}

// SET in the low half, CLEAR in the high half.
static void write_set_clear(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi *p = block;
    raise_bits(p, &p->core[core], (u32)value);
    p->core[core].status &= ~(u32)(value >> 32);
    drive(p, core);
}

static u64 read_mailbox(void *block, unsigned core, unsigned index)
{
    return ((struct ipi *)block)->core[core].mailbox[index];
}

static void write_mailbox(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    u64 *box = &((struct ipi *)block)->core[core].mailbox[index];
    *box = (*box & ~mask) | value;
}

static void write_ipi_send(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi *p = block;
    struct ipi_core *c = mask & 0xff ? target(p, value, "IPI_Send") : NULL;
    if (c)
        raise_bits(p, c, 1u << bits_get(value, 4, 0));
}

// Bits 30:27 of a send register name the bytes that are not written.
static u32 bytes_to_write(u64 command)
{
    return ~bits_get(command, 30, 27) & 0xf;
}

static u64 byte_mask(u32 bytes)
{
    u64 mask = 0;
    for (unsigned i = 0; i < 4; i++)
        mask |= bytes >> i & 1 ? 0xffULL << (8 * i) : 0;
    return mask;
}

static void take_upper_half(u32 *data, u64 value, u64 mask)
{
    *data = (*data & ~(u32)(mask >> 32)) | (u32)(value >> 32);
}

static void write_mail_send(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi *p = block;
    take_upper_half(&p->mail_data, value, mask);
    struct ipi_core *c = mask & 0xff ? target(p, value, "Mail_Send") : NULL;
    if (!c)
        return;
    unsigned half = 32 * bits_get(value, 2, 2);
    u64 written = byte_mask(bytes_to_write(value)) << half;
    u64 *box = &c->mailbox[bits_get(value, 4, 3)];
    *box = (*box & ~written) | ((u64)p->mail_data << half & written);
}

// A command may name ANY_Send itself as the register to write; one level of that is as deep as we
// go.
static void write_any_send(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi *p = block;
    take_upper_half(&p->any_data, value, mask);
    struct ipi_core *c = mask & 0xff ? target(p, value, "ANY_Send") : NULL;
    if (!c)
        return;
    if (p->is_sending) {
        log_guest(p->dev.env->log, "ANY_Send to ANY_Send ignored");
        return;
    }
    p->is_sending = true;
    p->any_send(p->any_send_opaque, c - p->core, bits_get(value, 15, 0), p->any_data,
                bytes_to_write(value));
    p->is_sending = false;
}

static u64 read_frequency(void *block, unsigned core, unsigned index)
{
    return ((struct ipi *)block)->core[core].frequency;
}

static void write_frequency(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi_core *c = &((struct ipi *)block)->core[core];
    c->frequency = (c->frequency & ~mask) | value;
}

// The data byte replaces the target core's frequency setting.
static void write_freq_send(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi_core *c = mask & 0xff ? target(block, value, "FREQ_Send") : NULL;
    if (c)
        c->frequency = (c->frequency & ~0x1fULL) | bits_get(value, 4, 0);
}

static u64 timer_period_ns(const struct ipi_core *c)
{
    u64 ticks = c->timer_config & TIMER_INIT;
    return (ticks ? ticks : 1) * TIMER_TICK_NS;
}

// The line stays asserted until timer_config is written, which also starts the countdown anew. So a
// periodic timer needs no further events, however short a period the guest asked for.
static void fire_timer(void *opaque)
{
    struct ipi_core *c = opaque;
    c->timer_expired = true;
    drive(c->ipi, c - c->ipi->core);
}

static u64 read_timer_config(void *block, unsigned core, unsigned index)
{
    return ((struct ipi *)block)->core[core].timer_config | BIT(63);
}

// Writing the configuration starts the countdown anew and acknowledges an expired one.
static void write_timer_config(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ipi *p = block;
    struct ipi_core *c = &p->core[core];
    u64 rw = (TIMER_INIT | TIMER_EN | TIMER_PERIOD) & mask;
    c->timer_config = (c->timer_config & ~rw) | (value & rw);
    c->timer_started = clock_now(p->dev.env->clock);
    c->timer_expired = false;
    if (c->timer_config & TIMER_EN)
        timer_arm(p->dev.env->clock, &c->timer, c->timer_started + timer_period_ns(c));
    else
        timer_cancel(p->dev.env->clock, &c->timer);
    drive(p, core);
}

// A countdown that has ended without period stays at all ones (manual, 3.1.1).
static u64 read_timer_ticks(void *block, unsigned core, unsigned index)
{
    struct ipi *p = block;
    struct ipi_core *c = &p->core[core];
    if (!(c->timer_config & TIMER_EN))
        return c->timer_config & TIMER_INIT;
    u64 elapsed = clock_now(p->dev.env->clock) - c->timer_started, period = timer_period_ns(c);
    if (c->timer_config & TIMER_PERIOD)
        elapsed %= period;
    return elapsed < period ? (period - elapsed) / TIMER_TICK_NS : TIMER_INIT;
}

// clang-format off
static const struct reg ipi_regs[] = {
    {0x1000, 0x1007, "STATUS, EN",     .read = read_status,       .write = write_status},
    {0x1008, 0x100f, "SET, CLEAR",                                .write = write_set_clear},
    {0x1020, 0x103f, "MBOX0-3",        .read = read_mailbox,      .write = write_mailbox},
    {0x1040, 0x1047, "IPI_Send",                                  .write = write_ipi_send},
    {0x1048, 0x104f, "Mail_Send",                                 .write = write_mail_send},
    {0x1050, 0x1057, "percore_freq",   .read = read_frequency,    .write = write_frequency},
    {0x1058, 0x105f, "FREQ_Send",                                 .write = write_freq_send},
    {0x1060, 0x1067, "timer_config",   .read = read_timer_config, .write = write_timer_config},
    {0x1070, 0x1077, "timer_ticks",    .read = read_timer_ticks},
    {0x1158, 0x115f, "ANY_Send",                                  .write = write_any_send},
    {0},
};
// clang-format on

static bool ipi_realize(struct device *d, struct err *e)
{
    struct ipi *p = container_of(d, struct ipi, dev);
    if (!p->n_cores || p->n_cores > CORE_IRQ_MAX_CORES)
        return err_set(e, "property 'cores': has to be 1 to %d", CORE_IRQ_MAX_CORES);
    for (unsigned i = 0; i < p->n_cores; i++) {
        p->core[i].ipi = p;
        timer_init(&p->core[i].timer, fire_timer, &p->core[i]);
        timer_init(&p->core[i].arrival, arrive, &p->core[i]);
    }
    reg_bank_init(&p->bank, "ipi", ipi_regs, p, d->env->log);
    return true;
}

static void ipi_reset(struct device *d)
{
    struct ipi *p = container_of(d, struct ipi, dev);
    p->mail_data = p->any_data = 0;
    p->random = 0x9e3779b9;
    for (unsigned i = 0; i < p->n_cores; i++) {
        struct ipi_core *c = &p->core[i];
        timer_cancel(d->env->clock, &c->timer);
        timer_cancel(d->env->clock, &c->arrival);
        c->on_its_way = 0;
        c->status = c->enable = 0;
        memset(c->mailbox, 0, sizeof(c->mailbox));
        c->frequency = c->timer_config = 0;
        c->timer_expired = false;
        drive(p, i);
    }
}

static void ipi_free(struct device *d)
{
    struct ipi *p = container_of(d, struct ipi, dev);
    for (unsigned i = 0; i < p->n_cores && p->core[i].ipi; i++) {
        timer_cancel(d->env->clock, &p->core[i].timer);
        timer_cancel(d->env->clock, &p->core[i].arrival);
    }
}

static const struct device_prop ipi_props[] = {
    {"cores", PROP_U64, offsetof(struct ipi, n_cores), "number of cores of the machine", "1"},
    {"delay", PROP_U64, offsetof(struct ipi, delay_ns), "ns that interrupts need at most", "0"},
    {NULL},
};

const struct device_type ipi_type = {
    .name = "loongson-ipi",
    .doc = "inter-processor interrupts, mailboxes and core timers of a Loongson processor",
    .size = sizeof(struct ipi),
    .props = ipi_props,
    .realize = ipi_realize,
    .reset = ipi_reset,
    .free = ipi_free,
};
