// SPDX-License-Identifier: Apache-2.0
#include "dev/uart16550.h"
#include "dev/test_bench.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BASE 0x1fe001e0

struct port {
    struct bench *b;
    struct uart16550 *u;
    struct loop loop;
    struct console *console;
    char dir[64], path[80];
    int line; // the other end of the serial line; -1: nothing is connected
};

static u8 rd(struct port *p, unsigned reg)
{
    return (u8)mem_read(&p->b->mem, BASE + reg, 1);
}

static void wr(struct port *p, unsigned reg, u8 value)
{
    mem_write(&p->b->mem, BASE + reg, value, 1);
}

static bool irq(struct port *p)
{
    return p->b->level[0];
}

static void pump(struct port *p)
{
    for (int i = 0; i < 4; i++)
        loop_run(&p->loop, 0);
}

static struct console *connect_line(struct port *p)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct err e = {0};
    char text[100];
    strcpy(p->dir, "/tmp/uart_testXXXXXX");
    CHECK(mkdtemp(p->dir));
    snprintf(p->path, sizeof(p->path), "%s/line", p->dir);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", p->path);
    snprintf(text, sizeof(text), "unix:%s", p->path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(!bind(listener, (struct sockaddr *)&a, sizeof(a)) && !listen(listener, 1));
    struct console *c = console_open(text, &p->loop, &e);
    CHECK(c);
    p->line = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    close(listener);
    return c;
}

static struct port *port_new(bool is_connected, bool is_loongson)
{
    struct port *p = calloc(1, sizeof(*p));
    struct err e = {0};
    p->b = bench_new();
    p->line = -1;
    CHECK(loop_init(&p->loop, &e));
    loop_bind(&p->loop, &p->b->mem.device_lock, NULL);
    if (is_connected)
        p->console = connect_line(p);
    p->u = uart16550_of(device_new(&uart16550_type, &p->b->env));
    p->u->console = p->console;
    p->u->irq = bench_irq(p->b, 0);
    p->u->is_loongson = is_loongson;
    CHECK(device_realize(&p->u->d, &e));
    p->u->region.base = BASE;
    mem_add_region(&p->b->mem, &p->u->region);
    return p;
}

static void port_free(struct port *p)
{
    device_free(&p->u->d);
    if (p->line >= 0)
        close(p->line); // first, or closing the console would wait for us to read
    console_close(p->console);
    if (p->console) {
        unlink(p->path);
        rmdir(p->dir);
    }
    loop_free(&p->loop);
    bench_free(p->b);
    free(p);
}

static void type(struct port *p, const char *text)
{
    CHECK_EQ(write(p->line, text, strlen(text)), strlen(text));
    pump(p);
}

// 115200 baud, 8 bits, FIFOs on with a trigger level of 8, as Linux sets a 16550A up.
static void set_up(struct port *p, u8 fcr, u8 ier)
{
    wr(p, UART_LCR, 0x83);
    wr(p, UART_DLL, 54);
    wr(p, UART_DLM, 0);
    wr(p, UART_LCR, 0x03);
    wr(p, UART_FCR, fcr);
    wr(p, UART_IER, ier);
}

#define CHAR_NS 86400ULL // 10 bits at 100 MHz / 16 / 54

TEST(registers_after_reset)
{
    struct port *p = port_new(false, false);
    CHECK_EQ(rd(p, UART_IER), 0);
    CHECK_EQ(rd(p, UART_IIR), 0x01);
    CHECK_EQ(rd(p, UART_LCR), 0);
    CHECK_EQ(rd(p, UART_MCR), 0);
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    CHECK_EQ(rd(p, UART_MSR), 0xb0);
    CHECK(!irq(p));
    port_free(p);
}

TEST(divisor_latch_hides_behind_dlab)
{
    struct port *p = port_new(false, false);
    wr(p, UART_IER, 0x05);
    wr(p, UART_LCR, 0x80);
    wr(p, UART_DLL, 0x12);
    wr(p, UART_DLM, 0x34);
    CHECK_EQ(rd(p, UART_DLL), 0x12);
    CHECK_EQ(rd(p, UART_DLM), 0x34);
    CHECK_EQ(rd(p, UART_IIR), 0x01);
    wr(p, UART_LCR, 0);
    CHECK_EQ(rd(p, UART_IER), 0x05);
    wr(p, UART_IER, 0xff);
    CHECK_EQ(rd(p, UART_IER), 0x0f);
    wr(p, UART_MCR, 0xff);
    CHECK_EQ(rd(p, UART_MCR), 0x1f);
    wr(p, UART_SCR, 0xa5);
    CHECK_EQ(rd(p, UART_SCR), 0xa5);
    port_free(p);
}

TEST(loongson_has_a_third_divisor_byte_and_fifos_at_reset)
{
    struct port *p = port_new(false, true);
    CHECK_EQ(rd(p, UART_IIR), 0xc1);
    CHECK_EQ(rd(p, UART_LCR), 3);
    wr(p, UART_LCR, 0x83);
    wr(p, 2, 0x40);
    CHECK_EQ(rd(p, 2), 0x40);
    wr(p, UART_LCR, 3);
    CHECK_EQ(rd(p, UART_IIR), 0xc1);
    port_free(p);
}

TEST(accesses_reach_only_eight_bytes)
{
    struct port *p = port_new(false, false);
    wr(p, UART_SCR, 0x77);
    CHECK_EQ(mem_read(&p->b->mem, BASE + 15, 1), 0xff);
    CHECK_EQ(mem_read(&p->b->mem, BASE + 4, 4), 0x77b06000);
    port_free(p);
}

TEST(output_leaves_at_once)
{
    struct port *p = port_new(true, false);
    char got[64];
    for (const char *c = "hello"; *c; c++) {
        CHECK_EQ(rd(p, UART_LSR), 0x60);
        wr(p, UART_THR, (u8)*c);
    }
    pump(p);
    CHECK_EQ(read(p->line, got, sizeof(got)), 5);
    CHECK(!memcmp(got, "hello", 5));
    port_free(p);
}

TEST(thre_interrupt_is_cleared_by_iir_and_set_again_by_enabling)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, 0);
    wr(p, UART_IER, UART_IER_THRE);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_IIR), 0xc2);
    CHECK(!irq(p));
    CHECK_EQ(rd(p, UART_IIR), 0xc1);
    wr(p, UART_IER, UART_IER_THRE);
    CHECK(!irq(p));
    wr(p, UART_IER, 0);
    wr(p, UART_IER, UART_IER_THRE);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_IIR), 0xc2);
    wr(p, UART_THR, 'x');
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_IIR), 0xc2);
    port_free(p);
}

// Reading IIR while something more urgent is reported leaves THRE pending.
TEST(iir_clears_thre_only_when_it_reports_it)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x01, UART_IER_RX | UART_IER_THRE);
    type(p, "a");
    CHECK_EQ(rd(p, UART_IIR), 0xc4);
    CHECK_EQ(rd(p, UART_RBR), 'a');
    CHECK_EQ(rd(p, UART_IIR), 0xc2);
    CHECK_EQ(rd(p, UART_IIR), 0xc1);
    port_free(p);
}

TEST(trigger_levels)
{
    static const unsigned levels[] = {1, 4, 8, 14};
    for (unsigned i = 0; i < 4; i++) {
        struct port *p = port_new(true, false);
        set_up(p, (u8)(i << 6 | 1), UART_IER_RX);
        for (unsigned n = 1; n <= 16; n++) {
            CHECK_EQ(irq(p), n > levels[i]);
            bench_advance(p->b, CHAR_NS);
            type(p, "z");
        }
        CHECK_EQ(rd(p, UART_IIR), 0xc4);
        for (unsigned n = 16; n > 0; n--) {
            CHECK_EQ(irq(p), n >= levels[i]);
            CHECK_EQ(rd(p, UART_RBR), 'z');
        }
        CHECK(!irq(p));
        port_free(p);
    }
}

TEST(receiver_time_out)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, UART_IER_RX);
    type(p, "ab");
    CHECK(!irq(p));
    bench_advance(p->b, 4 * CHAR_NS - 1);
    CHECK(!irq(p));
    bench_advance(p->b, 1);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_IIR), 0xcc);
    CHECK_EQ(rd(p, UART_IIR), 0xcc);
    CHECK_EQ(rd(p, UART_RBR), 'a');
    CHECK(!irq(p));
    bench_advance(p->b, 4 * CHAR_NS);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_RBR), 'b');
    CHECK_EQ(rd(p, UART_IIR), 0xc1);
    bench_advance(p->b, 100 * CHAR_NS);
    CHECK(!irq(p));
    port_free(p);
}

TEST(a_new_character_postpones_the_time_out)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, UART_IER_RX);
    type(p, "a");
    bench_advance(p->b, 3 * CHAR_NS);
    type(p, "b");
    bench_advance(p->b, 3 * CHAR_NS);
    CHECK(!irq(p));
    bench_advance(p->b, CHAR_NS);
    CHECK_EQ(rd(p, UART_IIR), 0xcc);
    // Emptying the FIFO ends it.
    wr(p, UART_FCR, 0x83);
    CHECK(!irq(p));
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    port_free(p);
}

// Enabling the interrupt after the characters came must not lose the time-out.
TEST(time_out_counts_while_the_interrupt_is_off)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, 0);
    type(p, "a");
    bench_advance(p->b, 100 * CHAR_NS);
    CHECK(!irq(p));
    wr(p, UART_IER, UART_IER_RX);
    bench_advance(p->b, 0);
    CHECK_EQ(rd(p, UART_IIR), 0xcc);
    port_free(p);
}

TEST(without_fifos_one_character_interrupts)
{
    struct port *p = port_new(true, false);
    set_up(p, 0, UART_IER_RX);
    type(p, "ab");
    CHECK_EQ(rd(p, UART_IIR), 0x04);
    CHECK_EQ(rd(p, UART_RBR), 'a');
    CHECK(!irq(p));
    bench_advance(p->b, CHAR_NS);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_LSR), 0x61);
    CHECK_EQ(rd(p, UART_RBR), 'b');
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    port_free(p);
}

// A paste: every byte arrives once and in order, at no more than the line's rate.
TEST(large_paste)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, UART_IER_RX);
    static char sent[20000], got[20000];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i * 7 % 251);
    size_t n_sent = 0, n_got = 0;
    u64 start = p->b->now;
    // The last few come by the time-out.
    for (int round = 0; n_got < sizeof(got) && round < 20100; round++) {
        ssize_t n = write(p->line, sent + n_sent, sizeof(sent) - n_sent);
        n_sent += n > 0 ? (size_t)n : 0;
        pump(p);
        bench_advance(p->b, CHAR_NS);
        while (irq(p) && n_got < sizeof(got)) {
            CHECK_EQ(rd(p, UART_LSR) & ~0xe1u, 0);
            got[n_got++] = (char)rd(p, UART_RBR);
        }
    }
    CHECK_EQ(n_got, sizeof(got));
    CHECK(!memcmp(sent, got, sizeof(got)));
    CHECK(p->b->now - start >= (sizeof(got) - 16) * CHAR_NS);
    port_free(p);
}

// A reader that stops: the machine sees a transmitter that stays full, and nothing is lost.
TEST(a_slow_sink_withholds_thre)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, UART_IER_THRE);
    unsigned n_sent = 0, n_got = 0;
    for (; n_sent < 10000000 && rd(p, UART_LSR) & UART_LSR_THRE; n_sent++) {
        wr(p, UART_THR, (u8)(n_sent % 253));
        if (n_sent % 4096 == 0)
            pump(p);
    }
    CHECK(n_sent < 10000000);
    CHECK_EQ(rd(p, UART_LSR), 0);
    rd(p, UART_IIR);
    CHECK(!irq(p));
    u8 buf[4096];
    bool is_right = true;
    for (int round = 0; round < 100000 && n_got < n_sent; round++) {
        ssize_t n = read(p->line, buf, sizeof(buf));
        for (ssize_t i = 0; i < n; i++)
            is_right &= buf[i] == n_got++ % 253;
        pump(p);
    }
    CHECK_EQ(n_got, n_sent);
    CHECK(is_right);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    port_free(p);
}

TEST(a_full_transmit_fifo_loses_what_is_written)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, 0);
    while (rd(p, UART_LSR) & UART_LSR_THRE) {
        wr(p, UART_THR, 'x');
        pump(p);
    }
    for (int i = 0; i < 15; i++)
        wr(p, UART_THR, 'y');
    CHECK_EQ(p->b->n_logged, 0);
    wr(p, UART_THR, 'z');
    CHECK_EQ(p->b->n_logged, 1);
    wr(p, UART_FCR, 0x85);
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    port_free(p);
}

TEST(break_is_a_zero_with_bi)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, UART_IER_RX | UART_IER_LINE);
    type(p, "a");
    uart16550_break(p->u);
    CHECK(!irq(p)); // hidden behind the first character
    CHECK_EQ(rd(p, UART_LSR), 0xe1);
    CHECK_EQ(rd(p, UART_RBR), 'a');
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_IIR), 0xc6);
    CHECK_EQ(rd(p, UART_LSR), 0xf1);
    CHECK(!irq(p));
    CHECK_EQ(rd(p, UART_LSR), 0x61);
    CHECK_EQ(rd(p, UART_RBR), 0);
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    port_free(p);
}

TEST(loopback_returns_data_and_hides_the_line)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x01, UART_IER_RX);
    wr(p, UART_MCR, UART_MCR_LOOP);
    type(p, "outside");
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    wr(p, UART_THR, 0x5a);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_RBR), 0x5a);
    char c;
    pump(p);
    CHECK_EQ(read(p->line, &c, 1), -1);
    wr(p, UART_MCR, 0);
    CHECK_EQ(rd(p, UART_RBR), 'o');
    port_free(p);
}

// Drivers size the FIFO this way: 256 bytes in loopback, 16 come back, the rest is an overrun.
TEST(loopback_overrun)
{
    struct port *p = port_new(false, false);
    set_up(p, 0x07, 0);
    wr(p, UART_MCR, UART_MCR_LOOP);
    for (unsigned i = 0; i < 256; i++)
        wr(p, UART_THR, (u8)i);
    CHECK_EQ(rd(p, UART_LSR), 0x63);
    CHECK_EQ(rd(p, UART_LSR), 0x61);
    unsigned n = 0;
    for (; rd(p, UART_LSR) & UART_LSR_DR && n < 256; n++)
        CHECK_EQ(rd(p, UART_RBR), n);
    CHECK_EQ(n, 16);
    // Without FIFOs the newest character replaces the older one.
    wr(p, UART_FCR, 0);
    wr(p, UART_THR, 1);
    wr(p, UART_THR, 2);
    CHECK_EQ(rd(p, UART_LSR), 0x63);
    CHECK_EQ(rd(p, UART_RBR), 2);
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    port_free(p);
}

TEST(loopback_break)
{
    struct port *p = port_new(false, false);
    set_up(p, 0x01, UART_IER_LINE);
    wr(p, UART_MCR, UART_MCR_LOOP);
    wr(p, UART_LCR, 0x43);
    CHECK_EQ(rd(p, UART_IIR), 0xc6);
    CHECK_EQ(rd(p, UART_LSR), 0xf1);
    wr(p, UART_LCR, 0x03);
    CHECK_EQ(rd(p, UART_RBR), 0);
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    port_free(p);
}

TEST(loopback_connects_modem_outputs_to_inputs)
{
    static const u8 msr[] = {0x20, 0x10, 0x40, 0x80};
    struct port *p = port_new(false, false);
    wr(p, UART_MCR, UART_MCR_LOOP);
    rd(p, UART_MSR);
    for (unsigned i = 0; i < 4; i++) {
        wr(p, UART_MCR, (u8)(UART_MCR_LOOP | 1 << i));
        CHECK_EQ(rd(p, UART_MSR) & 0xf0, msr[i]);
        wr(p, UART_MCR, UART_MCR_LOOP);
        CHECK_EQ(rd(p, UART_MSR), msr[i] >> 4);
    }
    wr(p, UART_MCR, 0);
    CHECK_EQ(rd(p, UART_MSR) & 0xf0, 0xb0);
    port_free(p);
}

TEST(modem_lines_raise_the_modem_interrupt)
{
    struct port *p = port_new(false, false);
    wr(p, UART_IER, UART_IER_MODEM);
    CHECK(!irq(p));
    uart16550_set_modem(p->u, UART_MSR_DSR | UART_MSR_DCD | UART_MSR_RI);
    CHECK_EQ(rd(p, UART_IIR), 0x00);
    CHECK_EQ(rd(p, UART_MSR), 0xe1);
    CHECK(!irq(p));
    uart16550_set_modem(p->u, UART_MSR_DSR);
    CHECK(irq(p));
    CHECK_EQ(rd(p, UART_MSR), 0x2c);
    CHECK_EQ(rd(p, UART_MSR), 0x20);
    port_free(p);
}

// What Linux's 8250 driver does to find a 16550A (autoconfig, then serial8250_do_startup).
TEST(linux_finds_a_16550a)
{
    struct port *p = port_new(true, false);
    wr(p, UART_IER, 0);
    CHECK_EQ(rd(p, UART_IER), 0);
    wr(p, UART_IER, 0x0f);
    CHECK_EQ(rd(p, UART_IER), 0x0f);
    wr(p, UART_IER, 0);
    wr(p, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
    CHECK_EQ(rd(p, UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS);
    wr(p, UART_MCR, 0);
    wr(p, UART_LCR, 0xbf);
    wr(p, 2, 0);
    wr(p, UART_LCR, 0);
    wr(p, UART_FCR, UART_FCR_ENABLE);
    CHECK_EQ(rd(p, UART_IIR) >> 6, 3);
    // No enhanced feature register of later chips behind LCR 0x80 or 0xbf.
    wr(p, UART_LCR, 0x80);
    CHECK(rd(p, 2) != 0);
    wr(p, UART_LCR, 0xbf);
    CHECK(rd(p, 2) != 0);
    wr(p, UART_LCR, 0);
    wr(p, UART_FCR, 0x21);
    CHECK_EQ(rd(p, UART_IIR) >> 5, 6);
    wr(p, UART_LCR, 0x80);
    wr(p, UART_FCR, 0x21);
    CHECK_EQ(rd(p, UART_IIR) >> 5, 6);
    wr(p, UART_LCR, 0);
    wr(p, UART_FCR, 1);
    // No unit-enable bit in IER.
    wr(p, UART_IER, 0x40);
    CHECK_EQ(rd(p, UART_IER), 0);

    wr(p, UART_FCR, 0x01);
    wr(p, UART_FCR, 0x07);
    wr(p, UART_FCR, 0);
    for (unsigned i = 0; i < 3; i++)
        rd(p, i == 0 ? UART_LSR : i == 1 ? UART_RBR : UART_MSR);
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    wr(p, UART_LCR, 3);
    wr(p, UART_MCR, UART_MCR_OUT2);
    // The transmitter's interrupt comes, goes, and comes again when enabled again.
    wr(p, UART_IER, UART_IER_THRE);
    CHECK_EQ(rd(p, UART_IIR) & 1, 0);
    wr(p, UART_IER, 0);
    wr(p, UART_IER, UART_IER_THRE);
    CHECK_EQ(rd(p, UART_LSR) & UART_LSR_TEMT, UART_LSR_TEMT);
    CHECK_EQ(rd(p, UART_IIR) & 1, 0);
    wr(p, UART_IER, 0);
    CHECK(!irq(p));
    port_free(p);
}

TEST(reset_forgets_everything_but_the_line)
{
    struct port *p = port_new(true, false);
    set_up(p, 0x81, 0x0f);
    type(p, "abc");
    wr(p, UART_MCR, 0x0b);
    device_reset(&p->u->d);
    CHECK(!irq(p));
    CHECK_EQ(rd(p, UART_LSR), 0x60);
    CHECK_EQ(rd(p, UART_IER), 0);
    CHECK_EQ(rd(p, UART_LCR), 0);
    CHECK_EQ(clock_next_deadline(&p->b->clock), CLOCK_NEVER);
    type(p, "d");
    CHECK_EQ(rd(p, UART_RBR), 'd');
    port_free(p);
}

TEST(a_clock_of_zero_is_refused)
{
    struct bench *b = bench_new();
    struct err e = {0};
    struct device *d = device_new(&uart16550_type, &b->env);
    CHECK(device_set(d, "clock-frequency", "0", &e));
    CHECK(!device_realize(d, &e));
    CHECK_STR(e.text, "uart16550: clock-frequency is 0");
    device_free(d);
    bench_free(b);
}
