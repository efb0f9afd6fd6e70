// SPDX-License-Identifier: Apache-2.0
// A serial port (16550A) by itself, in loopback: registers, FIFO, interrupts and their order. Port
// 1 is used; the console is port 0.
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/uart.h"
#include "guest/lib/report.h"

#define PORT      1
#define LCR_8N1   3
#define LCR_DLAB  0x80
#define FCR_FIFO  1
#define FCR_RESET 6 // both FIFOs
enum { IIR_NONE = 1, IIR_THRE = 2, IIR_RX = 4, IIR_TIMEOUT = 0xc, IIR_LINE = 6, IIR_MODEM = 0 };

static u8 rd(unsigned reg)
{
    return uart_read(PORT, reg);
}

static void wr(unsigned reg, u8 value)
{
    uart_write(PORT, reg, value);
}

static bool wait_lsr(u8 bits)
{
    u64 deadline = time_after_ms(20000);
    while ((rd(UART_LSR) & bits) != bits)
        if (time_is_past(deadline))
            return false;
    return true;
}

// Fast, in loopback, FIFO as given, nothing received.
static void begin(u8 fcr)
{
    wr(UART_IER, 0);
    wr(UART_LCR, LCR_8N1 | LCR_DLAB);
    wr(0, 1);
    wr(1, 0);
    wr(UART_LCR, LCR_8N1);
    wr(UART_MCR, MCR_LOOP);
    wr(UART_FCR, 0);
    wr(UART_FCR, fcr ? fcr | FCR_FIFO | FCR_RESET : 0);
    while (rd(UART_LSR) & LSR_DR)
        rd(UART_RBR);
    rd(UART_MSR);
    rd(UART_IIR);
}

static void send(u8 byte)
{
    wait_lsr(LSR_THRE);
    wr(UART_THR, byte);
    wait_lsr(LSR_TEMT);
}

// Reading LSR takes its errors away, so these wait by the clock: bytes are sent in microseconds.
static void wait_sent(void)
{
    u64 end = rdtime() + 2 * time_ticks_per_ms();
    while (!time_is_past(end))
        ;
}

static void send_quietly(u8 byte)
{
    wr(UART_THR, byte);
    wait_sent();
}

static void test_registers(void)
{
    wr(UART_SCR, 0x5a);
    report_eq(rd(UART_SCR), 0x5a, "SCR keeps what is written");
    wr(UART_SCR, 0xa5);
    report_eq(rd(UART_SCR), 0xa5, "and another value");
    wr(UART_LCR, LCR_DLAB | LCR_8N1);
    wr(0, 0x34);
    wr(1, 0x12);
    report_eq(rd(0) | rd(1) << 8, 0x1234, "the divisor with DLAB");
    wr(UART_LCR, LCR_8N1);
    wr(UART_IER, 0xff);
    report_eq(rd(UART_IER), 0x0f, "IER has four bits");
    wr(UART_IER, 0);
    wr(UART_LCR, LCR_DLAB | LCR_8N1);
    report_eq(rd(0) | rd(1) << 8, 0x1234, "DLAB keeps divisor and IER apart");
    wr(UART_LCR, LCR_8N1);
    report_eq(rd(UART_LCR), LCR_8N1, "LCR reads back");
    wr(UART_MCR, 0x1f);
    report_eq(rd(UART_MCR), 0x1f, "MCR reads back");
    wr(UART_FCR, FCR_FIFO);
    report_eq(rd(UART_IIR) & 0xc0, 0xc0, "IIR tells that the FIFO is on");
    wr(UART_FCR, 0);
    report_eq(rd(UART_IIR) & 0xc0, 0, "and off");
}

static void test_loopback(void)
{
    unsigned n_wrong = 0;
    begin(0);
    report_eq(rd(UART_LSR), LSR_THRE | LSR_TEMT, "LSR at rest");
    for (unsigned byte = 0; byte < 256; byte++) {
        send((u8)byte);
        n_wrong += !wait_lsr(LSR_DR) || rd(UART_RBR) != byte || rd(UART_LSR) & LSR_DR;
    }
    report_eq(n_wrong, 0, "256 bytes come back");
    send(1);
    send_quietly(2);
    report(rd(UART_LSR) & LSR_OE, "the second one unread: overrun");
    report(!(rd(UART_LSR) & LSR_OE), "told once");
    report_eq(rd(UART_RBR), 2, "the last one is there");
}

static void test_modem(void)
{
    // MCR bit -> MSR bit: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD.
    static const u8 lines[4][2] = {
        {MCR_DTR, 0x20}, {MCR_RTS, 0x10}, {MCR_OUT1, 0x40}, {MCR_OUT2, 0x80}};
    for (unsigned i = 0; i < 4; i++) {
        begin(0);
        wr(UART_MCR, MCR_LOOP | lines[i][0]);
        u8 msr = rd(UART_MSR);
        report_eq(msr & 0xf0, lines[i][1], "modem line %u is looped", i);
        report_eq(rd(UART_MSR) & 0x0f, 0, "modem line %u: its change is told once", i);
    }
    begin(0);
    wr(UART_IER, IER_MODEM);
    wr(UART_MCR, MCR_LOOP | MCR_RTS);
    report_eq(rd(UART_IIR) & 0xf, IIR_MODEM, "a change interrupts");
    report_eq(rd(UART_MSR) & 0x1f, 0x11, "and is a change of CTS");
    report_eq(rd(UART_IIR) & 0xf, IIR_NONE, "reading MSR acknowledges it");
}

static void test_fifo(void)
{
    unsigned n_wrong = 0;
    begin(FCR_FIFO);
    for (unsigned i = 0; i < 16; i++)
        send((u8)(0x40 + i));
    report(!(rd(UART_LSR) & LSR_OE), "the FIFO takes 16");
    send_quietly(0x99);
    report(rd(UART_LSR) & LSR_OE, "the 17th is lost");
    for (unsigned i = 0; i < 16; i++)
        n_wrong += rd(UART_RBR) != 0x40 + i;
    report_eq(n_wrong, 0, "in order");
    report(!(rd(UART_LSR) & LSR_DR), "then it is empty");
    send(1);
    wr(UART_FCR, FCR_FIFO | 2);
    report(!(rd(UART_LSR) & LSR_DR), "the receiver's reset empties it");
}

static void test_trigger(u8 fcr, unsigned level)
{
    begin(fcr);
    wr(UART_IER, IER_RX);
    for (unsigned i = 0; i + 1 < level; i++)
        send((u8)i);
    bool early = (rd(UART_IIR) & 0xf) == IIR_RX;
    send(0x77);
    report(!early, "trigger level %u: not before", level);
    report_eq(rd(UART_IIR) & 0xf, IIR_RX, "trigger level %u: interrupts", level);
    while (rd(UART_LSR) & LSR_DR)
        rd(UART_RBR);
    report_eq(rd(UART_IIR) & 0xf, IIR_NONE, "trigger level %u: read empty", level);
}

static void test_timeout(void)
{
    begin(0xc0);
    wr(UART_IER, IER_RX);
    send('x');
    u64 deadline = time_after_ms(20000);
    while ((rd(UART_IIR) & 0xf) == IIR_NONE && !time_is_past(deadline))
        ;
    report_eq(rd(UART_IIR) & 0xf, IIR_TIMEOUT, "a byte below the level: time-out");
    report_eq(rd(UART_RBR), 'x', "it is the byte");
    report_eq(rd(UART_IIR) & 0xf, IIR_NONE, "reading acknowledges");
}

static void test_transmitter(void)
{
    begin(0);
    wr(UART_IER, IER_THRE);
    report_eq(rd(UART_IIR) & 0xf, IIR_THRE, "enabling THRE while empty interrupts");
    report_eq(rd(UART_IIR) & 0xf, IIR_NONE, "reading IIR acknowledges");
    wr(UART_THR, 'y');
    wait_lsr(LSR_TEMT);
    report_eq(rd(UART_IIR) & 0xf, IIR_THRE, "it comes again when a byte is sent");
    wr(UART_IER, 0);
    wr(UART_IER, IER_THRE);
    report_eq(rd(UART_IIR) & 0xf, IIR_THRE, "and when it is enabled again");
}

// Line status, then received data, then the transmitter, then the modem.
static void test_order(void)
{
    begin(0);
    send(1);
    send_quietly(2);
    wr(UART_IER, IER_RX | IER_THRE | IER_LINE | IER_MODEM);
    wr(UART_MCR, MCR_LOOP | MCR_DTR);
    report_eq(rd(UART_IIR) & 0xf, IIR_LINE, "first the line's status");
    rd(UART_LSR);
    report_eq(rd(UART_IIR) & 0xf, IIR_RX, "then what was received");
    rd(UART_RBR);
    report_eq(rd(UART_IIR) & 0xf, IIR_THRE, "then the transmitter");
    report_eq(rd(UART_IIR) & 0xf, IIR_MODEM, "then the modem");
    rd(UART_MSR);
    report_eq(rd(UART_IIR) & 0xf, IIR_NONE, "then nothing");
    wr(UART_IER, 0);
}

static void test_break(void)
{
    begin(FCR_FIFO);
    wr(UART_LCR, LCR_8N1 | 0x40);
    wait_sent();
    u8 lsr = rd(UART_LSR);
    report(lsr & LSR_DR, "a break comes back");
    report(lsr & 0x10, "as one");
    wr(UART_LCR, LCR_8N1);
    report_eq(rd(UART_RBR), 0, "with a zero byte");
}

int main(void)
{
    test_registers();
    test_loopback();
    test_modem();
    test_fifo();
    test_trigger(0x00, 1);
    test_trigger(0x40, 4);
    test_trigger(0x80, 8);
    test_trigger(0xc0, 14);
    test_timeout();
    test_transmitter();
    test_order();
    test_break();
    wr(UART_MCR, 0);
    return 0;
}
