// SPDX-License-Identifier: Apache-2.0
// The bridge's interrupt controller, driven by the interrupt pins of serial ports, and the clock's
// alarm. 7A1000 manual, chapter 5.
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/pch_pic.h"
#include "guest/lib/loongarch64/rtc.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/loongarch64/uart.h"
#include "guest/lib/report.h"

// Port 1 and 2, which are not the console.
#define PIN_A    3
#define PIN_B    4
#define PORT_A   1
#define PORT_B   2
#define VECTOR_A 0x33
#define VECTOR_B 0x44

static bool is_sent(unsigned vector)
{
    return extioi_is_set(EXTIOI_ISR, vector);
}

static bool is_pending_at_pic(unsigned pin)
{
    return pic_read(PIC_ISR) >> pin & 1;
}

static void begin(void)
{
    for (unsigned port = 1; port < 4; port++)
        uart_drive_pin(port, false);
    extioi_init();
    pic_init();
    pic_set_vector(PIN_A, VECTOR_A);
    pic_set_vector(PIN_B, VECTOR_B);
    pic_assign(PIC_MASK, PIN_A, false);
    pic_assign(PIC_MASK, PIN_B, false);
}

static void test_reset(void)
{
    unsigned n_routes = 0, n_vectors = 0;
    report_eq(device_read32(BOARD_PCH_PIC), 0x07000000, "ID, lower half");
    report_eq(device_read32(BOARD_PCH_PIC + 4), 0x001f0001, "ID, upper half: 32 sources");
    report_eq((u32)pic_read(PIC_MASK), ~0u, "MASK");
    report_eq(pic_read(PIC_HTMSI_EN), 0, "HTMSI_EN");
    report_eq(pic_read(PIC_EDGE), 0, "EDGE");
    report_eq(pic_read(PIC_AUTO_CTRL0) | pic_read(PIC_AUTO_CTRL1), 0, "AUTO_CTRL");
    report_eq(pic_read(PIC_POLARITY), 0, "POLARITY");
    report_eq(pic_read(PIC_ISR), 0, "ISR");
    for (unsigned n = 0; n < 32; n++) {
        n_routes += device_read8(BOARD_PCH_PIC + PIC_ROUTE + n) != 1;
        n_vectors += device_read8(BOARD_PCH_PIC + PIC_VECTOR + n) != 0x20 + n;
    }
    report_eq(n_routes, 0, "ROUTE_ENTRY");
    report_eq(n_vectors, 0, "HTMSI_VECTOR");
}

static void test_widths(void)
{
    pic_write(PIC_EDGE, 0);
    device_write32(BOARD_PCH_PIC + PIC_EDGE, 0x12345678);
    report_eq((u32)pic_read(PIC_EDGE), 0x12345678, "a half by itself");
    device_write8(BOARD_PCH_PIC + PIC_EDGE + 1, 0xff);
    report_eq(device_read32(BOARD_PCH_PIC + PIC_EDGE), 0x1234ff78, "a byte");
    report_eq(device_read8(BOARD_PCH_PIC + PIC_EDGE + 3), 0x12, "read as a byte");
    report_eq(device_read16(BOARD_PCH_PIC + PIC_EDGE), 0xff78, "read as a half word");
    pic_write(PIC_EDGE, 0);
    device_write32(BOARD_PCH_PIC, 0);
    report_eq(device_read32(BOARD_PCH_PIC), 0x07000000, "ID is read-only");
    for (unsigned n = 0; n < 64; n++) { // as Linux does
        device_write8(BOARD_PCH_PIC + 0x2ff, (u8)n);
        device_write8(BOARD_PCH_PIC + PIC_ROUTE + n, 1);
    }
    report_eq(device_read8(BOARD_PCH_PIC + PIC_VECTOR + 31), 0x3f,
              "writes to entries that are not there do nothing");
}

static void test_level(void)
{
    begin();
    uart_drive_pin(PORT_A, true);
    report(is_sent(VECTOR_A), "level: sent");
    report(is_pending_at_pic(PIN_A), "level: pending");
    report_eq(csr_read(CSR_ESTAT) >> LINE_HWI0 & 0xff, 2, "level: at the core");
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    report(is_sent(VECTOR_A), "level: sent again while it is asserted");
    uart_drive_pin(PORT_A, false);
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    report(!is_sent(VECTOR_A), "level: gone when it falls");
    report(!is_pending_at_pic(PIN_A), "level: nothing pending");
    report(!is_sent(VECTOR_B), "level: the other pin has nothing to do with it");
}

static void test_mask(void)
{
    begin();
    pic_assign(PIC_MASK, PIN_A, true);
    uart_drive_pin(PORT_A, true);
    report(!is_sent(VECTOR_A), "masked: not sent");
    report(!is_pending_at_pic(PIN_A), "masked: not pending");
    pic_assign(PIC_MASK, PIN_A, false);
    report(is_sent(VECTOR_A), "unmasked while asserted: sent");
    pic_assign(PIC_MASK, PIN_A, true);
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    report(!is_sent(VECTOR_A), "masked again: not sent again");
    pic_assign(PIC_MASK, PIN_A, false);
    report(is_sent(VECTOR_A), "and unmasked again");
}

static void test_vector(void)
{
    begin();
    uart_drive_pin(PORT_A, true);
    pic_set_vector(PIN_A, 0x55);
    report(is_sent(0x55), "vector changed while asserted: sent with the new one");
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    report(!is_sent(VECTOR_A), "no longer with the old one");
    pic_set_vector(PIN_B, 0x55);
    uart_drive_pin(PORT_B, true);
    uart_drive_pin(PORT_A, false);
    extioi_clear(EXTIOI_ISR, 0x55);
    report(is_sent(0x55), "two pins with one vector: one still asserts it");
    uart_drive_pin(PORT_B, false);
    extioi_clear(EXTIOI_ISR, 0x55);
    report(!is_sent(0x55), "neither does");
}

static void test_several(void)
{
    begin();
    pic_write(PIC_MASK, ~0ULL);
    uart_drive_pin(PORT_A, true);
    uart_drive_pin(PORT_B, true);
    pic_write(PIC_MASK, 0);
    report(is_sent(VECTOR_A) && is_sent(VECTOR_B), "two pins by one write of MASK");
    pic_write(PIC_HTMSI_EN, 0);
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    extioi_clear(EXTIOI_ISR, VECTOR_B);
    report(!is_sent(VECTOR_A) && !is_sent(VECTOR_B), "messages off");
    pic_write(PIC_HTMSI_EN, ~0ULL);
    report(is_sent(VECTOR_A) && is_sent(VECTOR_B), "messages on again");
}

static void test_edge(void)
{
    begin();
    pic_assign(PIC_EDGE, PIN_A, true);
    uart_drive_pin(PORT_A, true);
    report(is_sent(VECTOR_A), "edge: rising sends");
    report(pic_read(PIC_IRR) >> PIN_A & 1, "edge: latched");
    uart_drive_pin(PORT_A, false);
    report(pic_read(PIC_IRR) >> PIN_A & 1, "edge: it stays when the pin falls");
    pic_write(PIC_CLEAR, BIT(PIN_A));
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    report(!(pic_read(PIC_IRR) >> PIN_A & 1), "edge: CLEAR clears the latch");
    report(!is_sent(VECTOR_A), "edge: then it is gone");
    uart_drive_pin(PORT_A, true);
    pic_write(PIC_CLEAR, BIT(PIN_A));
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    report(!is_sent(VECTOR_A), "edge: a level is no edge");
    pic_assign(PIC_MASK, PIN_A, true);
    uart_drive_pin(PORT_A, false);
    uart_drive_pin(PORT_A, true);
    report(!is_sent(VECTOR_A), "edge: masked");
    pic_assign(PIC_MASK, PIN_A, false);
    report(is_sent(VECTOR_A), "edge: one that came while masked is kept");
}

static void test_polarity(void)
{
    begin();
    pic_assign(PIC_POLARITY, PIN_A, true);
    report(is_sent(VECTOR_A), "active low: asserted at rest");
    uart_drive_pin(PORT_A, true);
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    report(!is_sent(VECTOR_A), "active low: high is off");
    pic_assign(PIC_EDGE, PIN_A, true);
    pic_write(PIC_CLEAR, BIT(PIN_A));
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    uart_drive_pin(PORT_A, false);
    report(is_sent(VECTOR_A), "falling edge sends");
    pic_write(PIC_CLEAR, BIT(PIN_A));
    extioi_clear(EXTIOI_ISR, VECTOR_A);
    uart_drive_pin(PORT_A, true);
    report(!is_sent(VECTOR_A), "a rising one does not");
}

static u64 outputs(void)
{
    return (pic_read(PIC_INT0_ISR) >> PIN_A & 1) | (pic_read(PIC_INT1_ISR) >> PIN_A & 1) << 1;
}

static void test_pins(void)
{
    begin();
    pic_write(PIC_HTMSI_EN, 0);
    for (unsigned route = 0; route < 4; route++) {
        device_write8(BOARD_PCH_PIC + PIC_ROUTE + PIN_A, (u8)route);
        uart_drive_pin(PORT_A, true);
        report_eq(outputs(), route, "without messages: outputs by ROUTE_ENTRY %u", route);
        report(!is_sent(VECTOR_A), "without messages: none is sent");
        uart_drive_pin(PORT_A, false);
        report_eq(outputs(), 0, "without messages: outputs fall");
    }
    pic_assign(PIC_AUTO_CTRL0, PIN_A, true);
    uart_drive_pin(PORT_A, true);
    u64 first = outputs();
    uart_drive_pin(PORT_A, false);
    uart_drive_pin(PORT_A, true);
    u64 second = outputs();
    uart_drive_pin(PORT_A, false);
    report(first + second == 3, "rotating between two outputs");
    pic_write(PIC_AUTO_CTRL0, 0);
    device_write8(BOARD_PCH_PIC + PIC_ROUTE + PIN_A, 1);
}

static u32 n_interrupts;

static bool on_console(struct trap_frame *f, unsigned code)
{
    uart_write(0, UART_IER, 0);
    extioi_clear(EXTIOI_CORE_ISR, 0x66);
    __atomic_fetch_add(&n_interrupts, 1, __ATOMIC_SEQ_CST);
    return true;
}

static void test_console_interrupt(void)
{
    begin();
    pic_set_vector(PIN_UART0, 0x66);
    pic_assign(PIC_MASK, PIN_UART0, false);
    trap_set_handler(EXC_INT, on_console);
    csr_write(CSR_ECFG, BITS(9, 2));
    csr_set(CSR_CRMD, CRMD_IE);
    uart_write(0, UART_IER, IER_THRE);
    u64 deadline = time_after_ms(20000);
    while (!__atomic_load_n(&n_interrupts, __ATOMIC_SEQ_CST) && !time_is_past(deadline))
        ;
    csr_clear(CSR_CRMD, CRMD_IE);
    csr_write(CSR_ECFG, 0);
    trap_set_handler(EXC_INT, NULL);
    uart_write(0, UART_IER, 0);
    report_eq(n_interrupts, 1, "the console's transmitter interrupts by pin 2");
}

// The alarm rings some milliseconds from now.
static void test_alarm(void)
{
    begin();
    pic_set_vector(PIN_RTC, 0x77);
    pic_assign(PIC_MASK, PIN_RTC, false);
    rtc_write(RTCMATCH0, 0);
    extioi_clear(EXTIOI_ISR, 0x77);
    rtc_write(RTCCTRL, RTCCTRL_EO | RTCCTRL_RTCEN | RTCCTRL_TOYEN);
    report(!is_sent(0x77), "no alarm yet");
    u32 at = rtc_read(RTCREAD0) + 200;
    rtc_write(RTCMATCH0, at);
    u64 deadline = time_after_ms(20000);
    while (!is_sent(0x77) && !time_is_past(deadline))
        ;
    report(is_sent(0x77), "the clock's alarm interrupts by pin 6");
    report((s32)(rtc_read(RTCREAD0) - at) >= 0, "not before its time");
    rtc_write(RTCMATCH0, 0);
    extioi_clear(EXTIOI_ISR, 0x77);
    report(!is_sent(0x77), "MATCH = 0 silences it");
}

int main(void)
{
    report_prefix_push("reset");
    test_reset();
    report_prefix_pop();
    test_widths();
    test_level();
    test_mask();
    test_vector();
    test_several();
    test_edge();
    test_polarity();
    test_pins();
    test_console_interrupt();
    test_alarm();
    begin();
    return 0;
}
