// SPDX-License-Identifier: Apache-2.0
#include "hv/plat/virt.h"
#include "hv/arch.h"
#include "hv/cell.h"
#include "hv/log.h"
#include "hv/mmio.h"

#define UART_FIRST  0x1e0ULL
#define UART_STRIDE 0x100ULL
#define GED_SLEEP   0x100e001cULL // ACPI sleep control: enable, S5
#define SLEEP_OFF   0x34
#define PIC_VECTORS 0x10000200ULL // HTMSI_VECTOR of the interrupt controller's inputs, a byte each
#define PIN_PCI     16            // INTA of slot s is input 16 + s % 4
#define N_UARTS     4
#define UART_LSR    5
#define LSR_IDLE    0x20
#define PATIENCE    100000 // looks at the transmitter before a byte is given up

static bool is_uart(u64 offset, unsigned size)
{
    u64 at = (offset - UART_FIRST) % UART_STRIDE;
    return offset >= UART_FIRST && offset < UART_FIRST + N_UARTS * UART_STRIDE && at + size <= 8;
}

static u64 read_chip(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    if (is_uart(offset, size))
        return arch_register_read(d->gpa + offset, size);
    mmio_note_unknown(cpu->hv, d->gpa + offset);
    return 0;
}

static void write_chip(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
    if (is_uart(offset, size))
        arch_register_write(d->gpa + offset, value, size);
    else
        mmio_note_unknown(cpu->hv, d->gpa + offset);
}

void plat_add_root_devices(struct cell *root)
{
    struct vdev *d = cell_add_vdev(root, PLAT_CHIP_PAGE, HV_PAGE_SIZE);
    d->read = read_chip;
    d->write = write_chip;
}

u32 plat_management_vector(void)
{
    return (u32)arch_register_read(PIC_VECTORS + PIN_PCI + CONTROL_PCI_SLOT % 4, 1);
}

void plat_power_off(void)
{
    arch_register_write(GED_SLEEP, SLEEP_OFF, 1);
}

static void put_byte(char c)
{
    u64 uart = PLAT_CHIP_PAGE + UART_FIRST;
    for (unsigned i = 0; i < PATIENCE && !(arch_register_read(uart + UART_LSR, 1) & LSR_IDLE); i++)
        arch_pause();
    arch_register_write(uart, (u8)c, 1);
}

void plat_print(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            put_byte('\r');
        put_byte(*text);
    }
}
