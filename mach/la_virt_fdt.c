// SPDX-License-Identifier: Apache-2.0
// Written front to back by libfdt. Addresses and sizes take two cells, below the root.
#include "mach/la_virt_fdt.h"

#include "base/bits.h"
#include "base/bug.h"
#include "mach/la_virt_map.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE 0x10000
#define LEVEL_HIGH  4 // second cell of an interrupt specifier

// What nodes refer to each other by.
enum phandle { PHANDLE_CPUIC = 1, PHANDLE_EIOINTC, PHANDLE_PIC, PHANDLE_MSI, PHANDLE_POWER };

// Only a buffer that is too small can make libfdt fail, and that is our fault.
static void must(int error)
{
    BUG_ON(error);
}

static void begin(void *f, const char *name)
{
    must(fdt_begin_node(f, name));
}

static void begin_at(void *f, const char *name, u64 address)
{
    char full[64];
    snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);
    begin(f, full);
}

static void end(void *f)
{
    must(fdt_end_node(f));
}

static void put_string(void *f, const char *name, const char *value)
{
    must(fdt_property_string(f, name, value));
}

static void put_flag(void *f, const char *name)
{
    must(fdt_property(f, name, NULL, 0));
}

static void put_u32(void *f, const char *name, u32 value)
{
    must(fdt_property_u32(f, name, value));
}

static void put_cells(void *f, const char *name, const u32 *cells, size_t n)
{
    u8 data[4 * 128];
    BUG_ON(4 * n > sizeof(data));
    for (size_t i = 0; i < n; i++)
        store_be(data + 4 * i, cells[i], 4);
    must(fdt_property(f, name, data, (int)(4 * n)));
}

static void put_reg(void *f, u64 base, u64 size)
{
    u32 cells[] = {(u32)(base >> 32), (u32)base, (u32)(size >> 32), (u32)size};
    put_cells(f, "reg", cells, ARRAY_LEN(cells));
}

static void put_cell_sizes(void *f, u32 address, u32 size)
{
    put_u32(f, "#address-cells", address);
    put_u32(f, "#size-cells", size);
}

static void put_interrupt(void *f, u32 pin)
{
    u32 cells[] = {pin, LEVEL_HIGH};
    put_u32(f, "interrupt-parent", PHANDLE_PIC);
    put_cells(f, "interrupts", cells, ARRAY_LEN(cells));
}

static void put_cpus(void *f, const struct la_virt_fdt *board)
{
    begin(f, "cpus");
    put_cell_sizes(f, 1, 0);
    for (unsigned i = 0; i < board->n_cpus; i++) {
        begin_at(f, "cpu", i);
        put_string(f, "device_type", "cpu");
        put_string(f, "compatible", "loongson,la464");
        put_u32(f, "reg", i);
        end(f);
    }
    end(f);
}

static void put_memory(void *f, const struct la_virt_fdt *board)
{
    for (unsigned i = 0; i < board->n_memory; i++) {
        begin_at(f, "memory", board->memory[i].base);
        put_string(f, "device_type", "memory");
        put_reg(f, board->memory[i].base, board->memory[i].size);
        end(f);
    }
}

static void put_controller(void *f, u32 phandle, u32 n_cells)
{
    put_u32(f, "phandle", phandle);
    put_flag(f, "interrupt-controller");
    put_u32(f, "#interrupt-cells", n_cells);
}

static void put_interrupt_controllers(void *f)
{
    enum { HWI1 = 3, EIOINTC_BASE = 0x1400, EIOINTC_SIZE = 0x800 };

    begin(f, "cpuic");
    put_string(f, "compatible", "loongson,cpu-interrupt-controller");
    put_controller(f, PHANDLE_CPUIC, 1);
    end(f);

    begin_at(f, "eiointc", EIOINTC_BASE); // in I/O configuration space
    put_string(f, "compatible", "loongson,ls2k2000-eiointc");
    put_reg(f, EIOINTC_BASE, EIOINTC_SIZE);
    put_u32(f, "interrupt-parent", PHANDLE_CPUIC);
    put_u32(f, "interrupts", HWI1);
    put_controller(f, PHANDLE_EIOINTC, 1);
    end(f);

    begin_at(f, "platic", VIRT_PCH_PIC_BASE);
    put_string(f, "compatible", "loongson,pch-pic-1.0");
    put_reg(f, VIRT_PCH_PIC_BASE, VIRT_PCH_PIC_SIZE);
    put_u32(f, "interrupt-parent", PHANDLE_EIOINTC);
    put_u32(f, "loongson,pic-base-vec", 0);
    put_controller(f, PHANDLE_PIC, 2);
    end(f);

    begin_at(f, "msi", VIRT_MSI_BASE);
    put_string(f, "compatible", "loongson,pch-msi-1.0");
    put_reg(f, VIRT_MSI_BASE, 8);
    put_u32(f, "phandle", PHANDLE_MSI);
    put_flag(f, "interrupt-controller");
    put_flag(f, "msi-controller");
    put_u32(f, "interrupt-parent", PHANDLE_EIOINTC);
    put_u32(f, "loongson,msi-base-vec", VIRT_MSI_FIRST);
    put_u32(f, "loongson,msi-num-vecs", VIRT_MSI_COUNT);
    end(f);
}

// {slot << 11, 0, 0, INTx from 1, controller, pin, level} for four slots; the pattern repeats.
static void put_pci_interrupts(void *f)
{
    u32 rows[16][7], mask[] = {3 << 11, 0, 0, 7};
    for (u32 i = 0; i < 16; i++) {
        u32 slot = i / 4, pin = i % 4;
        u32 row[] = {slot << 11, 0, 0, pin + 1, PHANDLE_PIC, VIRT_PIN_PCI + (slot + pin) % 4,
                     LEVEL_HIGH};
        memcpy(rows[i], row, sizeof(row));
    }
    put_u32(f, "#interrupt-cells", 1);
    put_cells(f, "interrupt-map-mask", mask, ARRAY_LEN(mask));
    put_cells(f, "interrupt-map", &rows[0][0], 16 * 7);
}

static void put_pci(void *f)
{
    enum { SPACE_IO = 0x01000000, SPACE_MEMORY = 0x02000000 };

    const u32 buses[] = {0, VIRT_PCI_BUSES - 1};
    const u32 msi_map[] = {0, PHANDLE_MSI, 0, 0x10000};
    const u32 ranges[] = {
        SPACE_IO,
        0,
        VIRT_PIO_FIRST,
        0,
        VIRT_PIO_BASE + VIRT_PIO_FIRST,
        0,
        VIRT_PIO_LAST + 1 - VIRT_PIO_FIRST,
        SPACE_MEMORY,
        0,
        VIRT_PMEM_BASE,
        0,
        VIRT_PMEM_BASE,
        0,
        VIRT_PMEM_SIZE,
    };
    begin_at(f, "pcie", VIRT_ECAM_BASE);
    put_string(f, "compatible", "pci-host-ecam-generic");
    put_string(f, "device_type", "pci");
    put_cell_sizes(f, 3, 2);
    put_u32(f, "linux,pci-domain", 0);
    put_cells(f, "bus-range", buses, ARRAY_LEN(buses));
    put_flag(f, "dma-coherent");
    put_cells(f, "msi-map", msi_map, ARRAY_LEN(msi_map));
    put_reg(f, VIRT_ECAM_BASE, VIRT_ECAM_SIZE);
    put_cells(f, "ranges", ranges, ARRAY_LEN(ranges));
    put_pci_interrupts(f);
    end(f);
}

static void put_serial_ports(void *f)
{
    for (unsigned i = 0; i < VIRT_N_UARTS; i++) {
        begin_at(f, "serial", VIRT_UART_BASE + i * VIRT_UART_STRIDE);
        put_string(f, "compatible", "ns16550a");
        put_reg(f, VIRT_UART_BASE + i * VIRT_UART_STRIDE, VIRT_UART_STRIDE);
        put_u32(f, "clock-frequency", VIRT_UART_CLOCK);
        put_interrupt(f, VIRT_PIN_UART + i);
        end(f);
    }
}

static void put_power(void *f)
{
    enum { SLEEP_OFF = 0x34, RESET = 0x42, RESET_OFFSET = VIRT_GED_RESET - VIRT_GED_SLEEP };

    begin_at(f, "ged", VIRT_GED_SLEEP);
    put_string(f, "compatible", "syscon");
    put_reg(f, VIRT_GED_SLEEP, RESET_OFFSET + 1);
    put_u32(f, "reg-shift", 0);
    put_u32(f, "reg-io-width", 1);
    put_u32(f, "phandle", PHANDLE_POWER);
    end(f);

    begin(f, "poweroff");
    put_string(f, "compatible", "syscon-poweroff");
    put_u32(f, "regmap", PHANDLE_POWER);
    put_u32(f, "offset", 0);
    put_u32(f, "value", SLEEP_OFF);
    end(f);

    begin(f, "reboot");
    put_string(f, "compatible", "syscon-reboot");
    put_u32(f, "regmap", PHANDLE_POWER);
    put_u32(f, "offset", RESET_OFFSET);
    put_u32(f, "value", RESET);
    end(f);
}

static void put_clock(void *f)
{
    begin_at(f, "rtc", VIRT_RTC_BASE);
    put_string(f, "compatible", "loongson,ls7a-rtc");
    put_reg(f, VIRT_RTC_BASE, VIRT_RTC_SIZE);
    put_interrupt(f, VIRT_PIN_RTC);
    end(f);
}

static void put_firmware_devices(void *f)
{
    const u32 banks[] = {0, VIRT_FLASH0_BASE, 0, VIRT_FLASH_SIZE,
                         0, VIRT_FLASH1_BASE, 0, VIRT_FLASH_SIZE};
    begin_at(f, "flash", VIRT_FLASH0_BASE);
    put_string(f, "compatible", "cfi-flash");
    put_cells(f, "reg", banks, ARRAY_LEN(banks));
    put_u32(f, "bank-width", 4);
    end(f);

    begin_at(f, "fw_cfg", VIRT_FW_CFG_BASE);
    put_string(f, "compatible", "qemu,fw-cfg-mmio");
    put_reg(f, VIRT_FW_CFG_BASE, VIRT_FW_CFG_SIZE);
    put_flag(f, "dma-coherent");
    end(f);
}

static void put_platform_bus(void *f)
{
    const u32 ranges[] = {0, 0, VIRT_PLATFORM_BASE, VIRT_PLATFORM_SIZE};
    begin_at(f, "platform-bus", VIRT_PLATFORM_BASE);
    put_string(f, "compatible", "simple-bus");
    put_cell_sizes(f, 1, 1);
    put_u32(f, "interrupt-parent", PHANDLE_PIC);
    put_cells(f, "ranges", ranges, ARRAY_LEN(ranges));
    end(f);
}

static void put_chosen(void *f, const struct la_virt_fdt *board)
{
    char path[64];
    snprintf(path, sizeof(path), "/serial@%llx", VIRT_UART_BASE);
    begin(f, "chosen");
    put_string(f, "stdout-path", path);
    if (board->command_line)
        put_string(f, "bootargs", board->command_line);
    end(f);
}

u8 *la_virt_fdt_build(const struct la_virt_fdt *board, size_t *size)
{
    u8 *f = calloc(1, BUFFER_SIZE);
    BUG_ON(!f);
    must(fdt_create(f, BUFFER_SIZE));
    must(fdt_finish_reservemap(f));
    begin(f, "");
    put_cell_sizes(f, 2, 2);
    put_string(f, "compatible", "longhouse,virt");
    put_string(f, "model", "longhouse,virt");
    put_cpus(f, board);
    put_memory(f, board);
    put_interrupt_controllers(f);
    put_pci(f);
    put_serial_ports(f);
    put_clock(f);
    put_power(f);
    put_firmware_devices(f);
    put_platform_bus(f);
    put_chosen(f, board);
    end(f);
    must(fdt_finish(f));
    *size = fdt_totalsize(f);
    return f;
}
