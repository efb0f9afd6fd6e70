// SPDX-License-Identifier: Apache-2.0
// The serial port 16550A (National PC16550D), also as Loongson builds it into its processors.
//
// The board sets `irq` and `console` and realizes the device.
#pragma once

#include "dev/device.h"
#include "dev/irq.h"
#include "host/console/console.h"

#define UART_FIFO_SIZE 16

// Registers by offset. Offsets 0 and 1 are the divisor latch while LCR.DLAB is set.
enum {
    UART_RBR,
    UART_IER,
    UART_IIR,
    UART_LCR,
    UART_MCR,
    UART_LSR,
    UART_MSR,
    UART_SCR,
    UART_N_REGS
};
enum { UART_THR = UART_RBR, UART_DLL = UART_RBR, UART_DLM = UART_IER, UART_FCR = UART_IIR };

enum {
    UART_IER_RX = 0x01,
    UART_IER_THRE = 0x02,
    UART_IER_LINE = 0x04,
    UART_IER_MODEM = 0x08,
    UART_IIR_NONE = 0x01,
    UART_IIR_MODEM = 0x00,
    UART_IIR_THRE = 0x02,
    UART_IIR_RX = 0x04,
    UART_IIR_LINE = 0x06,
    UART_IIR_TIMEOUT = 0x0c,
    UART_IIR_FIFO = 0xc0,
    UART_FCR_ENABLE = 0x01,
    UART_FCR_RX_RESET = 0x02,
    UART_FCR_TX_RESET = 0x04,
    UART_LCR_STOP = 0x04,
    UART_LCR_PARITY = 0x08,
    UART_LCR_BREAK = 0x40,
    UART_LCR_DLAB = 0x80,
    UART_MCR_DTR = 0x01,
    UART_MCR_RTS = 0x02,
    UART_MCR_OUT1 = 0x04,
    UART_MCR_OUT2 = 0x08,
    UART_MCR_LOOP = 0x10,
    UART_LSR_DR = 0x01,
    UART_LSR_OE = 0x02,
    UART_LSR_PE = 0x04,
    UART_LSR_FE = 0x08,
    UART_LSR_BI = 0x10,
    UART_LSR_THRE = 0x20,
    UART_LSR_TEMT = 0x40,
    UART_LSR_FIFO_ERROR = 0x80,
    UART_MSR_CTS = 0x10,
    UART_MSR_DSR = 0x20,
    UART_MSR_RI = 0x40,
    UART_MSR_DCD = 0x80,
};

struct uart_fifo {
    u8 bytes[UART_FIFO_SIZE];
    u8 flags[UART_FIFO_SIZE]; // LSR PE, FE and BI of each received character
    unsigned first, n;
};

struct uart16550 {
    struct device d;
    struct mem_region region; // the board sets its base and adds it
    struct irq irq;
    struct console *console; // borrowed; NULL: nothing is connected
    u64 clock_hz;
    bool is_loongson; // divisor fraction at offset 2, FIFOs always on, LCR starts as 8 bits

    u8 ier, fcr, lcr, mcr, scr;
    u8 dll, dlm, dlf;
    u8 line_errors;    // LSR OE PE FE BI, until LSR is read
    u8 lines, deltas;  // MSR: inputs 7:4 and what changed 3:0
    u8 modem_in;       // levels of the real inputs, as MSR 7:4
    bool thre_pending; // the transmitter ran empty and nobody was told
    bool timed_out;    // received characters wait below the trigger level
    struct uart_fifo rx, tx;
    struct timer timeout; // fires four character times after the last one came or went
    struct timer pace;    // the next characters arrive
    u64 next_arrival;     // clock time before which the line is busy
    u64 last_activity;
};

extern const struct device_type uart16550_type;

static inline struct uart16550 *uart16550_of(struct device *d)
{
    return container_of(d, struct uart16550, d);
}

// New levels of the modem inputs, as in MSR 7:4. At first CTS, DSR and DCD are on.
void uart16550_set_modem(struct uart16550 *u, u8 levels);

// The line was held low for longer than a character. Device lock held.
void uart16550_break(struct uart16550 *u);
