// SPDX-License-Identifier: Apache-2.0
// Output by the first UART, polled.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/print.h"

enum { UART_THR = 0, UART_LSR = 5, LSR_THRE = 0x20 };

void console_put(char c)
{
    while (!(device_read8(BOARD_UART + UART_LSR) & LSR_THRE))
        ;
    device_write8(BOARD_UART + UART_THR, (u8)c);
}
