// SPDX-License-Identifier: Apache-2.0
// PC16550D data sheet. Where it leaves something open, the choices are:
//
// - Output leaves at once: THRE comes back as soon as the console took the byte. While the
// console's
//   buffer is full, bytes stay in the transmit FIFO and THRE stays away.
// - Input arrives at the programmed rate, but no slower than 115200 baud: a guest whose terminal
//   layer has little room is not flooded by a paste. Characters come in bursts that fill the FIFO,
//   followed by the pause that they would have taken.
// - Word length does not mask bytes: software prints before it sets LCR.
// - A byte written to a full transmit FIFO is lost.
// - MCR.OUT2 does not gate the interrupt (that is a PC's wiring).
#include "dev/uart16550.h"

#include <string.h>

#define LINE_ERRORS (UART_LSR_OE | UART_LSR_PE | UART_LSR_FE | UART_LSR_BI)
#define MIN_BAUD    115200

static void fifo_push(struct uart_fifo *f, u8 byte, u8 flags)
{
    unsigned at = (f->first + f->n++) % UART_FIFO_SIZE;
    f->bytes[at] = byte;
    f->flags[at] = flags;
}

static u8 fifo_pop(struct uart_fifo *f)
{
    u8 byte = f->bytes[f->first];
    f->first = (f->first + 1) % UART_FIFO_SIZE;
    f->n--;
    return byte;
}

static bool fifo_has_errors(const struct uart_fifo *f)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->flags[(f->first + i) % UART_FIFO_SIZE])
            return true;
    return false;
}

static bool has_fifo(const struct uart16550 *u)
{
    return u->is_loongson || u->fcr & UART_FCR_ENABLE;
}

static unsigned fifo_depth(const struct uart16550 *u)
{
    return has_fifo(u) ? UART_FIFO_SIZE : 1;
}

static unsigned rx_trigger(const struct uart16550 *u)
{
    static const u8 levels[] = {1, 4, 8, 14};
    return has_fifo(u) ? levels[u->fcr >> 6] : 1;
}

// A character is a start bit, 5 to 8 data bits, perhaps parity, and 1 or 2 stop bits; a bit takes
// sixteen periods of the divided clock.
static u64 char_ns(const struct uart16550 *u)
{
    u64 bits =
        1 + 5 + (u->lcr & 3) + !!(u->lcr & UART_LCR_PARITY) + (u->lcr & UART_LCR_STOP ? 2 : 1);
    u64 divisor_256 = (u64)u->dlm << 16 | (u64)u->dll << 8 | u->dlf;
    u64 slowest = bits * NS_PER_SEC / MIN_BAUD;
    u64 ns = bits * 16 * divisor_256 * (NS_PER_SEC / 256) / u->clock_hz;
    return ns && ns < slowest ? ns : slowest;
}

// Highest priority first.
static u8 pending_interrupt(const struct uart16550 *u)
{
    if (u->ier & UART_IER_LINE && u->line_errors)
        return UART_IIR_LINE;
    if (u->ier & UART_IER_RX && u->rx.n >= rx_trigger(u))
        return UART_IIR_RX;
    if (u->ier & UART_IER_RX && u->timed_out)
        return UART_IIR_TIMEOUT;
    if (u->ier & UART_IER_THRE && u->thre_pending)
        return UART_IIR_THRE;
    if (u->ier & UART_IER_MODEM && u->deltas)
        return UART_IIR_MODEM;
    return UART_IIR_NONE;
}

static void update_irq(struct uart16550 *u)
{
    irq_set(&u->irq, pending_interrupt(u) != UART_IIR_NONE);
}

static void restart_timeout(struct uart16550 *u)
{
    if (has_fifo(u) && u->rx.n && u->ier & UART_IER_RX)
        timer_arm(u->d.env->clock, &u->timeout, u->last_activity + 4 * char_ns(u));
    else
        timer_cancel(u->d.env->clock, &u->timeout);
}

// The time-out interrupt lasts until RBR is read, not until another character comes.
static void note_activity(struct uart16550 *u)
{
    u->last_activity = clock_now(u->d.env->clock);
    restart_timeout(u);
}

static void on_timeout(void *opaque)
{
    struct uart16550 *u = opaque;
    u->timed_out = true;
    update_irq(u);
}

// The flags of the character at the top of the FIFO become visible in LSR.
static void show_top(struct uart16550 *u)
{
    if (u->rx.n)
        u->line_errors |= u->rx.flags[u->rx.first];
}

// A character that arrives with no room is lost with an overrun error; without FIFOs it replaces
// the one in RBR.
static void receive(struct uart16550 *u, u8 byte, u8 flags)
{
    if (u->rx.n >= fifo_depth(u)) {
        u->line_errors |= UART_LSR_OE;
        if (has_fifo(u))
            return;
        u->rx.n = 0;
    }
    fifo_push(&u->rx, byte, flags);
    if (u->rx.n == 1)
        show_top(u);
}

// Takes what the FIFO has room for, if the line's time has come; else the timer does it then.
static void pull_input(struct uart16550 *u)
{
    u8 bytes[UART_FIFO_SIZE];
    unsigned room = fifo_depth(u) - u->rx.n;
    struct clock *clock = u->d.env->clock;
    if (!u->console || u->mcr & UART_MCR_LOOP || !room || !console_has_input(u->console) ||
        u->pace.deadline != CLOCK_NEVER)
        return;
    u64 now = clock_now(clock);
    if (now < u->next_arrival) {
        timer_arm(clock, &u->pace, u->next_arrival);
        return;
    }
    size_t n = console_read(u->console, bytes, room);
    for (size_t i = 0; i < n; i++)
        receive(u, bytes[i], 0);
    u->next_arrival = now + n * char_ns(u);
    note_activity(u);
    update_irq(u);
}

static void on_input(void *opaque)
{
    pull_input(opaque);
}

void uart16550_break(struct uart16550 *u)
{
    if (u->mcr & UART_MCR_LOOP)
        return;
    receive(u, 0, UART_LSR_BI);
    note_activity(u);
    update_irq(u);
}

static void on_break(void *opaque)
{
    uart16550_break(opaque);
}

static size_t send_some(struct uart16550 *u, const u8 *bytes, size_t n)
{
    if (u->mcr & UART_MCR_LOOP) {
        for (size_t i = 0; i < n; i++)
            receive(u, bytes[i], 0);
        note_activity(u);
        return n;
    }
    return u->console ? console_write(u->console, bytes, n) : n;
}

static void transmit(struct uart16550 *u)
{
    if (!u->tx.n)
        return;
    u8 bytes[UART_FIFO_SIZE];
    for (unsigned i = 0; i < u->tx.n; i++)
        bytes[i] = u->tx.bytes[(u->tx.first + i) % UART_FIFO_SIZE];
    size_t sent = send_some(u, bytes, u->tx.n);
    while (sent--)
        fifo_pop(&u->tx);
    if (!u->tx.n)
        u->thre_pending = true;
    update_irq(u);
}

static void on_room(void *opaque)
{
    transmit(opaque);
}

static void write_thr(struct uart16550 *u, u8 value)
{
    u->thre_pending = false;
    if (u->tx.n < fifo_depth(u))
        fifo_push(&u->tx, value, 0);
    else
        log_guest(u->d.env->log, "uart: byte 0x%02x written to a full transmitter", value);
    transmit(u);
    update_irq(u);
}

static u8 read_rbr(struct uart16550 *u)
{
    if (!u->rx.n)
        return 0;
    u8 byte = fifo_pop(&u->rx);
    u->timed_out = false;
    show_top(u);
    note_activity(u);
    pull_input(u);
    update_irq(u);
    return byte;
}

static u8 read_iir(struct uart16550 *u)
{
    u8 id = pending_interrupt(u);
    if (id == UART_IIR_THRE)
        u->thre_pending = false;
    update_irq(u);
    return id | (has_fifo(u) ? UART_IIR_FIFO : 0);
}

static u8 read_lsr(struct uart16550 *u)
{
    u8 value = u->line_errors | (u->rx.n ? UART_LSR_DR : 0) |
               (u->tx.n ? 0 : UART_LSR_THRE | UART_LSR_TEMT);
    u->line_errors = 0;
    if (u->rx.n)
        u->rx.flags[u->rx.first] = 0;
    if (has_fifo(u) &&
        (value & (UART_LSR_PE | UART_LSR_FE | UART_LSR_BI) || fifo_has_errors(&u->rx)))
        value |= UART_LSR_FIFO_ERROR;
    update_irq(u);
    return value;
}

static u8 read_msr(struct uart16550 *u)
{
    u8 value = u->lines | u->deltas;
    u->deltas = 0;
    update_irq(u);
    return value;
}

// What the modem inputs are now: the real lines, or in loopback the modem outputs.
static u8 line_levels(const struct uart16550 *u)
{
    if (!(u->mcr & UART_MCR_LOOP))
        return u->modem_in;
    return (u->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) | (u->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
           (u->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) | (u->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

// A change sets the delta bit four below; RI counts only when it goes off (TERI).
static void update_modem(struct uart16550 *u)
{
    u8 now = line_levels(u), changed = now ^ u->lines;
    if (now & UART_MSR_RI)
        changed &= (u8)~UART_MSR_RI;
    u->deltas |= changed >> 4;
    u->lines = now;
    update_irq(u);
}

void uart16550_set_modem(struct uart16550 *u, u8 levels)
{
    u->modem_in = levels & 0xf0;
    update_modem(u);
}

// Enabling THRE interrupts while the transmitter is empty raises one, also when it was seen before.
static void write_ier(struct uart16550 *u, u8 value)
{
    u8 turned_on = value & ~u->ier;
    u->ier = value & 0x0f;
    if (turned_on & UART_IER_THRE && !u->tx.n)
        u->thre_pending = true;
    if (turned_on & UART_IER_RX)
        restart_timeout(u);
    update_irq(u);
}

static void empty_rx(struct uart16550 *u)
{
    u->rx.n = 0;
    u->timed_out = false;
    restart_timeout(u);
    pull_input(u);
}

static void empty_tx(struct uart16550 *u)
{
    if (u->tx.n)
        u->thre_pending = true;
    u->tx.n = 0;
}

// Changing the enable bit empties both FIFOs; without it the other bits are not stored.
static void write_fcr(struct uart16550 *u, u8 value)
{
    u8 before = u->fcr;
    u->fcr = value & UART_FCR_ENABLE ? value & 0xc9 : 0;
    bool is_switched = (before ^ u->fcr) & UART_FCR_ENABLE;
    if (is_switched || value & UART_FCR_TX_RESET)
        empty_tx(u);
    if (is_switched || value & UART_FCR_RX_RESET)
        empty_rx(u);
    update_irq(u);
}

// In loopback a break of ours is received as one.
static void write_lcr(struct uart16550 *u, u8 value)
{
    bool starts_break = value & ~u->lcr & UART_LCR_BREAK;
    u->lcr = value;
    if (starts_break && u->mcr & UART_MCR_LOOP) {
        receive(u, 0, UART_LSR_BI);
        note_activity(u);
        update_irq(u);
    }
}

static void write_mcr(struct uart16550 *u, u8 value)
{
    u->mcr = value & 0x1f;
    update_modem(u);
    transmit(u);
    pull_input(u);
}

static u64 uart_read(void *opaque, u64 offset, unsigned size)
{
    struct uart16550 *u = opaque;
    bool is_dlab = u->lcr & UART_LCR_DLAB;
    switch (offset) {
    case UART_RBR: return is_dlab ? u->dll : read_rbr(u);
    case UART_IER: return is_dlab ? u->dlm : u->ier;
    case UART_IIR: return is_dlab && u->is_loongson ? u->dlf : read_iir(u);
    case UART_LCR: return u->lcr;
    case UART_MCR: return u->mcr;
    case UART_LSR: return read_lsr(u);
    case UART_MSR: return read_msr(u);
    default: return u->scr;
    }
}

static void write_divisor(struct uart16550 *u, u64 offset, u8 value)
{
    *(offset == UART_DLL ? &u->dll : offset == UART_DLM ? &u->dlm : &u->dlf) = value;
}

static void uart_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct uart16550 *u = opaque;
    u8 byte = (u8)value;
    if (u->lcr & UART_LCR_DLAB && offset <= (u->is_loongson ? UART_FCR : UART_DLM)) {
        write_divisor(u, offset, byte);
        return;
    }
    switch (offset) {
    case UART_THR: write_thr(u, byte); break;
    case UART_IER: write_ier(u, byte); break;
    case UART_FCR: write_fcr(u, byte); break;
    case UART_LCR: write_lcr(u, byte); break;
    case UART_MCR: write_mcr(u, byte); break;
    case UART_SCR: u->scr = byte; break;
    default: break; // LSR and MSR: the data sheet keeps writes for factory tests
    }
}

static const struct mem_io_ops uart_ops = {.read = uart_read, .write = uart_write, .max_size = 1};

static bool uart_realize(struct device *d, struct err *e)
{
    struct uart16550 *u = uart16550_of(d);
    if (!u->clock_hz)
        return err_set(e, "clock-frequency is 0");
    u->region.size = UART_N_REGS;
    u->region.ops = &uart_ops;
    u->region.opaque = u;
    u->region.name = "uart16550";
    timer_init(&u->timeout, on_timeout, u);
    timer_init(&u->pace, on_input, u);
    u->modem_in = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
    device_reset(d);
    struct console_front front = {
        .readable = on_input, .writable = on_room, .line_break = on_break, .opaque = u};
    if (u->console)
        console_attach(u->console, &front);
    return true;
}

// The divisor latch, RBR and SCR have no reset value; they start as 0 here.
static void uart_reset(struct device *d)
{
    struct uart16550 *u = uart16550_of(d);
    u->ier = u->fcr = u->mcr = u->scr = 0;
    u->dll = u->dlm = u->dlf = 0;
    u->lcr = u->is_loongson ? 3 : 0;
    u->line_errors = u->deltas = 0;
    u->lines = u->modem_in;
    u->thre_pending = u->timed_out = false;
    u->rx.n = u->tx.n = 0;
    u->next_arrival = 0;
    timer_cancel(d->env->clock, &u->timeout);
    timer_cancel(d->env->clock, &u->pace);
    update_irq(u);
    pull_input(u);
}

static void uart_free(struct device *d)
{
    struct uart16550 *u = uart16550_of(d);
    timer_cancel(d->env->clock, &u->timeout);
    timer_cancel(d->env->clock, &u->pace);
    if (u->console)
        console_attach(u->console, NULL);
}

static const struct device_prop uart_props[] = {
    {"clock-frequency", PROP_U64, offsetof(struct uart16550, clock_hz),
     "input clock in Hz; the baud rate is a sixteenth of it, divided by the divisor latch",
     "100000000"},
    {"loongson", PROP_BOOL, offsetof(struct uart16550, is_loongson),
     "the variant in Loongson processors: a divisor fraction at offset 2, FIFOs always on", NULL},
    {NULL},
};

const struct device_type uart16550_type = {
    .name = "uart16550",
    .doc = "A serial port 16550A.",
    .size = sizeof(struct uart16550),
    .props = uart_props,
    .realize = uart_realize,
    .reset = uart_reset,
    .free = uart_free,
};
