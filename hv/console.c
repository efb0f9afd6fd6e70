// SPDX-License-Identifier: Apache-2.0
#include "hv/console.h"
#include "base/bits.h"
#include "hv/cell.h"
#include "hv/sync.h"
#include "hv/text.h"
#include "hv/vintc.h"

// Registers of the 16550, and their bits.
enum { DATA = 0, IER = 1, IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCRATCH = 7 };
enum { IER_RX = 1, IER_TX = 2, LCR_DLAB = 0x80, LSR_RX = 1, LSR_IDLE = 0x60, IIR_NONE = 1 };
enum { LSR_BREAK = 0x10 };
enum { IIR_TX = 2, IIR_RX = 4, IIR_FIFO = 0xc0, MSR_PRESENT = 0xb0, MCR_LOOP = 0x10 };

#define WAITING_TX 1ULL // in vdev.state, bit 32: the transmitter became empty and nobody looked

static bool has_input(const struct console *k)
{
    return k->in_head != k->in_tail;
}

static u32 vector_of(const struct vdev *d)
{
    return (u32)d->state & 0xff;
}

static bool tx_waits(const struct vdev *d)
{
    return d->state >> 32 & WAITING_TX;
}

static void set_tx_waits(struct vdev *d, bool waits)
{
    d->state = (d->state & 0xff) | (waits ? WAITING_TX << 32 : 0);
}

static u8 interrupt_id(const struct console *k, const struct vdev *d)
{
    if (k->ier & IER_RX && has_input(k))
        return IIR_RX;
    if (k->ier & IER_TX && tx_waits(d))
        return IIR_TX;
    return IIR_NONE;
}

static u8 receive(struct console *k)
{
    return has_input(k) ? (u8)k->in[k->in_tail++ % ARRAY_LEN(k->in)] : 0;
}

// A break is seen with the byte 0 that it comes with.
static u8 line_status(const struct console *k)
{
    if (!has_input(k))
        return LSR_IDLE;
    bool is_break = k->in[k->in_tail % ARRAY_LEN(k->in)] & CONSOLE_BREAK;
    return LSR_IDLE | LSR_RX | (is_break ? LSR_BREAK : 0);
}

static u8 read_register(struct console *k, struct vdev *d, u64 offset)
{
    u8 id;
    switch (offset) {
    case DATA: return k->lcr & LCR_DLAB ? k->dll : receive(k);
    case IER: return k->lcr & LCR_DLAB ? k->dlm : k->ier;
    case IIR:
        id = interrupt_id(k, d);
        if (id == IIR_TX)
            set_tx_waits(d, false);
        return id | (k->fcr & 1 ? IIR_FIFO : 0);
    case LCR: return k->lcr;
    case MCR: return k->mcr;
    case LSR: return line_status(k);
    case MSR:
        return k->mcr & MCR_LOOP ? (u8)((k->mcr & 0xc) << 4 | (k->mcr & 2) << 3 | (k->mcr & 1) << 5)
                                 : MSR_PRESENT;
    default: return k->scratch;
    }
}

static void transmit(struct console *k, u8 byte)
{
    if (!(k->mcr & MCR_LOOP)) {
        k->out[k->out_head++ % CONSOLE_SIZE] = byte;
        return;
    }
    if (k->in_head - k->in_tail < ARRAY_LEN(k->in))
        k->in[k->in_head++ % ARRAY_LEN(k->in)] = byte;
}

static void write_register(struct console *k, struct vdev *d, u64 offset, u8 value)
{
    bool is_divisor = k->lcr & LCR_DLAB;
    switch (offset) {
    case DATA:
        if (is_divisor)
            k->dll = value;
        else
            transmit(k, value), set_tx_waits(d, true);
        break;
    case IER:
        if (is_divisor)
            k->dlm = value;
        else
            k->ier = value & 0xf, set_tx_waits(d, true);
        break;
    case IIR: // FCR
        k->fcr = value;
        if (value & 2)
            k->in_tail = k->in_head;
        break;
    case LCR: k->lcr = value; break;
    case MCR: k->mcr = value & 0x1f; break;
    case SCRATCH: k->scratch = value; break;
    default: break;
    }
}

static void update_line(struct cell *c, struct vdev *d, bool level)
{
    u64 bit = 1ULL << (vector_of(d) % 64);
    if (!!(c->intc.line[vector_of(d) / 64] & bit) != level)
        vintc_set_line(c, vector_of(d), level);
}

static u64 uart_read(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    struct cell *c = cpu->vcpu->cell;
    spin_lock(&c->console.lock);
    u64 value = read_register(&c->console, d, offset);
    bool level = interrupt_id(&c->console, d) != IIR_NONE;
    spin_unlock(&c->console.lock);
    update_line(c, d, level);
    return value;
}

static void uart_write(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
    struct cell *c = cpu->vcpu->cell;
    spin_lock(&c->console.lock);
    write_register(&c->console, d, offset, (u8)value);
    bool level = interrupt_id(&c->console, d) != IIR_NONE;
    spin_unlock(&c->console.lock);
    update_line(c, d, level);
}

void console_add(struct cell *c, u64 gpa, u32 vector)
{
    struct vdev *d = cell_add_vdev(c, gpa, 8);
    if (!d)
        return;
    d->read = uart_read;
    d->write = uart_write;
    d->state = vector;
}

static struct vdev *uart_of(struct cell *c)
{
    for (u32 i = 0; i < c->n_vdevs; i++)
        if (c->vdev[i].read == uart_read)
            return &c->vdev[i];
    return NULL;
}

void console_reset(struct cell *c)
{
    struct console *k = &c->console;
    k->in_head = k->in_tail = 0;
    k->ier = k->lcr = k->mcr = k->dlm = k->dll = k->fcr = k->scratch = 0;
    struct vdev *d = uart_of(c);
    if (d)
        set_tx_waits(d, false);
}

u32 console_read(struct cell *c, u64 *position, u8 *to, u32 size)
{
    struct console *k = &c->console;
    u32 n = 0;
    spin_lock(&k->lock);
    u64 oldest = k->out_head > CONSOLE_SIZE ? k->out_head - CONSOLE_SIZE : 0;
    if (*position < oldest || *position > k->out_head)
        *position = oldest;
    for (; n < size && *position < k->out_head; n++)
        to[n] = k->out[(*position)++ % CONSOLE_SIZE];
    spin_unlock(&k->lock);
    return n;
}

u32 console_write(struct cell *c, const u8 *from, u32 size, bool has_break)
{
    struct console *k = &c->console;
    struct vdev *d = uart_of(c);
    u32 n = 0;
    if (!d)
        return 0;
    spin_lock(&k->lock);
    if (has_break && k->in_head - k->in_tail < ARRAY_LEN(k->in))
        k->in[k->in_head++ % ARRAY_LEN(k->in)] = CONSOLE_BREAK;
    for (; n < size && k->in_head - k->in_tail < ARRAY_LEN(k->in); n++)
        k->in[k->in_head++ % ARRAY_LEN(k->in)] = from[n];
    bool level = interrupt_id(k, d) != IIR_NONE;
    spin_unlock(&k->lock);
    update_line(c, d, level);
    return n;
}
