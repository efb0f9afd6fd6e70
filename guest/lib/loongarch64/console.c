// SPDX-License-Identifier: Apache-2.0
// Output by the first UART, polled.
#include "guest/lib/loongarch64/uart.h"
#include "guest/lib/print.h"

void console_put(char c)
{
    while (!(uart_read(0, UART_LSR) & LSR_THRE))
        ;
    uart_write(0, UART_THR, (u8)c);
}
