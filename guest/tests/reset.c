// SPDX-License-Identifier: Apache-2.0
// A reset from within: the first run leaves traces everywhere and resets the machine; the second
// one, which a mark in RAM tells apart, looks at what is left of them.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/pch_pic.h"
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/uart.h"
#include "guest/lib/machine.h"
#include "guest/lib/report.h"

// In RAM that no loader writes to.
struct mark {
    u64 magic, n_runs, counter, pattern[64];
};
#define MAGIC 0x4c6f6e67686f7573ULL

static u64 initialized = 0x1234; // in .data: the loader brings it anew
static u64 zeroed;               // in .bss
static u64 crmd, tcfg, ecfg, dmw0, estat, counter;

static volatile struct mark *mark(void)
{
    return memory_at(SCRATCH_BASE + 0x100000);
}

void start_early(unsigned cpu)
{
    if (cpu)
        return;
    crmd = csr_read(CSR_CRMD);
    tcfg = csr_read(CSR_TCFG);
    ecfg = csr_read(CSR_ECFG);
    dmw0 = csr_read(CSR_DMW0);
    estat = csr_read(CSR_ESTAT);
    counter = rdtime();
}

static void idle_for_ms(u64 ms)
{
    csr_write(CSR_ECFG, BIT(LINE_TI));
    csr_write(CSR_TCFG, (ms * time_ticks_per_ms() & ~3ULL) | TCFG_EN);
    while (!(csr_read(CSR_ESTAT) & BIT(LINE_TI)))
        __asm__ volatile("idle 0" ::: "memory");
}

static _Noreturn void leave_traces(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(mark()->pattern); i++)
        mark()->pattern[i] = i * 0x0101010101010101ULL;
    smp_start_all();
    initialized = zeroed = 0x5555;
    extioi_init();
    extioi_send(200);
    pic_init();
    pic_set_vector(PIN_UART0, 0xab);
    uart_write(1, UART_IER, IER_THRE);
    uart_write(1, UART_SCR, 0x77);
    iocsr_write_d(IPI_MBOX + 8, 0x1122334455667788);
    iocsr_write_w(IPI_SET, 0xff);
    tlb_map(0, 0x10000000, SCRATCH_BASE, 14, PAGE_ALL);
    idle_for_ms(1500); // so that the counter cannot be this far right after a reset
    csr_write(CSR_TCFG, 1000 | TCFG_PERIODIC | TCFG_EN);
    csr_write(CSR_CNTC, 0);
    mark()->counter = rdtime();
    mark()->n_runs = 1;
    mark()->magic = MAGIC;
    machine_reset();
}

static void test_memory(void)
{
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(mark()->pattern); i++)
        n_wrong += mark()->pattern[i] != i * 0x0101010101010101ULL;
    report_eq(mark()->n_runs, 1, "this is the second run");
    report_eq(n_wrong, 0, "RAM keeps what it had");
    report_eq(initialized, 0x1234, "the image is loaded anew");
    report_eq(zeroed, 0, "and cleared");
}

static void test_processor(void)
{
    report_eq(crmd, CRMD_DA, "CRMD");
    report_eq(tcfg & TCFG_EN, 0, "the timer is off");
    report_eq(ecfg, 0, "ECFG");
    report_eq(dmw0 & 0xf, 0, "the windows are closed");
    report_eq(estat & BITS(12, 0), 0, "no interrupt is pending");
    report(counter < mark()->counter, "the counter began anew");
}

static void test_devices(void)
{
    report_eq(iocsr_read_d(CHIP_MISC) & CHIP_MISC_EXT_INT_EN, 0, "EXT_INT_en is off");
    report_eq(iocsr_read_d(EXTIOI_ENABLE), 0, "no vector is enabled");
    report_eq(iocsr_read_d(EXTIOI_ISR + 24), 0, "none is pending");
    report_eq(iocsr_read_d(IPI_MBOX + 8), 0, "mailboxes are empty");
    report_eq(iocsr_read_w(IPI_STATUS), 0, "no inter-processor interrupt");
    report_eq((u32)pic_read(PIC_MASK), ~0u, "the bridge masks everything");
    report_eq(pic_read(PIC_HTMSI_EN), 0, "messages are off");
    report_eq(device_read8(BOARD_PCH_PIC + PIC_VECTOR + PIN_UART0), 0x20 + PIN_UART0,
              "vectors are as at power-on");
    report_eq(uart_read(1, UART_IER), 0, "the serial port's interrupts are off");
}

int main(void)
{
    if (mark()->magic != MAGIC)
        leave_traces();
    mark()->magic = 0;
    test_memory();
    test_processor();
    test_devices();
    if (smp_n_cpus() > 1)
        report(smp_start_all(), "the other processors start again");
    return 0;
}
