// SPDX-License-Identifier: Apache-2.0
// In a cell: what leaves it, and how often, to the unit. What is not told to exit must not.
//
// Command line: devices=1: also interrupts of devices, which the root cell has.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/cell.h"
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

#define N 100

static const char *const names[N_CELL_EXITS] = {
#define EXIT(name, text) #name,
#include "include/longhouse/exits.def"
#undef EXIT
};

struct counts {
    u64 n[N_CELL_EXITS];
};

// Asking is an exit as well.
static struct counts count(void)
{
    struct counts c;
    for (unsigned i = 0; i < N_CELL_EXITS; i++)
        c.n[i] = cell_count(i);
    c.n[CELL_EXIT_HYPERCALL] = cell_count(CELL_EXIT_HYPERCALL);
    return c;
}

static u64 asking;

// `f` leaves the cell so often for `kind`, and for nothing else. Interrupts between processors come
// when others want something and are left out.
static void check(const char *name, void (*f)(void), enum cell_exit kind, u64 n)
{
    struct counts before = count();
    f();
    struct counts after = count();
    for (unsigned i = 0; i < N_CELL_EXITS; i++) {
        u64 found = after.n[i] - before.n[i] - (i == CELL_EXIT_HYPERCALL ? asking : 0);
        u64 wanted = i == kind ? n : 0;
        if (i == CELL_EXIT_IPI && kind != CELL_EXIT_IPI)
            continue;
        if (i == kind || found != wanted)
            report_eq(found, wanted, "%s: %s", name, names[i]);
    }
}

static void nothing(void)
{
}

static void calls(void)
{
    for (unsigned i = 0; i < N; i++)
        cell_call(CELL_CALL_NOTHING, 0);
}

static void words(void)
{
    for (unsigned i = 0; i < N; i++)
        cpucfg(1);
}

static void absent_registers(void)
{
    for (unsigned i = 0; i < N; i++)
        csr_read_n(CSR_IMPCTL1);
}

static void own_registers(void)
{
    for (unsigned i = 0; i < N; i++) {
        csr_write(CSR_SAVE0, csr_read(CSR_ECFG));
        rdtime();
    }
}

static void io_registers(void)
{
    for (unsigned i = 0; i < N; i++)
        iocsr_read_w(IPI_STATUS);
}

static void device_registers(void)
{
    for (unsigned i = 0; i < N; i++)
        device_read8(BOARD_UART + 5);
}

static void cache_by_index(void)
{
    for (unsigned i = 0; i < N; i++)
        __asm__ volatile("cacop 0, %0, 0" ::"r"(WINDOW_MEMORY) : "memory");
}

static void cache_by_address(void)
{
    for (unsigned i = 0; i < N; i++)
        __asm__ volatile("cacop 0x10, %0, 0" ::"r"(WINDOW_MEMORY) : "memory");
}

static void memory(void)
{
    for (u64 at = SCRATCH_BASE / 2; at < SCRATCH_BASE; at += 0x4000)
        *(volatile u64 *)memory_at(at) = at;
}

#define VECTOR 0x80

static volatile unsigned n_ticks, n_device_interrupts;

static bool on_interrupt(struct trap_frame *f, unsigned code)
{
    if (csr_read(CSR_ESTAT) & BIT(LINE_TI)) {
        csr_write(CSR_TICLR, 1);
        n_ticks++;
    } else if (csr_read(CSR_ESTAT) & BIT(LINE_HWI0 + 1)) {
        u32 status = EXTIOI_CORE_ISR + VECTOR / 64 * 8;
        iocsr_write_d(status, iocsr_read_d(status));
        n_device_interrupts++;
    } else {
        iocsr_write_w(IPI_CLEAR, (u32)iocsr_read_w(IPI_STATUS));
    }
    return true;
}

static void ticks(void)
{
    n_ticks = 0;
    csr_write(CSR_ECFG, BIT(LINE_TI));
    csr_write(CSR_TCFG, 20000 | TCFG_PERIODIC | TCFG_EN);
    csr_set(CSR_CRMD, CRMD_IE);
    while (n_ticks < 10)
        ;
    csr_clear(CSR_CRMD, CRMD_IE);
    csr_write(CSR_TCFG, 0);
}

// To itself: a send, and in the handler a read and a write.
static void own_interrupts(void)
{
    iocsr_write_w(IPI_EN, ~0u);
    csr_write(CSR_ECFG, BIT(LINE_IPI));
    csr_set(CSR_CRMD, CRMD_IE);
    for (unsigned i = 0; i < N; i++)
        ipi_send(0, 3);
    csr_clear(CSR_CRMD, CRMD_IE);
}

// Each comes by itself; what it costs is to ask which it is, and to say that it was seen.
static void device_interrupts(void)
{
    csr_write(CSR_ECFG, BIT(LINE_HWI0 + 1));
    csr_set(CSR_CRMD, CRMD_IE);
    for (unsigned i = 0; i < N; i++) {
        unsigned before = n_device_interrupts;
        device_write32(BOARD_MSI, VECTOR);
        while (n_device_interrupts == before)
            ;
    }
    csr_clear(CSR_CRMD, CRMD_IE);
}

static void sleeps(void)
{
    csr_write(CSR_ECFG, BIT(LINE_TI));
    for (unsigned i = 0; i < 10; i++) {
        csr_write(CSR_TCFG, 20000 | TCFG_EN);
        __asm__ volatile("idle 0" ::: "memory");
        report(csr_read(CSR_ESTAT) & BIT(LINE_TI), "idle lasted until the timer");
        csr_write(CSR_TICLR, 1);
    }
}

static void quiet_sleeps(void)
{
    csr_write(CSR_ECFG, BIT(LINE_TI));
    for (unsigned i = 0; i < 10; i++) {
        csr_write(CSR_TCFG, 20000 | TCFG_EN);
        __asm__ volatile("idle 0" ::: "memory");
        csr_write(CSR_TICLR, 1);
    }
}

// With calls=N: nothing else, so that the difference of two runs is what calls cost.
static bool only_calls(void)
{
    u64 n = args_number("calls", ~0ULL);
    if (n == ~0ULL)
        return false;
    for (u64 i = 0; i < n; i++)
        cell_call(CELL_CALL_NOTHING, 0);
    return true;
}

static bool only_words(void)
{
    u64 n = args_number("reads", ~0ULL);
    if (n == ~0ULL)
        return false;
    for (u64 i = 0; i < n; i++)
        iocsr_read_d(0x1800);
    return true;
}

int main(void)
{
    if (only_calls() || only_words())
        return 0;
    struct counts first = count(), second = count();
    asking = second.n[CELL_EXIT_HYPERCALL] - first.n[CELL_EXIT_HYPERCALL];
    report_eq(asking, N_CELL_EXITS + 1, "asking costs a call each");
    trap_set_handler(EXC_INT, on_interrupt);
    check("nothing", nothing, CELL_EXIT_OTHER, 0);
    check("calls", calls, CELL_EXIT_HYPERCALL, N);
    check("cpucfg", words, CELL_EXIT_CPUCFG, N);
    check("registers that are absent", absent_registers, CELL_EXIT_CSR, N);
    check("registers of its own", own_registers, CELL_EXIT_CSR, 0);
    check("I/O control registers", io_registers, CELL_EXIT_IOCSR, N);
    check("device registers", device_registers, CELL_EXIT_MMIO, N);
    check("cacop by index", cache_by_index, CELL_EXIT_CACOP, N);
    check("cacop by address", cache_by_address, CELL_EXIT_CACOP, 0);
    check("memory", memory, CELL_EXIT_NOWHERE, 0);
    check("ticks of the timer", ticks, CELL_EXIT_TIMER, 0);
    check("interrupts to itself", own_interrupts, CELL_EXIT_IOCSR, 1 + 3 * N);
    if (args_number("devices", 0)) {
        extioi_init();
        check("interrupts of a device", device_interrupts, CELL_EXIT_FAST, 2 * N);
    }
    check("sleeps", quiet_sleeps, CELL_EXIT_IDLE, 10);
    sleeps();
    return 0;
}
