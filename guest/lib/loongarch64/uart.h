// SPDX-License-Identifier: Apache-2.0
// The serial ports (16550A). Port 0 is the console; tests play with the others.
#pragma once

#include "guest/lib/loongarch64/board.h"

enum {
    UART_RBR = 0, // THR when written; divisor latch while DLAB
    UART_IER = 1,
    UART_IIR = 2, // FCR when written
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_MSR = 6,
    UART_SCR = 7,
};
enum { UART_THR = UART_RBR, UART_FCR = UART_IIR };
enum { IER_RX = 1, IER_THRE = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10 };

static inline u8 uart_read(unsigned port, unsigned reg)
{
    return device_read8(BOARD_UART + 0x100 * port + reg);
}

static inline void uart_write(unsigned port, unsigned reg, u8 value)
{
    device_write8(BOARD_UART + 0x100 * port + reg, value);
}

// The interrupt pin of a port that transmits nothing, up or down.
static inline void uart_drive_pin(unsigned port, bool level)
{
    uart_write(port, UART_IER, level ? IER_THRE : 0);
}
